//! One portable file with all databases of a folder, for teams and for machines without a network.
//!
//! Export writes it, import checks all of it before anything in the folder changes.
//!
//! ```text
//! `LZDBPACK`, format version u32, count u32
//! for each database: length u32, manifest (JSON); length u64, database file
//! SHA-256 of all bytes before
//! ```
//! Numbers are little-endian.

use crate::database::Database;
use crate::download::{self, Download, DownloadError};
use crate::exchange;
use crate::manifest::Manifest;
use crate::paths;
use crate::risk::{self, RiskFeed};
use crate::storage::{self, Lock, StorageError};
use crate::update;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use vocabulary::Digest;

const MAGIC: [u8; 8] = *b"LZDBPACK";
const FORMAT: u32 = 1;
/// Most databases of one file; OSV defines some 40 ecosystems.
const MAX_DATABASES: u32 = 1024;
/// Largest manifest.
const MAX_MANIFEST: u32 = 1 << 16;
/// Largest database: what its offsets can reach in all its sections.
const MAX_DATABASE: u64 = 8 << 30;

/// Why databases could not be exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is nothing to export.
    #[error("`{0}` holds no database; run `lazaret db update` first")]
    Nothing(PathBuf),
    /// A database cannot be used.
    #[error("`{}` is not exported: {reason}; run `lazaret db update`", path.display())]
    Unusable {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot read or write `{path}`: {reason}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The file is not one that export wrote.
    #[error("`{0}` is not a database export, or is cut off; make it with `lazaret db export`")]
    NotABundle(PathBuf),
    /// Another version of the program wrote it.
    #[error("`{path}` has export format {format}, and this program reads format {FORMAT}")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The bytes are not those that were exported.
    #[error("`{path}` is damaged: its digest is {found}, and it states {expected}; fetch it again")]
    Digest {
        /// The file.
        path: PathBuf,
        /// What it states.
        expected: Digest,
        /// What its bytes give.
        found: Digest,
    },
    /// A database in it is not what its manifest says.
    #[error("`{path}` holds a database of {ecosystem} that does not fit its manifest: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Which database.
        ecosystem: String,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be put in place.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The server does not have it.
    #[error("`{0}` is not there; check the address")]
    NotThere(String),
}

