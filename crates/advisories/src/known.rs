//! What a folder of databases knows of one id: the records that name it, and what each says of packages.
//!
//! In go an id and the databases, out come records with title, rating, page and packages with their
//! ranges: what `explain` shows. Nothing is merged: two records that say different things of one package
//! are what somebody who asks wants to see.

use crate::database::naming::{Naming, Saying};
use crate::database::{CveView, Database, DatabaseError, RatingView, RecordView, Title};
use crate::format::FormatError;
use crate::ids;
use crate::intervals::{End, Interval};
use crate::paths;
use crate::rating::Basis;
use std::path::Path;
use vocabulary::Severity;

/// Packages by release that are kept of all records of an id: those of the kernel have some hundreds.
const PACKAGES: usize = 10_000;
/// Names of one of them: a source package of Ubuntu has some hundred binaries.
const NAMES: usize = 200;
/// Versions that are listed one by one of one of them.
const VERSIONS: usize = 500;

/// What is known of an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Records, sorted by ecosystem and id.
    pub records: Vec<KnownRecord>,
    /// The CVE that the id is another name of, where records of it were looked for, too.
    pub same_as: Option<String>,
    /// The databases that were asked.
    pub searched: Vec<Searched>,
    /// How many packages were left out for want of room.
    pub left_out: u64,
}

/// A database that was asked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Searched {
    /// Its ecosystem.
    pub ecosystem: String,
    /// Count of its records.
    pub records: u64,
    /// When it was fetched, RFC 3339.
    pub fetched: String,
}

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
    /// Whether that is what the record says of all its vulnerabilities together, as of the worst of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rated_as_bundle: bool,
    /// Page about it.
    pub url: Option<String>,
    /// Whether it says that a package is malicious.
    pub malicious: bool,
    /// Other ids that it carries.
    pub aliases: Vec<String>,
    /// When it was last changed, RFC 3339, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// Module stream that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What it says of packages, by release.
    pub packages: Vec<KnownPackage>,
}

/// What a record says of a package in one release.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KnownPackage {
    /// The ecosystem with its release, such as `Debian:12`.
    pub ecosystem: String,
    /// The package, or a source package and its binaries.
    pub names: Vec<String>,
    /// Ranges of versions that are affected.
    pub ranges: Vec<KnownRange>,
    /// Versions that are affected, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// How many more versions there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_versions: u64,
    /// The severity that it has here, where the record rates it apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether what mends it takes a subscription.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subscription: bool,
}

/// A range of affected versions, in the words of OSV.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct KnownRange {
    /// The first; from the beginning where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introduced: Option<String>,
    /// The first that is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// The last that is known to be affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_affected: Option<String>,
    /// Of this and later ones nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
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

/// What the databases of a folder know of an id, also under the CVE that it is another name of. `only`
/// names the one ecosystem that is asked.
///
/// # Errors
/// Where a database cannot be read: then an id that is not found may be in it.
pub fn known_of(folder: &Path, id: &str, only: Option<&str>) -> Result<Known, KnownError> {
    // One that cannot be used could have it.
    if let Some(error) = crate::update::first_foreign(folder) {
        return Err(error.into());
    }
    let mut known = Known::default();
    search(folder, id, only, &mut known)?;
    if let Some(cve) = other_name(id, &known.records) {
        known.searched.clear();
        search(folder, &cve, only, &mut known)?;
        known.same_as = Some(cve);
    }
    known.records.sort_by(|left, right| {
        (&left.ecosystem, &left.record).cmp(&(&right.ecosystem, &right.record))
    });
    Ok(known)
}

/// The CVE that an id is another name of: the only one of all records that carry it. A notice about
/// several is no name of any of them.
fn other_name(id: &str, records: &[KnownRecord]) -> Option<String> {
    let is_cve = |text: &str| ids::pack(&text.to_ascii_uppercase()).is_some();
    if is_cve(id) {
        return None;
    }
    let mut cves = records.iter().map(|record| {
        let mut cves = record.aliases.iter().chain([&record.record]).filter(|text| is_cve(text));
        cves.next().filter(|_| cves.next().is_none())
    });
    let first = cves.next()??;
    cves.all(|other| other == Some(first)).then(|| first.to_ascii_uppercase())
}

