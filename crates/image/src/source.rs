//! Opens a reference and finds the image's manifest, configuration and layers.
//!
//! Four sources: an OCI layout in a folder or an archive, what `docker save` wrote, and a directory.
//! Whatever names a digest is hashed when it is read; what differs is kept as a [`Mismatch`], not as
//! an error, because an image that was tampered with is the one that must be reported in full.

use crate::archive::Archive;
use crate::base;
use crate::blob::{Blob, Packing};
use crate::error::ImageError;
use crate::limits;
use crate::manifest::{self, Config, Descriptor, Manifest, SavedImage};
use std::path::{Path, PathBuf};
use vocabulary::{Digest, Origin, Platform, Subject, SubjectKind};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The platform to take from a multi-platform index; the machine's own by default.
    pub platform: Option<Platform>,
}

/// Content whose digest is not the one that its reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was hashed.
    pub what: String,
    /// The layer, if it is one.
    pub layer: Option<u32>,
    /// Expected.
    pub expected: Digest,
    /// Found.
    pub found: Digest,
}

/// A layer as the manifest names it.
#[derive(Clone, Debug)]
pub struct LayerSource {
    /// Where it lies; none where it is not there.
    pub blob: Option<Blob>,
    /// Stored size.
    pub stored_bytes: u64,
    /// Media type in the manifest; empty where there is none.
    pub media_type: String,
    /// Digest of the stored bytes that the manifest names.
    pub digest: Option<Digest>,
    /// diffID that the configuration names.
    pub diff_id: Option<Digest>,
    /// Command from the history.
    pub command: Option<String>,
    /// Base image or application.
    pub origin: Origin,
    /// What the source calls it: a path or digest.
    pub name: String,
}

/// An image with its layers found.
#[derive(Clone, Debug)]
pub struct Image {
    /// What it is.
    pub subject: Subject,
    /// Layers, bottom first.
    pub layers: Vec<LayerSource>,
    /// Documents whose digest is wrong.
    pub mismatches: Vec<Mismatch>,
    /// What is wrong with the documents, yet does not keep the layers from being read.
    pub problems: Vec<String>,
}

/// What a reference turned out to be.
#[derive(Clone, Debug)]
pub enum Opened {
    /// An image.
    Image(Box<Image>),
    /// A directory: a root file system or a source folder.
    Directory(PathBuf),
}

/// Opens `reference`: `docker-archive:FILE[:NAME]`, `oci-archive:FILE[:NAME]`, `oci-dir:FOLDER[:NAME]`,
/// `dir:FOLDER`, or a path, whose kind is detected.
///
/// # Errors
/// Where it is none of these, or its documents cannot be read.
pub fn open(reference: &str, options: &OpenOptions) -> Result<Opened, ImageError> {
    let image = |image| Ok(Opened::Image(Box::new(image)));
    if let Some((scheme, rest)) = reference.split_once(':')
        && !Path::new(reference).exists()
    {
        let (path, name) = split_name(rest);
        match scheme {
            "docker-archive" => {
                return image(open_saved(&Archive::open(&path)?, reference, name, options)?);
            }
            "oci-archive" => {
                let store = Store::Archive(Archive::open(&path)?);
                return image(open_layout(&store, reference, name, options)?);
            }
            "oci-dir" | "oci" => {
                let store = Store::Folder(existing(&path)?);
                return image(open_layout(&store, reference, name, options)?);
            }
            "dir" => return Ok(Opened::Directory(existing(Path::new(rest))?)),
            _ if !scheme.contains('/')
                && !Path::new(split_name(reference).0.as_path()).exists() =>
            {
                return Err(ImageError::Scheme {
                    reference: reference.to_owned(),
                    scheme: scheme.to_owned(),
                });
            }
            _ => {}
        }
    }
    detect(reference, options)
}

