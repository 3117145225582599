//! Reads the package database of Void Linux.
//!
//! In goes `pkgdb-0.38.plist`, a property list with a dictionary for each package; out come the
//! packages with architecture, licence and, where it is stated, their source. The lists of files lie in
//! property lists of their own and are not read.
//!
//! Sources: xbps, `include/xbps.h.in`, "Package database" and the keys of package dictionaries; Apple,
//! `PropertyList-1.0.dtd`. Package URLs are of a type of our own, since purl-spec has none.

mod plist;

use crate::package_database::{self, Database, Kind, PACKAGES_LIMIT, Record, field, licence};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use std::borrow::Cow;
use std::collections::BTreeSet;
use vocabulary::Purl;

const FOLDER: &str = "var/db/xbps/";

/// Largest database; a thousand packages have about two megabytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// Reads the database of xbps.
#[derive(Debug)]
pub struct Xbps;

/// Of any version of the format: it is in the name.
fn is_database(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|name| {
        name.starts_with("pkgdb-") && name.ends_with(".plist") && !name.contains('/')
    })
}

impl Reader for Xbps {
    fn id(&self) -> &'static str {
        "xbps"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Under(FOLDER)]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if is_database(entry.path) { Want::Whole { at_most: SIZE_LIMIT } } else { Want::No }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| ReadError::new("is not a property list of text in UTF-8"))?;
        read(text)?.fact()
    }
}

impl Resolver for Xbps {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let paths: BTreeSet<&str> =
            view.staying().map(|at| at.path).filter(|path| is_database(path)).collect();
        let paths: Vec<&str> = paths.into_iter().rev().collect();
        package_database::resolve(view, &paths, &Kind { purl, counts: |_, _| Ok(()), needs: None })
    }
}

fn read(text: &str) -> Result<Database<'static>, ReadError> {
    let mut database = Database::default();
    let mut damaged = 0_usize;
    let mut too_many = false;
    let end = plist::each(text, &mut |name, values| {
        // What the alternatives point to is kept beside the packages.
        if name.starts_with("_XBPS_") {
            return;
        }
        match record(values) {
            Some(_) if database.packages.len() >= PACKAGES_LIMIT => too_many = true,
            Some(record) => database.packages.push(record),
            None => damaged += 1,
        }
    });
    if let Err(reason) = end {
        if database.packages.is_empty() {
            return Err(ReadError::new(reason));
        }
        database.problems.push(format!("is damaged: {reason}; packages may be missing"));
    }
    if damaged > 0 {
        database.problems.push(format!("{damaged} packages have no valid name or version"));
    }
    if too_many {
        let reason = format!("names more than {PACKAGES_LIMIT} packages; the rest is left out");
        database.problems.push(reason);
    }
    Ok(database)
}

fn record(values: &plist::Values) -> Option<Record<'static>> {
    let short = |key: &str| -> Option<Cow<'static, str>> {
        let text = values.get(key).map(String::as_str).unwrap_or_default();
        field(text.as_bytes()).map(|text| Cow::Owned(text.into_owned()))
    };
    let full = short("pkgver")?;
    let (name, version) = full.rsplit_once('-')?;
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let licences = values.get("license").map(String::as_str).unwrap_or_default();
    // `NAME:REVISION`, one for the package itself.
    let sources = short("source-revisions")?;
    let source = sources.lines().next().and_then(|line| line.split_once(':'));
    Some(Record {
        source: Cow::Owned(source.map(|(name, _)| name.to_owned()).unwrap_or_default()),
        source_version: Cow::Owned(version.to_owned()),
        name: Cow::Owned(name.to_owned()),
        version: Cow::Owned(version.to_owned()),
        architecture: short("architecture")?,
        licence: Cow::Owned(licence(licences.as_bytes()).into_owned()),
        ..Record::default()
    })
}

fn purl(record: &Record<'_>) -> Purl {
    Purl::new("xbps", &record.name).with_version(&record.version)
}

#[cfg(test)]
mod tests;
