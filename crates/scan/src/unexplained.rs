//! Which of the archive's updates are said besides advisories.
//!
//! A finding of the archive says that there is something to mend, not what. Where a vulnerability of the
//! same package at the same place is mended only by the archive's version or a later one, it says the
//! same and more, and the archive's finding is left out. What only subscribers get does not stand for
//! what everybody gets. Whether policy silences the vulnerability is of no concern: it was named.

use std::cmp::Ordering;
use std::collections::HashMap;
use version::Scheme;
use vocabulary::{Evidence, Finding, Location, Purl};

/// Those of the archive's findings that no vulnerability among `known` explains.
pub(crate) fn unexplained(fresh: &[Finding], known: &[Finding]) -> Vec<Finding> {
    let mut fixes: HashMap<(&Purl, &Location), Vec<&str>> = HashMap::new();
    for finding in known.iter().filter(|finding| finding.is_vulnerability()) {
        let fix = finding.upgrade().filter(|fix| fix.subscription.is_none());
        if let (Some(purl), Some(version)) =
            (&finding.package, fix.and_then(|fix| fix.version.as_deref()))
        {
            fixes.entry((purl, &finding.location)).or_default().push(version);
        }
    }
    let explained = |finding: &&Finding| {
        let Some(purl) = &finding.package else { return false };
        let Some(fixes) = fixes.get(&(purl, &finding.location)) else { return false };
        offered(finding).is_some_and(|offered| fixes.iter().any(|fix| reaches(fix, offered)))
    };
    fresh.iter().filter(|finding| !explained(finding)).cloned().collect()
}

/// Advisories of Debian and Ubuntu are about source packages, and so are the versions that mend.
fn offered(finding: &Finding) -> Option<&str> {
    finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Archive(archive) => Some(archive.source_version.as_str()),
        _ => None,
    })
}

fn reaches(fix: &str, offered: &str) -> bool {
    matches!(Scheme::Debian.compare(fix, offered), Ok(Ordering::Equal | Ordering::Greater))
}

#[cfg(test)]
mod tests {
    use super::*;
    use advisories::KNOWN_VULNERABILITY;
    use freshness::SECURITY_UPDATE_AVAILABLE;
    use vocabulary::fix::Upgrade;
    use vocabulary::{ArchiveEvidence, Fix, Rule, Safety};

    fn finding(rule: &Rule, name: &str, fix: &str, subscription: Option<&str>) -> Finding {
        let archive = ArchiveEvidence {
            archive: String::new(),
            suite: String::new(),
            date: String::new(),
            signer: String::new(),
            version: format!("{fix}+b1"),
            source_version: fix.to_owned(),
        };
        let evidence = match rule.id == SECURITY_UPDATE_AVAILABLE.id {
            true => vec![Evidence::Archive(Box::new(archive))],
            false => Vec::new(),
        };
        let id = (rule.id == KNOWN_VULNERABILITY.id).then(|| "CVE-2099-1".to_owned());
        let location = Location::file("var/lib/dpkg/status", None);
        Finding {
            id,
            package: Some(Purl::new("deb", name).with_version("1")),
            fix: Some(Fix::Upgrade(Upgrade {
                title: String::new(),
                safety: Safety::Safe,
                version: Some(fix.to_owned()),
                after: None,
                to: None,
                subscription: subscription.map(str::to_owned),
            })),
            ..Finding::of(rule, None, String::new(), location, evidence)
        }
    }

    #[test]
    fn an_update_is_left_out_only_where_an_advisory_asks_for_it_or_more() {
        let update = |name| finding(&SECURITY_UPDATE_AVAILABLE, name, "2-1", None);
        let vulnerability = |name, fix, paid| finding(&KNOWN_VULNERABILITY, name, fix, paid);
        let fresh =
            [update("same"), update("later"), update("earlier"), update("paid"), update("none")];
        let known = [
            vulnerability("same", "2-1", None),
            vulnerability("later", "3-1", None),
            vulnerability("earlier", "1.9-1", None),
            vulnerability("paid", "2-1", Some("Ubuntu Pro")),
            vulnerability("other", "2-1", None),
        ];
        let left: Vec<_> = unexplained(&fresh, &known)
            .iter()
            .map(|finding| finding.package.as_ref().unwrap().name().to_owned())
            .collect();
        assert_eq!(left, ["earlier", "paid", "none"]);
    }
}
