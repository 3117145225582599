//! An OCI image layout, in a folder or as a web server gives one out: the same files either way.
//!
//! Source: OCI image specification 1.1, "Image Layout". Nothing read here is believed: digests and
//! signatures are held against it above.

use super::Named;
use advisories::artefact::{
    ARTIFACT_TYPE, EMPTY, ENVELOPE_TYPE, MANIFEST_BYTES, MANIFEST_TYPE, Packed,
};
use anyhow::{Context as _, Error, anyhow, bail};
use fetch::Request;
use files::Access;
use image::manifest::{Descriptor, Manifest, parse};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// Entries of an index that are looked at.
const ENTRIES: usize = 64;
/// Blobs of a folder that are looked at for what is not wanted any more.
const BLOBS: usize = 100_000;

pub(super) struct Layout(Files, Cell<u64>);

enum Files {
    Folder(files::Folder, PathBuf),
    Url(Box<fetch::Client>, String),
}

impl Layout {
    pub(super) fn folder(path: &Path) -> Result<Self, Error> {
        let folder = files::Folder::open(path)
            .with_context(|| format!("cannot open the folder `{}`", path.display()))?;
        Ok(Self(Files::Folder(folder, path.to_owned()), Cell::new(0)))
    }

    pub(super) fn url(client: fetch::Client, url: &str) -> Self {
        Self(Files::Url(Box::new(client), url.trim_end_matches('/').to_owned()), Cell::new(0))
    }

    fn open(&self, path: &str, limit: u64) -> io::Result<Box<dyn Read>> {
        match &self.0 {
            Files::Folder(folder, at) => {
                let failed = |error: io::Error| {
                    io::Error::new(error.kind(), format!("`{}`: {error}", at.join(path).display()))
                };
                let file = folder.file_within(Path::new(path)).map_err(failed)?;
                Ok(Box::new(file.take(limit.saturating_add(1))))
            }
            Files::Url(client, base) => {
                let request = Request { max_bytes: limit, ..Request::default() };
                let url = format!("{base}/{path}");
                let response = client.get(&url, &request).map_err(io::Error::other)?;
                match response.status {
                    200 => Ok(Box::new(response.body)),
                    status => {
                        let shown = fetch::redact(&url);
                        Err(io::Error::other(format!(
                            "`{shown}` answers {status}; check the address"
                        )))
                    }
                }
            }
        }
    }

    pub(super) fn blob(&self, digest: &Digest, size: u64) -> io::Result<Box<dyn Read>> {
        self.open(&place_of(digest), size)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path, MANIFEST_BYTES)?.take(MANIFEST_BYTES + 1).read_to_end(&mut bytes)?;
        self.1.set(self.1.get().saturating_add(bytes.len() as u64));
        match bytes.len() as u64 > MANIFEST_BYTES {
            true => Err(io::Error::other(format!("`{path}` is larger than 4 MiB"))),
            false => Ok(bytes),
        }
    }

    /// Bytes of the documents that were read, besides blobs.
    pub(super) const fn listed_bytes(&self) -> u64 {
        self.1.get()
    }

    /// What `index.json` lists.
    pub(super) fn listed(&self) -> Result<Vec<Descriptor>, Error> {
        let index = parse::<Manifest>(&self.read("index.json")?);
        let index = index.map_err(|reason| anyhow!("`index.json` cannot be read: {reason}"))?;
        Ok(index.manifests)
    }

    /// The manifest of the one artefact in it, or of the one that is wanted by its digest.
    pub(super) fn manifest(&self, named: &Named) -> Result<Vec<u8>, Error> {
        let shown = &named.shown;
        if let Some(pin) = &named.pin {
            return self.read(&place_of(pin)).with_context(|| format!("`{shown}`"));
        }
        let listed = self.listed().with_context(|| format!("`{shown}` is no OCI layout"))?;
        let kind = |one: &Descriptor| one.artifact_type.clone().unwrap_or_default();
        let mut found = Vec::new();
        // Tools that copy layouts leave out what kind of thing each entry is.
        let candidates =
            listed.iter().filter(|one| ["", ARTIFACT_TYPE].contains(&kind(one).as_str()));
        for descriptor in candidates.take(ENTRIES) {
            let digest: Digest =
                descriptor.digest.parse().map_err(|_| anyhow!("`{shown}`: no digest"))?;
            let bytes = self.read(&place_of(&digest)).with_context(|| format!("`{shown}`"))?;
            if Digest::of(&bytes) != digest {
                bail!("`{shown}`: its manifest is not {digest}; nothing was taken");
            }
            let is_one =
                parse::<Manifest>(&bytes).is_ok_and(|it| it.artifact_type == ARTIFACT_TYPE);
            if is_one {
                found.push(bytes);
            }
        }
        match (found.pop(), found.len()) {
            (Some(one), 0) => Ok(one),
            (Some(_), _) => bail!("`{shown}` holds several databases; name one by `@sha256:…`"),
            (None, _) => bail!("`{shown}` holds no database; push one with `lazaret db push`"),
        }
    }
}

