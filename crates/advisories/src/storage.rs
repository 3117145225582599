//! Puts files in place so that a reader sees the old or the new one, never half of one, and two
//! updates do not write at the same time.

use crate::build::Built;
use crate::manifest::{self, Manifest};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
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
    /// Creates the folder and locks it.
    pub(crate) fn take(folder: &Path) -> Result<Self, StorageError> {
        let folder = manifest::version_folder(folder);
        let path = folder.join(".lock");
        let failed = |reason| StorageError::Write { path: path.clone(), reason };
        fs::create_dir_all(&folder).map_err(failed)?;
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked(folder)),
            Err(TryLockError::Error(reason)) => Err(failed(reason)),
        }
    }
}

/// Writes a file beside its place, then moves it there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let beside = beside(path, "new");
    let written = write_through(&beside, bytes)
        .and_then(|()| fs::rename(&beside, path))
        .and_then(|()| path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()));
    written.map_err(|reason| {
        let _ = fs::remove_file(&beside);
        StorageError::Write { path: path.to_owned(), reason }
    })
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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
        digest: built.digest(),
        content: built.content(),
        bytes: built.bytes.len() as u64,
        records: built.records,
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
