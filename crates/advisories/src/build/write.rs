//! Encodes what a [`Builder`] has collected.

use super::strings::StringId;
use super::{BlockDraft, Builder, CveDraft, Dropped, RatingDraft, RecordDraft};
use crate::database::{Title, flags};
use crate::format::{FormatError, HEADER, assemble, put_number, put_text};
use crate::ids;
use crate::intervals::{End, Interval};
use crate::rating::{self, Basis};
use std::collections::{BTreeMap, HashMap};
use vocabulary::Digest;

/// A finished database.
#[derive(Debug)]
pub struct Built {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// Count of records in it.
    pub records: u64,
    /// What was left out.
    pub dropped: Dropped,
}

impl Built {
    /// The digest of the file.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The digest of all behind the header.
    #[must_use]
    pub fn content(&self) -> Digest {
        Digest::of(self.bytes.get(HEADER..).unwrap_or_default())
    }
}

impl Builder {
    /// The database.
    ///
    /// # Errors
    /// Where there is more data than the format can hold.
    pub fn finish(self) -> Result<Built, FormatError> {
        let (strings, places) = self.strings.encode();
        let place = |id: StringId| places.get(id.index()).copied().unwrap_or_default();
        let writer = Writer { place: &place };

        let mut releases: Vec<(&String, &u32)> = self.releases.iter().collect();
        releases.sort();
        let mut renumbered: Vec<u32> = vec![0; releases.len()];
        let mut meta = Vec::new();
        put_text(&mut meta, self.ecosystem.as_str());
        put_number(&mut meta, self.records.len() as u64);
        put_number(&mut meta, releases.len() as u64);
        for (new, (name, old)) in releases.iter().enumerate() {
            put_text(&mut meta, name);
            if let Some(slot) = renumbered.get_mut(usize::try_from(**old).unwrap_or(usize::MAX)) {
                *slot = u32::try_from(new).map_err(|_| FormatError::TooLarge)?;
            }
        }

        let mut records = Vec::new();
        let mut record_places = Vec::with_capacity(self.records.len());
        for record in &self.records {
            record_places.push(offset(&records)?);
            writer.record(&mut records, record);
        }
        let mut blocks = Vec::new();
        let mut block_places = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            block_places.push(offset(&blocks)?);
            let record = at(&record_places, block.record)?;
            writer.block(&mut blocks, block, record);
        }
        let (names, postings) = self.names(&writer, &renumbered, &block_places)?;
        let cves = self.cves(&record_places)?;
        if u32::try_from(strings.len()).is_err() {
            return Err(FormatError::TooLarge);
        }
        let count = self.records.len() as u64;
        let bytes = assemble(&[meta, strings, records, blocks, postings, names, cves]);
        Ok(Built { bytes, records: count, dropped: self.dropped })
    }

    /// Names with their postings. Binaries of one source share most of theirs, so equal ones are
    /// kept once.
    fn names(
        &self,
        writer: &Writer<'_>,
        releases: &[u32],
        blocks: &[u32],
    ) -> Result<(Vec<u8>, Vec<u8>), FormatError> {
        let mut order: Vec<(&str, StringId)> =
            self.postings.keys().map(|id| (self.strings.text(*id), *id)).collect();
        order.sort_unstable();
        let mut names = Vec::with_capacity(order.len() * 8);
        let mut postings = Vec::new();
        let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
        for (_, id) in order {
            let mut by_release: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (release, block) in self.postings.get(&id).into_iter().flatten() {
                by_release.entry(at(releases, *release)?).or_default().push(at(blocks, *block)?);
            }
            let posting = posting(by_release);
            let place = match known.get(&posting) {
                Some(place) => *place,
                None => {
                    let place = offset(&postings)?;
                    postings.extend_from_slice(&posting);
                    known.insert(posting, place);
                    place
                }
            };
            let text = u32::try_from((writer.place)(id)).map_err(|_| FormatError::TooLarge)?;
            names.extend_from_slice(&text.to_le_bytes());
            names.extend_from_slice(&place.to_le_bytes());
        }
        Ok((names, postings))
    }

    /// For each CVE the record that rates it best; see [`rating::order`].
    fn cves(&self, places: &[u32]) -> Result<Vec<u8>, FormatError> {
        let mut best: BTreeMap<u32, (rating::Order, u32)> = BTreeMap::new();
        for (record, place) in self.records.iter().zip(places) {
            if record.malicious {
                continue;
            }
            for (index, cve) in (0..).zip(&record.cves) {
                let (CveDraft::Packed(packed), Some((rating, basis))) =
                    (cve, record.rating_of(index))
                else {
                    continue;
                };
                let id = self.strings.text(record.id);
                let of_the_cve =
                    ids::named_cve(id).is_some() || record.aliases.contains(&record.id);
                let vector =
                    rating.vector.map(|(vector, tenths)| (self.strings.text(vector), tenths));
                let this = rating::order(basis, of_the_cve, rating.level, vector);
                let known = best.entry(*packed).or_insert((this, *place));
                if this > known.0 {
                    *known = (this, *place);
                }
            }
        }
        let mut section = Vec::with_capacity(best.len() * 8);
        for (packed, (_, place)) in best {
            section.extend_from_slice(&packed.to_le_bytes());
            section.extend_from_slice(&place.to_le_bytes());
        }
        Ok(section)
    }
}

