//! Reads a database: which records concern a name in a release, and who rates a CVE best.
//!
//! In goes a file that [`crate::build`] made, out come views that borrow from it. It is read whole and
//! held against its digest, so that whatever happens to the file meanwhile changes nothing; then
//! nothing is parsed before it is asked for: a look-up is a binary search over sorted names and a few
//! varints, so that a process that matches 500 packages is done in milliseconds.
//!
//! A record is its id, marks, CVEs, aliases, rating, title, page, module stream and date. A block is
//! what one record says of one release and one set of versions; a name's posting lists its blocks by
//! release. Binaries of one source share blocks and postings.

mod folded;
pub(crate) mod naming;

use crate::format::{FormatError, Reader, Section, Sections};
use crate::ids;
use crate::intervals::{End, Interval};
use crate::names;
use crate::storage;
use folded::Folded;
use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use vocabulary::{Ecosystem, Severity};

/// Marks in records, blocks and intervals.
pub(crate) mod flags {
    pub(crate) const MALICIOUS: u8 = 1;
    pub(crate) const RATED: u8 = 1 << 1;
    pub(crate) const TITLE: u8 = 1 << 2;
    pub(crate) const MALICIOUS_TITLE: u8 = 1 << 3;
    pub(crate) const URL: u8 = 1 << 4;
    pub(crate) const STREAM: u8 = 1 << 5;

    pub(crate) const VECTOR: u8 = 1 << 7;

    /// The lowest three bits of a block hold its axis.
    pub(crate) const AXIS: u16 = 7;
    pub(crate) const SUBSCRIPTION: u16 = 1 << 3;
    pub(crate) const BLOCK_RATED: u16 = 1 << 4;
    pub(crate) const VERSIONS: u16 = 1 << 5;
    pub(crate) const SIMPLE: u16 = 1 << 6;
    /// What follows is rare, and takes a second byte.
    pub(crate) const CUSTOM: u16 = 1 << 7;
    pub(crate) const IMPORTS: u16 = 1 << 8;

    pub(crate) const OPEN: u8 = 0;
    pub(crate) const FIXED: u8 = 1;
    pub(crate) const LAST: u8 = 2;
    pub(crate) const LIMIT: u8 = 3;
    pub(crate) const STARTS: u8 = 1 << 2;
}

/// Largest file that is read; the largest real ones have some 100 MB.
const MAX_FILE: u64 = 1 << 30;

/// How many releases one ecosystem may name; Red Hat has some hundreds.
const MAX_RELEASES: usize = 1 << 16;

/// Which name of a package an entry is about, and which version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Axis {
    /// The package's own name and version.
    Name = 0,
    /// The source package's.
    Source = 1,
    /// The feed may mean either.
    Either = 2,
    /// The package's own name, the source's version.
    BinaryOfSource = 3,
    /// The source's, and only for images of the kernel.
    KernelSource = 4,
}

impl Axis {
    /// What names mean in an ecosystem's feed where it does not list binaries.
    pub(crate) fn of_ecosystem(ecosystem: &Ecosystem) -> Self {
        match ecosystem.as_str() {
            "Debian" | "Ubuntu" | "Alpine" => Self::Source,
            "AlmaLinux" | "Red Hat" => Self::Name,
            _ if ecosystem.is_distribution() => Self::Either,
            _ => Self::Name,
        }
    }

    fn read(bits: u16) -> Result<Self, FormatError> {
        Ok(match bits {
            0 => Self::Name,
            1 => Self::Source,
            2 => Self::Either,
            3 => Self::BinaryOfSource,
            4 => Self::KernelSource,
            _ => return Err(FormatError::Content),
        })
    }
}

/// A record's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Title<T> {
    None,
    /// "Malicious code in …", which the name completes.
    MaliciousCode,
    Text(T),
}

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
}

/// An opened database of one ecosystem.
#[derive(Debug)]
pub struct Database {
    bytes: Vec<u8>,
    sections: Sections,
    ecosystem: Ecosystem,
    records: u64,
    releases: Vec<String>,
    folded: OnceLock<Folded>,
}

