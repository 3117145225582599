//! Which vulnerabilities a record is about, and the page where people can read it.
//!
//! In goes a record, out come its CVE ids, and those other ids that mean the same vulnerability.
//! `aliases` are the same vulnerability, `upstream` is what a distribution passes on, `related` is
//! only near it, except in notices of distributions that fill nothing else. A record with several
//! CVEs speaks of several vulnerabilities, so its other ids name none of them for certain.

use crate::osv::Record;
use vocabulary::Ecosystem;

/// How many ids of one record are kept. The largest notices, of kernels, name some 600.
pub(crate) const MAX_IDS: usize = 20_000;

/// Year that packed CVE ids count from. The first CVE ids are of 1999.
const FIRST_YEAR: u32 = 1990;

/// The ids of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids<'doc> {
    /// CVE ids, sorted.
    pub(crate) cves: Vec<&'doc str>,
    /// Other ids of the same vulnerability, sorted; empty where there are several CVEs.
    pub(crate) aliases: Vec<&'doc str>,
}

/// Whether a text is a CVE id.
pub(crate) fn is_cve(text: &str) -> bool {
    pack(text).is_some()
        || text.strip_prefix("CVE-").is_some_and(|rest| {
            let digits = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
            rest.len() <= 40
                && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
                && rest.split_once('-').is_some_and(|(year, number)| digits(year) && digits(number))
        })
}

/// The CVE that an id is or stands for: `UBUNTU-CVE-2024-1`, `DEBIAN-CVE-…` and `ALPINE-CVE-…` are a
/// distribution's names of it.
pub(crate) fn named_cve(id: &str) -> Option<&str> {
    if is_cve(id) {
        return Some(id);
    }
    let (prefix, _) = id.split_once("-CVE-")?;
    let of_feed = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !prefix.is_empty();
    id.get(prefix.len() + 1..).filter(|cve| of_feed && is_cve(cve))
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

/// A CVE id in four bytes: year and number. None for one that would not come back the same.
pub(crate) fn pack(text: &str) -> Option<u32> {
    let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let sound = year.len() == 4
        && plain(year)
        && plain(number)
        && (number.len() == 4 || (number.len() > 4 && !number.starts_with('0')));
    if !sound {
        return None;
    }
    let year = year.parse::<u32>().ok()?.checked_sub(FIRST_YEAR).filter(|year| *year < 128)?;
    let number = number.parse::<u32>().ok().filter(|number| *number < 1 << 24)?;
    Some(year << 24 | number)
}

/// The CVE id that was packed.
pub(crate) fn unpack(packed: u32) -> String {
    format!("CVE-{}-{:04}", (packed >> 24) + FIRST_YEAR, packed & 0xff_ffff)
}

/// The page about a record, where its id tells.
pub(crate) fn page(id: &str) -> Option<String> {
    let (prefix, _) = id.split_once('-')?;
    Some(match prefix {
        "DSA" | "DLA" | "DTSA" => format!("https://security-tracker.debian.org/tracker/{id}"),
        "DEBIAN" => {
            format!("https://security-tracker.debian.org/tracker/{}", id.strip_prefix("DEBIAN-")?)
        }
        "USN" | "LSN" => format!("https://ubuntu.com/security/notices/{id}"),
        "UBUNTU" => format!("https://ubuntu.com/security/{}", id.strip_prefix("UBUNTU-")?),
        "ALPINE" => {
            format!("https://security.alpinelinux.org/vuln/{}", id.strip_prefix("ALPINE-")?)
        }
        "GHSA" => format!("https://github.com/advisories/{id}"),
        "GO" => format!("https://pkg.go.dev/vuln/{id}"),
        "RUSTSEC" => format!("https://rustsec.org/advisories/{id}.html"),
        "CVE" => format!("https://nvd.nist.gov/vuln/detail/{id}"),
        "RLSA" => format!("https://errata.rockylinux.org/{id}"),
        "RHSA" => format!("https://access.redhat.com/errata/{id}"),
        "MAL" | "PYSEC" | "BIT" | "SUSE" | "openSUSE" => {
            format!("https://osv.dev/vulnerability/{id}")
        }
        _ => return None,
    })
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
    fn packed_ids_come_back_the_same() {
        for id in ["CVE-1999-0001", "CVE-2021-44228", "CVE-2024-1000000"] {
            assert_eq!(unpack(pack(id).unwrap()), id);
        }
        for id in [
            "CVE-2021-00044228",
            "CVE-21-1",
            "CVE-2021-",
            "CVE-2021-+123",
            "GHSA-x",
            "CVE-2021-99999999",
        ] {
            assert_eq!(pack(id), None, "{id}");
        }
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
