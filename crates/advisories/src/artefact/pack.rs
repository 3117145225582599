//! Makes an artefact of the databases of a folder.

use super::{
    ARTIFACT_TYPE, ArtefactError, Blob, CONFIG_TYPE, CREATED, Document, EMPTY, EMPTY_TYPE,
    ENVELOPE_TYPE, LAYER_BYTES, LAYER_TYPE, MANIFEST_TYPE, PACKED_TYPE, SCHEMA, TITLE,
};
use crate::manifest::Manifest;
use crate::paths;
use crate::{format, storage, update};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use vocabulary::{Digest, Ecosystem};

/// Where a database came from that was made from files.
const FILES: &str = "files";

/// An artefact, ready to be put somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The manifest.
    pub manifest: Vec<u8>,
    /// Its digest: that of the artefact.
    pub digest: Digest,
    /// The configuration.
    pub config: Vec<u8>,
    /// The layers, sorted by ecosystem.
    pub layers: Vec<PackedLayer>,
    /// When the newest of its databases was brought up to date, RFC 3339.
    pub created: String,
}

/// One database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedLayer {
    /// Of which ecosystem, or KEV or EPSS.
    pub ecosystem: Ecosystem,
    /// Count of its records.
    pub records: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

#[derive(Serialize)]
struct Config<'a> {
    schema: &'static str,
    /// The version that made it.
    program: &'static str,
    /// The format of its databases.
    format: u32,
    databases: &'a [Manifest],
}

/// Packs the named databases, or all that there are, with what is known of exploitation.
///
/// # Errors
/// Where there is none, one that is named is not there, or one is not what its manifest says.
pub fn pack(folder: &Path, wanted: &[Ecosystem]) -> Result<Packed, ArtefactError> {
    refuse_unusable(folder, wanted)?;
    let mut held = update::manifests(folder);
    held.extend(update::risk_manifests(folder));
    if let Some(missing) = wanted.iter().find(|name| !held.iter().any(|it| it.ecosystem == **name))
    {
        return Err(ArtefactError::NotHeld(missing.to_string()));
    }
    held.retain(|manifest| wanted.is_empty() || wanted.contains(&manifest.ecosystem));
    held.sort_by(|left, right| left.ecosystem.cmp(&right.ecosystem));
    let times = held.iter().filter_map(|manifest| manifest.fetched.parse().ok());
    let Some(created) = times.max().map(|time: jiff::Timestamp| time.to_string()) else {
        return Err(ArtefactError::Nothing(folder.to_owned()));
    };
    let (mut layers, mut blobs) = (Vec::new(), Vec::new());
    for manifest in &mut held {
        let (layer, blob) = layer(folder, manifest)?;
        layers.push(layer);
        blobs.push(blob);
        // Paths of this machine concern nobody else, nor do the marks of another server.
        if !manifest.source.contains("://") {
            FILES.clone_into(&mut manifest.source);
        }
        (manifest.etag, manifest.last_modified) = (None, None);
    }
    let program = env!("CARGO_PKG_VERSION");
    let config = Config { schema: SCHEMA, program, format: format::FORMAT, databases: &held };
    let config = json(&config);
    let document = Document {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: ARTIFACT_TYPE.to_owned(),
        config: Blob::of(CONFIG_TYPE, &config),
        layers: blobs,
        subject: None,
        annotations: BTreeMap::from([(CREATED.to_owned(), created.clone())]),
    };
    let manifest = json(&document);
    Ok(Packed { digest: Digest::of(&manifest), manifest, config, layers, created })
}

/// What is here and cannot be used must not look, to those who pull, as if it had never been there.
fn refuse_unusable(folder: &Path, wanted: &[Ecosystem]) -> Result<(), ArtefactError> {
    let concerns = |path: &Path| {
        let places = wanted.iter().filter_map(|name| paths::database_path(folder, name));
        wanted.is_empty() || places.into_iter().any(|place| place == path)
    };
    let unusable = update::unusable(folder);
    match unusable.into_iter().find(|(path, _)| concerns(path)) {
        Some((path, reason)) => Err(ArtefactError::Unusable { path, reason }),
        None => Ok(()),
    }
}

/// The manifest of a signature of an artefact.
#[must_use]
pub fn signature(packed: &Packed, envelope: &[u8]) -> Vec<u8> {
    json(&Document {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: ENVELOPE_TYPE.to_owned(),
        config: Blob::of(EMPTY_TYPE, EMPTY),
        layers: vec![Blob::of(ENVELOPE_TYPE, envelope)],
        subject: Some(Blob::of(MANIFEST_TYPE, &packed.manifest)),
        annotations: BTreeMap::from([(CREATED.to_owned(), packed.created.clone())]),
    })
}

/// Values of these types have text keys alone: writing them does not fail.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn layer(folder: &Path, manifest: &Manifest) -> Result<(PackedLayer, Blob), ArtefactError> {
    let wrong = || ArtefactError::Held(manifest.ecosystem.to_string());
    let path = paths::database_path(folder, &manifest.ecosystem).ok_or_else(wrong)?;
    let plain = storage::read(&path, LAYER_BYTES).map_err(|_| wrong())?;
    if Digest::of(&plain) != manifest.digest {
        return Err(wrong());
    }
    let packed = gzip(&plain).filter(|packed| packed.len() < plain.len());
    let (media_type, bytes) = match packed {
        Some(packed) => (PACKED_TYPE, packed),
        None => (LAYER_TYPE, plain),
    };
    let mut blob = Blob::of(media_type, &bytes);
    blob.annotations.insert(TITLE.to_owned(), manifest.ecosystem.to_string());
    let (ecosystem, records) = (manifest.ecosystem.clone(), manifest.records);
    Ok((PackedLayer { ecosystem, records, bytes }, blob))
}

/// Without a time or a name in it, so that the same bytes give the same.
fn gzip(plain: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).ok()?;
    packer.finish().ok()
}
