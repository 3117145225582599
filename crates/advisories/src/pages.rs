//! The pages of a database file: read when something in them is asked for, held against the digest
//! that the index states, and kept for as long as the database is open.
//!
//! In go a held file, or bytes, out come items by section and number. The file is read through the
//! descriptor that was opened, so that what takes its name meanwhile changes nothing, and a page that
//! is another one than the index says is an error, whenever it is met: never an item that is not there.

use crate::format::{FormatError, HEADER, Header, Reader, SECTIONS, Section, digest};
use std::cmp::Ordering;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use vocabulary::Ecosystem;

/// How many releases one ecosystem may name; Red Hat has some hundreds.
const MAX_RELEASES: usize = 1 << 16;
/// Least bytes of a page in the index: its length, count and digest.
const LEAST: usize = 34;
/// How many items one look into [`Pages::strides`] is for: a page has some dozens or hundreds.
const STRIDE: u32 = 64;
/// Largest page: one item, such as a record of 300,000 versions.
const MAX_PAGE: u64 = 64 << 20;

/// A release that has advisories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReleaseCount {
    pub(crate) name: String,
    /// How many blocks speak of it.
    pub(crate) blocks: u64,
    /// How many of these name a source package alone, and not its binaries.
    pub(crate) by_source: u64,
}

/// What an index says before its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) records: u64,
    /// Sorted by name.
    pub(crate) releases: Vec<ReleaseCount>,
}

/// Where the bytes are.
enum Source {
    File(File),
    Bytes(Vec<u8>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::File(_) => "File",
            Self::Bytes(_) => "Bytes",
        })
    }
}

#[derive(Debug)]
struct Page {
    /// Where it begins in the file.
    place: u64,
    length: usize,
    /// Number of its first item, and how many it has.
    first: u32,
    items: u32,
    digest: [u8; 32],
    held: OnceLock<Box<[u8]>>,
}

#[derive(Debug, Default)]
struct Pages {
    pages: Vec<Page>,
    /// For every [`STRIDE`]th item the page that it stands in: what is looked up most.
    strides: Vec<u32>,
    items: u32,
    /// The first key of each page, where items have keys.
    keys: Vec<Box<[u8]>>,
}

/// The pages of one file.
#[derive(Debug)]
pub(crate) struct Book {
    source: Source,
    sections: [Pages; SECTIONS],
    pub(crate) meta: Meta,
    pub(crate) payload: [u8; 32],
}

impl Book {
    /// Opens a file; its header and index are read and checked.
    pub(crate) fn open(file: File) -> Result<Self, FormatError> {
        let unread = |error: std::io::Error| FormatError::Unread(error.kind());
        let length = file.metadata().map_err(unread)?.len();
        let mut start = vec![0; HEADER.min(usize::try_from(length).unwrap_or(HEADER))];
        file.read_exact_at(&mut start, 0).map_err(unread)?;
        let header = Header::read(&start, length)?;
        let mut index = vec![0; header.index];
        file.read_exact_at(&mut index, HEADER as u64).map_err(unread)?;
        if digest(&index) != header.payload {
            return Err(FormatError::Digest);
        }
        Self::of(Source::File(file), &header, &index)
    }

    /// A file in memory, whose digests nobody asks for unless [`Self::verify`] does.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let header = Header::read(&bytes, bytes.len() as u64)?;
        let index = bytes.get(HEADER..HEADER + header.index).ok_or(FormatError::Header)?.to_vec();
        Self::of(Source::Bytes(bytes), &header, &index)
    }

    fn of(source: Source, header: &Header, index: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(index);
        let meta = meta(&mut reader)?;
        let mut place = (HEADER + index.len()) as u64;
        let mut sections: [Pages; SECTIONS] = Default::default();
        for (section, pages) in Section::ALL.iter().zip(&mut sections) {
            *pages = Pages::read(&mut reader, section.has_keys(), &mut place, header.length)?;
        }
        if place != header.length || !reader.is_empty() {
            return Err(FormatError::Header);
        }
        Ok(Self { source, sections, meta, payload: header.payload })
    }

    fn section(&self, section: Section) -> Result<&Pages, FormatError> {
        self.sections.get(section as usize).ok_or(FormatError::Content)
    }

    /// How many items a section has.
    pub(crate) fn count(&self, section: Section) -> u32 {
        self.section(section).map_or(0, |pages| pages.items)
    }

    /// An item.
    pub(crate) fn item(&self, section: Section, number: u32) -> Result<Reader<'_>, FormatError> {
        let pages = self.section(section)?;
        let page = pages.page_of(number).ok_or(FormatError::Content)?;
        item_of(self.bytes(page)?, page.items, number - page.first)
    }

    /// All items of a section, in order; where a page cannot be read, one error in place of its items.
    pub(crate) fn items(
        &self,
        section: Section,
    ) -> impl Iterator<Item = Result<Reader<'_>, FormatError>> {
        let pages = self.section(section).map_or(&[][..], |pages| &pages.pages);
        pages.iter().flat_map(|page| {
            let (bytes, failed) = match self.bytes(page) {
                Ok(bytes) => (bytes, None),
                Err(error) => (&[][..], Some(error)),
            };
            let items = if failed.is_some() { 0 } else { page.items };
            let items = (0..items).map(move |number| item_of(bytes, page.items, number));
            failed.map(Err).into_iter().chain(items)
        })
    }

    /// The first item of a section with keys that an order does not put before what is sought, and
    /// whether it is it.
    pub(crate) fn find(
        &self,
        section: Section,
        order: impl Fn(&[u8]) -> Ordering,
    ) -> Result<(u32, bool), FormatError> {
        let pages = self.section(section)?;
        let after = pages.keys.partition_point(|key| order(key) == Ordering::Less);
        let starts_next = pages.keys.get(after).is_some_and(|key| order(key) == Ordering::Equal);
        let next = pages.pages.get(after).map_or(pages.items, |page| page.first);
        let Some(page) = after.checked_sub(1).and_then(|at| pages.pages.get(at)) else {
            return Ok((next, starts_next));
        };
        let bytes = self.bytes(page)?;
        let (mut low, mut high, mut equal) = (0, page.items, false);
        while low < high {
            let middle = low + (high - low) / 2;
            match order(item_of(bytes, page.items, middle)?.bytes()?) {
                Ordering::Less => low = middle + 1,
                other => {
                    high = middle;
                    equal = other == Ordering::Equal;
                }
            }
        }
        if low == page.items { Ok((next, starts_next)) } else { Ok((page.first + low, equal)) }
    }

    fn bytes<'book>(&'book self, page: &'book Page) -> Result<&'book [u8], FormatError> {
        match &self.source {
            Source::Bytes(bytes) => {
                let start = usize::try_from(page.place).map_err(|_| FormatError::Content)?;
                bytes.get(start..start + page.length).ok_or(FormatError::Content)
            }
            Source::File(file) => {
                if let Some(held) = page.held.get() {
                    return Ok(held);
                }
                let read = fetch(file, page)?;
                Ok(page.held.get_or_init(|| read))
            }
        }
    }

    /// Holds all against the digests of the header and the index.
    pub(crate) fn verify(&self) -> Result<(), FormatError> {
        if let Source::Bytes(bytes) = &self.source {
            let index = Header::read(bytes, bytes.len() as u64)?.index;
            let index = bytes.get(HEADER..HEADER + index).ok_or(FormatError::Header)?;
            if digest(index) != self.payload {
                return Err(FormatError::Digest);
            }
        }
        for page in self.sections.iter().flat_map(|pages| &pages.pages) {
            match &self.source {
                Source::File(_) => drop(self.bytes(page)?),
                Source::Bytes(_) if digest(self.bytes(page)?) == page.digest => {}
                Source::Bytes(_) => return Err(FormatError::Digest),
            }
        }
        Ok(())
    }
}

