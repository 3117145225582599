//! What a database says: records, and what each says of the versions of packages.
//!
//! Each is a run of numbers and references to texts. What a text is, is up to who reads: a place in a
//! list of texts while a database is made or made anew, and the text itself where it is matched. So
//! there is one form to write and one to read, and an update that carries records over reads all that
//! was written.

use crate::format::{FormatError, Reader, put_number};
use crate::ids;
use crate::intervals::{End, Interval};
use crate::rating::Basis;
use std::marker::PhantomData;
use vocabulary::{Ecosystem, Severity};

/// Marks in records, blocks and intervals.
pub(crate) mod flags {
    pub(crate) const MALICIOUS: u8 = 1;
    pub(crate) const RATED: u8 = 1 << 1;
    pub(crate) const TITLE: u8 = 1 << 2;
    pub(crate) const MALICIOUS_TITLE: u8 = 1 << 3;
    pub(crate) const URL: u8 = 1 << 4;
    pub(crate) const STREAM: u8 = 1 << 5;
    pub(crate) const CVES_RATED: u8 = 1 << 6;

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
    pub(crate) const CVES: u16 = 1 << 9;
    pub(crate) const NAMED: u16 = 1 << 10;

    pub(crate) const OPEN: u8 = 0;
    pub(crate) const FIXED: u8 = 1;
    pub(crate) const LAST: u8 = 2;
    pub(crate) const LIMIT: u8 = 3;
    pub(crate) const STARTS: u8 = 1 << 2;
}

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

/// A CVE id as it is stored; one becomes a text only where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Cve<T> {
    Packed(u32),
    Text(T),
}

impl std::fmt::Display for Cve<&str> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Packed(packed) => formatter.write_str(&ids::unpack(*packed)),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// How bad a record says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rating<T> {
    pub(crate) level: Severity,
    /// Vector and score in tenths.
    pub(crate) vector: Option<(T, u8)>,
}

/// A record.
#[derive(Clone, Debug)]
pub(crate) struct Record<T> {
    pub(crate) id: T,
    pub(crate) malicious: bool,
    pub(crate) cves: Vec<Cve<T>>,
    pub(crate) aliases: Vec<T>,
    pub(crate) rating: Option<Rating<T>>,
    pub(crate) title: Title<T>,
    pub(crate) url: Option<T>,
    pub(crate) stream: Option<T>,
    /// What a notice says of single CVEs, by their place in `cves`, in order.
    pub(crate) cve_ratings: Vec<(u32, Rating<T>)>,
    /// When it was last changed, in seconds since 1970.
    pub(crate) modified: u64,
}

impl<T: Copy> Record<T> {
    /// What it says of one of its CVEs, by place.
    pub(crate) fn rating_of(&self, place: usize) -> Option<(Rating<T>, Basis)> {
        let own = u32::try_from(place).ok().and_then(|place| {
            let at = self.cve_ratings.binary_search_by_key(&place, |(own, _)| *own).ok()?;
            self.cve_ratings.get(at).map(|(_, own)| *own)
        });
        match (own, self.rating) {
            (own, whole) if self.cves.len() <= 1 => Some((own.or(whole)?, Basis::Alone)),
            (Some(own), _) => Some((own, Basis::Entry)),
            (None, whole) => Some((whole?, Basis::Bundle)),
        }
    }
}

impl Record<&str> {
    /// Whether it is the record of its CVE, and no notice that names it.
    pub(crate) fn is_of_its_cve(&self) -> bool {
        ids::named_cve(self.id).is_some() || self.aliases.contains(&self.id)
    }
}

/// Versions of a package that a record concerns, in one release.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Block<T> {
    pub(crate) record: u32,
    pub(crate) release: u32,
    pub(crate) axis: Axis,
    pub(crate) subscription: bool,
    pub(crate) custom: bool,
    pub(crate) rating: Option<Rating<T>>,
    pub(crate) ranges: Vec<Interval<T>>,
    pub(crate) versions: Vec<T>,
    pub(crate) imports: Vec<Import<T>>,
    /// Which of the record's CVEs it is about, in order; all where there are none.
    pub(crate) cves: Vec<u32>,
    /// Versions that the record names besides: those that a range holds anyway, and bounds that say
    /// nothing. They exist, so that they can be gone to.
    pub(crate) named: Vec<T>,
}

/// So many versions of a block are named; the longest lists that are known have some 2,500.
pub(crate) const NAMED: usize = 1 << 14;

