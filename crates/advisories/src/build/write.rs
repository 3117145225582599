//! Writes a database: of records that were read just now, and of those of an older database that are
//! carried over.
//!
//! In go what a [`Builder`] has collected, a database, and the ids that are in it no more; out comes a
//! file. Records are sorted by id, texts stand in the order in which they are first used, so that the
//! file depends on the set of records alone: brought up to date by single records it is byte for byte
//! the one that would be built of all.

use super::Builder;
use super::carried::{
    NONE, any, blocks_of, find_record, get, old_block, place_of, release_name, set, text,
};
use super::postings::{Post, Postings, split};
use super::section::Sections;
use super::strings::StringId;
use crate::database::Database;
use crate::dropped::{Dropped, Why};
use crate::entry::{Axis, Block, Cve, Read, Record, Writer};
use crate::format::{FormatError, Reader, Section, put_number};
use crate::ids;
use crate::names::Order;
use crate::pages::{Meta, ReleaseCount};
use crate::rating;
use foldhash::{HashMap, HashMapExt as _};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
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
    /// SHA-256 of the index, which the header states.
    pub(crate) payload: [u8; 32],
}

impl Built {
    /// The digest of the file.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The digest of the index, which names those of all pages.
    #[must_use]
    pub fn content(&self) -> Digest {
        Digest::sha256(self.payload)
    }
}

/// Where something is carried over from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Old,
    New,
}

/// A block that may be carried over, by its number.
type OldBlock<'old> = (u32, Result<Reader<'old>, FormatError>);

/// Whether it is of a record. One that cannot be read is everybody's.
fn is_of((_, block): &OldBlock<'_>, record: u32) -> bool {
    block.as_ref().map_or(true, |block| block.clone().small().is_ok_and(|own| own == record))
}

impl Builder {
    /// The database of what was added.
    ///
    /// # Errors
    /// Where there is more data than the format can hold.
    pub fn finish(self) -> Result<Built, FormatError> {
        self.finish_over(None, &HashSet::new())
    }

    /// The database of an older one without the records of some ids, and with those that were added in
    /// place of what it has of the same ids.
    pub(crate) fn finish_over(
        self,
        old: Option<&Database>,
        gone: &HashSet<String>,
    ) -> Result<Built, FormatError> {
        if self.overflow {
            return Err(FormatError::TooLarge);
        }
        let entries = self.entries();
        let mut writing = Writing::new(&self, old)?;
        writing.plan(&entries, gone)?;
        writing.records(&entries, gone)?;
        writing.names()?;
        writing.cves()?;
        writing.dropped(&entries, gone)?;
        let Writing { sections, releases, records, dropped, .. } = writing;
        let ecosystem = self.ecosystem.clone();
        let records = u64::from(records);
        drop(self);
        let (bytes, payload) = sections.assemble(&Meta { ecosystem, records, releases });
        Ok(Built { bytes, records, dropped, payload })
    }

    /// What was added, by id; of two with one id the one that was changed later, then the last.
    fn entries(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        let key = |at: &usize| {
            self.entries.get(*at).map(|entry| (self.strings.text(entry.id), entry.modified, *at))
        };
        order.sort_unstable_by(|left, right| key(left).cmp(&key(right)));
        let id = |at: Option<&usize>| at.and_then(|at| self.entries.get(*at)).map(|one| one.id);
        let next: Vec<_> = (1..=order.len()).map(|at| id(order.get(at))).collect();
        let mut next = next.into_iter();
        order.retain(|at| id(Some(at)) != next.next().flatten());
        order
    }
}

struct Writing<'from> {
    new: &'from Builder,
    old: Option<&'from Database>,
    sections: Sections,
    releases: Vec<ReleaseCount>,
    records: u32,
    dropped: Dropped,
    /// New numbers of texts, blocks and releases; those of a text of both are the old one's.
    old_texts: Vec<u32>,
    new_texts: Vec<u32>,
    same: Vec<u32>,
    old_blocks: Vec<u32>,
    new_blocks: Vec<u32>,
    old_releases: Vec<u32>,
    new_releases: Vec<u32>,
    ratings: Vec<(u32, rating::Order, u32)>,
    buffer: Vec<u8>,
}

