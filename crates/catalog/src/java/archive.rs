//! Reads zip archives (jar, war, ear, …) that lie whole in memory.
//!
//! In goes a slice, out come the entries of the central directory, and of those asked for the plain
//! bytes. The central directory is the one truth: that is what a Java virtual machine reads too, so
//! that an entry hidden from it is hidden from us and the other way round. Only stored and deflated
//! entries are read; a stored one costs no copy, which is how nested jars of executable archives lie.
//! Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.

use std::borrow::Cow;

/// How many entries one archive may have. The largest real jars have some 100,000.
pub const ENTRY_LIMIT: u64 = 500_000;
/// How long the name of an entry may be: the longest path that Linux opens.
pub const NAME_LIMIT: usize = 4096;
/// The end record is 22 bytes and a comment of at most 65,535.
const TAIL_LIMIT: usize = 22 + 65_535;
/// How many times larger than its packed bytes an entry may become: deflate itself ends at 1,032.
const RATIO_LIMIT: u64 = 1_100;
/// The first allocation for an inflated entry, whatever size it claims.
const FIRST_ALLOCATION: u64 = 1 << 20;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// What may end a directory; section 4.3.13.
const SIGNATURE: [u8; 4] = *b"PK\x05\x05";

/// Why an archive or an entry cannot be read. Names no path: the caller knows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// No end record.
    #[error("it has no zip directory; the file is cut off or no archive")]
    NoDirectory,
    /// A field points outside the file, or a signature is missing.
    #[error("its zip {0} is damaged; fetch the file again")]
    Damaged(&'static str),
    /// More entries or longer names than allowed.
    #[error("its zip {0} is over the limit of {1}")]
    TooLarge(&'static str, u64),
    /// Neither stored nor deflated.
    #[error("entry `{0}` is packed by method {1}; only stored and deflated entries can be read")]
    Method(String, u16),
    /// Encrypted.
    #[error("entry `{0}` is encrypted and cannot be read")]
    Encrypted(String),
    /// It inflates to something else than it says.
    #[error("entry `{0}` does not inflate to what the directory says")]
    Inflate(String),
    /// It is larger than the caller allows.
    #[error("entry `{name}` has {bytes} bytes, over the limit of {limit}")]
    EntryTooLarge {
        /// The entry.
        name: String,
        /// Its size.
        bytes: u64,
        /// What the caller allows.
        limit: u64,
    },
}

/// An archive whose directory was found.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'bytes> {
    bytes: &'bytes [u8],
    directory: &'bytes [u8],
    /// What to add to an offset of the directory: bytes put before the archive, such as a script.
    base: u64,
    count: u64,
}

/// One entry of the central directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveEntry<'bytes> {
    /// The name as stored; not always UTF-8.
    pub name: &'bytes [u8],
    /// Size of the plain content, as the directory says.
    pub plain: u64,
    packed: u64,
    offset: u64,
    checksum: u32,
    method: u16,
    flags: u16,
}

impl ArchiveEntry<'_> {
    /// Whether there is anything in it, whatever size it claims: of nothing, deflate makes two bytes.
    #[must_use]
    pub const fn holds_bytes(&self) -> bool {
        self.plain > 0 || self.packed > 2
    }

    /// The name as text for people.
    #[must_use]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(self.name).chars().filter(|letter| !letter.is_control()).collect()
    }
}

impl<'bytes> Archive<'bytes> {
    /// Finds the directory.
    ///
    /// # Errors
    /// Where there is none, or it lies outside the file, or it has too many entries.
    pub fn open(bytes: &'bytes [u8]) -> Result<Self, ArchiveError> {
        let end = find_end(bytes).ok_or(ArchiveError::NoDirectory)?;
        let damaged = || ArchiveError::Damaged("end record");
        let mut count = u64::from(u16_at(bytes, end + 10).ok_or_else(damaged)?);
        let mut size = u64::from(u32_at(bytes, end + 12).ok_or_else(damaged)?);
        let mut offset = u64::from(u32_at(bytes, end + 16).ok_or_else(damaged)?);
        let mut directory_end = end;
        if let Some(record) = find_end_64(bytes, end) {
            count = u64_at(bytes, record + 32).ok_or_else(damaged)?;
            size = u64_at(bytes, record + 40).ok_or_else(damaged)?;
            offset = u64_at(bytes, record + 48).ok_or_else(damaged)?;
            directory_end = record;
        }
        if count > ENTRY_LIMIT {
            return Err(ArchiveError::TooLarge("count of entries", ENTRY_LIMIT));
        }
        let start = usize::try_from(size).ok().and_then(|size| directory_end.checked_sub(size));
        let start = start.ok_or_else(damaged)?;
        let directory = bytes.get(start..directory_end).ok_or_else(damaged)?;
        let base = u64::try_from(start).ok().and_then(|start| start.checked_sub(offset));
        Ok(Self { bytes, directory, base: base.ok_or_else(damaged)?, count })
    }

