//! What a folder of databases knows of one id: the records that name it, by ecosystem.
//!
//! In go an id and the databases, out come records with title, rating and page: what `explain` shows.
//! Every record is looked at, since only CVEs are indexed; that takes some milliseconds a database.

use crate::database::{CveView, Database, DatabaseError, Title};
use crate::format::FormatError;
use crate::ids;
use std::path::Path;
use vocabulary::Severity;

/// One record that names an id.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KnownRecord {
    /// The ecosystem of its database.
    pub ecosystem: String,
    /// Its own id.
    pub record: String,
    /// Its title, where it has one.
    pub title: Option<String>,
    /// Its severity, where it has one.
    pub severity: Option<Severity>,
    /// The CVSS vector that the severity was computed from.
    pub cvss: Option<String>,
    /// Page about it.
    pub url: Option<String>,
    /// Whether it says that a package is malicious.
    pub malicious: bool,
    /// Other ids that it carries.
    pub aliases: Vec<String>,
}

/// Why a database could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// It cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// It is damaged.
    #[error("a database is damaged: {0}; run `lazaret db update`")]
    Format(#[from] FormatError),
}

/// The records that name an id, in all databases of a folder, sorted by ecosystem and id. Also how
/// many databases were asked.
///
/// # Errors
/// Where one cannot be read: then an id that is not found may be in it.
pub fn records_of(folder: &Path, id: &str) -> Result<(Vec<KnownRecord>, usize), KnownError> {
    let mut found = Vec::new();
    let manifests = crate::update::manifests(folder);
    for manifest in &manifests {
        let Some(path) = crate::manifest::database_path(folder, &manifest.ecosystem) else {
            continue;
        };
        let database = Database::open(&path)?;
        for record in database.each_naming(id)? {
            let cves = record.cves.iter().map(|cve| match cve {
                CveView::Packed(packed) => ids::unpack(*packed),
                CveView::Text(text) => (*text).to_owned(),
            });
            let mut aliases: Vec<String> =
                cves.chain(record.aliases.iter().map(|&alias| alias.to_owned())).collect();
            aliases.retain(|alias| !alias.eq_ignore_ascii_case(id) && alias != record.id);
            aliases.sort();
            found.push(KnownRecord {
                ecosystem: manifest.ecosystem.to_string(),
                record: record.id.to_owned(),
                title: match record.title {
                    Title::Text(text) => Some(text.to_owned()),
                    Title::MaliciousCode => Some("malicious code".to_owned()),
                    Title::None => None,
                },
                severity: record.rating.as_ref().map(|rating| rating.level),
                cvss: record
                    .rating
                    .as_ref()
                    .and_then(|rating| rating.vector.map(|(vector, _)| vector.to_owned())),
                url: record.url.map(str::to_owned),
                malicious: record.malicious,
                aliases,
            });
        }
    }
    found.sort_by(|left, right| {
        (&left.ecosystem, &left.record).cmp(&(&right.ecosystem, &right.record))
    });
    Ok((found, manifests.len()))
}
