//! Reads all records of one ecosystem, from an archive or from loose files, into a builder.
//!
//! In go the members of `all.zip` or the `*.json` of a folder, in the order of their names, so that
//! the same records give the same database whichever way they come.

use crate::build::Builder;
use crate::osv::{self, MAX_RECORD_BYTES};
use std::io;
use std::path::{Path, PathBuf};
use vocabulary::Ecosystem;
use zip::{ArchiveError, Bounds, LargeArchive};

/// Most loose files that are read from one folder.
const MAX_FILES: usize = 1_000_000;

/// What an archive of a feed may be.
pub(crate) const FEED: Bounds = Bounds {
    // The largest feed has some 300,000.
    entries: 4_000_000,
    // As many entries of about 100 bytes.
    directory: 512 << 20,
    // The whole public feed has some 50 GB.
    plain: 256 << 30,
    // Records of advisories, of two kilobytes each, shrink to a fifth. Deflate can reach 1,032.
    ratio: 200,
    grace: 256 << 20,
};

/// Why a feed cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The archive is damaged, or is none.
    #[error("cannot read `{path}`: {reason}")]
    Zip {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: ArchiveError,
    },
    /// None of the documents is a record.
    #[error("`{path}` holds no OSV record: the first document is {reason}")]
    NoRecords {
        /// Which.
        path: PathBuf,
        /// What is wrong with the first.
        reason: osv::OsvError,
    },
    /// More files than any feed has.
    #[error("`{0}` holds more than {MAX_FILES} files; give a folder of advisories")]
    TooManyFiles(PathBuf),
}

/// Reads an archive, `all.zip`.
pub(crate) fn from_archive(path: &Path, ecosystem: &Ecosystem) -> Result<Builder, FeedError> {
    let file = files::open_found(path)
        .map_err(|reason| FeedError::Io { path: path.to_owned(), reason })?;
    let failed = |reason| FeedError::Zip { path: path.to_owned(), reason };
    let archive = LargeArchive::open(file, &FEED).map_err(failed)?;
    let mut intake = Intake::new(ecosystem);
    archive
        .read(
            MAX_RECORD_BYTES,
            |name| name.ends_with(".json"),
            |name, bytes| intake.take(name, bytes),
        )
        .map_err(failed)?;
    intake.finish(path)
}

/// Reads the `*.json` directly in a folder.
pub(crate) fn from_folder(folder: &Path, ecosystem: &Ecosystem) -> Result<Builder, FeedError> {
    let failed = |path: &Path, reason| FeedError::Io { path: path.to_owned(), reason };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|reason| failed(folder, reason))? {
        let path = entry.map_err(|reason| failed(folder, reason))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
        if paths.len() > MAX_FILES {
            return Err(FeedError::TooManyFiles(folder.to_owned()));
        }
    }
    paths.sort_unstable();
    let mut intake = Intake::new(ecosystem);
    let mut bytes = Vec::new();
    for path in &paths {
        files::read_start(path, MAX_RECORD_BYTES + 1, &mut bytes)
            .map_err(|reason| failed(path, reason))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        intake.take(&name, &bytes);
    }
    intake.finish(folder)
}

/// Takes documents; one that is no record is counted and does not stop the others.
struct Intake {
    builder: Builder,
    taken: u64,
    first_error: Option<osv::OsvError>,
}

impl Intake {
    fn new(ecosystem: &Ecosystem) -> Self {
        Self { builder: Builder::new(ecosystem.clone()), taken: 0, first_error: None }
    }

    fn take(&mut self, name: &str, bytes: &[u8]) {
        match osv::parse_record(bytes) {
            Ok(record) => {
                self.taken += 1;
                self.builder.add(&record);
            }
            Err(error) => {
                let stem = name.rsplit('/').next().unwrap_or(name);
                self.builder.skip_malformed(stem.strip_suffix(".json").unwrap_or(stem), 0);
                self.first_error.get_or_insert(error);
            }
        }
    }

    fn finish(self, path: &Path) -> Result<Builder, FeedError> {
        match self.first_error {
            Some(reason) if self.taken == 0 => {
                Err(FeedError::NoRecords { path: path.to_owned(), reason })
            }
            _ => Ok(self.builder),
        }
    }
}
