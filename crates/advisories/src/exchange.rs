//! Puts a database in place together with its manifest, so that whoever reads meanwhile finds both of one
//! state.

use crate::build::Built;
use crate::manifest::{self, Manifest};
use crate::paths;
use crate::storage::{StorageError, remove, replace};
use std::path::Path;
use vocabulary::Ecosystem;

/// When the databases of a folder were fetched, before another update was waited for.
#[derive(Debug)]
pub(crate) struct Before(Vec<Manifest>);

impl Before {
    pub(crate) fn of(folder: &Path) -> Self {
        let entries = std::fs::read_dir(paths::version_folder(folder)).into_iter().flatten();
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
    let path = paths::database_path(folder, ecosystem).ok_or_else(name)?;
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
    let own = paths::manifest_path(folder, &manifest.ecosystem)
        .ok_or_else(|| StorageError::Name(manifest.ecosystem.clone()))?;
    let next = paths::next_path(&own);
    write_manifest_to(&next, manifest)?;
    put()?;
    write_manifest_to(&own, manifest)?;
    remove(&next);
    Ok(())
}

/// Puts a manifest in place.
pub(crate) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), StorageError> {
    let path = paths::manifest_path(folder, &manifest.ecosystem)
        .ok_or_else(|| StorageError::Name(manifest.ecosystem.clone()))?;
    write_manifest_to(&path, manifest)
}

fn write_manifest_to(path: &Path, manifest: &Manifest) -> Result<(), StorageError> {
    let mut text = serde_json::to_vec_pretty(manifest)
        .map_err(|reason| StorageError::Write { path: path.to_owned(), reason: reason.into() })?;
    text.push(b'\n');
    replace(path, &text)
}
