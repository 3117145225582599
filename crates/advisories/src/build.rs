//! Makes the database of one ecosystem out of advisory records.
//!
//! In go records in the order of their file names, out come the bytes of a database, the same for
//! the same records. What never matches is dropped here (withdrawn records, notices of bug fixes,
//! informational records, entries of other ecosystems), so that matching reads nothing in vain. Listed
//! versions that a range holds anyway stand apart, as what can be gone to. Layout: [`crate::format`] and [`crate::database`].

mod carried;
mod cves;
mod held;
mod meant;
mod postings;
mod section;
mod strings;
mod versions;
mod write;

use crate::database::{Axis, Title};
use crate::dropped::Why;
use crate::entry::{self, Read, Writer};
use crate::format::{FormatError, Reader};
use crate::ids;
use crate::intervals::{End, Interval, intervals};
use crate::moment::{time, time_of};
use crate::names;
use crate::osv::{Affected, Import, Record, Text};
use crate::rating::{self, Rated};
use crate::title;
use cves::Cves;
use foldhash::HashMap;
use std::ops::Range;
use strings::{Interner, StringId};
use version::Scheme;
use vocabulary::Ecosystem;

pub use write::Built;

/// Longest name, version or id that is kept. npm allows 214 characters, purls about as many.
const MAX_TEXT: usize = 1024;
/// How many packages and functions of one entry are kept; of more, none, so that nothing is taken
/// for absent.
const MAX_IMPORTS: usize = 512;
const MAX_FUNCTIONS: usize = 8192;
/// Longest page address that is kept.
const MAX_URL: usize = 400;

type RecordDraft = entry::Record<StringId>;
type CveDraft = entry::Cve<StringId>;
type RatingDraft = entry::Rating<StringId>;
type BlockDraft = entry::Block<StringId>;
type ImportDraft = entry::Import<StringId>;

/// A record that was read.
#[derive(Debug)]
struct Entry {
    id: StringId,
    modified: u64,
    /// Why there is nothing of it but its id.
    dropped: Option<Why>,
    /// Where its bytes are.
    record: Range<usize>,
    /// The numbers of its blocks.
    blocks: Range<u32>,
}

/// Collects records.
#[derive(Debug)]
pub struct Builder {
    ecosystem: Ecosystem,
    scheme: Option<Scheme>,
    strings: Interner,
    releases: HashMap<String, u32>,
    entries: Vec<Entry>,
    /// Records and blocks as they will be written, with texts by their id here.
    bytes: Vec<u8>,
    blocks: Vec<Range<usize>>,
    block_releases: Vec<u32>,
    /// Which names a block concerns.
    posts: Vec<(StringId, u32)>,
    seen: HashMap<BlockDraft, u32>,
    /// Documents that are no records and have no name.
    nameless: u64,
    overflow: bool,
    /// In microseconds since 1970, by which it counts what is withdrawn.
    now: u64,
}

