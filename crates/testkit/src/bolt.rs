//! Writes bbolt files, in which containerd keeps the names of its images.
//!
//! In go buckets of buckets and values, out comes a file of two meta pages, an empty list of free
//! pages and the trees. Source: bbolt, `internal/common/page.go`, `meta.go`.

use std::collections::BTreeMap;

/// Bytes of a page.
pub const PAGE: usize = 4096;
/// Entries of one leaf before a branch is put above; few, so that small files have branches too.
const LEAF_ENTRIES: usize = 4;

/// What a key stands for.
#[derive(Clone, Debug)]
pub enum BoltEntry {
    /// Bytes.
    Value(Vec<u8>),
    /// A bucket inside the value itself.
    Inline(BoltBucket),
    /// A bucket with pages of its own.
    Bucket(BoltBucket),
}

/// Entries by key.
pub type BoltBucket = BTreeMap<Vec<u8>, BoltEntry>;

/// A bucket of what `entries` name.
#[must_use]
pub fn bucket<const N: usize>(entries: [(&str, BoltEntry); N]) -> BoltBucket {
    entries.into_iter().map(|(key, entry)| (key.as_bytes().to_vec(), entry)).collect()
}

/// The bucket of `images` as containerd lays it out in one namespace: names, digests, media types.
#[must_use]
pub fn containerd_images(namespace: &str, images: &[(&str, &str)]) -> BoltBucket {
    let value = |text: &str| BoltEntry::Value(text.as_bytes().to_vec());
    let target = |digest: &str| {
        BoltEntry::Inline(bucket([
            ("digest", value(digest)),
            ("mediatype", value("application/vnd.oci.image.manifest.v1+json")),
            ("size", BoltEntry::Value(vec![200, 1])),
        ]))
    };
    let image = |digest: &str| {
        BoltEntry::Bucket(bucket([("createdat", value("x")), ("target", target(digest))]))
    };
    let images = images.iter().map(|(name, digest)| (name.as_bytes().to_vec(), image(digest)));
    let images = BoltEntry::Bucket(images.collect());
    let namespaces = bucket([(namespace, BoltEntry::Bucket(bucket([("images", images)])))]);
    bucket([("v1", BoltEntry::Bucket(namespaces))])
}

/// The file of a root bucket, whose last transaction is `transaction`.
#[must_use]
pub fn file(root: &BoltBucket, transaction: u64) -> Vec<u8> {
    // Two metas and the list of free pages come first.
    let mut pages = vec![0; 3 * PAGE];
    let root = tree(&mut pages, root);
    put(&mut pages, 2 * PAGE, &header(2, 0x10, 0, 0));
    let end = number(pages.len() / PAGE);
    for transaction in [transaction.saturating_sub(1), transaction] {
        let page = transaction % 2;
        let bytes = meta(page, root, end, transaction);
        put(&mut pages, usize::try_from(page).unwrap_or_default() * PAGE, &bytes);
    }
    pages
}

/// A meta page.
#[must_use]
pub fn meta(page: u64, root: u64, end: u64, transaction: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [0xED0C_DAED_u32, 2, u32::try_from(PAGE).unwrap_or_default(), 0] {
        body.extend(word.to_le_bytes());
    }
    for word in [root, 0, 2, end, transaction] {
        body.extend(word.to_le_bytes());
    }
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = body.iter().fold(0xcbf2_9ce4_8422_2325, step);
    body.extend(sum.to_le_bytes());
    [header(page, 0x04, 0, 0), body].concat()
}

/// A header: number, kind, count of entries, pages of overflow.
#[must_use]
pub fn header(page: u64, kind: u16, count: u16, overflow: u32) -> Vec<u8> {
    let count = count.to_le_bytes();
    [&page.to_le_bytes()[..], &kind.to_le_bytes(), &count, &overflow.to_le_bytes()].concat()
}

/// Writes a bucket's pages; the number of the topmost.
fn tree(pages: &mut Vec<u8>, bucket: &BoltBucket) -> u64 {
    let entries: Vec<(Vec<u8>, u32, Vec<u8>)> =
        bucket.iter().map(|(key, entry)| written(pages, key, entry)).collect();
    let mut row: Vec<(Vec<u8>, u64)> = Vec::new();
    let mut rest = entries.as_slice();
    loop {
        let (some, after) = rest.split_at(rest.len().min(LEAF_ENTRIES));
        let first = some.first().map(|entry| entry.0.clone()).unwrap_or_default();
        row.push((first, append(pages, 0x02, count(some.len()), &leaf(some))));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    while row.len() > 1 {
        let above = row.chunks(LEAF_ENTRIES).map(|some| {
            let first = some.first().map(|entry| entry.0.clone()).unwrap_or_default();
            (first, append(pages, 0x01, count(some.len()), &branch(some)))
        });
        row = above.collect();
    }
    row.first().map_or(0, |(_, page)| *page)
}

fn written(pages: &mut Vec<u8>, key: &[u8], entry: &BoltEntry) -> (Vec<u8>, u32, Vec<u8>) {
    let (kind, value) = match entry {
        BoltEntry::Value(value) => (0, value.clone()),
        BoltEntry::Bucket(bucket) => {
            let root = tree(pages, bucket);
            (1, [root.to_le_bytes(), [0; 8]].concat())
        }
        BoltEntry::Inline(bucket) => {
            let entries: Vec<_> =
                bucket.iter().map(|(key, entry)| written(pages, key, entry)).collect();
            let page = header(0, 0x02, count(entries.len()), 0);
            (1, [vec![0; 16], page, leaf(&entries)].concat())
        }
    };
    (key.to_vec(), kind, value)
}

fn leaf(entries: &[(Vec<u8>, u32, Vec<u8>)]) -> Vec<u8> {
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for (index, (key, kind, value)) in entries.iter().enumerate() {
        let position = (entries.len() - index) * 16 + bodies.len();
        for word in [*kind, short(position), short(key.len()), short(value.len())] {
            heads.extend(word.to_le_bytes());
        }
        bodies.extend_from_slice(key);
        bodies.extend_from_slice(value);
    }
    [heads, bodies].concat()
}

fn branch(entries: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for (index, (key, page)) in entries.iter().enumerate() {
        let position = (entries.len() - index) * 16 + bodies.len();
        heads.extend(short(position).to_le_bytes());
        heads.extend(short(key.len()).to_le_bytes());
        heads.extend(page.to_le_bytes());
        bodies.extend_from_slice(key);
    }
    [heads, bodies].concat()
}

fn append(pages: &mut Vec<u8>, kind: u16, count: u16, body: &[u8]) -> u64 {
    let page = number(pages.len() / PAGE);
    let overflow = (body.len() + 16).div_ceil(PAGE) - 1;
    pages.extend(header(page, kind, count, short(overflow)));
    pages.extend_from_slice(body);
    pages.resize(pages.len().next_multiple_of(PAGE), 0);
    page
}

fn put(pages: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = pages.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

fn number(value: usize) -> u64 {
    value as u64
}

fn short(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn count(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
