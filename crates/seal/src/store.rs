//! The store of seals: a folder outside of any engine.
//!
//! In go seals, out come seals, and findings where they are not what was written. `log` only grows;
//! `head` names its last entry; `records` holds the documents by their digests; `keys` the public keys
//! that sealed here. One writer at a time (`lock`); readers need no lock, as what is not acknowledged
//! is not read.

use crate::dsse::{Envelope, EnvelopeError, pae};
use crate::key::{KeyError, SigningKey, VerifyingKey};
use crate::log::{self, Head, Log, Seal};
use crate::merkle::Tree;
use crate::name::Name;
use crate::statement::{
    DocumentSummary, Facts, RecordSummary, ScanSummary, Signer, Statement, StatementError,
};
use files::{Access, Folder};
use record::{RecordError, stored};
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use vocabulary::{Digest, FileRecord, Layer, Package, Subject};

/// Bytes of the log: some fifty thousand seals.
pub const LOG_BYTES: u64 = 256 << 20;

/// Bytes of `head`, which has some hundred.
const HEAD_BYTES: u64 = 4 << 10;

const RECORDS: &str = "records";
const KEYS_FOLDER: &str = "keys";
/// How the name of a key's file ends.
const PUBLIC: &str = ".pub";

/// Keys that are trusted at once; each is tried with each signature.
const KEYS: usize = 1_000;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("cannot use `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is larger than it may be.
    #[error("`{path}` is larger than {limit} bytes; refusing to read it")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// Nothing is added to a store that is damaged: it would hide the damage.
    #[error("the store in `{0}` is damaged; see `lazaret seals check`, and restore it from a copy")]
    Damaged(PathBuf),
    /// A document is not what was sealed.
    #[error("`{path}` is not what was sealed: it has {found}, the seal says {expected}")]
    Differs {
        /// The file.
        path: PathBuf,
        /// What the seal says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The counter cannot grow.
    #[error("the counter of `{0}` cannot grow any more; the store holds a forged seal")]
    Counter(String),
    /// A record is not valid.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The packages cannot be read or written.
    #[error("the list of packages is not valid: {0}")]
    Packages(#[source] serde_json::Error),
    /// The statement is not valid.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The envelope is not valid.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What is to be sealed.
#[derive(Clone, Debug)]
pub struct Draft<'draft> {
    /// The image.
    pub subject: &'draft Subject,
    /// Its layers, bottom first.
    pub layers: &'draft [Layer],
    /// Its files with their digests, in the order of their paths.
    pub files: &'draft [FileRecord],
    /// Its packages.
    pub packages: &'draft [Package],
    /// What a scan found.
    pub scan: Option<ScanSummary>,
    /// The name under which it is sealed.
    pub name: &'draft Name,
    /// Now, RFC 3339, UTC.
    pub time: &'draft str,
}

/// Why a seal does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No key is trusted.
    #[error("no key is trusted here; give the public key of the sealer with --key")]
    NoKey,
    /// None of the trusted keys made one of its signatures.
    #[error("it is not signed by a trusted key; it says that `{0}` signed it")]
    Untrusted(String),
    /// It names another signer than the one whose signature it has.
    #[error("`{signed}` signed it, but it says `{said}`")]
    Signer {
        /// Whose signature it is.
        signed: String,
        /// What the statement says.
        said: String,
    },
}

impl Seal {
    /// Which of the keys signed it.
    ///
    /// # Errors
    /// Where none did.
    pub fn verify<'keys>(
        &self,
        keys: &'keys [VerifyingKey],
    ) -> Result<&'keys VerifyingKey, SignatureError> {
        if keys.is_empty() {
            return Err(SignatureError::NoKey);
        }
        let signed = pae(&self.envelope.payload);
        let said = &self.statement.predicate.signer;
        let key = keys.iter().find(|key| {
            self.envelope.signatures.iter().any(|one| key.verifies(&signed, &one.bytes))
        });
        let key = key.ok_or_else(|| SignatureError::Untrusted(said.fingerprint.clone()))?;
        if key.fingerprint() != said.fingerprint || key.kind().name() != said.kind {
            return Err(SignatureError::Signer {
                signed: key.fingerprint(),
                said: said.fingerprint.clone(),
            });
        }
        Ok(key)
    }
}

