//! Parser of `installed`.
//!
//! One letter, a colon and the value on each line; an empty line ends a package. `F` opens a folder,
//! `R` a file in it, `Z` is the digest of that file: `Q1` and SHA-1, or `Q2` and SHA-256, in Base64.

use crate::needs;
use crate::owned::{Budget, Packer, digest_of};
use crate::package_database::{Database, PACKAGES_LIMIT, Record, field, licence};
use crate::text::{lines, text};
use image::OwnedDigest;
use std::borrow::Cow;

/// A package while it is read.
#[derive(Default)]
struct Paragraph<'text> {
    name: &'text [u8],
    version: &'text [u8],
    architecture: &'text [u8],
    origin: &'text [u8],
    licence: &'text [u8],
    depends: &'text [u8],
    provides: &'text [u8],
    folder: &'text [u8],
    file: Option<(&'text [u8], Option<OwnedDigest>)>,
    files: Packer,
}

/// Reads every package.
pub(super) fn read(bytes: &[u8]) -> Database<'_> {
    read_within(bytes, Budget::default())
}

fn read_within(bytes: &[u8], mut budget: Budget) -> Database<'_> {
    let mut database = Database::default();
    let mut damaged = 0_usize;
    let mut paragraph = Paragraph::default();
    let mut empty = true;
    for line in lines(bytes).chain([b"".as_slice()]) {
        if !line.is_empty() {
            empty = false;
            paragraph.line(line, &mut budget);
            continue;
        }
        if std::mem::replace(&mut empty, true) {
            continue;
        }
        paragraph.end_file(&mut budget);
        match std::mem::take(&mut paragraph).record() {
            Some(_) if database.packages.len() >= PACKAGES_LIMIT => {
                let reason =
                    format!("names more than {PACKAGES_LIMIT} packages; the rest is left out");
                database.problems.push(reason);
                break;
            }
            Some(record) => database.packages.push(record),
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        database.problems.push(format!("{damaged} paragraphs have no valid name or version"));
    }
    if bytes.last().is_some_and(|last| *last != b'\n') {
        database.problems.push("is cut short: its last line does not end".to_owned());
    }
    database.problems.extend(budget.problem());
    database
}

impl<'text> Paragraph<'text> {
    fn line(&mut self, line: &'text [u8], budget: &mut Budget) {
        let Some((&[key, b':'], value)) = line.split_first_chunk::<2>() else { return };
        match key {
            b'P' => self.name = value,
            b'V' => self.version = value,
            b'A' => self.architecture = value,
            b'o' => self.origin = value,
            b'L' => self.licence = value,
            b'D' => self.depends = value,
            b'p' => self.provides = value,
            b'F' => {
                self.end_file(budget);
                self.folder = value;
            }
            b'R' => {
                self.end_file(budget);
                self.file = Some((value, None));
            }
            b'Z' => {
                if let Some((_, digest)) = &mut self.file {
                    *digest = checksum(value);
                }
            }
            _ => {}
        }
    }

    fn end_file(&mut self, budget: &mut Budget) {
        let Some((name, digest)) = self.file.take() else { return };
        if !budget.take(self.folder.len() + 1 + name.len()) {
            return;
        }
        let path = match (self.folder, text(name)) {
            (b"", name) => name,
            (folder, name) => Cow::Owned(format!("{}/{name}", text(folder))),
        };
        self.files.push(&path, digest.as_ref());
    }

    fn record(self) -> Option<Record<'text>> {
        if self.name.is_empty() || self.version.is_empty() {
            return None;
        }
        let name = field(self.name)?;
        let version = field(self.version)?;
        let origin = field(self.origin)?;
        let own = origin.is_empty() || origin == name;
        Some(Record {
            source: if own { name.clone() } else { origin.clone() },
            source_version: version.clone(),
            upstream: if own { Cow::Borrowed("") } else { origin },
            name,
            version,
            architecture: field(self.architecture)?,
            licence: licence(self.licence),
            module: Cow::Borrowed(""),
            files: self.files.finish(),
            depends: needs::list(self.depends),
            provides: needs::list(self.provides),
        })
    }
}

fn checksum(value: &[u8]) -> Option<OwnedDigest> {
    let (_, base64) =
        value.split_first_chunk::<2>().filter(|(kind, _)| matches!(*kind, b"Q1" | b"Q2"))?;
    let mut bytes = [0_u8; 32];
    let length = decode_base64(base64, &mut bytes)?;
    digest_of(bytes.get(..length)?)
}

/// Decodes Base64 (RFC 4648, section 4) into a buffer; none where it is wrong or does not fit.
fn decode_base64(text: &[u8], into: &mut [u8]) -> Option<usize> {
    let (mut bits, mut count, mut length) = (0_u32, 0_u32, 0_usize);
    for byte in text.iter().copied().take_while(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            *into.get_mut(length)? = u8::try_from((bits >> count) & 0xff).ok()?;
            length += 1;
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn checksums_are_told_by_kind_and_length() {
        // SHA-1 and SHA-256 of nothing.
        let sha1 = checksum(b"Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        assert!(matches!(sha1, Some(OwnedDigest::Sha1([0xda, 0x39, ..]))));
        let sha256 = checksum(b"Q247DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert!(matches!(sha256, Some(OwnedDigest::Sha256([0xe3, 0xb0, ..]))));
        for wrong in ["", "Q", "Q1", "Q1!!", "Q32jmj7l5rSw0yVb/vlWAYkK/YBwk=", "Q1AAAA"] {
            assert_eq!(checksum(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(checksum(&[b"Q2".as_slice(), &[b'A'; 400]].concat()), None);
    }

    #[test]
    fn a_paragraph_without_version_is_counted_and_the_others_are_read() {
        let database = read(b"P:a\n\n\nP:b\nV:1-r0\n\nF:etc\nR:x\n");
        assert_eq!(database.packages.len(), 1);
        assert_eq!(database.problems, ["2 paragraphs have no valid name or version"]);
    }

    #[test]
    fn more_files_than_the_limit_are_left_out_with_a_problem() {
        let input = b"P:a\nV:1\nF:etc\nR:one\nR:two\nR:three\n";
        let database = read_within(input, Budget::of(2, 100));
        assert_eq!(database.packages.len(), 1);
        assert_eq!(database.packages[0].files.unpack(&mut Budget::default()).len(), 2);
        assert_eq!(database.problems.len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            read(&bytes);
        }

        #[test]
        fn any_fields_are_read_without_panic(
            lines in prop::collection::vec(prop::sample::select(&[
                "P:a\n", "P:\n", "V:1\n", "V:", "A:x\n", "o:b\n", "L:MIT\n", "F:etc\n", "F:\n",
                "R:f\n", "R:\n", "Z:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n", "Z:Q1\n", "\n", ":", "P",
            ]), 0..60),
        ) {
            let packages = read(lines.concat().as_bytes()).packages.len();
            prop_assert!(packages <= lines.len());
        }
    }
}
