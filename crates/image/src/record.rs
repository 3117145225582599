//! The record of every entry of a layer, in one compact run of bytes.
//!
//! A million entries as structs with a string each take some 250 MB; here each is the length of the
//! path that it shares with the entry before, the rest of its path, and its numbers as LEB128
//! (about 25 bytes), so that a record can be kept, cached and later sealed whatever the image's size.

use crate::tar::Meta;
use vocabulary::{Digest, FileKind, FileRecord};

/// The entries of one layer, in the order of its tar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    bytes: Vec<u8>,
    last_path: String,
    entries: u64,
}

/// One entry of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    /// Path without a leading slash.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u64,
    /// Numeric group.
    pub gid: u64,
    /// Size in bytes.
    pub size: u64,
    /// Target of a link.
    pub link: Option<String>,
    /// Extended attributes.
    pub attributes: Vec<(String, Vec<u8>)>,
    /// SHA-256 of the content.
    pub digest: Option<[u8; 32]>,
}

const KINDS: [FileKind; 7] = [
    FileKind::File,
    FileKind::Directory,
    FileKind::Symlink,
    FileKind::HardLink,
    FileKind::CharacterDevice,
    FileKind::BlockDevice,
    FileKind::Fifo,
];
const KIND_BITS: u8 = 0x07;
const HAS_LINK: u8 = 0x08;
const HAS_ATTRIBUTES: u8 = 0x10;
const HAS_DIGEST: u8 = 0x20;

impl Record {
    /// Count of entries.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Size in memory, in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, meta: &Meta<'_>, digest: Option<[u8; 32]>) {
        let shared = shared_prefix(&self.last_path, meta.path);
        let rest = meta.path.get(shared..).unwrap_or_default();
        let kind = KINDS.iter().position(|kind| *kind == meta.kind).unwrap_or(0);
        let mut flags = u8::try_from(kind).unwrap_or(0);
        flags |= if meta.link.is_empty() { 0 } else { HAS_LINK };
        flags |= if meta.attributes.is_empty() { 0 } else { HAS_ATTRIBUTES };
        flags |= if digest.is_some() { HAS_DIGEST } else { 0 };
        self.bytes.push(flags);
        self.number(shared as u64);
        self.blob(rest.as_bytes());
        self.number(u64::from(meta.mode));
        self.number(meta.uid);
        self.number(meta.gid);
        self.number(meta.size);
        if !meta.link.is_empty() {
            self.blob(meta.link.as_bytes());
        }
        if !meta.attributes.is_empty() {
            self.number(meta.attributes.len() as u64);
            for (name, value) in meta.attributes {
                self.blob(name.as_bytes());
                self.blob(value);
            }
        }
        if let Some(digest) = digest {
            self.bytes.extend_from_slice(&digest);
        }
        self.last_path.truncate(shared);
        self.last_path.push_str(rest);
        self.entries += 1;
    }

    /// The entries, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = RecordEntry> + '_ {
        let mut rest = self.bytes.as_slice();
        let mut path = String::new();
        std::iter::from_fn(move || read_entry(&mut rest, &mut path))
    }

    fn number(&mut self, mut value: u64) {
        loop {
            let low = value.to_le_bytes().first().copied().unwrap_or(0) & 0x7f;
            value >>= 7;
            if value == 0 {
                self.bytes.push(low);
                return;
            }
            self.bytes.push(low | 0x80);
        }
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }
}

fn shared_prefix(left: &str, right: &str) -> usize {
    let mut shared = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    while !right.is_char_boundary(shared) || !left.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn read_blob<'bytes>(rest: &mut &'bytes [u8]) -> Option<&'bytes [u8]> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (blob, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(blob)
}

fn read_text(rest: &mut &[u8]) -> Option<String> {
    Some(std::str::from_utf8(read_blob(rest)?).ok()?.to_owned())
}

fn read_entry(rest: &mut &[u8], path: &mut String) -> Option<RecordEntry> {
    let (flags, after) = rest.split_first()?;
    *rest = after;
    let shared = usize::try_from(read_number(rest)?).ok()?;
    path.truncate(shared);
    path.push_str(&read_text(rest)?);
    let mode = u32::try_from(read_number(rest)?).ok()?;
    let (uid, gid, size) = (read_number(rest)?, read_number(rest)?, read_number(rest)?);
    let link = if flags & HAS_LINK == 0 { None } else { Some(read_text(rest)?) };
    let mut attributes = Vec::new();
    if flags & HAS_ATTRIBUTES != 0 {
        for _ in 0..read_number(rest)? {
            attributes.push((read_text(rest)?, read_blob(rest)?.to_vec()));
        }
    }
    let digest = if flags & HAS_DIGEST == 0 {
        None
    } else {
        let (digest, after) = rest.split_first_chunk::<32>()?;
        *rest = after;
        Some(*digest)
    };
    let kind = *KINDS.get(usize::from(flags & KIND_BITS))?;
    Some(RecordEntry { path: path.clone(), kind, mode, uid, gid, size, link, attributes, digest })
}

impl RecordEntry {
    /// The public form.
    #[must_use]
    pub fn into_file(self, layer: Option<u32>) -> FileRecord {
        use std::fmt::Write as _;
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        FileRecord {
            path: self.path,
            kind: self.kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: self.size,
            link: self.link,
            attributes: self
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), hex(value)))
                .collect(),
            layer,
            digest: self.digest.map(Digest::sha256),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_entry_comes_back_as_it_went_in(
            entries in prop::collection::vec(
                ("[a-zé/]{0,12}", 0_usize..7, any::<u32>(), any::<u64>(), "[a-z]{0,4}", any::<Option<[u8; 32]>>()),
                0..20,
            ),
        ) {
            let mut record = Record::default();
            let attributes = [("user.a".to_owned(), vec![0, 255])];
            let mut expected = Vec::new();
            for (path, kind, mode, size, link, digest) in &entries {
                let attributes: &[_] = if size % 2 == 0 { &attributes } else { &[] };
                let meta = Meta {
                    path, kind: KINDS[*kind], mode: *mode, uid: *size, gid: 7, size: *size, link, attributes,
                };
                record.push(&meta, *digest);
                expected.push(RecordEntry {
                    path: path.clone(), kind: KINDS[*kind], mode: *mode, uid: *size, gid: 7, size: *size,
                    link: Some(link.clone()).filter(|link| !link.is_empty()),
                    attributes: attributes.to_vec(), digest: *digest,
                });
            }
            prop_assert_eq!(record.iter().collect::<Vec<_>>(), expected);
        }
    }
}