/// How bad a record says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RatingView<'file> {
    pub(crate) level: Severity,
    /// Vector and score in tenths.
    pub(crate) vector: Option<(&'file str, u8)>,
}

/// A CVE id as it is stored; one becomes a text only where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum CveView<'file> {
    Packed(u32),
    Text(&'file str),
}

impl std::fmt::Display for CveView<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Packed(packed) => formatter.write_str(&ids::unpack(*packed)),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// A record.
#[derive(Clone, Debug)]
pub(crate) struct RecordView<'file> {
    pub(crate) id: &'file str,
    pub(crate) malicious: bool,
    pub(crate) cves: Vec<CveView<'file>>,
    pub(crate) aliases: Vec<&'file str>,
    pub(crate) rating: Option<RatingView<'file>>,
    pub(crate) title: Title<&'file str>,
    pub(crate) url: Option<&'file str>,
    pub(crate) stream: Option<&'file str>,
}

/// What a record says of versions in one release.
#[derive(Clone, Debug)]
pub(crate) struct BlockView<'file> {
    /// Place of its record.
    pub(crate) record: u32,
    pub(crate) release: u32,
    pub(crate) axis: Axis,
    pub(crate) subscription: bool,
    pub(crate) custom: bool,
    pub(crate) rating: Option<RatingView<'file>>,
    pub(crate) ranges: Ranges<'file>,
    has_versions: bool,
    has_imports: bool,
    /// What stands behind the ranges: versions, then imports.
    rest: Reader<'file>,
}

/// A package that an entry concerns, with its functions; see [`crate::osv::Import`].
#[derive(Clone, Debug, Default)]
pub(crate) struct ImportView<'file> {
    pub(crate) path: &'file str,
    pub(crate) systems: Vec<&'file str>,
    pub(crate) architectures: Vec<&'file str>,
    pub(crate) functions: Vec<&'file str>,
}