fn detect(reference: &str, options: &OpenOptions) -> Result<Opened, ImageError> {
    let (path, name) = split_name(reference);
    let path = existing(&path)?;
    if path.is_dir() {
        if path.join("index.json").is_file() && path.join("blobs").is_dir() {
            let store = Store::Folder(path);
            return Ok(Opened::Image(Box::new(open_layout(&store, reference, name, options)?)));
        }
        return Ok(Opened::Directory(path));
    }
    let archive =
        Archive::open(&path).map_err(|_| ImageError::Unrecognised(reference.to_owned()))?;
    let image = if archive.contains("index.json") && archive.contains("oci-layout") {
        open_layout(&Store::Archive(archive), reference, name, options)?
    } else if archive.contains("manifest.json") {
        open_saved(&archive, reference, name, options)?
    } else {
        return Err(ImageError::Unrecognised(reference.to_owned()));
    };
    Ok(Opened::Image(Box::new(image)))
}

fn existing(path: &Path) -> Result<PathBuf, ImageError> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(source) => Err(ImageError::Read { path: path.to_owned(), source }),
    }
}

/// Divides `path[:name]`; a path that exists as it stands has no name.
fn split_name(text: &str) -> (PathBuf, Option<&str>) {
    if Path::new(text).exists() {
        return (PathBuf::from(text), None);
    }
    for (at, _) in text.match_indices(':') {
        if let (Some(path), Some(name)) = (text.get(..at), text.get(at + 1..))
            && Path::new(path).exists()
        {
            return (PathBuf::from(path), Some(name));
        }
    }
    (PathBuf::from(text), None)
}

/// Where an OCI layout's files lie.
enum Store {
    Folder(PathBuf),
    Archive(Archive),
}

impl Store {
    fn blob(&self, path: &str) -> Option<Blob> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(path);
                path.is_file().then(|| Blob::file(path))
            }
            Self::Archive(archive) => archive.blob(path),
        }
    }

    fn by_digest(&self, digest: &Digest) -> Option<Blob> {
        self.blob(&format!("blobs/{}/{}", digest.algorithm().name(), digest.hex()))
    }
}

/// Reads documents of one image and keeps what is wrong with their digests.
struct Documents<'image> {
    image: &'image str,
    mismatches: Vec<Mismatch>,
}

impl Documents<'_> {
    fn bytes(&self, blob: Option<Blob>, name: &str, limit: u64) -> Result<Vec<u8>, ImageError> {
        let missing =
            || ImageError::Missing { image: self.image.to_owned(), name: name.to_owned() };
        blob.ok_or_else(missing)?.read(limit)?.ok_or_else(|| ImageError::Limit {
            image: self.image.to_owned(),
            name: name.to_owned(),
            limit,
            unit: "bytes",
        })
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        bytes: &[u8],
        name: &str,
        what: &'static str,
    ) -> Result<T, ImageError> {
        manifest::parse(bytes).map_err(|reason| ImageError::Document {
            image: self.image.to_owned(),
            name: name.to_owned(),
            what,
            reason,
        })
    }

    fn digest(&self, text: &str) -> Result<Digest, ImageError> {
        text.parse().map_err(|source| ImageError::Digest { image: self.image.to_owned(), source })
    }

    /// The document that a digest names; hashed.
    fn named(
        &mut self,
        store: &Store,
        digest: &Digest,
        what: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, ImageError> {
        let bytes = self.bytes(store.by_digest(digest), &digest.to_string(), limit)?;
        self.verify(what, digest, &bytes);
        Ok(bytes)
    }

    fn verify(&mut self, what: &str, expected: &Digest, bytes: &[u8]) {
        let found = hash_like(expected, bytes);
        if found != *expected {
            self.mismatches.push(Mismatch {
                what: what.to_owned(),
                layer: None,
                expected: expected.clone(),
                found,
            });
        }
    }
}

fn hash_like(expected: &Digest, bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    match expected.algorithm() {
        vocabulary::Algorithm::Sha256 => Digest::of(bytes),
        vocabulary::Algorithm::Sha512 => Digest::sha512(sha2::Sha512::digest(bytes).into()),
    }
}

