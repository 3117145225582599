//! Takes databases of an artefact into a folder: only those that are not here already, each whole or
//! not at all.

use super::{ArtefactError, Contents, Part};
use crate::database::Database;
use crate::dropped::Dropped;
use crate::exchange;
use crate::manifest::Manifest;
use crate::paths;
use crate::risk::{self, RiskFeed};
use crate::storage::{self, Lock, StorageError};
use crate::update::{self, Changed, Progress, Updated};
use files::Access;
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Write as _};
use std::path::Path;
use vocabulary::{Digest, Ecosystem};

/// How far clocks may differ.
const CLOCKS: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Where the layers lie.
pub trait Blobs {
    /// A blob, read as it comes. Neither its digest nor its size need be held against it.
    ///
    /// # Errors
    /// Where it cannot be had.
    fn blob(&self, digest: &Digest, size: u64) -> io::Result<Box<dyn Read>>;
}

/// How it is taken.
#[derive(Clone, Copy, Debug)]
pub struct PullOptions {
    /// Take databases that are older than those that are here.
    pub allow_older: bool,
    /// The present time.
    pub now: jiff::Timestamp,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// What was wanted, in order.
    pub updates: Vec<Updated>,
    /// What was fetched, in bytes.
    pub bytes: u64,
    /// Databases that are here and not in the artefact, where all of it was wanted; with their times.
    pub kept: Vec<(Ecosystem, String)>,
}

/// Takes the named databases, or all. Nothing is fetched before all of them are known to be newer than
/// what is here; the first that fails ends it, and those before it are done.
///
/// # Errors
/// Where a database is older than the one that is here, is not what the artefact says, or cannot be
/// put in place.
pub fn pull(
    folder: &Path,
    contents: &Contents,
    wanted: &[Ecosystem],
    blobs: &dyn Blobs,
    options: PullOptions,
    progress: &dyn Progress,
) -> Result<Pulled, ArtefactError> {
    let place = &contents.place;
    if contents.created > options.now.checked_add(CLOCKS).unwrap_or(options.now) {
        let time = contents.created.to_string();
        return Err(ArtefactError::Future { place: place.clone(), time });
    }
    let _lock = Lock::take(folder)?;
    let all: Vec<Ecosystem> =
        contents.parts.iter().map(|part| part.manifest.ecosystem.clone()).collect();
    let names = if wanted.is_empty() { &all } else { wanted };
    let parts = names.iter().map(|name| {
        let part = contents.parts.iter().find(|part| part.manifest.ecosystem == *name);
        (name, part, held(folder, name))
    });
    let parts: Vec<_> = parts.collect();
    for (_, part, held) in &parts {
        if let (Some(part), Some(held), false) = (part, held, options.allow_older) {
            refuse_older(place, part, held, options.now)?;
        }
    }
    let mut pulled = Pulled::default();
    for (ecosystem, part, held) in parts {
        pulled.updates.push(match part {
            None => {
                let ecosystem = ecosystem.clone();
                Updated { ecosystem, changed: Changed::NotThere, manifest: None }
            }
            Some(part) => {
                let taking = Taking { folder, place, part, blobs, progress, now: options.now };
                taking.take(held, &mut pulled.bytes)?
            }
        });
    }
    if wanted.is_empty() {
        let mut here = update::manifests(folder);
        here.extend(update::risk_manifests(folder));
        let gone = here.into_iter().filter(|manifest| !all.contains(&manifest.ecosystem));
        pulled.kept = gone.map(|manifest| (manifest.ecosystem, manifest.fetched)).collect();
    }
    Ok(pulled)
}

/// What is here, if it is whole.
fn held(folder: &Path, ecosystem: &Ecosystem) -> Option<Manifest> {
    if let Some(feed) = RiskFeed::named(ecosystem.as_str()) {
        return risk::load(folder, feed).map(|(manifest, _)| manifest);
    }
    let database = Database::open(&paths::database_path(folder, ecosystem)?).ok()?;
    Manifest::of(folder, ecosystem, &database)
}

/// The same content is never older.
fn refuse_older(
    place: &str,
    part: &Part,
    held: &Manifest,
    now: jiff::Timestamp,
) -> Result<(), ArtefactError> {
    let time = |manifest: &Manifest| manifest.fetched.parse::<jiff::Timestamp>().ok();
    // What is here from a future that no artefact is taken from was made by a wrong clock, and says
    // nothing of what is newer.
    let is_ahead = time(held).is_some_and(|time| time.duration_since(now) > CLOCKS);
    if held.digest == part.manifest.digest || is_ahead || time(&part.manifest) >= time(held) {
        return Ok(());
    }
    Err(ArtefactError::Older {
        place: place.to_owned(),
        ecosystem: held.ecosystem.to_string(),
        offered: part.manifest.fetched.clone(),
        held: held.fetched.clone(),
    })
}

struct Taking<'a> {
    folder: &'a Path,
    place: &'a str,
    part: &'a Part,
    blobs: &'a dyn Blobs,
    progress: &'a dyn Progress,
    now: jiff::Timestamp,
}