    /// The entries, in the order of the directory. The first error ends it.
    ///
    /// The directory's length decides, as it does for a Java virtual machine: the count has 16 bits,
    /// wraps where an old tool wrote more entries, and could hide those behind it.
    #[must_use]
    pub const fn entries(&self) -> Entries<'bytes> {
        Entries { rest: self.directory, promised: self.count, left: ENTRY_LIMIT, over: false }
    }

    /// The plain content of an entry, checked against its size and checksum.
    ///
    /// # Errors
    /// Where it is larger than `at_most`, encrypted, packed in another way, or damaged.
    pub fn read(
        &self,
        entry: &ArchiveEntry<'_>,
        at_most: u64,
    ) -> Result<Cow<'bytes, [u8]>, ArchiveError> {
        if entry.plain > at_most {
            let (bytes, limit) = (entry.plain, at_most);
            return Err(ArchiveError::EntryTooLarge { name: entry.shown(), bytes, limit });
        }
        if entry.flags & 1 != 0 {
            return Err(ArchiveError::Encrypted(entry.shown()));
        }
        let packed = self.packed(entry).ok_or(ArchiveError::Damaged("entry"))?;
        let plain = match entry.method {
            0 => Cow::Borrowed(packed),
            8 => Cow::Owned(inflate(packed, entry)?),
            other => return Err(ArchiveError::Method(entry.shown(), other)),
        };
        let mut checksum = flate2::Crc::new();
        checksum.update(&plain);
        if u64::try_from(plain.len()).ok() != Some(entry.plain) || checksum.sum() != entry.checksum
        {
            return Err(ArchiveError::Inflate(entry.shown()));
        }
        Ok(plain)
    }

    /// The packed bytes behind the local header, whose own name and extra field come before.
    fn packed(&self, entry: &ArchiveEntry<'_>) -> Option<&'bytes [u8]> {
        let local = usize::try_from(self.base.checked_add(entry.offset)?).ok()?;
        if self.bytes.get(local..)?.get(..4)? != LOCAL {
            return None;
        }
        let name = usize::from(u16_at(self.bytes, local.checked_add(26)?)?);
        let extra = usize::from(u16_at(self.bytes, local.checked_add(28)?)?);
        let start = local.checked_add(30)?.checked_add(name)?.checked_add(extra)?;
        let end = start.checked_add(usize::try_from(entry.packed).ok()?)?;
        self.bytes.get(start..end)
    }
}

/// Walks the central directory.
#[derive(Clone, Debug)]
pub struct Entries<'bytes> {
    rest: &'bytes [u8],
    /// How many entries the end record promises and have not come.
    promised: u64,
    left: u64,
    over: bool,
}

impl<'bytes> Entries<'bytes> {
    fn step(&mut self) -> Option<Result<ArchiveEntry<'bytes>, ArchiveError>> {
        if self.rest.is_empty() || self.rest.starts_with(&SIGNATURE) {
            return (self.promised > 0).then_some(Err(ArchiveError::Damaged("directory")));
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Some(Err(ArchiveError::TooLarge("count of entries", ENTRY_LIMIT)));
        };
        self.left = left;
        self.promised = self.promised.saturating_sub(1);
        let parsed = parse_central(self.rest).ok_or(ArchiveError::Damaged("directory"));
        Some(parsed.and_then(|(entry, rest)| {
            self.rest = rest;
            if entry.name.len() > NAME_LIMIT {
                return Err(ArchiveError::TooLarge("entry name", NAME_LIMIT as u64));
            }
            Ok(entry)
        }))
    }
}

