//! The file of a risk feed: sorted entries of one width, found by binary search.
//!
//! ```text
//! `LZRISK01`, kind u8, width u8, 6 zero bytes, date (16 bytes, padded with zeros), count u64,
//! SHA-256 of what follows
//! for each entry: year u16, number u32, and what the feed says, `width` bytes in all
//! ```
//! Numbers are little-endian, but year and number big-endian, so that bytes sort like CVEs.

use super::{RiskFeed, epss};
use crate::manifest::{self, Manifest};
use crate::paths;
use crate::storage;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vocabulary::{DatabaseInfo, Digest, Epss, Exploited};

const MAGIC: &[u8; 8] = b"LZRISK01";
const DATE: usize = 16;
const HEADER: usize = 8 + 8 + DATE + 8 + 32;
/// Bytes of a CVE.
const KEY: usize = 6;
/// Most entries: all CVEs that there are, many times over.
const MAX_ENTRIES: usize = 5_000_000;
/// Largest file that is read.
const MAX_FILE: u64 = 128 << 20;

/// Why a feed or its file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RiskError {
    /// It is larger than any real one.
    #[error("it is larger than 256 MiB, or names more than {MAX_ENTRIES} vulnerabilities")]
    TooLarge,
    /// It is not of its form.
    #[error("it is not of the form that is published: {0}")]
    Shape(String),
    /// It names no CVE.
    #[error("it names no vulnerability; is it the right file?")]
    Empty,
    /// Its file is damaged.
    #[error("its file is damaged; run `lazaret db update`")]
    Damaged,
}

/// A CVE in the order of years and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cve([u8; KEY]);

impl Cve {
    /// `CVE-YYYY-NNNN…`
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.trim();
        let rest = rest.strip_prefix("CVE-").or_else(|| rest.strip_prefix("cve-"))?;
        let (year, number) = rest.split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || !digits(year) || !digits(number) {
            return None;
        }
        let [a, b] = year.parse::<u16>().ok()?.to_be_bytes();
        let [c, d, e, f] = number.parse::<u32>().ok()?.to_be_bytes();
        Some(Self([a, b, c, d, e, f]))
    }
}

/// Gathers entries; of a CVE that stands twice the first counts.
pub(crate) struct TableBuilder {
    feed: RiskFeed,
    date: String,
    entries: BTreeMap<Cve, Vec<u8>>,
}

impl TableBuilder {
    pub(super) fn new(feed: RiskFeed, date: &str) -> Self {
        let sound = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        Self {
            feed,
            date: if sound && date.len() <= DATE { date.to_owned() } else { String::new() },
            entries: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, cve: Cve, value: &[u8]) -> Result<(), RiskError> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(RiskError::TooLarge);
        }
        self.entries.entry(cve).or_insert_with(|| value.to_vec());
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, RiskError> {
        if self.entries.is_empty() {
            return Err(RiskError::Empty);
        }
        let width = width(self.feed);
        let mut body = Vec::with_capacity(self.entries.len() * usize::from(width));
        for (cve, value) in &self.entries {
            body.extend_from_slice(&cve.0);
            body.extend_from_slice(value);
        }
        let mut file = Vec::with_capacity(HEADER + body.len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&[kind(self.feed), width, 0, 0, 0, 0, 0, 0]);
        let mut date = self.date.into_bytes();
        date.resize(DATE, 0);
        file.extend_from_slice(&date);
        file.extend_from_slice(&(self.entries.len() as u64).to_le_bytes());
        file.extend_from_slice(&sha256(&body));
        file.extend_from_slice(&body);
        Ok(file)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

const fn kind(feed: RiskFeed) -> u8 {
    match feed {
        RiskFeed::Kev => 1,
        RiskFeed::Epss => 2,
    }
}

const fn width(feed: RiskFeed) -> u8 {
    match feed {
        RiskFeed::Kev => 15,
        RiskFeed::Epss => 12,
    }
}

/// A checked file.
#[derive(Debug)]
pub(crate) struct Table<'bytes> {
    date: String,
    width: usize,
    body: &'bytes [u8],
    content: [u8; 32],
}

impl<'bytes> Table<'bytes> {
    /// Holds the bytes against their header, and their digest.
    pub(crate) fn parse(feed: RiskFeed, bytes: &'bytes [u8]) -> Result<Self, RiskError> {
        let table = Self::shaped(feed, bytes)?;
        if sha256(table.body) == table.content { Ok(table) } else { Err(RiskError::Damaged) }
    }

    /// Holds the bytes against the shape that the header states; the digest was looked at before.
    fn shaped(feed: RiskFeed, bytes: &'bytes [u8]) -> Result<Self, RiskError> {
        let parsed = || {
            let (magic, rest) = bytes.split_first_chunk::<8>()?;
            let (marks, rest) = rest.split_first_chunk::<8>()?;
            let (date, rest) = rest.split_first_chunk::<DATE>()?;
            let (count, rest) = rest.split_first_chunk::<8>()?;
            let (content, body) = rest.split_first_chunk::<32>()?;
            let [kind_found, width_found, ..] = *marks;
            let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
            let width = usize::from(width(feed));
            let sound = magic == MAGIC
                && kind_found == kind(feed)
                && usize::from(width_found) == width
                && count <= MAX_ENTRIES
                && count.checked_mul(width)? == body.len();
            let date = std::str::from_utf8(date).ok()?.trim_end_matches('\0').to_owned();
            sound.then_some(Self { date, width, body, content: *content })
        };
        parsed().ok_or(RiskError::Damaged)
    }