/// A package that an entry concerns, with its functions; see [`crate::osv::Import`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Import<T> {
    pub(crate) path: T,
    pub(crate) systems: Vec<T>,
    pub(crate) architectures: Vec<T>,
    pub(crate) functions: Vec<T>,
}

/// The start of a block: all but what is long and seldom asked for.
#[derive(Clone, Debug)]
pub(crate) struct Head<T> {
    /// Place of its record.
    pub(crate) record: u32,
    pub(crate) release: u32,
    pub(crate) axis: Axis,
    pub(crate) subscription: bool,
    pub(crate) custom: bool,
    pub(crate) rating: Option<Rating<T>>,
    pub(crate) ranges: Ranges<T>,
    pub(crate) has_versions: bool,
    pub(crate) has_imports: bool,
    pub(crate) has_cves: bool,
    pub(crate) has_named: bool,
}

/// The intervals of a block; nearly all have one.
#[derive(Clone, Debug)]
pub(crate) enum Ranges<T> {
    One([Interval<T>; 1]),
    Many(Vec<Interval<T>>),
}

impl<T> Ranges<T> {
    pub(crate) fn as_slice(&self) -> &[Interval<T>] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

/// Reads a record, and with [`Read::end`] holds that this was all.
pub(crate) struct Read<'file, Text> {
    pub(crate) reader: Reader<'file>,
    /// What a reference to a text becomes.
    pub(crate) text: Text,
}

