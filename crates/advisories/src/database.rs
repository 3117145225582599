//! Reads a database: which records concern a name in a release, and who rates a CVE best.
//!
//! In goes a file that [`crate::build`] made, out come views that borrow from it. Of the file, only the
//! pages are read that something is asked of ([`crate::pages`]), and nothing is parsed before it is
//! asked for: a look-up is a binary search over sorted names and a few varints, so that a process that
//! matches 500 packages is done in milliseconds.
//!
//! A record is its id, marks, CVEs, aliases, rating, title, page, module stream, ratings of single CVEs
//! and date. A block is what one record says of one release and one set of versions, for all of its
//! CVEs or for those that it names by their place in the record; a name's posting lists its blocks by
//! release. Binaries of one source share blocks and postings ([`crate::entry`]).

pub(crate) mod naming;

use crate::dropped::Why;
use crate::entry::{self, Read};
use crate::format::{FormatError, HEADER, Header, Reader, Section};
use crate::ids;
use crate::names;
use crate::pages::Book;
use crate::storage;
use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};
use vocabulary::Ecosystem;

pub(crate) use crate::entry::{Axis, Title};

/// A rating with its text.
pub(crate) type RatingView<'file> = entry::Rating<&'file str>;
/// A CVE id as it is stored; one becomes a text only where it is shown.
pub(crate) type CveView<'file> = entry::Cve<&'file str>;
/// A record with its texts.
pub(crate) type RecordView<'file> = entry::Record<&'file str>;
/// A package that an entry concerns, with its functions.
pub(crate) type ImportView<'file> = entry::Import<&'file str>;
/// The intervals of a block.
pub(crate) type Ranges<'file> = entry::Ranges<&'file str>;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be opened.
    #[error("cannot open the database `{path}`: {reason}; run `lazaret db update`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// It is not a database of this format.
    #[error("cannot read the database `{path}`: {reason}; run `lazaret db update`")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: FormatError,
    },
    /// It is not the one that belongs there.
    #[error("the database `{path}` counts as missing: {reason}; run `lazaret db update`")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// An opened database of one ecosystem.
#[derive(Debug)]
pub struct Database {
    book: Book,
    releases: Vec<String>,
}

/// What a record says of versions in one release.
#[derive(Clone, Debug)]
pub(crate) struct BlockView<'file> {
    /// Number of its record.
    pub(crate) record: u32,
    pub(crate) release: u32,
    pub(crate) axis: Axis,
    pub(crate) subscription: bool,
    pub(crate) custom: bool,
    pub(crate) rating: Option<RatingView<'file>>,
    pub(crate) ranges: Ranges<'file>,
    has_versions: bool,
    has_imports: bool,
    has_cves: bool,
    has_named: bool,
    /// What stands behind the ranges: versions, then imports, then CVEs, then versions that are named.
    rest: Reader<'file>,
}

