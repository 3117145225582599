//! Plans what mends an image; see [`vocabulary::upgrade`].
//!
//! A vulnerability that several packages have counts for each of them, and is cleared only by the step
//! that changes the last of them: ids are counted as cleared where all their open findings are in
//! steps, and named under each step that takes part. A security update of the archive that no
//! vulnerability explains has no id: it is counted beside them, by the package that it is for.
//!
//! What the project does not ask for itself is mended where it is asked for: the step names that, and
//! what is known of it; see [`crate::bringers`].

use crate::asked::Asked;
use crate::bringers::{Bringers, Brought, Wanted, words};
use crate::inside::Insides;
use advisories::Advice;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use version::Scheme;
use vocabulary::upgrade::{Change, Mending, Replaced, Upgrade, WithSubscription};
use vocabulary::{Evidence, Finding, Fix, OriginKind, Package, Purl, Rule, Safety};

/// Ids of one step that are listed: a hostile image has any number.
const IDS: usize = 100_000;

/// Where to go from the version of some packages of one source, to a version at least.
pub(crate) type Advisor<'advise> = dyn Fn(&[&Package], Option<&str>) -> Advice + 'advise;

/// One package that can be upgraded, by ecosystem, name, version and origin.
type Key<'report> = (&'report str, &'report str, &'report str, OriginKind);

/// What mends the open findings. Where nobody advises, the highest version that a finding asks for.
pub(crate) fn plan<'report>(
    open: impl Iterator<Item = &'report Finding>,
    packages: &'report [Package],
    asked: &Asked,
    advisor: &Advisor<'_>,
) -> Mending {
    let by_purl: HashMap<&Purl, &Package> =
        packages.iter().map(|package| (&package.purl, package)).collect();
    let mut groups: BTreeMap<Key<'_>, Vec<&Finding>> = BTreeMap::new();
    let rules = [Rule::KNOWN_VULNERABILITY.id, Rule::SECURITY_UPDATE_AVAILABLE.id];
    for finding in open.filter(|finding| rules.contains(&finding.rule.as_str())) {
        let Some(purl) = &finding.package else { continue };
        let package = by_purl.get(purl);
        let (name, version) = package.map_or_else(
            || (purl.name(), purl.version().unwrap_or_default()),
            |package| named(package),
        );
        let ecosystem = finding.ecosystem.as_ref().map_or("", |ecosystem| ecosystem.as_str());
        groups.entry((ecosystem, name, version, finding.origin)).or_default().push(finding);
    }
    let open = groups.values().flatten().filter_map(|finding| finding.package.as_ref());
    let bringers = Bringers::new(asked, open);
    let mut of_group: HashMap<Key<'_>, Vec<&Package>> = HashMap::new();
    for package in packages {
        let (name, version) = named(package);
        let key = (package.ecosystem.as_str(), name, version, package.origin);
        if groups.contains_key(&key) {
            of_group.entry(key).or_default().push(package);
        }
    }
    let insides = Insides::new(packages, of_group.values().flatten().copied());
    let mut mending = Mending::default();
    let mut unmended: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
    let mut moves = Vec::new();
    for (key, findings) in groups {
        let everywhere = of_group.remove(&key).unwrap_or_default();
        let members: BTreeMap<&Purl, &Package> =
            everywhere.iter().map(|package| (&package.purl, *package)).collect();
        let members: Vec<&Package> = members.into_values().collect();
        let mut moved = Move::find(key, findings, &members, advisor);
        moved.bring(&bringers, &insides, &everywhere);
        let without = unmended.entry(key.3 == OriginKind::Base).or_default();
        without.extend(moved.without_fix());
        moves.extend(moved.changes().then_some(moved));
    }
    let (base, own): (Vec<_>, Vec<_>) =
        moves.into_iter().partition(|one| one.origin == OriginKind::Base);
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

/// Name and version that an upgrade is said of: the source's, where there is one.
fn named(package: &Package) -> (&str, &str) {
    let source = package.source.as_ref();
    source.map_or((&package.name, &package.version), |source| (&source.name, &source.version))
}

/// One package that is changed, with what is open in it.
struct Move<'report> {
    origin: OriginKind,
    replaced: Replaced,
    /// Whether the version to go to is one, and not any after another.
    named: bool,
    cleared: Vec<&'report Finding>,
    stay: Vec<&'report Finding>,
    new: BTreeSet<String>,
    brought: Brought,
}

