//! Reads the members of a zip archive, as far as the feed's `all.zip` needs it.
//!
//! In goes something that can be read at any place, out come members in the order of their names,
//! each inflated into one buffer and held against its length and CRC. The central directory is what
//! counts; with it, nothing is guessed from bytes in between. Own rather than a library, because the
//! part that is needed is small and every length in it must be bounded.
//!
//! Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16 and 4.5.3 (zip64).

use crate::format::crc32;
use flate2::{Decompress, FlushDecompress, Status};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Most members of one archive; the largest feed has some 300,000.
const MAX_MEMBERS: u64 = 4_000_000;
/// Largest central directory: as many members of about 100 bytes.
const MAX_DIRECTORY: u64 = 512 << 20;
/// Most bytes of all members together, inflated; the whole public feed has some 50 GB.
const MAX_PLAIN: u64 = 256 << 30;
/// Plain bytes for each byte of the archive: records of advisories, of two kilobytes each, shrink to a
/// fifth. Deflate can reach 1,032.
const PLAIN_RATIO: u64 = 200;
/// Plain bytes below which that is no matter.
const PLAIN_GRACE: u64 = 256 << 20;
/// How far from its end an archive's last record can begin: its own length and a comment.
const TAIL: u64 = 22 + 65_535;
/// How much a local header's names may exceed those of the directory before it is read again.
const SLACK: u64 = 128;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// The bytes cannot be had.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It has no directory, or one that makes no sense.
    #[error("it is not a zip archive, or is cut off")]
    NotAZip,
    /// It has more members than any feed.
    #[error("it has {0} members or a directory of that many bytes, which is more than is allowed")]
    TooManyMembers(u64),
    /// Its members together are larger than all feeds.
    #[error("its members have {0} bytes together, which is more than is allowed ({MAX_PLAIN})")]
    Large(u64),
    /// They are packed far more tightly than text can be.
    #[error(
        "its members have {plain} bytes together, more than {PLAIN_RATIO} times the {packed} bytes of the archive, as no feed has: it may be made to fill the memory"
    )]
    Bomb {
        /// What they say they have together.
        plain: u64,
        /// What the archive has.
        packed: u64,
    },
    /// Members that share bytes: so few bytes of an archive are read over and over.
    #[error("its member `{0}` lies over another one or over the directory, as no archive needs")]
    Overlap(String),
    /// A member is larger than any record.
    #[error("its member `{0}` is larger than is allowed ({1} bytes)")]
    TooLarge(String, u64),
    /// A member is packed in a way that feeds do not use.
    #[error("its member `{0}` is encrypted or packed by method {1}, which is not supported")]
    Method(String, u16),
    /// A member does not have the length and checksum that the directory states.
    #[error("its member `{0}` is damaged")]
    Damaged(String),
}

/// Something that can be read at any place.
pub(crate) trait ReadAt {
    fn length(&self) -> io::Result<u64>;
    fn read_exact_at(&self, target: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, target: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, target, offset)
    }
}

impl ReadAt for &[u8] {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, target: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(target.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        target.copy_from_slice(self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    name: String,
    header: u64,
    packed: u64,
    plain: u64,
    crc: u32,
    method: u16,
    encrypted: bool,
}

/// An archive whose directory has been read.
#[derive(Debug)]
pub(crate) struct Archive<Source> {
    source: Source,
    length: u64,
    members: Vec<Member>,
}

impl<Source: ReadAt> Archive<Source> {
    /// Reads the directory.
    pub(crate) fn open(source: Source) -> Result<Self, ZipError> {
        let length = source.length()?;
        let directory = Directory::find(&source, length)?;
        let mut bytes = vec![0; usize::try_from(directory.bytes).map_err(io::Error::other)?];
        source.read_exact_at(&mut bytes, directory.start).map_err(|_| ZipError::NotAZip)?;
        let mut fields = Fields(&bytes);
        let mut members = Vec::new();
        for _ in 0..directory.members {
            members.push(fields.member().ok_or(ZipError::NotAZip)?);
        }
        let plain = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.plain));
        if plain > MAX_PLAIN {
            return Err(ZipError::Large(plain));
        }
        if plain > PLAIN_GRACE.max(length.saturating_mul(PLAIN_RATIO)) {
            return Err(ZipError::Bomb { plain, packed: length });
        }
        if let Some(name) = overlapping(&members, directory.start) {
            return Err(ZipError::Overlap(name));
        }
        members.retain(|member| !member.name.ends_with('/'));
        members.sort_unstable();
        Ok(Self { source, length, members })
    }