impl<'from> Writing<'from> {
    fn new(new: &'from Builder, old: Option<&'from Database>) -> Result<Self, FormatError> {
        let count = |section| {
            let count = old.map_or(0, |old| old.book().count(section));
            vec![NONE; usize::try_from(count).unwrap_or(0)]
        };
        let mut same = vec![NONE; new.strings.len()];
        if let Some(old) = old {
            for (number, item) in (0_u32..).zip(old.book().items(Section::Strings)) {
                if let Some(id) = new.strings.get(item?.all_text()?) {
                    set(&mut same, id.0, number)?;
                }
            }
        }
        Ok(Self {
            new,
            old,
            sections: Sections::default(),
            releases: Vec::new(),
            records: 0,
            dropped: Dropped::default(),
            old_texts: count(Section::Strings),
            new_texts: vec![NONE; new.strings.len()],
            same,
            old_blocks: count(Section::Blocks),
            new_blocks: vec![NONE; new.blocks.len()],
            old_releases: vec![NONE; old.map_or(0, |old| old.releases().len())],
            new_releases: vec![NONE; new.releases.len()],
            ratings: Vec::new(),
            buffer: Vec::new(),
        })
    }

    fn id(&self, entry: usize) -> &'from str {
        self.new.entries.get(entry).map_or("", |entry| self.new.strings.text(entry.id))
    }

    /// Which releases there will be: names are sorted before anything refers to them.
    fn plan(&mut self, entries: &[usize], gone: &HashSet<String>) -> Result<(), FormatError> {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        if let Some(old) = self.old {
            for release in &old.book().meta.releases {
                counts.insert(&release.name, (release.blocks, release.by_source));
            }
            let ids = entries.iter().map(|entry| self.id(*entry));
            for id in ids.chain(gone.iter().map(String::as_str)).collect::<HashSet<_>>() {
                let Some(record) = find_record(old, id)? else { continue };
                for number in blocks_of(old, record)? {
                    let block = old_block(old, number)?;
                    let release = release_name(old, block.release)?;
                    let count = counts.get_mut(release).ok_or(FormatError::Content)?;
                    count.0 = count.0.checked_sub(1).ok_or(FormatError::Content)?;
                    let by_source = u64::from(block.axis == Axis::Source);
                    count.1 = count.1.checked_sub(by_source).ok_or(FormatError::Content)?;
                }
            }
        }
        for entry in entries.iter().filter_map(|at| self.new.entries.get(*at)) {
            for number in entry.blocks.clone() {
                let block = self.new.block(number)?;
                let name = self.new.release_name(block.release);
                let count = counts.entry(name).or_default();
                count.0 += 1;
                count.1 += u64::from(block.axis == Axis::Source);
            }
        }
        counts.retain(|_, (blocks, _)| *blocks > 0);
        for (number, (name, (blocks, by_source))) in (0_u32..).zip(counts) {
            if let Some(at) = self.old.and_then(|old| place_of(old.releases(), name)) {
                set(&mut self.old_releases, at, number)?;
            }
            if let Some(at) = self.new.releases.get(name) {
                set(&mut self.new_releases, *at, number)?;
            }
            let name = name.to_owned();
            self.releases.push(ReleaseCount { name, blocks, by_source });
        }
        Ok(())
    }

    /// Writes records and their blocks, by id.
    fn records(&mut self, entries: &[usize], gone: &HashSet<String>) -> Result<(), FormatError> {
        let mut entries = entries.iter().copied().peekable();
        if let Some(old) = self.old {
            let mut blocks = (0_u32..).zip(old.book().items(Section::Blocks)).peekable();
            for (number, item) in (0_u32..).zip(old.book().items(Section::Records)) {
                let item = item?;
                let id = old.string(item.clone().number()?)?;
                let mut replaced = gone.contains(id);
                while let Some(entry) = entries.peek().copied() {
                    let order = self.id(entry).cmp(id);
                    if order == Ordering::Greater {
                        break;
                    }
                    replaced |= order == Ordering::Equal;
                    entries.next();
                    self.add_new(entry)?;
                }
                let of_it = |block: &OldBlock<'_>| is_of(block, number);
                let own = std::iter::from_fn(|| blocks.next_if(of_it));
                self.add_old(item, own, replaced)?;
            }
            // They stand in the order of their records, or their records are not what is here.
            if blocks.next().is_some() {
                return Err(FormatError::Content);
            }
        }
        entries.try_for_each(|entry| self.add_new(entry))
    }

    /// Carries a record and its blocks over, unless it is replaced.
    fn add_old(
        &mut self,
        item: Reader<'_>,
        mut blocks: impl Iterator<Item = OldBlock<'from>>,
        replaced: bool,
    ) -> Result<(), FormatError> {
        if replaced {
            return blocks.try_for_each(|(_, block)| block.map(drop));
        }
        let mut read = Read { reader: item, text };
        let record = read.record()?;
        read.end()?;
        self.put_record(From::Old, &record)?;
        for (number, block) in blocks {
            let block = Read { reader: block?, text }.block()?;
            let written = self.put_block(From::Old, block)?;
            set(&mut self.old_blocks, number, written)?;
        }
        self.records = self.records.checked_add(1).ok_or(FormatError::TooLarge)?;
        Ok(())
    }

    fn add_new(&mut self, entry: usize) -> Result<(), FormatError> {
        let Some(entry) = self.new.entries.get(entry) else { return Ok(()) };
        if entry.dropped.is_some() {
            return Ok(());
        }
        let reader = Reader::new(self.new.bytes.get(entry.record.clone()).unwrap_or_default());
        let record = Read { reader, text }.record()?;
        self.put_record(From::New, &record)?;
        for number in entry.blocks.clone() {
            let written = self.put_block(From::New, self.new.block(number)?)?;
            set(&mut self.new_blocks, number, written)?;
        }
        self.records = self.records.checked_add(1).ok_or(FormatError::TooLarge)?;
        Ok(())
    }

    fn put_record(&mut self, from: From, record: &Record<u32>) -> Result<(), FormatError> {
        self.rate(from, record)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut failed = None;
        let place = |id| self.place(from, id, &mut failed);
        Writer::new(&mut buffer, place).record(record);
        failed.map_or(Ok(()), Err)?;
        self.sections.of(Section::Records)?.push(&buffer)?;
        self.buffer = buffer;
        Ok(())
    }

    fn put_block(&mut self, from: From, mut block: Block<u32>) -> Result<u32, FormatError> {
        let releases = match from {
            From::Old => &self.old_releases,
            From::New => &self.new_releases,
        };
        block.record = self.records;
        block.release = get(releases, block.release)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut failed = None;
        let place = |id| self.place(from, id, &mut failed);
        Writer::new(&mut buffer, place).block(&block);
        failed.map_or(Ok(()), Err)?;
        let number = self.sections.of(Section::Blocks)?.push(&buffer)?;
        self.buffer = buffer;
        Ok(number)
    }

    /// The new number of a text, which is written when it is first used.
    fn place(&mut self, from: From, id: u32, failed: &mut Option<FormatError>) -> u64 {
        match self.text(from, id) {
            Ok(number) => u64::from(number),
            Err(error) => {
                failed.get_or_insert(error);
                0
            }
        }
    }

    fn text(&mut self, from: From, id: u32) -> Result<u32, FormatError> {
        let (from, id) = match from {
            From::Old => (From::Old, id),
            From::New => match any(&self.same, id)? {
                NONE => (From::New, id),
                old => (From::Old, old),
            },
        };
        let known = match from {
            From::Old => any(&self.old_texts, id)?,
            From::New => any(&self.new_texts, id)?,
        };
        if known != NONE {
            return Ok(known);
        }
        let text = match (from, self.old) {
            (From::Old, Some(old)) => old.book().item(Section::Strings, id)?.rest(),
            _ => self.new.strings.text(StringId(id)).as_bytes(),
        };
        let number = self.sections.of(Section::Strings)?.push(text)?;
        match from {
            From::Old => set(&mut self.old_texts, id, number)?,
            From::New => set(&mut self.new_texts, id, number)?,
        }
        Ok(number)
    }

    fn known_text(&self, from: From, id: u32) -> Result<&'from str, FormatError> {
        match (from, self.old) {
            (From::Old, Some(old)) => old.string(u64::from(id)),
            _ => Ok(self.new.strings.text(StringId(id))),
        }
    }

    /// For each CVE the record that rates it best; see [`rating::order`].
    fn rate(&mut self, from: From, record: &Record<u32>) -> Result<(), FormatError> {
        if record.malicious {
            return Ok(());
        }
        let mut of_the_cve = None;
        for (index, cve) in record.cves.iter().enumerate() {
            let (Cve::Packed(packed), Some((rating, basis))) = (cve, record.rating_of(index))
            else {
                continue;
            };
            let of_the_cve = match of_the_cve {
                Some(known) => known,
                None => {
                    let id = self.known_text(from, record.id)?;
                    let own = ids::named_cve(id).is_some() || record.aliases.contains(&record.id);
                    *of_the_cve.insert(own)
                }
            };
            let vector = match rating.vector {
                Some((vector, tenths)) => Some((self.known_text(from, vector)?, tenths)),
                None => None,
            };
            let order = rating::order(basis, of_the_cve, rating.level, vector);
            self.ratings.push((*packed, order, self.records));
        }
        Ok(())
    }

    fn cves(&mut self) -> Result<(), FormatError> {
        self.ratings.sort_unstable_by(|left, right| {
            left.0.cmp(&right.0).then(right.1.cmp(&left.1)).then(left.2.cmp(&right.2))
        });
        self.ratings.dedup_by_key(|(packed, ..)| *packed);
        for (packed, _, record) in &self.ratings {
            let mut rest = Vec::new();
            put_number(&mut rest, u64::from(*record));
            self.sections.of(Section::Cves)?.push_keyed(&packed.to_be_bytes(), &rest)?;
        }
        Ok(())
    }

    /// Names with their postings. Binaries of one source share most of theirs, so equal ones are
    /// kept once.
    fn names(&mut self) -> Result<(), FormatError> {
        let order = Order::of(&self.new.ecosystem);
        let mut posts = Vec::with_capacity(self.new.posts.len());
        for (name, block) in &self.new.posts {
            // Those of a record that another one of the same id replaced are nowhere.
            let number = any(&self.new_blocks, *block)?;
            if number != NONE {
                let release = get(&self.new_releases, any(&self.new.block_releases, *block)?)?;
                posts.push((name.0, (release, number)));
            }
        }
        self.by_name(&mut posts, order);
        let mut posts = posts.as_slice();
        let mut postings = Postings::default();
        let Some(old) = self.old else {
            while let Some(name) = posts.first().map(|(name, _)| *name) {
                let own = split(&mut posts, name);
                self.put_name(&mut postings, self.new.strings.text(StringId(name)), &[], own)?;
            }
            return Ok(());
        };
        // Most names have no news; what several have in common is carried over once.
        let mut known: HashMap<u32, u32> = HashMap::new();
        for item in old.book().items(Section::Names) {
            let mut item = item?;
            let (name, posting) = (item.text()?, item.small()?);
            let mut own: &[Post] = &[];
            while let Some(next) = posts.first().map(|(name, _)| *name) {
                let text = self.new.strings.text(StringId(next));
                match order.compare(text.as_bytes(), name.as_bytes()) {
                    Ordering::Greater => break,
                    Ordering::Equal => own = split(&mut posts, next),
                    Ordering::Less => {
                        let own = split(&mut posts, next);
                        self.put_name(&mut postings, text, &[], own)?;
                    }
                }
            }
            if own.is_empty()
                && let Some(number) = known.get(&posting)
            {
                self.refer(name, *number)?;
                continue;
            }
            let carried = self.carried(old, posting)?;
            let number = self.put_name(&mut postings, name, &carried, own)?;
            if let Some(number) = number.filter(|_| own.is_empty()) {
                known.insert(posting, number);
            }
        }
        while let Some(name) = posts.first().map(|(name, _)| *name) {
            let own = split(&mut posts, name);
            self.put_name(&mut postings, self.new.strings.text(StringId(name)), &[], own)?;
        }
        Ok(())
    }

    /// Puts postings into the order of their names. A name has many, so names are compared once each.
    fn by_name(&self, posts: &mut [Post], order: Order) {
        let mut names: Vec<u32> = posts.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        let text = |id: &u32| self.new.strings.text(StringId(*id)).as_bytes();
        names.sort_unstable_by(|left, right| order.compare(text(left), text(right)));
        let ranks: HashMap<u32, u32> = names.iter().copied().zip(0..).collect();
        for (name, _) in posts.iter_mut() {
            *name = ranks.get(name).copied().unwrap_or(u32::MAX);
        }
        posts.sort_unstable();
        for (name, _) in posts.iter_mut() {
            let rank = usize::try_from(*name).unwrap_or(usize::MAX);
            *name = names.get(rank).copied().unwrap_or(u32::MAX);
        }
    }

    /// The blocks of an old posting that are still there: release and number, both new.
    fn carried(&self, old: &Database, posting: u32) -> Result<Vec<(u32, u32)>, FormatError> {
        let mut reader = old.book().item(Section::Postings, posting)?;
        let mut carried = Vec::new();
        for _ in 0..reader.count()? {
            let release = any(&self.old_releases, reader.small()?)?;
            let mut list = Reader::new(reader.bytes()?);
            let mut place = 0_u32;
            while !list.is_empty() {
                place = place.checked_add(list.small()?).ok_or(FormatError::Content)?;
                let block = any(&self.old_blocks, place)?;
                if block != NONE {
                    carried.push((release, block));
                }
            }
        }
        Ok(carried)
    }

    /// Writes a name with its blocks, unless there are none; gives the number of its posting.
    fn put_name(
        &mut self,
        postings: &mut Postings,
        name: &str,
        carried: &[(u32, u32)],
        own: &[Post],
    ) -> Result<Option<u32>, FormatError> {
        let blocks = &mut postings.blocks;
        blocks.clear();
        blocks.extend_from_slice(carried);
        blocks.extend(own.iter().map(|(_, block)| *block));
        if blocks.is_empty() {
            return Ok(None);
        }
        // New numbers keep the order of the old ones.
        if !own.is_empty() {
            blocks.sort_unstable();
            blocks.dedup();
        }
        postings.encode();
        let number = match postings.known.get(postings.bytes.as_slice()) {
            Some(number) => *number,
            None => {
                let number = self.sections.of(Section::Postings)?.push(&postings.bytes)?;
                postings.known.insert(postings.bytes.as_slice().into(), number);
                number
            }
        };
        self.refer(name, number)?;
        Ok(Some(number))
    }

    fn refer(&mut self, name: &str, posting: u32) -> Result<(), FormatError> {
        let mut rest = Vec::new();
        put_number(&mut rest, u64::from(posting));
        self.sections.of(Section::Names)?.push_keyed(name.as_bytes(), &rest)?;
        Ok(())
    }

    /// Remembers what says nothing to match, so that it is not asked for again until it changes.
    fn dropped(&mut self, entries: &[usize], gone: &HashSet<String>) -> Result<(), FormatError> {
        let mut all: BTreeMap<&str, (u64, Why)> = BTreeMap::new();
        if let Some(old) = self.old {
            for held in old.dropped() {
                let (id, modified, why) = held?;
                if !gone.contains(id) {
                    all.insert(id, (modified, why));
                }
            }
        }
        for entry in entries.iter().filter_map(|at| self.new.entries.get(*at)) {
            let id = self.new.strings.text(entry.id);
            match entry.dropped {
                Some(why) => all.insert(id, (entry.modified, why)),
                None => all.remove(id),
            };
        }
        for (id, (modified, why)) in all {
            self.dropped.count(why);
            let mut rest = vec![why as u8];
            put_number(&mut rest, modified);
            self.sections.of(Section::Dropped)?.push_keyed(id.as_bytes(), &rest)?;
        }
        // What has no name of its own cannot be remembered by one.
        self.dropped.malformed += self.new.nameless;
        Ok(())
    }
}