fn fetch(file: &File, page: &Page) -> Result<Box<[u8]>, FormatError> {
    let mut bytes = vec![0; page.length].into_boxed_slice();
    file.read_exact_at(&mut bytes, page.place)
        .map_err(|error| FormatError::Unread(error.kind()))?;
    if digest(&bytes) == page.digest { Ok(bytes) } else { Err(FormatError::Digest) }
}

/// An item of a page, by its number there.
fn item_of(page: &[u8], items: u32, number: u32) -> Result<Reader<'_>, FormatError> {
    let slot = |number: u32| -> Option<usize> {
        let at = usize::try_from(number).ok()?.checked_mul(2)?;
        let place = page.get(at..at + 2)?.try_into().ok()?;
        Some(usize::from(u16::from_le_bytes(place)))
    };
    let base = usize::try_from(items).ok().and_then(|items| items.checked_mul(2));
    let within = || {
        let bytes = page.get(base?..)?;
        let end = if number + 1 < items { slot(number + 1)? } else { bytes.len() };
        bytes.get(slot(number)?..end)
    };
    within().map(Reader::new).ok_or(FormatError::Content)
}

impl Pages {
    /// The page that an item stands in.
    fn page_of(&self, number: u32) -> Option<&Page> {
        let at = usize::try_from(*self.strides.get((number / STRIDE) as usize)?).ok()?;
        let mut pages = self.pages.get(at..)?.iter();
        pages.find(|page| number < page.first + page.items)
    }

    /// Reads what the index of a file of `end` bytes says of a section.
    fn read(
        reader: &mut Reader<'_>,
        has_keys: bool,
        place: &mut u64,
        end: u64,
    ) -> Result<Self, FormatError> {
        let count = usize::try_from(reader.number()?).map_err(|_| FormatError::Header)?;
        if count > reader.left() / LEAST {
            return Err(FormatError::Header);
        }
        let mut this = Self { pages: Vec::with_capacity(count), ..Self::default() };
        for _ in 0..count {
            let (length, items) = (reader.number()?, reader.small()?);
            if length > MAX_PAGE || items == 0 || u64::from(items) * 2 > length {
                return Err(FormatError::Header);
            }
            this.pages.push(Page {
                place: *place,
                length: usize::try_from(length).map_err(|_| FormatError::Header)?,
                first: this.items,
                items,
                digest: reader.array()?,
                held: OnceLock::new(),
            });
            *place = place.saturating_add(length);
            // Room is made by what the file can have, and not by what it says.
            if *place > end {
                return Err(FormatError::Header);
            }
            this.items = this.items.checked_add(items).ok_or(FormatError::Header)?;
            let page = u32::try_from(this.pages.len() - 1).map_err(|_| FormatError::Header)?;
            this.strides.resize(this.items.div_ceil(STRIDE) as usize, page);
        }
        for _ in 0..if has_keys { count } else { 0 } {
            this.keys.push(reader.bytes()?.into());
        }
        Ok(this)
    }
}

fn meta(reader: &mut Reader<'_>) -> Result<Meta, FormatError> {
    let ecosystem = Ecosystem::new(reader.text()?);
    let records = reader.number()?;
    let count = reader.count()?;
    if count > MAX_RELEASES {
        return Err(FormatError::Content);
    }
    let mut releases = Vec::with_capacity(count);
    for _ in 0..count {
        let name = reader.text()?.to_owned();
        releases.push(ReleaseCount { name, blocks: reader.number()?, by_source: reader.number()? });
    }
    Ok(Meta { ecosystem, records, releases })
}
