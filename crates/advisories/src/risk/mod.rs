//! What is known of the exploitation of vulnerabilities: CISA's KEV and FIRST's EPSS.
//!
//! In go the two feeds as they are published, out come two compact files beside the databases, and
//! look-ups by CVE. They add rank to findings and find nothing themselves, so that a scan without them
//! is complete; the report says which of them were there. Each file is sorted, of fixed width and
//! checked against its digest when it is opened.

mod epss;
mod kev;
mod store;

pub(crate) use store::load;
pub use store::{Lookup, RiskError, Risks};

use crate::download::{self, Download};
use crate::manifest::{self, Manifest};
use crate::storage::{self, Before, Lock};
use crate::update::{Source, UpdateError};
use std::path::{Path, PathBuf};
use vocabulary::{Digest, Ecosystem};

/// The public address of the KEV catalogue. Source: CISA, "Known Exploited Vulnerabilities Catalog".
pub const KEV_URL: &str =
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
/// The public address of the EPSS scores. Source: FIRST, "EPSS Data".
pub const EPSS_URL: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

/// Largest feed, packed or plain. The largest, EPSS, has some 10 MB plain.
const MAX_BYTES: u64 = 256 << 20;

/// One of the feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskFeed {
    /// Known exploited vulnerabilities.
    Kev,
    /// Probabilities of exploitation.
    Epss,
}

impl RiskFeed {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Kev, Self::Epss];

    /// The name under which its file and manifest stand beside those of the ecosystems.
    #[must_use]
    pub fn name(self) -> Ecosystem {
        Ecosystem::new(match self {
            Self::Kev => "KEV",
            Self::Epss => "EPSS",
        })
    }

    /// The feed of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feed| feed.name().as_str().eq_ignore_ascii_case(name))
    }

    const fn public(self) -> &'static str {
        match self {
            Self::Kev => KEV_URL,
            Self::Epss => EPSS_URL,
        }
    }

    /// Where it lies in a mirror.
    const fn in_mirror(self) -> &'static [&'static str] {
        match self {
            Self::Kev => &["cisa-kev/known_exploited_vulnerabilities.json"],
            Self::Epss => &["epss/epss_scores-current.csv.gz", "epss/epss_scores-current.csv"],
        }
    }

    fn build(self, bytes: &[u8]) -> Result<Vec<u8>, RiskError> {
        match self {
            Self::Kev => kev::build(bytes),
            Self::Epss => epss::build(bytes),
        }
    }
}

/// What came of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RiskUpdated {
    /// It was built anew; count of its entries.
    Built(u64),
    /// The source is the same as before.
    Unchanged(u64),
    /// The source does not have it.
    NotThere,
}

/// Where a feed is taken from: a file or address that was named, else the mirror that advisories come
/// from, else its publisher.
#[must_use]
pub fn places(feed: RiskFeed, named: Option<&str>, source: &Source) -> Vec<Source> {
    let of = |text: &str| {
        if text.starts_with("http://") || text.starts_with("https://") {
            Source::Url(text.to_owned())
        } else {
            Source::Directory(PathBuf::from(text))
        }
    };
    if let Some(text) = named {
        return vec![of(text)];
    }
    match source {
        Source::Url(url) if url == crate::update::DEFAULT_URL => vec![of(feed.public())],
        Source::Url(url) => feed
            .in_mirror()
            .iter()
            .map(|path| Source::Url(format!("{}/{path}", url.trim_end_matches('/'))))
            .collect(),
        Source::Directory(folder) => {
            feed.in_mirror().iter().map(|path| Source::Directory(folder.join(path))).collect()
        }
    }
}

/// Where the feed in a folder was taken from, where there is one.
#[must_use]
pub fn source_of(folder: &Path, feed: RiskFeed) -> Option<String> {
    store::manifest(folder, feed).map(|manifest| manifest.source)
}

