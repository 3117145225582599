//! Reads bbolt files, in which containerd keeps the names of its images.
//!
//! In goes a file, out come the values and buckets below a path of keys. Strict: a page that is not
//! what the page above it says is an error, not a guess. The file is neither mapped nor locked, so
//! whoever owns it is never held up, and may write meanwhile. That is sound: a transaction writes
//! pages that no valid root names, and the root last; pages of a root are used again only once the
//! next one is written. So what was read under a root that is still the newest one is one state of
//! the file, and [`consistent`] reads again where it is not.
//!
//! Source: bbolt, `internal/common/page.go`, `meta.go`, `bucket.go`; `db.go`, `tx.go` (the order of
//! writing); hash/fnv (64 bits, 1a). bbolt writes numbers in the machine's own order; this reads those
//! of little-endian machines, which are all that Lazaret is built for.

mod page;

use page::{Element, Page};
use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Deepest tree of one bucket; with two keys a page, which bbolt ensures, 2^32 pages.
const DEPTH: usize = 32;
/// Bytes of a page with its overflow. A value of containerd's is a label or a container's
/// specification, of at most 4 MiB.
const PAGE_BYTES: u64 = 16 << 20;
/// Bytes that one walk over a bucket may read; an image takes about one KiB.
const WALKED_BYTES: usize = 64 << 20;
/// Bytes that may be read of one state of a file, all its walks and look-ups together: entries may lead
/// to one large page again and again. An image takes some ten KiB, so this is 100,000 images.
const STATE_BYTES: u64 = 1 << 30;
/// How often a file that changes is read again. A transaction of containerd takes milliseconds.
const ATTEMPTS: usize = 20;
/// How long is waited in between.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Sizes that a page may have: bbolt takes that of the system's pages, 4 KiB to 64 KiB.
const PAGE_SIZES: [u64; 7] = [1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16];

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BoltError {
    /// The system refuses.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It does not begin as one.
    #[error("it is no bbolt file of version 2, or its first pages are damaged")]
    NoMeta,
    /// A page is not what it must be.
    #[error("page {page} is damaged: {reason}")]
    Page {
        /// Its number.
        page: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A bound was passed.
    #[error("it is over the limit of {limit} {unit}; refusing to read it")]
    Limit {
        /// The bound.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// It was written faster than it could be read.
    #[error("it changes while it is read; try again")]
    Changing,
}

/// What has bytes at offsets.
pub trait Bytes {
    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// Where there are not that many.
    fn fill(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl Bytes for File {
    fn fill(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

impl Bytes for &[u8] {
    fn fill(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = from.checked_add(buffer.len()).and_then(|to| self.get(from..to));
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The root that the newest transaction wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meta {
    page_size: u64,
    root: u64,
    /// The first page that is not in use.
    end: u64,
    transaction: u64,
}

impl Meta {
    /// Of the page at `offset`, where it is a valid one.
    fn read(bytes: &dyn Bytes, offset: u64) -> Option<Self> {
        let mut page = [0; page::HEADER + 64];
        bytes.fill(&mut page, offset).ok()?;
        let body = page.get(page::HEADER..)?;
        let long = |at: usize| page::u64_at(body, at);
        let (sum, page_size) = (long(56)?, u64::from(page::u32_at(body, 8)?));
        let good = page::u32_at(body, 0)? == MAGIC
            && page::u32_at(body, 4)? == VERSION
            && PAGE_SIZES.contains(&page_size)
            && fnv(body.get(..56)?) == sum;
        let meta = Self { page_size, root: long(16)?, end: long(40)?, transaction: long(48)? };
        (good && (offset == 0 || offset == page_size)).then_some(meta)
    }

    /// The newer of the two. Where the first is damaged only the second says how large a page is, so
    /// it is looked for.
    fn newest(bytes: &dyn Bytes) -> Result<Self, BoltError> {
        let first = Self::read(bytes, 0);
        let second = match first {
            Some(first) => Self::read(bytes, first.page_size),
            None => PAGE_SIZES.iter().find_map(|size| Self::read(bytes, *size)),
        };
        let newest = first.into_iter().chain(second).max_by_key(|meta| meta.transaction);
        newest.ok_or(BoltError::NoMeta)
    }
}

/// What a walk over a bucket has found.
#[derive(Default)]
struct Walk {
    seen: HashSet<u64>,
    read: usize,
    kept: usize,
    entries: Vec<(Vec<u8>, Value)>,
}

const fn too_deep() -> BoltError {
    BoltError::Limit { limit: DEPTH as u64, unit: "pages above each other" }
}

fn within(sum: &mut usize, more: usize, limit: usize, unit: &'static str) -> Result<(), BoltError> {
    *sum = sum.saturating_add(more);
    if *sum > limit { Err(BoltError::Limit { limit: limit as u64, unit }) } else { Ok(()) }
}

/// FNV-1a of 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// One state of a file.
#[expect(missing_debug_implementations, reason = "its bytes are a trait without one")]
pub struct Bolt<'bytes> {
    bytes: &'bytes dyn Bytes,
    meta: Meta,
    /// Bytes that were read of it.
    read: Cell<u64>,
}

/// A bucket: a tree of pages, or one page inside the value that names it.
#[derive(Clone, Debug)]
pub struct Bucket(Root);

#[derive(Clone, Debug)]
enum Root {
    At(u64),
    Inline(Page),
}

/// What a key stands for.
#[derive(Clone, Debug)]
pub enum Value {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A bucket.
    Bucket(Bucket),
}

/// Reads one state of a file by `read`, again where the file changes meanwhile.
///
/// # Errors
/// Where it cannot be read, or does not stop changing.
pub fn consistent<T>(
    bytes: &dyn Bytes,
    mut read: impl FnMut(&Bolt<'_>) -> Result<T, BoltError>,
) -> Result<T, BoltError> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(PAUSE);
        }
        // One at a time is written: where none is valid, none becomes so by waiting.
        let meta = Meta::newest(bytes)?;
        let outcome = read(&Bolt { bytes, meta, read: Cell::new(0) });
        if Meta::newest(bytes)? == meta {
            return outcome;
        }
    }
    Err(BoltError::Changing)
}

impl Bolt<'_> {
    /// The bucket below a path of keys; none where one of them is missing or no bucket.
    ///
    /// # Errors
    /// Where a page on the way is damaged.
    pub fn bucket(&self, path: &[&[u8]]) -> Result<Option<Bucket>, BoltError> {
        let mut bucket = Bucket(Root::At(self.meta.root));
        for key in path {
            match self.get(&bucket, key)? {
                Some(Value::Bucket(below)) => bucket = below,
                _ => return Ok(None),
            }
        }
        Ok(Some(bucket))
    }

    /// What a key of a bucket stands for.
    ///
    /// # Errors
    /// Where a page on the way is damaged.
    pub fn get(&self, bucket: &Bucket, key: &[u8]) -> Result<Option<Value>, BoltError> {
        let mut page = self.root(bucket)?;
        let (mut low, mut high): (Vec<u8>, Option<Vec<u8>>) = (Vec::new(), None);
        for _ in 0..DEPTH {
            let elements = page.elements()?;
            page.keeps_within(&elements, &low, high.as_deref())?;
            // The last whose key is not above: the key itself, or the page that it would lie in. A key
            // below all others would lie in the first.
            let after = elements.partition_point(|element| element.key() <= key);
            let at = after.saturating_sub(1);
            page = match elements.get(at) {
                None => return Ok(None),
                Some(Element::Branch { key: own, page: below }) => {
                    let next = elements.get(at + 1).map(|next| next.key().to_vec());
                    (low, high) = (own.to_vec(), next.or(high));
                    self.page(*below)?
                }
                Some(leaf) => return leaf.value_of(key, page.number()),
            };
        }
        Err(too_deep())
    }

    /// All keys of a bucket, in their order, with what they stand for.
    ///
    /// # Errors
    /// Where a page is damaged, reached twice, or there are too many.
    pub fn entries(&self, bucket: &Bucket) -> Result<Vec<(Vec<u8>, Value)>, BoltError> {
        let mut walk = Walk::default();
        self.walk(&self.root(bucket)?, (&[], None), 0, &mut walk)?;
        Ok(walk.entries)
    }

    /// Takes the entries of a page and of those below it, whose keys are from the first of `bounds` on and
    /// below the second.
    fn walk(
        &self,
        page: &Page,
        bounds: (&[u8], Option<&[u8]>),
        depth: usize,
        walk: &mut Walk,
    ) -> Result<(), BoltError> {
        if depth == DEPTH {
            return Err(too_deep());
        }
        if !walk.seen.insert(page.number()) {
            let reason = "it is reached by two ways";
            return Err(BoltError::Page { page: page.number(), reason });
        }
        within(&mut walk.read, page.size(), WALKED_BYTES, "bytes of pages")?;
        let elements = page.elements()?;
        page.keeps_within(&elements, bounds.0, bounds.1)?;
        for (at, element) in elements.iter().enumerate() {
            match element {
                Element::Branch { key, page: below } => {
                    let next = elements.get(at + 1).map(Element::key).or(bounds.1);
                    self.walk(&self.page(*below)?, (key, next), depth + 1, walk)?;
                }
                Element::Leaf { key, value, .. } => {
                    // Entries may lie over each other, so that few pages would give many bytes.
                    let size = key.len() + value.len();
                    within(&mut walk.kept, size, WALKED_BYTES, "bytes of entries")?;
                    if let Some(value) = element.value_of(key, page.number())? {
                        walk.entries.push((key.to_vec(), value));
                    }
                }
            }
        }
        Ok(())
    }

    fn root(&self, bucket: &Bucket) -> Result<Page, BoltError> {
        match &bucket.0 {
            Root::At(number) => self.page(*number),
            Root::Inline(page) => {
                self.spend(page.size())?;
                Ok(page.clone())
            }
        }
    }

    fn spend(&self, bytes: usize) -> Result<(), BoltError> {
        self.read.set(self.read.get().saturating_add(bytes as u64));
        if self.read.get() > STATE_BYTES {
            return Err(BoltError::Limit { limit: STATE_BYTES, unit: "bytes of pages" });
        }
        Ok(())
    }

    fn page(&self, number: u64) -> Result<Page, BoltError> {
        let damaged = |reason| BoltError::Page { page: number, reason };
        // The first two are the metas.
        if !(2..self.meta.end).contains(&number) {
            return Err(damaged("it is not among those in use"));
        }
        let offset = number.checked_mul(self.meta.page_size);
        // Where a file can have bytes at all.
        let offset = offset.filter(|offset| i64::try_from(*offset).is_ok());
        let offset = offset.ok_or(damaged("it lies nowhere"))?;
        let mut header = [0; page::HEADER];
        self.read(&mut header, offset, number)?;
        let overflow = u64::from(page::u32_at(&header, 12).unwrap_or(u32::MAX));
        let size = (overflow + 1) * self.meta.page_size;
        if size > PAGE_BYTES {
            return Err(BoltError::Limit { limit: PAGE_BYTES, unit: "bytes of one page" });
        }
        let size = usize::try_from(size).map_err(|_| damaged("it is too large"))?;
        self.spend(size)?;
        let mut bytes = vec![0; size];
        self.read(&mut bytes, offset, number)?;
        if page::u64_at(&bytes, 0) != Some(number) {
            return Err(damaged("it says that it is another"));
        }
        Page::new(number, bytes)
    }

    fn read(&self, buffer: &mut [u8], offset: u64, number: u64) -> Result<(), BoltError> {
        self.bytes.fill(buffer, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                BoltError::Page { page: number, reason: "the file ends before it does" }
            }
            _ => BoltError::Read(error),
        })
    }
}

#[cfg(test)]
mod tests;
