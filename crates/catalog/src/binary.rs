//! The parts of an ELF file that tell whether it is a program and where its data lies.
//!
//! In go its first bytes, out come the program headers. Section headers are not read: they stand at
//! the end, which a stream has not seen yet, and stripping may remove them.
//! Source: System V Application Binary Interface, "Object Files", "Program Loading".

use crate::language::may_be_of_a_distribution;
use image::Entry;

/// How many program headers are read; linkers write about a dozen.
const SEGMENT_LIMIT: u16 = 64;
/// `e_type` of a program at a fixed address.
const EXECUTABLE: u16 = 2;
/// `e_type` of a program or library at any address.
const SHARED: u16 = 3;

/// `p_type` of a segment that is loaded.
pub(crate) const LOAD: u32 = 1;
/// `p_type` of the name of the dynamic linker, which only programs have.
const INTERPRETER: u32 = 3;
/// `p_type` of notes.
pub(crate) const NOTE: u32 = 4;
/// `p_flags`: executable.
pub(crate) const EXECUTE: u32 = 1;
/// `p_flags`: writable.
pub(crate) const WRITE: u32 = 2;

/// A program header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) size: u64,
}

/// The head of an ELF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elf {
    kind: u16,
    big: bool,
    wide: bool,
    /// The segments whose headers lie in the bytes that were given.
    pub(crate) segments: Vec<Segment>,
}

impl Elf {
    /// Reads the header and as many program headers as `head` holds.
    pub(crate) fn parse(head: &[u8]) -> Option<Self> {
        if head.get(..4)? != b"\x7fELF" {
            return None;
        }
        let read = Fields { bytes: head, big: *head.get(5)? == 2, wide: *head.get(4)? == 2 };
        let kind = read.half(16)?;
        if kind != EXECUTABLE && kind != SHARED {
            return None;
        }
        let (table, length, count) = match read.wide {
            true => (read.double(32)?, read.half(54)?, read.half(56)?),
            false => (u64::from(read.word(28)?), read.half(42)?, read.half(44)?),
        };
        let table = usize::try_from(table).ok()?;
        let mut segments = Vec::new();
        for index in 0..count.min(SEGMENT_LIMIT) {
            let at = table.checked_add(usize::from(index) * usize::from(length))?;
            let Some(segment) = read.segment(at) else { break };
            segments.push(segment);
        }
        Some(Self { kind, big: read.big, wide: read.wide, segments })
    }

    /// Whether it runs at the addresses that are written in it.
    pub(crate) fn is_fixed(&self) -> bool {
        self.kind == EXECUTABLE
    }

    /// The address at which a byte of the file is loaded.
    pub(crate) fn address_of(&self, offset: u64) -> Option<u64> {
        let loaded = self.segments.iter().filter(|segment| segment.kind == LOAD);
        loaded
            .filter_map(|segment| {
                let inside = offset.checked_sub(segment.offset)?;
                (inside < segment.size).then(|| segment.address.checked_add(inside))
            })
            .next()
            .flatten()
    }

    /// A number as the program holds it, as wide as an address.
    pub(crate) fn number(&self, value: u64) -> Option<Vec<u8>> {
        let mut bytes = value.to_le_bytes().to_vec();
        if !self.wide {
            u32::try_from(value).ok()?;
            bytes.truncate(4);
        }
        if self.big {
            bytes.reverse();
        }
        Some(bytes)
    }

    /// The offset in the file of what is loaded at an address.
    pub(crate) fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments
            .iter()
            .filter(|segment| segment.kind == LOAD)
            .find_map(|segment| {
                let inside = address.checked_sub(segment.address)?;
                (inside < segment.size).then(|| segment.offset.checked_add(inside))
            })
            .flatten()
    }
}

/// Whether a file may run as a program: it has the permission, or the shape of one. Libraries
/// without the permission are left out.
pub(crate) fn is_program(entry: &Entry<'_>, head: &[u8]) -> bool {
    Elf::parse(head).is_some_and(|elf| {
        let runs = entry.mode & 0o111 != 0 || elf.kind == EXECUTABLE;
        runs || elf.segments.iter().any(|segment| segment.kind == INTERPRETER)
    })
}

/// Whether a file is searched for what compilers write into programs: it may run as one, or it is a
/// library in a place where no distribution puts its own, such as an extension of Python. Those of a
/// distribution are many, without the permission, and known by their package.
pub(crate) fn is_searched(entry: &Entry<'_>, head: &[u8]) -> bool {
    is_program(entry, head) || !may_be_of_a_distribution(entry.path) && Elf::parse(head).is_some()
}

/// Whether a program was packed by UPX, whose stub holds this sign behind the program headers: what is
/// in it cannot be seen. Source: UPX, `src/stub/src/include/linux.h`, `l_info`.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF") && memchr::memmem::find(head, b"UPX!").is_some()
}

