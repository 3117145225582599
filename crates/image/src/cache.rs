//! Keeps the facts of layers, so that a layer is read once, and by each reader once.
//!
//! Keyed by the diffID that was computed when the layer was read, never by a name or a claim. What the
//! walk itself learned (whiteouts, links, hashes of paths) is one entry; what readers learned is kept
//! under the key of each, its id, revision and options, so that a reader that is new, or has another
//! revision or other options, reads for itself alone, and two sets of options do not evict each other.
//! Readers that read a layer together share a file: most of them learn nothing, and thirty empty files
//! for each layer would cost more than what they save. A file is never changed; which ones a layer has
//! is asked of the folder, where the one of exactly these readers is not there.
//!
//! An entry that is damaged is a miss. The folder belongs to us and nobody else may write it, and it
//! holds a secret key: each entry carries an HMAC (RFC 2104, with SHA-256) of what it is and what it
//! holds, so that none can be made elsewhere, nor be moved to another name. Entries are written beside
//! and renamed, and the oldest go when all of them together outgrow their bound: only files of our own
//! making.

mod store;

pub use store::random_key;

use crate::blob::Packing;
use crate::check::Reader;
use crate::facts::{LayerFacts, PathHasher, ReaderFacts};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use store::{AGAIN, PATHS, READ, Store, WALK};
use vocabulary::Digest;

/// All entries together, in bytes. A Debian-based image takes about 5 MB.
pub const CACHE_BYTES: u64 = 1 << 30;

/// One entry, in bytes; larger facts are not kept.
const ENTRY_BYTES: u64 = 256 << 20;

/// Raised when the walk itself gives other facts for the same tar.
const WALK_REVISION: u32 = 4;

/// Who made facts: what they are depends on nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReaderKey {
    /// Its id.
    pub id: String,
    revision: u32,
    options: String,
}

impl ReaderKey {
    /// The key of a reader as it is.
    #[must_use]
    pub fn of(reader: &dyn Reader) -> Self {
        let options = reader.options().to_owned();
        Self { id: reader.id().to_owned(), revision: reader.revision(), options }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredWalk<'facts> {
    walk: u32,
    packed_digest: Option<Digest>,
    packed_bytes: u64,
    packing: Packing,
    #[serde(borrow, with = "serde_bytes")]
    facts: Cow<'facts, [u8]>,
}

#[derive(Serialize, Deserialize)]
struct StoredReader<'facts> {
    walk: u32,
    key: ReaderKey,
    #[serde(borrow, with = "serde_bytes")]
    facts: Cow<'facts, [u8]>,
}

/// What the cache knows of a layer: all but what readers learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// What the walk itself learned.
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
    store: Store,
    /// What readers learned together, by layer; asked for once.
    together: OnceLock<HashMap<String, Vec<String>>>,
}

