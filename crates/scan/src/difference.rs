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
    let fresh: Vec<Finding> = findings
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
    let rules = after.rules.and(&before.rules);
    let mut decision = policy::decide(&policy, &rules, fresh, &coverage, today).decision;
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
        rules: rules.used(findings.iter().map(|change| change.finding.rule.as_str())),
        findings,
        outcome: decision.outcome,
        reasons: decision.reasons,
        line: decision.line,
        over_the_line: decision.over_the_line,
        suppressed: decision.suppressed,
        gaps: coverage.into_iter().filter(|one| one.status != Status::Ran).collect(),
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
    let (old_versions, new_versions) = (Versions::of(before), Versions::of(after));
    let reasons = Reasons::of(before, after, packages);
    let told = |change: Change, likeness: &Likeness, finding: &Finding| {
        let (own, other) = match change {
            Change::Gone => (&old_versions, &new_versions),
            Change::New | Change::Changed => (&new_versions, &old_versions),
        };
        let affected = own.affected(likeness);
        let unaffected = match change {
            Change::Changed => Vec::new(),
            Change::New | Change::Gone => other.beside(finding, &affected),
        };
        FindingChange {
            change,
            why: reasons.of_finding(finding, change, &affected),
            finding: finding.clone(),
            affected,
            unaffected,
            before: None,
        }
    };
    let mut fresh = Vec::new();
    let mut changed = Vec::new();
    for (likeness, finding) in new_list {
        match old.get(&likeness) {
            None => fresh.push(told(Change::New, &likeness, finding)),
            Some(earlier) => changed.extend(differs(earlier, finding).map(|why| FindingChange {
                why,
                before: Some(Box::new((*earlier).clone())),
                ..told(Change::Changed, &likeness, finding)
            })),
        }
    }
    let gone = old_list.into_iter().filter(|(likeness, _)| !new.contains_key(likeness));
    let gone = gone.map(|(likeness, finding)| told(Change::Gone, &likeness, finding));
    fresh.into_iter().chain(changed).chain(gone).collect()
}

/// What differs in a finding that both sides have.
fn differs(before: &Finding, after: &Finding) -> Option<String> {
    let mut parts = Vec::new();
    if before.severity != after.severity {
        parts.push(format!("severity was {}, is {}", before.severity, after.severity));
    }
    let fix = |finding: &Finding| finding.upgrade().and_then(|fix| fix.version.clone());
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

/// Which versions of packages a report has, and which of them have which fault.
struct Versions<'report> {
    by_likeness: HashMap<Likeness, Vec<&'report str>>,
    by_package: HashMap<String, Vec<&'report Package>>,
}

impl<'report> Versions<'report> {
    fn of(report: &'report Report) -> Self {
        let mut by_package: HashMap<String, Vec<&Package>> = HashMap::new();
        let mut by_purl = HashMap::new();
        for package in &report.packages {
            by_purl.insert(&package.purl, package.version.as_str());
            by_package.entry(bare(&package.purl)).or_default().push(package);
        }
        let mut by_likeness: HashMap<Likeness, Vec<&str>> = HashMap::new();
        for finding in open(report) {
            let Some(purl) = &finding.package else { continue };
            // The package's own version has what package URLs keep apart, such as an epoch.
            let version = by_purl.get(purl).copied().or(purl.version());
            by_likeness.entry(finding.likeness()).or_default().extend(version);
        }
        Self { by_likeness, by_package }
    }

    fn affected(&self, likeness: &Likeness) -> Vec<String> {
        let versions = self.by_likeness.get(likeness).into_iter().flatten();
        let distinct: std::collections::BTreeSet<&str> = versions.copied().collect();
        distinct.into_iter().filter(|one| !one.is_empty()).map(str::to_owned).collect()
    }

    /// The versions of a finding's package, lowest first, but for some.
    fn beside(&self, finding: &Finding, affected: &[String]) -> Vec<String> {
        let key = finding.package.as_ref().map(bare);
        let packages = key.and_then(|key| self.by_package.get(&key));
        let mut packages: Vec<&Package> = packages.into_iter().flatten().copied().collect();
        packages.retain(|one| !one.version.is_empty() && !affected.contains(&one.version));
        packages.sort_by(|left, right| order(left, right));
        packages.dedup_by(|left, right| left.version == right.version);
        packages.into_iter().map(|one| one.version.clone()).collect()
    }
}

/// What the two reports tell of why a finding came or went.
struct Reasons<'report> {
    by_purl: HashMap<(String, String), Vec<&'report PackageChange>>,
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
        let mut by_purl: HashMap<_, Vec<&PackageChange>> = HashMap::new();
        for change in packages {
            by_purl.entry(key(change)).or_default().push(change);
        }
        Self {
            by_purl,
            same_advisories: same.map(|info| info.ecosystem.as_str()).collect(),
            matched_before: names(before),
            matched_after: names(after),
        }
    }

    fn of_finding(&self, finding: &Finding, change: Change, affected: &[String]) -> String {
        let (Some(purl), Some(ecosystem)) = (&finding.package, &finding.ecosystem) else {
            let text = if change == Change::New {
                "was not found before"
            } else {
                "is not found any more"
            };
            return text.to_owned();
        };
        // Of several versions of one package, the change is told of one that has the fault.
        let is_about = |one: &&&PackageChange| {
            let version = if change == Change::Gone { &one.before } else { &one.after };
            version.as_ref().is_some_and(|version| affected.contains(version))
        };
        let of_package = self.by_purl.get(&(ecosystem.to_string(), bare(purl)));
        if let Some(package) = of_package.and_then(|changes| changes.iter().find(is_about)) {
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
