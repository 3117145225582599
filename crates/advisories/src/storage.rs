//! Puts files in place so that a reader sees the old or the new one, never half of one, and two
//! updates do not write at the same time.

use crate::paths;
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
        let folder = paths::version_folder(folder);
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