/// The intervals of a block; nearly all have one.
#[derive(Clone, Debug)]
pub(crate) enum Ranges<'file> {
    One([Interval<&'file str>; 1]),
    Many(Vec<Interval<&'file str>>),
}

impl<'file> Ranges<'file> {
    pub(crate) fn as_slice(&self) -> &[Interval<&'file str>] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

impl Database {
    /// Opens a file.
    ///
    /// # Errors
    /// Where it cannot be opened or is not a database.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let failed = |reason| DatabaseError::Open { path: path.to_owned(), reason };
        let bytes = storage::read(path, MAX_FILE).map_err(failed)?;
        let damaged = |reason| DatabaseError::Format { path: path.to_owned(), reason };
        let database = Self::read(bytes).map_err(damaged)?;
        // The header can be whole where the content is not: cut off and grown again, or torn.
        if database.sections.holds(&database.bytes) {
            Ok(database)
        } else {
            Err(damaged(FormatError::Digest))
        }
    }

    /// A database in memory.
    ///
    /// # Errors
    /// Where the bytes are not a database.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, FormatError> {
        Self::read(bytes)
    }

    fn read(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let sections = Sections::read(&bytes, bytes.len() as u64)?;
        let mut meta = Reader::new(sections.of(&bytes, Section::Meta));
        let ecosystem = Ecosystem::new(meta.text()?);
        let records = meta.number()?;
        let count = meta.count()?;
        if count > MAX_RELEASES {
            return Err(FormatError::Content);
        }
        let mut releases = Vec::with_capacity(count);
        for _ in 0..count {
            releases.push(meta.text()?.to_owned());
        }
        let folded = OnceLock::new();
        Ok(Self { bytes, sections, ecosystem, records, releases, folded })
    }

    /// The ecosystem.
    #[must_use]
    pub const fn ecosystem(&self) -> &Ecosystem {
        &self.ecosystem
    }

    /// Count of records.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Names of the releases that have advisories, sorted; one empty name where there are none.
    #[must_use]
    pub fn releases(&self) -> &[String] {
        &self.releases
    }

    /// SHA-256 of the content as the header states it.
    #[must_use]
    pub const fn payload(&self) -> [u8; 32] {
        self.sections.payload
    }

    /// The whole file.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn section(&self, section: Section) -> &[u8] {
        self.sections.of(&self.bytes, section)
    }

    fn string(&self, place: u64) -> Result<&str, FormatError> {
        let place = u32::try_from(place).map_err(|_| FormatError::Content)?;
        Reader::at(self.section(Section::Strings), place)?.text()
    }

    /// The blocks that concern a name in any of the releases (by index), in order.
    pub(crate) fn blocks(
        &self,
        name: &str,
        releases: &[u32],
    ) -> Result<Vec<(u32, BlockView<'_>)>, FormatError> {
        let name = names::canonical(self.ecosystem.as_str(), name);
        let mut found = Vec::new();
        if self.ecosystem == Ecosystem::GO {
            for posting in self.in_any_case(&name)? {
                self.posted(posting, releases, &mut found)?;
            }
        } else if let Some(posting) = self.posting(&name)? {
            self.posted(posting, releases, &mut found)?;
        }
        Ok(found)
    }

    /// The blocks of one posting.
    fn posted<'file>(
        &'file self,
        posting: u32,
        releases: &[u32],
        found: &mut Vec<(u32, BlockView<'file>)>,
    ) -> Result<(), FormatError> {
        let mut posting = Reader::at(self.section(Section::Postings), posting)?;
        for _ in 0..posting.count()? {
            let release = posting.small()?;
            let length = posting.count()?;
            let mut list = Reader::new(posting.take(length)?);
            if !releases.contains(&release) {
                continue;
            }
            let mut place = 0_u32;
            while !list.is_empty() {
                place = place.checked_add(list.small()?).ok_or(FormatError::Content)?;
                found.push((place, self.block(place, release)?));
            }
        }
        Ok(())
    }

    /// Whether an entry of these releases names a source package alone, and not its binaries.
    pub(crate) fn has_entries_by_source(&self, releases: &[u32]) -> Result<bool, FormatError> {
        for entry in self.section(Section::Names).chunks(8) {
            let mut entry = Reader::new(entry);
            let (_name, posting) = (entry.u32()?, entry.u32()?);
            let mut posting = Reader::at(self.section(Section::Postings), posting)?;
            for _ in 0..posting.count()? {
                let release = posting.small()?;
                let length = posting.count()?;
                let mut list = Reader::new(posting.take(length)?);
                let mut place = 0_u32;
                while releases.contains(&release) && !list.is_empty() {
                    place = place.checked_add(list.small()?).ok_or(FormatError::Content)?;
                    let mut block = Reader::at(self.section(Section::Blocks), place)?;
                    let _record = block.small()?;
                    let marks = u16::try_from(block.small()?).map_err(|_| FormatError::Content)?;
                    if Axis::read(marks & flags::AXIS)? == Axis::Source {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The names that advisories speak of, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = Result<&str, FormatError>> {
        self.section(Section::Names).chunks(8).map(|entry| {
            let place = Reader::new(entry).u32()?;
            self.string(u64::from(place))
        })
    }

    /// The place of a name's posting.
    fn posting(&self, name: &str) -> Result<Option<u32>, FormatError> {
        let names = self.section(Section::Names);
        search(names, |key| Ok(self.string(u64::from(key))?.cmp(name)))
    }

    fn block(&self, place: u32, release: u32) -> Result<BlockView<'_>, FormatError> {
        let mut reader = Reader::at(self.section(Section::Blocks), place)?;
        let record = reader.small()?;
        let marks = u16::try_from(reader.small()?).map_err(|_| FormatError::Content)?;
        let rating =
            if marks & flags::BLOCK_RATED != 0 { Some(self.rating(&mut reader)?) } else { None };
        let ranges = if marks & flags::SIMPLE != 0 {
            let end = End::Fixed(self.string(reader.number()?)?);
            Ranges::One([Interval { start: None, end }])
        } else {
            let count = reader.count()?;
            let mut many = Vec::with_capacity(count);
            for _ in 0..count {
                many.push(self.interval(&mut reader)?);
            }
            Ranges::Many(many)
        };
        Ok(BlockView {
            record,
            release,
            axis: Axis::read(marks & flags::AXIS)?,
            subscription: marks & flags::SUBSCRIPTION != 0,
            custom: marks & flags::CUSTOM != 0,
            rating,
            ranges,
            has_versions: marks & flags::VERSIONS != 0,
            has_imports: marks & flags::IMPORTS != 0,
            rest: reader,
        })
    }

    fn interval(&self, reader: &mut Reader<'_>) -> Result<Interval<&str>, FormatError> {
        let marks = reader.byte()?;
        let start =
            if marks & flags::STARTS != 0 { Some(self.string(reader.number()?)?) } else { None };
        let end = match marks & !flags::STARTS {
            flags::OPEN => End::Open,
            flags::FIXED => End::Fixed(self.string(reader.number()?)?),
            flags::LAST => End::Last(self.string(reader.number()?)?),
            flags::LIMIT => End::Limit(self.string(reader.number()?)?),
            _ => return Err(FormatError::Content),
        };
        Ok(Interval { start, end })
    }

    /// The versions that a block lists by name.
    pub(crate) fn versions<'file>(
        &'file self,
        block: &BlockView<'file>,
    ) -> Result<Vec<&'file str>, FormatError> {
        let mut reader = block.rest;
        if block.has_versions { self.texts(&mut reader) } else { Ok(Vec::new()) }
    }

    /// The packages with functions that a block names.
    pub(crate) fn imports<'file>(
        &'file self,
        block: &BlockView<'file>,
    ) -> Result<Vec<ImportView<'file>>, FormatError> {
        if !block.has_imports {
            return Ok(Vec::new());
        }
        let mut reader = block.rest;
        if block.has_versions {
            self.texts(&mut reader)?;
        }
        let count = reader.count()?;
        let mut imports = Vec::with_capacity(count);
        for _ in 0..count {
            imports.push(ImportView {
                path: self.string(reader.number()?)?,
                systems: self.texts(&mut reader)?,
                architectures: self.texts(&mut reader)?,
                functions: self.texts(&mut reader)?,
            });
        }
        Ok(imports)
    }

    fn texts(&self, reader: &mut Reader<'_>) -> Result<Vec<&str>, FormatError> {
        let count = reader.count()?;
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            texts.push(self.string(reader.number()?)?);
        }
        Ok(texts)
    }

    fn rating(&self, reader: &mut Reader<'_>) -> Result<RatingView<'_>, FormatError> {
        let byte = reader.byte()?;
        let level = Severity::WORST_FIRST
            .into_iter()
            .find(|level| *level as u8 == byte & !flags::VECTOR)
            .ok_or(FormatError::Content)?;
        if byte & flags::VECTOR == 0 {
            return Ok(RatingView { level, vector: None });
        }
        let tenths = reader.byte()?.min(100);
        Ok(RatingView { level, vector: Some((self.string(reader.number()?)?, tenths)) })
    }

    /// A record by its place.
    pub(crate) fn record(&self, place: u32) -> Result<RecordView<'_>, FormatError> {
        self.next_record(&mut Reader::at(self.section(Section::Records), place)?)
    }

    /// The record at a reader, which stands behind it then.
    fn next_record<'file>(
        &'file self,
        reader: &mut Reader<'file>,
    ) -> Result<RecordView<'file>, FormatError> {
        let id = self.string(reader.number()?)?;
        let marks = reader.byte()?;
        let has = |mark| marks & mark != 0;
        let count = reader.count()?;
        let mut cves = Vec::with_capacity(count);
        for _ in 0..count {
            let number = reader.number()?;
            cves.push(if number & 1 == 1 {
                CveView::Packed(u32::try_from(number >> 1).map_err(|_| FormatError::Content)?)
            } else {
                CveView::Text(self.string(number >> 1)?)
            });
        }
        let count = reader.count()?;
        let mut aliases = Vec::with_capacity(count);
        for _ in 0..count {
            aliases.push(self.string(reader.number()?)?);
        }
        let rating = if has(flags::RATED) { Some(self.rating(reader)?) } else { None };
        let title = if has(flags::TITLE) {
            Title::Text(self.string(reader.number()?)?)
        } else if has(flags::MALICIOUS_TITLE) {
            Title::MaliciousCode
        } else {
            Title::None
        };
        let mut optional = |mark| -> Result<Option<&str>, FormatError> {
            if has(mark) { self.string(reader.number()?).map(Some) } else { Ok(None) }
        };
        let (url, stream) = (optional(flags::URL)?, optional(flags::STREAM)?);
        Ok(RecordView {
            id,
            malicious: has(flags::MALICIOUS),
            cves,
            aliases,
            rating,
            title,
            url,
            stream,
        })
    }

    /// The record that rates a CVE best, and its rating.
    pub(crate) fn rating_of(
        &self,
        cve: &str,
    ) -> Result<Option<(&str, RatingView<'_>)>, FormatError> {
        let Some(packed) = ids::pack(cve) else { return Ok(None) };
        let cves = self.section(Section::Cves);
        let Some(place) = search(cves, |key| Ok(key.cmp(&packed)))? else { return Ok(None) };
        let mut reader = Reader::at(self.section(Section::Records), place)?;
        let id = self.string(reader.number()?)?;
        if reader.byte()? & flags::RATED == 0 {
            return Ok(None);
        }
        for _lists in ["cves", "aliases"] {
            for _ in 0..reader.count()? {
                reader.number()?;
            }
        }
        Ok(Some((id, self.rating(&mut reader)?)))
    }

    /// Reads everything: every name, block, record and CVE. Used where a file comes from elsewhere.
    ///
    /// # Errors
    /// Where something cannot be read.
    pub fn check(&self) -> Result<(), FormatError> {
        let releases: Vec<u32> =
            (0..u32::try_from(self.releases.len()).map_err(|_| FormatError::Content)?).collect();
        for entry in self.section(Section::Names).chunks(8) {
            let name = Reader::new(entry).u32()?;
            for (_, block) in self.blocks(self.string(u64::from(name))?, &releases)? {
                self.versions(&block)?;
                self.imports(&block)?;
                self.record(block.record)?;
            }
        }
        for entry in self.section(Section::Cves).chunks(8) {
            let mut entry = Reader::new(entry);
            entry.u32()?;
            self.record(entry.u32()?)?;
        }
        Ok(())
    }
}

