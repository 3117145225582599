//! Which vulnerabilities a record is about.
//!
//! In goes a record, out come its CVE ids, and those other ids that mean the same vulnerability.
//! `aliases` are the same vulnerability, `upstream` is what a distribution passes on, `related` is
//! only near it, except in notices of distributions that fill nothing else. A record with several
//! CVEs speaks of several vulnerabilities, so its other ids name none of them for certain.

use crate::ids::{is_cve, named_cve};
use crate::osv::Record;
use vocabulary::Ecosystem;

/// How many ids of one record are kept. The largest notices, of kernels, name some 600.
pub(crate) const MAX_IDS: usize = 20_000;

/// The ids of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids<'doc> {
    /// CVE ids, sorted.
    pub(crate) cves: Vec<&'doc str>,
    /// Other ids of the same vulnerability, sorted; empty where there are several CVEs.
    pub(crate) aliases: Vec<&'doc str>,
}

/// The ids of a record.
pub(crate) fn of<'doc>(record: &'doc Record<'_>, ecosystem: &Ecosystem) -> Ids<'doc> {
    let own = record.id();
    let mut cves: Vec<&str> = Vec::new();
    let texts = record.aliases.iter().chain(&record.upstream).map(crate::osv::Text::as_str);
    cves.extend([own].into_iter().chain(texts).filter_map(named_cve));
    if cves.is_empty() && ecosystem.is_distribution() {
        cves.extend(record.related.iter().map(crate::osv::Text::as_str).filter_map(named_cve));
    }
    cves.sort_unstable();
    cves.dedup();
    cves.truncate(MAX_IDS);

    let mut aliases: Vec<&str> = Vec::new();
    if cves.len() <= 1 {
        aliases.extend(record.aliases.iter().map(crate::osv::Text::as_str));
        // A notice has its CVE in `upstream` or `related`, and is no name of it.
        let same = named_cve(own).is_some()
            || record.aliases.iter().any(|alias| named_cve(alias.as_str()).is_some());
        aliases.extend(Some(own).filter(|_| same));
        aliases.retain(|id| !id.is_empty() && id.len() <= 128 && !is_cve(id));
        aliases.sort_unstable();
        aliases.dedup();
        aliases.truncate(MAX_IDS);
    }
    Ids { cves, aliases }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::osv::parse_record;

    fn ids(json: &str, ecosystem: &Ecosystem) -> (Vec<String>, Vec<String>) {
        let record = parse_record(json.as_bytes()).unwrap();
        let ids = of(&record, ecosystem);
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
        (owned(ids.cves), owned(ids.aliases))
    }

    #[test]
    fn a_record_that_aliases_two_cves_lends_its_other_ids_to_neither() {
        let json = r#"{"id":"PYSEC-1","aliases":["CVE-2020-2222","GHSA-x","CVE-2020-1111"]}"#;
        let (cves, aliases) = ids(json, &Ecosystem::PYPI);
        assert_eq!(cves, ["CVE-2020-1111", "CVE-2020-2222"]);
        assert!(aliases.is_empty());
    }

    #[test]
    fn a_notice_is_no_other_name_of_its_cve() {
        let json = r#"{"id":"DSA-1","upstream":["CVE-2020-1111"],"related":["CVE-2020-9999"]}"#;
        assert_eq!(ids(json, &Ecosystem::DEBIAN), (vec!["CVE-2020-1111".to_owned()], vec![]));
        let json = r#"{"id":"GHSA-x","aliases":["CVE-2020-1111"],"related":["CVE-2020-9999"]}"#;
        assert_eq!(
            ids(json, &Ecosystem::NPM),
            (vec!["CVE-2020-1111".to_owned()], vec!["GHSA-x".to_owned()])
        );
    }

    #[test]
    fn related_counts_only_in_notices_without_anything_else() {
        let json = r#"{"id":"ALSA-1","related":["CVE-2020-9999"]}"#;
        assert_eq!(ids(json, &Ecosystem::ALMA_LINUX).0, ["CVE-2020-9999"]);
        assert!(ids(json, &Ecosystem::NPM).0.is_empty());
    }

    #[test]
    fn a_distributions_name_of_a_cve_is_the_cve() {
        let json = r#"{"id":"USN-1-1","upstream":["UBUNTU-CVE-2026-0002","UBUNTU-CVE-2026-0001"]}"#;
        let (cves, aliases) = ids(json, &Ecosystem::UBUNTU);
        assert_eq!(cves, ["CVE-2026-0001", "CVE-2026-0002"]);
        assert!(aliases.is_empty());
        let json = r#"{"id":"DSA-1","related":["DEBIAN-CVE-2026-0001"]}"#;
        assert_eq!(ids(json, &Ecosystem::DEBIAN).0, ["CVE-2026-0001"]);
        for id in ["X-CVE-", "-CVE-2026-0001", "X Y-CVE-2026-0001", "GHSA-cve-2026-0001"] {
            assert_eq!(named_cve(id), None, "{id}");
        }
    }

    #[test]
    fn a_distributions_record_of_a_cve_is_known_by_its_own_id() {
        let json = r#"{"id":"DEBIAN-CVE-2024-1234"}"#;
        let (cves, aliases) = ids(json, &Ecosystem::DEBIAN);
        assert_eq!(
            (cves[0].as_str(), aliases[0].as_str()),
            ("CVE-2024-1234", "DEBIAN-CVE-2024-1234")
        );
    }
}
