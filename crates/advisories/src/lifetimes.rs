//! Until when releases of distributions get security updates.
//!
//! In go a distribution and a day, out comes a finding where the updates have ended, and coverage that
//! says what is known. A table of facts, each from the page of the publisher that its section names;
//! free long-term support counts as support, paid one is named. A release that is not in the table is
//! said to be not known: nothing is derived from dates of others.

use std::borrow::Cow::Borrowed;
use vocabulary::fix::Upgrade;
use vocabulary::{
    Class, Coverage, Distribution, Finding, Fix, Location, OriginKind, Rule, Safety, Severity,
};

/// A release of a distribution, or a program's line, that gets no security updates any more.
pub static END_OF_LIFE: Rule = Rule {
    id: Borrowed("end-of-life"),
    class: Class::Vulnerability,
    title: Borrowed("Release past its end of life"),
    why: Borrowed(
        "Its publisher mends nothing in it any more, and says nothing of new vulnerabilities: that none are known means little.",
    ),
    severity: Severity::High,
    remedy: Borrowed("Move to a release that is maintained, usually by a newer base image."),
    reference: Some(Borrowed("https://endoflife.date/")),
    always: None,
};

/// The name of the check.
const CHECK: &str = "end-of-life";

/// One release.
struct Lifetime {
    /// `ID` of os-release.
    id: &'static str,
    /// `VERSION_ID`, or what it begins with before a dot.
    version: &'static str,
    /// Last day of security updates for everybody, `YYYY-MM-DD`.
    ends: &'static str,
    /// What subscribers get, and until when.
    paid: Option<(&'static str, &'static str)>,
}

const fn free(id: &'static str, version: &'static str, ends: &'static str) -> Lifetime {
    Lifetime { id, version, ends, paid: None }
}

const fn paid(
    id: &'static str,
    version: &'static str,
    ends: &'static str,
    name: &'static str,
    until: &'static str,
) -> Lifetime {
    Lifetime { id, version, ends, paid: Some((name, until)) }
}

