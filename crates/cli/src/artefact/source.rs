//! An artefact's bytes, wherever it is: held against its digest, and against a signature where there is
//! a key.

use super::layout::Layout;
use super::{Named, Place, Trust};
use crate::world::World;
use advisories::artefact::{
    Artefact, Blobs, CONFIG_BYTES, CREATED, Contents, ENVELOPE_TYPE, MANIFEST_BYTES, envelope_of,
    statement,
};
use anyhow::{Context as _, Error, anyhow, bail};
use engine::reference::Reference;
use image::Repository;
use image::manifest::Descriptor;
use std::cell::Cell;
use std::collections::HashSet;
use std::io::{self, Read};
use vocabulary::Digest;

/// Signatures that are looked at for one artefact, a request or two each. Whoever may write there may add
/// others; beyond so many that is said.
const SIGNATURES: usize = 1024;

/// An artefact's place, and how much was fetched there besides layers.
pub(super) struct Source {
    at: At,
    fetched: Cell<u64>,
}

enum At {
    Registry(Repository, Box<Reference>),
    Layout(Layout),
}

impl Source {
    pub(super) fn open(world: &World, named: &Named) -> Result<Self, Error> {
        let at = match &named.place {
            Place::Registry(name) => {
                let (repository, reference) = Repository::to_read(name, &world.registry())?;
                At::Registry(repository, Box::new(reference))
            }
            Place::Folder(folder) => At::Layout(Layout::folder(folder)?),
            Place::Url(url) => {
                let client = world.client().map_err(|failure| failure.error)?;
                At::Layout(Layout::url(client, url))
            }
        };
        Ok(Self { at, fetched: Cell::new(0) })
    }

    /// Bytes of manifests, lists, configuration and signatures.
    pub(super) fn fetched(&self) -> u64 {
        let listed = match &self.at {
            At::Registry(repository, _) => repository.listed_bytes(),
            At::Layout(layout) => layout.listed_bytes(),
        };
        self.fetched.get().saturating_add(listed)
    }

    fn count(&self, bytes: &[u8]) {
        self.fetched.set(self.fetched.get().saturating_add(bytes.len() as u64));
    }

    /// What is there, as far as it is to be believed.
    pub(super) fn contents(&self, named: &Named, trust: &Trust) -> Result<Contents, Error> {
        let bytes = self.manifest(named)?;
        let artefact = Artefact::parse(&bytes, &named.shown)?;
        if let Some(pin) = named.pin.as_ref().filter(|pin| **pin != artefact.digest) {
            let (shown, digest) = (&named.shown, &artefact.digest);
            bail!("`{shown}` is {digest}, and should be {pin}; nothing was taken");
        }
        if let Some((file, _)) = &trust.keys {
            self.verify(named, trust, &artefact).with_context(|| {
                format!("`{}` is not taken by the key `{}`", named.shown, file.display())
            })?;
        }
        let config = self.bytes(&artefact.config.digest, artefact.config.size.min(CONFIG_BYTES));
        let config = config.with_context(|| format!("`{}`", named.shown))?;
        Ok(artefact.with_config(&config)?)
    }

    fn manifest(&self, named: &Named) -> Result<Vec<u8>, Error> {
        match &self.at {
            At::Registry(repository, reference) => {
                let digest = reference.digest.as_ref().map(ToString::to_string);
                let at = digest.or_else(|| reference.tag.clone()).unwrap_or_default();
                let (bytes, said) = repository.manifest(&at)?;
                self.count(&bytes);
                match said.filter(|said| *said != Digest::of(&bytes)) {
                    Some(said) => bail!("`{}` came as other bytes than {said}", named.shown),
                    None => Ok(bytes),
                }
            }
            At::Layout(layout) => layout.manifest(named),
        }
    }

