//! Keeps the facts of layers, so that a layer is read once.
//!
//! Keyed by the diffID that was computed when the layer was read, never by a name or a claim; an
//! entry made by other checks or other revisions of them is a miss, and so is a damaged one. The
//! folder belongs to us and nobody else may write it, and it holds a secret key: each entry carries
//! an HMAC (RFC 2104, with SHA-256) of what it is and what it holds, so that none can be made
//! elsewhere, nor be moved to another name. Entries are written beside and renamed, and the oldest go
//! when they outgrow their bound: only files of our own making.

use crate::blob::Packing;
use crate::facts::{LayerFacts, PathHasher};
use crate::links::Aliases;
use files::{Access, Folder};
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};
use vocabulary::Digest;

/// All entries together, in bytes. A Debian-based image takes about 5 MB.
pub const CACHE_BYTES: u64 = 1 << 30;

/// One entry, in bytes; larger facts are not kept.
const ENTRY_BYTES: u64 = 256 << 20;

/// Raised when the walk itself gives other facts for the same tar.
const WALK_REVISION: u32 = 3;

/// Entries of another form lie in other folders.
const VERSION: &str = "v2";

const KEY: &str = "key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;

/// What an interrupted write left is removed when it is older than any write takes.
const ABANDONED: Duration = Duration::from_secs(3600);

const FACTS: &str = "facts";
const PATHS: &str = "paths";
const AGAIN: &str = "again-";

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
    folder: Folder,
    mac: hmac::Key,
    hasher: PathHasher,
}

impl FactCache {
    /// Opens the cache, and makes its folder and key where they are missing.
    ///
    /// # Errors
    /// Where the folder cannot be made or the key neither read nor written; and where others may
    /// write the folder ([`files::is_refusal`]).
    pub fn open(folder: &Path) -> io::Result<Self> {
        let folder = Folder::own(folder)?.own_folder(VERSION)?;
        let key = match key_of(&folder)? {
            Some(key) => key,
            None => {
                let key: [u8; KEY_BYTES] = random()?;
                folder.write(KEY, &key, Access::Private)?;
                // Somebody who made one at the same time may have been later.
                key_of(&folder)?.unwrap_or(key)
            }
        };
        let mac = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let derived = hmac::sign(&mac, b"path hashes");
        let sip = derived.as_ref().first_chunk().copied().unwrap_or_default();
        Ok(Self { folder, mac, hasher: PathHasher::new(sip) })
    }

    /// The hasher under this cache's key.
    #[must_use]
    pub const fn hasher(&self) -> &PathHasher {
        &self.hasher
    }

    /// What stands for the files of a layer that were read again under other names.
    fn again(&self, aliases: &Aliases) -> String {
        let mut hasher = siphasher::sip::SipHasher13::new_with_key(self.hasher.key());
        aliases.hash(&mut hasher);
        format!("{AGAIN}{:016x}", hasher.finish())
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
        Some(self.load_facts(&self.again(aliases), diff_id, packed, checks)?.facts)
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
        self.write(diff_id, &self.again(aliases), &body)?;
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
        let mut cached = self.load_facts(FACTS, diff_id, packed, checks)?;
        let (_, paths) = self.read(diff_id, PATHS)?;
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
        self.write(diff_id, PATHS, &paths)?;
        self.write(diff_id, FACTS, &body)?;
        self.make_room()
    }

    fn load_facts(
        &self,
        kind: &str,
        diff_id: &Digest,
        packed: Option<&Digest>,
        checks: &Checks,
    ) -> Option<Cached> {
        let (file, body) = self.read(diff_id, kind)?;
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
        let _ = file.set_modified(SystemTime::now());
        Some(Cached {
            facts,
            packed_digest: stored.packed_digest,
            packed_bytes: stored.packed_bytes,
            packing: stored.packing,
        })
    }

    fn write(&self, diff_id: &Digest, kind: &str, body: &[u8]) -> io::Result<()> {
        let name = name(diff_id, kind);
        let mut mac = self.begun(&name);
        mac.update(body);
        // An entry that a power cut damages is a miss by its MAC: the disk is not waited for.
        self.folder.write_lightly(&name, &[mac.sign().as_ref(), body])
    }

