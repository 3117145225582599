//! A number and what it counts, in words: `1 container`, `3 containers`.
//!
//! Every room that tells people something counts, and none should say `1 containers`.

use crate::Finding;
use std::collections::BTreeSet;
use std::fmt::Display;

/// `1 finding`, `3 findings`.
#[must_use]
pub fn counted(
    number: impl Copy + Display + PartialEq + From<u8>,
    one: &str,
    many: &str,
) -> String {
    let noun = if number == 1.into() { one } else { many };
    format!("{number} {noun}")
}

/// Vulnerabilities by the unit that people count in, and the findings that they are: a vulnerability is
/// one finding in each package and place.
#[derive(Clone, Debug, Default)]
pub struct Count {
    ids: BTreeSet<String>,
    findings: u64,
    others: u64,
}

impl Count {
    /// Counts findings.
    #[must_use]
    pub fn of<'findings>(findings: impl IntoIterator<Item = &'findings Finding>) -> Self {
        let mut count = Self::default();
        findings.into_iter().for_each(|finding| count.add(finding));
        count
    }

    /// Counts one more.
    pub fn add(&mut self, finding: &Finding) {
        self.findings += 1;
        match finding.id.as_ref().filter(|_| finding.is_vulnerability()) {
            Some(id) => {
                self.ids.insert(id.clone());
            }
            None => self.others += 1,
        }
    }

    /// How many findings.
    #[must_use]
    pub const fn findings(&self) -> u64 {
        self.findings
    }

    /// Whether several findings are of one vulnerability.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        let ids = u64::try_from(self.ids.len()).unwrap_or(u64::MAX);
        ids.saturating_add(self.others) < self.findings
    }

    /// `29 CVEs (55 findings)`; `3 findings` where each has an id of its own.
    #[must_use]
    pub fn phrase(&self) -> String {
        self.phrase_of("finding", "findings")
    }

    /// The same, by other nouns for findings: `new finding`.
    #[must_use]
    pub fn phrase_of(&self, one: &str, many: &str) -> String {
        let findings = counted(self.findings, one, many);
        match self.others {
            _ if !self.is_shared() => findings,
            0 => format!("{} ({findings})", counted_ids(&self.ids)),
            others => {
                let others = counted(others, "other", "others");
                format!("{} and {others} ({findings})", counted_ids(&self.ids))
            }
        }
    }
}

/// `3 CVEs`; `3 vulnerabilities` where not all of them have one.
#[must_use]
pub fn counted_ids<'ids>(ids: impl IntoIterator<Item = &'ids String>) -> String {
    let (mut number, mut all_cves) = (0_u64, true);
    for id in ids {
        number += 1;
        all_cves &= id.starts_with("CVE-");
    }
    match all_cves && number > 0 {
        true => counted(number, "CVE", "CVEs"),
        false => counted(number, "vulnerability", "vulnerabilities"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Fingerprint, Location, OriginKind, Severity};

    #[test]
    fn vulnerabilities_are_counted_by_id_and_beside_them_their_findings() {
        let finding = |id: &str| Finding {
            rule: "flaw".to_owned(),
            class: Class::Vulnerability,
            id: Some(id.to_owned()),
            aliases: Vec::new(),
            severity: Severity::High,
            confidence: crate::Confidence::High,
            title: String::new(),
            location: Location::Subject,
            package: None,
            ecosystem: None,
            layer: None,
            origin: OriginKind::Unknown,
            fix: None,
            risk: None,
            evidence: Vec::new(),
            more_places: 0,
            fingerprint: Fingerprint::new("flaw", Some(id), None, &Location::Subject),
        };
        let phrase = |ids: &[&str]| {
            let findings: Vec<Finding> = ids.iter().map(|id| finding(id)).collect();
            Count::of(&findings).phrase()
        };
        assert_eq!(phrase(&["CVE-1", "CVE-2", "CVE-1"]), "2 CVEs (3 findings)");
        assert_eq!(phrase(&["CVE-1", "GHSA-a", "CVE-1"]), "2 vulnerabilities (3 findings)");
        assert_eq!(phrase(&["CVE-1", "CVE-2"]), "2 findings");
        assert_eq!(phrase(&[]), "0 findings");
        let mut count = Count::of(&[finding("CVE-1"), finding("CVE-1")]);
        count.add(&Finding { class: Class::Policy, ..finding("x") });
        assert_eq!(count.phrase(), "1 CVE and 1 other (3 findings)");
    }

    #[test]
    fn only_one_is_singular() {
        assert_eq!(counted(0_u64, "seal", "seals"), "0 seals");
        assert_eq!(counted(1_usize, "seal", "seals"), "1 seal");
        assert_eq!(counted(2_u64, "seal", "seals"), "2 seals");
    }
}