    /// Calls `each` with the name and bytes of every member that `wanted` picks by name.
    pub(crate) fn read(
        &self,
        at_most: u64,
        wanted: impl Fn(&str) -> bool,
        mut each: impl FnMut(&str, &[u8]),
    ) -> Result<(), ZipError> {
        let (mut packed, mut plain) = (Vec::new(), Vec::new());
        let mut inflate = Decompress::new(false);
        for member in self.members.iter().filter(|member| wanted(&member.name)) {
            if member.plain > at_most || member.packed > at_most {
                return Err(ZipError::TooLarge(member.name.clone(), at_most));
            }
            let data = self.data(member, &mut packed)?;
            let damaged = || ZipError::Damaged(member.name.clone());
            let bytes = match member.method {
                _ if member.encrypted => {
                    return Err(ZipError::Method(member.name.clone(), member.method));
                }
                0 => data,
                8 => {
                    plain.resize(usize::try_from(member.plain).map_err(io::Error::other)?, 0);
                    inflate.reset(false);
                    let status = inflate
                        .decompress(data, &mut plain, FlushDecompress::Finish)
                        .map_err(|_| damaged())?;
                    if status != Status::StreamEnd || inflate.total_out() != member.plain {
                        return Err(damaged());
                    }
                    plain.as_slice()
                }
                other => return Err(ZipError::Method(member.name.clone(), other)),
            };
            if bytes.len() as u64 != member.plain || crc32(bytes) != member.crc {
                return Err(damaged());
            }
            each(&member.name, bytes);
        }
        Ok(())
    }

    /// The packed bytes of a member. The local header repeats the name and may have extra fields of
    /// another length, so a little more is read than the directory tells.
    fn data<'buffer>(
        &self,
        member: &Member,
        buffer: &'buffer mut Vec<u8>,
    ) -> Result<&'buffer [u8], ZipError> {
        let damaged = || ZipError::Damaged(member.name.clone());
        let least = 30 + member.name.len() as u64 + member.packed;
        let mut want = least + SLACK;
        loop {
            let end = member.header.saturating_add(want).min(self.length);
            let have = end.checked_sub(member.header).ok_or_else(damaged)?;
            buffer.resize(usize::try_from(have).map_err(io::Error::other)?, 0);
            self.source.read_exact_at(buffer, member.header)?;
            let mut fields = Fields(buffer);
            let lengths = fields.local_header().ok_or_else(damaged)?;
            let start = 30 + lengths;
            let needed = start + member.packed;
            if needed <= have {
                let start = usize::try_from(start).map_err(io::Error::other)?;
                let end = usize::try_from(needed).map_err(io::Error::other)?;
                return buffer.get(start..end).ok_or_else(damaged);
            }
            if needed <= want {
                return Err(damaged());
            }
            want = needed;
        }
    }
}

/// A member whose least bytes reach into those of the next one or into the directory: its local header,
/// name and data. Source: "A better zip bomb" (Fifield, 2019), which quotes headers in data.
fn overlapping(members: &[Member], directory: u64) -> Option<String> {
    let end = |member: &Member| {
        let least = 30_u64.saturating_add(member.name.len() as u64).saturating_add(member.packed);
        member.header.saturating_add(least)
    };
    let mut places: Vec<&Member> = members.iter().collect();
    places.sort_unstable_by_key(|member| member.header);
    let starts = places.iter().skip(1).map(|next| next.header).chain([directory]);
    let mut both = places.iter().zip(starts);
    both.find(|(member, next)| end(member) > *next).map(|(member, _)| member.name.clone())
}

/// Where the central directory lies.
struct Directory {
    start: u64,
    bytes: u64,
    members: u64,
}