impl FactCache {
    /// Opens the cache, and makes its folder and key where they are missing.
    ///
    /// # Errors
    /// Where the folder cannot be made or the key neither read nor written; and where others may
    /// write the folder ([`files::is_refusal`]).
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { store: Store::open(folder)?, together: OnceLock::new() })
    }

    /// The hasher under this cache's key.
    #[must_use]
    pub const fn hasher(&self) -> &PathHasher {
        self.store.hasher()
    }

    /// What the walk itself learned of a layer. Where the layer's stored digest is known, it must be the
    /// one that was computed with this diffID.
    #[must_use]
    pub fn load(&self, diff_id: &Digest, packed: Option<&Digest>) -> Option<Cached> {
        let entry = self.store.read(diff_id, WALK)?;
        let stored: StoredWalk<'_> = postcard::from_bytes(entry.content()).ok()?;
        if stored.walk != WALK_REVISION
            || packed.is_some() && stored.packed_digest.as_ref() != packed
        {
            return None;
        }
        let mut facts: LayerFacts = postcard::from_bytes(&stored.facts).ok()?;
        if facts.diff_id.as_ref() != Some(diff_id) {
            return None;
        }
        let paths = self.store.read(diff_id, PATHS)?;
        (facts.files, facts.directories) = read_hashes(paths.content())?;
        entry.used();
        paths.used();
        let StoredWalk { packed_digest, packed_bytes, packing, .. } = stored;
        Some(Cached { facts, packed_digest, packed_bytes, packing })
    }

    /// What of these readers learned of a layer what is known, by their ids.
    #[must_use]
    pub fn load_readers(
        &self,
        diff_id: &Digest,
        readers: &[ReaderKey],
    ) -> BTreeMap<String, ReaderFacts> {
        let mut known = BTreeMap::new();
        let mut missing: Vec<&ReaderKey> = readers.iter().collect();
        self.take(diff_id, &self.store.kind(READ, &readers), &mut missing, &mut known);
        if !missing.is_empty() {
            for kind in self.together().get(&diff_id.hex()).into_iter().flatten() {
                self.take(diff_id, kind, &mut missing, &mut known);
            }
        }
        known
    }

    /// Takes out of a file what is missing.
    fn take(
        &self,
        diff_id: &Digest,
        kind: &str,
        missing: &mut Vec<&ReaderKey>,
        known: &mut BTreeMap<String, ReaderFacts>,
    ) {
        if missing.is_empty() {
            return;
        }
        let Some(entry) = self.store.read(diff_id, kind) else { return };
        let Ok(stored) = postcard::from_bytes::<Vec<StoredReader<'_>>>(entry.content()) else {
            return;
        };
        let before = missing.len();
        for StoredReader { walk, key, facts } in stored {
            let Some(place) = missing.iter().position(|wanted| **wanted == key) else { continue };
            if walk != WALK_REVISION {
                continue;
            }
            let Ok(facts) = postcard::from_bytes(&facts) else { continue };
            missing.swap_remove(place);
            known.insert(key.id, facts);
        }
        if missing.len() < before {
            entry.used();
        }
    }

    fn together(&self) -> &HashMap<String, Vec<String>> {
        self.together.get_or_init(|| {
            let mut together: HashMap<String, Vec<String>> = HashMap::new();
            for (layer, kind) in self.store.kinds(READ) {
                together.entry(layer).or_default().push(kind);
            }
            together
        })
    }

    /// Keeps what was learned of a layer, with digest and count of its stored bytes: of the readers,
    /// what those learned that were there.
    ///
    /// # Errors
    /// Where it cannot be written. Nothing is lost by that but time.
    pub fn store(
        &self,
        facts: &LayerFacts,
        packed: (Option<&Digest>, u64),
        packing: Packing,
        readers: &[ReaderKey],
    ) -> io::Result<()> {
        let Some(diff_id) = &facts.diff_id else { return Ok(()) };
        let stored = StoredWalk {
            walk: WALK_REVISION,
            packed_digest: packed.0.cloned(),
            packed_bytes: packed.1,
            packing,
            facts: encoded(facts)?.into(),
        };
        let walk = encoded(&stored)?;
        let paths = write_hashes(&facts.files, &facts.directories);
        if (walk.len() + paths.len()) as u64 <= ENTRY_BYTES {
            self.store.write(diff_id, PATHS, &paths)?;
            self.store.write(diff_id, WALK, &walk)?;
        }
        let made: Vec<(&ReaderKey, &ReaderFacts)> =
            readers.iter().filter_map(|key| Some((key, facts.of(&key.id)?))).collect();
        if !made.is_empty() {
            let keys: Vec<&ReaderKey> = made.iter().map(|(key, _)| *key).collect();
            self.store_readers(diff_id, &self.store.kind(READ, &keys), &made)?;
        }
        self.store.make_room()
    }

    fn store_readers(
        &self,
        diff_id: &Digest,
        kind: &str,
        made: &[(&ReaderKey, &ReaderFacts)],
    ) -> io::Result<()> {
        let stored = made.iter().map(|(key, facts)| {
            let facts = encoded(facts)?.into();
            Ok(StoredReader { walk: WALK_REVISION, key: (*key).clone(), facts })
        });
        let body = encoded(&stored.collect::<io::Result<Vec<_>>>()?)?;
        if body.len() as u64 <= ENTRY_BYTES {
            self.store.write(diff_id, kind, &body)?;
        }
        Ok(())
    }

    /// What a reader learned of those files of a layer that were read again under these other names.
    #[must_use]
    pub fn load_again(
        &self,
        diff_id: &Digest,
        reader: &ReaderKey,
        names: &OtherNames<'_>,
    ) -> Option<ReaderFacts> {
        let (mut missing, mut known) = (vec![reader], BTreeMap::new());
        let kind = self.store.kind(AGAIN, &(reader, names));
        self.take(diff_id, &kind, &mut missing, &mut known);
        known.remove(&reader.id)
    }

    /// Keeps it.
    ///
    /// # Errors
    /// Where it cannot be written. Nothing is lost by that but time.
    pub fn store_again(
        &self,
        diff_id: &Digest,
        reader: &ReaderKey,
        names: &OtherNames<'_>,
        facts: &ReaderFacts,
    ) -> io::Result<()> {
        let kind = self.store.kind(AGAIN, &(reader, names));
        self.store_readers(diff_id, &kind, &[(reader, facts)])?;
        self.store.make_room()
    }
}

/// Files and folders with what they are to be taken for: see [`crate::links::Aliases::of_reader`].
pub type OtherNames<'names> = [(&'names str, &'names str, Option<u32>)];

fn encoded(what: &impl Serialize) -> io::Result<Vec<u8>> {
    postcard::to_allocvec(what).map_err(io::Error::other)
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
mod tests;