impl<'bytes> Iterator for Entries<'bytes> {
    type Item = Result<ArchiveEntry<'bytes>, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let outcome = self.step();
        self.over = !matches!(outcome, Some(Ok(_)));
        outcome
    }
}

/// One central header and what follows it.
fn parse_central(bytes: &[u8]) -> Option<(ArchiveEntry<'_>, &[u8])> {
    if bytes.get(..4)? != CENTRAL {
        return None;
    }
    let name_end = 46 + usize::from(u16_at(bytes, 28)?);
    let extra_end = name_end + usize::from(u16_at(bytes, 30)?);
    let end = extra_end + usize::from(u16_at(bytes, 32)?);
    let mut entry = ArchiveEntry {
        name: bytes.get(46..name_end)?,
        plain: u64::from(u32_at(bytes, 24)?),
        packed: u64::from(u32_at(bytes, 20)?),
        offset: u64::from(u32_at(bytes, 42)?),
        checksum: u32_at(bytes, 16)?,
        method: u16_at(bytes, 10)?,
        flags: u16_at(bytes, 8)?,
    };
    widen(&mut entry, bytes.get(name_end..extra_end)?);
    Some((entry, bytes.get(end..)?))
}

/// Takes 64-bit values from the zip64 extra field, where the 32-bit ones are full; section 4.5.3.
fn widen(entry: &mut ArchiveEntry<'_>, mut extra: &[u8]) {
    const FULL: u64 = 0xffff_ffff;
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(length);
        if id == 1 {
            let values = extra.get(4..end).unwrap_or_default();
            let mut values = values.chunks_exact(8).map(|value| u64_at(value, 0).unwrap_or(FULL));
            for field in [&mut entry.plain, &mut entry.packed, &mut entry.offset] {
                if *field == FULL {
                    *field = values.next().unwrap_or(FULL);
                }
            }
            return;
        }
        extra = extra.get(end..).unwrap_or_default();
    }
}

/// The last end record whose comment fills the file exactly, else the last one at all.
fn find_end(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(TAIL_LIMIT);
    let tail = bytes.get(from..)?;
    let mut fallback = None;
    for at in memchr::memmem::rfind_iter(tail, &END) {
        let at = from + at;
        let Some(comment) = u16_at(bytes, at + 20) else { continue };
        if at + 22 + usize::from(comment) == bytes.len() {
            return Some(at);
        }
        fallback = fallback.or(Some(at));
    }
    fallback
}

/// The zip64 end record that the locator before the end record points to, or that stands directly
/// before the locator (where bytes were put before the archive).
fn find_end_64(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(20)?;
    if bytes.get(locator..locator + 4)? != LOCATOR_64 {
        return None;
    }
    let is_record = |at: &usize| bytes.get(*at..at + 4) == Some(&END_64);
    let before = locator.checked_sub(56).filter(is_record);
    before.or_else(|| {
        let at = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
        Some(at).filter(|at| *at < locator).filter(is_record)
    })
}

fn inflate(packed: &[u8], entry: &ArchiveEntry<'_>) -> Result<Vec<u8>, ArchiveError> {
    let wrong = || ArchiveError::Inflate(entry.shown());
    let most = u64::try_from(packed.len()).unwrap_or(u64::MAX).saturating_mul(RATIO_LIMIT);
    if entry.plain > most {
        return Err(wrong());
    }
    let first = usize::try_from(entry.plain.min(FIRST_ALLOCATION)).unwrap_or_default();
    let limit = usize::try_from(entry.plain).map_err(|_| wrong())?;
    let mut plain = Vec::with_capacity(first.max(1));
    let mut inflater = flate2::Decompress::new(false);
    loop {
        let taken = usize::try_from(inflater.total_in()).map_err(|_| wrong())?;
        let rest = packed.get(taken..).unwrap_or_default();
        let before = plain.len();
        let status = inflater
            .decompress_vec(rest, &mut plain, flate2::FlushDecompress::Finish)
            .map_err(|_| wrong())?;
        if status == flate2::Status::StreamEnd {
            return Ok(plain);
        }
        if plain.len() < plain.capacity() && plain.len() == before || plain.len() > limit {
            return Err(wrong());
        }
        if plain.len() == plain.capacity() {
            // One byte over the limit shows an entry that is larger than it says.
            let more = plain.len().min(limit.saturating_sub(plain.len())).max(1);
            plain.reserve_exact(more);
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
