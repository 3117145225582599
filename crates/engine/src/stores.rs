//! Stores of engines, read while no engine runs: Docker's, and that of Podman, Buildah and CRI-O.
//!
//! In go the root of a store and a name, out comes the image's configuration and where its layers lie
//! unpacked, each with what it takes to make its tar again. Nothing is locked and nothing is written;
//! whoever reads a layer holds it against its diffID, so that a store that changes meanwhile, or was
//! changed by somebody, is seen. Every id that names a file is held against the shape of an id first.
//!
//! Sources: Docker (moby), `reference/store.go`, `layer/filestore.go`; containers/storage,
//! `images.go`, `layers.go`, `store.go`.

use crate::docker::Store;
use crate::error::EngineError;
use crate::layers::{FolderRole, LayerFolder};
use crate::limits;
use crate::reference::Reference;
use base64::Engine as _;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// Largest index of a store; each image has some hundred bytes, each layer some more.
const INDEX_BYTES: u64 = 256 << 20;
/// Least digits of an id by which an image may be named.
const SHORT_ID: usize = 12;

/// An image in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// Digest of its configuration, as the store names it.
    pub id: Digest,
    /// Its configuration, not yet verified.
    pub config: Vec<u8>,
    /// Its manifest, where the store keeps it.
    pub manifest: Option<Vec<u8>>,
    /// Its names.
    pub tags: Vec<String>,
    /// Its layers, bottom first.
    pub layers: Vec<LayerFolder>,
}

/// `repositories.json` of Docker: names by repository, and what each stands for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Repositories {
    repositories: BTreeMap<String, BTreeMap<String, String>>,
}

/// The configuration, as far as it names layers.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// An image of Docker's store below its root, such as `/var/lib/docker`. None where there is no store.
///
/// # Errors
/// Where the store does not have it, or not in full.
pub fn docker_image(root: &Path, name: &str) -> Option<Result<StoredImage, EngineError>> {
    let store = Store::open(root)?;
    let index = root.join("image/overlay2/repositories.json");
    let bytes = read(&index, INDEX_BYTES)?;
    Some(in_docker(&store, &index, &bytes, name))
}

fn in_docker(
    store: &Store,
    index: &Path,
    bytes: &[u8],
    name: &str,
) -> Result<StoredImage, EngineError> {
    let unreadable = |reason: String| broken(index, &reason);
    let repositories: Repositories =
        serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    let wanted = wanted(name)?;
    let all = || repositories.repositories.values().flatten();
    let by_name = all().find(|(tag, _)| full_name(tag).is_some_and(|full| full == wanted));
    let short = name.strip_prefix("sha256:").unwrap_or(name);
    let by_id = || {
        let id = |digest: &String| digest.strip_prefix("sha256:").unwrap_or(digest).to_owned();
        all().find(|(_, digest)| is_short_id(short) && id(digest).starts_with(short))
    };
    let (_, digest) = by_name.or_else(by_id).ok_or_else(|| missing(index, name))?;
    let id: Digest = digest.parse().map_err(|_| unreadable("it names no digest".to_owned()))?;
    let tags = all().filter(|(tag, one)| *one == digest && !tag.contains('@'));
    let tags = tags.map(|(tag, _)| tag.clone()).collect();
    let config = store.config(&id).ok_or_else(|| missing(index, digest))?;
    let layers = diff_ids(&config)
        .and_then(|diff_ids| store.image_folders(&diff_ids))
        .ok_or_else(|| unreadable(format!("the layers of `{name}` are not all there")))?;
    Ok(StoredImage { id, config, manifest: None, tags, layers })
}

fn diff_ids(config: &[u8]) -> Option<Vec<Digest>> {
    let config: Config = serde_json::from_slice(config).ok()?;
    config.rootfs.diff_ids.iter().map(|text| text.parse().ok()).collect()
}

/// One entry of `images.json`.
#[derive(Deserialize)]
struct PodmanImage {
    id: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    layer: String,
}

/// One entry of `layers.json`.
#[derive(Deserialize)]
struct PodmanLayer {
    id: String,
    #[serde(default)]
    parent: String,
    #[serde(default, rename = "diff-digest")]
    diff_id: Option<String>,
}

/// An image of a store of containers/storage below its root, such as `/var/lib/containers/storage`.
/// None where there is no store.
///
/// # Errors
/// Where the store does not have it, or not in full.
pub fn podman_image(root: &Path, name: &str) -> Option<Result<StoredImage, EngineError>> {
    let index = root.join("overlay-images/images.json");
    let bytes = read(&index, INDEX_BYTES)?;
    Some(in_podman(root, &index, &bytes, name))
}

fn in_podman(
    root: &Path,
    index: &Path,
    bytes: &[u8],
    name: &str,
) -> Result<StoredImage, EngineError> {
    let images: Vec<PodmanImage> =
        serde_json::from_slice(bytes).map_err(|error| broken(index, &error.to_string()))?;
    let wanted = [wanted(name)?, wanted_of(&format!("localhost/{name}")).unwrap_or_default()];
    let named = |image: &&PodmanImage| image.names.iter().any(|one| wanted.contains(one));
    let by_id = |image: &&PodmanImage| is_short_id(name) && image.id.starts_with(name);
    let image = images
        .iter()
        .find(named)
        .or_else(|| images.iter().find(by_id))
        .ok_or_else(|| missing(index, name))?;
    if !is_id(&image.id) {
        return Err(broken(index, "an image's id is none"));
    }
    let digest = format!("sha256:{}", image.id);
    let id: Digest = digest.parse().map_err(|_| broken(index, "an image's id is none"))?;
    let folder = root.join("overlay-images").join(&image.id);
    let config = read(&folder.join(data_name(&digest)), limits::CONFIG_BYTES)
        .ok_or_else(|| broken(index, &format!("the configuration of `{name}` is not there")))?;
    let manifest = read(&folder.join(data_name("manifest")), limits::CONFIG_BYTES);
    let layers = podman_layers(root, &image.layer)?;
    Ok(StoredImage { id, config, manifest, tags: image.names.clone(), layers })
}