impl Taking<'_> {
    fn take(&self, held: Option<Manifest>, fetched: &mut u64) -> Result<Updated, ArtefactError> {
        let offered = &self.part.manifest;
        let ecosystem = offered.ecosystem.clone();
        let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let mut manifest = Manifest {
            source: self.place.to_owned(),
            etag: None,
            last_modified: None,
            ..offered.clone()
        };
        if let Some(held) = held.filter(|held| held.digest == offered.digest) {
            // Whoever of the two asked the source last knows that it has not changed since.
            let is_past = time(&held.fetched) <= Some(self.now);
            if is_past && time(&held.fetched) > time(&manifest.fetched) {
                manifest.fetched = held.fetched;
            }
            exchange::write_manifest(self.folder, &manifest)?;
            let manifest = Some(manifest);
            return Ok(Updated { ecosystem, changed: Changed::Unchanged, manifest });
        }
        exchange::exchange(self.folder, &manifest, || self.install())?;
        *fetched = fetched.saturating_add(self.part.blob.size);
        let dropped = Dropped { malformed: manifest.malformed, ..Dropped::default() };
        Ok(Updated {
            ecosystem,
            changed: Changed::Built { dropped, behind: manifest.behind },
            manifest: Some(manifest),
        })
    }

    /// Fetches the layer beside its place, holds it against all that is said of it, and moves it there.
    fn install(&self) -> Result<(), ArtefactError> {
        let ecosystem = &self.part.manifest.ecosystem;
        let path = paths::database_path(self.folder, ecosystem)
            .ok_or_else(|| StorageError::Name(ecosystem.clone()))?;
        let beside = paths::beside(&path, "pull");
        let checked = self
            .fetch(&beside)
            .and_then(|()| self.check(&beside))
            .inspect_err(|_| storage::remove(&beside));
        checked.map_err(|reason| ArtefactError::Blob {
            place: self.place.to_owned(),
            ecosystem: ecosystem.to_string(),
            reason,
        })?;
        storage::rename(&beside, &path)
            .map_err(|reason| StorageError::Write { path, reason }.into())
    }

    fn fetch(&self, beside: &Path) -> Result<(), String> {
        let Part { manifest, blob, packed } = self.part;
        let unwritten = |error: io::Error| format!("`{}`: {error}", beside.display());
        let from = self.blobs.blob(&blob.digest, blob.size).map_err(|error| error.to_string())?;
        let mut from = Counted { from, hash: Sha256::new(), count: 0, limit: blob.size };
        let (folder, name) = storage::held(beside).map_err(unwritten)?;
        let mut file = folder.whole_file(name, Access::Shared).map_err(unwritten)?;
        let (mut hash, mut count) = (Sha256::new(), 0_u64);
        let mut plain: Box<dyn Read + '_> = match packed {
            true => Box::new(GzDecoder::new(&mut from)),
            false => Box::new(&mut from),
        };
        let mut buffer = vec![0; PIECE];
        loop {
            let read = plain.read(&mut buffer).map_err(|error| error.to_string())?;
            let piece = buffer.get(..read).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            count = count.saturating_add(read as u64);
            if count > manifest.bytes {
                return Err(format!(
                    "it has more than the {} bytes it should have",
                    manifest.bytes
                ));
            }
            hash.update(piece);
            file.write_all(piece).map_err(unwritten)?;
            self.progress.downloading(&manifest.ecosystem, count, Some(manifest.bytes));
        }
        drop(plain);
        // What follows the packed stream is a part of the blob, too.
        io::copy(&mut from, &mut io::sink()).map_err(|error| error.to_string())?;
        let found = Digest::sha256(from.hash.finalize().into());
        if from.count != blob.size || found != blob.digest {
            return Err(format!("its layer is {found}, and should be {}", blob.digest));
        }
        let found = Digest::sha256(hash.finalize().into());
        if count != manifest.bytes || found != manifest.digest {
            return Err(format!("its file is {found}, and should be {}", manifest.digest));
        }
        file.commit().map_err(unwritten)
    }

    /// Whether the file is the database that it should be.
    fn check(&self, beside: &Path) -> Result<(), String> {
        let manifest = &self.part.manifest;
        let other = || "it is of another ecosystem or content than it should be".to_owned();
        if let Some(feed) = RiskFeed::named(manifest.ecosystem.as_str()) {
            let bytes = storage::read(beside, manifest.bytes).map_err(|error| error.to_string())?;
            let content = risk::content_of(feed, &bytes).map_err(|error| error.to_string())?;
            let same = content == manifest.content && manifest.ecosystem == feed.name();
            return if same { Ok(()) } else { Err(other()) };
        }
        let database = Database::open(beside).map_err(|error| error.to_string())?;
        database.check().map_err(|error| error.to_string())?;
        let same = database.ecosystem() == &manifest.ecosystem
            && Digest::sha256(database.payload()) == manifest.content
            && database.records() == manifest.records;
        if same { Ok(()) } else { Err(other()) }
    }
}

/// Counts and hashes what is read, and reads no more than it may.
struct Counted {
    from: Box<dyn Read>,
    hash: Sha256,
    count: u64,
    limit: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.count = self.count.saturating_add(read as u64);
        if self.count > self.limit {
            let text = format!("it has more than the {} bytes that the manifest says", self.limit);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