impl Builder {
    /// A builder for one ecosystem.
    #[must_use]
    pub fn new(ecosystem: Ecosystem) -> Self {
        Self {
            scheme: Scheme::of_ecosystem(ecosystem.as_str()),
            ecosystem,
            strings: Interner::default(),
            releases: HashMap::default(),
            entries: Vec::new(),
            bytes: Vec::new(),
            blocks: Vec::new(),
            block_releases: Vec::new(),
            posts: Vec::new(),
            seen: HashMap::default(),
            nameless: 0,
            overflow: false,
            now: u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0),
        }
    }

    /// Remembers a document that is no record, by the id that it should be of, and when the source says
    /// that it was changed.
    pub fn skip_malformed(&mut self, id: &str, modified: u64) {
        if id.is_empty() || id.len() > MAX_TEXT {
            self.nameless += 1;
        } else {
            self.leave_out(id, modified, Why::Malformed);
        }
    }

    fn leave_out(&mut self, id: &str, modified: u64, why: Why) {
        let (id, at) = (self.strings.intern(id), self.bytes.len());
        let entry = Entry { id, modified, dropped: Some(why), record: at..at, blocks: 0..0 };
        self.entries.push(entry);
    }

    /// Adds a record.
    pub fn add(&mut self, record: &Record<'_>) {
        let modified = time_of(record.modified.as_str());
        if record.id().len() > MAX_TEXT {
            // No real id is as long: it cannot be told from others by its start.
            self.nameless += 1;
            return;
        }
        if self.is_withdrawn(record) {
            return self.leave_out(record.id(), modified, Why::Withdrawn);
        }
        if is_no_security_notice(record.id()) {
            return self.leave_out(record.id(), modified, Why::NoVulnerability);
        }
        let (blocks_before, mut informational) = (self.blocks.len(), false);
        self.seen.clear();
        let malicious = record.id().starts_with("MAL-");
        let ids = meant::of(record, &self.ecosystem);
        let own = record.entries();
        let claimed = cves::claimed(record, &self.ecosystem);
        let cves = Cves::new(ids.cves, &own, &claimed);
        for (affected, claimed) in record.affected.iter().zip(&claimed) {
            let (ecosystem, release) = ecosystem_of(affected);
            if ecosystem != self.ecosystem.as_str() {
                continue;
            }
            if !malicious && is_informational(affected) {
                informational = true;
                continue;
            }
            // Which record a block is of is known when all are sorted.
            self.add_affected(0, release, affected, cves.of(claimed));
        }
        if self.blocks.len() > blocks_before {
            let entries = own.iter().chain(claimed.iter().flatten());
            let mut draft = self.draft(record, malicious, (&cves.all, ids.aliases));
            for (place, rated) in cves.ratings(entries) {
                let rating = self.rating(&rated);
                draft.cve_ratings.push((place, rating));
            }
            self.keep(&draft, blocks_before);
        } else if informational {
            self.leave_out(record.id(), modified, Why::NoVulnerability);
        } else {
            self.leave_out(record.id(), modified, Why::NothingToMatch);
        }
    }

    /// Whether it counts no more. The date is when it is withdrawn: one that is to come counts for
    /// nothing yet, one that is no date counts at once. Source: OSV schema, `withdrawn`.
    fn is_withdrawn(&self, record: &Record<'_>) -> bool {
        let date = record.withdrawn.0.as_ref();
        date.is_some_and(|date| time(date).is_none_or(|time| time <= self.now))
    }

    fn keep(&mut self, draft: &RecordDraft, blocks_before: usize) {
        let start = self.bytes.len();
        let place = |id: StringId| u64::from(id.0);
        Writer::new(&mut self.bytes, place).record(draft);
        let blocks = u32::try_from(blocks_before).and_then(|first| {
            let end = u32::try_from(self.blocks.len())?;
            Ok(first..end)
        });
        self.entries.push(Entry {
            id: draft.id,
            modified: draft.modified,
            dropped: None,
            record: start..self.bytes.len(),
            blocks: blocks.unwrap_or(0..0),
        });
    }

    /// A block, with texts by their id here.
    fn block(&self, number: u32) -> Result<entry::Block<u32>, FormatError> {
        let at = usize::try_from(number).map_err(|_| FormatError::TooLarge)?;
        let range = self.blocks.get(at).cloned().ok_or(FormatError::TooLarge)?;
        let reader = Reader::new(self.bytes.get(range).unwrap_or_default());
        Read { reader, text: carried::text }.block()
    }

    fn release_name(&self, number: u32) -> &str {
        let mut names = self.releases.iter().filter(|(_, known)| **known == number);
        names.next().map_or("", |(name, _)| name)
    }

    fn draft(
        &mut self,
        record: &Record<'_>,
        malicious: bool,
        (cves, aliases): (&[&str], Vec<&str>),
    ) -> RecordDraft {
        let rating = self.rating_of(record).map(|rated| self.rating(&rated));
        let url = if ids::page(record.id()).is_some() { None } else { page_of(record) };
        let stream = self.stream_of(record).map(|stream| self.strings.intern(stream));
        // An entry of a notice may name several where the record names none or one.
        let aliases = if cves.len() > 1 { Vec::new() } else { aliases };
        RecordDraft {
            id: self.strings.intern(record.id()),
            malicious,
            cves: cves
                .iter()
                .map(|cve| match ids::pack(cve) {
                    Some(packed) => CveDraft::Packed(packed),
                    None => CveDraft::Text(self.strings.intern(cve)),
                })
                .collect(),
            cve_ratings: Vec::new(),
            aliases: aliases.iter().map(|alias| self.strings.intern(alias)).collect(),
            rating,
            title: self.title_of(record),
            url: url.map(|url| self.strings.intern(url)),
            stream,
            // What is to be withdrawn one day is asked for again until that day.
            modified: match record.withdrawn.0 {
                Some(_) => 0,
                None => time_of(record.modified.as_str()),
            },
        }
    }

    /// The rating of a record as a whole; where it has none with a vector, and is of no distribution
    /// (which rates each of its packages by how it is built there), the one that says most of those of
    /// its packages.
    fn rating_of<'doc>(&self, record: &'doc Record<'_>) -> Option<Rated<'doc>> {
        let own = rating::of_record(record);
        if self.ecosystem.is_distribution() || own.is_some_and(|rated| rated.vector.is_some()) {
            return own;
        }
        let of_packages = record
            .affected
            .iter()
            .filter(|affected| ecosystem_of(affected).0 == self.ecosystem.as_str())
            .filter_map(rating::of_affected);
        own.into_iter().chain(of_packages).max_by_key(Rated::weight)
    }

    fn rating(&mut self, rated: &Rated<'_>) -> RatingDraft {
        RatingDraft {
            level: rated.level,
            vector: rated.vector.map(|(vector, tenths)| (self.strings.intern(vector), tenths)),
        }
    }

    fn title_of(&mut self, record: &Record<'_>) -> Title<StringId> {
        let Some(line) = title::of(record.summary.as_str(), record.details.as_str()) else {
            return Title::None;
        };
        // Two records in five are titled by this pattern.
        let plain = record.affected.first().is_some_and(|affected| {
            line.strip_prefix("Malicious code in ")
                .and_then(|rest| rest.strip_prefix(affected.package.name.as_str()))
                .and_then(|rest| rest.strip_prefix(" ("))
                .and_then(|rest| rest.strip_suffix(')'))
                .is_some_and(|rest| rest == self.ecosystem.as_str())
        });
        if plain {
            return Title::MaliciousCode;
        }
        Title::Text(self.strings.intern(&line))
    }

    /// The module stream that an rpm notice is about, such as `nodejs:18`: it stands in the summary
    /// (`Important: nodejs:18 security update`), and counts only where versions are modular.
    fn stream_of<'doc>(&self, record: &'doc Record<'_>) -> Option<&'doc str> {
        let modular = self.scheme == Some(Scheme::Rpm)
            && record.affected.iter().flat_map(|affected| &affected.ranges).any(|range| {
                range.events.iter().any(|event| crate::modules::is_modular(event.fixed.as_str()))
            });
        let summary = record.summary.as_str();
        let text = summary.split_once(": ").map_or(summary, |(_, rest)| rest);
        let word = text.split_whitespace().find(|word| {
            word.split_once(':')
                .is_some_and(|(name, stream)| !name.is_empty() && !stream.is_empty())
        });
        word.filter(|_| modular)
    }

    fn add_affected(
        &mut self,
        record: u32,
        release: &str,
        affected: &Affected<'_>,
        cves: Vec<u32>,
    ) {
        let written = affected.package.name.as_str();
        if written.is_empty() || written.len() > MAX_TEXT {
            return;
        }
        let mut ranges: Vec<Interval<&str>> = affected
            .ranges
            .iter()
            .filter(|range| range.kind.as_str() != "GIT")
            .flat_map(|range| intervals(range, self.scheme))
            .filter(is_bounded)
            .collect();
        let custom = self.replace_by_custom(affected, &mut ranges);
        let versions = self.versions(affected, &ranges);
        if ranges.is_empty() && versions.is_empty() {
            return;
        }
        let named = self.named(affected, &ranges, &versions);
        let extra = &affected.ecosystem_specific;
        let paid = release.starts_with("Pro:")
            || (!extra.availability.as_str().is_empty()
                && !extra.availability.as_str().starts_with("No subscription"));
        let block = BlockDraft {
            record,
            release: self.release(release),
            axis: Axis::of_ecosystem(&self.ecosystem),
            subscription: paid,
            custom,
            rating: rating::of_affected(affected).map(|rated| self.rating(&rated)),
            ranges: ranges.iter().map(|interval| self.interval(interval)).collect(),
            versions,
            imports: self.imports(&extra.imports),
            cves,
            named,
        };
        let binaries = &affected.ecosystem_specific.binaries.0;
        if self.ecosystem.is_distribution() && !binaries.is_empty() {
            self.add_binaries(&block, &ranges, affected);
        } else {
            let subscription = paid || ranges.iter().any(|range| is_for_subscribers(&range.end));
            let name = names::canonical(self.ecosystem.as_str(), written).into_owned();
            self.post(&name, BlockDraft { subscription, ..block });
        }
    }

    /// Binary packages, each with the version that mends it where the record mends at one version;
    /// else the binary's name stands for the source's versions.
    fn add_binaries(
        &mut self,
        block: &BlockDraft,
        ranges: &[Interval<&str>],
        affected: &Affected<'_>,
    ) {
        let by_version = match ranges {
            [Interval { start, end: End::Fixed(_) }] if block.versions.is_empty() => Some(*start),
            _ => None,
        };
        let mut kernel = false;
        for (name, version) in &affected.ecosystem_specific.binaries.0 {
            if name.is_empty() || name.len() > MAX_TEXT || version.len() > MAX_TEXT {
                continue;
            }
            kernel |= crate::kernel::is_image(name);
            let draft = match by_version {
                Some(start) if !version.is_empty() => BlockDraft {
                    axis: Axis::Name,
                    subscription: block.subscription || is_esm(version),
                    ranges: vec![self.interval(&Interval { start, end: End::Fixed(version) })],
                    ..block.clone()
                },
                _ => BlockDraft {
                    axis: Axis::BinaryOfSource,
                    subscription: block.subscription
                        || ranges.iter().any(|range| is_for_subscribers(&range.end)),
                    ..block.clone()
                },
            };
            self.post(name, draft);
        }
        if kernel {
            // Names of kernel images hold the very build, so an older build is not in the list.
            let subscription =
                block.subscription || ranges.iter().any(|range| is_for_subscribers(&range.end));
            let draft = BlockDraft { axis: Axis::KernelSource, subscription, ..block.clone() };
            self.post(affected.package.name.as_str(), draft);
        }
    }

    /// Go: where the range is "all versions" because its bounds do not follow the order of modules,
    /// the bounds stand apart.
    fn replace_by_custom<'doc>(
        &self,
        affected: &'doc Affected<'_>,
        ranges: &mut Vec<Interval<&'doc str>>,
    ) -> bool {
        let all = matches!(ranges.as_slice(), [Interval { start: None, end: End::Open }]);
        if !all || self.scheme != Some(Scheme::Go) {
            return false;
        }
        let custom: Vec<_> = affected
            .ecosystem_specific
            .custom_ranges
            .iter()
            .flat_map(|range| intervals(range, self.scheme))
            .filter(is_bounded)
            .collect();
        // Bounds that are no versions (`RELEASE.2024-06-06`) leave the range for all versions.
        let is_version = |text: &str| Scheme::Go.check(text).is_ok();
        let found = !custom.is_empty()
            && custom.iter().all(|interval| {
                interval.start.is_none_or(is_version)
                    && match interval.end {
                        End::Open => true,
                        End::Fixed(end) | End::Last(end) | End::Limit(end) => is_version(end),
                    }
            });
        if found {
            *ranges = custom;
        }
        found
    }

    /// Go: the packages with their functions; none where one is not named, or there are too many.
    fn imports(&mut self, imports: &[Import<'_>]) -> Vec<ImportDraft> {
        let count: usize = imports.iter().map(|import| import.symbols.len()).sum();
        let is_sound = |text: &Text<'_>| (1..=MAX_TEXT).contains(&text.as_str().len());
        let all_sound = imports.iter().all(|import| {
            let Import { path, goos, goarch, symbols } = import;
            [path].into_iter().chain(goos).chain(goarch).chain(symbols).all(is_sound)
        });
        let known = self.ecosystem == Ecosystem::GO && all_sound;
        if !known || imports.len() > MAX_IMPORTS || count > MAX_FUNCTIONS {
            return Vec::new();
        }
        let mut intern = |texts: &[Text<'_>]| -> Vec<StringId> {
            texts.iter().map(|text| self.strings.intern(text.as_str())).collect()
        };
        imports
            .iter()
            .filter_map(|import| {
                Some(ImportDraft {
                    path: intern(std::slice::from_ref(&import.path)).pop()?,
                    systems: intern(&import.goos),
                    architectures: intern(&import.goarch),
                    functions: intern(&import.symbols),
                })
            })
            .collect()
    }

    fn interval(&mut self, interval: &Interval<&str>) -> Interval<StringId> {
        Interval {
            start: interval.start.map(|text| self.strings.intern(text)),
            end: match interval.end {
                End::Open => End::Open,
                End::Fixed(text) => End::Fixed(self.strings.intern(text)),
                End::Last(text) => End::Last(self.strings.intern(text)),
                End::Limit(text) => End::Limit(self.strings.intern(text)),
            },
        }
    }

    fn release(&mut self, release: &str) -> u32 {
        if let Some(known) = self.releases.get(release) {
            return *known;
        }
        let next = u32::try_from(self.releases.len()).unwrap_or(u32::MAX);
        self.releases.insert(release.to_owned(), next);
        next
    }

    fn post(&mut self, name: &str, block: BlockDraft) {
        let index = match self.seen.get(&block) {
            Some(index) => *index,
            None => {
                let Ok(index) = u32::try_from(self.blocks.len()) else {
                    self.overflow = true;
                    return;
                };
                let start = self.bytes.len();
                let place = |id: StringId| u64::from(id.0);
                Writer::new(&mut self.bytes, place).block(&block);
                self.blocks.push(start..self.bytes.len());
                self.block_releases.push(block.release);
                self.seen.insert(block, index);
                index
            }
        };
        let name = self.strings.intern(name);
        self.posts.push((name, index));
    }
}

