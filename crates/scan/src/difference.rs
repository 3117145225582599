//! Compares two reports: packages and findings new, gone and changed, and why.
//!
//! In go two reports, of two subjects or of one at two times, and a policy that decides on what is
//! new; out comes a [`DiffReport`]. Why a finding is new is told from the packages first, since they
//! are what people change, and from the advisories' digests where the packages are the same.

use policy::{Date, Matter, Policy};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use version::Scheme;
use vocabulary::diff::{
    Change, DIFF_SCHEMA, DiffReport, FindingChange, Likeness, PackageChange, Side,
};
use vocabulary::{Coverage, Ecosystem, Finding, Package, Report, Status, Tool};

/// A package's name in its ecosystem, and the architecture where it is not the usual one.
type Key<'report> = (&'report Ecosystem, &'report str);

/// Compares.
#[must_use]
pub fn difference(
    before: &Report,
    after: &Report,
    policy: &Policy,
    tool: Tool,
    today: Date,
) -> DiffReport {
    let packages = packages(before, after);
    let findings = findings(before, after, &packages);
    let fresh = findings
        .iter()
        .filter(|change| change.change == Change::New)
        .map(|change| change.finding.clone())
        .collect();
    // A gap is said of the side that has it: what neither side looked at is not the same on both.
    let gaps = |report: &Report, side: &str| -> Vec<Coverage> {
        let of = report.coverage.iter().map(|one| match one.status {
            Status::Ran => one.clone(),
            _ => Coverage { check: format!("{} ({side})", one.check), ..one.clone() },
        });
        match report.coverage.is_empty() {
            true => vec![Coverage::skipped(format!("every check ({side})"), "nothing was checked")],
            false => of.collect(),
        }
    };
    let mut coverage = gaps(before, "before");
    coverage.extend(gaps(after, "after"));
    // A saved report was ranked by what its own scan had.
    if !coverage.iter().any(|one| one.check.starts_with("risk:KEV")) {
        coverage.extend(policy::gates(policy, &after.databases));
    }
    // Ignore rules were applied to each side already; their end is no news of the later one.
    let policy = Policy { ignores: Vec::new(), matter: Matter::NewFindings, ..policy.clone() };
    let mut decision = policy::decide(&policy, fresh, &coverage, today).decision;
    // What a found file silenced of the later side is no news here, and would be said nowhere.
    for line in &after.decision.found {
        if !decision.reasons.contains(line) {
            decision.reasons.push(line.clone());
        }
    }
    DiffReport {
        schema: DIFF_SCHEMA.to_owned(),
        tool,
        before: side(before),
        after: side(after),
        packages,
        findings,
        outcome: decision.outcome,
        reasons: decision.reasons,
    }
}

fn side(report: &Report) -> Side {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Side {
        subject: report.subject.clone(),
        distribution: report.distribution.clone(),
        packages: count(report.packages.len()),
        findings: count(open(report).count()),
        databases: report.databases.clone(),
        incomplete: report
            .coverage
            .iter()
            .filter(|coverage| coverage.status != Status::Ran)
            .map(|coverage| coverage.check.clone())
            .collect(),
    }
}

fn versions(report: &Report) -> BTreeMap<Key<'_>, Vec<&Package>> {
    let mut versions: BTreeMap<Key<'_>, Vec<&Package>> = BTreeMap::new();
    for package in &report.packages {
        versions.entry((&package.ecosystem, &package.name)).or_default().push(package);
    }
    for packages in versions.values_mut() {
        packages.sort_by(|left, right| order(left, right));
        packages.dedup_by(|left, right| left.version == right.version);
    }
    versions
}

fn order(left: &Package, right: &Package) -> Ordering {
    let scheme = Scheme::of_ecosystem(left.ecosystem.as_str());
    scheme
        .and_then(|scheme| scheme.compare(&left.version, &right.version).ok())
        .unwrap_or_else(|| left.version.cmp(&right.version))
}

