//! Which words stand in a lock file, so that it can be told what it surely does not name.
//!
//! In goes a lock file in pieces, of whatever form, out come fingerprints of its words: what stands
//! between letters that no name has. A package whose name is none of them is not in the lock file,
//! however its format writes packages; the other way round nothing is said, and so an alias, a member
//! of a workspace or what an index calls otherwise makes no false alarm. Where the words are not known
//! (another encoding, too many), nothing is said either.

use super::FileFact;
use crate::language::encode;
use image::{Fact, Flow, ReadError, Reading};
use std::collections::BTreeSet;

/// Most different words of one lock file; the largest have some ten thousand packages, each with a name,
/// an archive and a digest.
const WORDS: usize = 200_000;
/// Longest word that is one: npm's longest name has 214 letters.
const LONGEST: usize = 214;

/// Words of a lock file while it is read.
#[derive(Default)]
pub(super) struct Words {
    found: BTreeSet<u64>,
    word: Vec<u8>,
    /// Whether the words cannot be known.
    unknown: bool,
}

impl Words {
    fn end(&mut self) {
        let is_word = !self.word.is_empty() && self.word.len() <= LONGEST;
        if is_word && self.word.iter().any(u8::is_ascii_alphabetic) {
            self.found.insert(fingerprint(&self.word));
            self.unknown |= self.found.len() > WORDS;
        }
        self.word.clear();
    }
}

impl Reading for Words {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        for byte in bytes {
            self.unknown |= *byte == 0;
            if is_inside(*byte) {
                // One letter more than is kept makes it too long.
                if self.word.len() <= LONGEST {
                    self.word.push(*byte);
                }
            } else {
                self.end();
            }
            if self.unknown {
                return Flow::Enough;
            }
        }
        Flow::More
    }

    fn finish(mut self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        self.end();
        encode(&FileFact::Lock((!self.unknown).then(|| self.found.into_iter().collect())))
    }
}

const fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// FNV-1a, over letters without case and `_` and `.` as `-`: facts are kept, so it must never change.
fn fingerprint(word: &[u8]) -> u64 {
    word.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        let byte = if matches!(byte, b'_' | b'.') { b'-' } else { byte.to_ascii_lowercase() };
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Whether all words of a name are there: `@scope/name` has two.
pub(super) fn has(words: &[u64], name: &str) -> bool {
    let mut parts = name
        .as_bytes()
        .split(|byte| !is_inside(*byte))
        .filter(|part| part.len() <= LONGEST && part.iter().any(u8::is_ascii_alphabetic));
    parts.all(|part| words.binary_search(&fingerprint(part)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, piece: usize) -> Option<Vec<u64>> {
        let mut words = Box::<Words>::default();
        for bytes in text.as_bytes().chunks(piece) {
            words.push(bytes);
        }
        words.end();
        (!words.unknown).then(|| words.found.into_iter().collect())
    }

    #[test]
    fn names_are_found_however_a_format_writes_them() {
        for text in [
            r#"{"node_modules/@babel/core":{},"node_modules/lodash":{}}"#,
            "\"@babel/core@^7\", lodash@^4:\n  version \"4\"\n",
            "/@babel/core/7.0.0:\n/lodash/4.0.0:\n",
            r#"{"a":"@babel\/core","b":"lodash"}"#,
        ] {
            for piece in [1, 3, 1_000] {
                let words = words(text, piece).unwrap();
                assert!(has(&words, "@babel/core") && has(&words, "lodash"), "{text}");
                assert!(!has(&words, "express") && !has(&words, "@other/core"), "{text}");
            }
        }
        assert!(has(&words("name = \"ruamel.yaml\"", 5).unwrap(), "ruamel-yaml"));
    }

    #[test]
    fn words_that_cannot_be_known_are_not() {
        assert_eq!(words("l\0o\0d\0", 2), None);
        let many: String = (0..=WORDS).map(|at| format!("w{at} ")).collect();
        assert_eq!(words(&many, 4_096), None);
        assert_eq!(words(&"a".repeat(100_000), 7), Some(Vec::new()));
    }
}