impl<T, Text: Fn(u64) -> Result<T, FormatError>> Read<'_, Text> {
    fn string(&mut self) -> Result<T, FormatError> {
        (self.text)(self.reader.number()?)
    }

    pub(crate) fn strings(&mut self) -> Result<Vec<T>, FormatError> {
        let count = self.reader.count()?;
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            texts.push(self.string()?);
        }
        Ok(texts)
    }

    /// Nothing is left: who adds a field here must write and read it.
    pub(crate) const fn end(&self) -> Result<(), FormatError> {
        if self.reader.is_empty() { Ok(()) } else { Err(FormatError::Content) }
    }

    pub(crate) fn record(&mut self) -> Result<Record<T>, FormatError> {
        let (id, modified) = (self.string()?, self.reader.number()?);
        let marks = self.reader.byte()?;
        let has = |mark| marks & mark != 0;
        let count = self.reader.count()?;
        let mut cves = Vec::with_capacity(count);
        for _ in 0..count {
            let number = self.reader.number()?;
            cves.push(if number & 1 == 1 {
                Cve::Packed(u32::try_from(number >> 1).map_err(|_| FormatError::Content)?)
            } else {
                Cve::Text((self.text)(number >> 1)?)
            });
        }
        let aliases = self.strings()?;
        let rating = if has(flags::RATED) { Some(self.rating()?) } else { None };
        let title = if has(flags::TITLE) {
            Title::Text(self.string()?)
        } else if has(flags::MALICIOUS_TITLE) {
            Title::MaliciousCode
        } else {
            Title::None
        };
        let url = if has(flags::URL) { Some(self.string()?) } else { None };
        let stream = if has(flags::STREAM) { Some(self.string()?) } else { None };
        let count = if has(flags::CVES_RATED) { self.reader.count()? } else { 0 };
        let mut cve_ratings = Vec::with_capacity(count);
        for _ in 0..count {
            cve_ratings.push((self.reader.small()?, self.rating()?));
        }
        Ok(Record {
            id,
            malicious: has(flags::MALICIOUS),
            cves,
            aliases,
            rating,
            title,
            url,
            stream,
            cve_ratings,
            modified,
        })
    }

    fn rating(&mut self) -> Result<Rating<T>, FormatError> {
        let byte = self.reader.byte()?;
        let level = Severity::WORST_FIRST
            .into_iter()
            .find(|level| *level as u8 == byte & !flags::VECTOR)
            .ok_or(FormatError::Content)?;
        if byte & flags::VECTOR == 0 {
            return Ok(Rating { level, vector: None });
        }
        let tenths = self.reader.byte()?.min(100);
        Ok(Rating { level, vector: Some((self.string()?, tenths)) })
    }

    /// The start of a block; the reader stands before its versions then.
    pub(crate) fn head(&mut self) -> Result<Head<T>, FormatError> {
        let record = self.reader.small()?;
        let release = self.reader.small()?;
        let marks = u16::try_from(self.reader.small()?).map_err(|_| FormatError::Content)?;
        let rating = if marks & flags::BLOCK_RATED != 0 { Some(self.rating()?) } else { None };
        let ranges = if marks & flags::SIMPLE != 0 {
            let end = End::Fixed(self.string()?);
            Ranges::One([Interval { start: None, end }])
        } else {
            let count = self.reader.count()?;
            let mut many = Vec::with_capacity(count);
            for _ in 0..count {
                many.push(self.interval()?);
            }
            Ranges::Many(many)
        };
        Ok(Head {
            record,
            release,
            axis: Axis::read(marks & flags::AXIS)?,
            subscription: marks & flags::SUBSCRIPTION != 0,
            custom: marks & flags::CUSTOM != 0,
            rating,
            ranges,
            has_versions: marks & flags::VERSIONS != 0,
            has_imports: marks & flags::IMPORTS != 0,
            has_cves: marks & flags::CVES != 0,
            has_named: marks & flags::NAMED != 0,
        })
    }

    fn interval(&mut self) -> Result<Interval<T>, FormatError> {
        let marks = self.reader.byte()?;
        let start = if marks & flags::STARTS != 0 { Some(self.string()?) } else { None };
        let end = match marks & !flags::STARTS {
            flags::OPEN => End::Open,
            flags::FIXED => End::Fixed(self.string()?),
            flags::LAST => End::Last(self.string()?),
            flags::LIMIT => End::Limit(self.string()?),
            _ => return Err(FormatError::Content),
        };
        Ok(Interval { start, end })
    }

    pub(crate) fn imports(&mut self) -> Result<Vec<Import<T>>, FormatError> {
        let count = self.reader.count()?;
        let mut imports = Vec::with_capacity(count);
        for _ in 0..count {
            imports.push(Import {
                path: self.string()?,
                systems: self.strings()?,
                architectures: self.strings()?,
                functions: self.strings()?,
            });
        }
        Ok(imports)
    }

    /// Places of CVEs.
    pub(crate) fn places(&mut self) -> Result<Vec<u32>, FormatError> {
        let count = self.reader.count()?;
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            places.push(self.reader.small()?);
        }
        Ok(places)
    }

    /// Versions, as runs of texts whose numbers follow each other: records of one package name the same
    /// ones, which stand side by side since the first of them was written.
    pub(crate) fn named(&mut self) -> Result<Vec<T>, FormatError> {
        let mut named = Vec::new();
        for _ in 0..self.reader.count()? {
            let (first, length) = (self.reader.number()?, self.reader.number()?);
            let end = first.checked_add(length).ok_or(FormatError::Content)?;
            let left = NAMED.saturating_sub(named.len());
            if length == 0 || usize::try_from(length).map_or(true, |length| length > left) {
                return Err(FormatError::Content);
            }
            for number in first..end {
                named.push((self.text)(number)?);
            }
        }
        Ok(named)
    }

    /// A whole block.
    pub(crate) fn block(&mut self) -> Result<Block<T>, FormatError> {
        let head = self.head()?;
        let versions = if head.has_versions { self.strings()? } else { Vec::new() };
        let imports = if head.has_imports { self.imports()? } else { Vec::new() };
        let cves = if head.has_cves { self.places()? } else { Vec::new() };
        let named = if head.has_named { self.named()? } else { Vec::new() };
        let Head { record, release, axis, subscription, custom, rating, .. } = head;
        let ranges = match head.ranges {
            Ranges::One(one) => one.into(),
            Ranges::Many(many) => many,
        };
        let block = Block {
            record,
            release,
            axis,
            subscription,
            custom,
            rating,
            ranges,
            versions,
            imports,
            cves,
            named,
        };
        self.end()?;
        Ok(block)
    }
}

/// Writes records and blocks.
pub(crate) struct Writer<'to, T, Place> {
    target: &'to mut Vec<u8>,
    /// The reference to a text.
    place: Place,
    texts: PhantomData<T>,
}

impl<'to, T: Copy, Place: FnMut(T) -> u64> Writer<'to, T, Place> {
    pub(crate) const fn new(target: &'to mut Vec<u8>, place: Place) -> Self {
        Self { target, place, texts: PhantomData }
    }

    fn string(&mut self, id: T) {
        let place = (self.place)(id);
        put_number(self.target, place);
    }

    fn number(&mut self, number: u64) {
        put_number(self.target, number);
    }