impl<'report> Move<'report> {
    fn find(
        (ecosystem, name, from, origin): Key<'_>,
        findings: Vec<&'report Finding>,
        members: &[&Package],
        advisor: &Advisor<'_>,
    ) -> Self {
        let scheme = Scheme::of_ecosystem(ecosystem);
        let least = findings.iter().filter_map(|finding| archived(finding));
        let least = least.max_by(|left, right| order(scheme, left, right));
        let (target, asked) = match advisor(members, least) {
            Advice::Go(target) => (Some(target), None),
            Advice::Stay => (None, None),
            Advice::Unknown => (None, highest(scheme, &findings)),
        };
        let named = target.as_ref().map(|target| target.version.as_str()).or(asked);
        let after = last_affected(scheme, &findings).filter(|_| named.is_none());
        let beyond = after.map(|last| format!("a version after {last}"));
        let to = named.or(beyond.as_deref());
        let for_all = target.as_ref().is_some_and(|target| target.subscription.is_none());
        let reaches = |finding: &Finding| {
            if let Some(after) = after {
                let last = finding.fix.as_ref().and_then(|fix| fix.after.as_deref());
                return last.is_some_and(|last| order(scheme, last, after) != Ordering::Greater);
            }
            // What only subscribers get is not in what everybody can have.
            let wanted = wanted(finding).filter(|(fix, _)| !for_all || fix.subscription.is_none());
            let wanted = wanted.map(|(_, version)| version);
            wanted
                .zip(to)
                .is_some_and(|(wanted, to)| order(scheme, wanted, to) != Ordering::Greater)
        };
        let clears = |finding: &&Finding| {
            let id = finding.id.as_deref().unwrap_or_default();
            match &target {
                Some(target) if target.now.contains_key(id) => !target.left.contains_key(id),
                _ => reaches(finding),
            }
        };
        let (cleared, stay): (Vec<_>, Vec<_>) = findings.into_iter().partition(clears);
        let safe = ecosystem_is_safe(&cleared);
        let major = target.as_ref().is_some_and(|target| !target.same_major);
        let subscription = match &target {
            Some(target) => target.subscription.clone(),
            None => cleared
                .iter()
                .filter_map(|finding| wanted(finding))
                .find(|(_, version)| Some(*version) == to)
                .and_then(|(fix, _)| fix.subscription.clone()),
        };
        let paid = target.as_ref().and_then(|target| target.for_subscribers.as_ref());
        let with_subscription = paid.map(|paid| {
            let clears = stay.iter().filter_map(|finding| finding.id.clone());
            let clears: BTreeSet<String> =
                clears.filter(|id| !paid.left.contains_key(id)).take(IDS).collect();
            WithSubscription {
                subscription: paid.subscription.clone(),
                to: paid.version.clone(),
                clears: clears.into_iter().collect(),
            }
        });
        let new = target.as_ref().map(|target| {
            let new = target.left.keys().filter(|id| !target.now.contains_key(*id));
            new.cloned().collect()
        });
        let replaced = Replaced {
            ecosystem: vocabulary::Ecosystem::new(ecosystem),
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.unwrap_or_default().to_owned(),
            safety: if safe && !major { Safety::Safe } else { Safety::Review },
            major,
            subscription,
            brought_by: Vec::new(),
            brought_by_more: 0,
            inside: Vec::new(),
            with_subscription: with_subscription.filter(|with| !with.clears.is_empty()),
        };
        let (new, brought) = (new.unwrap_or_default(), Brought::default());
        Self { origin, replaced, named: named.is_some(), cleared, stay, new, brought }
    }

