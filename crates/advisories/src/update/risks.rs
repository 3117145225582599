//! Brings the feeds about exploitation up to date.
//!
//! In goes where a feed is taken from, out comes its file beside the databases, and what came of it.

use super::{Source, UpdateError};
use crate::download::{self, Download};
use crate::exchange::{self, Before};
use crate::feed::FeedError;
use crate::manifest::{self, Manifest};
use crate::paths;
use crate::risk::{self, MAX_BYTES, RiskFeed};
use crate::storage::{self, Lock};
use std::path::{Path, PathBuf};
use vocabulary::Digest;

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
        Source::Url(url) if url == super::DEFAULT_URL => vec![of(feed.public())],
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
    risk::manifest(folder, feed).map(|manifest| manifest.source)
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
        && let Some((known, _)) = risk::load(folder, feed)
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
    let provenance = exchange::Provenance {
        source: file.display().to_string(),
        fetched: now.to_string(),
        ..exchange::Provenance::default()
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
        risk::manifest(folder, feed).filter(|manifest| manifest.source == fetch::redact(url));
    let path = risk::path(folder, feed);
    let part = paths::beside(&path, "part");
    match download::archive(client, url, known.as_ref(), &part, &|_, _| {})? {
        Download::NotThere => Ok(RiskUpdated::NotThere),
        Download::Unchanged => {
            let records = known.as_ref().map_or(0, |known| known.records);
            if let Some(known) = known {
                exchange::write_manifest(folder, &Manifest { fetched: now.to_string(), ..known })?;
            }
            Ok(RiskUpdated::Unchanged(records))
        }
        Download::Done { etag, last_modified } => {
            let bytes = read(&part);
            download::forget(&part);
            let provenance = exchange::Provenance {
                source: fetch::redact(url),
                etag,
                last_modified,
                fetched: now.to_string(),
                ..exchange::Provenance::default()
            };
            install(folder, feed, Path::new(url), &bytes?, provenance)
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, UpdateError> {
    let failed = |reason| FeedError::Io { path: file.to_owned(), reason };
    let mut bytes = Vec::new();
    files::read_start(file, MAX_BYTES + 1, &mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn install(
    folder: &Path,
    feed: RiskFeed,
    from: &Path,
    bytes: &[u8],
    provenance: exchange::Provenance,
) -> Result<RiskUpdated, UpdateError> {
    let failed = |reason| UpdateError::Risk { from: from.display().to_string(), reason };
    let built = feed.build(bytes).map_err(failed)?;
    let table = risk::Table::parse(feed, &built).map_err(failed)?;
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
    exchange::exchange(folder, &manifest, || storage::replace(&risk::path(folder, feed), &built))?;
    Ok(RiskUpdated::Built(manifest.records))
}

#[cfg(test)]
mod tests;
