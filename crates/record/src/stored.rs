//! The record of an image's files, as it is stored: beside a seal, or with what is kept.
//!
//! In go file records in the order of their paths, out comes one compressed document, and back. A
//! reader streams it, so that a guard can be set up from it without holding it as structs, and holds
//! hostile documents to named bounds.

use crate::entry::{Reader, RecordEntry, number};
use crate::error::RecordError;
use std::io::{BufReader, Read};
use vocabulary::{Digest, FileRecord};

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

/// Compression: beyond this level the digests, which do not shrink, only cost time.
const LEVEL: i32 = 3;

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
///
/// # Errors
/// Where it is none, or larger.
pub fn unpack(stored: &[u8], limit: u64) -> Result<Vec<u8>, RecordError> {
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
    let digest = file.digest.as_ref().map(|digest| digest.as_bytes().try_into()).transpose();
    let digest = digest.map_err(|_| RecordError::Damaged("a file's digest is not SHA-256"))?;
    let attributes = file.attributes.iter();
    let entry = RecordEntry {
        path: file.path.as_str(),
        kind: file.kind,
        mode: file.mode,
        uid: file.uid,
        gid: file.gid,
        size: file.size,
        link: file.link.as_deref(),
        attributes: attributes.map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        layer: file.layer,
        digest,
    };
    entry.write(out, last);
    Ok(())
}

/// The file of an entry whose attributes' values are texts.
fn file_of(entry: RecordEntry) -> Result<FileRecord, RecordError> {
    let text = |(name, value): (String, Vec<u8>)| {
        let value = String::from_utf8(value);
        Ok((name, value.map_err(|_| RecordError::Damaged("a text is not UTF-8"))?))
    };
    Ok(FileRecord {
        path: entry.path,
        kind: entry.kind,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size,
        link: entry.link,
        attributes: entry.attributes.into_iter().map(text).collect::<Result<_, _>>()?,
        layer: entry.layer,
        digest: entry.digest.map(Digest::sha256),
    })
}

/// Reads the entries of a stored record, one at a time. After an error it ends.
pub struct Entries<'stored> {
    reader: Reader<BufReader<Box<dyn Read + 'stored>>>,
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
    let mut reader = Reader::new(source);
    let left = reader.number()?;
    let entries = Entries { reader, left, first: true, ended: false };
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
            return match self.reader.source.read(&mut [0]) {
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
    /// Each path once, in order: so that two records of the same files are the same, and comparing
    /// is one pass.
    fn entry(&mut self) -> Result<FileRecord, RecordError> {
        let (entry, follows) = self.reader.entry()?;
        if !follows && !self.first {
            return Err(RecordError::Damaged("paths are not in order"));
        }
        self.first = false;
        file_of(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::files::{any_files, file};

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
    fn the_form_stays_as_it_is_documented() {
        let (mut first, mut second) = (file("usr/bin/a", b""), file("usr/bin/bé", b""));
        (first.layer, first.digest, first.uid) = (None, None, 300);
        second.link = Some("x".to_owned());
        second.attributes.insert("user.a".to_owned(), "00ff".to_owned());
        let empty = Digest::of(b"");
        let plain = [
            MAGIC,
            b"\x02",
            b"\x00\x00\x09usr/bin/a\xa4\x03\xac\x02\x00\x00",
            b"\x78\x08\x03b\xc3\xa9\xa4\x03\x00\x00\x00\x01x\x01\x06user.a\x0400ff\x00",
            empty.as_bytes(),
        ];
        let stored = write(&[first, second]).unwrap();
        assert_eq!(unpack(&stored, 1000).unwrap(), plain.concat());
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
            std::io::Write::write_all(&mut packer, MAGIC).unwrap();
            packer.finish().unwrap()
        };
        assert!(matches!(all(&greedy), Err(RecordError::Unpack(_))));
    }
}
