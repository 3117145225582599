//! A layer of an image, and whose it is.

use crate::{Confidence, Digest};
use serde::{Deserialize, Serialize};

/// One layer, in the order of the manifest, bottom first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its place, counted from 0 at the bottom.
    pub index: u32,
    /// Digest of the layer as stored (packed), where the manifest names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// SHA-256 of the plain tar.
    pub diff_id: Digest,
    /// Media type in the manifest, or what the bytes show.
    pub media_type: String,
    /// Stored size in bytes.
    pub packed_bytes: u64,
    /// Size of the plain tar in bytes.
    pub plain_bytes: u64,
    /// Count of entries in the tar.
    pub entries: u64,
    /// The command that made it, from the image's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether it comes from the base image.
    pub origin: Origin,
    /// Whether what is said of it came from the cache, its bytes not hashed again.
    #[serde(default)]
    pub from_cache: bool,
}

/// Whose a layer is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// It came with the base image.
    Base,
    /// The image's own author added it.
    Application,
    /// It cannot be told.
    #[default]
    Unknown,
}

/// Whose a layer is, how sure that is, and what says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Base image, application, or unknown.
    pub kind: OriginKind,
    /// How sure.
    pub confidence: Confidence,
    /// The sign that it was told by, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
