//! Which records without a CVE are about the same vulnerability as others.
//!
//! In go the records of a package's entries, out come the ids that each is a finding of. Records name
//! each other in `aliases`, often on one side only, and over a third. A record of several CVEs joins
//! nothing: it is about each of them, and they are not about each other.

use super::candidates::Verdict;
use crate::database::{CveView, Database, RecordView};
use crate::format::FormatError;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a record without a CVE is a finding of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant<'file> {
    /// These CVEs, by which the records that it stands beside are known.
    Cves(BTreeSet<CveView<'file>>),
    /// A malicious package, by its record.
    Malicious(&'file str),
    /// A vulnerability that has no CVE, by the record that stands for all.
    Record(&'file str),
}

/// The records of all entries for a package, joined by what they name.
#[derive(Default)]
pub(super) struct Groups<'file> {
    /// For each id, one that it is joined to; itself at the end of a chain.
    joined: HashMap<&'file str, &'file str>,
    sizes: HashMap<&'file str, u32>,
    meant: BTreeMap<&'file str, Members<'file>>,
}

#[derive(Default)]
struct Members<'file> {
    cves: BTreeSet<CveView<'file>>,
    malicious: BTreeSet<&'file str>,
    records: BTreeSet<&'file str>,
}

impl<'file> Groups<'file> {
    /// Joins the records of a verdict's candidates; nothing is to be joined where each has a CVE.
    pub(super) fn of(
        database: &'file Database,
        verdict: &Verdict<'file>,
    ) -> Result<Self, FormatError> {
        let mut places: Vec<u32> =
            verdict.candidates.iter().map(|candidate| candidate.block.record).collect();
        places.sort_unstable();
        places.dedup();
        let records: Result<Vec<RecordView<'file>>, FormatError> =
            places.into_iter().map(|place| database.record(place)).collect();
        let records = records?;
        if records.iter().all(|record| !record.cves.is_empty()) {
            return Ok(Self::default());
        }
        Ok(Self::join(&records))
    }

    fn join(records: &[RecordView<'file>]) -> Self {
        let (several, single): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| record.cves.len() > 1);
        let several: HashMap<&str, &RecordView<'file>> =
            several.into_iter().map(|record| (record.id, record)).collect();
        let mut groups = Self::default();
        for record in &single {
            for alias in record.aliases.iter().filter(|alias| !several.contains_key(*alias)) {
                groups.unite(record.id, alias);
            }
        }
        for record in single {
            let root = groups.root(record.id);
            let members = groups.meant.entry(root).or_default();
            members.cves.extend(&record.cves);
            if record.malicious {
                members.malicious.insert(record.id);
            } else if record.cves.is_empty() {
                members.records.insert(record.id);
                let bundles = record.aliases.iter().filter_map(|alias| several.get(alias));
                members.cves.extend(bundles.flat_map(|bundle| &bundle.cves));
            }
        }
        groups
    }

    /// Joins the smaller to the larger, so that chains stay short.
    fn unite(&mut self, left: &'file str, right: &'file str) {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
            return;
        }
        let size = |id| self.sizes.get(id).copied().unwrap_or(1);
        let sum = size(left) + size(right);
        let (small, large) = if size(left) < size(right) { (left, right) } else { (right, left) };
        self.joined.insert(small, large);
        self.sizes.insert(large, sum);
    }

    fn root(&self, id: &'file str) -> &'file str {
        let mut at = id;
        while let Some(next) = self.joined.get(at).filter(|next| **next != at) {
            at = next;
        }
        at
    }

    /// What a record without a CVE is a finding of.
    pub(super) fn meant(&self, record: &RecordView<'file>) -> Meant<'file> {
        let Some(members) = self.meant.get(self.root(record.id)) else {
            return Meant::Record(record.id);
        };
        if let Some(malicious) = members.malicious.first() {
            return Meant::Malicious(malicious);
        }
        if !members.cves.is_empty() {
            return Meant::Cves(members.cves.clone());
        }
        // GitHub's ids are those that most tools know.
        let known = members.records.iter().find(|id| id.starts_with("GHSA-"));
        Meant::Record(known.or(members.records.first()).copied().unwrap_or(record.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(
        id: &'static str,
        cves: &[&'static str],
        aliases: &[&'static str],
    ) -> RecordView<'static> {
        RecordView {
            modified: 0,
            id,
            malicious: id.starts_with("MAL-"),
            cves: cves.iter().map(|cve| CveView::Text(cve)).collect(),
            aliases: aliases.to_vec(),
            rating: None,
            title: crate::database::Title::None,
            url: None,
            stream: None,
            cve_ratings: Vec::new(),
        }
    }

    #[test]
    fn records_are_joined_on_one_side_and_over_a_third() {
        let records = [
            record("PYSEC-1", &[], &["GO-9"]),
            record("GHSA-a", &[], &["GO-9"]),
            record("PYSEC-2", &[], &["GHSA-b"]),
            record("GHSA-b", &["CVE-1"], &["GHSA-b"]),
            record("PYSEC-3", &[], &[]),
            record("PYSEC-4", &[], &["MAL-1"]),
            record("MAL-1", &[], &[]),
        ];
        let groups = Groups::join(&records);
        let cve = Meant::Cves(BTreeSet::from([CveView::Text("CVE-1")]));
        for (at, expected) in [
            (0, Meant::Record("GHSA-a")),
            (1, Meant::Record("GHSA-a")),
            (2, cve),
            (4, Meant::Record("PYSEC-3")),
            (5, Meant::Malicious("MAL-1")),
        ] {
            assert_eq!(groups.meant(&records[at]), expected, "{}", records[at].id);
        }
    }

    #[test]
    fn a_record_of_several_cves_joins_none_of_its_parts() {
        let records = [
            record("RUSTSEC-1", &["CVE-1", "CVE-2"], &[]),
            record("GHSA-a", &["CVE-1"], &["GHSA-a", "RUSTSEC-1"]),
            record("GHSA-b", &["CVE-2"], &["GHSA-b", "RUSTSEC-1"]),
            record("X-1", &[], &["GHSA-a"]),
            record("X-2", &[], &["RUSTSEC-1"]),
        ];
        let groups = Groups::join(&records);
        let cves = |cves: &[&'static str]| {
            Meant::Cves(cves.iter().map(|cve| CveView::Text(cve)).collect())
        };
        assert_eq!(groups.meant(&records[3]), cves(&["CVE-1"]));
        assert_eq!(groups.meant(&records[4]), cves(&["CVE-1", "CVE-2"]));
    }

    #[test]
    fn a_long_chain_of_aliases_is_one_group() {
        let ids: Vec<&'static str> =
            (0..20_000).map(|at| &*Box::leak(format!("X-{at}").into_boxed_str())).collect();
        let records: Vec<_> = ids.windows(2).map(|pair| record(pair[0], &[], &[pair[1]])).collect();
        let groups = Groups::join(&records);
        assert_eq!(groups.meant.len(), 1);
    }
}
