//! Plans what mends an image; see [`vocabulary::upgrade`].
//!
//! A vulnerability that several packages have counts for each of them, and is cleared only by the step
//! that changes the last of them: ids are counted as cleared where all their open findings are in
//! steps, and named under each step that takes part.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use version::Scheme;
use vocabulary::upgrade::{Mending, Replaced, Upgrade};
use vocabulary::{Finding, OriginKind, Package, Purl, Rule, Safety};

/// Ids of one step that are listed: a hostile image has any number.
const IDS: usize = 100_000;

/// One package that can be upgraded, by ecosystem, name, version and origin.
type Key<'report> = (&'report str, &'report str, &'report str, OriginKind);

#[derive(Default)]
struct Group<'report> {
    findings: Vec<&'report Finding>,
}

/// What mends the open findings.
pub(crate) fn plan<'report>(
    open: impl Iterator<Item = &'report Finding>,
    packages: &'report [Package],
) -> Mending {
    let by_purl: HashMap<&Purl, &Package> =
        packages.iter().map(|package| (&package.purl, package)).collect();
    let mut groups: BTreeMap<Key<'_>, Group<'_>> = BTreeMap::new();
    let mut mending = Mending::default();
    let mut unmended: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
    for finding in open.filter(|finding| finding.rule == Rule::KNOWN_VULNERABILITY.id) {
        let Some(purl) = &finding.package else { continue };
        if finding.fix.as_ref().and_then(|fix| fix.version.as_deref()).is_none() {
            let of_base = finding.origin == OriginKind::Base;
            unmended.entry(of_base).or_default().extend(finding.id.clone());
            continue;
        }
        let package = by_purl.get(purl);
        let source = package.and_then(|package| package.source.as_ref());
        let name = source.map_or_else(
            || package.map_or(purl.name(), |package| &package.name),
            |source| source.name.as_str(),
        );
        let version =
            package.map_or(purl.version().unwrap_or_default(), |package| &package.version);
        let ecosystem = finding.ecosystem.as_ref().map_or("", |ecosystem| ecosystem.as_str());
        groups
            .entry((ecosystem, name, version, finding.origin))
            .or_default()
            .findings
            .push(finding);
    }
    let (base, own): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|((.., origin), _)| *origin == OriginKind::Base);
    mending.upgrades.extend(own.iter().map(step));
    mending.upgrades.extend(base_step(&base));
    mending.upgrades.sort_by(|left, right| {
        right
            .exploited
            .cmp(&left.exploited)
            .then_with(|| right.clears.len().cmp(&left.clears.len()))
            .then_with(|| right.rank.cmp(&left.rank))
            .then_with(|| left.title.cmp(&right.title))
    });
    let list = |set: Option<BTreeSet<String>>| set.unwrap_or_default().into_iter().collect();
    mending.only_another_base = list(unmended.remove(&true));
    mending.without_fix = list(unmended.remove(&false));
    mending
}

fn replaced(key: &Key<'_>, group: &Group<'_>) -> Replaced {
    let (ecosystem, name, from, _) = *key;
    let scheme = Scheme::of_ecosystem(ecosystem);
    let fixes = || group.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let free = fixes().any(|fix| fix.subscription.is_none());
    let highest = fixes()
        .filter(|fix| !free || fix.subscription.is_none())
        .filter_map(|fix| Some((fix, fix.version.as_deref()?)))
        .max_by(|(_, left), (_, right)| order(scheme, left, right));
    let safe = fixes().all(|fix| fix.safety == Safety::Safe);
    Replaced {
        ecosystem: vocabulary::Ecosystem::new(ecosystem),
        name: name.to_owned(),
        from: from.to_owned(),
        to: highest.map_or("", |(_, version)| version).to_owned(),
        safety: if safe { Safety::Safe } else { Safety::Review },
        subscription: highest.and_then(|(fix, _)| fix.subscription.clone()),
    }
}

fn order(scheme: Option<Scheme>, left: &str, right: &str) -> Ordering {
    scheme.and_then(|scheme| scheme.compare(left, right).ok()).unwrap_or_else(|| left.cmp(right))
}

