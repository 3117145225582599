//! Weighs documents before they are read.
//!
//! In goes a whole file and the reader that wants it, out comes what the reader makes of it. An element of
//! three bytes becomes a value of hundreds when a document is read as a tree, so that a bound on bytes is
//! none on memory: one with too many parts is refused, which is a problem of the check, and of those
//! that have many one is read at a time. Formats that are read line by line take what they weigh.

use crate::check::{Entry, ReadError, Reader};
use crate::limits::DOCUMENT_PARTS;
use std::sync::{Mutex, PoisonError};

/// Parts from which on a document is read alone.
const MANY: usize = DOCUMENT_PARTS / 8;
/// The most that a byte weighs.
const HEAVIEST: usize = 3;

/// Endings of names that are read as trees.
const ENDINGS: [&str; 17] = [
    "cjs", "config", "csproj", "fsproj", "json", "lock", "mod", "nuspec", "pom", "props",
    "resolved", "targets", "toml", "vbproj", "xml", "yaml", "yml",
];

/// Hands a whole file to a reader.
pub(crate) fn parsed(
    reader: &dyn Reader,
    entry: &Entry<'_>,
    content: &[u8],
) -> Result<Option<Vec<u8>>, ReadError> {
    static ONE: Mutex<()> = Mutex::new(());
    // What is this short cannot have that many.
    let parts = match content.len() > MANY / HEAVIEST && is_tree(entry.path) {
        true => parts(content),
        false => 0,
    };
    if parts > DOCUMENT_PARTS {
        return Err(ReadError::new(format!(
            "it has more than {DOCUMENT_PARTS} parts, which would fill memory when they are read"
        )));
    }
    let _one = (parts > MANY).then(|| ONE.lock().unwrap_or_else(PoisonError::into_inner));
    reader.read(entry, content)
}

fn is_tree(path: &str) -> bool {
    let ending = path.rsplit(['.', '/']).next().unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// How many parts a document is made of, each weighed by what it costs to keep.
fn parts(content: &[u8]) -> usize {
    let weigh = |byte: &u8| match byte {
        b'[' => HEAVIEST,
        b',' | b'{' | b'<' | b'?' => 2,
        _ => 0,
    };
    content.iter().map(weigh).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interest, Want};
    use vocabulary::FileKind;

    /// Reads all that it is given.
    struct All;

    impl Reader for All {
        fn id(&self) -> &'static str {
            "all"
        }
        fn revision(&self) -> u32 {
            1
        }
        fn interests(&self) -> &'static [Interest] {
            &[Interest::Every]
        }
        fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
            Want::Whole { at_most: u64::MAX }
        }
        fn read(&self, _: &Entry<'_>, _: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
            Ok(Some(Vec::new()))
        }
    }

    #[test]
    fn a_document_of_too_many_parts_is_refused_and_not_read() {
        let read = |path: &str, content: &[u8]| {
            let size = content.len() as u64;
            parsed(&All, &Entry { path, kind: FileKind::File, mode: 0o644, size }, content)
        };
        let dense = "{},".repeat(DOCUMENT_PARTS / 4 + 1);
        for path in ["a/installed.json", "Package.resolved", "m2/a.POM", "pnpm-lock.yaml"] {
            assert!(read(path, dense.as_bytes()).is_err(), "{path}");
        }
        // Lines are no tree, and what is large need not have many parts.
        assert!(read("a.dist-info/RECORD", dense.as_bytes()).is_ok());
        assert!(read("package-lock.json", &vec![b' '; dense.len() * 4]).is_ok());
        // As npm writes 200,000 packages.
        let entry =
            r#""node_modules/a":{"version":"1.0.0","resolved":"r","integrity":"i","dev":true},"#;
        assert!(read("package-lock.json", entry.repeat(200_000).as_bytes()).is_ok());
    }
}