    /// Says who brings the package, where the project does not ask for it itself, or what it lies inside.
    fn bring(&mut self, bringers: &Bringers<'_>, insides: &Insides<'_>, everywhere: &[&Package]) {
        if !self.changes() {
            return;
        }
        let Replaced { ecosystem, name, from, to, .. } = &self.replaced;
        let wanted = Wanted {
            scheme: Scheme::of_ecosystem(ecosystem.as_str()),
            name,
            from,
            to: Some(to.as_str()).filter(|_| self.named),
        };
        let mut brought = bringers.of(everywhere, wanted);
        let (inside, all) = insides.of_all(everywhere);
        brought.inside = all && !inside.is_empty();
        if !inside.is_empty() {
            self.replaced.safety = Safety::Review;
        }
        self.replaced.inside = inside;
        let refreshed = brought.by.iter().all(|one| one.change == Change::Refresh);
        if !brought.by.is_empty() && !refreshed {
            self.replaced.safety = Safety::Review;
        }
        self.replaced.brought_by.clone_from(&brought.by);
        self.replaced.brought_by_more = brought.more;
        self.brought = brought;
    }

    /// Whether it is worth a step.
    fn changes(&self) -> bool {
        !self.cleared.is_empty()
    }

    /// Ids of what no version mends.
    fn without_fix(&self) -> impl Iterator<Item = String> {
        let stay = self.stay.iter().filter(|finding| {
            // Some version after the last one mends it, though nobody names that.
            let after = finding.fix.as_ref().is_some_and(|fix| fix.after.is_some());
            (wanted(finding).is_none() || !self.changes()) && !after
        });
        stay.filter_map(|finding| finding.id.clone())
    }
}

/// The version of the source that the archive has.
fn archived(finding: &Finding) -> Option<&str> {
    finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Archive(archive) => Some(archive.source_version.as_str()),
        _ => None,
    })
}

/// To which version a finding asks to go. That of the archive is said of the source package, as that of
/// an advisory is.
fn wanted(finding: &Finding) -> Option<(&Fix, &str)> {
    let fix = finding.fix.as_ref()?;
    Some((fix, archived(finding).or(fix.version.as_deref())?))
}

/// The highest version that findings ask for; one that everybody can have before those for subscribers.
fn highest<'report>(scheme: Option<Scheme>, findings: &[&'report Finding]) -> Option<&'report str> {
    let fixes = || findings.iter().filter_map(|finding| wanted(finding));
    let free = fixes().any(|(fix, _)| fix.subscription.is_none());
    fixes()
        .filter(|(fix, _)| !free || fix.subscription.is_none())
        .map(|(_, version)| version)
        .max_by(|left, right| order(scheme, left, right))
}

/// The last affected version that the highest of the findings without a mended version know.
fn last_affected<'report>(
    scheme: Option<Scheme>,
    findings: &[&'report Finding],
) -> Option<&'report str> {
    let lasts = findings.iter().filter_map(|finding| finding.fix.as_ref()?.after.as_deref());
    lasts.max_by(|left, right| order(scheme, left, right))
}

fn ecosystem_is_safe(findings: &[&Finding]) -> bool {
    findings.iter().filter_map(|finding| finding.fix.as_ref()).all(|fix| fix.safety == Safety::Safe)
}

fn order(scheme: Option<Scheme>, left: &str, right: &str) -> Ordering {
    scheme.and_then(|scheme| scheme.compare(left, right).ok()).unwrap_or_else(|| left.cmp(right))
}

fn step(one: &Move<'_>) -> Upgrade {
    made(words::title(&one.replaced, &one.brought), one.origin, std::slice::from_ref(one))
}

