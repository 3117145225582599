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
    number: u32,
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
        let upper = id.to_ascii_uppercase();
        // A distribution's name of a CVE finds its notices, too.
        let packed = ids::pack(ids::named_cve(&upper).unwrap_or(&upper));
        let mut found = Vec::new();
        for number in 0..self.book.count(Section::Records) {
            let record = self.record(number)?;
            let as_cve = record.cves.iter().any(|cve| match cve {
                CveView::Packed(own) => Some(*own) == packed,
                CveView::Text(text) => text.eq_ignore_ascii_case(id),
            });
            let own = || record.aliases.iter().chain([&record.id]);
            if as_cve || own().any(|own| own.eq_ignore_ascii_case(id)) {
                found.push(Naming { record, number });
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
            of.iter().enumerate().map(|(index, one)| (one.number, index)).collect();
        let blocks = self.book.count(Section::Blocks);
        let mut of_record = HashMap::new();
        for number in 0..blocks {
            let record = self.book.item(Section::Blocks, number)?.small()?;
            if let Some(index) = wanted.get(&record) {
                of_record.insert(number, *index);
            }
        }
        // By record, release and number of the block.
        let mut found: BTreeMap<(usize, u32, u32), Vec<&str>> = BTreeMap::new();
        for number in 0..self.book.count(Section::Names) {
            let mut item = self.book.item(Section::Names, number)?;
            let name = item.text()?;
            let mut posting = self.book.item(Section::Postings, item.small()?)?;
            for _ in 0..posting.count()? {
                let release = posting.small()?;
                let mut list = Reader::new(posting.bytes()?);
                let mut block = 0_u32;
                while !list.is_empty() {
                    block = block.checked_add(list.small()?).ok_or(FormatError::Content)?;
                    if let Some(index) = of_record.get(&block) {
                        found.entry((*index, release, block)).or_default().push(name);
                    }
                }
            }
        }
        let mut sayings = vec![Vec::new(); of.len()];
        for ((index, release, number), names) in found {
            let block = self.block(number)?;
            let at = usize::try_from(release).map_err(|_| FormatError::Content)?;
            let release = self.releases.get(at).ok_or(FormatError::Content)?;
            if let Some(list) = sayings.get_mut(index) {
                list.push(Saying { release, names, block });
            }
        }
        Ok(sayings)
    }
}
