//! The files of the cache: each under the name of a layer, with a MAC, and all of them bounded.

use super::{CACHE_BYTES, ENTRY_BYTES};
use crate::facts::PathHasher;
use files::{Access, Folder};
use ring::hmac;
use std::hash::{BuildHasher as _, Hash, Hasher as _, RandomState};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};
use vocabulary::Digest;

/// Entries of another form lie in other folders.
pub(super) const VERSION: &str = "v3";

pub(super) const KEY: &str = "key";
pub(super) const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;

/// What an interrupted write left is removed when it is older than any write takes.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What the walk itself learned of a layer.
pub(super) const WALK: &str = "walk";
/// The hashes of its paths.
pub(super) const PATHS: &str = "paths";
/// What readers learned that read it together.
pub(super) const READ: &str = "read-";
/// What one reader learned of files that were read again under other names.
pub(super) const AGAIN: &str = "again-";

/// The folder of the cache.
#[derive(Debug)]
pub(super) struct Store {
    folder: Folder,
    mac: hmac::Key,
    hasher: PathHasher,
}

/// An entry whose MAC holds.
pub(super) struct Entry {
    file: std::fs::File,
    bytes: Vec<u8>,
}

impl Entry {
    /// Its content.
    pub(super) fn content(&self) -> &[u8] {
        self.bytes.get(MAC_BYTES..).unwrap_or_default()
    }

    /// Recently used entries are the last to go. A read-only cache still serves.
    pub(super) fn used(&self) {
        let _ = self.file.set_modified(SystemTime::now());
    }
}

impl Store {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
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

    pub(super) const fn hasher(&self) -> &PathHasher {
        &self.hasher
    }

    /// The kind of entry that stands for something of which there are many.
    pub(super) fn kind(&self, kind: &str, what: &impl Hash) -> String {
        let mut hasher = siphasher::sip::SipHasher13::new_with_key(self.hasher.key());
        what.hash(&mut hasher);
        format!("{kind}{:016x}", hasher.finish())
    }

    /// The kinds of entries of every layer that begin so, sorted.
    pub(super) fn kinds(&self, beginning: &str) -> Vec<(String, String)> {
        let entries = self.folder.entries().unwrap_or_default().into_iter();
        let ours = entries.filter(|(name, _)| is_entry(name)).filter_map(|(name, _)| {
            let (layer, kind) = name.split_once('.')?;
            kind.starts_with(beginning).then(|| (layer.to_owned(), kind.to_owned()))
        });
        let mut kinds: Vec<_> = ours.collect();
        kinds.sort();
        kinds
    }

    pub(super) fn write(&self, layer: &Digest, kind: &str, body: &[u8]) -> io::Result<()> {
        let name = name(layer, kind);
        let mut mac = self.begun(&name);
        mac.update(body);
        // An entry that a power cut damages is a miss by its MAC: the disk is not waited for.
        self.folder.write_lightly(&name, &[mac.sign().as_ref(), body])
    }

    /// An entry, if its MAC holds for this name.
    pub(super) fn read(&self, layer: &Digest, kind: &str) -> Option<Entry> {
        let name = name(layer, kind);
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
        (differs == 0).then_some(Entry { file, bytes })
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
    pub(super) fn make_room(&self) -> io::Result<()> {
        self.make_room_for(CACHE_BYTES)
    }

    pub(super) fn make_room_for(&self, bound: u64) -> io::Result<()> {
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
fn name(layer: &Digest, kind: &str) -> String {
    format!("{}.{kind}", layer.hex())
}

/// Whether a name is one that [`name`] gives.
fn is_entry(name: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    name.split_once('.').is_some_and(|(digest, kind)| {
        let hash = kind.strip_prefix(READ).or_else(|| kind.strip_prefix(AGAIN));
        let known =
            matches!(kind, WALK | PATHS) || hash.is_some_and(|hash| hash.len() == 16 && hex(hash));
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
