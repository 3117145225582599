//! The record of an image's files, as it is stored beside its seal.
//!
//! In go file records in the order of their paths, out comes one compressed document, and back. A
//! path is the length that it shares with the one before and the rest, numbers are LEB128: some 60
//! bytes a file, nearly all of them its digest. A reader streams it, so that a guard can be set up
//! from it without holding it as structs, and holds hostile documents to named bounds.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use vocabulary::{Digest, FileKind, FileRecord};

/// The first bytes of a record.
const MAGIC: &[u8] = b"lazaret-record-1\n";

/// Entries of a record: as many as the reader of images takes for one layer.
pub const ENTRIES: u64 = 10_000_000;

/// Bytes of a stored document. Ten million files take some 400 MiB.
pub const STORED_BYTES: u64 = 1 << 30;

/// Plain bytes of a document: what ten million files with long names may take.
pub const PLAIN_BYTES: u64 = 4 << 30;

/// The window that a compressed document may ask memory for, as a power of two: 8 MiB, what every
/// decoder must support (RFC 8878, section 3.1.1.1.2).
const WINDOW_LOG: u32 = 23;

/// Bytes of a path, link, attribute name or value: a tar may give an attribute a megabyte, and hex
/// doubles that.
const TEXT_BYTES: u64 = 4 << 20;

/// Extended attributes of a file, as in the reader of images.
const ATTRIBUTES: u64 = 256;

/// Compression: beyond this level the digests, which do not shrink, only cost time.
const LEVEL: i32 = 3;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is not what it must be.
    #[error("the record is not valid: {0}; restore the store from a copy, or seal again")]
    Damaged(&'static str),
    /// A bound was passed.
    #[error("the record has more {0} than are taken; refusing to read it")]
    Limit(&'static str),
    /// It could not be unpacked.
    #[error("the record cannot be unpacked: {0}; restore the store from a copy, or seal again")]
    Unpack(#[source] io::Error),
    /// Records are written in the order of their paths, each path once.
    #[error(
        "`{0}` is not in the order of paths, or there twice; this is a fault of lazaret, please report it"
    )]
    Order(String),
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
const HAS_LAYER: u8 = 0x40;

/// The stored form of files that are in the order of their paths.
///
/// # Errors
/// Where they are not in order, or hold what a record cannot.
pub fn write(files: &[FileRecord]) -> Result<Vec<u8>, RecordError> {
    let mut plain = MAGIC.to_vec();
    number(&mut plain, files.len() as u64);
    let mut last: Option<&str> = None;
    for file in files {
        if last.is_some_and(|last| last.as_bytes() >= file.path.as_bytes()) {
            return Err(RecordError::Order(file.path.clone()));
        }
        write_entry(&mut plain, last.unwrap_or_default(), file)?;
        last = Some(&file.path);
    }
    pack(&plain)
}

/// Compresses a document.
///
/// # Errors
/// Where memory is short.
pub fn pack(plain: &[u8]) -> Result<Vec<u8>, RecordError> {
    // One thread and the sizes known: the window stays within what readers take.
    let mut packer = zstd::bulk::Compressor::new(LEVEL).map_err(RecordError::Unpack)?;
    packer
        .set_parameter(zstd::zstd_safe::CParameter::WindowLog(WINDOW_LOG))
        .map_err(RecordError::Unpack)?;
    packer.compress(plain).map_err(RecordError::Unpack)
}

/// Reads a compressed document, up to `limit` plain bytes.
pub(crate) fn unpack(stored: &[u8], limit: u64) -> Result<Vec<u8>, RecordError> {
    let mut plain = Vec::new();
    decoder(stored)?.take(limit + 1).read_to_end(&mut plain).map_err(RecordError::Unpack)?;
    if plain.len() as u64 > limit {
        return Err(RecordError::Limit("bytes"));
    }
    Ok(plain)
}

fn decoder(stored: &[u8]) -> Result<impl Read + '_, RecordError> {
    let mut decoder = zstd::Decoder::with_buffer(stored).map_err(RecordError::Unpack)?;
    decoder.window_log_max(WINDOW_LOG).map_err(RecordError::Unpack)?;
    Ok(decoder)
}

