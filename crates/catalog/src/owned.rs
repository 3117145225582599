//! The files that a distribution package owns, packed small and quick to read again.
//!
//! A layer of a usual image names forty thousand files, and a repeat scan reads them all from the
//! cache. They are therefore kept front-coded, as one blob a package: how many bytes of the path
//! before are kept, the rest of the path, then the digest. Both ways run under a [`Budget`], since a
//! package database can name one long folder a million times.

use image::{OwnedDigest, OwnedFile};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;

/// Longest path that is kept; Linux's own `PATH_MAX`.
pub(crate) const PATH_LIMIT: usize = 4096;

/// How many owned files one database may name; a full desktop installation has half a million.
const FILES_LIMIT: usize = 1_000_000;

/// How many bytes of paths one database may name; a million paths of the usual 60 bytes, doubled.
const PATH_BYTES_LIMIT: usize = 128 << 20;

/// What remains of the limits on owned files.
#[derive(Debug)]
pub(crate) struct Budget {
    files: usize,
    bytes: usize,
    exceeded: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { files: FILES_LIMIT, bytes: PATH_BYTES_LIMIT, exceeded: false }
    }
}

impl Budget {
    /// A smaller budget, to spend in tests.
    #[cfg(test)]
    pub(crate) const fn of(files: usize, bytes: usize) -> Self {
        Self { files, bytes, exceeded: false }
    }

    /// Takes one file with a path of this length; false where nothing is left.
    pub(crate) fn take(&mut self, path: usize) -> bool {
        match (self.files.checked_sub(1), self.bytes.checked_sub(path)) {
            (Some(files), Some(bytes)) => {
                (self.files, self.bytes) = (files, bytes);
                true
            }
            _ => {
                self.exceeded = true;
                false
            }
        }
    }

    /// The problem to report where the budget did not suffice.
    pub(crate) fn problem(&self) -> Option<String> {
        self.exceeded.then(|| {
            format!("names more than {FILES_LIMIT} files or {PATH_BYTES_LIMIT} bytes of paths; the rest of its file list is left out")
        })
    }
}

/// Packs files; the more alike neighbours are, the smaller.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
    previous: String,
}

impl Packer {
    /// Adds a file; a path that no Linux system could hold is left out.
    pub(crate) fn push(&mut self, path: &str, digest: Option<&OwnedDigest>) {
        if path.is_empty() || path.len() > PATH_LIMIT {
            return;
        }
        let shared = common_prefix(&self.previous, path);
        let rest = path.get(shared..).unwrap_or_default();
        self.varint(shared);
        self.varint(rest.len());
        self.bytes.extend_from_slice(rest.as_bytes());
        let digest: &[u8] = match digest {
            None => &[],
            Some(OwnedDigest::Md5(digest)) => digest,
            Some(OwnedDigest::Sha1(digest)) => digest,
            Some(OwnedDigest::Sha256(digest)) => digest,
        };
        self.varint(digest.len());
        self.bytes.extend_from_slice(digest);
        self.previous.truncate(shared);
        self.previous.push_str(rest);
    }

    /// The packed bytes.
    pub(crate) fn finish(self) -> Blob<'static> {
        Blob(Cow::Owned(self.bytes))
    }

    fn varint(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.bytes.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
            value >>= 7;
        }
        self.bytes.push(u8::try_from(value).unwrap_or_default());
    }
}

fn common_prefix(one: &str, other: &str) -> usize {
    const BLOCK: usize = 16;
    let (one_bytes, other_bytes) = (one.as_bytes(), other.as_bytes());
    let blocks = one_bytes.chunks_exact(BLOCK).zip(other_bytes.chunks_exact(BLOCK));
    let mut shared = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let rest = one_bytes.iter().zip(other_bytes).skip(shared);
    shared += rest.take_while(|(a, b)| a == b).count();
    while !one.is_char_boundary(shared) || !other.is_char_boundary(shared) {
        shared = shared.saturating_sub(1);
    }
    shared
}

/// Bytes that serialise as one run, borrowed where they are read.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Blob<'fact>(Cow<'fact, [u8]>);

impl Blob<'_> {
    /// Reads the files back; damaged bytes end the list.
    pub(crate) fn files(&self) -> Files<'_> {
        Files { rest: &self.0, path: String::new(), digest: None }
    }

    /// About how many files there are: one with an MD5 takes forty bytes in the mean.
    pub(crate) fn estimate(&self) -> usize {
        self.0.len() / 40
    }

    /// Reads all files into owned values, under the budget.
    pub(crate) fn unpack(&self, budget: &mut Budget) -> Vec<OwnedFile> {
        let mut files = self.files();
        let mut all = Vec::with_capacity(self.estimate());
        while files.advance() && budget.take(files.path().len()) {
            all.push(files.owned());
        }
        all
    }
}

impl fmt::Debug for Blob<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'fact, 'fact> Deserialize<'de> for Blob<'fact> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> de::Visitor<'de> for Borrow {
            type Value = &'de [u8];

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("borrowed bytes")
            }

            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<&'de [u8], E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_bytes(Borrow).map(|bytes| Self(Cow::Borrowed(bytes)))
    }
}

