//! The entries of a central directory, sections 4.3.12 and 4.5.3.

use crate::error::ArchiveError;
use crate::number::{u16_at, u32_at, u64_at};

/// How long the name of an entry may be: the longest path that Linux opens.
pub const NAME_LIMIT: usize = 4096;

const CENTRAL: [u8; 4] = *b"PK\x01\x02";
/// What may end a directory; section 4.3.13.
const SIGNATURE: [u8; 4] = *b"PK\x05\x05";

/// One entry of the central directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveEntry<'bytes> {
    /// The name as stored; not always UTF-8.
    pub name: &'bytes [u8],
    /// Size of the plain content, as the directory says.
    pub plain: u64,
    pub(crate) place: Place,
}

/// Where the content of an entry lies, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) packed: u64,
    pub(crate) checksum: u32,
    pub(crate) method: u16,
    pub(crate) flags: u16,
}

impl ArchiveEntry<'_> {
    /// Whether there is anything in it, whatever size it claims: of nothing, deflate makes two bytes.
    #[must_use]
    pub const fn holds_bytes(&self) -> bool {
        self.plain > 0 || self.place.packed > 2
    }

    /// The name as text for people.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(&String::from_utf8_lossy(self.name))
    }
}

/// A name as text for people.
pub(crate) fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).collect()
}

/// Walks the central directory.
#[derive(Clone, Debug)]
pub struct Entries<'bytes> {
    rest: &'bytes [u8],
    /// How many entries the end record promises and have not come.
    promised: u64,
    limit: u64,
    left: u64,
    over: bool,
}

impl<'bytes> Entries<'bytes> {
    pub(crate) const fn new(directory: &'bytes [u8], promised: u64, limit: u64) -> Self {
        Self { rest: directory, promised, limit, left: limit, over: false }
    }

    fn step(&mut self) -> Option<Result<ArchiveEntry<'bytes>, ArchiveError>> {
        if self.rest.is_empty() || self.rest.starts_with(&SIGNATURE) {
            return (self.promised > 0).then_some(Err(ArchiveError::Damaged("directory")));
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Some(Err(ArchiveError::TooLarge("count of entries", self.limit)));
        };
        self.left = left;
        self.promised = self.promised.saturating_sub(1);
        let parsed = parse(self.rest).ok_or(ArchiveError::Damaged("directory"));
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
fn parse(bytes: &[u8]) -> Option<(ArchiveEntry<'_>, &[u8])> {
    if bytes.get(..4)? != CENTRAL {
        return None;
    }
    let name_end = 46 + usize::from(u16_at(bytes, 28)?);
    let extra_end = name_end + usize::from(u16_at(bytes, 30)?);
    let end = extra_end + usize::from(u16_at(bytes, 32)?);
    let mut entry = ArchiveEntry {
        name: bytes.get(46..name_end)?,
        plain: u64::from(u32_at(bytes, 24)?),
        place: Place {
            offset: u64::from(u32_at(bytes, 42)?),
            packed: u64::from(u32_at(bytes, 20)?),
            checksum: u32_at(bytes, 16)?,
            method: u16_at(bytes, 10)?,
            flags: u16_at(bytes, 8)?,
        },
    };
    widen(&mut entry, bytes.get(name_end..extra_end)?);
    Some((entry, bytes.get(end..)?))
}

/// Takes 64-bit values from the zip64 extra field, where the 32-bit ones are full.
fn widen(entry: &mut ArchiveEntry<'_>, mut extra: &[u8]) {
    const FULL: u64 = 0xffff_ffff;
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(length);
        if id == 1 {
            let values = extra.get(4..end).unwrap_or_default();
            let mut values = values.chunks_exact(8).map(|value| u64_at(value, 0).unwrap_or(FULL));
            for field in [&mut entry.plain, &mut entry.place.packed, &mut entry.place.offset] {
                if *field == FULL {
                    *field = values.next().unwrap_or(FULL);
                }
            }
            return;
        }
        extra = extra.get(end..).unwrap_or_default();
    }
}
