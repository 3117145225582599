//! Keeps every text once, in one run of bytes: a database in the making has a million of them.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};

/// A text in an [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StringId(pub(super) u32);

impl StringId {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The texts of a database in the making.
#[derive(Debug, Default)]
pub(super) struct Interner {
    /// Texts by their hash; of two with the same hash the later has the next number that is free.
    known: HashMap<u64, StringId, BuildHasherDefault<Hashed>>,
    hasher: RandomState,
    bytes: String,
    ends: Vec<usize>,
}

/// Takes a number that is a hash, by a key that nobody knows, as it is.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Interner {
    /// The id of a text, new or known.
    pub(super) fn intern(&mut self, text: &str) -> StringId {
        let mut hash = self.hasher.hash_one(text);
        while let Some(id) = self.known.get(&hash) {
            if self.text(*id) == text {
                return *id;
            }
            hash = hash.wrapping_add(1);
        }
        let id = StringId(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        self.known.insert(hash, id);
        id
    }

    /// The id of a text, where it is known.
    pub(super) fn get(&self, text: &str) -> Option<StringId> {
        let mut hash = self.hasher.hash_one(text);
        while let Some(id) = self.known.get(&hash) {
            if self.text(*id) == text {
                return Some(*id);
            }
            hash = hash.wrapping_add(1);
        }
        None
    }

    /// A text.
    pub(super) fn text(&self, id: StringId) -> &str {
        let at = id.index();
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let end = self.ends.get(at).copied();
        start.zip(end).and_then(|(start, end)| self.bytes.get(start..end)).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}
