//! The CVEs of a record that is being added: which entry is about which, and how bad each one is said
//! to be.

use super::meant;
use crate::osv::{Entry, Record};
use crate::rating::{self, Rated};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Ecosystem;

/// The CVEs of a record.
pub(super) struct Cves<'doc> {
    /// Sorted.
    pub(super) all: Vec<&'doc str>,
    /// Places of those that no entry claims: nothing says which they are about, so they concern all.
    unclaimed: Vec<u32>,
}

impl<'doc> Cves<'doc> {
    /// Those that a record names, and that its affected packages claim.
    pub(super) fn new(
        named: Vec<&'doc str>,
        own: &'doc [Entry<'_>],
        claimed: &'doc [Vec<Entry<'_>>],
    ) -> Self {
        let of_entries: BTreeSet<&str> =
            claimed.iter().flatten().map(|entry| entry.cve.as_ref()).collect();
        let mut all = named;
        all.extend(own.iter().map(|entry| entry.cve.as_ref()));
        all.extend(&of_entries);
        all.sort_unstable();
        all.dedup();
        all.truncate(meant::MAX_IDS);
        let unclaimed = (0..).zip(&all).filter(|(_, cve)| !of_entries.contains(**cve));
        let unclaimed = unclaimed.map(|(place, _)| place).collect();
        Self { all, unclaimed }
    }

    fn place(&self, cve: &str) -> Option<u32> {
        let place = self.all.binary_search(&cve).ok()?;
        u32::try_from(place).ok()
    }

    /// The places of the CVEs that an affected package is about; none where it is about all.
    pub(super) fn of(&self, claimed: &[Entry<'_>]) -> Vec<u32> {
        let mut places: Vec<u32> =
            claimed.iter().filter_map(|entry| self.place(&entry.cve)).collect();
        if places.is_empty() {
            return places;
        }
        places.extend(&self.unclaimed);
        places.sort_unstable();
        places.dedup();
        if places.len() == self.all.len() { Vec::new() } else { places }
    }

    /// The ratings of single CVEs, by place; of several, the one that says most.
    pub(super) fn ratings(
        &self,
        entries: impl Iterator<Item = &'doc Entry<'doc>>,
    ) -> BTreeMap<u32, Rated<'doc>> {
        let mut best: BTreeMap<u32, Rated<'doc>> = BTreeMap::new();
        for entry in entries {
            let rated = self.place(&entry.cve).zip(rating::of_ratings(&entry.ratings));
            let Some((place, rated)) = rated else { continue };
            let known = best.entry(place).or_insert(rated);
            if rated.weight() > known.weight() {
                *known = rated;
            }
        }
        best
    }
}

/// What the affected packages of an ecosystem claim, in their order; nothing of others.
pub(super) fn claimed<'doc>(
    record: &'doc Record<'_>,
    ecosystem: &Ecosystem,
) -> Vec<Vec<Entry<'doc>>> {
    let entries = |affected: &'doc crate::osv::Affected<'_>| {
        let (of, _) = super::ecosystem_of(affected);
        if of == ecosystem.as_str() { affected.entries() } else { Vec::new() }
    };
    record.affected.iter().map(entries).collect()
}