    pub(crate) fn record(&mut self, record: &Record<T>) {
        // First what an update asks of all records.
        self.string(record.id);
        self.number(record.modified);
        let mut marks = 0;
        for (mark, set) in [
            (flags::MALICIOUS, record.malicious),
            (flags::RATED, record.rating.is_some()),
            (flags::TITLE, matches!(record.title, Title::Text(_))),
            (flags::MALICIOUS_TITLE, matches!(record.title, Title::MaliciousCode)),
            (flags::URL, record.url.is_some()),
            (flags::STREAM, record.stream.is_some()),
            (flags::CVES_RATED, !record.cve_ratings.is_empty()),
        ] {
            marks |= if set { mark } else { 0 };
        }
        self.target.push(marks);
        self.number(record.cves.len() as u64);
        for cve in &record.cves {
            let number = match cve {
                Cve::Packed(packed) => u64::from(*packed) << 1 | 1,
                Cve::Text(id) => (self.place)(*id) << 1,
            };
            self.number(number);
        }
        self.list(&record.aliases);
        if let Some(rating) = &record.rating {
            self.rating(rating);
        }
        if let Title::Text(id) = record.title {
            self.string(id);
        }
        for id in record.url.iter().chain(&record.stream) {
            self.string(*id);
        }
        if !record.cve_ratings.is_empty() {
            self.number(record.cve_ratings.len() as u64);
            for (place, rating) in &record.cve_ratings {
                self.number(u64::from(*place));
                self.rating(rating);
            }
        }
    }

    /// Level, with the high bit where a vector follows with its score.
    fn rating(&mut self, rating: &Rating<T>) {
        let level = rating.level as u8;
        match rating.vector {
            None => self.target.push(level),
            Some((vector, tenths)) => {
                self.target.extend_from_slice(&[level | flags::VECTOR, tenths]);
                self.string(vector);
            }
        }
    }

    pub(crate) fn block(&mut self, block: &Block<T>) {
        self.number(u64::from(block.record));
        self.number(u64::from(block.release));
        let simple = match block.ranges.as_slice() {
            [Interval { start: None, end: End::Fixed(end) }] => Some(*end),
            _ => None,
        };
        let mut marks = u16::from(block.axis as u8);
        for (mark, set) in [
            (flags::SUBSCRIPTION, block.subscription),
            (flags::BLOCK_RATED, block.rating.is_some()),
            (flags::VERSIONS, !block.versions.is_empty()),
            (flags::SIMPLE, simple.is_some()),
            (flags::CUSTOM, block.custom),
            (flags::IMPORTS, !block.imports.is_empty()),
            (flags::CVES, !block.cves.is_empty()),
            (flags::NAMED, !block.named.is_empty()),
        ] {
            marks |= if set { mark } else { 0 };
        }
        self.number(u64::from(marks));
        if let Some(rating) = &block.rating {
            self.rating(rating);
        }
        match simple {
            Some(end) => self.string(end),
            None => {
                self.number(block.ranges.len() as u64);
                for interval in &block.ranges {
                    self.interval(interval);
                }
            }
        }
        if !block.versions.is_empty() {
            self.list(&block.versions);
        }
        if !block.imports.is_empty() {
            self.number(block.imports.len() as u64);
            for import in &block.imports {
                self.string(import.path);
                self.list(&import.systems);
                self.list(&import.architectures);
                self.list(&import.functions);
            }
        }
        if !block.cves.is_empty() {
            self.number(block.cves.len() as u64);
            for place in &block.cves {
                self.number(u64::from(*place));
            }
        }
        if !block.named.is_empty() {
            self.named(&block.named);
        }
    }

    fn named(&mut self, texts: &[T]) {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for text in texts {
            let place = (self.place)(*text);
            match runs.last_mut() {
                Some((first, length)) if *first + *length == place => *length += 1,
                _ => runs.push((place, 1)),
            }
        }
        self.number(runs.len() as u64);
        for (first, length) in runs {
            self.number(first);
            self.number(length);
        }
    }

    fn list(&mut self, texts: &[T]) {
        self.number(texts.len() as u64);
        for text in texts {
            self.string(*text);
        }
    }

    fn interval(&mut self, interval: &Interval<T>) {
        let (kind, end) = match interval.end {
            End::Open => (flags::OPEN, None),
            End::Fixed(end) => (flags::FIXED, Some(end)),
            End::Last(end) => (flags::LAST, Some(end)),
            End::Limit(end) => (flags::LIMIT, Some(end)),
        };
        self.target.push(kind | if interval.start.is_some() { flags::STARTS } else { 0 });
        for id in interval.start.into_iter().chain(end) {
            self.string(id);
        }
    }
}
