//! What steps say, and that what is said of findings is the same.

use super::*;
use advisories::KNOWN_VULNERABILITY;
use vocabulary::fix::Upgrade;
use vocabulary::{
    ArchiveEvidence, Ecosystem, Evidence, Fix, Location, Purl, Severity, SourcePackage,
};

/// What is planned once it is offered.
fn planned<'all>(
    findings: impl Iterator<Item = &'all Finding>,
    packages: &[Package],
    advisor: &Advisor<'_>,
) -> Mending {
    offered(findings, packages, advisor).1
}

fn offered<'all>(
    findings: impl Iterator<Item = &'all Finding>,
    packages: &[Package],
    advisor: &Advisor<'_>,
) -> (Vec<Finding>, Mending) {
    let mut findings: Vec<Finding> = findings.cloned().collect();
    let aims = Aims::find(&findings, packages, advisor);
    aims.offer(&mut findings, packages);
    let (mending, titles) = plan(findings.iter(), packages, &Asked::default(), &aims);
    aims.retitle(&mut findings, packages, &titles);
    (findings, mending)
}

fn finding(id: &str, purl: &str, fixed: Option<&str>, origin: OriginKind) -> Finding {
    let purl: Purl = purl.parse().unwrap();
    let ecosystem = if purl.kind() == "deb" { Ecosystem::DEBIAN } else { Ecosystem::NPM };
    Finding {
        id: Some(id.to_owned()),
        package: Some(purl),
        ecosystem: Some(ecosystem),
        origin,
        fix: fixed.map(|version| {
            Fix::Upgrade(Upgrade {
                title: String::new(),
                safety: Safety::Safe,
                version: Some(version.to_owned()),
                after: None,
                to: None,
                subscription: None,
            })
        }),
        risk: Some(policy::rank(Severity::High, None, None, None, None, None)),
        ..Finding::of(
            &KNOWN_VULNERABILITY,
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
    let mending = planned(findings.iter(), &[], &|_, _| Advice::Unknown);
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
        rule: SECURITY_UPDATE_AVAILABLE.id.clone().into_owned(),
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
        package.source = Some(SourcePackage { name: source.to_owned(), version: "1-1".to_owned() });
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
    let mending = planned(findings.iter(), &packages, &|_, _| Advice::Unknown);
    let steps: Vec<_> =
        mending.upgrades.iter().map(|step| format!("{}: {}", step.title, step.effect())).collect();
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
            doubt: None,
            subscription: None,
            for_subscribers: None,
        }),
        _ => Advice::Stay,
    };
    let packages = [package("a"), package("b")];
    let mending = planned(findings.iter(), &packages, &advisor);
    let [step] = mending.upgrades.as_slice() else { panic!("{mending:?}") };
    assert_eq!(step.title, "upgrade a from 1.0.0 to 2.0.0, another major version");
    assert_eq!(step.clears, ["CVE-1", "CVE-2"]);
    assert_eq!(step.stays, ["CVE-3", "OTHER-1"]);
    assert_eq!(step.new, ["CVE-5"]);
    assert_eq!(step.effect(), "clears 2 of 4 vulnerabilities, brings 1 new");
    assert_eq!(step.packages[0].safety, Safety::Review);
    assert_eq!(mending.without_fix, ["CVE-3"]);
    assert_eq!(mending.not_offered, ["CVE-4", "OTHER-1"]);
}

#[test]
fn a_free_version_claims_nothing_that_only_a_subscription_mends() {
    use OriginKind::Application;
    let mut paid = finding("CVE-2", "pkg:npm/a@1.0.0", Some("1.1.0+esm1"), Application);
    paid.fix.as_mut().unwrap().upgrade_mut().unwrap().subscription = Some("Ubuntu Pro".to_owned());
    let findings = [finding("CVE-1", "pkg:npm/a@1.0.0", Some("1.1.0"), Application), paid];
    let ids = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), Severity::High)).collect();
    let target = advisories::Target {
        version: "1.1.0".to_owned(),
        now: ids(&["CVE-1", "CVE-2"]),
        left: ids(&["CVE-2"]),
        same_major: true,
        doubt: None,
        subscription: None,
        for_subscribers: Some(advisories::Paid {
            subscription: "Ubuntu Pro".to_owned(),
            version: "1.1.0+esm1".to_owned(),
            left: ids(&[]),
        }),
    };
    let mending = planned(findings.iter(), &[], &|_, _| Advice::Go(target.clone()));
    let [step] = mending.upgrades.as_slice() else { panic!("{mending:?}") };
    assert_eq!(step.clears, ["CVE-1"]);
    assert_eq!(step.effect(), "clears 1 of 2 CVEs, 1 more need Ubuntu Pro (1.1.0+esm1)");
    assert!(mending.without_fix.is_empty());
}

#[test]
fn what_is_mended_after_its_last_affected_version_is_a_step_and_not_without_a_fix() {
    use OriginKind::Application;
    let mut after = finding("CVE-1", "pkg:npm/a@1.0.0", Some(""), Application);
    let fix = after.fix.as_mut().unwrap().upgrade_mut().unwrap();
    (fix.version, fix.after) = (None, Some("1.2.3".to_owned()));
    let mending = planned([&after].into_iter(), &[], &|_, _| Advice::After("1.2.3".to_owned()));
    let [step] = mending.upgrades.as_slice() else { panic!("{mending:?}") };
    assert_eq!(step.title, "upgrade a from 1.0.0 to a version after 1.2.3");
    assert_eq!(step.effect(), "clears 1 CVE");
    assert!(mending.without_fix.is_empty());
}