/// Ecosystem and release of an affected package.
fn ecosystem_of<'doc>(affected: &'doc Affected<'_>) -> (&'doc str, &'doc str) {
    let name = affected.package.ecosystem.as_str();
    name.split_once(':').unwrap_or((name, ""))
}

/// Bug-fix and enhancement notices of AlmaLinux, Rocky, Red Hat and Oracle.
fn is_no_security_notice(id: &str) -> bool {
    ["ALBA-", "ALEA-", "RLBA-", "RLEA-", "RHBA-", "RHEA-", "ELBA-", "ELEA-"]
        .iter()
        .any(|prefix| id.starts_with(prefix))
}

fn is_informational(affected: &Affected<'_>) -> bool {
    affected.database_specific.informational.0.is_some()
        || affected.ecosystem_specific.informational.0.is_some()
}

fn is_bounded(interval: &Interval<&str>) -> bool {
    let end = match interval.end {
        End::Open => "",
        End::Fixed(text) | End::Last(text) | End::Limit(text) => text,
    };
    interval.start.unwrap_or_default().len() <= MAX_TEXT && end.len() <= MAX_TEXT
}

/// Ubuntu marks what only subscribers get: `1.2-3ubuntu0.1~esm1`, `+esm1`.
fn is_esm(version: &str) -> bool {
    version.contains("~esm") || version.contains("+esm")
}

fn is_for_subscribers(end: &End<&str>) -> bool {
    matches!(end, End::Fixed(version) if is_esm(version))
}

/// The address of a record whose id does not tell it.
fn page_of<'doc>(record: &'doc Record<'_>) -> Option<&'doc str> {
    let usable = |url: &str| {
        url.len() <= MAX_URL && (url.starts_with("https://") || url.starts_with("http://"))
    };
    let best = record.references.iter().filter(|page| usable(page.url.as_str()));
    best.min_by_key(|page| page.kind.as_str() != "ADVISORY").map(|page| page.url.as_str())
}
