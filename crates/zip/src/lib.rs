//! Reads zip archives, in memory or where they lie, within bounds for the whole input.
//!
//! In go bytes, out come the entries of the central directory and, of those asked for, the plain
//! content, held against its size and checksum. The central directory is the one truth: that is what
//! a Java virtual machine reads too, so that an entry hidden from it is hidden from us and the other
//! way round. An [`Archive`] lies whole in memory and costs no copy (jars, wheels, and what is nested
//! in them); a [`LargeArchive`] is read piece by piece from a file (feeds of advisories). Own rather
//! than a library, because the part that is needed is small and every length in it must be bounded.
//!
//! Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.

mod content;
mod directory;
mod entry;
mod error;
mod large;
mod memory;
mod number;

pub use directory::ReadAt;
pub use entry::{ArchiveEntry, Entries, NAME_LIMIT};
pub use error::ArchiveError;
pub use large::{Bounds, LargeArchive};
pub use memory::{Archive, ENTRY_LIMIT};

#[cfg(test)]
mod tests;