const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE_NAME: &str = "io.containerd.image.name";

fn open_layout(
    store: &Store,
    reference: &str,
    name: Option<&str>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
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
    let mut tags = Vec::new();
    let mut chosen = choose(&named, reference, options, "its name after a colon, or --platform")?;
    tags.extend(name_of(&chosen).map(str::to_owned));
    for _ in 0..limits::INDEX_DEPTH {
        let digest = documents.digest(&chosen.digest)?;
        let bytes = documents.named(store, &digest, "manifest", limits::MANIFEST_BYTES)?;
        let manifest: Manifest = documents.parse(&bytes, &chosen.digest, "image manifest")?;
        if manifest.config.is_none() && !manifest.manifests.is_empty() {
            chosen = choose(&manifest.manifests, reference, options, "--platform")?;
            continue;
        }
        let found = hash_like(&digest, &bytes);
        return from_manifest(documents, store, manifest, found, tags);
    }
    Err(ImageError::Limit {
        image: reference.to_owned(),
        name: "the index".to_owned(),
        limit: limits::INDEX_DEPTH as u64,
        unit: "nested indexes",
    })
}

fn no_match(reference: &str, wanted: &str, mut names: Vec<String>) -> ImageError {
    if names.is_empty() {
        names.push("no named image".to_owned());
    }
    ImageError::NoMatch {
        image: reference.to_owned(),
        wanted: wanted.to_owned(),
        choices: names.join(", "),
    }
}

fn name_of(entry: &Descriptor) -> Option<&str> {
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

/// Whether an entry is an attestation beside an image rather than an image.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.annotations.contains_key("vnd.docker.reference.type")
        || platform_of(entry).is_some_and(|platform| platform.os == "unknown")
}

