//! Keeps the facts of layers, so that a layer is read once.
//!
//! Keyed by the diffID that was computed when the layer was read, never by a name or a claim; an
//! entry made by other checks or other revisions of them is a miss, and so is a damaged one. The
//! folder also holds the secret key of the path hashes. Entries are written beside and renamed, and
//! the oldest go when the folder outgrows its bound.

use crate::blob::Packing;
use crate::facts::{LayerFacts, PathHasher};
use crate::links::Aliases;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hash as _, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use vocabulary::Digest;

/// All entries together, in bytes. A Debian-based image takes about 5 MB.
pub const CACHE_BYTES: u64 = 1 << 30;

/// One entry, in bytes; larger facts are not kept.
const ENTRY_BYTES: u64 = 256 << 20;

/// Raised when the walk itself gives other facts for the same tar.
const WALK_REVISION: u32 = 3;

const FACTS_MAGIC: &[u8; 8] = b"LZFACTS1";
const PATHS_MAGIC: &[u8; 8] = b"LZPATHS1";

/// The checks that made facts, with their revisions.
pub type Checks = Vec<(String, u32)>;

#[derive(Serialize, Deserialize)]
struct Stored<'facts> {
    walk: u32,
    checks: Checks,
    packed_digest: Option<Digest>,
    packed_bytes: u64,
    packing: Packing,
    #[serde(borrow, with = "serde_bytes")]
    facts: std::borrow::Cow<'facts, [u8]>,
}

/// What the cache knows of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// Its facts.
    pub facts: LayerFacts,
    /// Digest of the stored bytes that it was read from.
    pub packed_digest: Option<Digest>,
    /// Count of those bytes.
    pub packed_bytes: u64,
    /// How those were packed.
    pub packing: Packing,
}

/// The cache folder.
#[derive(Debug)]
pub struct FactCache {
    folder: PathBuf,
    hasher: PathHasher,
}

impl FactCache {
    /// Opens the cache, and makes its folder and key where they are missing.
    ///
    /// # Errors
    /// Where the folder cannot be made or the key neither read nor written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join("v1");
        fs::create_dir_all(&folder)?;
        let key_file = folder.join("key");
        if !matches!(fs::read(&key_file), Ok(key) if key.len() == 16) {
            let temporary = folder.join(format!(".key.{}", std::process::id()));
            write_new(&temporary, &[&random_key()])?;
            fs::rename(&temporary, &key_file)?;
        }
        let key = fs::read(&key_file)?;
        let key =
            key.try_into().map_err(|_| io::Error::other("the cache's key file is damaged"))?;
        Ok(Self { folder, hasher: PathHasher::new(key) })
    }

    /// The hasher under this cache's key.
    #[must_use]
    pub const fn hasher(&self) -> &PathHasher {
        &self.hasher
    }

    fn path(&self, diff_id: &Digest, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", diff_id.hex()))
    }

    /// What stands for the files of a layer that were read again under other names.
    fn again(&self, aliases: &Aliases) -> String {
        let mut hasher = siphasher::sip::SipHasher13::new_with_key(self.hasher.key());
        aliases.hash(&mut hasher);
        format!("again-{:016x}", hasher.finish())
    }

    /// The facts of those files of a layer, if these checks made them.
    #[must_use]
    pub fn load_again(
        &self,
        diff_id: &Digest,
        packed: Option<&Digest>,
        checks: &Checks,
        aliases: &Aliases,
    ) -> Option<LayerFacts> {
        let stored = self.path(diff_id, &self.again(aliases));
        Some(load_facts(&stored, diff_id, packed, checks)?.facts)
    }

    /// Keeps the facts of those files of a layer.
    ///
    /// # Errors
    /// Where they cannot be written. Nothing is lost by that but time.
    pub fn store_again(
        &self,
        facts: &LayerFacts,
        packed: (Option<&Digest>, u64),
        packing: Packing,
        checks: &Checks,
        aliases: &Aliases,
    ) -> io::Result<()> {
        let Some(diff_id) = &facts.diff_id else { return Ok(()) };
        let body = stored_form(facts, packed, packing, checks)?;
        if body.len() as u64 > ENTRY_BYTES {
            return Ok(());
        }
        self.write(diff_id, &self.again(aliases), FACTS_MAGIC, &body)?;
        self.make_room()
    }

    /// The facts of a layer, if these checks made them. Where the layer's stored digest is known, it
    /// must be the one that was computed with this diffID.
    #[must_use]
    pub fn load(
        &self,
        diff_id: &Digest,
        packed: Option<&Digest>,
        checks: &Checks,
    ) -> Option<Cached> {
        let mut cached = load_facts(&self.path(diff_id, "facts"), diff_id, packed, checks)?;
        let paths = read_checked(&self.path(diff_id, "paths"), PATHS_MAGIC)?;
        (cached.facts.files, cached.facts.directories) = read_hashes(content(&paths)?)?;
        Some(cached)
    }

    /// Keeps the facts of a layer, with digest and count of its stored bytes.
    ///
    /// # Errors
    /// Where they cannot be written. Nothing is lost by that but time.
    pub fn store(
        &self,
        facts: &LayerFacts,
        packed: (Option<&Digest>, u64),
        packing: Packing,
        checks: &Checks,
    ) -> io::Result<()> {
        let Some(diff_id) = &facts.diff_id else { return Ok(()) };
        let body = stored_form(facts, packed, packing, checks)?;
        let paths = write_hashes(&facts.files, &facts.directories);
        if (body.len() + paths.len()) as u64 > ENTRY_BYTES {
            return Ok(());
        }
        self.write(diff_id, "paths", PATHS_MAGIC, &paths)?;
        self.write(diff_id, "facts", FACTS_MAGIC, &body)?;
        self.make_room()
    }

    fn write(
        &self,
        diff_id: &Digest,
        extension: &str,
        magic: &[u8],
        body: &[u8],
    ) -> io::Result<()> {
        let path = self.path(diff_id, extension);
        let temporary =
            self.folder.join(format!(".{}.{extension}.{}", diff_id.hex(), std::process::id()));
        let digest = sha2::Sha256::digest(body);
        let written = write_new(&temporary, &[magic, &digest, body]);
        let renamed = written.and_then(|()| fs::rename(&temporary, &path));
        if renamed.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        renamed
    }

    /// Removes the oldest entries, and what interrupted writes left, until the folder fits its bound.
    fn make_room(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut total = 0_u64;
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if entry.file_name() != "key" {
                total = total.saturating_add(metadata.len());
                let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                entries.push((modified, entry.path(), metadata.len()));
            }
        }
        if total <= CACHE_BYTES {
            return Ok(());
        }
        entries.sort();
        for (_, path, bytes) in entries {
            if total <= CACHE_BYTES / 10 * 9 {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                total = total.saturating_sub(bytes);
            }
        }
        Ok(())
    }
}

