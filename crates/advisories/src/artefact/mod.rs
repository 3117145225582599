//! The built database as an OCI artefact: what a registry, or a folder that a web server gives out,
//! keeps of it.
//!
//! In go the databases of a folder, out come a manifest, a configuration and one layer an ecosystem;
//! and back, each layer held against its digest, its bound and its own header before it takes the place
//! of the one before. Nothing here connects to anybody or knows a key: bytes come by [`Blobs`], and
//! what is signed is made and read here ([`statement`]), and signed and verified above. The same
//! databases give the same digest: the time of an artefact is that of its databases, never the clock's.
//!
//! Source: OCI image specification 1.1, "Image Manifest" and "Guidelines for Artifact Usage".

mod contents;
mod pack;
mod pull;
pub mod statement;
#[cfg(test)]
mod tests;

pub use contents::{Artefact, Contents, Part, envelope_of};
pub use pack::{Packed, PackedLayer, pack, signature};
pub use pull::{Blobs, PullOptions, Pulled, pull};

use crate::storage::StorageError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vocabulary::Digest;

/// What the artefact is.
pub const ARTIFACT_TYPE: &str = "application/vnd.lazaret.database.v1";
/// The type of a signature: a DSSE envelope that refers to the artefact.
pub const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
/// The type of the configuration.
const CONFIG_TYPE: &str = "application/vnd.lazaret.database.config.v1+json";
/// The type of a layer: the file of a database as it is.
const LAYER_TYPE: &str = "application/vnd.lazaret.database.layer.v1";
/// The same, packed by gzip.
const PACKED_TYPE: &str = "application/vnd.lazaret.database.layer.v1+gzip";
/// The type of a manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of a configuration that says nothing, and its content.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// Its content.
pub const EMPTY: &[u8] = b"{}";

/// When it was made, RFC 3339.
pub const CREATED: &str = "org.opencontainers.image.created";
/// The name of a layer's ecosystem.
const TITLE: &str = "org.opencontainers.image.title";
/// Version of the configuration's form.
const SCHEMA: &str = "lazaret.artefact/1";

/// Bytes of a manifest; registries take at least as much.
pub const MANIFEST_BYTES: u64 = 4 << 20;
/// Bytes of a configuration: some 400 a database.
pub const CONFIG_BYTES: u64 = 1 << 20;
/// Bytes of a signature's envelope: some 200 a database, and a third more for base64.
pub const ENVELOPE_BYTES: u64 = 1 << 20;
/// Databases of one artefact; OSV defines some 40 ecosystems.
const LAYERS: usize = 256;
/// Bytes of one database: more than that its reader does not open.
const LAYER_BYTES: u64 = 4 << 30;
/// Bytes of all databases of an artefact: many times those of all public advisories.
const ALL_BYTES: u64 = 16 << 30;

/// Points at a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    /// Its type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Blob {
    fn of(media_type: &str, bytes: &[u8]) -> Self {
        let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
        Self { media_type: media_type.to_owned(), digest, size, annotations: BTreeMap::new() }
    }
}

/// A manifest, of an artefact or of a signature.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    media_type: String,
    #[serde(default)]
    artifact_type: String,
    config: Blob,
    layers: Vec<Blob>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Blob>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// Why an artefact could not be made or taken.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// There is nothing to push.
    #[error("`{0}` holds no database; run `lazaret db update` first")]
    Nothing(PathBuf),
    /// One that was named is not there.
    #[error("no database of {0} is here; run `lazaret db update {0}` first")]
    NotHeld(String),
    /// A database is not what its manifest says.
    #[error("the database of {0} is not what its manifest says; run `lazaret db update {0}`")]
    Held(String),
    /// A database cannot be used.
    #[error("`{}` is not pushed: {reason}; run `lazaret db update`", path.display())]
    Unusable {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Not an artefact of ours.
    #[error("`{place}` is no database of this program: {reason}; push one with `lazaret db push`")]
    NotOne {
        /// Where it is.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Another version of the program made it.
    #[error(
        "`{place}` was made by lazaret {program} in format {format}, and this is lazaret {own}, which reads format {}; use that version, or push it with this one",
        crate::format::FORMAT
    )]
    OtherFormat {
        /// Where it is.
        place: String,
        /// The version that made it.
        program: String,
        /// The format it has.
        format: u32,
        /// Our own version.
        own: &'static str,
    },
    /// It is older than what is here.
    #[error(
        "`{place}` has {ecosystem} of {offered}, and what is here is newer, of {held}: it was rolled back, or not pushed since; --allow-older of `lazaret db pull` takes it all the same"
    )]
    Older {
        /// Where it is.
        place: String,
        /// Which database.
        ecosystem: String,
        /// Its time there.
        offered: String,
        /// Its time here.
        held: String,
    },
    /// Its time has not come.
    #[error("`{place}` is of {time}, which has not come yet; check the clocks of both machines")]
    Future {
        /// Where it is.
        place: String,
        /// Its time.
        time: String,
    },
    /// A blob is not what the manifest says.
    #[error("`{place}`: the database of {ecosystem} is refused: {reason}; what was here is kept")]
    Blob {
        /// Where it is.
        place: String,
        /// Which database.
        ecosystem: String,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be put in place.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