/// Packages by name; of a name with several versions, those that only one side has are paired in the
/// order of versions.
fn packages(before: &Report, after: &Report) -> Vec<PackageChange> {
    let (old, new) = (versions(before), versions(after));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let empty = Vec::new();
        let (old, new) = (old.get(name).unwrap_or(&empty), new.get(name).unwrap_or(&empty));
        let only = |these: &[&'_ Package], those: &[&Package]| -> Vec<Package> {
            let there: HashSet<&str> =
                those.iter().map(|package| package.version.as_str()).collect();
            these
                .iter()
                .filter(|package| !there.contains(package.version.as_str()))
                .map(|package| (*package).clone())
                .collect()
        };
        let mut gone = only(old, new).into_iter();
        let mut fresh = only(new, old).into_iter();
        loop {
            match (gone.next(), fresh.next()) {
                (None, None) => break,
                (old, new) => changes.extend(change(old, new)),
            }
        }
    }
    changes.sort_by(|left, right| {
        let key = |change: &PackageChange| (change.change, change.ecosystem.clone());
        key(left).cmp(&key(right)).then_with(|| left.name.cmp(&right.name))
    });
    changes
}

fn change(old: Option<Package>, new: Option<Package>) -> Option<PackageChange> {
    let downgrade = old.as_ref().zip(new.as_ref()).and_then(|(old, new)| {
        let scheme = Scheme::of_ecosystem(new.ecosystem.as_str())?;
        Some(scheme.compare(&new.version, &old.version).ok()? == Ordering::Less)
    });
    let change = match (&old, &new) {
        (Some(_), Some(_)) => Change::Changed,
        (None, _) => Change::New,
        (Some(_), None) => Change::Gone,
    };
    let (before, after) = (
        old.as_ref().map(|package| package.version.clone()),
        new.as_ref().map(|package| package.version.clone()),
    );
    let shown = new.or(old)?;
    Some(PackageChange {
        change,
        ecosystem: shown.ecosystem,
        name: shown.name,
        before,
        after,
        downgrade,
        origin: shown.origin,
        purl: shown.purl,
    })
}

/// The findings of a report that nobody silenced.
fn open(report: &Report) -> impl Iterator<Item = &Finding> {
    let silenced: HashSet<_> =
        report.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
    report.findings.iter().filter(move |finding| !silenced.contains(&finding.fingerprint))
}

/// One finding for each likeness, in the order of the report.
fn distinct(report: &Report) -> (Vec<(Likeness, &Finding)>, HashMap<Likeness, &Finding>) {
    let mut by_likeness = HashMap::new();
    let mut listed = Vec::new();
    for finding in open(report) {
        let likeness = finding.likeness();
        if !by_likeness.contains_key(&likeness) {
            by_likeness.insert(likeness.clone(), finding);
            listed.push((likeness, finding));
        }
    }
    (listed, by_likeness)
}

fn findings(before: &Report, after: &Report, packages: &[PackageChange]) -> Vec<FindingChange> {
    let (old_list, old) = distinct(before);
    let (new_list, new) = distinct(after);
    let reasons = Reasons::of(before, after, packages);
    let mut fresh = Vec::new();
    let mut changed = Vec::new();
    for (likeness, finding) in new_list {
        match old.get(&likeness) {
            None => fresh.push(FindingChange {
                change: Change::New,
                why: reasons.of_finding(finding, Change::New),
                finding: finding.clone(),
                before: None,
            }),
            Some(earlier) => changed.extend(differs(earlier, finding).map(|why| FindingChange {
                change: Change::Changed,
                why,
                finding: finding.clone(),
                before: Some(Box::new((*earlier).clone())),
            })),
        }
    }
    let gone = old_list.into_iter().filter(|(likeness, _)| !new.contains_key(likeness));
    let gone = gone.map(|(_, finding)| FindingChange {
        change: Change::Gone,
        why: reasons.of_finding(finding, Change::Gone),
        finding: finding.clone(),
        before: None,
    });
    fresh.into_iter().chain(changed).chain(gone).collect()
}

