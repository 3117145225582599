//! Opens a reference and finds the image's manifest, configuration and layers.
//!
//! Seven sources: an OCI layout in a folder or an archive, what `docker save` wrote, a directory, the
//! stores of Docker and containerd, and registries.
//! Whatever names a digest is hashed when it is read; what differs is kept as a [`Mismatch`], not as
//! an error, because an image that was tampered with is the one that must be reported in full.

pub mod attached;
mod bare;
mod containerd;
mod docker;
mod documents;
mod entry;
mod layout;
pub(crate) mod registry;
mod saved;
mod stored;

use crate::archive::Archive;
use crate::base;
use crate::blob::{Blob, Packing};
use crate::configuration::Configuration;
use crate::error::ImageError;
use crate::limits;
use crate::manifest::Config;
use documents::Documents;
pub use entry::Entry;
use layout::{Store, open_layout};
pub use registry::{Credentials, Helpers, Login, RegistryOptions, Repository, Secret, run_helper};
use saved::open_saved;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vocabulary::{Digest, Origin, Platform, Subject, SubjectKind};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The platform to take from a multi-platform index; the machine's own by default.
    pub platform: Option<Platform>,
    /// Where the engines listen.
    pub engines: engine::Endpoints,
    /// How registries are asked.
    pub registry: RegistryOptions,
    /// Which of the documents that are attached to the image are looked for.
    pub attached: Option<attached::Wanted>,
}

/// Content that is not what its reference says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was hashed or counted.
    pub what: String,
    /// The layer, if it is one.
    pub layer: Option<u32>,
    /// What differs.
    pub claim: Claim,
}

/// What a reference says of content, and what the content shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Its digest.
    Digest {
        /// As the reference names it.
        expected: Digest,
        /// As computed.
        found: Digest,
    },
    /// Its size in bytes.
    Size {
        /// As the reference states it.
        expected: u64,
        /// As counted.
        found: u64,
    },
}

/// A layer as the manifest names it.
#[derive(Clone, Debug)]
pub struct LayerSource {
    /// Where it lies; none where it is not there.
    pub blob: Option<Blob>,
    /// Stored size, as far as it is known before reading.
    pub stored_bytes: u64,
    /// Size that the manifest states.
    pub stated_bytes: Option<u64>,
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
    /// By what it starts.
    pub entry: Entry,
    /// By what its containers run.
    pub configuration: Arc<Configuration>,
    /// What is attached to it, where that was asked for and the source can have any.
    pub attachments: Option<attached::Attachments>,
    /// How the archive around it is packed, where it is.
    pub packed: Option<&'static str>,
    /// What an engine exported, which has no name and goes with the last that holds it.
    spool: Option<Arc<File>>,
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
/// `dir:FOLDER`, `docker:NAME`, `containerd:NAME`, `podman:NAME`, `registry:NAME`, a path, whose kind is detected, or
/// the bare name of an image, which is looked for in the engines and then in its registry.
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
            "docker" => return image(docker::open(reference, rest, options)?),
            "containerd" => return image(containerd::open(reference, rest, options)?),
            "podman" => return image(stored::podman(reference, rest, options)?),
            "registry" => return image(registry::open(reference, rest, options)?),
            "docker-archive" => {
                return image(saved(&Archive::open(&path)?, reference, name, options)?);
            }
            "oci-archive" => {
                return image(layout(Archive::open(&path)?, reference, name, options)?);
            }
            "oci-dir" | "oci" => {
                let path = existing(&path)?;
                if !path.join("index.json").is_file() && layout::is_flat(&path) {
                    return Err(other_layout(reference, "what skopeo writes to a folder", "dir"));
                }
                let store = Store::Folder(path);
                return image(open_layout(&store, reference, name, options)?);
            }
            "dir" => return directory(existing(Path::new(rest))?, reference, options),
            _ if bare::is_name(reference) => return image(bare::open(reference, options)?),
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
    if bare::is_name(reference) {
        return image(bare::open(reference, options)?);
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
        return directory(path, reference, options);
    }
    if !path.is_file() || !Archive::is_one(&path)? {
        return Err(ImageError::Unrecognised(reference.to_owned()));
    }
    let archive = Archive::open(&path)?;
    let image = if archive.contains("index.json") && archive.contains("oci-layout") {
        layout(archive, reference, name, options)?
    } else if archive.contains("manifest.json") {
        saved(&archive, reference, name, options)?
    } else {
        return Err(ImageError::Unrecognised(reference.to_owned()));
    };
    Ok(Opened::Image(Box::new(image)))
}

fn saved(
    archive: &Archive,
    reference: &str,
    name: Option<&str>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    if !archive.contains("manifest.json") && archive.contains("index.json") {
        return Err(other_layout(reference, "an OCI archive", "oci-archive"));
    }
    let packed = archive.slow_packing();
    Ok(Image { packed, ..open_saved(archive, reference, name, options)? })
}

fn layout(
    archive: Archive,
    reference: &str,
    name: Option<&str>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    if !archive.contains("index.json") && archive.contains("manifest.json") {
        return Err(other_layout(reference, "a docker archive", "docker-archive"));
    }
    let packed = archive.slow_packing();
    Ok(Image { packed, ..open_layout(&Store::Archive(archive), reference, name, options)? })
}

fn other_layout(reference: &str, found: &'static str, scheme: &'static str) -> ImageError {
    ImageError::Layout { image: reference.to_owned(), found, scheme }
}

/// A directory, unless it is an image in the layout of skopeo's `dir:`.
fn directory(
    folder: PathBuf,
    reference: &str,
    options: &OpenOptions,
) -> Result<Opened, ImageError> {
    if !folder.is_dir() {
        return Err(ImageError::Unrecognised(reference.to_owned()));
    }
    if layout::is_flat(&folder) {
        let image = layout::open_flat(&Store::Flat(folder), reference, options)?;
        return Ok(Opened::Image(Box::new(image)));
    }
    Ok(Opened::Directory(folder))
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
        base: None,
        source: None,
        checkout: None,
        version: None,
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
    let mut subject = subject;
    subject.base = base::stated(config, annotations);
    let commands = base::commands(&config.history, layers.len());
    let origins = base::origins(config, annotations, layers.len());
    for ((layer, command), origin) in layers.iter_mut().zip(commands).zip(origins) {
        layer.command = command;
        layer.origin = origin;
    }
    let entry = Entry::of(&config.config);
    Image {
        subject,
        layers,
        mismatches: documents.mismatches,
        problems,
        entry,
        configuration: Arc::new(Configuration::of(config)),
        attachments: None,
        packed: None,
        spool: None,
    }
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
