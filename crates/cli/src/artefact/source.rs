//! An artefact's bytes, wherever it is: held against its digest, and against a signature where there is
//! a key.

use super::layout::Layout;
use super::{Named, Place, Trust};
use crate::World;
use advisories::artefact::{
    Artefact, Blobs, CONFIG_BYTES, Contents, ENVELOPE_TYPE, MANIFEST_BYTES, envelope_of, statement,
};
use anyhow::{Context as _, Error, anyhow, bail};
use engine::reference::Reference;
use image::Repository;
use image::manifest::Descriptor;
use std::io::{self, Read};
use vocabulary::Digest;

/// Signatures that are looked at for one artefact.
const SIGNATURES: usize = 64;

pub(super) enum Source {
    Registry(Repository, Box<Reference>),
    Layout(Layout),
}

impl Source {
    pub(super) fn open(world: &World, named: &Named) -> Result<Self, Error> {
        Ok(match &named.place {
            Place::Registry(name) => {
                let (repository, reference) = Repository::to_read(name, &world.registry())?;
                Self::Registry(repository, Box::new(reference))
            }
            Place::Folder(folder) => Self::Layout(Layout::folder(folder)?),
            Place::Url(url) => {
                let client = world.client().map_err(|failure| failure.error)?;
                Self::Layout(Layout::url(client, url))
            }
        })
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
        match self {
            Self::Registry(repository, reference) => {
                let digest = reference.digest.as_ref().map(ToString::to_string);
                let at = digest.or_else(|| reference.tag.clone()).unwrap_or_default();
                let (bytes, said) = repository.manifest(&at)?;
                match said.filter(|said| *said != Digest::of(&bytes)) {
                    Some(said) => bail!("`{}` came as other bytes than {said}", named.shown),
                    None => Ok(bytes),
                }
            }
            Self::Layout(layout) => layout.manifest(named),
        }
    }

    /// Whether one of the keys has signed it.
    fn verify(&self, named: &Named, trust: &Trust, artefact: &Artefact) -> Result<(), Error> {
        let listed = match self {
            Self::Registry(repository, _) => repository.referrers(&artefact.digest)?,
            Self::Layout(layout) => layout.listed()?,
        };
        let is_envelope = |one: &Descriptor| one.artifact_type.as_deref() == Some(ENVELOPE_TYPE);
        let mut reasons = Vec::new();
        let mut signatures = 0;
        for descriptor in listed.into_iter().filter(is_envelope).take(SIGNATURES) {
            match self.holds(&descriptor, trust, artefact) {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => signatures += 1,
                // A signature of something else in the same list.
                Ok(None) => {}
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        let shown = &named.shown;
        match (reasons.first(), signatures) {
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
        let manifest = match self {
            Self::Registry(repository, _) => repository.manifest(&descriptor.digest)?.0,
            Self::Layout(_) => self.bytes(&digest, descriptor.size.unwrap_or(MANIFEST_BYTES))?,
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
        Ok(bytes)
    }
}

impl Blobs for Source {
    fn blob(&self, digest: &Digest, size: u64) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Registry(repository, _) => {
                let blob = repository.blob(digest, size).map_err(io::Error::other)?;
                Ok(Box::new(blob))
            }
            Self::Layout(layout) => layout.blob(digest, size),
        }
    }
}
