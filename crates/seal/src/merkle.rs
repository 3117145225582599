//! One digest for the files of an image: the tree hash of RFC 6962, section 2.1.
//!
//! In go file records in the order of their paths' bytes, out comes a root. It is made of the records'
//! meaning and not of their storage, so that the format of the stored record can change while old
//! roots stay. The encoding of a leaf is frozen: `docs/seal.md` describes it, a test holds it.

use sha2::{Digest as _, Sha256};
use vocabulary::{Digest, FileKind, FileRecord};

/// A hash of the tree.
type Hash = [u8; 32];

/// Put before a leaf, so that no inner node can be passed off as one (RFC 6962, section 2.1).
const LEAF: u8 = 0;
/// Put before the two hashes of an inner node.
const NODE: u8 = 1;

/// The tree, leaf by leaf. Keeps one hash for each level only.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Roots of full subtrees, largest first, with the count of their leaves.
    full: Vec<(u64, Hash)>,
    leaves: u64,
    scratch: Vec<u8>,
}

impl Tree {
    /// Adds the next file.
    pub fn push(&mut self, file: &FileRecord) {
        self.scratch.clear();
        self.scratch.push(LEAF);
        encode(file, &mut self.scratch);
        let mut size = 1;
        let mut hash: Hash = Sha256::digest(&self.scratch).into();
        while let Some((left_size, left)) = self.full.last().copied() {
            if left_size != size {
                break;
            }
            self.full.pop();
            hash = node(&left, &hash);
            size += left_size;
        }
        self.full.push((size, hash));
        self.leaves += 1;
    }

    /// How many files it holds.
    #[must_use]
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The root. That of an empty tree is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut subtrees = self.full.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = subtrees.next() else { return Digest::of(b"") };
        Digest::sha256(subtrees.fold(last, |right, left| node(&left, &right)))
    }
}

/// The root over files that are in the order of their paths.
#[must_use]
pub fn root<'files>(files: impl IntoIterator<Item = &'files FileRecord>) -> Digest {
    let mut tree = Tree::default();
    files.into_iter().for_each(|file| tree.push(file));
    tree.root()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([NODE]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The canonical encoding of a record: every field behind its length, so that no two records can
/// have the same bytes. The layer is no part of it: it says where a file came from, not what it is.
fn encode(file: &FileRecord, out: &mut Vec<u8>) {
    field(out, file.path.as_bytes());
    field(out, kind_name(file.kind).as_bytes());
    number(out, u64::from(file.mode));
    number(out, file.uid);
    number(out, file.gid);
    number(out, file.size);
    optional(out, file.link.as_deref().map(str::as_bytes));
    number(out, file.attributes.len() as u64);
    for (name, value) in &file.attributes {
        field(out, name.as_bytes());
        field(out, value.as_bytes());
    }
    optional(out, file.digest.as_ref().map(Digest::as_bytes));
}

/// Eight bytes of length, big-endian, and the bytes.
fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, value: u64) {
    field(out, &value.to_be_bytes());
}

/// A count of 0 or 1, and the field where it is there: an empty text is not a missing one.
fn optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    number(out, u64::from(bytes.is_some()));
    if let Some(bytes) = bytes {
        field(out, bytes);
    }
}

/// The word of a kind: that of its JSON form.
#[must_use]
pub const fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Symlink => "symlink",
        FileKind::HardLink => "hard-link",
        FileKind::CharacterDevice => "character-device",
        FileKind::BlockDevice => "block-device",
        FileKind::Fifo => "fifo",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use testkit::files::{any_files, file};

    /// Section 2.1, word by word: split at the largest power of two below the count.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node(&by_definition(&leaves[..split]), &by_definition(&leaves[split..]))
            }
        }
    }

    fn leaf(file: &FileRecord) -> Hash {
        let mut bytes = vec![LEAF];
        encode(file, &mut bytes);
        Sha256::digest(&bytes).into()
    }

    proptest! {
        #[test]
        fn the_tree_is_that_of_the_rfc(files in any_files(40)) {
            let leaves: Vec<Hash> = files.iter().map(leaf).collect();
            prop_assert_eq!(root(&files), Digest::sha256(by_definition(&leaves)));
        }

        #[test]
        fn every_aspect_of_a_file_is_in_the_root(files in any_files(8), at in any::<prop::sample::Index>(), what in 0_u8..9) {
            prop_assume!(!files.is_empty());
            let mut other = files.clone();
            let changed = at.get(&other).path.clone();
            let file = other.iter_mut().find(|file| file.path == changed).unwrap();
            match what {
                0 => file.path.push('x'),
                1 => file.mode ^= 0o4000,
                2 => file.uid ^= 1,
                3 => file.gid ^= 1,
                4 => file.size ^= 1,
                5 => file.link = match &file.link { None => Some(String::new()), Some(_) => None },
                6 => { file.attributes.insert("security.capability".to_owned(), "0100".to_owned()); }
                7 => file.digest = Some(Digest::of(format!("{:?}", file.digest).as_bytes())),
                _ => file.kind = if file.kind == FileKind::File { FileKind::Fifo } else { FileKind::File },
            }
            prop_assert_ne!(root(&files), root(&other));
        }
    }

    #[test]
    fn the_encoding_is_frozen() {
        let mut program = file("usr/bin/tool", b"tool");
        (program.mode, program.uid, program.gid) = (0o4755, 1, 2);
        program.attributes =
            BTreeMap::from([("security.capability".to_owned(), "0100".to_owned())]);
        let link = FileRecord {
            kind: FileKind::Symlink,
            link: Some("usr/bin".to_owned()),
            digest: None,
            size: 0,
            ..file("bin", b"")
        };
        let mut bytes = Vec::new();
        encode(&link, &mut bytes);
        let expected: &[&[u8]] = &[
            b"\0\0\0\0\0\0\0\x03bin",
            b"\0\0\0\0\0\0\0\x07symlink",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\x01\xa4",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01",
            b"\0\0\0\0\0\0\0\x07usr/bin",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0",
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!(root([&link, &program]).to_string(), VECTOR);
        assert_eq!(root([]).to_string(), Digest::of(b"").to_string());
    }

    /// The vector of `docs/seal.md`.
    const VECTOR: &str = "sha256:07cced4936a65d77329774b2e3200c13f3754139dc9c034e1a6df55c48f89184";
}
