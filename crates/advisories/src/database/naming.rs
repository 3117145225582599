//! What a database says of one id: the records that carry it, and what each says of which packages.
//!
//! Only CVEs are indexed, and those by their best rating, so that records and postings are passed over in
//! full: a few milliseconds for the 90,000 records of all ecosystems, since of a block that is about
//! another record only its first number is read.

use super::{BlockView, CveView, Database, RecordView};
use crate::format::{FormatError, Reader, Section};
use crate::ids;
use std::collections::{BTreeMap, HashMap};

/// A record that carries an id.
#[derive(Clone, Debug)]
pub(crate) struct Naming<'file> {
    pub(crate) record: RecordView<'file>,
    /// Seconds since 1970; 0 where the record does not say when it was changed.
    pub(crate) modified: u64,
    place: u32,
}

/// What a record says of packages in one release.
#[derive(Clone, Debug)]
pub(crate) struct Saying<'file> {
    pub(crate) release: &'file str,
    /// The names that it is posted under: a source package with its binaries.
    pub(crate) names: Vec<&'file str>,
    pub(crate) block: BlockView<'file>,
}

impl Database {
    /// The records that carry an id, as their own, as that of a CVE, or as an alias.
    pub(crate) fn each_naming(&self, id: &str) -> Result<Vec<Naming<'_>>, FormatError> {
        let packed = ids::pack(&id.to_ascii_uppercase());
        let mut reader = Reader::new(self.section(Section::Records));
        let length = reader.left();
        let mut found = Vec::new();
        while !reader.is_empty() {
            let place = length.saturating_sub(reader.left());
            let place = u32::try_from(place).map_err(|_| FormatError::Content)?;
            let record = self.next_record(&mut reader)?;
            let modified = reader.number()?;
            let as_cve = record.cves.iter().any(|cve| match cve {
                CveView::Packed(own) => Some(*own) == packed,
                CveView::Text(text) => text.eq_ignore_ascii_case(id),
            });
            let own = || record.aliases.iter().chain([&record.id]);
            if as_cve || own().any(|own| own.eq_ignore_ascii_case(id)) {
                found.push(Naming { record, modified, place });
            }
        }
        Ok(found)
    }

    /// Their ids.
    pub(crate) fn records_naming(&self, id: &str) -> Result<Vec<&str>, FormatError> {
        Ok(self.each_naming(id)?.into_iter().map(|one| one.record.id).collect())
    }

    /// What these records say, in their order, each by release and name.
    pub(crate) fn sayings(&self, of: &[Naming<'_>]) -> Result<Vec<Vec<Saying<'_>>>, FormatError> {
        let wanted: HashMap<u32, usize> =
            of.iter().enumerate().map(|(index, one)| (one.place, index)).collect();
        // By record, release and place of the block.
        let mut found: BTreeMap<(usize, u32, u32), Vec<&str>> = BTreeMap::new();
        let (names, _) = self.section(Section::Names).as_chunks::<8>();
        for entry in names {
            let mut entry = Reader::new(entry);
            let (name, posting) = (entry.u32()?, entry.u32()?);
            let mut posting = Reader::at(self.section(Section::Postings), posting)?;
            for _ in 0..posting.count()? {
                let release = posting.small()?;
                let length = posting.count()?;
                let mut list = Reader::new(posting.take(length)?);
                let mut place = 0_u32;
                while !list.is_empty() {
                    place = place.checked_add(list.small()?).ok_or(FormatError::Content)?;
                    let record = Reader::at(self.section(Section::Blocks), place)?.small()?;
                    if let Some(index) = wanted.get(&record) {
                        let names = found.entry((*index, release, place)).or_default();
                        names.push(self.string(u64::from(name))?);
                    }
                }
            }
        }
        let mut sayings = vec![Vec::new(); of.len()];
        for ((index, release, place), names) in found {
            let block = self.block(place, release)?;
            let at = usize::try_from(release).map_err(|_| FormatError::Content)?;
            let release = self.releases.get(at).ok_or(FormatError::Content)?;
            if let Some(list) = sayings.get_mut(index) {
                list.push(Saying { release, names, block });
            }
        }
        Ok(sayings)
    }
}
