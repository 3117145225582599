//! Reads the package database of rpm in all its formats.
//!
//! In go Berkeley DB (`Packages`, up to RHEL 8), NDB (`Packages.db`, SUSE), SQLite (`rpmdb.sqlite`,
//! the others of today) and the manifest that distroless images of Azure Linux have instead; out come
//! the packages with source, licence, module and files. The format is told by a file's first bytes,
//! not its name. Each format is a reader of its own that finds the same thing, header blobs, and
//! reads no more of the format than that takes: no indexes, no locks, no journals.
//!
//! Sources: rpm, `docs/manual` and `lib/backend/`; SQLite, "Database File Format"; purl-spec, type `rpm`.

mod berkeley;
mod header;
mod manifest;
mod ndb;
mod number;
mod sqlite;

use crate::owned::Budget;
use crate::package_database::{self, Database, Kind, PACKAGES_LIMIT, Record};
use image::{
    Entry, Fact, Flow, Interest, ReadError, Reader, Reading, Resolution, Resolver, View, Want,
};
use vocabulary::Purl;

/// Largest database. Real ones have 10 to 150 megabytes; it is read in one slice, since the pages of
/// one header are spread over the file.
const SIZE_LIMIT: u64 = 256 << 20;

/// Size of the header of a SQLite write-ahead log; a longer one holds changes.
const LOG_HEADER: u64 = 32;

/// How the rollback journal of a change begins that was not ended: SQLite, "Database File Format",
/// section 3. One that was ended is removed, emptied, or has zeros there.
const JOURNAL: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// All files, of each folder the newest format first.
const PATHS: &[&str] = &[
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite-journal",
    "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "usr/share/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite-journal",
    "usr/share/rpm/rpmdb.sqlite-wal",
    "usr/share/rpm/Packages.db",
    "usr/share/rpm/Packages",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite-journal",
    "var/lib/rpm/rpmdb.sqlite-wal",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    MANIFEST,
];

const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

/// Reads the databases of rpm.
#[derive(Debug)]
pub struct Rpm;

impl Reader for Rpm {
    fn id(&self) -> &'static str {
        "rpm"
    }

    fn revision(&self) -> u32 {
        4
    }

    fn interests(&self) -> &'static [Interest] {
        const INTERESTS: &[Interest] = &[
            Interest::Under("usr/lib/sysimage/rpm/"),
            Interest::Under("usr/share/rpm/"),
            Interest::Under("var/lib/rpm/"),
            Interest::Path(MANIFEST),
        ];
        INTERESTS
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        if !PATHS.contains(&entry.path) {
            return Want::No;
        }
        if entry.path.ends_with("-wal") {
            return if entry.size > LOG_HEADER {
                Want::Stream(Box::new(Unmerged(LOG)))
            } else {
                Want::No
            };
        }
        if entry.path.ends_with("-journal") {
            let is_hot = head.starts_with(&JOURNAL);
            return if is_hot { Want::Stream(Box::new(Unmerged(HOT))) } else { Want::No };
        }
        Want::Whole { at_most: SIZE_LIMIT }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if entry.path == MANIFEST {
            return manifest::read(bytes).fact();
        }
        let blobs: Blobs = if sqlite::is(bytes) {
            sqlite::blobs
        } else if ndb::is(bytes) {
            ndb::blobs
        } else if berkeley::is(bytes) {
            berkeley::blobs
        } else {
            return Err(ReadError::new(
                "is in no format of rpm's database that is known (Berkeley DB, NDB, SQLite)",
            ));
        };
        read_headers(bytes, blobs).fact()
    }
}

impl Resolver for Rpm {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        package_database::resolve(view, PATHS, &Kind { purl, counts, needs: None })
    }
}

/// Why a database cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Damage(&'static str);

/// Shows every header blob of a database to a visitor, who says whether to go on.
type Blobs = fn(&[u8], &mut dyn FnMut(&[u8]) -> Flow) -> Result<(), Damage>;

fn read_headers(bytes: &[u8], blobs: Blobs) -> Database<'static> {
    let mut database = Database::default();
    let mut budget = Budget::default();
    let mut damaged = 0_usize;
    let mut too_many = false;
    let end = blobs(bytes, &mut |blob| {
        match header::read(blob, &mut budget) {
            Ok(record) => database.packages.extend(record),
            Err(Damage(_)) => damaged += 1,
        }
        too_many = database.packages.len() >= PACKAGES_LIMIT;
        if too_many { Flow::Enough } else { Flow::More }
    });
    if too_many {
        let reason = format!("names {PACKAGES_LIMIT} packages or more; the rest is left out");
        database.problems.push(reason);
    }
    if damaged > 0 {
        database.problems.push(format!("{damaged} package headers are damaged and left out"));
    }
    if let Err(Damage(reason)) = end {
        database.problems.push(format!("is damaged: {reason}; packages may be missing"));
    }
    database.problems.extend(budget.problem());
    database
}

/// What is said of a write-ahead log with changes. Its pages are not laid over the database.
const LOG: &str = "holds changes that may not be in `rpmdb.sqlite` and are not read; run `rpm -qa` in the image to write them back";
/// What is said of the journal of a change that was not ended. Its pages are not put back.
const HOT: &str = "is of a change to `rpmdb.sqlite` that was interrupted and is not taken back here: what is read of that may be half changed; run `rpm -qa` in the image to take it back";

/// A file beside the database without which that is not what rpm sees.
struct Unmerged(&'static str);

impl Reading for Unmerged {
    fn push(&mut self, _: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        Database { packages: Vec::new(), problems: vec![self.0.to_owned()] }.fact()
    }
}

fn purl(record: &Record<'_>) -> Purl {
    let (epoch, version) = record.version.split_once(':').unwrap_or(("", &record.version));
    Purl::new("rpm", &record.name).with_version(version).with_qualifier("epoch", epoch)
}

/// In one folder only the newest format counts: rpm converts in that direction and would not read
/// what it left behind.
fn counts(path: &str, read: &[&str]) -> Result<(), String> {
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    match read.iter().find(|other| folder(other) == folder(path)) {
        Some(newer) if !path.ends_with("-wal") && !path.ends_with("-journal") => {
            Err(format!("left out, since `{newer}` lies beside it in a newer format"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