fn write_entry(out: &mut Vec<u8>, last: &str, file: &FileRecord) -> Result<(), RecordError> {
    let kind = KINDS.iter().position(|kind| *kind == file.kind).unwrap_or(0);
    let mut flags = u8::try_from(kind).unwrap_or(0);
    flags |= if file.link.is_some() { HAS_LINK } else { 0 };
    flags |= if file.attributes.is_empty() { 0 } else { HAS_ATTRIBUTES };
    flags |= if file.digest.is_some() { HAS_DIGEST } else { 0 };
    flags |= if file.layer.is_some() { HAS_LAYER } else { 0 };
    out.push(flags);
    let shared = shared_prefix(last, &file.path);
    number(out, shared as u64);
    text(out, file.path.get(shared..).unwrap_or_default());
    number(out, u64::from(file.mode));
    number(out, file.uid);
    number(out, file.gid);
    number(out, file.size);
    if let Some(link) = &file.link {
        text(out, link);
    }
    if !file.attributes.is_empty() {
        number(out, file.attributes.len() as u64);
        for (name, value) in &file.attributes {
            text(out, name);
            text(out, value);
        }
    }
    if let Some(layer) = file.layer {
        number(out, u64::from(layer));
    }
    if let Some(digest) = &file.digest {
        let bytes: &[u8; 32] = digest
            .as_bytes()
            .try_into()
            .map_err(|_| RecordError::Damaged("a file's digest is not SHA-256"))?;
        out.extend_from_slice(bytes);
    }
    Ok(())
}

fn number(out: &mut Vec<u8>, mut value: u64) {
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

fn text(out: &mut Vec<u8>, value: &str) {
    number(out, value.len() as u64);
    out.extend_from_slice(value.as_bytes());
}

fn shared_prefix(left: &str, right: &str) -> usize {
    let mut shared = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    while !right.is_char_boundary(shared) || !left.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

/// Reads the entries of a stored record, one at a time. After an error it ends.
pub struct Entries<'stored> {
    source: BufReader<Box<dyn Read + 'stored>>,
    path: String,
    left: u64,
    first: bool,
    ended: bool,
}

/// Begins to read a stored record.
///
/// # Errors
/// Where it is not one.
pub fn read(stored: &[u8]) -> Result<Entries<'_>, RecordError> {
    if stored.len() as u64 > STORED_BYTES {
        return Err(RecordError::Limit("bytes"));
    }
    let decoder: Box<dyn Read + '_> = Box::new(decoder(stored)?.take(PLAIN_BYTES));
    let mut source = BufReader::with_capacity(64 << 10, decoder);
    let mut magic = [0_u8; MAGIC.len()];
    source.read_exact(&mut magic).map_err(RecordError::Unpack)?;
    if magic != MAGIC {
        return Err(RecordError::Damaged("it begins otherwise than a record"));
    }
    let mut entries = Entries { source, path: String::new(), left: 0, first: true, ended: false };
    entries.left = entries.number()?;
    if entries.left > ENTRIES {
        return Err(RecordError::Limit("entries"));
    }
    Ok(entries)
}

impl Iterator for Entries<'_> {
    type Item = Result<FileRecord, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.left == 0 {
            self.ended = true;
            return match self.source.read(&mut [0]) {
                Ok(0) => None,
                Ok(_) => Some(Err(RecordError::Damaged("bytes follow its last entry"))),
                Err(error) => Some(Err(RecordError::Unpack(error))),
            };
        }
        self.left -= 1;
        let entry = self.entry();
        self.ended = entry.is_err();
        Some(entry)
    }
}