impl Database {
    /// Opens a file. Its pages are read, and held against their digests, when something in them is
    /// asked for.
    ///
    /// # Errors
    /// Where it cannot be opened or is not a database.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let failed = |reason| DatabaseError::Open { path: path.to_owned(), reason };
        let file = storage::file(path).map_err(failed)?;
        let damaged = |reason| DatabaseError::Format { path: path.to_owned(), reason };
        Ok(Self::of(Book::open(file).map_err(damaged)?))
    }

    /// The same, and holds all of it against its digests.
    ///
    /// # Errors
    /// As [`Self::open`], and where a part is damaged.
    pub fn open_whole(path: &Path) -> Result<Self, DatabaseError> {
        let database = Self::open(path)?;
        let damaged = |reason| DatabaseError::Format { path: path.to_owned(), reason };
        database.book.verify().map_err(damaged)?;
        Ok(database)
    }

    /// A database in memory. Nothing is held against its digests unless [`Self::verify`] is asked.
    ///
    /// # Errors
    /// Where the bytes are not a database.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, FormatError> {
        Book::of_bytes(bytes).map(Self::of)
    }

    fn of(book: Book) -> Self {
        let releases = book.meta.releases.iter().map(|release| release.name.clone()).collect();
        Self { book, releases }
    }

    /// Holds all against the digests of the header and the index.
    ///
    /// # Errors
    /// Where they differ.
    pub fn verify(&self) -> Result<(), FormatError> {
        self.book.verify()
    }

    /// The ecosystem.
    #[must_use]
    pub const fn ecosystem(&self) -> &Ecosystem {
        &self.book.meta.ecosystem
    }

    /// Count of records.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.book.meta.records
    }

    /// Names of the releases that have advisories, sorted; one empty name where there are none.
    #[must_use]
    pub fn releases(&self) -> &[String] {
        &self.releases
    }

    /// SHA-256 of the index, which names the digests of all pages, as the header states it.
    #[must_use]
    pub const fn payload(&self) -> [u8; 32] {
        self.book.payload
    }

    /// The pages.
    pub(crate) const fn book(&self) -> &Book {
        &self.book
    }

    /// A text by its number.
    pub(crate) fn string(&self, number: u64) -> Result<&str, FormatError> {
        let number = u32::try_from(number).map_err(|_| FormatError::Content)?;
        self.book.item(Section::Strings, number)?.all_text()
    }

    fn read<'file>(
        &'file self,
        reader: Reader<'file>,
    ) -> Read<'file, impl Fn(u64) -> Result<&'file str, FormatError>> {
        Read { reader, text: |number| self.string(number) }
    }

    /// The blocks that concern a name in any of the releases (by index), in order.
    pub(crate) fn blocks(
        &self,
        name: &str,
        releases: &[u32],
    ) -> Result<Vec<(u32, BlockView<'_>)>, FormatError> {
        let name = names::canonical(self.ecosystem().as_str(), name);
        let mut found = Vec::new();
        for posting in self.postings(&name)? {
            self.posted(posting, releases, &mut found)?;
        }
        Ok(found)
    }

    /// The postings of a name; of Go in any case of letters: package URLs of Go are in lower case,
    /// advisories write modules as their repositories do (purl-spec, type `golang`).
    fn postings(&self, name: &str) -> Result<Vec<u32>, FormatError> {
        let order = names::Order::of(self.ecosystem());
        let same = |key: &[u8]| order.alike(key, name.as_bytes());
        let (mut at, mut found) = self.book.find(Section::Names, same)?;
        let mut postings = Vec::new();
        while found {
            let mut item = self.book.item(Section::Names, at)?;
            if same(item.bytes()?) != Ordering::Equal {
                break;
            }
            postings.push(item.small()?);
            at += 1;
            found = at < self.book.count(Section::Names);
        }
        postings.sort_unstable();
        postings.dedup();
        Ok(postings)
    }

    /// The blocks of one posting.
    fn posted<'file>(
        &'file self,
        posting: u32,
        releases: &[u32],
        found: &mut Vec<(u32, BlockView<'file>)>,
    ) -> Result<(), FormatError> {
        let mut posting = self.book.item(Section::Postings, posting)?;
        for _ in 0..posting.count()? {
            let release = posting.small()?;
            let mut list = Reader::new(posting.bytes()?);
            if !releases.contains(&release) {
                continue;
            }
            let mut place = 0_u32;
            while !list.is_empty() {
                place = place.checked_add(list.small()?).ok_or(FormatError::Content)?;
                found.push((place, self.block(place)?));
            }
        }
        Ok(())
    }

    /// Whether an entry of these releases names a source package alone, and not its binaries.
    pub(crate) fn has_entries_by_source(&self, releases: &[u32]) -> bool {
        let all = (0_u32..).zip(&self.book.meta.releases);
        all.into_iter().any(|(index, one)| one.by_source > 0 && releases.contains(&index))
    }

    /// The names that advisories speak of, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = Result<&str, FormatError>> {
        self.book.items(Section::Names).map(|item| item?.text())
    }

    fn block(&self, number: u32) -> Result<BlockView<'_>, FormatError> {
        let mut read = self.read(self.book.item(Section::Blocks, number)?);
        let head = read.head()?;
        Ok(BlockView {
            record: head.record,
            release: head.release,
            axis: head.axis,
            subscription: head.subscription,
            custom: head.custom,
            rating: head.rating,
            ranges: head.ranges,
            has_versions: head.has_versions,
            has_imports: head.has_imports,
            has_cves: head.has_cves,
            has_named: head.has_named,
            rest: read.reader,
        })
    }

    /// The numbers of the texts of versions that a block lists by name. Records of one package list the
    /// same ones, so who looks at many blocks reads each text once.
    pub(crate) fn versions(&self, block: &BlockView<'_>) -> Result<Vec<u64>, FormatError> {
        if !block.has_versions {
            return Ok(Vec::new());
        }
        Read { reader: block.rest, text: Ok }.strings()
    }

    /// The packages with functions that a block names.
    pub(crate) fn imports<'file>(
        &'file self,
        block: &BlockView<'file>,
    ) -> Result<Vec<ImportView<'file>>, FormatError> {
        if !block.has_imports {
            return Ok(Vec::new());
        }
        let mut read = self.read(block.rest);
        if block.has_versions {
            read.strings()?;
        }
        read.imports()
    }

    /// The places of the record's CVEs that a block is about.
    pub(crate) fn cves_of(
        &self,
        block: &BlockView<'_>,
        record: &RecordView<'_>,
    ) -> Result<Vec<usize>, FormatError> {
        if !block.has_cves {
            return Ok((0..record.cves.len()).collect());
        }
        let mut read = self.read(block.rest);
        if block.has_versions {
            read.strings()?;
        }
        if block.has_imports {
            read.imports()?;
        }
        let all = 0..record.cves.len();
        let places = read.places()?.into_iter().map(|place| usize::try_from(place).ok());
        let places: Option<Vec<usize>> = places.collect();
        let sound = places.filter(|places| places.iter().all(|place| all.contains(place)));
        sound.ok_or(FormatError::Content)
    }

    /// The numbers of the texts of versions that a block's record names besides its bounds and lists.
    pub(crate) fn named(&self, block: &BlockView<'_>) -> Result<Vec<u64>, FormatError> {
        if !block.has_named {
            return Ok(Vec::new());
        }
        let mut read = Read { reader: block.rest, text: Ok };
        if block.has_versions {
            read.strings()?;
        }
        if block.has_imports {
            read.imports()?;
        }
        if block.has_cves {
            read.places()?;
        }
        read.named()
    }

    /// A record by its number.
    pub(crate) fn record(&self, number: u32) -> Result<RecordView<'_>, FormatError> {
        self.read(self.book.item(Section::Records, number)?).record()
    }

    /// The record that rates a CVE best, with the place of the CVE in it.
    pub(crate) fn rating_of(
        &self,
        cve: &str,
    ) -> Result<Option<(RecordView<'_>, usize)>, FormatError> {
        let Some(packed) = ids::pack(cve) else { return Ok(None) };
        let sought = packed.to_be_bytes();
        let (at, found) = self.book.find(Section::Cves, |key| key.cmp(&sought))?;
        if !found {
            return Ok(None);
        }
        let mut item = self.book.item(Section::Cves, at)?;
        item.bytes()?;
        let record = self.record(item.small()?)?;
        let place = record.cves.iter().position(|own| *own == CveView::Packed(packed));
        Ok(place.map(|place| (record, place)))
    }

    /// The records: id, and when each was last changed.
    pub(crate) fn modified(&self) -> impl Iterator<Item = Result<(&str, u64), FormatError>> {
        self.book.items(Section::Records).map(|item| {
            let mut item = item?;
            Ok((self.string(item.number()?)?, item.number()?))
        })
    }

    /// The records that were left out: id, when it was changed, and why.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = Result<(&str, u64, Why), FormatError>> {
        self.book.items(Section::Dropped).map(|item| {
            let mut item = item?;
            let (id, why) = (item.text()?, Why::read(item.byte()?)?);
            Ok((id, item.number()?, why))
        })
    }

    /// Reads everything: every name, block, record and CVE. Used where a file comes from elsewhere.
    ///
    /// # Errors
    /// Where something cannot be read.
    pub fn check(&self) -> Result<(), FormatError> {
        for number in 0..self.book.count(Section::Records) {
            let mut read = self.read(self.book.item(Section::Records, number)?);
            read.record()?;
            read.end()?;
        }
        let releases = self.releases.len();
        for number in 0..self.book.count(Section::Blocks) {
            let block = self.read(self.book.item(Section::Blocks, number)?).block()?;
            let release = usize::try_from(block.release).unwrap_or(usize::MAX);
            if block.record >= self.book.count(Section::Records) || release >= releases {
                return Err(FormatError::Content);
            }
            self.cves_of(&self.block(number)?, &self.record(block.record)?)?;
        }
        let every: Vec<u32> = (0..u32::try_from(releases).unwrap_or(u32::MAX)).collect();
        for number in 0..self.book.count(Section::Names) {
            let mut item = self.book.item(Section::Names, number)?;
            item.text()?;
            self.posted(item.small()?, &every, &mut Vec::new())?;
        }
        for number in 0..self.book.count(Section::Cves) {
            let mut item = self.book.item(Section::Cves, number)?;
            item.bytes()?;
            self.record(item.small()?)?;
        }
        self.dropped().try_for_each(|one| one.map(drop))
    }
}

/// What the start of a database's file says of it: enough to know which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) ecosystem: Ecosystem,
    /// SHA-256 of the index, as the header states it.
    pub(crate) payload: [u8; 32],
}

impl Head {
    /// Reads the start of a file; its content is not looked at.
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let failed = |reason| DatabaseError::Open { path: path.to_owned(), reason };
        let (length, start) = storage::start(path, HEAD).map_err(failed)?;
        let parsed = || {
            let header = Header::read(&start, length)?;
            let mut meta = Reader::new(start.get(HEADER..).unwrap_or_default());
            Ok(Self { ecosystem: Ecosystem::new(meta.text()?), payload: header.payload })
        };
        parsed().map_err(|reason| DatabaseError::Format { path: path.to_owned(), reason })
    }
}

/// Bytes of a file's start, in which its ecosystem is named: the header, and a part of what follows.
const HEAD: u64 = 4 << 10;
