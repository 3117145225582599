//! One entry as bytes: written behind the path before it, read back within bounds.
//!
//! ```text
//! flags: kind (3 bits), link, attributes, digest, layer
//! length that the path shares with the one before; the rest of it
//! mode, owner, group, size
//! where flagged: target of the link; count of attributes, name and value of each; layer; SHA-256
//! ```
//! Numbers are LEB128; a text or value is its length and its bytes.

use crate::error::RecordError;
use std::io::{BufRead, Read as _};
use vocabulary::FileKind;

/// Bytes of a path, link, attribute name or value: a tar may give an attribute a megabyte, and hex
/// doubles that.
pub(crate) const TEXT_BYTES: u64 = 4 << 20;

/// Extended attributes of a file, as in the reader of images.
const ATTRIBUTES: u64 = 256;

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
const HAS_LAYER: u8 = 0x40;
const UNKNOWN: u8 = 0x80;

/// One entry of a record. The link, and the names and values of attributes, are borrowed where an entry
/// is written (`&str`, `&[u8]`), and owned where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordEntry<Text = String, Value = Vec<u8>> {
    /// Path without a leading slash.
    pub path: Text,
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
    pub link: Option<Text>,
    /// Extended attributes.
    pub attributes: Vec<(Text, Value)>,
    /// The layer that it comes from, where the record is of several.
    pub layer: Option<u32>,
    /// SHA-256 of the content.
    pub digest: Option<[u8; 32]>,
}

impl RecordEntry<&str, &[u8]> {
    /// Writes it behind the entry whose path is `last`. What comes back is how much of that it shares.
    pub(crate) fn write(&self, out: &mut Vec<u8>, last: &str) -> usize {
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap_or(0);
        let mut flags = u8::try_from(kind).unwrap_or(0);
        flags |= if self.link.is_some() { HAS_LINK } else { 0 };
        flags |= if self.attributes.is_empty() { 0 } else { HAS_ATTRIBUTES };
        flags |= if self.digest.is_some() { HAS_DIGEST } else { 0 };
        flags |= if self.layer.is_some() { HAS_LAYER } else { 0 };
        out.push(flags);
        let shared = shared_prefix(last, self.path);
        number(out, shared as u64);
        blob(out, self.path.get(shared..).unwrap_or_default().as_bytes());
        number(out, u64::from(self.mode));
        number(out, self.uid);
        number(out, self.gid);
        number(out, self.size);
        if let Some(link) = self.link {
            blob(out, link.as_bytes());
        }
        if !self.attributes.is_empty() {
            number(out, self.attributes.len() as u64);
            for (name, value) in &self.attributes {
                blob(out, name.as_bytes());
                blob(out, value);
            }
        }
        if let Some(layer) = self.layer {
            number(out, u64::from(layer));
        }
        if let Some(digest) = &self.digest {
            out.extend_from_slice(digest);
        }
        shared
    }
}

/// Appends a number.
pub(crate) fn number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes().first().copied().unwrap_or(0) & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn blob(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn shared_prefix(left: &str, right: &str) -> usize {
    let mut shared = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    while !right.is_char_boundary(shared) || !left.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

/// Reads entries one behind the other.
#[derive(Debug)]
pub(crate) struct Reader<Source> {
    pub(crate) source: Source,
    path: String,
}

impl<Source: BufRead> Reader<Source> {
    pub(crate) const fn new(source: Source) -> Self {
        Self { source, path: String::new() }
    }

    /// The next entry, and whether its path comes behind the one before in the order of paths.
    pub(crate) fn entry(&mut self) -> Result<(RecordEntry, bool), RecordError> {
        let flags = self.byte()?;
        let kind = *KINDS
            .get(usize::from(flags & KIND_BITS))
            .filter(|_| flags & UNKNOWN == 0)
            .ok_or(RecordError::Damaged("an entry is of no known kind"))?;
        let follows = self.next_path()?;
        let mode = u32::try_from(self.number()?)
            .map_err(|_| RecordError::Damaged("a mode is too large"))?;
        let (uid, gid, size) = (self.number()?, self.number()?, self.number()?);
        let link = if flags & HAS_LINK == 0 { None } else { Some(self.text()?) };
        let attributes = if flags & HAS_ATTRIBUTES == 0 { Vec::new() } else { self.attributes()? };
        let layer = match flags & HAS_LAYER {
            0 => None,
            _ => Some(
                u32::try_from(self.number()?)
                    .map_err(|_| RecordError::Damaged("a layer's number is too large"))?,
            ),
        };
        let digest = match flags & HAS_DIGEST {
            0 => None,
            _ => {
                let mut digest = [0_u8; 32];
                self.source.read_exact(&mut digest).map_err(RecordError::Unpack)?;
                Some(digest)
            }
        };
        let path = self.path.clone();
        let entry =
            RecordEntry { path, kind, mode, uid, gid, size, link, attributes, layer, digest };
        Ok((entry, follows))
    }

    fn attributes(&mut self) -> Result<Vec<(String, Vec<u8>)>, RecordError> {
        let count = self.number()?;
        if count > ATTRIBUTES {
            return Err(RecordError::Limit("extended attributes"));
        }
        (0..count).map(|_| Ok((self.text()?, self.blob()?))).collect()
    }

    fn next_path(&mut self) -> Result<bool, RecordError> {
        let shared = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let rest = self.text()?;
        let start = self
            .path
            .get(..shared)
            .ok_or(RecordError::Damaged("a path shares more than there is"))?;
        if start.len() as u64 + rest.len() as u64 > TEXT_BYTES {
            return Err(RecordError::Limit("bytes in a path"));
        }
        let follows =
            self.path.get(shared..).is_some_and(|replaced| replaced.as_bytes() < rest.as_bytes());
        self.path.truncate(shared);
        self.path.push_str(&rest);
        Ok(follows)
    }

    fn byte(&mut self) -> Result<u8, RecordError> {
        let mut byte = [0];
        self.source.read_exact(&mut byte).map_err(RecordError::Unpack)?;
        let [byte] = byte;
        Ok(byte)
    }

    pub(crate) fn number(&mut self) -> Result<u64, RecordError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(RecordError::Damaged("a number is too long"))
    }

    fn blob(&mut self) -> Result<Vec<u8>, RecordError> {
        let length = self.number()?;
        if length > TEXT_BYTES {
            return Err(RecordError::Limit("bytes in a text"));
        }
        let mut bytes = Vec::new();
        let read =
            (&mut self.source).take(length).read_to_end(&mut bytes).map_err(RecordError::Unpack)?;
        if (read as u64) < length {
            return Err(RecordError::Damaged("it ends within a text"));
        }
        Ok(bytes)
    }

    fn text(&mut self) -> Result<String, RecordError> {
        String::from_utf8(self.blob()?).map_err(|_| RecordError::Damaged("a text is not UTF-8"))
    }
}
