//! The entries of one layer, in the order of its tar, in one compact run of bytes that can be kept
//! whatever the image's size.

use crate::entry::{Reader, RecordEntry};
use vocabulary::{Digest, FileRecord};

/// The entries of one layer, in the order of its tar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    bytes: Vec<u8>,
    last_path: String,
    entries: u64,
}

impl Record {
    /// Count of entries.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Size in memory, in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &RecordEntry<&str, &[u8]>) {
        let shared = entry.write(&mut self.bytes, &self.last_path);
        self.last_path.truncate(shared);
        self.last_path.push_str(entry.path.get(shared..).unwrap_or_default());
        self.entries += 1;
    }

    /// The entries, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = RecordEntry> + '_ {
        let mut reader = Reader::new(self.bytes.as_slice());
        std::iter::from_fn(move || {
            // What was pushed can be read: it ends where the bytes do.
            if reader.source.is_empty() {
                None
            } else {
                reader.entry().ok().map(|(entry, _)| entry)
            }
        })
    }
}

impl RecordEntry {
    /// The public form.
    #[must_use]
    pub fn into_file(self, layer: Option<u32>) -> FileRecord {
        use std::fmt::Write as _;
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        FileRecord {
            path: self.path,
            kind: self.kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: self.size,
            link: self.link,
            attributes: self
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), hex(value)))
                .collect(),
            layer,
            digest: self.digest.map(Digest::sha256),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vocabulary::FileKind;

    const KINDS: [FileKind; 3] = [FileKind::File, FileKind::HardLink, FileKind::Fifo];

    proptest! {
        #[test]
        fn every_entry_comes_back_as_it_went_in(
            entries in prop::collection::vec(
                ("[a-zé/]{0,12}", prop::sample::select(KINDS.to_vec()), any::<u32>(), any::<u64>(), "[a-z]{0,4}", any::<Option<[u8; 32]>>()),
                0..20,
            ),
        ) {
            let mut record = Record::default();
            let mut expected = Vec::new();
            for (path, kind, mode, size, link, digest) in &entries {
                let attributes = if size % 2 == 0 { vec![("user.a", &[0, 255][..])] } else { Vec::new() };
                let entry = RecordEntry {
                    path: path.as_str(), kind: *kind, mode: *mode, uid: *size, gid: 7, size: *size,
                    link: Some(link.as_str()).filter(|link| !link.is_empty()),
                    attributes, layer: None, digest: *digest,
                };
                record.push(&entry);
                let owned = |(name, value): &(&str, &[u8])| ((*name).to_owned(), value.to_vec());
                expected.push(RecordEntry {
                    path: path.clone(), kind: *kind, mode: *mode, uid: *size, gid: 7, size: *size,
                    link: entry.link.map(str::to_owned),
                    attributes: entry.attributes.iter().map(owned).collect(),
                    layer: None, digest: *digest,
                });
            }
            prop_assert_eq!(record.iter().collect::<Vec<_>>(), expected);
        }
    }
}