fn search(
    folder: &Path,
    id: &str,
    only: Option<&str>,
    known: &mut Known,
) -> Result<(), KnownError> {
    for manifest in crate::update::manifests(folder) {
        let ecosystem = manifest.ecosystem.as_str();
        if only.is_some_and(|only| !only.eq_ignore_ascii_case(ecosystem)) {
            continue;
        }
        let Some(path) = paths::database_path(folder, &manifest.ecosystem) else {
            continue;
        };
        let database = Database::open(&path)?;
        known.searched.push(Searched {
            ecosystem: ecosystem.to_owned(),
            records: database.records(),
            fetched: manifest.fetched.clone(),
        });
        let named = database.each_naming(id)?;
        if named.is_empty() {
            continue;
        }
        for (naming, sayings) in named.iter().zip(database.sayings(&named)?) {
            let same = |one: &KnownRecord| {
                (one.ecosystem.as_str(), one.record.as_str()) == (ecosystem, naming.record.id)
            };
            if known.records.iter().any(same) {
                continue;
            }
            let (mut record, is_entry) = record_of(ecosystem, id, naming);
            for saying in sayings {
                let room = PACKAGES.saturating_sub(kept(known) + record.packages.len());
                if room == 0 {
                    known.left_out += 1;
                } else {
                    let mut package = package_of(&database, ecosystem, &saying)?;
                    // What it says of the vulnerability itself comes before what it says of the package.
                    package.severity = package.severity.filter(|_| !is_entry);
                    record.packages.push(package);
                }
            }
            known.records.push(record);
        }
    }
    Ok(())
}

fn kept(known: &Known) -> usize {
    known.records.iter().map(|record| record.packages.len()).sum()
}

/// The record, as it rates the vulnerability of this id, and whether it does so apart from its others.
fn record_of(ecosystem: &str, id: &str, naming: &Naming<'_>) -> (KnownRecord, bool) {
    let record = &naming.record;
    let rated = record.rating_of(place_of(id, record));
    let basis = rated.map(|(_, basis)| basis);
    let rating = rated.map(|(rating, _)| rating);
    let cves = record.cves.iter().map(|cve| match cve {
        CveView::Packed(packed) => ids::unpack(*packed),
        CveView::Text(text) => (*text).to_owned(),
    });
    let mut aliases: Vec<String> =
        cves.chain(record.aliases.iter().map(|&alias| alias.to_owned())).collect();
    aliases.retain(|alias| !alias.eq_ignore_ascii_case(id) && alias != record.id);
    aliases.sort();
    aliases.dedup();
    let modified = i64::try_from(record.modified).ok().filter(|time| *time > 0);
    let modified = modified.and_then(|time| jiff::Timestamp::from_microsecond(time).ok());
    let known = KnownRecord {
        ecosystem: ecosystem.to_owned(),
        record: record.id.to_owned(),
        title: match record.title {
            Title::Text(text) => Some(text.to_owned()),
            Title::MaliciousCode => Some("malicious code".to_owned()),
            Title::None => None,
        },
        severity: rating.as_ref().map(|rating| rating.level),
        cvss: rating.as_ref().and_then(vector_of),
        rated_as_bundle: basis == Some(Basis::Bundle),
        url: ids::page(record.id).or_else(|| record.url.map(str::to_owned)),
        malicious: record.malicious,
        aliases,
        modified: modified.map(|time| time.to_string()),
        stream: record.stream.map(str::to_owned),
        packages: Vec::new(),
    };
    (known, basis == Some(Basis::Entry))
}

/// Where an id stands among the CVEs of a record; behind them all where it is none of them, as that of a
/// notice itself.
fn place_of(id: &str, record: &RecordView<'_>) -> usize {
    let upper = id.to_ascii_uppercase();
    let packed = ids::pack(ids::named_cve(&upper).unwrap_or(&upper));
    let place = record.cves.iter().position(|cve| match cve {
        CveView::Packed(own) => Some(*own) == packed,
        CveView::Text(text) => text.eq_ignore_ascii_case(id),
    });
    place.unwrap_or(record.cves.len())
}

fn vector_of(rating: &RatingView<'_>) -> Option<String> {
    rating.vector.map(|(vector, _)| vector.to_owned())
}

fn package_of(
    database: &Database,
    ecosystem: &str,
    saying: &Saying<'_>,
) -> Result<KnownPackage, FormatError> {
    let versions = database.versions(&saying.block)?;
    let count = versions.len();
    let shown = versions.into_iter().take(VERSIONS);
    let versions: Result<Vec<String>, FormatError> =
        shown.map(|number| database.string(number).map(str::to_owned)).collect();
    let release = match saying.release {
        "" => ecosystem.to_owned(),
        release => format!("{ecosystem}:{release}"),
    };
    Ok(KnownPackage {
        ecosystem: release,
        names: saying.names.iter().take(NAMES).map(|&name| name.to_owned()).collect(),
        ranges: saying.block.ranges.as_slice().iter().map(range_of).collect(),
        versions: versions?,
        more_versions: u64::try_from(count.saturating_sub(VERSIONS)).unwrap_or(u64::MAX),
        severity: saying.block.rating.as_ref().map(|rating| rating.level),
        subscription: saying.block.subscription,
    })
}

fn range_of(interval: &Interval<&str>) -> KnownRange {
    let mut range = KnownRange {
        introduced: interval.start.filter(|start| *start != "0").map(str::to_owned),
        ..KnownRange::default()
    };
    match interval.end {
        End::Open => {}
        End::Fixed(end) => range.fixed = Some(end.to_owned()),
        End::Last(end) => range.last_affected = Some(end.to_owned()),
        End::Limit(end) => range.limit = Some(end.to_owned()),
    }
    range
}