/// Reads numbers in the file's own byte order and width.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'bytes> {
    pub(crate) bytes: &'bytes [u8],
    pub(crate) big: bool,
    pub(crate) wide: bool,
}

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let mut array: [u8; N] = *self.bytes.get(at..)?.first_chunk()?;
        if self.big {
            array.reverse();
        }
        Some(array)
    }

    fn half(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(crate) fn word(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn double(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// A number as wide as an address.
    pub(crate) fn address(&self, at: usize) -> Option<u64> {
        if self.wide { self.double(at) } else { self.word(at).map(u64::from) }
    }

    /// The two widths order their fields differently.
    fn segment(&self, at: usize) -> Option<Segment> {
        let (flags, offset, address, size) =
            if self.wide { (4, 8, 16, 32) } else { (24, 4, 8, 16) };
        Some(Segment {
            kind: self.word(at)?,
            flags: self.word(at.checked_add(flags)?)?,
            offset: self.address(at.checked_add(offset)?)?,
            address: self.address(at.checked_add(address)?)?,
            size: self.address(at.checked_add(size)?)?,
        })
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Writes small ELF programs for tests.

    use super::{EXECUTE, LOAD, NOTE, WRITE};

    /// Where the read-only and the writable part lie in the file; addresses are `BASE` higher.
    pub(crate) const READ_ONLY: usize = 0x1000;
    pub(crate) const BASE: u64 = 0x40_0000;

    /// A program with a note, read-only bytes at [`READ_ONLY`] and writable bytes behind them, on
    /// the next page. Gives the bytes and the offset of the writable part.
    pub(crate) fn elf(note: &[u8], read_only: &[u8], writable: &[u8]) -> (Vec<u8>, usize) {
        let start = (READ_ONLY + read_only.len()).next_multiple_of(0x1000);
        let mut out = vec![0; start];
        out[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        out[16] = 2;
        out[32] = 64;
        out[54] = 56;
        out[56] = 3;
        let segments = [
            (NOTE, 4, 0x400, note.len()),
            (LOAD, EXECUTE | 4, 0, READ_ONLY + read_only.len()),
            (LOAD, WRITE | 4, start, writable.len()),
        ];
        for (index, (kind, flags, offset, size)) in segments.into_iter().enumerate() {
            let at = 64 + index * 56;
            out[at..at + 4].copy_from_slice(&kind.to_le_bytes());
            out[at + 4..at + 8].copy_from_slice(&flags.to_le_bytes());
            out[at + 8..at + 16].copy_from_slice(&(offset as u64).to_le_bytes());
            out[at + 16..at + 24].copy_from_slice(&(BASE + offset as u64).to_le_bytes());
            out[at + 32..at + 40].copy_from_slice(&(size as u64).to_le_bytes());
        }
        out[0x400..0x400 + note.len()].copy_from_slice(note);
        out[READ_ONLY..READ_ONLY + read_only.len()].copy_from_slice(read_only);
        out.extend(writable);
        (out, start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vocabulary::FileKind;

    #[test]
    fn segments_map_addresses_to_offsets() {
        let (bytes, start) = fixture::elf(b"note", b"text", b"data");
        let elf = Elf::parse(&bytes).unwrap();
        assert_eq!(elf.segments.len(), 3);
        assert_eq!(elf.offset_of(fixture::BASE + start as u64 + 3), Some(start as u64 + 3));
        assert_eq!(elf.offset_of(fixture::BASE + start as u64 + 4), None);
    }

    #[test]
    fn a_library_without_the_permission_to_run_is_no_program() {
        let (mut bytes, _) = fixture::elf(b"", b"", b"");
        let entry = |mode| Entry { path: "x", kind: FileKind::File, mode, size: 1 };
        assert!(is_program(&entry(0o644), &bytes));
        bytes[16] = 3;
        assert!(!is_program(&entry(0o644), &bytes));
        assert!(is_program(&entry(0o755), &bytes));
        bytes[64] = 3;
        assert!(is_program(&entry(0o644), &bytes));
        assert!(!is_program(&entry(0o755), b"#!/bin/sh"));
    }

    #[test]
    fn a_library_is_searched_where_no_distribution_puts_its_own() {
        let (mut bytes, _) = fixture::elf(b"", b"", b"");
        bytes[16] = 3;
        for (path, searched) in [("usr/lib/a.so", false), ("usr/local/lib/a.so", true)] {
            let entry = Entry { path, kind: FileKind::File, mode: 0o644, size: 1 };
            assert_eq!(is_searched(&entry, &bytes), searched, "{path}");
            assert!(!is_searched(&entry, b"text"));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(edits: Vec<(u16, u8)>, cut: u16) {
            let (mut bytes, _) = fixture::elf(b"note", b"text", b"data");
            for (at, byte) in edits {
                let at = usize::from(at) % 300;
                bytes[at] = byte;
            }
            bytes.truncate(usize::from(cut));
            if let Some(elf) = Elf::parse(&bytes) {
                let _ = elf.offset_of(1 << 22);
            }
        }
    }
}
