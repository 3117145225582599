//! Groups findings into what a person can act on: one block for each package to upgrade.
//!
//! In go the findings that policy did not silence, out come blocks, worst first. Binaries that were
//! built from one source package in one version and came in one layer are one block, because one
//! upgrade mends them together; the JSON forms keep every finding apart.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use version::Scheme;
use vocabulary::fix::Upgrade;
use vocabulary::{
    Finding, Fingerprint, Fix, OriginKind, Package, Purl, Report, Severity, VulnerableCode,
};

/// Counts by severity.
pub(crate) type Counts = BTreeMap<Severity, u64>;

/// A package, or the packages of one source, with what is wrong with it.
pub(crate) struct Block<'report> {
    /// Source package where there is one, else the package.
    pub(crate) name: &'report str,
    pub(crate) version: &'report str,
    pub(crate) ecosystem: &'report str,
    pub(crate) layer: Option<u32>,
    pub(crate) origin: OriginKind,
    /// The packages themselves.
    pub(crate) packages: BTreeSet<&'report str>,
    /// Where they were found.
    pub(crate) places: BTreeSet<String>,
    /// At how many more places it lies that are not listed.
    pub(crate) more_places: u64,
    /// Worst first.
    pub(crate) issues: Vec<Issue<'report>>,
    /// How many issues of each severity.
    pub(crate) counts: Counts,
    /// Where the step goes that changes it: one version, or `a version after` one. None where no step does.
    pub(crate) upgrade: Vec<&'report str>,
    /// The same behind a subscription, where that is all there is.
    pub(crate) subscription: Option<&'report str>,
    /// How many issues that upgrade mends.
    pub(crate) mended: usize,
    /// How many more a subscription mends, and which.
    pub(crate) paid: Option<(usize, &'report str)>,
}

/// One vulnerability of a block.
pub(crate) struct Issue<'report> {
    pub(crate) id: &'report str,
    pub(crate) severity: Severity,
    pub(crate) finding: &'report Finding,
    /// Whether the step clears it in all packages of the block.
    pub(crate) offered: bool,
    /// Whether what is vulnerable is in the programs; absent only where it is in none of them.
    pub(crate) code: Option<VulnerableCode>,
}

impl Block<'_> {
    /// Whether a step clears some of it.
    pub(crate) const fn is_offered(&self) -> bool {
        !self.upgrade.is_empty()
    }

    /// Whether advisories name a fix of some of it.
    pub(crate) fn has_fix(&self) -> bool {
        self.issues.iter().any(|issue| issue.finding.is_mendable())
    }
}

/// The version that advisories say mends a finding, or `after` the last one that has it: a fact, and no
/// advice.
pub(crate) fn mended_in(finding: &Finding) -> Option<Cow<'_, str>> {
    finding.upgrade()?.named()
}

/// Where to go, for a cell: the version of the step, or what is known where no step clears it.
pub(crate) fn advised(finding: &Finding) -> Cow<'_, str> {
    let fact = || finding.upgrade().and_then(Upgrade::fact);
    match finding.offered().or_else(|| change_of(finding)) {
        Some(to) => to.into(),
        None => fact().map_or_else(|| "".into(), |fact| format!("none known, {fact}").into()),
    }
}

/// What is to be done where no other version is what mends it: an edit or a setting, in one line.
pub(crate) fn change_of(finding: &Finding) -> Option<&str> {
    finding.fix.as_ref().filter(|fix| fix.upgrade().is_none()).map(Fix::title)
}

/// The version that advisories say mends a finding: a fact, and no advice.
pub(crate) fn fixed_in(finding: &Finding) -> Option<&str> {
    finding.upgrade()?.version.as_deref()
}

/// The id that people know a finding by: the vulnerability's, else its rule's.
pub(crate) fn id_of(finding: &Finding) -> &str {
    let id = finding.id.as_deref().filter(|_| finding.is_of_advisory());
    id.unwrap_or(&finding.rule)
}

