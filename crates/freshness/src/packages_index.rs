//! `Packages`: which versions an archive offers.
//!
//! In goes a stream, out come the entries of the packages that are asked for; the rest is passed over,
//! so that memory follows what is installed, not what is published. Source: Debian wiki,
//! "DebianRepository/Format", "Packages indices"; xz's .xz file format 1.2.

use std::collections::BTreeSet;
use std::io::{self, Read};

/// Unpacked bytes of an index: Debian's main has some 50 MB.
const BYTES: u64 = 256 << 20;

/// Memory that unpacking may take, in KiB: indexes are packed with a dictionary of up to 64 MiB.
const MEMORY_KIB: u32 = 96 << 10;

/// Bytes of a line that are looked at; names and versions are far shorter.
const LINE: usize = 4096;

/// Entries that are kept: every installed package in some versions.
const OFFERS: usize = 200_000;

/// One version that an archive offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The binary package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Such as `amd64` or `all`.
    pub architecture: String,
    /// The version of the source package that it was built from.
    pub source_version: String,
}

/// Reads an index, packed by xz where `packed` says so; only packages whose names are wanted.
///
/// # Errors
/// Where it cannot be unpacked or read, or is larger than any index.
pub fn read(bytes: &[u8], packed: bool, wanted: &BTreeSet<&str>) -> io::Result<Vec<Offer>> {
    if packed {
        parse(lzma_rust2::XzReader::new_mem_limit(bytes, true, MEMORY_KIB), wanted, BYTES)
    } else {
        parse(bytes, wanted, BYTES)
    }
}

fn parse(mut from: impl Read, wanted: &BTreeSet<&str>, limit: u64) -> io::Result<Vec<Offer>> {
    let mut entries = Entries { wanted, current: Offer::default(), offers: Vec::new() };
    let mut piece = vec![0; 64 << 10];
    let mut line = Vec::new();
    let mut read: u64 = 0;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        read += u64::try_from(count).unwrap_or(u64::MAX);
        if read > limit {
            return Err(io::Error::other("it is larger than any index"));
        }
        let mut rest = piece.get(..count).unwrap_or_default();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            push(&mut line, rest.get(..end).unwrap_or_default());
            entries.line(&line)?;
            line.clear();
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        push(&mut line, rest);
    }
    entries.line(&line)?;
    entries.line(b"")?;
    Ok(entries.offers)
}

/// Appends as much of a line as is looked at.
fn push(line: &mut Vec<u8>, bytes: &[u8]) {
    let room = LINE.saturating_sub(line.len()).min(bytes.len());
    line.extend_from_slice(bytes.get(..room).unwrap_or_default());
}

struct Entries<'wanted> {
    wanted: &'wanted BTreeSet<&'wanted str>,
    current: Offer,
    offers: Vec<Offer>,
}

impl Entries<'_> {
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        if line.is_empty() {
            return self.end();
        }
        let is = |name: &[u8]| line.get(..name.len()).is_some_and(|head| head == name);
        if !(is(b"Package:") || is(b"Version:") || is(b"Architecture:") || is(b"Source:")) {
            return Ok(());
        }
        let Ok(line) = std::str::from_utf8(line) else { return Ok(()) };
        let Some((name, value)) = line.split_once(':') else { return Ok(()) };
        let value = value.trim();
        let current = &mut self.current;
        match name {
            "Package" => value.clone_into(&mut current.package),
            "Version" => value.clone_into(&mut current.version),
            "Architecture" => value.clone_into(&mut current.architecture),
            // `name (version)`, the version only where it is another one.
            _ => {
                let version = value.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
                version.unwrap_or_default().trim().clone_into(&mut current.source_version);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let mut offer = std::mem::take(&mut self.current);
        if offer.version.is_empty() || !self.wanted.contains(offer.package.as_str()) {
            return Ok(());
        }
        if offer.source_version.is_empty() {
            offer.version.clone_into(&mut offer.source_version);
        }
        if self.offers.len() == OFFERS {
            return Err(io::Error::other("it has too many entries"));
        }
        self.offers.push(offer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const TEXT: &str = "Package: a\nSource: b (1.0-1)\nVersion: 1.0-1+b2\nArchitecture: amd64\n\
        Description: x\n Package: not this\n\nPackage: c\nVersion: 2\nArchitecture: all\n\n\
        Package: d\nVersion: 3\nArchitecture: all";

    fn packed(text: &[u8]) -> Vec<u8> {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn only_what_is_wanted_is_kept_packed_or_not() {
        let wanted = BTreeSet::from(["a", "d"]);
        for (bytes, is_packed) in
            [(TEXT.as_bytes().to_vec(), false), (packed(TEXT.as_bytes()), true)]
        {
            let offers = read(&bytes, is_packed, &wanted).unwrap();
            let shown: Vec<_> = offers
                .iter()
                .map(|one| {
                    (one.package.as_str(), one.version.as_str(), one.source_version.as_str())
                })
                .collect();
            assert_eq!(shown, [("a", "1.0-1+b2", "1.0-1"), ("d", "3", "3")]);
        }
    }

    #[test]
    fn damage_is_an_error_and_long_lines_take_no_memory() {
        let wanted = BTreeSet::from(["a"]);
        let mut bytes = packed(TEXT.as_bytes());
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        assert!(read(&bytes, true, &wanted).is_err());
        assert!(read(&packed(TEXT.as_bytes())[..40], true, &wanted).is_err());
        let long = format!("Package: a\nX: {}\nVersion: 1\n\n", "y".repeat(1 << 20));
        assert_eq!(read(long.as_bytes(), false, &wanted).unwrap().len(), 1);
    }

    #[test]
    fn an_index_that_unpacks_without_end_is_broken_off() {
        let bomb = packed(&vec![b'x'; 4 << 20]);
        assert!(bomb.len() < 1 << 16);
        let unpacked = lzma_rust2::XzReader::new_mem_limit(bomb.as_slice(), true, MEMORY_KIB);
        let error = parse(unpacked, &BTreeSet::from(["a"]), 1 << 20).unwrap_err();
        assert!(error.to_string().contains("larger"), "{error}");
    }
}
