//! Plans what mends an image; see [`vocabulary::upgrade`].
//!
//! A vulnerability that several packages have counts for each of them, and is cleared only by the step
//! that changes the last of them: ids are counted as cleared where all their open findings are in
//! steps, and named under each step that takes part. A security update of the archive that no
//! vulnerability explains has no id: it is counted beside them, by the package that it is for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use version::Scheme;
use vocabulary::upgrade::{Mending, Replaced, Upgrade};
use vocabulary::{Evidence, Finding, Fix, OriginKind, Package, Purl, Rule, Safety};

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
    let rules = [Rule::KNOWN_VULNERABILITY.id, Rule::SECURITY_UPDATE_AVAILABLE.id];
    for finding in open.filter(|finding| rules.contains(&finding.rule.as_str())) {
        let Some(purl) = &finding.package else { continue };
        if target(finding).is_none() {
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
            .then_with(|| right.updates.len().cmp(&left.updates.len()))
            .then_with(|| right.rank.cmp(&left.rank))
            .then_with(|| left.title.cmp(&right.title))
    });
    let list = |set: Option<BTreeSet<String>>| set.unwrap_or_default().into_iter().collect();
    mending.only_another_base = list(unmended.remove(&true));
    mending.without_fix = list(unmended.remove(&false));
    mending
}

/// To which version a finding asks to go. That of the archive is said of the source package, as that of
/// an advisory is.
fn target(finding: &Finding) -> Option<(&Fix, &str)> {
    let fix = finding.fix.as_ref()?;
    let archive = finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Archive(archive) => Some(archive.source_version.as_str()),
        _ => None,
    });
    Some((fix, archive.or(fix.version.as_deref())?))
}

fn replaced(key: &Key<'_>, group: &Group<'_>) -> Replaced {
    let (ecosystem, name, from, _) = *key;
    let scheme = Scheme::of_ecosystem(ecosystem);
    let fixes = || group.findings.iter().filter_map(|finding| target(finding));
    let free = fixes().any(|(fix, _)| fix.subscription.is_none());
    let highest = fixes()
        .filter(|(fix, _)| !free || fix.subscription.is_none())
        .max_by(|(_, left), (_, right)| order(scheme, left, right));
    let safe = fixes().all(|(fix, _)| fix.safety == Safety::Safe);
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
    let mut updates = BTreeSet::new();
    let mut exploited = BTreeSet::new();
    let mut rank = 0;
    for finding in findings {
        if finding.rule == Rule::SECURITY_UPDATE_AVAILABLE.id {
            updates.extend(finding.package.as_ref().map(|purl| purl.name().to_owned()));
            continue;
        }
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
        updates: updates.into_iter().take(IDS).collect(),
        rank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{ArchiveEvidence, Ecosystem, Location, Risk, Severity, SourcePackage};

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

    /// An update of the archive, whose binary version is not that of its source.
    fn update(purl: &str, source_version: &str, origin: OriginKind) -> Finding {
        let archive = ArchiveEvidence {
            archive: String::new(),
            suite: String::new(),
            date: String::new(),
            signer: String::new(),
            version: format!("{source_version}+b1"),
            source_version: source_version.to_owned(),
        };
        Finding {
            rule: Rule::SECURITY_UPDATE_AVAILABLE.id.to_owned(),
            id: None,
            risk: None,
            evidence: vec![Evidence::Archive(Box::new(archive))],
            ..finding("", purl, Some(&format!("{source_version}+b1")), origin)
        }
    }

    #[test]
    fn updates_of_the_archive_are_steps_of_their_own_or_join_that_of_their_source() {
        use OriginKind::{Application, Base};
        let package = |name: &str, source: &str| {
            let purl = Purl::new("deb", name).with_namespace("debian").with_version("1-1");
            let mut package =
                Package::new(purl, Ecosystem::DEBIAN, name, "1-1", Location::file("x", None));
            package.source =
                Some(SourcePackage { name: source.to_owned(), version: "1-1".to_owned() });
            package
        };
        let packages = [package("liba", "a"), package("liba-data", "a")];
        let findings = [
            update("pkg:deb/debian/alone@1", "2", Application),
            update("pkg:deb/debian/liba@1-1", "1-10", Application),
            update("pkg:deb/debian/liba-data@1-1", "1-10", Application),
            finding("CVE-1", "pkg:deb/debian/liba@1-1", Some("1-9"), Application),
            finding("CVE-2", "pkg:npm/b@1.0.0", Some("2.0.0"), Application),
            update("pkg:deb/debian/c@1", "2", Base),
        ];
        let mending = plan(findings.iter(), &packages);
        let steps: Vec<_> = mending
            .upgrades
            .iter()
            .map(|step| format!("{}: {}", step.title, step.effect()))
            .collect();
        assert_eq!(
            steps,
            [
                "upgrade a from 1-1 to 1-10: clears 1, installs 2 security updates",
                "upgrade b from 1.0.0 to 2.0.0: clears 1",
                "rebuild on a newer base image, or upgrade its 1 package: installs 1 security update",
                "upgrade alone from 1 to 2: installs 1 security update",
            ]
        );
        assert_eq!(mending.upgrades[0].updates, ["liba", "liba-data"]);
        assert_eq!(mending.upgrades[2].packages[0].to, "2");
        assert!(mending.only_another_base.is_empty() && mending.without_fix.is_empty());
    }

    #[test]
    fn nothing_open_needs_no_mending() {
        assert!(plan([].iter(), &[]).is_empty());
    }
}