/// A package's name as its ecosystem writes it, with scope or group.
pub(crate) fn name_of(purl: &Purl) -> Cow<'_, str> {
    match (purl.kind(), purl.namespace()) {
        ("maven", Some(group)) => format!("{group}:{}", purl.name()).into(),
        // Of what a distribution packs, the namespace is the vendor.
        ("alpm" | "alpine" | "apk" | "deb" | "opkg" | "rpm" | "slackware" | "xbps", _) => {
            purl.name().into()
        }
        (_, Some(owner)) => format!("{owner}/{}", purl.name()).into(),
        _ => purl.name().into(),
    }
}

/// The findings that policy did not silence.
pub(crate) fn open_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    let silenced: HashSet<&Fingerprint> =
        report.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
    report.findings.iter().filter(move |finding| !silenced.contains(&finding.fingerprint))
}

/// Blocks of the open vulnerabilities, worst first.
pub(crate) fn blocks(report: &Report) -> Vec<Block<'_>> {
    let packages: HashMap<&Purl, &Package> =
        report.packages.iter().rev().map(|package| (&package.purl, package)).collect();
    let mut blocks: BTreeMap<_, Block<'_>> = BTreeMap::new();
    for finding in open_findings(report).filter(|finding| finding.is_vulnerability()) {
        let package = finding.package.as_ref().and_then(|purl| packages.get(purl).copied());
        let name = own_name(finding, package);
        let source = package.and_then(|package| package.source.as_ref());
        let title = source.map_or(name, |source| source.name.as_str());
        let version = package
            .map(|package| package.version.as_str())
            .or_else(|| finding.package.as_ref().and_then(Purl::version))
            .unwrap_or_default();
        let ecosystem = finding.ecosystem.as_ref().map_or("", |ecosystem| ecosystem.as_str());
        let block =
            blocks.entry((ecosystem, title, version, finding.layer)).or_insert_with(|| Block {
                name: title,
                version,
                ecosystem,
                layer: finding.layer,
                origin: finding.origin,
                packages: BTreeSet::new(),
                places: BTreeSet::new(),
                more_places: 0,
                issues: Vec::new(),
                counts: Counts::new(),
                upgrade: Vec::new(),
                subscription: None,
                mended: 0,
                paid: None,
            });
        block.packages.insert(name);
        block.places.insert(finding.location.to_string());
        block.more_places = block.more_places.max(finding.more_places);
        block.issues.push(Issue {
            id: id_of(finding),
            severity: finding.severity,
            finding,
            offered: finding.offered().is_some(),
            code: finding.vulnerable_code(),
        });
    }
    let mut blocks: Vec<_> = blocks.into_values().collect();
    for block in &mut blocks {
        settle(block);
    }
    blocks.sort_by(|left, right| worse(&right.counts, &left.counts));
    blocks
}

fn own_name<'report>(finding: &'report Finding, package: Option<&'report Package>) -> &'report str {
    match (package, &finding.package) {
        (Some(package), _) => &package.name,
        (None, Some(purl)) => purl.name(),
        (None, None) => "",
    }
}