    pub(crate) fn content(&self) -> Digest {
        Digest::sha256(self.content)
    }

    pub(crate) fn records(&self) -> u64 {
        (self.body.len() / self.width) as u64
    }

    /// What the feed says of a CVE.
    fn find(&self, cve: Cve) -> Option<&'bytes [u8]> {
        let (mut low, mut high) = (0, self.body.len() / self.width);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.body.get(middle * self.width..(middle + 1) * self.width)?;
            let (key, value) = entry.split_at_checked(KEY)?;
            match key.cmp(&cve.0) {
                std::cmp::Ordering::Equal => return Some(value),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// The file of a feed.
pub(crate) fn path(folder: &Path, feed: RiskFeed) -> PathBuf {
    let name = feed.name().as_str().to_ascii_lowercase();
    paths::version_folder(folder).join(format!("{name}.lzrisk"))
}

/// The manifest of a feed, if it is there.
pub(crate) fn manifest(folder: &Path, feed: RiskFeed) -> Option<Manifest> {
    let manifest = Manifest::read(&paths::manifest_path(folder, &feed.name())?)?;
    (manifest.ecosystem == feed.name()).then_some(manifest)
}

/// The bytes of a feed's file with the manifest that speaks of them.
pub(crate) fn load(folder: &Path, feed: RiskFeed) -> Option<(Manifest, Vec<u8>)> {
    (0..=manifest::TURNS).find_map(|_| {
        let bytes = storage::read(&path(folder, feed), MAX_FILE).ok()?;
        let content = Table::parse(feed, &bytes).ok()?.content();
        let manifest = Manifest::search(folder, &feed.name(), &content).ok().flatten()?;
        Some((manifest, bytes))
    })
}

/// Both feeds, as far as they are there.
#[derive(Debug, Default)]
pub struct Risks {
    kev: Option<Vec<u8>>,
    epss: Option<Vec<u8>>,
    infos: Vec<DatabaseInfo>,
}

impl Risks {
    /// Opens what a folder has. A file that is damaged counts as missing.
    #[must_use]
    pub fn open(folder: &Path, now: jiff::Timestamp) -> Self {
        let mut infos = Vec::new();
        let mut bytes_of = |feed| {
            let (manifest, bytes) = load(folder, feed)?;
            infos.push(manifest.info(now));
            Some(bytes)
        };
        let (kev, epss) = (bytes_of(RiskFeed::Kev), bytes_of(RiskFeed::Epss));
        Self { kev, epss, infos }
    }

    /// What is known of the feeds that are there.
    #[must_use]
    pub fn infos(&self) -> &[DatabaseInfo] {
        &self.infos
    }

    /// Look-ups by CVE.
    #[must_use]
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup {
            kev: table(self.kev.as_deref(), RiskFeed::Kev),
            epss: table(self.epss.as_deref(), RiskFeed::Epss),
        }
    }
}

fn table(bytes: Option<&[u8]>, feed: RiskFeed) -> Option<Table<'_>> {
    Table::shaped(feed, bytes?).ok()
}

/// Looks up what is known of CVEs.
#[derive(Debug)]
pub struct Lookup<'risks> {
    kev: Option<Table<'risks>>,
    epss: Option<Table<'risks>>,
}

impl Lookup<'_> {
    /// Whether a CVE is known to be exploited.
    #[must_use]
    pub fn exploited(&self, cve: &str) -> Option<Exploited> {
        let value = self.kev.as_ref()?.find(Cve::parse(cve)?)?;
        let (added, rest) = value.split_first_chunk::<4>()?;
        let (due, mark) = rest.split_first_chunk::<4>()?;
        Some(Exploited {
            added: day(u32::from_le_bytes(*added))?,
            due: day(u32::from_le_bytes(*due)),
            ransomware: mark.first() == Some(&1),
        })
    }

    /// How likely a CVE is to be exploited.
    #[must_use]
    pub fn epss(&self, cve: &str) -> Option<Epss> {
        let table = self.epss.as_ref()?;
        let [a, b, c, d, e, f] = *table.find(Cve::parse(cve)?)?.first_chunk::<6>()?;
        let of = |bytes: [u8; 4]| f64::from(u32::from_le_bytes(bytes)) / epss::UNIT;
        Some(Epss {
            probability: of([a, b, c, 0]),
            percentile: of([d, e, f, 0]),
            date: table.date.clone(),
        })
    }
}

/// The number YYYYMMDD as `YYYY-MM-DD`; none for 0.
fn day(number: u32) -> Option<String> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    (number > 0).then(|| format!("{year:04}-{month:02}-{day:02}"))
}