fn load_facts(
    path: &Path,
    diff_id: &Digest,
    packed: Option<&Digest>,
    checks: &Checks,
) -> Option<Cached> {
    let body = read_checked(path, FACTS_MAGIC)?;
    let stored: Stored<'_> = postcard::from_bytes(content(&body)?).ok()?;
    if stored.walk != WALK_REVISION || stored.checks != *checks {
        return None;
    }
    if packed.is_some() && stored.packed_digest.as_ref() != packed {
        return None;
    }
    let facts: LayerFacts = postcard::from_bytes(&stored.facts).ok()?;
    if facts.diff_id.as_ref() != Some(diff_id) {
        return None;
    }
    // Recently used entries are the last to go. A read-only cache still serves.
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    Some(Cached {
        facts,
        packed_digest: stored.packed_digest,
        packed_bytes: stored.packed_bytes,
        packing: stored.packing,
    })
}

fn stored_form(
    facts: &LayerFacts,
    packed: (Option<&Digest>, u64),
    packing: Packing,
    checks: &Checks,
) -> io::Result<Vec<u8>> {
    let encoded = postcard::to_allocvec(facts).map_err(io::Error::other)?;
    let stored = Stored {
        walk: WALK_REVISION,
        checks: checks.clone(),
        packed_digest: packed.0.cloned(),
        packed_bytes: packed.1,
        packing,
        facts: encoded.into(),
    };
    postcard::to_allocvec(&stored).map_err(io::Error::other)
}

/// A key that nobody can foresee, from the seeds that the standard library takes from the system.
#[must_use]
pub fn random_key() -> [u8; 16] {
    let half = || RandomState::new().build_hasher().finish().to_le_bytes();
    let mut key = [0; 16];
    key.iter_mut().zip(half().into_iter().chain(half())).for_each(|(to, from)| *to = from);
    key
}

fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    // A cache entry that a power cut damages is a miss by its checksum: no fsync is needed.
    Ok(())
}

fn read_checked(path: &Path, magic: &[u8; 8]) -> Option<Vec<u8>> {
    let length = fs::metadata(path).ok()?.len();
    if length > ENTRY_BYTES + 64 {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let rest = bytes.strip_prefix(magic)?;
    let (digest, body) = rest.split_first_chunk::<32>()?;
    (sha2::Sha256::digest(body).as_slice() == digest).then_some(bytes)
}

fn content(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(40..)
}

fn write_hashes(files: &[u64], directories: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((files.len() + directories.len()) * 8 + 8);
    bytes.extend_from_slice(&(files.len() as u64).to_le_bytes());
    for hash in files.iter().chain(directories) {
        bytes.extend_from_slice(&hash.to_le_bytes());
    }
    bytes
}

fn read_hashes(bytes: &[u8]) -> Option<(Vec<u64>, Vec<u64>)> {
    let (count, rest) = bytes.split_first_chunk::<8>()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let (files, directories) = rest.split_at_checked(count.checked_mul(8)?)?;
    let read = |bytes: &[u8]| {
        bytes
            .chunks_exact(8)
            .filter_map(|chunk| chunk.first_chunk())
            .map(|chunk| u64::from_le_bytes(*chunk))
            .collect()
    };
    Some((read(files), read(directories)))
}
