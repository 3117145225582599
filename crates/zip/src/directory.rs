//! Finds the central directory from the end of an archive, sections 4.3.14 to 4.3.16.

use crate::error::ArchiveError;
use crate::number::{u16_at, u32_at, u64_at};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How far from its end an archive's end record can begin: its own 22 bytes and a comment of at most
/// 65,535.
pub(crate) const TAIL_LIMIT: usize = 22 + 65_535;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

/// Something that can be read at any place.
pub trait ReadAt {
    /// How many bytes it has.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn length(&self) -> io::Result<u64>;

    /// Fills `target` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Where they cannot be read, or are not there ([`io::ErrorKind::UnexpectedEof`]).
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
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(target.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        target.copy_from_slice(self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Where the central directory lies.
pub(crate) struct Directory {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// What to add to an offset of the directory: bytes put before the archive, such as a script.
    pub(crate) base: u64,
    pub(crate) count: u64,
}

impl Directory {
    /// Finds it in the last bytes of an archive, which begin at `tail_start`.
    pub(crate) fn find(
        source: &impl ReadAt,
        tail: &[u8],
        tail_start: u64,
    ) -> Result<Self, ArchiveError> {
        let end = find_end(tail).ok_or(ArchiveError::NoDirectory)?;
        let damaged = || ArchiveError::Damaged("end record");
        let mut count = u64::from(u16_at(tail, end + 10).ok_or_else(damaged)?);
        let mut size = u64::from(u32_at(tail, end + 12).ok_or_else(damaged)?);
        let mut offset = u64::from(u32_at(tail, end + 16).ok_or_else(damaged)?);
        let mut directory_end = tail_start + end as u64;
        if let Some((at, record)) = find_end_64(source, directory_end)? {
            count = u64_at(&record, 32).ok_or_else(damaged)?;
            size = u64_at(&record, 40).ok_or_else(damaged)?;
            offset = u64_at(&record, 48).ok_or_else(damaged)?;
            directory_end = at;
        }
        let start = directory_end.checked_sub(size).ok_or_else(damaged)?;
        let base = start.checked_sub(offset).ok_or_else(damaged)?;
        Ok(Self { start, end: directory_end, base, count })
    }
}

/// The last end record whose comment fills the file exactly, else the last one at all.
fn find_end(tail: &[u8]) -> Option<usize> {
    let mut fallback = None;
    for at in memchr::memmem::rfind_iter(tail, &END) {
        let Some(comment) = u16_at(tail, at + 20) else { continue };
        if at + 22 + usize::from(comment) == tail.len() {
            return Some(at);
        }
        fallback = fallback.or(Some(at));
    }
    fallback
}

/// The zip64 end record that the locator before the end record points to, or that stands directly
/// before the locator (where bytes were put before the archive).
fn find_end_64(source: &impl ReadAt, end: u64) -> Result<Option<(u64, [u8; 56])>, ArchiveError> {
    let Some(locator_at) = end.checked_sub(20) else { return Ok(None) };
    let locator = array::<20>(source, locator_at)?.filter(|bytes| bytes.starts_with(&LOCATOR_64));
    let Some(locator) = locator else { return Ok(None) };
    let told = u64_at(&locator, 8).filter(|at| *at < locator_at);
    for at in [locator_at.checked_sub(56), told].into_iter().flatten() {
        if let Some(record) = array(source, at)?.filter(|bytes| bytes.starts_with(&END_64)) {
            return Ok(Some((at, record)));
        }
    }
    Ok(None)
}

/// The bytes at a place; none where they are not there.
fn array<const LENGTH: usize>(
    source: &impl ReadAt,
    at: u64,
) -> Result<Option<[u8; LENGTH]>, ArchiveError> {
    let mut bytes = [0; LENGTH];
    match source.read_exact_at(&mut bytes, at) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}
