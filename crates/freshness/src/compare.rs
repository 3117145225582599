//! Holds what is installed against what an archive offers.
//!
//! In go packages and offers, out come findings where the archive has a newer version, in dpkg's order;
//! what stands there already is no finding, and what the archive does not have is none either.

use crate::packages_index::Offer;
use std::borrow::Cow::Borrowed;
use std::cmp::Ordering;
use std::collections::HashMap;
use version::Scheme;
use vocabulary::fix::Upgrade;
use vocabulary::{
    ArchiveEvidence, Class, Evidence, Finding, Fingerprint, Fix, Package, Presence, Problem, Rule,
    Safety, Severity,
};

/// A package for which the distribution's own archive has a newer security version.
pub static SECURITY_UPDATE_AVAILABLE: Rule = Rule {
    id: Borrowed("security-update-available"),
    class: Class::Vulnerability,
    title: Borrowed("Security update not installed"),
    why: Borrowed(
        "The distribution has published a newer version as a security update, whether or not an advisory is known here.",
    ),
    severity: Severity::Medium,
    remedy: Borrowed("Upgrade the package, or rebuild on a newer base image."),
    reference: None,
    always: None,
};

/// What is said of the archive in each finding.
pub(crate) struct Told {
    pub(crate) archive: String,
    pub(crate) suite: String,
    pub(crate) date: String,
    pub(crate) signer: String,
}

/// Whether a package is one of dpkg's that is installed.
pub(crate) fn concerns(package: &Package) -> bool {
    package.purl.kind() == "deb" && package.presence == Presence::Installed
}

/// The architecture that most packages are of.
pub(crate) fn native(packages: &[Package]) -> String {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for package in packages.iter().filter(|package| concerns(package)) {
        let named = package.architecture.as_deref().filter(|name| *name != "all");
        if let Some(name) = named {
            *counts.entry(name).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)));
    most.map_or("all", |(name, _)| name).to_owned()
}

/// Findings, and packages whose versions cannot be compared.
pub(crate) fn compare(
    packages: &[Package],
    offers: &[Offer],
    native: &str,
    told: &Told,
) -> (Vec<Finding>, Vec<Problem>) {
    let (mut findings, mut problems) = (Vec::new(), Vec::new());
    let mut newest: HashMap<(&str, &str), &Offer> = HashMap::new();
    for offer in offers {
        let slot = newest.entry((&offer.package, &offer.architecture)).or_insert(offer);
        if Scheme::Debian.compare(&slot.version, &offer.version) == Ok(Ordering::Less) {
            *slot = offer;
        }
    }
    for package in packages.iter().filter(|package| concerns(package)) {
        let architecture = package.architecture.as_deref().unwrap_or(native);
        let other = if architecture == "all" { native } else { "all" };
        let offers = [architecture, other].map(|own| newest.get(&(package.name.as_str(), own)));
        for offer in offers.into_iter().flatten().take(1) {
            match Scheme::Debian.compare(&package.version, &offer.version) {
                Ok(Ordering::Less) => findings.push(finding(package, offer, told)),
                Ok(_) => {}
                Err(error) => problems.push(Problem {
                    path: package.location.path().unwrap_or_default().to_owned(),
                    layer: package.location.layer(),
                    reason: format!("{} cannot be compared: {error}", package.name),
                }),
            }
        }
    }
    (findings, problems)
}

fn finding(package: &Package, offer: &Offer, told: &Told) -> Finding {
    let rule = &SECURITY_UPDATE_AVAILABLE;
    let evidence = ArchiveEvidence {
        archive: told.archive.clone(),
        suite: told.suite.clone(),
        date: told.date.clone(),
        signer: told.signer.clone(),
        version: offer.version.clone(),
        source_version: offer.source_version.clone(),
    };
    let title = format!(
        "{} {} has a security update in {}: {}",
        package.name, package.version, told.suite, offer.version
    );
    let location = package.location.clone();
    Finding {
        package: Some(package.purl.clone()),
        ecosystem: Some(package.ecosystem.clone()),
        layer: package.layer,
        origin: package.origin,
        fix: Some(Fix::Upgrade(Upgrade {
            title: format!("upgrade {} to {}", package.name, offer.version),
            safety: Safety::Safe,
            version: Some(offer.version.clone()),
            after: None,
            to: None,
            subscription: None,
        })),
        more_places: 0,
        fingerprint: Fingerprint::new(&rule.id, None, Some(&package.purl), &location),
        ..Finding::of(rule, None, title, location, vec![Evidence::Archive(Box::new(evidence))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Ecosystem, Location, Purl};

    fn package(name: &str, version: &str, architecture: &str) -> Package {
        let purl = Purl::new("deb", name).with_namespace("debian").with_version(version);
        let location = Location::file("var/lib/dpkg/status", None);
        Package {
            architecture: Some(architecture.to_owned()),
            ..Package::new(purl, Ecosystem::DEBIAN, name, version, location)
        }
    }

    fn offer(package: &str, version: &str, architecture: &str) -> Offer {
        Offer {
            package: package.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            source_version: version.to_owned(),
        }
    }

    #[test]
    fn older_packages_are_findings_in_dpkgs_order_and_by_architecture() {
        let packages = [
            package("a", "1.0~rc1-1", "amd64"),
            package("b", "1:1.0-1", "amd64"),
            package("c", "1.9-1", "all"),
            package("d", "1.0-1", "i386"),
            package("e", "1.0-1", "amd64"),
        ];
        let offers = [
            offer("a", "1.0-1", "amd64"),
            offer("b", "2.0-1", "amd64"),
            offer("c", "1.9-2", "all"),
            offer("c", "1.10-1", "all"),
            offer("d", "2.0-1", "amd64"),
            offer("e", "1.0-1", "amd64"),
        ];
        let told = Told {
            archive: "http://a.test".to_owned(),
            suite: "x-security".to_owned(),
            date: String::new(),
            signer: String::new(),
        };
        let native = native(&packages);
        assert_eq!(native, "amd64");
        let (findings, problems) = compare(&packages, &offers, &native, &told);
        let titles: Vec<_> = findings.iter().map(|finding| finding.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "a 1.0~rc1-1 has a security update in x-security: 1.0-1",
                "c 1.9-1 has a security update in x-security: 1.10-1",
            ]
        );
        assert_eq!(problems, []);
    }
}