impl Directory {
    fn find(source: &impl ReadAt, length: u64) -> Result<Self, ZipError> {
        let tail_length = length.min(TAIL);
        let mut tail = vec![0; usize::try_from(tail_length).map_err(io::Error::other)?];
        let tail_start = length - tail_length;
        source.read_exact_at(&mut tail, tail_start)?;
        let at =
            tail.windows(4).rposition(|four| four == b"PK\x05\x06").ok_or(ZipError::NotAZip)?;
        let mut fields = Fields(tail.get(at..).unwrap_or_default());
        let mut directory = fields.end_record().ok_or(ZipError::NotAZip)?;
        let is_zip64 = directory.members == 0xffff
            || directory.bytes == 0xffff_ffff
            || directory.start == 0xffff_ffff;
        let end_record = tail_start + at as u64;
        if is_zip64 && let Some(locator_at) = end_record.checked_sub(20) {
            let mut locator = [0; 20];
            source.read_exact_at(&mut locator, locator_at)?;
            if let Some(place) = Fields(&locator).zip64_locator() {
                let mut record = [0; 56];
                source.read_exact_at(&mut record, place).map_err(|_| ZipError::NotAZip)?;
                directory = Fields(&record).zip64_end_record().ok_or(ZipError::NotAZip)?;
            }
        }
        if directory.members > MAX_MEMBERS {
            return Err(ZipError::TooManyMembers(directory.members));
        }
        if directory.bytes > MAX_DIRECTORY {
            return Err(ZipError::TooManyMembers(directory.bytes));
        }
        let end = directory.start.checked_add(directory.bytes).ok_or(ZipError::NotAZip)?;
        if end > length { Err(ZipError::NotAZip) } else { Ok(directory) }
    }
}

/// Reads the fixed fields of zip's records.
struct Fields<'bytes>(&'bytes [u8]);