/// One issue for each id, counts, and the version that is offered for them.
fn settle(block: &mut Block<'_>) {
    let scheme = Scheme::of_ecosystem(block.ecosystem);
    block.issues.sort_by(|left, right| {
        left.id
            .cmp(right.id)
            .then_with(|| right.severity.cmp(&left.severity))
            .then_with(|| by_fix(scheme, right.finding, left.finding))
    });
    block.issues.dedup_by(|later, earlier| {
        let same = later.id == earlier.id;
        if same {
            earlier.offered &= later.offered;
            earlier.code = match (earlier.code, later.code) {
                (Some(VulnerableCode::Present), _) | (_, Some(VulnerableCode::Present)) => {
                    Some(VulnerableCode::Present)
                }
                (Some(_), Some(_)) => Some(VulnerableCode::Absent),
                _ => None,
            };
        }
        same
    });
    block.issues.sort_by(|left, right| {
        right.severity.cmp(&left.severity).then_with(|| natural(left.id, right.id))
    });
    for issue in &block.issues {
        *block.counts.entry(issue.severity).or_default() += 1;
    }
    let offered = block.issues.iter().filter(|issue| issue.offered);
    let offers = offered.filter_map(|issue| issue.finding.upgrade());
    let (paid, free): (Vec<&Upgrade>, Vec<&Upgrade>) =
        offers.partition(|fix| fix.subscription.is_some());
    let (taken, more) = if free.is_empty() { (&paid, None) } else { (&free, Some(&paid)) };
    block.upgrade = taken.iter().filter_map(|fix| fix.to.as_deref()).collect();
    block.upgrade.sort_unstable();
    block.upgrade.dedup();
    block.subscription = taken.iter().find_map(|fix| fix.subscription.as_deref());
    block.mended = taken.len();
    let more = more.and_then(|paid| Some((paid.len(), paid.first()?.subscription.as_deref()?)));
    block.paid = more;
}

/// No fix first, then by version, so that the greatest is the one that mends most.
fn by_fix(scheme: Option<Scheme>, left: &Finding, right: &Finding) -> Ordering {
    match (fixed_in(left), fixed_in(right)) {
        (Some(left), Some(right)) => scheme
            .and_then(|scheme| scheme.compare(left, right).ok())
            .unwrap_or_else(|| left.cmp(right)),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

/// Compares counts, most critical first.
fn worse(left: &Counts, right: &Counts) -> Ordering {
    Severity::WORST_FIRST
        .iter()
        .map(|level| left.get(level).cmp(&right.get(level)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares ids so that `CVE-2023-9` comes before `CVE-2023-10`.
fn natural(left: &str, right: &str) -> Ordering {
    let mut rights = right.split('-');
    for part in left.split('-') {
        let Some(other) = rights.next() else { return Ordering::Greater };
        let order = match (part.parse::<u64>(), other.parse::<u64>()) {
            (Ok(part), Ok(other)) => part.cmp(&other),
            _ => part.cmp(other),
        };
        if order.is_ne() {
            return order;
        }
    }
    rights.next().map_or_else(|| left.cmp(right), |_| Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_numbers() {
        let mut ids = ["CVE-2023-10", "GHSA-a", "CVE-2023-9", "CVE-2023", "CVE-2022-99999"];
        ids.sort_by(|left, right| natural(left, right));
        assert_eq!(ids, ["CVE-2022-99999", "CVE-2023", "CVE-2023-9", "CVE-2023-10", "GHSA-a"]);
    }

    #[test]
    fn a_name_keeps_its_owner_and_leaves_the_vendor_of_a_distribution() {
        for (purl, expected) in [
            ("pkg:github/actions/checkout@v4", "actions/checkout"),
            ("pkg:npm/%40scope/a@1", "@scope/a"),
            ("pkg:maven/org.acme/lib@1", "org.acme:lib"),
            ("pkg:swift/github.com/acme/lib@1", "github.com/acme/lib"),
            ("pkg:terraform/registry.terraform.io/acme/aws@1", "registry.terraform.io/acme/aws"),
            ("pkg:deb/debian/curl@1", "curl"),
            ("pkg:rpm/almalinux/curl@1", "curl"),
            ("pkg:pypi/flask@1", "flask"),
        ] {
            assert_eq!(name_of(&purl.parse().unwrap()), expected);
        }
    }

    #[test]
    fn severities_are_compared_level_by_level() {
        let many_low = Counts::from([(Severity::Low, 50)]);
        let one_high = Counts::from([(Severity::High, 1)]);
        assert_eq!(worse(&one_high, &many_low), Ordering::Greater);
        assert_eq!(worse(&many_low, &many_low), Ordering::Equal);
    }
}
