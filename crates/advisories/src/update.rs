//! Brings the databases of a folder up to date with a feed, and says how they stand.
//!
//! In go a folder, a feed in the layout of the public OSV bucket (`<Ecosystem>/all.zip`, or
//! `<Ecosystem>/*.json`, and `ecosystems.txt`), and the ecosystems that are wanted; out come database
//! files. Each is built beside its place and moved there whole, so that a scan that runs meanwhile
//! sees the old or the new one, and an update that is broken off leaves the old.

mod origin;
pub mod risks;

use crate::database::{Database, DatabaseError, Head};
use crate::download::{self, Download, DownloadError, Listed};
use crate::dropped::Dropped;
use crate::exchange::{self, Before, Provenance};
use crate::feed::{self, FeedError};
use crate::follow::{Besides, FollowError};
use crate::listing::{List, Listing, MAX_LIST};
use crate::manifest::Manifest;
use crate::matching::is_sound;
use crate::paths;
use crate::singles::{MAX_SINGLE, Single};
use crate::storage::{Lock, StorageError};
use origin::{Brought, Origin};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use vocabulary::{DatabaseInfo, Ecosystem};

/// The public bucket.
pub const DEFAULT_URL: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Largest `ecosystems.txt`; the public one has about a kilobyte.
const MAX_LIST_BYTES: u64 = 1 << 20;

/// Where advisories come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder.
    Directory(PathBuf),
    /// The address that `/<Ecosystem>/all.zip` is appended to.
    Url(String),
}

impl Default for Source {
    fn default() -> Self {
        Self::Url(DEFAULT_URL.to_owned())
    }
}

/// Is told how an update goes on.
pub trait Progress: Send + Sync {
    /// Bytes of an ecosystem's archive that are here, and how many there will be.
    fn downloading(&self, ecosystem: &Ecosystem, bytes: u64, of: Option<u64>);
    /// The database of an ecosystem is being built.
    fn building(&self, ecosystem: &Ecosystem);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn downloading(&self, _: &Ecosystem, _: u64, _: Option<u64>) {}
    fn building(&self, _: &Ecosystem) {}
}

/// What an update did to one ecosystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The database was built anew.
    Built {
        /// What was left out of it.
        dropped: Dropped,
        /// How many records are listed in a later state, and could not be had.
        behind: u64,
    },
    /// The records that the source says have changed were read, and took the place of older ones.
    Followed {
        /// How many were read.
        read: u64,
        /// How many the source has no more.
        gone: u64,
        /// How many have changed and could not be had.
        behind: u64,
    },
    /// The source is the same as before; the time was renewed.
    Unchanged,
    /// The source does not have this ecosystem.
    NotThere,
}

/// The outcome for one ecosystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// Which.
    pub ecosystem: Ecosystem,
    /// What happened.
    pub changed: Changed,
    /// The database's manifest; none where the source does not have it.
    pub manifest: Option<Manifest>,
}

/// Why an update failed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The feed cannot be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// It cannot be fetched.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The database cannot be put in place.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The list of changes cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// A feed about exploitation is not what it should be.
    #[error("`{from}`: {reason}")]
    Risk {
        /// The file or address.
        from: String,
        /// What is wrong.
        reason: crate::risk::RiskError,
    },
    /// No ecosystem was named, and the source does not list what it has.
    #[error("cannot read `{0}`: {1}; name the ecosystems to update")]
    NoList(String, String),
}

/// Updates the named ecosystems; all that the source lists where none is named. After one that fails no
/// other is begun; those that were begun are done.
///
/// # Errors
/// Where a feed cannot be had or read, or a database cannot be put in place.
pub fn update(
    folder: &Path,
    source: &Source,
    ecosystems: &[Ecosystem],
    client: &fetch::Client,
    now: jiff::Timestamp,
    progress: &dyn Progress,
) -> Result<Vec<Updated>, UpdateError> {
    let before = Before::of(folder);
    let lock = Lock::take(folder)?;
    let listed;
    let wanted = if ecosystems.is_empty() {
        listed = list(source, client)?;
        &listed
    } else {
        ecosystems
    };
    if let Some(unsound) = wanted.iter().find(|ecosystem| !is_sound(ecosystem)) {
        return Err(StorageError::Name(unsound.clone()).into());
    }
    let one = |ecosystem: &Ecosystem| {
        if lock.waited
            && let Some(known) = current(folder, ecosystem)
            && known.manifest.source == name_of(source, ecosystem)
            && before.is_renewed(&known.manifest)
        {
            // Whoever was waited for has asked the same source just now.
            let (ecosystem, manifest) = (ecosystem.clone(), Some(known.manifest));
            return Ok(Updated { ecosystem, changed: Changed::Unchanged, manifest });
        }
        match source {
            Source::Directory(from) => from_directory(folder, from, ecosystem, now, progress),
            Source::Url(base) => from_url(folder, base, ecosystem, client, now, progress),
        }
    };
    side_by_side(wanted, &one)
}

