//! What is known of a database file: where it came from, when, and its digest.
//!
//! A manifest lies beside its database, `<db>/v1/<ecosystem>.json`. That of a new database is written
//! before it, as `<ecosystem>.json.next`, and takes its place after it: whoever reads meanwhile, or after
//! the program was ended between the two, finds the one that speaks of the content that the file has,
//! which the digest in the file's header tells. A database that none speaks of counts as missing.

use crate::database::Database;
use crate::paths;
use crate::storage;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use vocabulary::{DatabaseInfo, Digest, Ecosystem};

/// Version of the manifest's form.
pub const SCHEMA: &str = "lazaret.database/1";

/// After this time a database is stale: feeds change daily.
pub const FRESH: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// How far ahead of the clock a database may be: that much clocks that are set by the network differ.
pub const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Largest manifest that is read.
const MAX_BYTES: u64 = 1 << 16;

/// The manifest of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The address or folder that it was made from.
    pub source: String,
    /// What the server called this state of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When the source was last changed, as the server writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// What the server called the list of changes that this database is up to date with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_etag: Option<String>,
    /// Count of records of the source that have changed, and could not be had.
    #[serde(default, skip_serializing_if = "is_none")]
    pub behind: u64,
    /// SHA-256 of the database file.
    pub digest: Digest,
    /// SHA-256 of the file's index, which names those of all its pages.
    pub content: Digest,
    /// Length of the file.
    pub bytes: u64,
    /// Count of records.
    pub records: u64,
    /// Count of records of the source that could not be read.
    #[serde(default, skip_serializing_if = "is_none")]
    pub malformed: u64,
    /// When the source was last asked, RFC 3339, UTC.
    pub fetched: String,
}

const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Manifest {
    /// The manifest of the database that was opened in an ecosystem's place, if it is there and speaks
    /// of it.
    #[must_use]
    pub fn of(folder: &Path, ecosystem: &Ecosystem, database: &Database) -> Option<Self> {
        Self::own(folder, ecosystem, database).ok()
    }

    /// The same, or why that database counts as missing: without its manifest nobody knows how old it
    /// is, or whether it is all there.
    pub(crate) fn own(
        folder: &Path,
        ecosystem: &Ecosystem,
        database: &Database,
    ) -> Result<Self, String> {
        let held = database.ecosystem();
        if held != ecosystem {
            return Err(format!("it is a database of {held}, in the place of {ecosystem}"));
        }
        match Self::search(folder, ecosystem, &Digest::sha256(database.payload())) {
            Ok(Some(manifest)) => Ok(manifest),
            Ok(None) => Err("it is not what its manifest says, or has none".to_owned()),
            Err(error) => Err(format!("its manifest cannot be read: {error}")),
        }
    }

    /// The manifest of the database with this content, if it is there and speaks of it.
    pub(crate) fn of_content(
        folder: &Path,
        ecosystem: &Ecosystem,
        payload: [u8; 32],
    ) -> Option<Self> {
        Self::search(folder, ecosystem, &Digest::sha256(payload)).ok().flatten()
    }

    /// Looks where it lies, where it lies while the database is exchanged, and where it lies again: that
    /// may have ended meanwhile.
    pub(crate) fn search(
        folder: &Path,
        ecosystem: &Ecosystem,
        content: &Digest,
    ) -> io::Result<Option<Self>> {
        let Some(path) = paths::manifest_path(folder, ecosystem) else { return Ok(None) };
        for place in [&path, &paths::next_path(&path), &path] {
            let text = match storage::read(place, MAX_BYTES) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let own = Self::parse(&text).filter(|manifest| {
                manifest.content == *content && manifest.ecosystem == *ecosystem
            });
            if own.is_some() {
                return Ok(own);
            }
        }
        Ok(None)
    }

    /// Reads a manifest; none where it is missing or makes no sense.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        Self::parse(&storage::read(path, MAX_BYTES).ok()?)
    }

    /// A manifest from its bytes.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().filter(|manifest: &Self| manifest.schema == SCHEMA)
    }

    /// Whether it is older than a day, or of an unknown age. One from the future is: the clock was wrong
    /// when it was made, or is now.
    #[must_use]
    pub fn is_stale(&self, now: jiff::Timestamp) -> bool {
        let fetched = self.fetched.parse::<jiff::Timestamp>();
        fetched.map_or(true, |fetched| {
            now.duration_since(fetched) > FRESH || fetched.duration_since(now) > AHEAD
        })
    }

    /// The form that reports have.
    #[must_use]
    pub fn info(&self, now: jiff::Timestamp) -> DatabaseInfo {
        DatabaseInfo {
            ecosystem: self.ecosystem.to_string(),
            digest: self.digest.clone(),
            fetched: self.fetched.clone(),
            records: self.records,
            stale: self.is_stale(now),
        }
    }
}

/// How often a database is opened again whose manifest speaks of another: an update may exchange both
/// between the two readings.
pub(crate) const TURNS: u32 = 3;