impl<'bytes> Fields<'bytes> {
    fn take(&mut self, count: usize) -> Option<&'bytes [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        let taken = self.take(bytes)?;
        Some(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn short(&mut self) -> Option<u16> {
        self.number(2).and_then(|number| u16::try_from(number).ok())
    }

    /// Section 4.3.16.
    fn end_record(&mut self) -> Option<Directory> {
        self.take(10)?;
        let members = self.number(2)?;
        let bytes = self.number(4)?;
        Some(Directory { members, bytes, start: self.number(4)? })
    }

    /// Section 4.3.15.
    fn zip64_locator(&mut self) -> Option<u64> {
        let signature = self.take(4)?;
        self.take(4)?;
        self.number(8).filter(|_| signature == b"PK\x06\x07")
    }

    /// Section 4.3.14.
    fn zip64_end_record(&mut self) -> Option<Directory> {
        let signature = self.take(4)?;
        self.take(28)?;
        let members = self.number(8)?;
        let bytes = self.number(8)?;
        let start = self.number(8)?;
        (signature == b"PK\x06\x06").then_some(Directory { start, bytes, members })
    }

    /// Section 4.3.7: the length of name and extra field.
    fn local_header(&mut self) -> Option<u64> {
        let signature = self.take(4)?;
        self.take(22)?;
        let lengths = self.number(2)? + self.number(2)?;
        (signature == b"PK\x03\x04").then_some(lengths)
    }

    /// Section 4.3.12.
    fn member(&mut self) -> Option<Member> {
        let signature = self.take(4)?;
        self.take(4)?;
        let flags = self.short()?;
        let method = self.short()?;
        self.take(4)?;
        let crc = u32::try_from(self.number(4)?).ok()?;
        let (mut packed, mut plain) = (self.number(4)?, self.number(4)?);
        let name = usize::from(self.short()?);
        let extra = usize::from(self.short()?);
        let comment = usize::from(self.short()?);
        self.take(8)?;
        let mut header = self.number(4)?;
        let name = String::from_utf8_lossy(self.take(name)?).into_owned();
        let extra = self.take(extra)?;
        self.take(comment)?;
        // Section 4.5.3: only those that do not fit four bytes are there, in this order.
        if let Some(mut wide) = zip64_field(extra) {
            for value in [&mut plain, &mut packed, &mut header] {
                if *value == 0xffff_ffff {
                    *value = wide.number(8)?;
                }
            }
        }
        (signature == b"PK\x01\x02").then_some(Member {
            name,
            header,
            packed,
            plain,
            crc,
            method,
            encrypted: flags & 1 != 0,
        })
    }
}

fn zip64_field(extra: &[u8]) -> Option<Fields<'_>> {
    let mut fields = Fields(extra);
    loop {
        let (id, length) = (fields.short()?, fields.short()?);
        let content = fields.take(usize::from(length))?;
        if id == 1 {
            return Some(Fields(content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive with one stored member whose directory says it needs 64-bit fields throughout.
    fn zip64(text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let crc = crc32(text).to_le_bytes();
        let mut file = b"PK\x03\x04\x2d\0\0\0\0\0\0\0\0\0".to_vec();
        for part in [&crc[..], &length, &length, &[6, 0, 0, 0], b"a.json", text] {
            file.extend_from_slice(part);
        }
        let directory = file.len() as u64;
        file.extend_from_slice(b"PK\x01\x02\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
        for part in [&crc[..], &[0xff; 8], &[6, 0, 28, 0, 0, 0], &[0; 8], &[0xff; 4], b"a.json"] {
            file.extend_from_slice(part);
        }
        file.extend_from_slice(&[1, 0, 24, 0]);
        for number in [text.len() as u64, text.len() as u64, 0] {
            file.extend_from_slice(&number.to_le_bytes());
        }
        let end = file.len() as u64;
        file.extend_from_slice(b"PK\x06\x06");
        file.extend_from_slice(&44_u64.to_le_bytes());
        file.extend_from_slice(&[0; 12]);
        for number in [1, 1, end - directory, directory] {
            file.extend_from_slice(&number.to_le_bytes());
        }
        file.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        file.extend_from_slice(&end.to_le_bytes());
        file.extend_from_slice(&[1, 0, 0, 0]);
        file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        file.extend_from_slice(&[0xff; 12]);
        file.extend_from_slice(&[0, 0]);
        file
    }

    fn members(file: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ZipError> {
        let mut all = Vec::new();
        let take = |name: &str, bytes: &[u8]| all.push((name.to_owned(), bytes.to_vec()));
        Archive::open(file)?.read(1000, |_| true, take)?;
        Ok(all)
    }

    #[test]
    fn archives_with_64_bit_fields_are_read() {
        let found = members(&zip64(b"content")).unwrap();
        assert_eq!(found, [("a.json".to_owned(), b"content".to_vec())]);
    }

    #[test]
    fn a_member_with_another_checksum_or_size_is_refused() {
        let mut damaged = zip64(b"content");
        damaged[38] ^= 1;
        assert!(matches!(members(&damaged), Err(ZipError::Damaged(_))));
        let large = vec![b'a'; 1001];
        assert!(matches!(members(&zip64(&large)), Err(ZipError::TooLarge(..))));
    }

    /// An archive of one stored content that `members` entries of the directory name, each `step` bytes
    /// behind the one before.
    fn shared(members: u16, step: u32) -> Vec<u8> {
        let text = b"content";
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let crc = crc32(text).to_le_bytes();
        let mut file = Vec::new();
        for _ in 0..2 {
            file.extend_from_slice(b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0");
            for part in [&crc[..], &length, &length, &[6, 0, 0, 0], b"a.json", text] {
                file.extend_from_slice(part);
            }
        }
        let start = u32::try_from(file.len()).unwrap();
        for number in 0..members {
            file.extend_from_slice(b"PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\0\0");
            let header = (u32::from(number) * step).to_le_bytes();
            for part in [&crc[..], &length, &length, &[6, 0, 0, 0, 0, 0], &[0; 8], &header] {
                file.extend_from_slice(part);
            }
            file.extend_from_slice(b"a.json");
        }
        let bytes = u32::try_from(file.len()).unwrap() - start;
        file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        for part in [members.to_le_bytes(), members.to_le_bytes()] {
            file.extend_from_slice(&part);
        }
        file.extend_from_slice(&bytes.to_le_bytes());
        file.extend_from_slice(&start.to_le_bytes());
        file.extend_from_slice(&[0, 0]);
        file
    }

    #[test]
    fn members_that_share_bytes_are_refused_before_any_is_read() {
        assert_eq!(members(&shared(2, 43)).unwrap().len(), 2, "side by side");
        for (number, step) in [(2, 0), (1_000, 0), (2, 42), (2, 1), (3, 43)] {
            let refused = members(&shared(number, step));
            assert!(matches!(refused, Err(ZipError::Overlap(_))), "{number} {step}: {refused:?}");
        }
    }

    #[test]
    fn a_damaged_archive_is_an_error_and_not_a_panic() {
        let file = zip64(b"content");
        for at in 0..file.len() {
            let _ = members(&file[..at]);
            let mut damaged = file.clone();
            damaged[at] = 0xff;
            let _ = members(&damaged);
        }
    }
}