/// Sorted by id, then by release.
const LIFETIMES: &[Lifetime] = &[
    // AlmaLinux wiki, "Release Notes": security support.
    free("almalinux", "8", "2029-03-01"),
    free("almalinux", "9", "2032-05-31"),
    free("almalinux", "10", "2035-05-31"),
    // Alpine Linux, "Releases": end of support of each branch.
    free("alpine", "3.8", "2020-05-01"),
    free("alpine", "3.9", "2020-11-01"),
    free("alpine", "3.10", "2021-05-01"),
    free("alpine", "3.11", "2021-11-01"),
    free("alpine", "3.12", "2022-05-01"),
    free("alpine", "3.13", "2022-11-01"),
    free("alpine", "3.14", "2023-05-01"),
    free("alpine", "3.15", "2023-11-01"),
    free("alpine", "3.16", "2024-05-23"),
    free("alpine", "3.17", "2024-11-22"),
    free("alpine", "3.18", "2025-05-09"),
    free("alpine", "3.19", "2025-11-01"),
    free("alpine", "3.20", "2026-04-01"),
    free("alpine", "3.21", "2026-11-01"),
    free("alpine", "3.22", "2027-05-01"),
    // Amazon Linux FAQs.
    free("amzn", "2018.03", "2023-12-31"),
    free("amzn", "2", "2026-06-30"),
    free("amzn", "2023", "2029-06-30"),
    // CentOS, "End of Lifetime (EOL) Dates".
    free("centos", "6", "2020-11-30"),
    free("centos", "7", "2024-06-30"),
    free("centos", "8", "2024-05-31"),
    // Debian wiki, "LTS": long-term support is free.
    free("debian", "7", "2018-05-31"),
    paid("debian", "8", "2020-06-30", "Freexian ELTS", "2025-06-30"),
    paid("debian", "9", "2022-06-30", "Freexian ELTS", "2027-06-30"),
    paid("debian", "10", "2024-06-30", "Freexian ELTS", "2029-06-30"),
    paid("debian", "11", "2026-08-31", "Freexian ELTS", "2031-06-30"),
    free("debian", "12", "2028-06-30"),
    free("debian", "13", "2030-06-30"),
    // Fedora documentation, "Fedora Linux EOL Releases".
    free("fedora", "36", "2023-05-16"),
    free("fedora", "37", "2023-12-05"),
    free("fedora", "38", "2024-05-21"),
    free("fedora", "39", "2024-11-26"),
    free("fedora", "40", "2025-05-13"),
    // Microsoft, "CBL-Mariner support".
    free("mariner", "1.0", "2023-07-31"),
    free("mariner", "2.0", "2025-07-31"),
    // Oracle, "Lifetime Support Policy: Oracle Linux", premier support.
    paid("ol", "7", "2024-12-31", "Oracle extended support", "2028-06-30"),
    free("ol", "8", "2029-07-31"),
    free("ol", "9", "2032-06-30"),
    // openSUSE wiki, "Lifetime".
    free("opensuse-leap", "15.3", "2022-12-31"),
    free("opensuse-leap", "15.4", "2023-12-07"),
    free("opensuse-leap", "15.5", "2024-12-31"),
    // VMware, "Photon OS lifecycle".
    free("photon", "3.0", "2024-03-01"),
    // Red Hat, "Red Hat Enterprise Linux Life Cycle": maintenance support.
    paid("rhel", "6", "2020-11-30", "Red Hat ELS", "2024-06-30"),
    paid("rhel", "7", "2024-06-30", "Red Hat ELS", "2028-06-30"),
    free("rhel", "8", "2029-05-31"),
    free("rhel", "9", "2032-05-31"),
    // Rocky Linux wiki, "Release and Version Guide".
    free("rocky", "8", "2029-05-31"),
    free("rocky", "9", "2032-05-31"),
    // SUSE, "Product Support Lifecycle": general support.
    paid("sles", "12.5", "2024-10-31", "SUSE LTSS", "2027-10-31"),
    paid("sles", "15.3", "2022-12-31", "SUSE LTSS", "2025-12-31"),
    paid("sles", "15.4", "2023-12-31", "SUSE LTSS", "2026-12-31"),
    paid("sles", "15.5", "2024-12-31", "SUSE LTSS", "2027-12-31"),
    paid("sles", "15.6", "2025-12-31", "SUSE LTSS", "2028-12-31"),
    // Ubuntu, "Release cycle": standard security maintenance.
    paid("ubuntu", "14.04", "2019-04-25", "Ubuntu Pro", "2024-04-25"),
    paid("ubuntu", "16.04", "2021-04-30", "Ubuntu Pro", "2026-04-23"),
    paid("ubuntu", "18.04", "2023-05-31", "Ubuntu Pro", "2028-04-01"),
    paid("ubuntu", "20.04", "2025-05-31", "Ubuntu Pro", "2030-04-02"),
    free("ubuntu", "22.10", "2023-07-20"),
    free("ubuntu", "23.04", "2024-01-25"),
    free("ubuntu", "23.10", "2024-07-11"),
    free("ubuntu", "24.10", "2025-07-10"),
    paid("ubuntu", "22.04", "2027-04-01", "Ubuntu Pro", "2032-04-09"),
    paid("ubuntu", "24.04", "2029-04-25", "Ubuntu Pro", "2034-04-25"),
];

/// A finding where a release's security updates have ended before `today` (`YYYY-MM-DD`), and what is
/// known of its end. Nothing for releases that roll, which have no number.
#[must_use]
pub fn end_of_life(
    distribution: Option<&Distribution>,
    today: &str,
) -> (Option<Finding>, Option<Coverage>) {
    let Some(distribution) = distribution.filter(|known| !known.version.is_empty()) else {
        return (None, None);
    };
    let mut coverage = Coverage::ran(CHECK);
    let Some(lifetime) = lifetime(distribution) else {
        let Distribution { id, version, .. } = distribution;
        coverage.reason = Some(format!("until when {id} {version} is supported is not known here"));
        return (None, Some(coverage));
    };
    coverage.reason = Some(format!("security updates until {}", lifetime.ends));
    // Days of this form sort like texts.
    let finding = (today > lifetime.ends).then(|| finding(distribution, lifetime, today));
    (finding, Some(coverage))
}

