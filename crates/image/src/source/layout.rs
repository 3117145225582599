//! OCI layouts, in a folder or an archive: index, manifest, configuration.

use super::attached::{self, Asked};
use super::documents::{Documents, hash_like};
use super::registry::{Kind, RemoteBlob, Session};
use super::{Image, LayerSource, OpenOptions, check_layers, complete, no_match, subject};
use crate::archive::Archive;
use crate::blob::Blob;
use crate::error::ImageError;
use crate::limits;
use crate::manifest::{Config, Descriptor, Manifest};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use vocabulary::{Digest, Origin, Platform};

/// Where an OCI layout's files lie.
pub(super) enum Store {
    Folder(PathBuf),
    Archive(Archive),
    /// A folder of blobs named by the hex of their digests, beside `manifest.json`.
    Flat(PathBuf),
    /// Not here at all.
    Registry(Arc<Session>),
}

impl Store {
    pub(super) fn blob(&self, path: &str) -> Option<Blob> {
        match self {
            Self::Folder(folder) | Self::Flat(folder) => Blob::beneath(folder, path),
            Self::Archive(archive) => archive.blob(path),
            Self::Registry(_) => None,
        }
    }

    /// The blob of a digest, and its size where whoever names it says so.
    pub(super) fn by_digest(&self, digest: &Digest, size: Option<u64>) -> Option<Blob> {
        match self {
            Self::Flat(_) => self.blob(&digest.hex()),
            Self::Registry(session) => {
                let session = Arc::clone(session);
                let remote = RemoteBlob::new(session, Kind::Blob, digest.clone(), size);
                Some(Blob::remote(Arc::new(remote)))
            }
            _ => self.blob(&format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())),
        }
    }

    /// The same of a manifest, which registries keep apart.
    pub(super) fn manifest(&self, digest: &Digest) -> Option<Blob> {
        match self {
            Self::Registry(session) => {
                let session = Arc::clone(session);
                let remote = RemoteBlob::new(session, Kind::Manifest, digest.clone(), None);
                Some(Blob::remote(Arc::new(remote)))
            }
            _ => self.by_digest(digest, None),
        }
    }
}

const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE_NAME: &str = "io.containerd.image.name";

pub(super) fn open_layout(
    store: &Store,
    reference: &str,
    name: Option<&str>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let documents = Documents { image: reference, mismatches: Vec::new() };
    let bytes = documents.bytes(store.blob("index.json"), "index.json", limits::MANIFEST_BYTES)?;
    let index: Manifest = documents.parse(&bytes, "index.json", "image index")?;
    let named: Vec<Descriptor> = match name {
        None => index.manifests,
        Some(name) => {
            let names = names_of(&index.manifests);
            let chosen: Vec<Descriptor> =
                index.manifests.into_iter().filter(|entry| has_name(entry, name)).collect();
            if chosen.is_empty() {
                return Err(no_match(reference, name, names));
            }
            chosen
        }
    };
    let chosen = choose(&named, reference, options, "its name after a colon, or --platform")?;
    let tags = name_of(&chosen).map(str::to_owned).into_iter().collect();
    open_entry(documents, store, &chosen, tags, options)
}

/// Opens the image that a digest names, in a store that has no `index.json`.
pub(super) fn open_target(
    store: &Store,
    reference: &str,
    target: &Digest,
    tags: Vec<String>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let documents = Documents { image: reference, mismatches: Vec::new() };
    let entry = Descriptor { digest: target.to_string(), ..Descriptor::default() };
    open_entry(documents, store, &entry, tags, options)
}

fn open_entry(
    mut documents: Documents<'_>,
    store: &Store,
    chosen: &Descriptor,
    tags: Vec<String>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let digest = documents.digest(&chosen.digest)?;
    let bytes = documents.manifest(store, &digest, chosen.size)?;
    open_manifest(documents, store, digest, bytes, tags, options)
}

