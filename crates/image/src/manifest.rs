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
    /// What its maker says of it.
    #[serde(default)]
    pub comment: Option<String>,
    /// Whether the step made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

/// `config` of a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// `user`, `uid`, `user:group`, `uid:gid` or a mix; root where it is empty.
    #[serde(default, deserialize_with = "null_as_default")]
    pub user: String,
    /// Labels.
    #[serde(default, deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// Ports that it says to listen on, such as `80/tcp`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub exposed_ports: BTreeMap<String, serde::de::IgnoredAny>,
    /// Folders that are to be volumes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub volumes: BTreeMap<String, serde::de::IgnoredAny>,
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
    /// The signal that asks it to end; SIGTERM where it is empty.
    #[serde(default, deserialize_with = "null_as_default")]
    pub stop_signal: String,
    /// How its health is asked for. Source: Docker's image specification 1.2; OCI has none.
    #[serde(default)]
    pub healthcheck: Option<Healthcheck>,
}

/// `Healthcheck` of a configuration; times in nanoseconds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `NONE`, `CMD` and its words, or `CMD-SHELL` and a line; empty to inherit.
    #[serde(default, deserialize_with = "null_as_default")]
    pub test: Vec<String>,
    /// Between two of them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub interval: i64,
    /// Until one counts as failed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub timeout: i64,
    /// How many may fail in a row.
    #[serde(default, deserialize_with = "null_as_default")]
    pub retries: i64,
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
    serde_json::from_slice::<Unambiguous>(bytes).map_err(|error| error.to_string())?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Names that decide which image a document is of, in the case of letters that specifications write.
const NAMES: [&str; 9] = [
    "Layers",
    "config",
    "diff_ids",
    "digest",
    "layers",
    "manifests",
    "mediaType",
    "rootfs",
    "size",
];

/// Objects whose keys are whatever people write.
const FREE: [&str; 6] =
    ["Annotations", "ExposedPorts", "Labels", "Volumes", "annotations", "labels"];

/// A document without two names that differ in the case of letters alone: engines, whose JSON is Go's,
/// take either for the other, and the last one counts, so that they would run another image than the
/// one that is read here.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> serde::de::Visitor<'de> for Look {
    type Value = Unambiguous;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen: Vec<&str> = Vec::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let known = NAMES.iter().find(|name| name.eq_ignore_ascii_case(&key));
            if let Some(known) = known {
                if seen.iter().any(|other| other.eq_ignore_ascii_case(known)) {
                    return Err(serde::de::Error::custom(format_args!(
                        "it has `{known}` twice, perhaps in another case of letters: engines would take the last"
                    )));
                }
                seen.push(known);
            }
            if FREE.contains(&key.as_ref()) {
                map.next_value::<serde::de::IgnoredAny>()?;
            } else {
                map.next_value::<Unambiguous>()?;
            }
        }
        Ok(Unambiguous)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Unambiguous)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Unambiguous)
    }
}