/// What the start of a database's file says of it: enough to know which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) ecosystem: Ecosystem,
    /// SHA-256 of the content, as the header states it.
    pub(crate) payload: [u8; 32],
}

impl Head {
    /// Reads the start of a file; its content is not looked at.
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let failed = |reason| DatabaseError::Open { path: path.to_owned(), reason };
        let (length, start) = storage::start(path, HEAD).map_err(failed)?;
        let parsed = || {
            let sections = Sections::read(&start, length)?;
            let mut meta = Reader::new(sections.of(&start, Section::Meta));
            Ok(Self { ecosystem: Ecosystem::new(meta.text()?), payload: sections.payload })
        };
        parsed().map_err(|reason| DatabaseError::Format { path: path.to_owned(), reason })
    }
}

/// Bytes of a file's start, in which its ecosystem is named: the header, and a part of what follows.
const HEAD: u64 = 4 << 10;

/// Searches a table of pairs of four bytes, sorted by what the first stands for; gives the second.
fn search(
    table: &[u8],
    order: impl Fn(u32) -> Result<Ordering, FormatError>,
) -> Result<Option<u32>, FormatError> {
    let (mut low, mut high) = (0, table.len() / 8);
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = table.get(middle * 8..middle * 8 + 8).ok_or(FormatError::Content)?;
        let mut entry = Reader::new(entry);
        match order(entry.u32()?)? {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return entry.u32().map(Some),
        }
    }
    Ok(None)
}