/// Does something for each ecosystem, two at a time: one waits for its source while another is built,
/// and no more than two are in memory. The first failure, in the order of the ecosystems, where there is
/// one.
fn side_by_side(
    wanted: &[Ecosystem],
    one: &(dyn Fn(&Ecosystem) -> Result<Updated, UpdateError> + Sync),
) -> Result<Vec<Updated>, UpdateError> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(ecosystem) = wanted.get(at) else { break };
            let updated = one(ecosystem);
            failed.fetch_or(updated.is_err(), Ordering::Relaxed);
            done.push((at, updated));
        }
        done
    };
    let mut all = std::thread::scope(|scope| {
        // Where no thread is to be had this one does it all.
        let other = (wanted.len() > 1)
            .then(|| std::thread::Builder::new().spawn_scoped(scope, work).ok())
            .flatten();
        let mut all = work();
        match other.map(std::thread::ScopedJoinHandle::join) {
            Some(Ok(more)) => all.extend(more),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => {}
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, updated)| updated).collect()
}

/// What a manifest calls a source.
fn name_of(source: &Source, ecosystem: &Ecosystem) -> String {
    match source {
        Source::Directory(from) => from.join(ecosystem.as_str()).display().to_string(),
        Source::Url(base) => fetch::redact(&format!("{}/all.zip", address(base, ecosystem))),
    }
}

/// Where a server has an ecosystem.
fn address(base: &str, ecosystem: &Ecosystem) -> String {
    format!("{}/{}", base.trim_end_matches('/'), ecosystem.as_str().replace(' ', "%20"))
}

/// The ecosystems that a source lists in `ecosystems.txt`; a folder without one is looked at.
fn list(source: &Source, client: &fetch::Client) -> Result<Vec<Ecosystem>, UpdateError> {
    let text = match source {
        Source::Url(base) => {
            let url = format!("{}/ecosystems.txt", base.trim_end_matches('/'));
            download::small(client, &url, MAX_LIST_BYTES)?
        }
        Source::Directory(folder) => {
            let path = folder.join("ecosystems.txt");
            match files::read(&path, MAX_LIST_BYTES) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return look_around(folder);
                }
                Err(error) => {
                    let shown = path.display().to_string();
                    return Err(UpdateError::NoList(shown, error.to_string()));
                }
            }
        }
    };
    let text = String::from_utf8_lossy(&text);
    let mut all: Vec<Ecosystem> = text
        .lines()
        .map(str::trim)
        // The public list names releases and the feed of git commits too; their records stand in the
        // archives of the ecosystems as well.
        .filter(|line| !line.is_empty() && !line.contains(':') && !line.starts_with('['))
        .map(Ecosystem::new)
        .filter(can_be_matched)
        .collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Whether the order of its versions is known: the others are large, and of no use here.
fn can_be_matched(ecosystem: &Ecosystem) -> bool {
    is_sound(ecosystem) && version::Scheme::of_ecosystem(ecosystem.as_str()).is_some()
}

fn look_around(folder: &Path) -> Result<Vec<Ecosystem>, UpdateError> {
    let failed = |reason| FeedError::Io { path: folder.to_owned(), reason };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ecosystem = Ecosystem::new(&name);
        if entry.path().is_dir() && can_be_matched(&ecosystem) {
            all.push(ecosystem);
        }
    }
    all.sort_unstable();
    Ok(all)
}