/// Writes all databases of a folder into one file; gives the file's digest.
///
/// # Errors
/// Where there is none, or one is not what its manifest says, or the file cannot be written.
pub fn export(folder: &Path, file: &Path) -> Result<Digest, BundleError> {
    // What cannot be used must not look, to those who import, as if it had never been there.
    if let Some((path, reason)) = update::unusable(folder).into_iter().next() {
        return Err(BundleError::Unusable { path, reason });
    }
    let mut manifests = update::manifests(folder);
    if manifests.is_empty() {
        return Err(BundleError::Nothing(folder.to_owned()));
    }
    manifests.extend(update::risk_manifests(folder));
    let mut outcome = None;
    let written = files::write_whole(file, files::Access::Shared, |out| {
        let digest = write(folder, &manifests, file, out);
        let failed = digest.is_err();
        outcome = Some(digest);
        if failed { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    match (outcome, written) {
        (Some(Err(error)), _) => Err(error),
        (Some(digest), Ok(())) => digest,
        (_, written) => {
            let reason = written.err().unwrap_or(io::ErrorKind::Other.into());
            Err(BundleError::Io { path: file.to_owned(), reason })
        }
    }
}

fn write(
    folder: &Path,
    manifests: &[Manifest],
    target: &Path,
    file: &mut dyn io::Write,
) -> Result<Digest, BundleError> {
    let failed = |reason| BundleError::Io { path: target.to_owned(), reason };
    let (mut inside, mut whole) = (Sha256::new(), Sha256::new());
    let mut put = |bytes: &[u8], inside: &mut Sha256| {
        inside.update(bytes);
        whole.update(bytes);
        file.write_all(bytes).map_err(failed)
    };
    put(&MAGIC, &mut inside)?;
    put(&FORMAT.to_le_bytes(), &mut inside)?;
    put(&u32::try_from(manifests.len()).unwrap_or(u32::MAX).to_le_bytes(), &mut inside)?;
    for manifest in manifests {
        let Some(path) = paths::database_path(folder, &manifest.ecosystem) else { continue };
        let bytes = storage::read(&path, MAX_DATABASE)
            .map_err(|reason| BundleError::Io { path: path.clone(), reason })?;
        if Digest::of(&bytes) != manifest.digest {
            return Err(BundleError::Content {
                path,
                ecosystem: manifest.ecosystem.to_string(),
                reason: "its digest is another one; run `lazaret db update`".to_owned(),
            });
        }
        let text = serde_json::to_vec(manifest).map_err(|error| failed(error.into()))?;
        put(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes(), &mut inside)?;
        put(&text, &mut inside)?;
        put(&(bytes.len() as u64).to_le_bytes(), &mut inside)?;
        put(&bytes, &mut inside)?;
    }
    let digest = inside.finalize();
    put(&digest, &mut Sha256::new())?;
    Ok(Digest::sha256(whole.finalize().into()))
}

/// Puts the databases of an exported file in place; gives their manifests.
///
/// # Errors
/// Where the file is not one that export wrote, byte for byte. Nothing is changed then.
pub fn import(folder: &Path, file: &Path) -> Result<Vec<Manifest>, BundleError> {
    let _lock = Lock::take(folder)?;
    read(folder, file)
}

/// The same from a URL.
///
/// # Errors
/// As [`import`], and where the file cannot be downloaded.
pub fn import_url(
    folder: &Path,
    url: &str,
    client: &fetch::Client,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Vec<Manifest>, BundleError> {
    let _lock = Lock::take(folder)?;
    let part = paths::version_folder(folder).join("import.part");
    match download::archive(client, url, None, &part, progress)? {
        Download::Done { .. } => {
            let imported = read(folder, &part);
            download::forget(&part);
            imported
        }
        Download::Unchanged | Download::NotThere => Err(BundleError::NotThere(fetch::redact(url))),
    }
}

/// Reads the file twice: to hold it against its digest, then to take the databases out.
fn read(folder: &Path, path: &Path) -> Result<Vec<Manifest>, BundleError> {
    let failed = |reason| BundleError::Io { path: path.to_owned(), reason };
    let not_one = || BundleError::NotABundle(path.to_owned());
    let file = files::open_found(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let content = length.checked_sub(32).ok_or_else(not_one)?;
    verify(path, &file, content)?;

    let file = files::open_found(path).map_err(failed)?;
    let mut fields = Fields { from: BufReader::new(file).take(content) };
    fields.array::<8>().ok_or_else(not_one)?;
    fields.array::<4>().ok_or_else(not_one)?;
    let count = fields.array().map(u32::from_le_bytes).ok_or_else(not_one)?;
    if count > MAX_DATABASES {
        return Err(not_one());
    }
    let mut staged = Vec::new();
    for _ in 0..count {
        let one = fields.database(path, folder);
        match one {
            Ok(one) => staged.push(one),
            Err(error) => {
                discard(&staged);
                return Err(error);
            }
        }
    }
    for (manifest, beside, place) in &staged {
        let put = || {
            let put = storage::rename(beside, place);
            put.map_err(|reason| StorageError::Write { path: place.clone(), reason })
        };
        if let Err(error) = exchange::exchange(folder, manifest, put) {
            discard(&staged);
            return Err(error.into());
        }
    }
    Ok(staged.into_iter().map(|(manifest, ..)| manifest).collect())
}

/// A database that lies checked beside its place.
type Staged = (Manifest, PathBuf, PathBuf);

fn discard(staged: &[Staged]) {
    for (_, beside, _) in staged {
        storage::remove(beside);
    }
}

fn verify(path: &Path, file: &File, content: u64) -> Result<(), BundleError> {
    let failed = |reason| BundleError::Io { path: path.to_owned(), reason };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut head = [0; 12];
    reader.read_exact(&mut head).map_err(failed)?;
    let (magic, format) = head.split_at(8);
    if magic != MAGIC {
        return Err(BundleError::NotABundle(path.to_owned()));
    }
    let format = format.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
    if format != FORMAT {
        return Err(BundleError::OtherFormat { path: path.to_owned(), format });
    }
    let mut hasher = Sha256::new();
    hasher.update(head);
    let mut rest = (&mut reader).take(content.saturating_sub(head.len() as u64));
    loop {
        let piece = rest.fill_buf().map_err(failed)?;
        let count = piece.len();
        if count == 0 {
            break;
        }
        hasher.update(piece);
        rest.consume(count);
    }
    let mut stated = [0; 32];
    reader.read_exact(&mut stated).map_err(failed)?;
    let (expected, found) = (Digest::sha256(stated), Digest::sha256(hasher.finalize().into()));
    if expected == found {
        Ok(())
    } else {
        Err(BundleError::Digest { path: path.to_owned(), expected, found })
    }
}

struct Fields<From> {
    from: From,
}

impl<From: Read> Fields<From> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn bytes(&mut self, length: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.from).take(length).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 == length).then_some(bytes)
    }

    /// Takes one database out and lays it beside its place.
    fn database(&mut self, path: &Path, folder: &Path) -> Result<Staged, BundleError> {
        let not_one = || BundleError::NotABundle(path.to_owned());
        let length = self.array().map(u32::from_le_bytes).filter(|length| *length <= MAX_MANIFEST);
        let text = self.bytes(u64::from(length.ok_or_else(not_one)?)).ok_or_else(not_one)?;
        let manifest = Manifest::parse(&text).ok_or_else(not_one)?;
        let length = self.array().map(u64::from_le_bytes).filter(|length| *length <= MAX_DATABASE);
        let bytes = self.bytes(length.ok_or_else(not_one)?).ok_or_else(not_one)?;
        let wrong = |reason: String| BundleError::Content {
            path: path.to_owned(),
            ecosystem: manifest.ecosystem.to_string(),
            reason,
        };
        let place = paths::database_path(folder, &manifest.ecosystem)
            .ok_or_else(|| wrong("it is not the name of an ecosystem".to_owned()))?;
        if Digest::of(&bytes) != manifest.digest {
            return Err(wrong("its digest is another one".to_owned()));
        }
        let beside = paths::beside(&place, "import");
        if let Some(feed) = RiskFeed::named(manifest.ecosystem.as_str()) {
            let content =
                risk::content_of(feed, &bytes).map_err(|error| wrong(error.to_string()))?;
            if content != manifest.content || manifest.ecosystem != feed.name() {
                return Err(wrong("it is of another feed or content".to_owned()));
            }
            storage::replace(&beside, &bytes)?;
            return Ok((manifest, beside, place));
        }
        let database =
            Database::from_bytes(bytes.clone()).map_err(|error| wrong(error.to_string()))?;
        database
            .verify()
            .and_then(|()| database.check())
            .map_err(|error| wrong(error.to_string()))?;
        if database.ecosystem() != &manifest.ecosystem
            || Digest::sha256(database.payload()) != manifest.content
        {
            return Err(wrong("it is of another ecosystem or content".to_owned()));
        }
        storage::replace(&beside, &bytes)?;
        Ok((manifest, beside, place))
    }
}
