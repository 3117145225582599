//! Maps a database file into memory. The one place of this room with `unsafe`.
//!
//! In goes an opened file, out come its bytes. Mapping rather than reading, because a scan touches
//! a few hundred kilobytes of files of many megabytes, and must answer within milliseconds.

use std::fs::File;
use std::ops::Deref;

/// The bytes of a database: mapped, or held in memory.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// A mapped file.
    Mapped(memmap2::Mmap),
    /// Bytes in memory.
    Owned(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// Maps a file for reading.
#[expect(
    unsafe_code,
    reason = "mapping a file is unsafe by its nature; see JUSTIFICATION and SAFETY"
)]
pub(crate) fn map(file: &File) -> std::io::Result<Bytes> {
    // JUSTIFICATION: reading the whole file costs more than the time allowed for matching.
    // SAFETY: the bytes are only ever read as `u8` with every access checked, so their content
    // cannot break the program. They must not change or vanish while mapped: this program never
    // writes to a database file in place, but builds a new one beside it and renames it over the
    // old, whose content stays for as long as it is mapped.
    unsafe { memmap2::Mmap::map(file) }.map(Bytes::Mapped)
}