fn from_directory(
    folder: &Path,
    from: &Path,
    ecosystem: &Ecosystem,
    now: jiff::Timestamp,
    progress: &dyn Progress,
) -> Result<Updated, UpdateError> {
    let directory = from.join(ecosystem.as_str());
    let archive = directory.join("all.zip");
    let source = directory.display().to_string();
    let known = current(folder, ecosystem).filter(|known| known.manifest.source == source);
    let single = |id: &str| single_in(&directory, id);
    let origin = Origin {
        folder,
        ecosystem,
        provenance: Provenance { source, fetched: now.to_string(), ..Provenance::default() },
        listing: list_in(&directory)?.map(read_list).transpose()?.flatten(),
        list_etag: None,
        known: known.as_ref(),
        single: &single,
    };
    progress.building(ecosystem);
    let besides = match origin.follow(Besides::Archive)? {
        Brought::UpToDate(updated) => return Ok(*updated),
        Brought::Archive(besides) => besides,
    };
    let builder = if archive.is_file() {
        feed::from_archive(&archive, ecosystem)?
    } else if directory.is_dir() {
        feed::from_folder(&directory, ecosystem)?
    } else if from.is_dir() {
        return Ok(not_there(ecosystem));
    } else {
        let reason = io::ErrorKind::NotFound.into();
        return Err(FeedError::Io { path: from.to_owned(), reason }.into());
    };
    origin.settle(builder, besides, Provenance::default())
}

fn from_url(
    folder: &Path,
    base: &str,
    ecosystem: &Ecosystem,
    client: &fetch::Client,
    now: jiff::Timestamp,
    progress: &dyn Progress,
) -> Result<Updated, UpdateError> {
    let directory = address(base, ecosystem);
    let url = format!("{directory}/all.zip");
    // What is here counts only if it is whole and came from the same address.
    let source = fetch::redact(&url);
    let known = current(folder, ecosystem).filter(|known| known.manifest.source == source);
    let manifest = known.as_ref().map(|known| &known.manifest);
    let (list, list_etag) = match (download::list(client, &directory, manifest)?, manifest) {
        (Listed::Same, Some(known)) => return unchanged(folder, known, now),
        (Listed::New { list, etag }, _) => (Some(list), etag),
        (Listed::NotThere | Listed::Same, _) => (None, None),
    };
    let single = |id: &str| Ok(download::single(client, &format!("{directory}/{id}.json"))?);
    let origin = Origin {
        folder,
        ecosystem,
        provenance: Provenance { source, fetched: now.to_string(), ..Provenance::default() },
        listing: list.map(read_list).transpose()?.flatten(),
        list_etag,
        known: known.as_ref(),
        single: &single,
    };
    let besides = match origin.follow(Besides::Archive)? {
        Brought::UpToDate(updated) => return Ok(*updated),
        Brought::Archive(besides) => besides,
    };
    let database = paths::database_path(folder, ecosystem)
        .ok_or_else(|| StorageError::Name(ecosystem.clone()))?;
    let part = paths::beside(&database.with_extension("zip"), "part");
    match download::archive(client, &url, manifest, &part, &|bytes, of| {
        progress.downloading(ecosystem, bytes, of);
    })? {
        Download::NotThere => Ok(not_there(ecosystem)),
        Download::Unchanged => match (manifest, origin.follow(besides.without_archive())?) {
            // The archive is older than the list: what it does not have yet was asked for, as far as
            // that goes.
            (_, Brought::UpToDate(updated)) => Ok(*updated),
            (Some(known), Brought::Archive(_)) => unchanged(folder, known, now),
            (None, Brought::Archive(_)) => Ok(not_there(ecosystem)),
        },
        Download::Done { etag, last_modified } => {
            progress.building(ecosystem);
            let builder = feed::from_archive(&part, ecosystem);
            download::forget(&part);
            origin.settle(
                builder?,
                besides,
                Provenance { etag, last_modified, ..Provenance::default() },
            )
        }
    }
}

/// A database that is there and whole.
struct Known {
    manifest: Manifest,
    database: Database,
}

fn read_list(list: List) -> Result<Option<Listing>, FollowError> {
    Ok(Listing::read(list)?)
}

