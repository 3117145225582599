//! Licences out of `usr/share/doc/<package>/copyright`.
//!
//! Machine-readable files (copyright-format 1.0, known by their `Format` field) name licences in
//! `License` fields; of the others only the references to `/usr/share/common-licenses/` are read.
//! No text is compared with licence texts: that would guess. A few files have megabytes; only their
//! beginning is read.

use crate::text::{capped, lines, text};
use image::{Fact, Flow, ReadError, Reading, Want};
use memchr::memmem;

/// How much of one file is read; nearly all are smaller by far.
const SIZE_LIMIT: usize = 1 << 20;

/// How many licences one package may have; the largest real count is about sixty.
const LICENCES_LIMIT: usize = 64;

/// Longest licence name that is kept.
const NAME_LIMIT: usize = 200;

const COMMON: &[u8] = b"/usr/share/common-licenses/";

/// The whole file, or the beginning of a large one.
pub(super) fn want(size: u64) -> Want {
    let limit = u64::try_from(SIZE_LIMIT).unwrap_or(u64::MAX);
    if size <= limit {
        Want::Whole { at_most: limit }
    } else {
        Want::Stream(Box::new(Beginning(Vec::new())))
    }
}

struct Beginning(Vec<u8>);

impl Reading for Beginning {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        let room = SIZE_LIMIT.saturating_sub(self.0.len());
        self.0.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if self.0.len() < SIZE_LIMIT { Flow::More } else { Flow::Enough }
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        read(&self.0)
    }
}

/// The licences as a fact; none where the file names none.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
    let licences = licences(bytes.get(..SIZE_LIMIT).unwrap_or(bytes));
    if licences.is_empty() { Ok(None) } else { super::keep(&licences) }
}

/// The licences of a fact.
pub(super) fn decode(fact: &[u8]) -> Vec<String> {
    postcard::from_bytes(fact).unwrap_or_default()
}

fn licences(bytes: &[u8]) -> Vec<String> {
    let machine_readable = lines(bytes)
        .find(|line| !line.trim_ascii().is_empty())
        .is_some_and(|line| line.starts_with(b"Format"));
    let fields = if machine_readable { fields(bytes) } else { Vec::new() };
    if fields.is_empty() { references(bytes) } else { fields }
}

fn fields(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for line in lines(bytes) {
        if let Some(value) = line.strip_prefix(b"License:") {
            add(&mut names, value.trim_ascii());
        }
    }
    names
}

fn references(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for at in memmem::find_iter(bytes, COMMON) {
        let rest = bytes.get(at + COMMON.len()..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && !b".-+".contains(byte))
            .unwrap_or(rest.len());
        let mut name = rest.get(..length).unwrap_or_default();
        while let Some(shorter) = name.strip_suffix(b".").or_else(|| name.strip_suffix(b"-")) {
            name = shorter;
        }
        add(&mut names, name);
    }
    names
}

fn add(names: &mut Vec<String>, name: &[u8]) {
    let name = text(name);
    let name = capped(&name, NAME_LIMIT);
    if !name.is_empty() && names.len() < LICENCES_LIMIT && !names.iter().any(|known| known == name)
    {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn machine_readable_files_name_licences_in_fields() {
        let file =
            b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
            Files: *\nCopyright: x\nLicense: GPL-2+ or Expat\n text\n\nFiles: a\nLicense: Expat\n\n\
            License: GPL-2+ or Expat\n";
        assert_eq!(licences(file), ["GPL-2+ or Expat", "Expat"]);
    }

    #[test]
    fn other_files_name_licences_by_reference() {
        let file =
            b"See /usr/share/common-licenses/GPL-2.\nAnd `/usr/share/common-licenses/LGPL-2.1',\n\
            /usr/share/common-licenses/GPL-2";
        assert_eq!(licences(file), ["GPL-2", "LGPL-2.1"]);
        assert!(licences(b"License: not machine-readable").is_empty());
    }

    #[test]
    fn of_a_large_file_the_beginning_is_read() {
        let mut file = b"Format: x\nLicense: first\n".to_vec();
        file.resize(SIZE_LIMIT + 10, b'x');
        file.extend_from_slice(b"\nLicense: last\n");
        let Want::Stream(mut reading) = want(u64::try_from(file.len()).unwrap()) else {
            panic!("a large file is streamed")
        };
        let flows: Vec<Flow> = file.chunks(400_000).map(|piece| reading.push(piece)).collect();
        assert_eq!(flows, [Flow::More, Flow::More, Flow::Enough]);
        assert_eq!(decode(&reading.finish().unwrap().unwrap()), ["first"]);
    }

    #[test]
    fn licences_are_limited() {
        let many: String = (0..500).map(|n| format!("License: {n}{}\n", "x".repeat(300))).collect();
        let found = licences(format!("Format: x\n{many}").as_bytes());
        assert_eq!(found.len(), LICENCES_LIMIT);
        assert!(found.iter().all(|name| name.len() <= NAME_LIMIT));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            licences(&bytes);
            licences(&[b"Format:\n", bytes.as_slice()].concat());
            licences(&[COMMON, bytes.as_slice()].concat());
            decode(&bytes);
        }
    }
}