    /// Whether one of the keys has signed it.
    fn verify(&self, named: &Named, trust: &Trust, artefact: &Artefact) -> Result<(), Error> {
        let listed = match &self.at {
            At::Registry(repository, _) => repository.referrers(&artefact.digest)?,
            At::Layout(layout) => layout.listed()?,
        };
        let signatures = envelopes(listed, &artefact.created.to_string());
        let mut reasons = Vec::new();
        let mut others = 0;
        for descriptor in signatures.iter().take(SIGNATURES) {
            match self.holds(descriptor, trust, artefact) {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => others += 1,
                // A signature of something else in the same list.
                Ok(None) => {}
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        let shown = &named.shown;
        let all = signatures.len();
        match (reasons.first(), others) {
            _ if all > SIGNATURES => bail!(
                "{all} entries there claim to be signatures, and none of the first {SIGNATURES} is one by it; remove those that are not"
            ),
            (Some(reason), _) if all > 1 => bail!(
                "{all} entries there claim to be signatures, and none is one by it; the first that cannot be read: {reason}"
            ),
            (Some(reason), _) => bail!("{reason}"),
            (None, 0) => {
                bail!("it is not signed; sign it with `lazaret db push --key FILE {shown}`")
            }
            (None, _) => bail!("it is signed by another key, or the signature does not hold"),
        }
    }

    /// Whether a signature is by one of the keys, and of this artefact; none where it does not refer to
    /// it.
    fn holds(
        &self,
        descriptor: &Descriptor,
        trust: &Trust,
        artefact: &Artefact,
    ) -> Result<Option<bool>, Error> {
        let digest: Digest = descriptor.digest.parse().map_err(|_| anyhow!("no digest"))?;
        let manifest = match &self.at {
            At::Registry(repository, _) => {
                let bytes = repository.manifest(&descriptor.digest)?.0;
                self.count(&bytes);
                bytes
            }
            At::Layout(_) => self.bytes(&digest, descriptor.size.unwrap_or(MANIFEST_BYTES))?,
        };
        if Digest::of(&manifest) != digest {
            bail!("a signature of it came as other bytes than {digest}");
        }
        let Some(blob) = envelope_of(&manifest, &artefact.digest) else { return Ok(None) };
        let bytes = self.bytes(&blob.digest, blob.size)?;
        if Digest::of(&bytes) != blob.digest {
            bail!("a signature of it came as other bytes than {}", blob.digest);
        }
        let envelope = seal::Envelope::from_json(&bytes)?;
        let message = seal::pae(&envelope.payload);
        let keys = trust.keys.iter().flat_map(|(_, keys)| keys);
        let mut pairs = keys.flat_map(|key| envelope.signatures.iter().map(move |one| (key, one)));
        if !pairs.any(|(key, signature)| key.verifies(&message, &signature.bytes)) {
            return Ok(Some(false));
        }
        statement::holds(&envelope.payload, artefact).map_err(Error::msg)?;
        Ok(Some(true))
    }

    /// A small blob, whole.
    fn bytes(&self, digest: &Digest, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.blob(digest, size)?.take(size.min(MANIFEST_BYTES)).read_to_end(&mut bytes)?;
        self.count(&bytes);
        Ok(bytes)
    }
}

/// What claims to be a signature, each once: what is of the artefact's time, as ours are, first.
fn envelopes(listed: Vec<Descriptor>, created: &str) -> Vec<Descriptor> {
    let mut seen = HashSet::new();
    let mut found: Vec<Descriptor> = listed
        .into_iter()
        .filter(|one| one.artifact_type.as_deref() == Some(ENVELOPE_TYPE))
        .filter(|one| seen.insert(one.digest.clone()))
        .collect();
    found.sort_by_key(|one| one.annotations.get(CREATED).is_none_or(|time| time != created));
    found
}

impl Blobs for Source {
    fn blob(&self, digest: &Digest, size: u64) -> io::Result<Box<dyn Read>> {
        match &self.at {
            At::Registry(repository, _) => {
                let blob = repository.blob(digest, size).map_err(io::Error::other)?;
                Ok(Box::new(blob))
            }
            At::Layout(layout) => layout.blob(digest, size),
        }
    }
}
