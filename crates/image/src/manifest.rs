//! The JSON documents of an image: index, manifest, configuration, `manifest.json` of docker save.
//!
//! Only what is used is read, each list bounded. Sources: OCI image specification 1.1 (image index,
//! image manifest, image configuration), Docker image manifest version 2 schema 2, and the layout
//! that `docker save` writes.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Points at a blob.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type of the blob.
    #[serde(default)]
    pub media_type: String,
    /// `sha256:…`
    pub digest: String,
    /// Size in bytes; none where it is not stated.
    #[serde(default)]
    pub size: Option<u64>,
    /// Platform of the manifest that it points at.
    #[serde(default)]
    pub platform: Option<PlatformDocument>,
    /// What it is, where it is no image.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A platform in an index.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PlatformDocument {
    /// Operating system.
    #[serde(default)]
    pub os: String,
    /// Architecture.
    #[serde(default)]
    pub architecture: String,
    /// Variant.
    #[serde(default)]
    pub variant: Option<String>,
}

/// An index or a manifest: the two share a file and are told apart by what they hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Media type, often left out.
    #[serde(default)]
    pub media_type: String,
    /// Manifests of an index.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    /// Configuration of a manifest.
    #[serde(default)]
    pub config: Option<Descriptor>,
    /// Layers of a manifest.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// What it is, where it is no image.
    #[serde(default)]
    pub artifact_type: String,
    /// The manifest that it is about.
    #[serde(default)]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// An image configuration.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Config {
    /// Architecture.
    #[serde(default)]
    pub architecture: String,
    /// Operating system.
    #[serde(default)]
    pub os: String,
    /// Variant of the architecture.
    #[serde(default)]
    pub variant: Option<String>,
    /// The layers' diffIDs.
    #[serde(default)]
    pub rootfs: RootFs,
    /// How the layers were made.
    #[serde(default, deserialize_with = "null_as_default")]
    pub history: Vec<History>,
    /// What a container runs by.
    #[serde(default, deserialize_with = "null_as_default")]
    pub config: RunConfig,
}

/// `rootfs` of a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RootFs {
    /// Digests of the plain tars, bottom first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub diff_ids: Vec<String>,
}

/// One step of an image's history.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct History {
    /// The command.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Whether the step made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

/// `config` of a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// Labels.
    #[serde(default, deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// Ports that it says to listen on, such as `80/tcp`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub exposed_ports: BTreeMap<String, serde::de::IgnoredAny>,
    /// The program that is started.
    #[serde(default, deserialize_with = "null_as_default")]
    pub entrypoint: Vec<String>,
    /// Its arguments, or the program where there is no entry point.
    #[serde(default, deserialize_with = "null_as_default")]
    pub cmd: Vec<String>,
    /// `NAME=value`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub env: Vec<String>,
    /// The folder in which it is started.
    #[serde(default, deserialize_with = "null_as_default")]
    pub working_dir: String,
}

/// One image in docker save's `manifest.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SavedImage {
    /// Path of the configuration.
    pub config: String,
    /// Names of the image.
    #[serde(default, deserialize_with = "null_as_default")]
    pub repo_tags: Vec<String>,
    /// Paths of the layers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub layers: Vec<String>,
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a document; the reason of a failure is one line without the input in it.
///
/// # Errors
/// Where the bytes are not JSON of this form.
pub fn parse<'json, T: Deserialize<'json>>(bytes: &'json [u8]) -> Result<T, String> {
    // A byte order mark is not JSON, but tools write it.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