fn fits(wanted: &Platform, entry: &Descriptor) -> bool {
    platform_of(entry).is_some_and(|platform| {
        platform.os == wanted.os
            && platform.architecture == wanted.architecture
            && (wanted.variant.is_none() || platform.variant == wanted.variant)
    })
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
    let bytes = documents.named(store, &digest, "configuration", limits::CONFIG_BYTES)?;
    let config: Config = documents.parse(&bytes, &descriptor.digest, "image configuration")?;
    let mut layers = Vec::with_capacity(manifest.layers.len());
    for entry in &manifest.layers {
        let digest = documents.digest(&entry.digest)?;
        let blob = store.by_digest(&digest);
        layers.push(LayerSource {
            stored_bytes: blob.as_ref().map_or(Ok(0), Blob::size)?,
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

fn open_saved(
    archive: &Archive,
    reference: &str,
    name: Option<&str>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
    let blob = archive.blob("manifest.json");
    let bytes = documents.bytes(blob, "manifest.json", limits::MANIFEST_BYTES)?;
    let images: Vec<SavedImage> =
        documents.parse(&bytes, "manifest.json", "list of saved images")?;
    let names: Vec<String> = images.iter().flat_map(|image| image.repo_tags.clone()).collect();
    let image = match (name, images.as_slice()) {
        (Some(name), _) => images
            .iter()
            .find(|image| image.repo_tags.iter().any(|tag| tag == name))
            .ok_or_else(|| no_match(reference, name, names))?,
        (None, [only]) => only,
        (None, []) => {
            return Err(ImageError::Missing {
                image: reference.to_owned(),
                name: "image".to_owned(),
            });
        }
        (None, _) => {
            return Err(ImageError::Ambiguous {
                image: reference.to_owned(),
                how: "its name after a colon",
                choices: names.join(", "),
            });
        }
    };
    check_layers(reference, image.layers.len())?;
    let bytes =
        documents.bytes(archive.blob(&image.config), &image.config, limits::CONFIG_BYTES)?;
    let config: Config = documents.parse(&bytes, &image.config, "image configuration")?;
    if let Some(expected) = digest_in_path(&image.config) {
        documents.verify("configuration", &expected, &bytes);
    }
    let mut layers = Vec::with_capacity(image.layers.len());
    for path in &image.layers {
        let blob = archive.blob(path);
        layers.push(LayerSource {
            stored_bytes: blob.as_ref().map_or(Ok(0), Blob::size)?,
            blob,
            media_type: String::new(),
            digest: digest_in_path(path),
            diff_id: None,
            command: None,
            origin: Origin::default(),
            name: path.clone(),
        });
    }
    let subject = subject(reference, None, Digest::of(&bytes), image.repo_tags.clone(), &config);
    if let (Some(wanted), Some(platform)) = (&options.platform, &subject.platform)
        && (wanted.os != platform.os || wanted.architecture != platform.architecture)
    {
        return Err(no_match(reference, &wanted.to_string(), vec![platform.to_string()]));
    }
    Ok(complete(documents, subject, layers, &config, &std::collections::BTreeMap::new()))
}

/// `blobs/sha256/<hex>` and `<hex>.json` name a digest; `<hex>/layer.tar` names an old image id, which
/// is none of its content.
fn digest_in_path(path: &str) -> Option<Digest> {
    let hex = path.strip_prefix("blobs/sha256/").or_else(|| path.strip_suffix(".json"))?;
    format!("sha256:{hex}").parse().ok()
}

fn check_layers(reference: &str, layers: usize) -> Result<(), ImageError> {
    if layers > limits::LAYERS {
        return Err(ImageError::Limit {
            image: reference.to_owned(),
            name: "the manifest".to_owned(),
            limit: limits::LAYERS as u64,
            unit: "layers",
        });
    }
    Ok(())
}

fn subject(
    reference: &str,
    manifest_digest: Option<Digest>,
    config_digest: Digest,
    tags: Vec<String>,
    config: &Config,
) -> Subject {
    let platform = (!config.os.is_empty() || !config.architecture.is_empty()).then(|| Platform {
        os: config.os.clone(),
        architecture: config.architecture.clone(),
        variant: config.variant.clone().filter(|variant| !variant.is_empty()),
    });
    Subject {
        kind: SubjectKind::Image,
        name: reference.to_owned(),
        manifest_digest,
        config_digest: Some(config_digest),
        tags,
        platform,
    }
}

/// Adds diffIDs, commands and origins to the layers.
fn complete(
    documents: Documents<'_>,
    subject: Subject,
    mut layers: Vec<LayerSource>,
    config: &Config,
    annotations: &std::collections::BTreeMap<String, String>,
) -> Image {
    let mut problems = Vec::new();
    let diff_ids = &config.rootfs.diff_ids;
    if diff_ids.len() != layers.len() {
        problems.push(format!(
            "the configuration names {} diffIDs for {} layers; those left over were not verified",
            diff_ids.len(),
            layers.len()
        ));
    }
    for (layer, diff_id) in layers.iter_mut().zip(diff_ids) {
        match diff_id.parse() {
            Ok(diff_id) => layer.diff_id = Some(diff_id),
            Err(error) => problems.push(format!("diffID in the configuration: {error}")),
        }
    }
    let commands = base::commands(&config.history, layers.len());
    let origins = base::origins(config, annotations, layers.len());
    for ((layer, command), origin) in layers.iter_mut().zip(commands).zip(origins) {
        layer.command = command;
        layer.origin = origin;
    }
    Image { subject, layers, mismatches: documents.mismatches, problems }
}

/// The packing that a media type states, for the report.
#[must_use]
pub fn media_type_of(stated: &str, packing: Packing) -> String {
    if !stated.is_empty() {
        return stated.to_owned();
    }
    let base = "application/vnd.oci.image.layer.v1.tar";
    match packing {
        Packing::Plain => base.to_owned(),
        packed => format!("{base}+{}", packed.name()),
    }
}
