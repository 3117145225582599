//! Puts files in place so that a reader sees the old or the new one, never half of one, and two
//! updates do not write at the same time.

use crate::build::Built;
use crate::manifest::{self, Manifest};
use files::{Access, Folder};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
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
    /// Another process updates the same folder.
    #[error("another update of `{0}` is running; wait until it has finished")]
    Locked(PathBuf),
    /// The ecosystem's name cannot be a file name.
    #[error(
        "`{0}` is not the name of an ecosystem; see `lazaret db status` for those that are known"
    )]
    Name(Ecosystem),
}

/// Held while a folder is changed; let go when dropped, also when the process is killed.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Creates the folder, which others may read but not write, and locks it.
    pub(crate) fn take(folder: &Path) -> Result<Self, StorageError> {
        let folder = manifest::version_folder(folder);
        let path = folder.join(".lock");
        let failed = |reason| StorageError::Write { path: path.clone(), reason };
        files::create_folders(&folder).map_err(failed)?;
        let (held, name) = held(&path).map_err(failed)?;
        let file = held.file_to_grow(name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked(folder)),
            Err(TryLockError::Error(reason)) => Err(failed(reason)),
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
    replace(&path, &built.bytes)?;
    write_manifest(folder, &manifest)?;
    Ok(manifest)
}

/// Puts a manifest in place.
pub(crate) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), StorageError> {
    let path = manifest::manifest_path(folder, &manifest.ecosystem)
        .ok_or_else(|| StorageError::Name(manifest.ecosystem.clone()))?;
    let mut text = serde_json::to_vec_pretty(manifest)
        .map_err(|reason| StorageError::Write { path: path.clone(), reason: reason.into() })?;
    text.push(b'\n');
    replace(&path, &text)
}