fn step((key, group): &(Key<'_>, Group<'_>)) -> Upgrade {
    let replaced = replaced(key, group);
    let title = format!("upgrade {} from {} to {}", replaced.name, replaced.from, replaced.to);
    made(title, key.3, vec![replaced], group.findings.iter().copied())
}

fn base_step(base: &[(Key<'_>, Group<'_>)]) -> Option<Upgrade> {
    if base.is_empty() {
        return None;
    }
    let packages: BTreeSet<Replaced> =
        base.iter().map(|(key, group)| replaced(key, group)).collect();
    let number = u64::try_from(packages.len()).unwrap_or(u64::MAX);
    let title = format!(
        "rebuild on a newer base image, or upgrade its {}",
        vocabulary::counted(number, "package", "packages")
    );
    let findings = base.iter().flat_map(|(_, group)| group.findings.iter().copied());
    Some(made(title, OriginKind::Base, packages.into_iter().collect(), findings))
}

fn made<'report>(
    title: String,
    origin: OriginKind,
    packages: Vec<Replaced>,
    findings: impl Iterator<Item = &'report Finding>,
) -> Upgrade {
    let mut clears = BTreeSet::new();
    let mut exploited = BTreeSet::new();
    let mut rank = 0;
    for finding in findings {
        let Some(id) = &finding.id else { continue };
        if let Some(risk) = &finding.risk {
            rank = rank.max(risk.rank);
            if risk.exploited.is_some() {
                exploited.insert(id);
            }
        }
        clears.insert(id.clone());
    }
    Upgrade {
        title,
        origin,
        packages,
        exploited: u64::try_from(exploited.len()).unwrap_or(u64::MAX),
        clears: clears.into_iter().take(IDS).collect(),
        rank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Ecosystem, Fix, Location, Risk, Severity};

    fn finding(id: &str, purl: &str, fixed: Option<&str>, origin: OriginKind) -> Finding {
        let purl: Purl = purl.parse().unwrap();
        let ecosystem = if purl.kind() == "deb" { Ecosystem::DEBIAN } else { Ecosystem::NPM };
        Finding {
            id: Some(id.to_owned()),
            package: Some(purl),
            ecosystem: Some(ecosystem),
            origin,
            fix: fixed.map(|version| Fix {
                title: String::new(),
                safety: Safety::Safe,
                version: Some(version.to_owned()),
                subscription: None,
            }),
            risk: Some(Risk::new(Severity::High, None, None, None, None, None)),
            ..Finding::of(
                &Rule::KNOWN_VULNERABILITY,
                None,
                id.to_owned(),
                Location::file("x", None),
                Vec::new(),
            )
        }
    }

    #[test]
    fn the_step_that_clears_most_comes_first_and_goes_to_the_highest_fix() {
        use OriginKind::{Application, Base};
        let findings = [
            finding("CVE-1", "pkg:npm/a@1.0.0", Some("1.9.0"), Application),
            finding("CVE-2", "pkg:npm/a@1.0.0", Some("1.10.0"), Application),
            finding("CVE-3", "pkg:npm/b@1.0.0", Some("2.0.0"), Application),
            finding("CVE-4", "pkg:deb/debian/c@1", Some("2"), Base),
            finding("CVE-5", "pkg:deb/debian/d@1", Some("1.1"), Base),
            finding("CVE-6", "pkg:deb/debian/d@1", Some("1.2"), Base),
            finding("CVE-7", "pkg:deb/debian/e@1", None, Base),
            finding("CVE-8", "pkg:npm/f@1.0.0", None, Application),
        ];
        let mending = plan(findings.iter(), &[]);
        let titles: Vec<_> = mending.upgrades.iter().map(|step| step.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "rebuild on a newer base image, or upgrade its 2 packages",
                "upgrade a from 1.0.0 to 1.10.0",
                "upgrade b from 1.0.0 to 2.0.0",
            ]
        );
        assert_eq!(mending.upgrades[0].clears, ["CVE-4", "CVE-5", "CVE-6"]);
        assert_eq!(mending.upgrades[0].packages[1].to, "1.2");
        assert_eq!(mending.only_another_base, ["CVE-7"]);
        assert_eq!(mending.without_fix, ["CVE-8"]);
    }

    #[test]
    fn nothing_open_needs_no_mending() {
        assert!(plan([].iter(), &[]).is_empty());
    }
}