/// Where a blob lies.
fn place_of(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// Writes an artefact, and its signature, into a folder. What was there before stays until the next
/// time, for those who are fetching it now; what was before that is removed.
pub(super) fn write(
    folder: &Path,
    packed: &Packed,
    signature: Option<&(Vec<u8>, Vec<u8>)>,
) -> Result<u64, Error> {
    let failed = || format!("cannot write into `{}`", folder.display());
    let is_layout = folder.join("oci-layout").exists();
    let mut entries = std::fs::read_dir(folder).into_iter().flatten();
    if !is_layout && entries.next().is_some() {
        bail!("`{}` is no OCI layout, and not empty; name a new folder", folder.display());
    }
    let before = if is_layout { Before::read(folder) } else { Before::default() };
    files::create_folders(&folder.join("blobs/sha256")).with_context(failed)?;
    put(&folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).with_context(failed)?;
    let mut blobs: Vec<&[u8]> = packed.layers.iter().map(|layer| layer.bytes.as_slice()).collect();
    blobs.extend([packed.config.as_slice(), packed.manifest.as_slice()]);
    let entry = |bytes: &[u8], kind: &str| {
        json!({
            "mediaType": MANIFEST_TYPE,
            "artifactType": kind,
            "digest": Digest::of(bytes).to_string(),
            "size": bytes.len(),
        })
    };
    let mut listed = before.others;
    let mut own = entry(&packed.manifest, ARTIFACT_TYPE);
    if let Some(own) = own.as_object_mut() {
        let names = json!({"org.opencontainers.image.ref.name": "latest"});
        own.insert("annotations".to_owned(), names);
    }
    listed.push(own);
    if let Some((manifest, envelope)) = signature {
        blobs.extend([EMPTY, envelope.as_slice(), manifest.as_slice()]);
        listed.push(entry(manifest, ENVELOPE_TYPE));
    }
    let mut written = 0;
    let mut wanted = before.blobs;
    for bytes in blobs {
        let digest = Digest::of(bytes);
        let path = folder.join(place_of(&digest));
        wanted.insert(digest.hex());
        let same = files::read(&path, bytes.len() as u64).is_ok_and(|known| known == bytes);
        if !same {
            put(&path, bytes).with_context(failed)?;
            written += bytes.len() as u64;
        }
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": listed,
    });
    put(&folder.join("index.json"), index.to_string().as_bytes()).with_context(failed)?;
    if before.only_ours {
        clear(&folder.join("blobs/sha256"), &wanted);
    }
    Ok(written)
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    files::write_whole(path, Access::Shared, |out| out.write_all(bytes))
}

/// What a layout held before.
#[derive(Default)]
struct Before {
    /// Entries that are none of ours.
    others: Vec<Value>,
    /// Whether there were none of those, and all was understood.
    only_ours: bool,
    /// Digests of all that its entries lead to, in hex.
    blobs: BTreeSet<String>,
}

impl Before {
    fn read(folder: &Path) -> Self {
        let mut before = Self::default();
        let read = |path: &Path| -> Option<Value> {
            serde_json::from_slice(&files::read(path, MANIFEST_BYTES).ok()?).ok()
        };
        let index = read(&folder.join("index.json"));
        let entries = index.as_ref().and_then(|index| index.get("manifests")?.as_array());
        before.only_ours = entries.is_some();
        for entry in entries.into_iter().flatten() {
            let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
            if ![ARTIFACT_TYPE, ENVELOPE_TYPE].contains(&text("artifactType")) {
                before.others.push(entry.clone());
                before.only_ours = false;
                continue;
            }
            let Ok(digest) = text("digest").parse::<Digest>() else { continue };
            before.blobs.insert(digest.hex());
            match read(&folder.join(place_of(&digest))) {
                Some(manifest) => digests(&manifest, &mut before.blobs),
                None => before.only_ours = false,
            }
        }
        before
    }
}

/// The digests that a manifest names.
fn digests(manifest: &Value, found: &mut BTreeSet<String>) {
    let layers = manifest.get("layers").and_then(Value::as_array).into_iter().flatten();
    for blob in layers.chain(manifest.get("config")) {
        let digest = blob.get("digest").and_then(Value::as_str).map(str::parse::<Digest>);
        found.extend(digest.and_then(Result::ok).map(|digest| digest.hex()));
    }
}

/// Removes blobs that nobody wants any more. That they stay is no harm.
fn clear(blobs: &Path, wanted: &BTreeSet<String>) {
    for entry in std::fs::read_dir(blobs).into_iter().flatten().flatten().take(BLOBS) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_blob = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_blob && !wanted.contains(&name) {
            files::remove(&entry.path());
        }
    }
}