fn lifetime(distribution: &Distribution) -> Option<&'static Lifetime> {
    let is = |lifetime: &&Lifetime| {
        lifetime.id == distribution.id
            && distribution
                .version
                .strip_prefix(lifetime.version)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    LIFETIMES.iter().find(is)
}

fn finding(distribution: &Distribution, lifetime: &Lifetime, today: &str) -> Finding {
    let name = distribution
        .pretty_name
        .clone()
        .unwrap_or_else(|| format!("{} {}", distribution.id, distribution.version));
    let subscription = lifetime.paid.filter(|(_, until)| today <= *until);
    let rest = subscription.map_or_else(String::new, |(paid, until)| {
        format!("; subscribers of {paid} get them until {until}")
    });
    let title = format!("{name} gets no security updates since {}{rest}", lifetime.ends);
    let identity = format!("{} {}", lifetime.id, lifetime.version);
    let severity = if subscription.is_some() { Severity::Medium } else { Severity::High };
    Finding {
        severity,
        origin: OriginKind::Base,
        fix: Some(Fix::Upgrade(Upgrade {
            title: "move to a base image of a release that is supported".to_owned(),
            safety: Safety::Review,
            version: None,
            after: None,
            to: None,
            subscription: subscription.map(|(paid, _)| paid.to_owned()),
        })),
        ..Finding::of(&END_OF_LIFE, Some(&identity), title, Location::Subject, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(id: &str, version: &str, today: &str) -> (Option<Finding>, Option<Coverage>) {
        let distribution = Distribution {
            id: id.to_owned(),
            version: version.to_owned(),
            codename: None,
            pretty_name: None,
            like: Vec::new(),
        };
        end_of_life(Some(&distribution), today)
    }

    #[test]
    fn the_last_day_is_supported_and_the_next_is_not() {
        assert!(on("alpine", "3.18.4", "2025-05-08").0.is_none());
        assert!(on("alpine", "3.18.4", "2025-05-09").0.is_none());
        let finding = on("alpine", "3.18.4", "2025-05-10").0.unwrap();
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.title, "alpine 3.18.4 gets no security updates since 2025-05-09");
    }

    #[test]
    fn what_subscribers_get_is_said_while_they_get_it() {
        let during = on("ubuntu", "20.04", "2026-01-01").0.unwrap();
        assert_eq!(during.severity, Severity::Medium);
        assert!(during.title.contains("Ubuntu Pro get them until 2030-04-02"), "{}", during.title);
        let after = on("ubuntu", "20.04", "2031-01-01").0.unwrap();
        assert_eq!(after.severity, Severity::High);
        assert_eq!(after.fingerprint, during.fingerprint);
    }

    #[test]
    fn a_release_is_not_taken_for_one_that_it_begins_like() {
        assert!(on("alpine", "3.1", "2030-01-01").0.is_none());
        let (finding, coverage) = on("alpine", "3.1", "2030-01-01");
        assert!(finding.is_none());
        assert!(coverage.unwrap().reason.unwrap().contains("not known"));
        assert!(on("debian", "", "2030-01-01").1.is_none());
        assert!(on("debian", "1", "2030-01-01").0.is_none());
        assert!(on("rhel", "8.9", "2030-01-01").0.is_some());
    }

    #[test]
    fn every_day_is_one_and_every_release_stands_once() {
        let day = |text: &str| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
        let mut seen = std::collections::BTreeSet::new();
        for lifetime in LIFETIMES {
            assert!(day(lifetime.ends), "{} {}", lifetime.id, lifetime.version);
            assert!(lifetime.paid.is_none_or(|(_, until)| day(until) && until > lifetime.ends));
            assert!(seen.insert((lifetime.id, lifetime.version)));
        }
    }
}