fn base_step(base: &[Move<'_>]) -> Option<Upgrade> {
    if base.is_empty() {
        return None;
    }
    let packages: BTreeSet<&Replaced> = base.iter().map(|one| &one.replaced).collect();
    let number = u64::try_from(packages.len()).unwrap_or(u64::MAX);
    let title = format!(
        "rebuild on a newer base image, or upgrade its {}",
        vocabulary::counted(number, "package", "packages")
    );
    Some(made(title, OriginKind::Base, base))
}

fn made(title: String, origin: OriginKind, moves: &[Move<'_>]) -> Upgrade {
    // What stays in one of the packages is not cleared by the step.
    let stay = moves.iter().flat_map(|one| &one.stay);
    let stays: BTreeSet<String> = stay.filter_map(|finding| finding.id.clone()).collect();
    let mut clears = BTreeSet::new();
    let mut updates = BTreeSet::new();
    let mut exploited = BTreeSet::new();
    let (mut rank, mut findings) = (0, 0_u64);
    for finding in moves.iter().flat_map(|one| &one.cleared) {
        if finding.rule == Rule::SECURITY_UPDATE_AVAILABLE.id {
            updates.extend(finding.package.as_ref().map(|purl| purl.name().to_owned()));
            continue;
        }
        let Some(id) = finding.id.as_ref().filter(|id| !stays.contains(*id)) else { continue };
        findings += 1;
        if let Some(risk) = &finding.risk {
            rank = rank.max(risk.rank);
            if risk.exploited.is_some() {
                exploited.insert(id);
            }
        }
        clears.insert(id.clone());
    }
    let listed = |ids: BTreeSet<String>| ids.into_iter().take(IDS).collect();
    let new = moves.iter().flat_map(|one| one.new.iter().cloned());
    let new = new.filter(|id| !clears.contains(id) && !stays.contains(id)).collect();
    let packages: BTreeSet<Replaced> = moves.iter().map(|one| one.replaced.clone()).collect();
    Upgrade {
        title,
        origin,
        packages: packages.into_iter().collect(),
        exploited: u64::try_from(exploited.len()).unwrap_or(u64::MAX),
        clears: listed(clears),
        findings,
        stays: listed(stays),
        new: listed(new),
        updates: listed(updates),
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
                after: None,
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
        let mending = plan(findings.iter(), &[], &Asked::default(), &|_, _| Advice::Unknown);
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
        let mending = plan(findings.iter(), &packages, &Asked::default(), &|_, _| Advice::Unknown);
        let steps: Vec<_> = mending
            .upgrades
            .iter()
            .map(|step| format!("{}: {}", step.title, step.effect()))
            .collect();
        assert_eq!(
            steps,
            [
                "upgrade a from 1-1 to 1-10: clears 1 CVE, installs 2 security updates",
                "upgrade b from 1.0.0 to 2.0.0: clears 1 CVE",
                "rebuild on a newer base image, or upgrade its 1 package: installs 1 security update",
                "upgrade alone from 1 to 2: installs 1 security update",
            ]
        );
        assert_eq!(mending.upgrades[0].updates, ["liba", "liba-data"]);
        assert_eq!(mending.upgrades[2].packages[0].to, "2");
        assert!(mending.only_another_base.is_empty() && mending.without_fix.is_empty());
    }

    #[test]
    fn a_step_says_what_stays_and_what_is_new_in_the_version_that_it_goes_to() {
        use OriginKind::Application;
        let findings = [
            finding("CVE-1", "pkg:npm/a@1.0.0", Some("1.9.0"), Application),
            finding("CVE-2", "pkg:npm/a@1.0.0", Some("1.10.0"), Application),
            finding("CVE-3", "pkg:npm/a@1.0.0", None, Application),
            // What another tool found, by its own fix.
            finding("OTHER-1", "pkg:npm/a@1.0.0", Some("2.0.1"), Application),
            finding("CVE-4", "pkg:npm/b@1.0.0", Some("1.0.1"), Application),
        ];
        let ids = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), Severity::High)).collect();
        let package = |name: &str| {
            let purl = Purl::new("npm", name).with_version("1.0.0");
            let mut package =
                Package::new(purl, Ecosystem::NPM, name, "1.0.0", Location::file("x", None));
            package.origin = Application;
            package
        };
        let advisor = |members: &[&Package], _: Option<&str>| match members {
            [only] if only.name == "a" => Advice::Go(advisories::Target {
                version: "2.0.0".to_owned(),
                now: ids(&["CVE-1", "CVE-2", "CVE-3"]),
                left: ids(&["CVE-3", "CVE-5"]),
                same_major: false,
                subscription: None,
                for_subscribers: None,
            }),
            _ => Advice::Stay,
        };
        let packages = [package("a"), package("b")];
        let mending = plan(findings.iter(), &packages, &Asked::default(), &advisor);
        let [step] = mending.upgrades.as_slice() else { panic!("{mending:?}") };
        assert_eq!(step.title, "upgrade a from 1.0.0 to 2.0.0, another major version");
        assert_eq!(step.clears, ["CVE-1", "CVE-2"]);
        assert_eq!(step.stays, ["CVE-3", "OTHER-1"]);
        assert_eq!(step.new, ["CVE-5"]);
        assert_eq!(step.effect(), "clears 2 of 4 vulnerabilities, brings 1 new");
        assert_eq!(step.packages[0].safety, Safety::Review);
        assert_eq!(mending.without_fix, ["CVE-3", "CVE-4"]);
    }

    #[test]
    fn a_free_version_claims_nothing_that_only_a_subscription_mends() {
        use OriginKind::Application;
        let mut paid = finding("CVE-2", "pkg:npm/a@1.0.0", Some("1.1.0+esm1"), Application);
        paid.fix.as_mut().unwrap().subscription = Some("Ubuntu Pro".to_owned());
        let findings = [finding("CVE-1", "pkg:npm/a@1.0.0", Some("1.1.0"), Application), paid];
        let ids = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), Severity::High)).collect();
        let target = advisories::Target {
            version: "1.1.0".to_owned(),
            now: ids(&["CVE-1", "CVE-2"]),
            left: ids(&["CVE-2"]),
            same_major: true,
            subscription: None,
            for_subscribers: Some(advisories::Paid {
                subscription: "Ubuntu Pro".to_owned(),
                version: "1.1.0+esm1".to_owned(),
                left: ids(&[]),
            }),
        };
        let mending =
            plan(findings.iter(), &[], &Asked::default(), &|_, _| Advice::Go(target.clone()));
        let [step] = mending.upgrades.as_slice() else { panic!("{mending:?}") };
        assert_eq!(step.clears, ["CVE-1"]);
        assert_eq!(step.effect(), "clears 1 of 2 CVEs, 1 more need Ubuntu Pro (1.1.0+esm1)");
        assert!(mending.without_fix.is_empty());
    }

    #[test]
    fn what_is_mended_after_its_last_affected_version_is_a_step_and_not_without_a_fix() {
        use OriginKind::Application;
        let mut after = finding("CVE-1", "pkg:npm/a@1.0.0", Some(""), Application);
        let fix = after.fix.as_mut().unwrap();
        (fix.version, fix.after) = (None, Some("1.2.3".to_owned()));
        let mending = plan([&after].into_iter(), &[], &Asked::default(), &|_, _| Advice::Stay);
        let [step] = mending.upgrades.as_slice() else { panic!("{mending:?}") };
        assert_eq!(step.title, "upgrade a from 1.0.0 to a version after 1.2.3");
        assert_eq!(step.effect(), "clears 1 CVE");
        assert!(mending.without_fix.is_empty());
    }

    #[test]
    fn nothing_open_needs_no_mending() {
        assert!(plan([].iter(), &[], &Asked::default(), &|_, _| Advice::Unknown).is_empty());
    }
}