impl RecordDraft {
    /// What it says of one of its CVEs, by place.
    fn rating_of(&self, place: u32) -> Option<(RatingDraft, Basis)> {
        let own = self.cve_ratings.binary_search_by_key(&place, |(own, _)| *own).ok();
        let own = own.and_then(|at| self.cve_ratings.get(at)).map(|(_, own)| *own);
        match (own, self.rating) {
            (own, whole) if self.cves.len() <= 1 => Some((own.or(whole)?, Basis::Alone)),
            (Some(own), _) => Some((own, Basis::Entry)),
            (None, whole) => Some((whole?, Basis::Bundle)),
        }
    }
}

/// Groups by release, each with its length so that others are skipped; places as differences.
fn posting(by_release: BTreeMap<u32, Vec<u32>>) -> Vec<u8> {
    let mut posting = Vec::new();
    put_number(&mut posting, by_release.len() as u64);
    for (release, mut blocks) in by_release {
        blocks.sort_unstable();
        blocks.dedup();
        let mut list = Vec::with_capacity(blocks.len() * 3);
        let mut last = 0;
        for block in blocks {
            put_number(&mut list, u64::from(block - last));
            last = block;
        }
        put_number(&mut posting, u64::from(release));
        put_number(&mut posting, list.len() as u64);
        posting.extend_from_slice(&list);
    }
    posting
}

fn offset(section: &[u8]) -> Result<u32, FormatError> {
    u32::try_from(section.len()).map_err(|_| FormatError::TooLarge)
}

fn at(list: &[u32], index: u32) -> Result<u32, FormatError> {
    let index = usize::try_from(index).map_err(|_| FormatError::TooLarge)?;
    list.get(index).copied().ok_or(FormatError::TooLarge)
}

struct Writer<'strings> {
    place: &'strings dyn Fn(StringId) -> u64,
}

impl Writer<'_> {
    fn string(&self, target: &mut Vec<u8>, id: StringId) {
        put_number(target, (self.place)(id));
    }

    fn record(&self, target: &mut Vec<u8>, record: &RecordDraft) {
        self.string(target, record.id);
        let mut marks = 0;
        for (mark, set) in [
            (flags::MALICIOUS, record.malicious),
            (flags::RATED, record.rating.is_some()),
            (flags::TITLE, matches!(record.title, Title::Text(_))),
            (flags::MALICIOUS_TITLE, record.title == Title::MaliciousCode),
            (flags::URL, record.url.is_some()),
            (flags::STREAM, record.stream.is_some()),
            (flags::CVES_RATED, !record.cve_ratings.is_empty()),
        ] {
            marks |= if set { mark } else { 0 };
        }
        target.push(marks);
        put_number(target, record.cves.len() as u64);
        for cve in &record.cves {
            match cve {
                CveDraft::Packed(packed) => put_number(target, u64::from(*packed) << 1 | 1),
                CveDraft::Text(id) => put_number(target, (self.place)(*id) << 1),
            }
        }
        put_number(target, record.aliases.len() as u64);
        for alias in &record.aliases {
            self.string(target, *alias);
        }
        if let Some(rating) = &record.rating {
            self.rating(target, rating);
        }
        if let Title::Text(id) = record.title {
            self.string(target, id);
        }
        for id in record.url.iter().chain(&record.stream) {
            self.string(target, *id);
        }
        if !record.cve_ratings.is_empty() {
            put_number(target, record.cve_ratings.len() as u64);
            for (place, rating) in &record.cve_ratings {
                put_number(target, u64::from(*place));
                self.rating(target, rating);
            }
        }
        put_number(target, record.modified);
    }

    /// Level, with the high bit where a vector follows with its score.
    fn rating(&self, target: &mut Vec<u8>, rating: &RatingDraft) {
        let level = rating.level as u8;
        match rating.vector {
            None => target.push(level),
            Some((vector, tenths)) => {
                target.extend_from_slice(&[level | flags::VECTOR, tenths]);
                self.string(target, vector);
            }
        }
    }

    fn block(&self, target: &mut Vec<u8>, block: &BlockDraft, record: u32) {
        put_number(target, u64::from(record));
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
        ] {
            marks |= if set { mark } else { 0 };
        }
        put_number(target, u64::from(marks));
        if let Some(rating) = &block.rating {
            self.rating(target, rating);
        }
        match simple {
            Some(end) => self.string(target, end),
            None => {
                put_number(target, block.ranges.len() as u64);
                for interval in &block.ranges {
                    self.interval(target, interval);
                }
            }
        }
        if !block.versions.is_empty() {
            self.list(target, &block.versions);
        }
        if !block.imports.is_empty() {
            put_number(target, block.imports.len() as u64);
            for import in &block.imports {
                self.string(target, import.path);
                self.list(target, &import.systems);
                self.list(target, &import.architectures);
                self.list(target, &import.functions);
            }
        }
        if !block.cves.is_empty() {
            put_number(target, block.cves.len() as u64);
            for place in &block.cves {
                put_number(target, u64::from(*place));
            }
        }
    }

    fn list(&self, target: &mut Vec<u8>, texts: &[StringId]) {
        put_number(target, texts.len() as u64);
        for text in texts {
            self.string(target, *text);
        }
    }

    fn interval(&self, target: &mut Vec<u8>, interval: &Interval<StringId>) {
        let (kind, end) = match interval.end {
            End::Open => (flags::OPEN, None),
            End::Fixed(end) => (flags::FIXED, Some(end)),
            End::Last(end) => (flags::LAST, Some(end)),
            End::Limit(end) => (flags::LIMIT, Some(end)),
        };
        target.push(kind | if interval.start.is_some() { flags::STARTS } else { 0 });
        for id in interval.start.into_iter().chain(end) {
            self.string(target, id);
        }
    }
}