/// The documents of a seal, held against its digests.
#[derive(Clone, Debug)]
pub struct SealedRecord {
    record: Vec<u8>,
    packages: Vec<u8>,
    entries: u64,
}

impl SealedRecord {
    /// The files, in the order of their paths. They are unpacked one at a time.
    pub fn files(&self) -> impl Iterator<Item = FileRecord> + '_ {
        // They were all read once when the record was loaded.
        stored::read(&self.record).into_iter().flatten().map_while(Result::ok)
    }

    /// How many files there are.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The packages.
    ///
    /// # Errors
    /// Where the document is not a list of packages.
    pub fn packages(&self) -> Result<Vec<Package>, StoreError> {
        let plain = stored::unpack(&self.packages, stored::PLAIN_BYTES)?;
        serde_json::from_slice(&plain).map_err(StoreError::Packages)
    }

    /// The stored bytes of the record of files.
    #[must_use]
    pub fn stored(&self) -> &[u8] {
        &self.record
    }

    /// The stored bytes of the list of packages.
    #[must_use]
    pub fn stored_packages(&self) -> &[u8] {
        &self.packages
    }
}

/// A store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// None where it is not there.
    folder: Option<Folder>,
    log: Log,
}

impl Store {
    /// Opens the store in a folder; one that is not there is an empty one.
    ///
    /// # Errors
    /// Where it cannot be read, or others may write it: who writes here says what is sealed. Damage is
    /// no error here: [`Self::check`] tells of it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let folder = match Folder::trusted(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(StoreError::Io { path, source }),
            Ok(folder) => Some(folder),
        };
        let mut store = Self { path, folder, log: Log::default() };
        store.log = store.load_log()?;
        Ok(store)
    }

    /// The seals, oldest first, as far as the log can be read. None is verified.
    #[must_use]
    pub fn all(&self) -> &[Seal] {
        &self.log.seals
    }

    /// The last entry: kept elsewhere, its digest shows whether anything was taken away.
    #[must_use]
    pub const fn head(&self) -> Option<&Head> {
        self.log.head.as_ref()
    }

    /// The newest seal of a repository.
    #[must_use]
    pub fn newest(&self, repository: &str) -> Option<&Seal> {
        self.of(repository).max_by_key(|seal| (seal.statement.predicate.counter, seal.entry))
    }

    /// The newest seal of a repository under a tag.
    #[must_use]
    pub fn newest_under(&self, name: &Name) -> Option<&Seal> {
        self.of(&name.repository)
            .filter(|seal| seal.statement.predicate.tag == name.tag)
            .max_by_key(|seal| (seal.statement.predicate.counter, seal.entry))
    }

    /// All seals of a repository, oldest first.
    pub fn of(&self, repository: &str) -> impl Iterator<Item = &Seal> {
        self.all().iter().filter(move |seal| seal.statement.predicate.repository == repository)
    }

    /// All seals of an image, oldest first.
    pub fn by_image(&self, config_digest: &Digest) -> impl Iterator<Item = &Seal> {
        self.all()
            .iter()
            .filter(move |seal| &seal.statement.predicate.config_digest == config_digest)
    }

    /// The keys that sealed here, sorted.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn trusted(&self) -> Result<Vec<VerifyingKey>, StoreError> {
        let path = self.path.join(KEYS_FOLDER);
        let fail = |source| StoreError::Io { path: path.clone(), source };
        let Some(folder) = self.below(KEYS_FOLDER).map_err(fail)? else { return Ok(Vec::new()) };
        let mut names: Vec<String> =
            folder.entries().map_err(fail)?.into_iter().map(|(name, _)| name).collect();
        names.retain(|name| name.ends_with(PUBLIC));
        names.sort();
        let mut keys = Vec::new();
        for name in names.iter().take(KEYS) {
            let file = path.join(name);
            let bytes = folder.read(Path::new(name), crate::key::KEY_BYTES);
            let bytes = bytes.map_err(|error| failed(&file, crate::key::KEY_BYTES, error))?;
            let invalid = |reason| KeyError::Invalid { file, reason };
            keys.extend(VerifyingKey::parse(&bytes).map_err(invalid)?);
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Seals: writes the documents, signs, and appends to the log.
    ///
    /// # Errors
    /// Where the store is damaged or cannot be written, the image cannot be sealed, or the key does
    /// not sign.
    pub fn seal(&mut self, draft: &Draft<'_>, key: &SigningKey) -> Result<Seal, StoreError> {
        let stored = stored::write(draft.files)?;
        let mut tree = Tree::default();
        draft.files.iter().for_each(|file| tree.push(file));
        let packages = serde_json::to_vec(draft.packages).map_err(StoreError::Packages)?;
        let packages = stored::pack(&packages)?;
        let _lock = self.lock()?;
        self.log = self.load_log()?;
        if !self.log.damages.is_empty() {
            return Err(StoreError::Damaged(self.path.clone()));
        }
        let newest = self.newest(&draft.name.repository);
        let counter = newest
            .map_or(0, |seal| seal.statement.predicate.counter)
            .checked_add(1)
            .ok_or_else(|| StoreError::Counter(draft.name.repository.clone()))?;
        let statement = Statement::new(Facts {
            subject: draft.subject,
            layers: draft.layers,
            record: RecordSummary {
                merkle_root: tree.root(),
                entries: tree.leaves(),
                digest: Digest::of(&stored),
            },
            packages: DocumentSummary {
                count: draft.packages.len() as u64,
                digest: Digest::of(&packages),
            },
            scan: draft.scan.clone(),
            name: draft.name,
            counter,
            time: draft.time,
            signer: Signer {
                kind: key.public().kind().name().to_owned(),
                fingerprint: key.public().fingerprint(),
            },
        })?;
        let payload = statement.to_json()?;
        let signature = key.sign(&pae(&payload))?;
        let envelope = Envelope { payload, signatures: vec![signature] };
        self.keep(&stored)?;
        self.keep(&packages)?;
        self.trust(key.public())?;
        self.append(envelope, statement)
    }

    /// The documents of a seal.
    ///
    /// # Errors
    /// Where they are not there, or not what was sealed.
    pub fn load(&self, seal: &Seal) -> Result<SealedRecord, StoreError> {
        let predicate = &seal.statement.predicate;
        let record = self.document(&predicate.record.digest)?;
        let packages = self.document(&predicate.packages.digest)?;
        let mut tree = Tree::default();
        for file in stored::read(&record)? {
            tree.push(&file?);
        }
        let said = (&predicate.record.merkle_root, predicate.record.entries);
        let root = tree.root();
        if (&root, tree.leaves()) != said {
            return Err(StoreError::Differs {
                path: self.path_of(&predicate.record.digest),
                expected: format!("{} files with the root {}", said.1, said.0),
                found: format!("{} files with the root {root}", tree.leaves()),
            });
        }
        Ok(SealedRecord { record, packages, entries: tree.leaves() })
    }

    /// What of the log is not as it was written.
    pub(crate) fn damaged(&self) -> &[log::Damage] {
        &self.log.damages
    }

    pub(crate) fn path_of(&self, digest: &Digest) -> PathBuf {
        self.path.join(RECORDS).join(digest.hex())
    }

    fn document(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path_of(digest);
        let bytes = self.read(&format!("{RECORDS}/{}", digest.hex()), stored::STORED_BYTES)?;
        let found = Digest::of(&bytes);
        if &found != digest {
            let (expected, found) = (digest.to_string(), found.to_string());
            return Err(StoreError::Differs { path, expected, found });
        }
        Ok(bytes)
    }

    /// Keeps a document under its digest.
    fn keep(&self, stored: &[u8]) -> Result<(), StoreError> {
        let digest = Digest::of(stored);
        if self.document(&digest).is_ok() {
            return Ok(());
        }
        self.write(Some(RECORDS), &digest.hex(), stored)
    }

    fn trust(&self, key: &VerifyingKey) -> Result<(), StoreError> {
        let name = format!("{}{PUBLIC}", Digest::of(key.fingerprint().as_bytes()).hex());
        let text = key.to_text();
        let there = self.read(&format!("{KEYS_FOLDER}/{name}"), crate::key::KEY_BYTES);
        if there.is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        self.write(Some(KEYS_FOLDER), &name, text.as_bytes())
    }

    /// One writer at a time; waits for its turn. Makes the store where there is none.
    fn lock(&mut self) -> Result<File, StoreError> {
        let fail = |path: &Path, source| StoreError::Io { path: path.to_owned(), source };
        let folder = Folder::own(&self.path).map_err(|error| fail(&self.path, error))?;
        for name in [RECORDS, KEYS_FOLDER] {
            folder.own_folder(name).map_err(|error| fail(&self.path.join(name), error))?;
        }
        let path = self.path.join("lock");
        let file = folder.file_to_grow("lock").map_err(|error| fail(&path, error))?;
        file.lock().map_err(|error| fail(&path, error))?;
        self.folder = Some(folder);
        Ok(file)
    }

    /// A folder of the store that nobody else may write; none where it is not there.
    fn below(&self, name: &str) -> io::Result<Option<Folder>> {
        let Some(folder) = &self.folder else { return Ok(None) };
        match folder.trusted_folder(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Reads a file of the store, by its path in it. A pipe or device in its place is refused: it
    /// would be waited for; and so is a link.
    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
        let read = match &self.folder {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(folder) => folder.read(Path::new(name), limit),
        };
        read.map_err(|error| failed(&self.path.join(name), limit, error))
    }

    /// Writes a file of the store, or of a folder of it, whole.
    fn write(&self, folder: Option<&str>, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let written = match (&self.folder, folder) {
            (None, _) => Err(io::ErrorKind::NotFound.into()),
            (Some(store), None) => store.write(name, bytes, Access::Private),
            (Some(store), Some(folder)) => store
                .own_folder(folder)
                .and_then(|folder| folder.write(name, bytes, Access::Private)),
        };
        let path = self.path.join(folder.unwrap_or_default()).join(name);
        written.map_err(|source| StoreError::Io { path, source })
    }

    fn append(&mut self, envelope: Envelope, statement: Statement) -> Result<Seal, StoreError> {
        let body = envelope.to_json()?;
        let previous = self.log.head.as_ref().map(|head| &head.digest);
        let frame = log::frame(previous, &body);
        let path = self.path.join("log");
        let end = self.log.end;
        if end + frame.len() as u64 > LOG_BYTES {
            return Err(StoreError::TooLarge { path, limit: LOG_BYTES });
        }
        self.write_at(end, &frame).map_err(|source| StoreError::Io { path, source })?;
        let entry = self.log.head.as_ref().map_or(0, |head| head.entries) + 1;
        let covered = frame.len().saturating_sub(32);
        let digest = Digest::of(frame.get(..covered).unwrap_or_default());
        let head = Head { entries: entry, digest: digest.clone() };
        let json = serde_json::to_vec(&head).map_err(StatementError::Json)?;
        self.write(None, "head", &json)?;
        let seal = Seal { entry, head: digest, digest: Digest::of(&body), envelope, statement };
        self.log.end = end + frame.len() as u64;
        self.log.torn = 0;
        self.log.head = Some(head);
        self.log.seals.push(seal.clone());
        Ok(seal)
    }
    /// Cuts what was torn off, and writes behind the last entry.
    fn write_at(&self, end: u64, bytes: &[u8]) -> io::Result<()> {
        let folder = self.folder.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut file = folder.file_to_grow("log")?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        folder.sync();
        Ok(())
    }

    fn load_log(&self) -> Result<Log, StoreError> {
        // `head` first: what a writer adds meanwhile is then behind it, not missing.
        let head = match self.read("head", HEAD_BYTES) {
            Ok(bytes) => Some(serde_json::from_slice::<Head>(&bytes)),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(error),
        };
        let bytes = match self.read("log", LOG_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if is_missing(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        match head.transpose() {
            Ok(head) => Ok(log::parse(&bytes, head.as_ref())),
            Err(_) => {
                let mut log = log::parse(&bytes, None);
                log.damages.retain(|damage| !damage.reason.contains("`head`"));
                log.damages.push(log::Damage {
                    entry: log.head.as_ref().map_or(1, |head| head.entries),
                    at: log.end,
                    reason: "the file `head`, which names the last entry, cannot be read"
                        .to_owned(),
                    expected: None,
                    found: None,
                });
                Ok(log)
            }
        }
    }
}

fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn failed(path: &Path, limit: u64, source: io::Error) -> StoreError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::FileTooLarge => StoreError::TooLarge { path, limit },
        _ => StoreError::Io { path, source },
    }
}

#[cfg(test)]
mod tests;
