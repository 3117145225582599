//! How many findings one subject may have.
//!
//! Packages, places and vulnerabilities multiply: a copy of a package costs an attacker some bytes, and
//! each of its vulnerabilities two thousand here. So the places of one package are listed up to a
//! number and counted beyond it, and findings end where there is no more room for them. Both are
//! coverage, and which are listed depends on the packages alone.

use std::collections::HashMap;
use vocabulary::{Evidence, Finding, Location, Package, Problem, Purl};

/// Bytes of all findings of a subject, as far as they can be told: some sixty thousand, which take four
/// times as much with all that is decided of them. Real images have some ten thousand.
pub(super) const FINDING_BYTES: u64 = 96 << 20;

/// Places of one package in one version that have findings of their own. A large workspace of
/// JavaScript has some hundred copies of its most frequent package.
const PLACES: u64 = 500;

/// Problems of one ecosystem that are gathered, of which coverage shows the first.
pub(super) const PROBLEMS: usize = 20_000;

/// Bytes of one record's evidence: itself and its texts.
const EVIDENCE_BYTES: usize = size_of::<Evidence>() + 640;

/// Bytes of the texts of a finding that are short and many: identifiers, their allocations.
const TEXT_BYTES: usize = 320;

/// What findings take, near enough.
pub(super) fn bytes_of(findings: &[Finding]) -> u64 {
    let of = |finding: &Finding| {
        let aliases: usize = finding.aliases.iter().map(|alias| alias.len() + 32).sum();
        let path = finding.location.path().map_or(0, str::len);
        let evidence = finding.evidence.len() * EVIDENCE_BYTES;
        size_of::<Finding>() + TEXT_BYTES + finding.title.len() + aliases + path + evidence
    };
    findings.iter().map(|finding| of(finding) as u64).sum()
}

/// The packages that are matched, and how many more places each lies at.
pub(super) struct Listed<'packages> {
    pub(super) packages: Vec<&'packages Package>,
    more: HashMap<(&'packages Purl, &'packages Location), u64>,
}

/// The first places of each package.
pub(super) fn listed<'packages>(packages: &[&'packages Package]) -> Listed<'packages> {
    let mut more = HashMap::new();
    if (packages.len() as u64) <= PLACES {
        return Listed { packages: packages.to_vec(), more };
    }
    let mut places: HashMap<&Purl, (u64, &Location)> = HashMap::with_capacity(packages.len());
    let mut listed = Vec::with_capacity(packages.len());
    for package in packages {
        let (count, _) = places.entry(&package.purl).or_insert((0, &package.location));
        *count += 1;
        if *count <= PLACES {
            listed.push(*package);
        }
    }
    let over = places.into_iter().filter(|(_, (count, _))| *count > PLACES);
    more.extend(over.map(|(purl, (count, first))| ((purl, first), count - PLACES)));
    Listed { packages: listed, more }
}

impl Listed<'_> {
    /// Says in the findings of a package's first place at how many more it lies; what coverage says of
    /// it comes out.
    pub(super) fn mark(&self, findings: &mut [Finding]) -> Vec<Problem> {
        let mut said: HashMap<(&Purl, &Location), u64> = HashMap::new();
        if self.more.is_empty() {
            return Vec::new();
        }
        for finding in findings {
            let Some(purl) = &finding.package else { continue };
            if let Some((key, more)) = self.more.get_key_value(&(purl, &finding.location)) {
                finding.more_places = *more;
                said.insert(*key, *more);
            }
        }
        let problem = |((purl, location), more): ((&Purl, &Location), u64)| Problem {
            path: location.path().unwrap_or_default().to_owned(),
            layer: location.layer(),
            reason: format!(
                "{purl} lies at {more} more places than are listed: its findings count them"
            ),
        };
        said.into_iter().map(problem).collect()
    }
}

/// What coverage says of packages whose findings do not fit.
pub(super) fn unlisted(packages: u64) -> Problem {
    let packages = vocabulary::counted(packages, "more package has", "more packages have");
    Problem {
        path: "/".to_owned(),
        layer: None,
        reason: format!("{packages} vulnerabilities, beyond what is listed of one subject"),
    }
}