/// The layers from the topmost down to the one without a parent, turned round.
fn podman_layers(root: &Path, top: &str) -> Result<Vec<LayerFolder>, EngineError> {
    let index = root.join("overlay-layers/layers.json");
    let bytes = read(&index, INDEX_BYTES).ok_or_else(|| broken(&index, "it is not there"))?;
    let listed: Vec<PodmanLayer> =
        serde_json::from_slice(&bytes).map_err(|error| broken(&index, &error.to_string()))?;
    let by_id: HashMap<&str, &PodmanLayer> =
        listed.iter().map(|layer| (layer.id.as_str(), layer)).collect();
    let mut layers = Vec::new();
    let mut next = top;
    while !next.is_empty() {
        let layer = by_id.get(next).filter(|layer| is_id(&layer.id));
        let layer = layer.ok_or_else(|| broken(&index, "a layer is not there"))?;
        if layers.len() >= limits::LAYERS {
            return Err(broken(&index, "its layers do not end"));
        }
        let tar_split = root.join("overlay-layers").join(format!("{}.tar-split.gz", layer.id));
        layers.push(LayerFolder {
            path: root.join("overlay").join(&layer.id).join("diff"),
            role: FolderRole::Image {
                index: 0,
                diff_id: layer.diff_id.as_deref().and_then(|text| text.parse().ok()),
            },
            tar_split: Some(tar_split),
        });
        next = &layer.parent;
    }
    layers.reverse();
    for (place, layer) in (0_u32..).zip(&mut layers) {
        if let FolderRole::Image { index, .. } = &mut layer.role {
            *index = place;
        }
    }
    Ok(layers)
}

/// The name of a file of an image's data. Source: containers/storage, `makeBigDataBaseName`.
fn data_name(key: &str) -> PathBuf {
    let plain = |byte: u8| byte == b'.' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
    if key.bytes().all(plain) {
        return PathBuf::from(key);
    }
    PathBuf::from(format!("={}", base64::engine::general_purpose::STANDARD.encode(key)))
}

fn wanted(name: &str) -> Result<String, EngineError> {
    let bare = name.strip_prefix("sha256:").unwrap_or(name);
    // An id is a good name too, and stands for itself.
    wanted_of(bare).map_or_else(
        || name.parse::<Reference>().map(|one| one.to_string()).map_err(Into::into),
        Ok,
    )
}

fn wanted_of(name: &str) -> Option<String> {
    full_name(name)
}

/// A name with registry and tag, as Podman keeps it.
fn full_name(name: &str) -> Option<String> {
    let reference: Reference = name.parse().ok()?;
    Some(reference.or_latest().to_string())
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_short_id(text: &str) -> bool {
    (SHORT_ID..=64).contains(&text.len()) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

fn broken(path: &Path, reason: &str) -> EngineError {
    EngineError::Store { path: path.to_owned(), reason: reason.to_owned() }
}

fn missing(path: &Path, name: &str) -> EngineError {
    broken(path, &format!("it has no image `{name}`"))
}

fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    files::read_found(path, limit).ok().map(|(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn data_lies_under_its_name_or_that_in_base64() {
        assert_eq!(data_name("manifest"), Path::new("manifest"));
        assert_eq!(data_name("sha256:ab"), Path::new("=c2hhMjU2OmFi"));
    }

    /// A store of one image of two layers.
    fn store(images: &str, layers: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["overlay-images", "overlay-layers"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("overlay-images/images.json"), images).unwrap();
        fs::write(root.path().join("overlay-layers/layers.json"), layers).unwrap();
        root
    }

    #[test]
    fn hostile_indexes_end_with_an_error_that_names_them() {
        let id = "a".repeat(64);
        let image =
            format!(r#"[{{"id":"{id}","names":["docker.io/library/app:1"],"layer":"{id}"}}]"#);
        let cycle = format!(r#"[{{"id":"{id}","parent":"{id}"}}]"#);
        for (images, layers) in [
            ("", "[]"),
            ("{}", "[]"),
            (image.as_str(), "[]"),
            (image.as_str(), cycle.as_str()),
            (r#"[{"id":"../../etc","names":["docker.io/library/app:1"]}]"#, "[]"),
        ] {
            let root = store(images, layers);
            let folder = root.path().join("overlay-images").join(&id);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(data_name(&format!("sha256:{id}"))), "{}").unwrap();
            let error = podman_image(root.path(), "app:1").unwrap().unwrap_err().to_string();
            assert!(error.contains(".json`"), "{error}");
        }
        assert!(podman_image(Path::new("/nowhere"), "app:1").is_none());
        assert!(docker_image(Path::new("/nowhere"), "app:1").is_none());
    }
}