/// The list of changes in a folder, if there is one.
fn list_in(directory: &Path) -> Result<Option<List>, UpdateError> {
    let path = directory.join("modified_id.csv");
    match files::open_found(&path) {
        Ok(file) => {
            let lines = Box::new(io::Read::take(file, MAX_LIST));
            let name = path.display().to_string();
            Ok(Some(List { name, lines, has_end: true }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(FeedError::Io { path, reason }.into()),
    }
}

fn single_in(directory: &Path, id: &str) -> Result<Single, UpdateError> {
    let path = directory.join(format!("{id}.json"));
    let mut bytes = Vec::new();
    match files::read_start(&path, MAX_SINGLE + 1, &mut bytes) {
        Ok(()) => Ok(Single::Bytes(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Single::NotThere),
        Err(reason) => Err(FeedError::Io { path, reason }.into()),
    }
}

/// Says that nothing has changed, and when that was asked.
fn unchanged(
    folder: &Path,
    known: &Manifest,
    now: jiff::Timestamp,
) -> Result<Updated, UpdateError> {
    let manifest = Manifest { fetched: now.to_string(), ..known.clone() };
    exchange::write_manifest(folder, &manifest)?;
    let ecosystem = manifest.ecosystem.clone();
    Ok(Updated { ecosystem, changed: Changed::Unchanged, manifest: Some(manifest) })
}

fn not_there(ecosystem: &Ecosystem) -> Updated {
    Updated { ecosystem: ecosystem.clone(), changed: Changed::NotThere, manifest: None }
}

/// A database that is there and whole, with its manifest.
fn current(folder: &Path, ecosystem: &Ecosystem) -> Option<Known> {
    let database = Database::open_whole(&paths::database_path(folder, ecosystem)?).ok()?;
    let manifest = Manifest::of(folder, ecosystem, &database)?;
    Some(Known { manifest, database })
}

/// How the databases of a folder stand, sorted by ecosystem. One that is damaged, or whose manifest
/// is not its own, is left out: it counts as missing.
#[must_use]
pub fn status(folder: &Path, now: jiff::Timestamp) -> Vec<DatabaseInfo> {
    manifests(folder).iter().map(|manifest| manifest.info(now)).collect()
}

/// The files of a folder that cannot be used, sorted, each with why: what [`status`] leaves out must not
/// read as if it had never been there.
#[must_use]
pub fn unusable(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut all: Vec<_> = database_files(folder)
        .filter_map(|path| {
            let reason = match Database::open_whole(&path) {
                Err(error) => error.to_string(),
                Ok(database) => foreign(folder, database.ecosystem(), &path, database.payload())?,
            };
            Some((path, reason))
        })
        .collect();
    for feed in crate::risk::RiskFeed::ALL {
        let path = paths::database_path(folder, &feed.name());
        let path = path.filter(|path| path.exists() && crate::risk::load(folder, feed).is_none());
        all.extend(path.map(|path| {
            let reason = format!("`{}` is not what its manifest says, or has none", path.display());
            (path, reason)
        }));
    }
    all.sort();
    all
}

/// Why a database does not belong where it lies, if it does not.
fn foreign(folder: &Path, ecosystem: &Ecosystem, path: &Path, payload: [u8; 32]) -> Option<String> {
    let shown = path.display();
    if paths::database_path(folder, ecosystem).as_deref() != Some(path) {
        return Some(format!("`{shown}` is a database of {ecosystem}, in the place of another"));
    }
    let own = Manifest::of_content(folder, ecosystem, payload);
    own.is_none().then(|| format!("`{shown}` is not what its manifest says, or has none"))
}

/// The first database of a folder whose start shows that it cannot be used: cheaper than [`unusable`],
/// which reads all of it.
pub(crate) fn first_foreign(folder: &Path) -> Option<DatabaseError> {
    let mut paths: Vec<PathBuf> = database_files(folder).collect();
    paths.sort_unstable();
    paths.into_iter().find_map(|path| match Head::open(&path) {
        Err(error) => Some(error),
        Ok(Head { ecosystem, payload }) => {
            foreign(folder, &ecosystem, &path, payload)?;
            let reason = "it is of another ecosystem, or not what its manifest says".to_owned();
            Some(DatabaseError::Foreign { path, reason })
        }
    })
}

/// The manifests of the feeds about exploitation that can be used.
pub(crate) fn risk_manifests(folder: &Path) -> Vec<Manifest> {
    let feeds = crate::risk::RiskFeed::ALL.into_iter();
    feeds.filter_map(|feed| crate::risk::load(folder, feed)).map(|(manifest, _)| manifest).collect()
}

fn database_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(paths::version_folder(folder)).into_iter().flatten();
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "lzdb"))
}

/// The manifests of all databases that can be used, sorted by ecosystem.
#[must_use]
pub fn manifests(folder: &Path) -> Vec<Manifest> {
    let mut all: Vec<Manifest> = database_files(folder)
        .filter_map(|path| {
            let Head { ecosystem, payload } = Head::open(&path).ok()?;
            let own = paths::database_path(folder, &ecosystem)? == path;
            Manifest::of_content(folder, &ecosystem, payload).filter(|_| own)
        })
        .collect();
    all.sort_by(|left, right| left.ecosystem.cmp(&right.ecosystem));
    all
}
