//! Records of files.

use proptest::prelude::*;
use std::collections::BTreeMap;
use vocabulary::{Digest, FileKind, FileRecord};

/// A file of mode 0644 in the lowest layer.
#[must_use]
pub fn file(path: &str, content: &[u8]) -> FileRecord {
    FileRecord {
        path: path.to_owned(),
        kind: FileKind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: content.len() as u64,
        link: None,
        attributes: BTreeMap::new(),
        layer: Some(0),
        digest: Some(Digest::of(content)),
    }
}

/// Any files, in the order of their paths.
pub fn any_files(at_most: usize) -> impl Strategy<Value = Vec<FileRecord>> {
    let kind = prop::sample::select(vec![
        FileKind::File,
        FileKind::Directory,
        FileKind::Symlink,
        FileKind::HardLink,
        FileKind::CharacterDevice,
        FileKind::BlockDevice,
        FileKind::Fifo,
    ]);
    let numbers = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>());
    let attributes = prop::collection::btree_map("[a-z.é]{1,9}", "[0-9a-f]{0,8}", 0..3);
    let rest = (
        prop::option::of("[a-z/]{0,9}"),
        attributes,
        any::<Option<u32>>(),
        any::<Option<[u8; 32]>>(),
    );
    let one = (kind, numbers, rest);
    prop::collection::btree_map("[a-zé/]{0,12}", one, 0..at_most).prop_map(|files| {
        files
            .into_iter()
            .map(|(path, (kind, (mode, uid, gid, size), (link, attributes, layer, digest)))| {
                let digest = digest.map(Digest::sha256);
                FileRecord { path, kind, mode, uid, gid, size, link, attributes, layer, digest }
            })
            .collect()
    })
}
