//! What is known of a record by its id: when it was changed, and whether it could be read.
//!
//! In goes a builder that has taken an archive, or a database; out comes each id with that, so that two
//! states of a source can be held against each other without reading a record.

use super::Builder;
use crate::database::Database;
use crate::dropped::Why;
use crate::format::FormatError;
use crate::held::Held;
use foldhash::{HashMap, HashMapExt as _};
use std::collections::HashSet;

impl Builder {
    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.nameless == 0
    }

    /// What was added, by id.
    pub(crate) fn held(&self) -> HashMap<&str, Held> {
        let mut all: HashMap<&str, Held> = HashMap::with_capacity(self.entries.len());
        for entry in &self.entries {
            let malformed = entry.dropped == Some(Why::Malformed);
            let held = Held { modified: entry.modified, malformed };
            let id = self.strings.text(entry.id);
            match all.get_mut(id) {
                Some(known) if held.is_better_than(Some(*known)) => *known = held,
                Some(_) => {}
                None => drop(all.insert(id, held)),
            }
        }
        all
    }

    /// Takes back what was added under some ids.
    pub(crate) fn forget(&mut self, ids: &HashSet<String>) {
        let strings = &self.strings;
        self.entries.retain(|entry| !ids.contains(strings.text(entry.id)));
    }
}

impl Database {
    /// What it has, each with its id. An id stands once: what was left out has no record.
    pub(crate) fn each_held(&self) -> impl Iterator<Item = Result<(&str, Held), FormatError>> {
        let records = self
            .modified()
            .map(|known| known.map(|(id, modified)| (id, Held { modified, malformed: false })));
        let dropped = self.dropped().map(|known| {
            let (id, modified, why) = known?;
            Ok((id, Held { modified, malformed: why == Why::Malformed }))
        });
        records.chain(dropped)
    }

    /// The same, by id.
    pub(crate) fn held(&self) -> Result<HashMap<&str, Held>, FormatError> {
        let mut held = HashMap::with_capacity(usize::try_from(self.records()).unwrap_or(0));
        for known in self.each_held() {
            let (id, one) = known?;
            held.entry(id).or_insert(one);
        }
        Ok(held)
    }
}