#[test]
fn nothing_open_needs_no_mending() {
    assert!(planned([].iter(), &[], &|_, _| Advice::Unknown).is_empty());
}

/// A finding of one of four packages, with a fix that may be a release, the last that has it, or none.
fn any_finding() -> impl proptest::strategy::Strategy<Value = (u8, u8, u8, bool)> {
    use proptest::prelude::any;
    (0_u8..12, 0_u8..4, 0_u8..3, any::<bool>())
}

proptest::proptest! {
    /// Whatever is found and advised: what steps clear is what findings are offered, what is mendable is
    /// counted so, and what is in no step is in one of the lists.
    #[test]
    fn counts_steps_and_findings_agree(
        all in proptest::collection::vec(any_finding(), 0..24),
        advised in proptest::collection::vec((0_u8..4, 0_u16..4096), 4),
    ) {
        let name = |package: u8| format!("p{package}");
        let mut seen = BTreeSet::new();
        let findings: Vec<Finding> = all
            .into_iter()
            .filter(|(id, package, ..)| seen.insert((*id, *package)))
            .map(|(id, package, kind, base)| {
                let origin = if base && package == 3 { OriginKind::Base } else { OriginKind::Application };
                let purl = format!("pkg:npm/p{package}@1.0.0");
                let mut one = finding(&format!("CVE-{id}"), &purl, Some("1.5.0"), origin);
                one.fingerprint = vocabulary::Fingerprint::new("x", Some(&format!("{id} {package}")), None, &one.location);
                match kind {
                    0 => one.fix = None,
                    1 => {
                        let fix = one.fix.as_mut().unwrap().upgrade_mut().unwrap();
                        (fix.version, fix.after) = (None, Some("1.2.3".to_owned()));
                    }
                    _ => {}
                }
                one
            })
            .collect();
        let packages: Vec<Package> = [OriginKind::Application, OriginKind::Base]
            .into_iter()
            .flat_map(|origin| (0..4).map(move |package| (package, origin)))
            .map(|(package, origin)| {
                let purl = Purl::new("npm", &name(package)).with_version("1.0.0");
                let mut one = Package::new(purl, Ecosystem::NPM, name(package), "1.0.0", Location::file("x", None));
                one.origin = origin;
                one
            })
            .collect();
        let advisor = |members: &[&Package], _: Option<&str>| {
            let Some(first) = members.first() else { return Advice::Stay };
            let number: usize = first.name.trim_start_matches('p').parse().unwrap();
            let (kind, left) = advised[number];
            let ids = |keep: &dyn Fn(u8) -> bool| {
                (0..12).filter(|id| keep(*id)).map(|id| (format!("CVE-{id}"), Severity::High)).collect()
            };
            match kind {
                0 => Advice::Stay,
                1 => Advice::After("1.2.3".to_owned()),
                _ => Advice::Go(advisories::Target {
                    version: "2.0.0".to_owned(),
                    now: ids(&|_| true),
                    left: ids(&|id| left >> id & 1 == 1),
                    same_major: false,
                    doubt: None,
                    subscription: None,
                    for_subscribers: None,
                }),
            }
        };
        let (findings, mending) = offered(findings.iter(), &packages, &advisor);
        let summary = vocabulary::Summary::count(&findings, &packages);
        let mendable = findings.iter().filter(|one| one.is_mendable()).count();
        let instructed = findings.iter().filter(|one| one.offered().is_some()).count();
        proptest::prop_assert_eq!(summary.fixable, u64::try_from(mendable).unwrap());
        proptest::prop_assert_eq!(summary.offered, u64::try_from(instructed).unwrap());
        let cleared: BTreeSet<&String> = mending.upgrades.iter().flat_map(|step| &step.clears).collect();
        for one in &findings {
            let id = one.id.as_ref().unwrap();
            // What a step clears, the gate counts.
            proptest::prop_assert!(!cleared.contains(id) || one.is_mendable() || one.offered().is_none());
            let steps = mending.upgrades.iter().filter(|step| {
                step.packages.iter().any(|package| package.name == one.package.as_ref().unwrap().name())
            });
            let in_steps: Vec<_> = steps.collect();
            match (one.offered(), one.is_mendable()) {
                (Some(to), _) => {
                    proptest::prop_assert!(one.instruction().unwrap().contains(to));
                    let told = in_steps.iter().any(|step| {
                        (step.clears.contains(id) || step.stays.contains(id))
                            && step.packages.iter().any(|package| package.to == to)
                    });
                    proptest::prop_assert!(told);
                }
                (None, true) => {
                    proptest::prop_assert!(mending.not_offered.contains(id));
                    proptest::prop_assert!(one.instruction().is_none());
                }
                (None, false) => {
                    let list = match one.origin {
                        OriginKind::Base => &mending.only_another_base,
                        _ => &mending.without_fix,
                    };
                    proptest::prop_assert!(list.contains(id));
                }
            }
        }
        for list in [&mending.without_fix, &mending.only_another_base, &mending.not_offered] {
            for id in list {
                proptest::prop_assert!(findings.iter().any(|one| one.id.as_ref() == Some(id) && one.offered().is_none()));
            }
        }
    }
}
