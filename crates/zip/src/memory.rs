//! Archives that lie whole in memory: jar, war, wheel, and what is nested in them.
//!
//! Only stored and deflated entries are read; a stored one costs no copy, which is how nested jars of
//! executable archives lie. What all entries together may take is the caller's to count: an archive
//! may be nested in another one.

use crate::content::{LOCAL_HEADER, Packing, inflate, is_sound, local_names, packing};
use crate::directory::{Directory, TAIL_LIMIT};
use crate::entry::{ArchiveEntry, Entries};
use crate::error::ArchiveError;
use std::borrow::Cow;

/// How many entries one archive may have. The largest real jars have some 100,000.
pub const ENTRY_LIMIT: u64 = 500_000;

/// An archive whose directory was found.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'bytes> {
    bytes: &'bytes [u8],
    directory: &'bytes [u8],
    base: u64,
    count: u64,
}

impl<'bytes> Archive<'bytes> {
    /// Finds the directory.
    ///
    /// # Errors
    /// Where there is none, or it lies outside the file, or it has too many entries.
    pub fn open(bytes: &'bytes [u8]) -> Result<Self, ArchiveError> {
        let from = bytes.len().saturating_sub(TAIL_LIMIT);
        let tail = bytes.get(from..).unwrap_or_default();
        let found = Directory::find(&bytes, tail, from as u64)?;
        if found.count > ENTRY_LIMIT {
            return Err(ArchiveError::TooLarge("count of entries", ENTRY_LIMIT));
        }
        let place = usize::try_from(found.start).ok().zip(usize::try_from(found.end).ok());
        let directory = place.and_then(|(start, end)| bytes.get(start..end));
        let directory = directory.ok_or(ArchiveError::Damaged("end record"))?;
        Ok(Self { bytes, directory, base: found.base, count: found.count })
    }

    /// The entries, in the order of the directory. The first error ends it.
    ///
    /// The directory's length decides, as it does for a Java virtual machine: the count has 16 bits,
    /// wraps where an old tool wrote more entries, and could hide those behind it.
    #[must_use]
    pub const fn entries(&self) -> Entries<'bytes> {
        Entries::new(self.directory, self.count, ENTRY_LIMIT)
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
        let wrong = || ArchiveError::Inflate(entry.shown());
        let packing = packing(&entry.place, || entry.shown())?;
        let packed = self.packed(entry).ok_or(ArchiveError::Damaged("entry"))?;
        let plain = match packing {
            Packing::Stored => Cow::Borrowed(packed),
            Packing::Deflated => {
                let mut plain = Vec::new();
                let mut inflater = flate2::Decompress::new(false);
                inflate(packed, entry.plain, &mut inflater, &mut plain).ok_or_else(wrong)?;
                Cow::Owned(plain)
            }
        };
        if is_sound(&plain, entry.plain, &entry.place) { Ok(plain) } else { Err(wrong()) }
    }

    /// The packed bytes behind the local header, whose own name and extra field come before.
    fn packed(&self, entry: &ArchiveEntry<'_>) -> Option<&'bytes [u8]> {
        let local = self.base.checked_add(entry.place.offset)?;
        let names = local_names(self.bytes.get(usize::try_from(local).ok()?..)?)?;
        let start = local.checked_add(LOCAL_HEADER)?.checked_add(names)?;
        let end = start.checked_add(entry.place.packed)?;
        self.bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}