    /// An entry with its MAC, if that holds for this name.
    fn read(&self, diff_id: &Digest, kind: &str) -> Option<(std::fs::File, Vec<u8>)> {
        let name = name(diff_id, kind);
        let mut file = self.folder.file(Path::new(&name)).ok()?;
        let length = file.metadata().ok()?.len();
        if length > ENTRY_BYTES + MAC_BYTES as u64 {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).ok()?);
        io::Read::read_to_end(&mut io::Read::take(&mut file, length), &mut bytes).ok()?;
        let (said, body) = bytes.split_first_chunk::<MAC_BYTES>()?;
        let mut mac = self.begun(&name);
        mac.update(body);
        let differs =
            mac.sign().as_ref().iter().zip(said).fold(0, |sum, (is, said)| sum | (is ^ said));
        (differs == 0).then_some((file, bytes))
    }

    /// A MAC of an entry's form and name, with a mark where the name ends.
    fn begun(&self, name: &str) -> hmac::Context {
        let mut mac = hmac::Context::with_key(&self.mac);
        for part in ["lazaret facts ", VERSION, " ", name, "\0"] {
            mac.update(part.as_bytes());
        }
        mac
    }

    /// Removes the oldest entries, and what interrupted writes left, until the folder fits its bound.
    fn make_room(&self) -> io::Result<()> {
        self.make_room_for(CACHE_BYTES)
    }

    fn make_room_for(&self, bound: u64) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut total = 0_u64;
        for (name, _) in self.folder.entries()? {
            let temporary = files::is_temporary(&name);
            if !temporary && !is_entry(&name) {
                continue;
            }
            let Ok(stat) = self.folder.stat(&name) else { continue };
            if rustix::fs::FileType::from_raw_mode(stat.st_mode)
                != rustix::fs::FileType::RegularFile
            {
                continue;
            }
            let modified = u64::try_from(stat.st_mtime).unwrap_or_default();
            let bytes = u64::try_from(stat.st_size).unwrap_or_default();
            if temporary {
                let written = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
                if written.elapsed().is_ok_and(|age| age > ABANDONED) {
                    let _ = self.folder.remove(&name);
                }
                continue;
            }
            total = total.saturating_add(bytes);
            entries.push((modified, stat.st_mtime_nsec, name, bytes));
        }
        if total <= bound {
            return Ok(());
        }
        entries.sort();
        for (_, _, name, bytes) in entries {
            if total <= bound / 10 * 9 {
                break;
            }
            if self.folder.remove(&name).is_ok() {
                total = total.saturating_sub(bytes);
            }
        }
        Ok(())
    }
}

/// The name of a layer's entry.
fn name(diff_id: &Digest, kind: &str) -> String {
    format!("{}.{kind}", diff_id.hex())
}

/// Whether a name is one that [`name`] gives.
fn is_entry(name: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    name.split_once('.').is_some_and(|(digest, kind)| {
        let known = matches!(kind, FACTS | PATHS)
            || kind.strip_prefix(AGAIN).is_some_and(|hash| hash.len() == 16 && hex(hash));
        digest.len() == 64 && hex(digest) && known
    })
}

/// The key of a folder; none where it has none that only we can know.
fn key_of(folder: &Folder) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let file = match folder.file(Path::new(KEY)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    use std::os::unix::fs::MetadataExt as _;
    if files::distrust(&file)?.is_some() || file.metadata()?.mode() & 0o077 != 0 {
        return Ok(None);
    }
    let mut key = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, KEY_BYTES as u64 + 1), &mut key)?;
    Ok(key.try_into().ok())
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

/// A key that nobody can foresee, for hashes of paths that are kept nowhere: from the seeds that the
/// standard library takes from the system.
#[must_use]
pub fn random_key() -> [u8; 16] {
    let half = || RandomState::new().build_hasher().finish().to_le_bytes();
    let mut key = [0; 16];
    key.iter_mut().zip(half().into_iter().chain(half())).for_each(|(to, from)| *to = from);
    key
}

fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| io::Error::other("the system gives no randomness"))?;
    Ok(bytes)
}

fn content(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(MAC_BYTES..)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn room_is_made_of_files_of_our_own_making_only() {
        let outer = tempfile::tempdir().unwrap();
        let cache = FactCache::open(outer.path()).unwrap();
        let inside = outer.path().join(VERSION);
        let hex = "ab".repeat(32);
        let ours = [format!("{hex}.facts"), format!("{hex}.again-0123456789abcdef")];
        let upper = format!("{}.facts", "AB".repeat(32));
        let others = ["thesis.doc", "key.facts", &upper, ".bashrc", &format!("{hex}.txt"), &hex];
        let folder = format!("{hex}.paths");
        for name in ours.iter().map(String::as_str).chain(others) {
            std::fs::write(inside.join(name), [0; 1000]).unwrap();
        }
        std::fs::create_dir(inside.join(&folder)).unwrap();
        cache.make_room_for(10).unwrap();
        assert!(ours.iter().all(|name| !inside.join(name).exists()));
        for name in others.into_iter().chain([folder.as_str(), KEY]) {
            assert!(inside.join(name).exists(), "{name}");
        }
    }

    #[test]
    fn a_key_that_others_could_know_or_put_there_is_replaced() {
        let outer = tempfile::tempdir().unwrap();
        let hasher = *FactCache::open(outer.path()).unwrap().hasher();
        assert_eq!(FactCache::open(outer.path()).unwrap().hasher(), &hasher);
        let key = outer.path().join(VERSION).join(KEY);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(FactCache::open(outer.path()).unwrap().hasher(), &hasher);
        std::fs::write(&key, [7; KEY_BYTES - 1]).unwrap();
        FactCache::open(outer.path()).unwrap();
        assert_eq!(std::fs::read(&key).unwrap().len(), KEY_BYTES);
        std::fs::rename(&key, outer.path().join("elsewhere")).unwrap();
        symlink("../elsewhere", &key).unwrap();
        assert!(FactCache::open(outer.path()).is_err(), "a link is no key");
    }
}