/// Brings one feed up to date from the first of the places that has it.
///
/// # Errors
/// Where it cannot be fetched, read or put in place; what was there before stays.
pub fn update(
    folder: &Path,
    feed: RiskFeed,
    places: &[Source],
    client: &fetch::Client,
    now: jiff::Timestamp,
) -> Result<RiskUpdated, UpdateError> {
    let before = Before::of(folder);
    let lock = Lock::take(folder)?;
    if lock.waited
        && let Some((known, _)) = store::load(folder, feed)
        && before.is_renewed(&known)
        && places.iter().any(|place| known.source == name_of(place))
    {
        // Whoever was waited for has asked the same source just now.
        return Ok(RiskUpdated::Unchanged(known.records));
    }
    for place in places {
        let updated = match place {
            Source::Directory(file) => from_file(folder, feed, file, now)?,
            Source::Url(url) => from_url(folder, feed, url, client, now)?,
        };
        if updated != RiskUpdated::NotThere {
            return Ok(updated);
        }
    }
    Ok(RiskUpdated::NotThere)
}

/// What a manifest calls a place.
fn name_of(place: &Source) -> String {
    match place {
        Source::Directory(file) => file.display().to_string(),
        Source::Url(url) => fetch::redact(url),
    }
}

fn from_file(
    folder: &Path,
    feed: RiskFeed,
    file: &Path,
    now: jiff::Timestamp,
) -> Result<RiskUpdated, UpdateError> {
    if !file.is_file() {
        return Ok(RiskUpdated::NotThere);
    }
    let bytes = read(file)?;
    let provenance = storage::Provenance {
        source: file.display().to_string(),
        fetched: now.to_string(),
        ..storage::Provenance::default()
    };
    install(folder, feed, file, &bytes, provenance)
}

fn from_url(
    folder: &Path,
    feed: RiskFeed,
    url: &str,
    client: &fetch::Client,
    now: jiff::Timestamp,
) -> Result<RiskUpdated, UpdateError> {
    let known =
        store::manifest(folder, feed).filter(|manifest| manifest.source == fetch::redact(url));
    let path = store::path(folder, feed);
    let part = storage::beside(&path, "part");
    match download::archive(client, url, known.as_ref(), &part, &|_, _| {})? {
        Download::NotThere => Ok(RiskUpdated::NotThere),
        Download::Unchanged => {
            let records = known.as_ref().map_or(0, |known| known.records);
            if let Some(known) = known {
                storage::write_manifest(folder, &Manifest { fetched: now.to_string(), ..known })?;
            }
            Ok(RiskUpdated::Unchanged(records))
        }
        Download::Done { etag, last_modified } => {
            let bytes = read(&part);
            download::forget(&part);
            let provenance = storage::Provenance {
                source: fetch::redact(url),
                etag,
                last_modified,
                fetched: now.to_string(),
                ..storage::Provenance::default()
            };
            install(folder, feed, Path::new(url), &bytes?, provenance)
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, UpdateError> {
    let failed = |reason| crate::feed::FeedError::Io { path: file.to_owned(), reason };
    let mut bytes = Vec::new();
    files::read_start(file, MAX_BYTES + 1, &mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn install(
    folder: &Path,
    feed: RiskFeed,
    from: &Path,
    bytes: &[u8],
    provenance: storage::Provenance,
) -> Result<RiskUpdated, UpdateError> {
    let failed = |reason| UpdateError::Risk { from: from.display().to_string(), reason };
    let built = feed.build(bytes).map_err(failed)?;
    let table = store::Table::parse(feed, &built).map_err(failed)?;
    let manifest = Manifest {
        malformed: 0,
        list_etag: None,
        behind: 0,
        schema: manifest::SCHEMA.to_owned(),
        ecosystem: feed.name(),
        source: provenance.source,
        etag: provenance.etag,
        last_modified: provenance.last_modified,
        digest: Digest::of(&built),
        content: table.content(),
        bytes: built.len() as u64,
        records: table.records(),
        fetched: provenance.fetched,
    };
    storage::exchange(folder, &manifest, || storage::replace(&store::path(folder, feed), &built))?;
    Ok(RiskUpdated::Built(manifest.records))
}

/// The digest of the content of a feed's file, if it is whole.
pub(crate) fn content_of(feed: RiskFeed, bytes: &[u8]) -> Result<Digest, RiskError> {
    store::Table::parse(feed, bytes).map(|table| table.content())
}

/// Reads a feed from its published form; gives the count of its entries. For fuzzing.
#[doc(hidden)]
#[must_use]
pub fn check(feed: RiskFeed, bytes: &[u8]) -> Option<u64> {
    let built = feed.build(bytes).ok()?;
    Some(store::Table::parse(feed, &built).ok()?.records())
}

#[cfg(test)]
mod tests;
