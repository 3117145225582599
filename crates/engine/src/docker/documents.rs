//! The JSON of Docker's API, as far as it is used. Source: Docker Engine API 1.41.

use crate::mountinfo::Overlay;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use vocabulary::{Container, Engine};

/// Of `GET /version`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionDocument {
    #[serde(default)]
    pub(super) api_version: String,
}

/// A name as it may be shown: no engine gives one that steers a terminal, or one without an end.
pub(super) fn plain(name: &str) -> String {
    let shown =
        |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    name.chars().take(crate::limits::NAME_BYTES).map(shown).collect()
}

/// `1.41`
pub(super) fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Of `GET /info`.
#[derive(Debug, Deserialize)]
pub(super) struct Information {
    #[serde(default, rename = "DockerRootDir")]
    pub(super) root: String,
    #[serde(default, rename = "Driver")]
    pub(super) driver: String,
}

/// An entry of a list of images or containers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: String,
}

/// An entry of the list of containers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedContainer {
    id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    names: Vec<String>,
    #[serde(default)]
    image: String,
    #[serde(default, rename = "ImageID")]
    image_id: String,
}

impl ListedContainer {
    /// In the vocabulary's words, as far as a list says.
    pub(super) fn container(self) -> Container {
        Container {
            engine: Engine::Docker,
            id: self.id,
            name: plain(self.names.first().map_or("", |name| name.trim_start_matches('/'))),
            image: plain(&self.image),
            image_id: self.image_id.parse().ok(),
            pid: None,
            started: None,
        }
    }
}

/// Of `GET /images/NAME/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImageDocument {
    pub(super) id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) repo_digests: Vec<String>,
    #[serde(default, rename = "RootFS", deserialize_with = "null_as_default")]
    pub(super) root_fs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RootFs {
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) layers: Vec<String>,
}

/// Of `GET /containers/ID/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContainerDocument {
    id: String,
    #[serde(default)]
    name: String,
    /// The image's id.
    #[serde(default)]
    image: String,
    #[serde(default, deserialize_with = "null_as_default")]
    state: State,
    #[serde(default, deserialize_with = "null_as_default")]
    config: RunConfig,
    #[serde(default)]
    pub(super) graph_driver: Option<Driver>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    started_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RunConfig {
    #[serde(default)]
    image: String,
}

/// A storage driver and what it says of a container's or image's files.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Driver {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    data: DriverData,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DriverData {
    #[serde(default)]
    lower_dir: String,
    #[serde(default)]
    upper_dir: String,
}

impl Driver {
    /// Where the folders lie, if the driver is one that lays folders over each other.
    pub(super) fn overlay(&self) -> Option<Overlay> {
        let upper = PathBuf::from(&self.data.upper_dir);
        let lower: Vec<PathBuf> = self
            .data
            .lower_dir
            .split(':')
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .collect();
        let known = self.name == "overlay2" && upper.is_absolute();
        let good = known && !lower.is_empty() && lower.iter().all(|path| path.is_absolute());
        (good && lower.len() <= crate::limits::LAYERS)
            .then_some(Overlay { lower, upper: Some(upper) })
    }
}

impl ContainerDocument {
    /// In the vocabulary's words; none where the id is none.
    pub(super) fn container(&self) -> Option<Container> {
        let hex = self.id.len() == 64 && self.id.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Docker writes the year 1 for a container that was never started.
        let started = Some(&self.state.started_at)
            .filter(|text| !text.is_empty() && !text.starts_with("0001-"));
        hex.then(|| Container {
            engine: Engine::Docker,
            id: self.id.clone(),
            name: plain(self.name.trim_start_matches('/')),
            image: plain(&self.config.image),
            image_id: self.image.parse().ok(),
            pid: (self.state.pid != 0).then_some(self.state.pid),
            started: started.cloned(),
        })
    }
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
