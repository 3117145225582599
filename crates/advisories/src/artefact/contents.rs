//! Reads an artefact: its manifest and its configuration, each once, into what can be believed of
//! them. What they say of layers is held against those when they come.

use super::{
    ALL_BYTES, ARTIFACT_TYPE, ArtefactError, Blob, CONFIG_BYTES, CONFIG_TYPE, CREATED, Document,
    ENVELOPE_BYTES, ENVELOPE_TYPE, LAYER_BYTES, LAYER_TYPE, LAYERS, MANIFEST_BYTES, PACKED_TYPE,
    SCHEMA, TITLE,
};
use crate::manifest::{self, Manifest};
use crate::{format, names};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Digest, Ecosystem};

/// A manifest that is one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artefact {
    /// Its digest.
    pub digest: Digest,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// The configuration.
    pub config: Blob,
    /// The layers, by ecosystem.
    pub layers: BTreeMap<Ecosystem, Blob>,
    place: String,
}

/// An artefact with its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Where it is, for error texts, and for the manifests of what is taken from there.
    pub place: String,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// The databases, sorted.
    pub parts: Vec<Part>,
}

/// One database of an artefact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is known of the database.
    pub manifest: Manifest,
    /// Its layer.
    pub blob: Blob,
    /// Whether it is packed by gzip.
    pub packed: bool,
}

#[derive(Deserialize)]
struct Config {
    schema: String,
    #[serde(default)]
    program: String,
    #[serde(default)]
    format: u32,
    #[serde(default)]
    databases: Vec<serde_json::Value>,
}

impl Artefact {
    /// Reads a manifest. `place` is where it is.
    ///
    /// # Errors
    /// Where it is none of ours, or has more or larger layers than can be.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self, ArtefactError> {
        let wrong = |reason: &str| not_one(place, reason);
        if bytes.len() as u64 > MANIFEST_BYTES {
            return Err(wrong("its manifest is larger than 4 MiB"));
        }
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| wrong(&format!("its manifest cannot be read ({error})")))?;
        if document.artifact_type != ARTIFACT_TYPE || document.config.media_type != CONFIG_TYPE {
            return Err(wrong("it is an artefact or an image of another kind"));
        }
        let created = document.annotations.get(CREATED).and_then(|text| text.parse().ok());
        let created = created.ok_or_else(|| wrong("it does not say when it was made"))?;
        if document.config.size > CONFIG_BYTES || document.layers.len() > LAYERS {
            return Err(wrong("it has more databases, or a larger configuration, than can be"));
        }
        let mut layers = BTreeMap::new();
        for blob in document.layers {
            let name = blob.annotations.get(TITLE).map_or("", String::as_str);
            let known = [LAYER_TYPE, PACKED_TYPE].contains(&blob.media_type.as_str());
            if names::file_stem(name).is_none() || !known || blob.size > LAYER_BYTES {
                return Err(wrong("a layer of it is no database, or too large"));
            }
            if layers.insert(Ecosystem::new(name), blob).is_some() {
                return Err(wrong("it has two databases of one ecosystem"));
            }
        }
        let (digest, place) = (Digest::of(bytes), place.to_owned());
        Ok(Self { digest, created, config: document.config, layers, place })
    }

    /// With its configuration.
    ///
    /// # Errors
    /// Where those are other bytes, another version of the program made them, or they do not fit the
    /// layers.
    pub fn with_config(self, bytes: &[u8]) -> Result<Contents, ArtefactError> {
        let Self { created, config, mut layers, place, .. } = self;
        let wrong = |reason: &str| not_one(&place, reason);
        if bytes.len() as u64 != config.size || Digest::of(bytes) != config.digest {
            return Err(wrong("its configuration is not what its manifest says"));
        }
        let config: Config = serde_json::from_slice(bytes)
            .map_err(|error| wrong(&format!("its configuration cannot be read ({error})")))?;
        if config.schema != SCHEMA || config.format != format::FORMAT {
            let program: String = config.program.chars().take(40).collect();
            let own = env!("CARGO_PKG_VERSION");
            return Err(ArtefactError::OtherFormat { place, program, format: config.format, own });
        }
        let (mut parts, mut stems, mut all) = (Vec::new(), BTreeSet::new(), 0_u64);
        for value in config.databases {
            let manifest: Manifest = serde_json::from_value(value)
                .map_err(|error| wrong(&format!("its configuration cannot be read ({error})")))?;
            let stem = names::file_stem(manifest.ecosystem.as_str());
            let blob = layers.remove(&manifest.ecosystem);
            let (Some(blob), Some(stem)) = (blob, stem) else {
                return Err(wrong("its configuration names a database that it has not"));
            };
            if manifest.schema != manifest::SCHEMA || !stems.insert(stem) {
                return Err(wrong("its configuration names a database twice, or in another form"));
            }
            all = all.saturating_add(manifest.bytes);
            if manifest.bytes > LAYER_BYTES || all > ALL_BYTES {
                return Err(wrong("its databases are larger than can be"));
            }
            if manifest.fetched.parse::<jiff::Timestamp>().map_or(true, |time| time > created) {
                return Err(wrong("a database of it is newer than itself"));
            }
            parts.push(Part { packed: blob.media_type == PACKED_TYPE, manifest, blob });
        }
        if !layers.is_empty() {
            return Err(wrong("it has a database that its configuration does not name"));
        }
        Ok(Contents { place, created, parts })
    }
}

fn not_one(place: &str, reason: &str) -> ArtefactError {
    ArtefactError::NotOne { place: place.to_owned(), reason: reason.to_owned() }
}

/// The envelope that a manifest points at, if that is a signature of `subject`.
#[must_use]
pub fn envelope_of(manifest: &[u8], subject: &Digest) -> Option<Blob> {
    let document: Document = serde_json::from_slice(manifest).ok()?;
    let of_it = document.subject.is_some_and(|blob| blob.digest == *subject);
    let mut layers = document.layers.into_iter();
    let envelope = layers
        .next()
        .filter(|blob| blob.media_type == ENVELOPE_TYPE && blob.size <= ENVELOPE_BYTES && of_it);
    envelope.filter(|_| layers.next().is_none())
}