/// Opens the image of a manifest, or of one that an index names, that has been read and hashed.
pub(super) fn open_manifest(
    mut documents: Documents<'_>,
    store: &Store,
    mut digest: Digest,
    mut bytes: Vec<u8>,
    tags: Vec<String>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let reference = documents.image;
    let mut subjects = vec![digest.clone()];
    let mut siblings = Vec::new();
    for _ in 0..limits::INDEX_DEPTH {
        let name = digest.to_string();
        let manifest: Manifest = documents.parse(&bytes, &name, "image manifest")?;
        if manifest.config.is_none() && !manifest.manifests.is_empty() {
            let chosen = choose(&manifest.manifests, reference, options, "--platform")?;
            digest = documents.digest(&chosen.digest)?;
            subjects.push(digest.clone());
            bytes = documents.manifest(store, &digest, chosen.size)?;
            siblings.extend(manifest.manifests);
            continue;
        }
        let found = hash_like(&digest, &bytes);
        let mut image = from_manifest(documents, store, manifest, found, tags)?;
        if let Some(wanted) = options.attached {
            let asked = Asked { store, image: reference, subjects: &subjects, siblings, wanted };
            image.attachments = attached::find(&asked);
        }
        return Ok(image);
    }
    Err(too_deep(reference))
}

/// How the file `version` of such an image begins.
const VERSION: &[u8; 27] = b"Directory Transport Version";

/// Whether a folder is an image as skopeo's `dir:` writes it: `version` says so.
pub(super) fn is_flat(folder: &std::path::Path) -> bool {
    let mut version = [0; VERSION.len()];
    Blob::beneath(folder, "version")
        .and_then(|file| file.open().ok()?.read_exact(&mut version).ok())
        .is_some_and(|()| version == *VERSION && Blob::beneath(folder, "manifest.json").is_some())
}

/// Opens such a folder. Nothing names the manifest's own digest there, so none can differ.
pub(super) fn open_flat(
    store: &Store,
    reference: &str,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
    let mut bytes =
        documents.bytes(store.blob("manifest.json"), "manifest.json", limits::MANIFEST_BYTES)?;
    for _ in 0..limits::INDEX_DEPTH {
        let manifest: Manifest = documents.parse(&bytes, "manifest.json", "image manifest")?;
        if manifest.config.is_some() || manifest.manifests.is_empty() {
            return from_manifest(documents, store, manifest, Digest::of(&bytes), Vec::new());
        }
        let chosen = choose(&manifest.manifests, reference, options, "--platform")?;
        let digest = documents.digest(&chosen.digest)?;
        // Manifests of an index lie under `<hex>.manifest.json`.
        let name = format!("{}.manifest.json", digest.hex());
        bytes = documents.bytes(store.blob(&name), &name, limits::MANIFEST_BYTES)?;
        documents.verify("manifest", &digest, chosen.size, &bytes);
    }
    Err(too_deep(reference))
}

fn too_deep(reference: &str) -> ImageError {
    ImageError::Limit {
        image: reference.to_owned(),
        name: "the index".to_owned(),
        limit: limits::INDEX_DEPTH as u64,
        unit: "nested indexes",
    }
}

pub(super) fn name_of(entry: &Descriptor) -> Option<&str> {
    let annotation = |key| entry.annotations.get(key).map(String::as_str);
    annotation(IMAGE_NAME).or_else(|| annotation(REFERENCE_NAME))
}

fn has_name(entry: &Descriptor, name: &str) -> bool {
    [REFERENCE_NAME, IMAGE_NAME]
        .iter()
        .any(|key| entry.annotations.get(*key).is_some_and(|known| known == name))
        || entry.digest == name
}

fn names_of(entries: &[Descriptor]) -> Vec<String> {
    entries.iter().filter_map(|entry| name_of(entry).map(str::to_owned)).collect()
}

fn platform_of(entry: &Descriptor) -> Option<Platform> {
    entry.platform.as_ref().map(|platform| Platform {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
    })
}

/// `sha256-<hex>`, or that with an ending of cosign's. Source: OCI distribution specification 1.1,
/// "Referrers Tag Schema".
fn is_tag_of_subject(name: &str) -> bool {
    let name = name.rsplit([':', '/']).next().unwrap_or(name);
    name.strip_prefix("sha256-").is_some_and(|rest| {
        let (hex, ending) = rest.split_once('.').unwrap_or((rest, ""));
        let digits = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits && ["", "att", "sig", "sbom"].contains(&ending)
    })
}