impl Entries<'_> {
    fn entry(&mut self) -> Result<FileRecord, RecordError> {
        let flags = self.byte()?;
        let kind = *KINDS
            .get(usize::from(flags & KIND_BITS))
            .filter(|_| flags & 0x80 == 0)
            .ok_or(RecordError::Damaged("an entry is of no known kind"))?;
        self.next_path()?;
        let mode = u32::try_from(self.number()?)
            .map_err(|_| RecordError::Damaged("a mode is too large"))?;
        let (uid, gid, size) = (self.number()?, self.number()?, self.number()?);
        let link = if flags & HAS_LINK == 0 { None } else { Some(self.text()?) };
        let mut attributes = BTreeMap::new();
        if flags & HAS_ATTRIBUTES != 0 {
            let count = self.number()?;
            if count > ATTRIBUTES {
                return Err(RecordError::Limit("extended attributes"));
            }
            for _ in 0..count {
                attributes.insert(self.text()?, self.text()?);
            }
        }
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
                Some(Digest::sha256(digest))
            }
        };
        let path = self.path.clone();
        Ok(FileRecord { path, kind, mode, uid, gid, size, link, attributes, layer, digest })
    }

    /// Each path once, in order: so that two records of the same files are the same, and comparing
    /// is one pass.
    fn next_path(&mut self) -> Result<(), RecordError> {
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
        if !follows && !self.first {
            return Err(RecordError::Damaged("paths are not in order"));
        }
        self.first = false;
        self.path.truncate(shared);
        self.path.push_str(&rest);
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, RecordError> {
        let mut byte = [0];
        self.source.read_exact(&mut byte).map_err(RecordError::Unpack)?;
        let [byte] = byte;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, RecordError> {
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

    fn text(&mut self) -> Result<String, RecordError> {
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
        String::from_utf8(bytes).map_err(|_| RecordError::Damaged("a text is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{any_files, file};
    use proptest::prelude::*;

    fn all(stored: &[u8]) -> Result<Vec<FileRecord>, RecordError> {
        read(stored)?.collect()
    }

    proptest! {
        #[test]
        fn every_record_comes_back_as_it_went_in(files in any_files(30)) {
            prop_assert_eq!(all(&write(&files).unwrap()).unwrap(), files);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = all(&bytes);
            let _ = all(&pack(&[MAGIC, &bytes].concat()).unwrap());
        }

        #[test]
        fn a_cut_record_is_an_error(files in any_files(12), at in any::<prop::sample::Index>()) {
            let stored = write(&files).unwrap();
            prop_assert!(all(&stored[..at.index(stored.len())]).is_err());
        }
    }

    #[test]
    fn order_is_asked_of_writer_and_reader() {
        let (a, b) = (file("a", b""), file("b", b""));
        assert!(
            matches!(write(&[b.clone(), a.clone()]), Err(RecordError::Order(path)) if path == "a")
        );
        assert!(matches!(write(&[a.clone(), a.clone()]), Err(RecordError::Order(_))));
        let mut plain = MAGIC.to_vec();
        number(&mut plain, 2);
        write_entry(&mut plain, "", &b).unwrap();
        write_entry(&mut plain, "b", &a).unwrap();
        assert!(matches!(all(&pack(&plain).unwrap()), Err(RecordError::Damaged(_))));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = pack(&vec![0; 8 << 20]).unwrap();
        assert!(bomb.len() < 4096);
        assert!(matches!(unpack(&bomb, 1 << 20), Err(RecordError::Limit(_))));
        let mut plain = MAGIC.to_vec();
        number(&mut plain, ENTRIES + 1);
        assert!(matches!(all(&pack(&plain).unwrap()), Err(RecordError::Limit("entries"))));
        // A window of 1 GiB would be allocated before the first byte is seen.
        let greedy = {
            let mut packer = zstd::Encoder::new(Vec::new(), 3).unwrap();
            packer.window_log(30).unwrap();
            io::Write::write_all(&mut packer, MAGIC).unwrap();
            packer.finish().unwrap()
        };
        assert!(matches!(all(&greedy), Err(RecordError::Unpack(_))));
    }
}
