//! Which blocks concern a name: gathered, encoded, and kept once where they are the same.

use crate::format::put_number;
use foldhash::HashMap;

/// A name, and the release and number of a block that concerns it.
pub(super) type Post = (u32, (u32, u32));

/// The posts of one name, taken from the front.
pub(super) fn split<'posts>(posts: &mut &'posts [Post], name: u32) -> &'posts [Post] {
    let end = posts.iter().position(|(other, _)| *other != name).unwrap_or(posts.len());
    let (own, rest) = posts.split_at_checked(end).unwrap_or((posts, &[]));
    *posts = rest;
    own
}

/// Postings that were written, by their bytes.
#[derive(Default)]
pub(super) struct Postings {
    pub(super) known: HashMap<Box<[u8]>, u32>,
    pub(super) blocks: Vec<(u32, u32)>,
    list: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

impl Postings {
    /// Groups by release, each with its length so that others are skipped; numbers as differences.
    pub(super) fn encode(&mut self) {
        let Self { blocks, list, bytes, .. } = self;
        bytes.clear();
        let groups = || blocks.chunk_by(|(left, _), (right, _)| left == right);
        put_number(bytes, groups().count() as u64);
        for group in groups() {
            list.clear();
            let mut last = 0;
            for (_, block) in group {
                put_number(list, u64::from(block - last));
                last = *block;
            }
            put_number(bytes, group.first().map_or(0, |(release, _)| u64::from(*release)));
            put_number(bytes, list.len() as u64);
            bytes.extend_from_slice(list);
        }
    }
}
