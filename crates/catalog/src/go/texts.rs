//! The version that a program built with `-trimpath` still holds, though its build information leaves the
//! linker's flags out.
//!
//! What `-X` sets, the linker writes into read-only data as a text of its own that ends with a zero byte
//! (`cmd/link/internal/ld`, `addstrdata`), and into writable data the variable: address and length. Other
//! texts of Go stand side by side without zero bytes, those of C have no such variable. Where exactly one
//! text is a version and set so, it is taken, and said to be less sure than the flags. In a
//! position-independent program the loader writes the addresses; there the text alone decides.

use super::ldflags::is_version;
use crate::binary::Elf;
use std::collections::BTreeSet;

/// Longest text that is looked at.
const TEXT_LIMIT: usize = 64;
/// How many texts are kept; more are not told apart.
const KEPT: usize = 64;
/// Bytes of the largest variable.
const VARIABLE: usize = 16;

/// Looks for versions in read-only data that passes by, then for variables in writable data.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// The end of the bytes before.
    window: Vec<u8>,
    /// Where in the file the next byte is expected.
    next: u64,
    /// Offsets in the file, and texts.
    found: Vec<(u64, String)>,
    too_many: bool,
    /// The end of the writable bytes before.
    carried: Vec<u8>,
    set: BTreeSet<usize>,
}

impl Texts {
    /// Takes read-only bytes at an offset of the file.
    pub(super) fn feed(&mut self, offset: u64, bytes: &[u8]) {
        if offset != self.next {
            self.window.clear();
        }
        let before = u64::try_from(self.window.len()).unwrap_or_default();
        self.next = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let head = bytes.get(..2 * TEXT_LIMIT).unwrap_or(bytes);
        self.window.extend_from_slice(head);
        let window = std::mem::take(&mut self.window);
        self.search(offset.saturating_sub(before), &window);
        self.search(offset, bytes);
        let tail = if bytes.len() > head.len() { bytes } else { &window };
        let from = tail.len().saturating_sub(2 * TEXT_LIMIT);
        self.window.extend_from_slice(tail.get(from..).unwrap_or_default());
    }

    /// Takes writable bytes: which of the texts do variables hold?
    pub(super) fn feed_writable(&mut self, elf: &Elf, bytes: &[u8]) {
        if self.found.is_empty() {
            return;
        }
        self.carried.extend_from_slice(bytes);
        for (index, (offset, text)) in self.found.iter().enumerate() {
            let variable = elf.address_of(*offset).and_then(|address| {
                let length = u64::try_from(text.len()).ok()?;
                Some([elf.number(address)?, elf.number(length)?].concat())
            });
            let held = variable.and_then(|held| memchr::memmem::find(&self.carried, &held));
            if held.is_some() {
                self.set.insert(index);
            }
        }
        let done = self.carried.len().saturating_sub(VARIABLE - 1);
        self.carried.drain(..done);
    }

    /// The one version that was found.
    pub(super) fn finish(self, elf: &Elf) -> Option<String> {
        let counts = |index: &usize| !elf.is_fixed() || self.set.contains(index);
        let texts: BTreeSet<&String> = (0..)
            .zip(&self.found)
            .filter(|(index, _)| counts(index))
            .map(|(_, (_, text))| text)
            .collect();
        let mut texts = texts.into_iter().filter(|_| !self.too_many);
        texts.next().filter(|_| texts.next().is_none()).cloned()
    }

    fn keep(&mut self, offset: u64, text: &str) {
        if self.found.iter().any(|(known, _)| *known == offset) {
            return;
        }
        if self.found.len() < KEPT {
            self.found.push((offset, text.to_owned()));
        } else {
            self.too_many = true;
        }
    }

    fn search(&mut self, offset: u64, bytes: &[u8]) {
        // The first dot of a version has digits before it and a zero byte before those.
        for dot in memchr::memchr_iter(b'.', bytes) {
            let before = bytes.get(dot.saturating_sub(TEXT_LIMIT)..dot).unwrap_or_default();
            let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                continue;
            }
            let mut start = dot - digits;
            let at = |place: usize| bytes.get(place).copied();
            if start.checked_sub(1).and_then(at) == Some(b'v') {
                start -= 1;
            }
            if start.checked_sub(1).and_then(at) != Some(0) {
                continue;
            }
            let rest = bytes.get(start..).unwrap_or_default();
            let rest = rest.get(..TEXT_LIMIT).unwrap_or(rest);
            let Some(end) = memchr::memchr(0, rest) else { continue };
            let text = rest.get(..end).and_then(|text| std::str::from_utf8(text).ok());
            // Of two numbers alone, too much else is written that way.
            let whole = |text: &&str| text.matches('.').count() >= 2 && is_version(text);
            if let Some(text) = text.filter(whole) {
                self.keep(offset.saturating_add(u64::try_from(start).unwrap_or_default()), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::binary::fixture::{BASE, elf};

    /// What is told of a position-independent program, where the texts alone decide.
    fn told(pieces: &[&[u8]]) -> Option<String> {
        let mut texts = Texts::default();
        let mut at = 100;
        for piece in pieces {
            texts.feed(at, piece);
            at += piece.len() as u64;
        }
        let mut program = elf(b"", b"", b"").0;
        program[16] = 3;
        texts.finish(&Elf::parse(&program).unwrap())
    }

    #[test]
    fn at_fixed_addresses_only_what_a_variable_holds_counts() {
        let program = elf(b"", b"text", b"").0;
        let parsed = Elf::parse(&program).unwrap();
        let told = |variable: &[u8], piece: usize| {
            let mut texts = Texts::default();
            texts.feed(0x100, b"\x003.40.1\0\x009.2.4\0");
            for piece in variable.chunks(piece) {
                texts.feed_writable(&parsed, piece);
            }
            texts.finish(&parsed)
        };
        let variable = |at: u64, length: u64| {
            [&[9; 5][..], &(BASE + at).to_le_bytes(), &length.to_le_bytes(), &[9; 5]].concat()
        };
        for piece in [1, 7, 100] {
            assert_eq!(told(&variable(0x109, 5), piece).as_deref(), Some("9.2.4"));
            assert_eq!(told(&variable(0x101, 6), piece).as_deref(), Some("3.40.1"));
            assert_eq!(told(&variable(0x101, 5), piece), None);
            assert_eq!(told(&[variable(0x101, 6), variable(0x109, 5)].concat(), piece), None);
        }
    }

    #[test]
    fn the_only_version_between_zero_bytes_is_found_however_it_is_cut() {
        let bytes = [&[7; 300][..], b"\x001.2\0go1.21.3\0main.go\0v9.2.4\0", &[7; 300]].concat();
        for cut in 0..bytes.len() {
            let (one, other) = bytes.split_at(cut);
            assert_eq!(told(&[one, other]).as_deref(), Some("v9.2.4"), "{cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(told(&single).as_deref(), Some("v9.2.4"));
    }

    #[test]
    fn two_versions_are_none_and_the_same_twice_is_one() {
        assert_eq!(told(&[b"\x001.2.3\x001.2.4\0"]), None);
        assert_eq!(told(&[b"\x001.2.3\x001.2.3\0"]).as_deref(), Some("1.2.3"));
        assert_eq!(told(&[b"x1.2.3\0\x001.2.3x\0"]), None);
    }

    #[test]
    fn texts_of_parts_that_are_not_neighbours_are_not_joined() {
        let mut texts = Texts::default();
        texts.feed(0, b"\x001.2");
        texts.feed(500, b".3\0");
        assert_eq!(texts.found, []);
    }
}
