//! Puts files in place so that a reader sees the old or the new one, never half of one, and two
//! updates do not write at the same time.

use crate::build::Built;
use crate::manifest::{self, Manifest};
use files::{Access, Folder};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vocabulary::Ecosystem;

/// Why a file could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It cannot be written.
    #[error("cannot write `{path}`: {reason}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// Another process updates the same folder, and does not end.
    #[error(
        "another update of `{0}` is running, and was waited for in vain; end it, and run it again"
    )]
    Locked(PathBuf),
    /// The ecosystem's name cannot be a file name.
    #[error(
        "`{0}` is not the name of an ecosystem; see `lazaret db status` for those that are known"
    )]
    Name(Ecosystem),
}

/// How long another update is waited for: as long as one of all ecosystems takes on a slow line. A
/// command with `--timeout` ends before.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How often it is looked whether it has ended.
const TURN: Duration = Duration::from_millis(50);

/// Held while a folder is changed; let go when dropped, also when the process is killed.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    /// Whether another one had it first.
    pub(crate) waited: bool,
}

impl Lock {
    /// Creates the folder, which others may read but not write, and locks it as soon as nobody else has
    /// it.
    pub(crate) fn take(folder: &Path) -> Result<Self, StorageError> {
        Self::take_within(folder, PATIENCE)
    }

    fn take_within(folder: &Path, patience: Duration) -> Result<Self, StorageError> {
        let folder = manifest::version_folder(folder);
        let path = folder.join(".lock");
        let failed = |reason| StorageError::Write { path: path.clone(), reason };
        files::create_folders(&folder).map_err(failed)?;
        let (held, name) = held(&path).map_err(failed)?;
        let file = held.file_to_grow(name).map_err(failed)?;
        let start = Instant::now();
        let mut waited = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file, waited }),
                Err(TryLockError::WouldBlock) if start.elapsed() >= patience => {
                    return Err(StorageError::Locked(folder));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(TURN),
                Err(TryLockError::Error(reason)) => return Err(failed(reason)),
            }
            waited = true;
        }
    }
}

/// When the databases of a folder were fetched, before another update was waited for.
#[derive(Debug)]
pub(crate) struct Before(Vec<Manifest>);

impl Before {
    pub(crate) fn of(folder: &Path) -> Self {
        let entries = std::fs::read_dir(manifest::version_folder(folder)).into_iter().flatten();
        let paths = entries.flatten().map(|entry| entry.path());
        let manifests =
            paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        Self(manifests.filter_map(|path| Manifest::read(&path)).collect())
    }

    /// Whether a manifest was written since.
    pub(crate) fn is_renewed(&self, manifest: &Manifest) -> bool {
        !self.0.contains(manifest)
    }
}

/// The folder of a file of ours, which nobody else may write, and the file's name in it.
pub(crate) fn held(path: &Path) -> io::Result<(Folder, &str)> {
    let name =
        path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    Ok((Folder::trusted(folder)?, name))
}

/// Reads a file of ours whole: what happens to it afterwards concerns nobody. It is refused where
/// anybody else may write it.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (folder, name) = held(path)?;
    folder.read_trusted(name, limit)
}

/// Opens a file of ours to be read at any place: what takes its name afterwards concerns nobody. It is
/// refused where anybody else may write it.
pub(crate) fn file(path: &Path) -> io::Result<File> {
    let (folder, name) = held(path)?;
    folder.file_trusted(name)
}

/// The length of such a file, and its first bytes.
pub(crate) fn start(path: &Path, count: u64) -> io::Result<(u64, Vec<u8>)> {
    let (folder, name) = held(path)?;
    let file = folder.file_trusted(name)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, count), &mut bytes)?;
    Ok((length, bytes))
}

/// Writes a file whole, so that a reader sees the old or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let written = held(path).and_then(|(folder, name)| folder.write(name, bytes, Access::Shared));
    written.map_err(|reason| StorageError::Write { path: path.to_owned(), reason })
}

/// Gives a file of ours another name in its folder, and replaces what has that.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let ((folder, from), (_, to)) = (held(from)?, held(to)?);
    folder.rename(from, to)?;
    folder.sync();
    Ok(())
}

/// Removes a file of ours, where it is there.
pub(crate) fn remove(path: &Path) {
    let _ = held(path).and_then(|(folder, name)| folder.remove(name));
}

/// The name of a file that lies beside another while that is made.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Where a database came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Provenance {
    pub(crate) source: String,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) list_etag: Option<String>,
    pub(crate) behind: u64,
    pub(crate) fetched: String,
}

/// Puts a database and its manifest in place.
pub(crate) fn install(
    folder: &Path,
    ecosystem: &Ecosystem,
    built: &Built,
    provenance: Provenance,
) -> Result<Manifest, StorageError> {
    let name = || StorageError::Name(ecosystem.clone());
    let path = manifest::database_path(folder, ecosystem).ok_or_else(name)?;
    let manifest = Manifest {
        schema: manifest::SCHEMA.to_owned(),
        ecosystem: ecosystem.clone(),
        source: provenance.source,
        etag: provenance.etag,
        last_modified: provenance.last_modified,
        list_etag: provenance.list_etag,
        behind: provenance.behind,
        digest: built.digest(),
        content: built.content(),
        bytes: built.bytes.len() as u64,
        records: built.records,
        malformed: built.dropped.malformed,
        fetched: provenance.fetched,
    };
    exchange(folder, &manifest, || replace(&path, &built.bytes))?;
    Ok(manifest)
}

/// Puts a database in place, so that whoever reads it meanwhile finds a manifest that speaks of it.
pub(crate) fn exchange<Error: From<StorageError>>(
    folder: &Path,
    manifest: &Manifest,
    put: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    let own = manifest::manifest_path(folder, &manifest.ecosystem)
        .ok_or_else(|| StorageError::Name(manifest.ecosystem.clone()))?;
    let next = manifest::next_path(&own);
    write_manifest_to(&next, manifest)?;
    put()?;
    write_manifest_to(&own, manifest)?;
    remove(&next);
    Ok(())
}

/// Puts a manifest in place.
pub(crate) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), StorageError> {
    let path = manifest::manifest_path(folder, &manifest.ecosystem)
        .ok_or_else(|| StorageError::Name(manifest.ecosystem.clone()))?;
    write_manifest_to(&path, manifest)
}

fn write_manifest_to(path: &Path, manifest: &Manifest) -> Result<(), StorageError> {
    let mut text = serde_json::to_vec_pretty(manifest)
        .map_err(|reason| StorageError::Write { path: path.to_owned(), reason: reason.into() })?;
    text.push(b'\n');
    replace(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_update_waits_for_another_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        assert!(!first.waited);
        let error = Lock::take_within(folder.path(), Duration::from_millis(120)).unwrap_err();
        assert!(matches!(error, StorageError::Locked(_)), "{error}");
        let second = std::thread::spawn({
            let folder = folder.path().to_owned();
            move || Lock::take(&folder).unwrap().waited
        });
        std::thread::sleep(Duration::from_millis(200));
        drop(first);
        assert!(second.join().unwrap());
    }
}