/// What differs in a finding that both sides have.
fn differs(before: &Finding, after: &Finding) -> Option<String> {
    let mut parts = Vec::new();
    if before.severity != after.severity {
        parts.push(format!("severity was {}, is {}", before.severity, after.severity));
    }
    let fix = |finding: &Finding| finding.fix.as_ref().and_then(|fix| fix.version.clone());
    match (fix(before), fix(after)) {
        (None, Some(version)) => parts.push(format!("is mended in {version} now")),
        (Some(_), None) => parts.push("is not said to be mended any more".to_owned()),
        (Some(old), Some(new)) if old != new => {
            parts.push(format!("is mended in {new}, was in {old}"));
        }
        _ => {}
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What the two reports tell of why a finding came or went.
struct Reasons<'report> {
    by_purl: HashMap<(String, String), &'report PackageChange>,
    /// Ecosystems that were matched against the same advisories on both sides.
    same_advisories: HashSet<&'report str>,
    matched_before: HashSet<&'report str>,
    matched_after: HashSet<&'report str>,
}

impl<'report> Reasons<'report> {
    fn of(
        before: &'report Report,
        after: &'report Report,
        packages: &'report [PackageChange],
    ) -> Self {
        let key = |change: &PackageChange| (change.ecosystem.to_string(), bare(&change.purl));
        let names = |report: &'report Report| -> HashSet<&'report str> {
            report.databases.iter().map(|info| info.ecosystem.as_str()).collect()
        };
        let digests: HashMap<_, _> =
            before.databases.iter().map(|info| (info.ecosystem.as_str(), &info.digest)).collect();
        let same = after.databases.iter().filter(|info| {
            digests.get(info.ecosystem.as_str()).is_some_and(|digest| **digest == info.digest)
        });
        Self {
            by_purl: packages.iter().map(|change| (key(change), change)).collect(),
            same_advisories: same.map(|info| info.ecosystem.as_str()).collect(),
            matched_before: names(before),
            matched_after: names(after),
        }
    }

    fn of_finding(&self, finding: &Finding, change: Change) -> String {
        let (Some(purl), Some(ecosystem)) = (&finding.package, &finding.ecosystem) else {
            let text = if change == Change::New {
                "was not found before"
            } else {
                "is not found any more"
            };
            return text.to_owned();
        };
        let of_package = self.by_purl.get(&(ecosystem.to_string(), bare(purl)));
        if let Some(package) = of_package {
            return match (&package.before, &package.after) {
                (Some(before), Some(after)) => {
                    let verb = if package.downgrade == Some(true) { "downgraded" } else { "went" };
                    format!("{} {verb} from {before} to {after}", package.name)
                }
                (None, Some(after)) => format!("{} {after} was added", package.name),
                (Some(before), None) => format!("{} {before} was removed", package.name),
                (None, None) => "the package changed".to_owned(),
            };
        }
        let name = ecosystem.as_str();
        let unmatched = match change {
            Change::New => !self.matched_before.contains(name),
            Change::Changed | Change::Gone => !self.matched_after.contains(name),
        };
        match (unmatched, self.same_advisories.contains(name), change) {
            (true, _, Change::New) => format!("{name} was not matched before"),
            (true, ..) => format!("{name} is not matched now"),
            (false, false, Change::New) => "the advisories changed: new or corrected".to_owned(),
            (false, false, _) => "the advisories changed: corrected or withdrawn".to_owned(),
            (false, true, Change::New) => "was silenced before".to_owned(),
            (false, true, _) => "is silenced now".to_owned(),
        }
    }
}

fn bare(purl: &vocabulary::Purl) -> String {
    format!("{}/{}/{}", purl.kind(), purl.namespace().unwrap_or_default(), purl.name())
}
