//! Groups findings into what a person can act on: one block for each package to upgrade.
//!
//! In go the findings that policy did not silence, out come blocks, worst first. Binaries that were
//! built from one source package in one version and came in one layer are one block, because one
//! upgrade mends them together; the JSON forms keep every finding apart.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use version::Scheme;
use vocabulary::upgrade::{Replaced, Upgrade};
use vocabulary::{
    Finding, Fingerprint, Fix, OriginKind, Package, Purl, Report, Rule, Severity, VulnerableCode,
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
    /// The versions that mend all of the issues that can be mended: one, unless they have no order.
    pub(crate) upgrade: Vec<&'report str>,
    /// The same behind a subscription, where that is all there is.
    pub(crate) subscription: Option<&'report str>,
    /// Where no version that mends anything is known by name: the last one that has all of it.
    pub(crate) after: Option<&'report str>,
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
    /// Whether what is vulnerable is in the programs; absent only where it is in none of them.
    pub(crate) code: Option<VulnerableCode>,
}

impl Block<'_> {
    /// Whether anything is known that mends some of it.
    pub(crate) const fn is_mendable(&self) -> bool {
        !self.upgrade.is_empty() || self.after.is_some()
    }
}

/// The step that changes a package, by ecosystem, name and installed version.
type Steps<'report> =
    HashMap<(&'report str, &'report str, &'report str), (&'report Upgrade, &'report Replaced)>;

fn steps(report: &Report) -> Steps<'_> {
    let steps = report.mending.upgrades.iter();
    let packages = steps.flat_map(|step| step.packages.iter().map(move |one| (step, one)));
    packages
        .map(|(step, one)| {
            let key = (one.ecosystem.as_str(), one.name.as_str(), one.from.as_str());
            (key, (step, one))
        })
        .collect()
}

/// The version that mends a finding, or `after` the last one that has it.
pub(crate) fn mended_in(finding: &Finding) -> Option<Cow<'_, str>> {
    finding.fix.as_ref()?.target()
}

/// The version that mends a finding.
pub(crate) fn fixed_in(finding: &Finding) -> Option<&str> {
    finding.fix.as_ref()?.version.as_deref()
}

/// The id that people know a finding by: the vulnerability's, else its rule's.
pub(crate) fn id_of(finding: &Finding) -> &str {
    let own = [Rule::KNOWN_VULNERABILITY.id, Rule::MALICIOUS_PACKAGE.id];
    let id = finding.id.as_deref().filter(|_| own.contains(&finding.rule.as_str()));
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

/// Blocks of the open findings of one rule, worst first.
pub(crate) fn blocks<'report>(report: &'report Report, rule: &str) -> Vec<Block<'report>> {
    let packages: HashMap<&Purl, &Package> =
        report.packages.iter().rev().map(|package| (&package.purl, package)).collect();
    let steps = steps(report);
    let mut blocks: BTreeMap<_, Block<'report>> = BTreeMap::new();
    let mut from: HashMap<(&str, &str, &str), &str> = HashMap::new();
    for finding in open_findings(report).filter(|finding| finding.rule == rule) {
        let package = finding.package.as_ref().and_then(|purl| packages.get(purl).copied());
        let name = own_name(finding, package);
        let source = package.and_then(|package| package.source.as_ref());
        let title = source.map_or(name, |source| source.name.as_str());
        let version = package
            .map(|package| package.version.as_str())
            .or_else(|| finding.package.as_ref().and_then(Purl::version))
            .unwrap_or_default();
        let ecosystem = finding.ecosystem.as_ref().map_or("", |ecosystem| ecosystem.as_str());
        let of_source = source.map_or(version, |source| source.version.as_str());
        from.entry((ecosystem, title, version)).or_insert(of_source);
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
                after: None,
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
            code: finding.vulnerable_code(),
        });
    }
    let mut blocks: Vec<_> = blocks.into_values().collect();
    for block in &mut blocks {
        settle(block);
        let from = from.get(&(block.ecosystem, block.name, block.version)).copied();
        let key = (block.ecosystem, block.name, from.unwrap_or(block.version));
        if let Some((step, replaced)) = steps.get(&key) {
            follow(block, step, replaced);
        }
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

/// One issue for each id, counts, and the version that mends them.
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
    let fixes = || block.issues.iter().filter_map(|issue| issue.finding.fix.as_ref());
    let (paid, free): (Vec<&Fix>, Vec<&Fix>) =
        fixes().filter(|fix| fix.version.is_some()).partition(|fix| fix.subscription.is_some());
    let (mended, more) = if free.is_empty() {
        block.subscription = paid.iter().find_map(|fix| fix.subscription.as_deref());
        block.upgrade = highest(scheme, texts(&paid));
        (paid.len(), None)
    } else {
        block.upgrade = highest(scheme, texts(&free));
        let more = paid.iter().find_map(|fix| fix.subscription.as_deref());
        (free.len(), more.map(|subscription| (paid.len(), subscription)))
    };
    (block.mended, block.paid) = (mended, more);
    if block.upgrade.is_empty() {
        let lasts: Vec<&str> = fixes().filter_map(|fix| fix.after.as_deref()).collect();
        block.mended = lasts.len();
        block.after = highest(scheme, lasts).pop();
    }
}

fn texts<'report>(fixes: &[&'report Fix]) -> Vec<&'report str> {
    fixes.iter().filter_map(|fix| fix.version.as_deref()).collect()
}

/// What the step says that changes the block's package: its target has been matched.
fn follow<'report>(block: &mut Block<'report>, step: &'report Upgrade, one: &'report Replaced) {
    let has = |ids: &[String], issue: &Issue<'_>| {
        ids.binary_search_by(|id| id.as_str().cmp(issue.id)).is_ok()
    };
    let count = |ids: &[String]| block.issues.iter().filter(|issue| has(ids, issue)).count();
    let (mended, paid) = (count(&step.clears), one.with_subscription.as_ref());
    let paid = paid.map(|with| (count(&with.clears), with.subscription.as_str()));
    if mended == 0 || block.upgrade.is_empty() {
        return;
    }
    block.upgrade = vec![one.to.as_str()];
    block.subscription = one.subscription.as_deref();
    (block.mended, block.paid) = (mended, paid.filter(|(number, _)| *number > 0));
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

/// The highest of these versions; all of them where they have no order.
fn highest(scheme: Option<Scheme>, mut versions: Vec<&str>) -> Vec<&str> {
    versions.sort_unstable();
    versions.dedup();
    let best = versions.split_first().and_then(|(first, rest)| {
        rest.iter().try_fold(*first, |best, next| {
            let order = scheme?.compare(best, next).ok()?;
            Some(if order == Ordering::Less { next } else { best })
        })
    });
    best.map_or(versions, |best| vec![best])
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
    fn versions_without_an_order_are_all_named() {
        assert_eq!(highest(None, vec!["2", "1", "2"]), ["1", "2"]);
        assert_eq!(highest(None, vec!["2", "2"]), ["2"]);
        assert!(highest(None, Vec::new()).is_empty());
    }

    #[test]
    fn severities_are_compared_level_by_level() {
        let many_low = Counts::from([(Severity::Low, 50)]);
        let one_high = Counts::from([(Severity::High, 1)]);
        assert_eq!(worse(&one_high, &many_low), Ordering::Greater);
        assert_eq!(worse(&many_low, &many_low), Ordering::Equal);
    }
}