/// Reads packed files one by one into one buffer.
#[derive(Debug)]
pub(crate) struct Files<'blob> {
    rest: &'blob [u8],
    path: String,
    digest: Option<OwnedDigest>,
}

impl<'blob> Files<'blob> {
    /// Goes to the next file; false at the end. Not an iterator, since a path lives only until the
    /// next call.
    pub(crate) fn advance(&mut self) -> bool {
        self.read().is_some()
    }

    /// The path of the file at hand.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The file at hand.
    pub(crate) fn owned(&self) -> OwnedFile {
        OwnedFile { path: self.path.clone(), digest: self.digest }
    }

    fn read(&mut self) -> Option<()> {
        let shared = self.varint()?;
        let length = self.varint()?;
        let rest = std::str::from_utf8(self.take(length)?).ok()?;
        if !self.path.is_char_boundary(shared) || shared + length > PATH_LIMIT {
            return None;
        }
        self.path.truncate(shared);
        self.path.push_str(rest);
        let length = self.varint()?;
        self.digest = digest_of(self.take(length)?);
        Some(())
    }

    fn varint(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for shift in [0, 7, 14] {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'blob [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

/// A digest told by its length; none for any other length.
pub(crate) fn digest_of(bytes: &[u8]) -> Option<OwnedDigest> {
    match bytes.len() {
        16 => bytes.try_into().ok().map(OwnedDigest::Md5),
        20 => bytes.try_into().ok().map(OwnedDigest::Sha1),
        32 => bytes.try_into().ok().map(OwnedDigest::Sha256),
        _ => None,
    }
}

/// A digest from its hex digits, told by their count.
pub(crate) fn digest_of_hex(hex: &[u8]) -> Option<OwnedDigest> {
    let mut bytes = [0_u8; 32];
    let bytes = bytes.get_mut(..hex.len() / 2)?;
    let mut wrong = 0;
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let (high, low) = (hex_digit(*high), hex_digit(*low));
        wrong |= high | low;
        *byte = (high << 4) | low;
    }
    digest_of(bytes).filter(|_| wrong < 16 && hex.len().is_multiple_of(2))
}

/// Values of hex digits, above 15 for all other bytes: forty thousand digests are too many branches
/// that no processor can foresee.
const HEX: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let digits = *b"0123456789abcdef";
    let mut value = 0_u8;
    while value < 16 {
        #[expect(clippy::indexing_slicing, reason = "16 values, 256 places, at compile time")]
        {
            let digit = digits[value as usize];
            table[digit as usize] = value;
            table[digit.to_ascii_uppercase() as usize] = value;
        }
        value += 1;
    }
    table
};

fn hex_digit(byte: u8) -> u8 {
    HEX.get(usize::from(byte)).copied().unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(path: &str, digest: Option<OwnedDigest>) -> OwnedFile {
        OwnedFile { path: path.into(), digest }
    }

    fn pack(files: &[OwnedFile]) -> Blob<'static> {
        let mut packer = Packer::default();
        for file in files {
            packer.push(&file.path, file.digest.as_ref());
        }
        packer.finish()
    }

    #[test]
    fn packed_files_come_back_as_they_were() {
        let files = [
            file("usr/bin/é", Some(OwnedDigest::Md5([1; 16]))),
            file("usr/bin/è", Some(OwnedDigest::Sha1([2; 20]))),
            file("usr/bin/", None),
            file(&"x".repeat(PATH_LIMIT), Some(OwnedDigest::Sha256([3; 32]))),
        ];
        let fact = postcard::to_stdvec(&pack(&files)).unwrap();
        let blob: Blob<'_> = postcard::from_bytes(&fact).unwrap();
        assert_eq!(blob.unpack(&mut Budget::default()), files);
    }

    #[test]
    fn a_spent_budget_ends_the_list_and_says_so() {
        let blob = pack(&[file("aa", None), file("ab", None), file("ac", None)]);
        let mut budget = Budget::of(2, 100);
        assert_eq!(blob.unpack(&mut budget).len(), 2);
        assert!(budget.problem().is_some());
        let mut budget = Budget::of(9, 3);
        assert_eq!(blob.unpack(&mut budget).len(), 1);
        assert!(budget.problem().is_some());
    }

    #[test]
    fn hex_of_another_length_is_no_digest() {
        assert_eq!(digest_of_hex(&[b'0'; 32]), Some(OwnedDigest::Md5([0; 16])));
        assert_eq!(digest_of_hex(&[b'F'; 64]), Some(OwnedDigest::Sha256([255; 32])));
        for length in [0, 1, 31, 33, 63, 65, 128] {
            assert_eq!(digest_of_hex(&vec![b'0'; length]), None, "{length}");
        }
        assert_eq!(digest_of_hex(&[b'g'; 32]), None);
    }

    proptest! {
        #[test]
        fn any_paths_survive_packing(paths in prop::collection::vec("[^\0]{1,40}", 0..30)) {
            let files: Vec<OwnedFile> = paths.iter().map(|path| file(path, None)).collect();
            prop_assert_eq!(pack(&files).unpack(&mut Budget::default()), files);
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            Blob(Cow::Owned(bytes)).unpack(&mut Budget::default());
        }
    }
}
