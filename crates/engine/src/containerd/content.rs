//! The content store: which configurations an image has. Everything read here is held against the
//! digest that names it.

use crate::layers::chain_ids;
use crate::limits;
use serde::Deserialize;
use std::path::Path;
use vocabulary::{Algorithm, Digest};

/// Manifests of an index that are looked at; multi-platform images have a dozen, and attestations.
const MANIFESTS: usize = 64;

/// A configuration of an image: one for each platform whose content is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Its digest.
    pub digest: Digest,
    /// Digests of the layers' plain tars, bottom first.
    pub diff_ids: Vec<Digest>,
}

impl Configuration {
    /// The chain id of all layers, which snapshots are made of.
    #[must_use]
    pub fn chain_id(&self) -> Option<Digest> {
        chain_ids(&self.diff_ids).pop()
    }
}

#[derive(Default, Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    config: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// The configurations below a manifest or index.
pub(super) fn configurations(content: &Path, target: &Digest) -> Vec<Configuration> {
    let Some(document) = document(content, target) else { return Vec::new() };
    let below = document.manifests.iter().take(MANIFESTS);
    let below = below.filter_map(|entry| self::document(content, &entry.digest)?.config);
    let configs: Vec<Descriptor> = document.config.into_iter().chain(below).collect();
    configs.iter().filter_map(|config| configuration(content, &config.digest)).collect()
}

fn document(content: &Path, digest: &Digest) -> Option<Document> {
    serde_json::from_slice(&blob(content, digest, limits::MANIFEST_BYTES)?).ok()
}

fn configuration(content: &Path, digest: &Digest) -> Option<Configuration> {
    let config: Config =
        serde_json::from_slice(&blob(content, digest, limits::CONFIG_BYTES)?).ok()?;
    let diff_ids = config.rootfs.diff_ids;
    (diff_ids.len() <= limits::LAYERS).then(|| Configuration { digest: digest.clone(), diff_ids })
}

/// A blob whose content has the digest that names it.
fn blob(content: &Path, digest: &Digest, limit: u64) -> Option<Vec<u8>> {
    let path = content.join("blobs").join(digest.algorithm().name()).join(digest.hex());
    let (_, bytes) = files::read_found(&path, limit).ok()?;
    let verified = match digest.algorithm() {
        Algorithm::Sha256 => Digest::of(&bytes) == *digest,
        // Nobody names images so; what cannot be verified is not believed.
        Algorithm::Sha512 => false,
    };
    verified.then_some(bytes)
}