/// Whether an entry is an attestation beside an image rather than an image.
fn is_attestation(entry: &Descriptor) -> bool {
    // Referrers, by what they are or by the tag that stands for their subject.
    let is_referrer = entry.artifact_type.as_deref().is_some_and(|kind| !kind.is_empty())
        || name_of(entry).is_some_and(is_tag_of_subject);
    // What BuildKit adds beside an image is of an unknown platform: an annotation alone hides none.
    is_referrer || platform_of(entry).is_some_and(|platform| platform.os == "unknown")
}

fn fits(wanted: &Platform, entry: &Descriptor) -> bool {
    platform_of(entry).is_some_and(|platform| {
        usual(&platform.os) == usual(&wanted.os)
            && usual(&platform.architecture) == usual(&wanted.architecture)
            && (wanted.variant.is_none() || platform.variant == wanted.variant)
    })
}

/// A name as engines compare it. Source: containerd, `platforms/database.go`.
fn usual(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        "i386" => "386".to_owned(),
        "macos" => "darwin".to_owned(),
        other => other.to_owned(),
    }
}

/// The machine's platform in OCI's (Go's) words.
fn own_platform() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    };
    Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
}

fn choose(
    entries: &[Descriptor],
    reference: &str,
    options: &OpenOptions,
    how: &'static str,
) -> Result<Descriptor, ImageError> {
    let images: Vec<&Descriptor> = entries.iter().filter(|entry| !is_attestation(entry)).collect();
    let choices = || {
        let show = |entry: &&Descriptor| {
            let platform = platform_of(entry).map(|platform| platform.to_string());
            platform
                .or_else(|| name_of(entry).map(str::to_owned))
                .unwrap_or_else(|| entry.digest.clone())
        };
        images.iter().map(show).collect::<Vec<_>>()
    };
    if let Some(wanted) = &options.platform {
        let mut fitting = images.iter().filter(|entry| fits(wanted, entry));
        if let Some(entry) = fitting.next() {
            return Ok((*entry).clone());
        }
        // A lone image without a stated platform is checked by its configuration later.
        return match images.as_slice() {
            [only] if only.platform.is_none() => Ok((*only).clone()),
            _ => Err(no_match(reference, &wanted.to_string(), choices())),
        };
    }
    match images.as_slice() {
        [] => Err(ImageError::Missing {
            image: reference.to_owned(),
            name: "image manifest".to_owned(),
        }),
        [only] => Ok((*only).clone()),
        several => {
            let own = own_platform();
            let fitting: Vec<_> = several.iter().filter(|entry| fits(&own, entry)).collect();
            match fitting.as_slice() {
                [only] => Ok((**only).clone()),
                _ => Err(ImageError::Ambiguous {
                    image: reference.to_owned(),
                    how,
                    choices: choices().join(", "),
                }),
            }
        }
    }
}

fn from_manifest(
    mut documents: Documents<'_>,
    store: &Store,
    manifest: Manifest,
    manifest_digest: Digest,
    tags: Vec<String>,
) -> Result<Image, ImageError> {
    let reference = documents.image;
    let descriptor = manifest.config.ok_or_else(|| ImageError::Document {
        image: reference.to_owned(),
        name: manifest_digest.to_string(),
        what: "image manifest",
        reason: "it names no configuration".to_owned(),
    })?;
    check_layers(reference, manifest.layers.len())?;
    let digest = documents.digest(&descriptor.digest)?;
    let bytes =
        documents.named(store, &digest, descriptor.size, "configuration", limits::CONFIG_BYTES)?;
    let config: Config = documents.parse(&bytes, &descriptor.digest, "image configuration")?;
    let mut layers = Vec::with_capacity(manifest.layers.len());
    for entry in &manifest.layers {
        let digest = documents.digest(&entry.digest)?;
        let blob = store.by_digest(&digest, entry.size);
        layers.push(LayerSource {
            stored_bytes: blob.as_ref().map_or(Ok(0), Blob::size)?,
            stated_bytes: entry.size,
            blob,
            media_type: entry.media_type.clone(),
            digest: Some(digest),
            diff_id: None,
            command: None,
            origin: Origin::default(),
            name: entry.digest.clone(),
        });
    }
    let subject =
        subject(reference, Some(manifest_digest), hash_like(&digest, &bytes), tags, &config);
    Ok(complete(documents, subject, layers, &config, &manifest.annotations))
}
