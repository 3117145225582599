//! What is matched, what is not, and what a finding says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use advisories::Databases;
use common::{World, now, package, record};
use vocabulary::{Ecosystem, Evidence, Severity, Status};

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

fn fix(world: &World, purl: &str, distribution: Option<&str>) -> Option<(String, Option<String>)> {
    let fix = world.only(purl, distribution).upgrade()?.clone();
    Some((fix.version?, fix.subscription))
}

#[test]
fn a_finding_says_all_that_a_sceptic_needs() {
    let world = World::new(&[
        (
            "PyPI",
            &record(
                "PYSEC-2026-1",
                &format!(
                    r#""summary":"Remote code execution","aliases":["CVE-2026-1000","GHSA-aaaa-bbbb-cccc"],"severity":[{{"type":"CVSS_V3","score":"{CRITICAL}"}}]"#
                ),
                "PyPI",
                "Acme.Lib",
                r#"{"introduced":"0"},{"fixed":"1.4"},{"introduced":"2.0"},{"fixed":"2.1"}"#,
            ),
        ),
        (
            "PyPI",
            &record(
                "GHSA-aaaa-bbbb-cccc",
                r#""aliases":["CVE-2026-1000"],"database_specific":{"severity":"HIGH"}"#,
                "PyPI",
                "acme-lib",
                r#"{"introduced":"2.0"},{"fixed":"2.2"}"#,
            ),
        ),
    ]);
    let packages = [package("pkg:pypi/acme_lib@2.0.5", "usr/lib/acme_lib.dist-info/METADATA")];
    let databases = Databases::open(world.folder.path(), [Ecosystem::PYPI], now());
    let matched = databases.matches(&packages, None);
    insta::assert_json_snapshot!("finding", (&matched.findings, &matched.coverage));
}

#[test]
fn a_record_with_several_cves_gives_one_finding_for_each() {
    let world = World::new(&[(
        "PyPI",
        &record(
            "PYSEC-1",
            r#""aliases":["CVE-2026-1001","CVE-2026-1002"]"#,
            "PyPI",
            "acme",
            r#"{"introduced":"0"}"#,
        ),
    )]);
    assert_eq!(world.ids("pkg:pypi/acme@1", None), ["CVE-2026-1001", "CVE-2026-1002"]);
}

/// Package URLs of Go are in lower case, advisories write modules as their repositories do.
#[test]
fn a_module_of_go_is_found_in_any_case_of_letters() {
    let world = World::new(&[
        (
            "Go",
            &record(
                "GO-1",
                r#""aliases":["CVE-2026-1"]"#,
                "Go",
                "github.com/Acme/Utils",
                r#"{"introduced":"0"}"#,
            ),
        ),
        (
            "Go",
            &record(
                "GO-2",
                r#""aliases":["CVE-2026-2"]"#,
                "Go",
                "github.com/acme/utils",
                r#"{"introduced":"0"}"#,
            ),
        ),
        (
            "Go",
            &record(
                "GO-3",
                r#""aliases":["CVE-2026-3"]"#,
                "Go",
                "github.com/acme/other",
                r#"{"introduced":"0"}"#,
            ),
        ),
    ]);
    for name in ["github.com/acme/utils", "github.com/Acme/Utils", "github.com/ACME/utils"] {
        let ids = world.ids(&format!("pkg:golang/{name}@v1.0.0"), None);
        assert_eq!(ids, ["CVE-2026-1", "CVE-2026-2"], "{name}");
    }
}

#[test]
fn a_notice_and_a_record_of_the_same_cve_give_one_finding() {
    let world = World::new(&[
        (
            "Debian",
            &record(
                "DSA-1",
                r#""upstream":["CVE-2026-1001","CVE-2026-1002"]"#,
                "Debian:12",
                "acme",
                r#"{"introduced":"0"},{"fixed":"1.2-1+deb12u1"}"#,
            ),
        ),
        (
            "Debian",
            &record(
                "DEBIAN-CVE-2026-1001",
                r#""upstream":["CVE-2026-1001"]"#,
                "Debian:12",
                "acme",
                r#"{"introduced":"0"},{"fixed":"1.2-1+deb12u2"}"#,
            ),
        ),
    ]);
    let matched = world.matched("pkg:deb/debian/libacme1@1.2-1?upstream=acme", Some("debian:12"));
    assert_eq!(matched.findings.len(), 2);
    let first = &matched.findings[0];
    assert_eq!(first.id.as_deref(), Some("CVE-2026-1001"));
    assert_eq!(first.evidence.len(), 2);
    // Both are satisfied only by the later of the two fixes.
    assert_eq!(first.upgrade().unwrap().version.as_deref(), Some("1.2-1+deb12u2"));
    assert_eq!(matched.coverage[0].check, "vulnerabilities:Debian:12");
    assert_eq!(matched.coverage[0].status, Status::Ran);
}

#[test]
fn an_open_record_beside_a_fixed_one_leaves_no_fix() {
    let open = record(
        "DEBIAN-CVE-2026-1001",
        r#""upstream":["CVE-2026-1001"]"#,
        "Debian:12",
        "acme",
        r#"{"introduced":"0"}"#,
    );
    let fixed = record(
        "DSA-1",
        r#""upstream":["CVE-2026-1001"]"#,
        "Debian:12",
        "acme",
        r#"{"introduced":"0"},{"fixed":"2"}"#,
    );
    let world = World::new(&[("Debian", &open), ("Debian", &fixed)]);
    assert_eq!(fix(&world, "pkg:deb/debian/acme@1", Some("debian:12")), None);
}

#[test]
fn a_release_without_advisories_is_not_checked() {
    let world = World::new(&[(
        "Debian",
        &record("DSA-1", "", "Debian:12", "acme", r#"{"introduced":"0"}"#),
    )]);
    let coverage = &world.matched("pkg:deb/debian/acme@1", Some("debian:8")).coverage[0];
    assert_eq!(
        (coverage.check.as_str(), coverage.status),
        ("vulnerabilities:Debian:8", Status::Skipped)
    );
    let coverage = &world.matched("pkg:deb/debian/acme@1", Some("debian:sid")).coverage[0];
    assert_eq!(
        (coverage.check.as_str(), coverage.status),
        ("vulnerabilities:Debian", Status::Skipped)
    );
    let coverage = &world.matched("pkg:npm/acme@1.0.0", None).coverage[0];
    assert_eq!(
        (coverage.check.as_str(), coverage.status),
        ("vulnerabilities:npm", Status::Skipped)
    );
}

#[test]
fn entries_of_other_ecosystems_and_withdrawn_records_do_not_match() {
    let events = r#"{"introduced":"0"}"#;
    let world = World::new(&[
        ("npm", &record("GHSA-1", "", "PyPI", "acme", events)),
        ("npm", &record("GHSA-2", r#""withdrawn":"2026-01-01T00:00:00Z""#, "npm", "acme", events)),
        ("npm", &record("GHSA-3", "", "npm", "acme", events)),
    ]);
    assert_eq!(world.ids("pkg:npm/acme@1.0.0", None), ["GHSA-3"]);
}

#[test]
fn informational_records_and_bug_fixes_are_no_vulnerabilities() {
    let events = r#"{"introduced":"0"}"#;
    let informational = r#"{"id":"RUSTSEC-1","affected":[{"package":{"ecosystem":"crates.io","name":"acme"},
        "database_specific":{"informational":"unmaintained"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;
    let world = World::new(&[
        ("crates.io", informational),
        ("crates.io", &record("RUSTSEC-2", "", "crates.io", "acme", events)),
        ("AlmaLinux", &record("ALBA-2026:1", "", "AlmaLinux:9", "acme", events)),
        (
            "AlmaLinux",
            &record(
                "ALSA-2026:2",
                r#""summary":"Important: acme security update","related":["CVE-2026-1"]"#,
                "AlmaLinux:9",
                "acme",
                r#"{"introduced":"0"},{"fixed":"1:2-1.el9"}"#,
            ),
        ),
    ]);
    assert_eq!(world.ids("pkg:cargo/acme@1.0.0", None), ["RUSTSEC-2"]);
    let finding = world.only("pkg:rpm/almalinux/acme@1-1.el9?epoch=1", Some("almalinux:9.3"));
    assert_eq!(finding.severity, Severity::High);
}

#[test]
fn a_malicious_package_is_critical_and_has_a_rule_of_its_own() {
    let world = World::new(&[(
        "npm",
        r#"{"id":"MAL-2026-1","summary":"Malicious code in evil (npm)","affected":[{"package":{"ecosystem":"npm","name":"evil"},"versions":["6.6.6"]}]}"#,
    )]);
    let finding = world.only("pkg:npm/evil@6.6.6", None);
    assert_eq!(finding.rule, "malicious-package");
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.title, "Malicious code in evil (npm)");
    assert!(world.ids("pkg:npm/evil@6.6.5", None).is_empty());
}

#[test]
fn listed_versions_count_beside_ranges_and_last_affected_counts_itself() {
    let world = World::new(&[(
        "PyPI",
        r#"{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"acme"},"versions":["1.5","3.0"],
        "ranges":[{"type":"GIT","events":[{"introduced":"0"}]},
        {"type":"ECOSYSTEM","events":[{"last_affected":"2.0"},{"introduced":"1.0"}]}]}]}"#,
    )]);
    for (version, affected) in
        [("0.9", false), ("1.0", true), ("2.0", true), ("2.0.1", false), ("3.0.0", true)]
    {
        let found = !world.ids(&format!("pkg:pypi/acme@{version}"), None).is_empty();
        assert_eq!(found, affected, "{version}");
    }
    let Evidence::Advisory(evidence) = &world.only("pkg:pypi/acme@3.0", None).evidence[0] else {
        panic!("no advisory")
    };
    assert!(evidence.range.listed);
}

#[test]
fn binaries_are_matched_by_their_own_versions() {
    let world = World::new(&[(
        "Ubuntu",
        r#"{"id":"USN-1-1","upstream":["CVE-2026-1"],"affected":[{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"acme"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:5-2"}]}],
        "ecosystem_specific":{"binaries":[{"libacme1":"3-2","acme-tools":"1:5-2"}]}}]}"#,
    )]);
    let at = |purl: &str| world.ids(purl, Some("ubuntu:22.04")).len();
    assert_eq!(at("pkg:deb/ubuntu/libacme1@3-1?upstream=acme%401:5-1"), 1);
    assert_eq!(at("pkg:deb/ubuntu/libacme1@3-2?upstream=acme%401:5-1"), 0);
    assert_eq!(at("pkg:deb/ubuntu/acme-doc@1?upstream=acme%401:5-1"), 0);
}

#[test]
fn an_unfixed_record_with_binaries_is_compared_by_the_source() {
    let world = World::new(&[(
        "Ubuntu",
        r#"{"id":"UBUNTU-CVE-2026-1","upstream":["CVE-2026-1"],"affected":[{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"acme"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2"}]}],
        "severity":[{"type":"Ubuntu","score":"low"}],
        "ecosystem_specific":{"binaries":[{"binary_name":"libacme1","binary_version":"9"}]}}]}"#,
    )]);
    let finding = world.only("pkg:deb/ubuntu/libacme1@9?upstream=acme%403", Some("ubuntu:22.04"));
    assert_eq!((finding.severity, finding.fix), (Severity::Low, None));
    assert!(
        world.ids("pkg:deb/ubuntu/libacme1@9?upstream=acme%401", Some("ubuntu:22.04")).is_empty()
    );
}

#[test]
fn a_fix_for_subscribers_only_says_so_and_mends_when_installed() {
    let open = record(
        "UBUNTU-CVE-2026-1",
        r#""upstream":["CVE-2026-1"]"#,
        "Ubuntu:18.04:LTS",
        "acme",
        r#"{"introduced":"0"}"#,
    );
    let paid = record(
        "USN-9-1",
        r#""upstream":["CVE-2026-1"]"#,
        "Ubuntu:Pro:18.04:LTS",
        "acme",
        r#"{"introduced":"0"},{"fixed":"1-1ubuntu1+esm2"}"#,
    );
    let world = World::new(&[("Ubuntu", &open), ("Ubuntu", &paid)]);
    assert_eq!(
        fix(&world, "pkg:deb/ubuntu/acme@1-1ubuntu1", Some("ubuntu:18.04")),
        Some(("1-1ubuntu1+esm2".into(), Some("Ubuntu Pro".into())))
    );
    assert!(world.ids("pkg:deb/ubuntu/acme@1-1ubuntu1%2Besm2", Some("ubuntu:18.04")).is_empty());
}

#[test]
fn an_esm_version_in_a_plain_release_needs_the_subscription_too() {
    let world = World::new(&[(
        "Ubuntu",
        &record(
            "USN-9-1",
            r#""upstream":["CVE-2026-1"]"#,
            "Ubuntu:18.04:LTS",
            "acme",
            r#"{"introduced":"0"},{"fixed":"1-1~esm1"}"#,
        ),
    )]);
    assert_eq!(
        fix(&world, "pkg:deb/ubuntu/acme@1-0", Some("ubuntu:18.04")),
        Some(("1-1~esm1".into(), Some("Ubuntu Pro".into())))
    );
}

#[test]
fn kernel_headers_are_not_the_kernel() {
    let world = World::new(&[(
        "Debian",
        &record(
            "DEBIAN-CVE-2026-1",
            r#""upstream":["CVE-2026-1"]"#,
            "Debian:12",
            "linux",
            r#"{"introduced":"0"},{"fixed":"6.1.99-1"}"#,
        ),
    )]);
    let at = |purl: &str| world.ids(purl, Some("debian:12")).len();
    assert_eq!(at("pkg:deb/debian/linux-libc-dev@6.1.76-1?upstream=linux"), 0);
    assert_eq!(
        at(
            "pkg:deb/debian/linux-image-6.1.0-18-amd64@6.1.76-1?upstream=linux-signed-amd64%406.1.76%2B1"
        ),
        1
    );
}

#[test]
fn the_fix_is_that_of_the_versions_own_branch() {
    let world = World::new(&[(
        "npm",
        &record(
            "GHSA-1",
            "",
            "npm",
            "@acme/web",
            r#"{"introduced":"12.0.0"},{"fixed":"12.3.6"},{"introduced":"13.0.0"},{"fixed":"13.5.10"}"#,
        ),
    )]);
    assert_eq!(fix(&world, "pkg:npm/%40acme/web@12.1.0", None).unwrap().0, "12.3.6");
    assert_eq!(fix(&world, "pkg:npm/%40acme/web@13.1.0", None).unwrap().0, "13.5.10");
    assert!(world.ids("pkg:npm/%40acme/web@12.3.6", None).is_empty());
}

#[test]
fn a_modular_package_is_mended_by_its_own_stream() {
    let notice = |id: &str, stream: &str, fixed: &[&str]| {
        let affected: Vec<String> = fixed
            .iter()
            .map(|fixed| format!(r#"{{"package":{{"ecosystem":"AlmaLinux:8","name":"acme"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}"#))
            .collect();
        format!(
            r#"{{"id":"{id}","summary":"Important: acme:{stream} security update","related":["CVE-2026-1"],"affected":[{}]}}"#,
            affected.join(",")
        )
    };
    let world = World::new(&[
        (
            "AlmaLinux",
            &notice(
                "ALSA-1",
                "18",
                &["1:18.2-1.module_el8.4.0+20+a", "1:18.2-1.module_el8.5.0+10+b"],
            ),
        ),
        ("AlmaLinux", &notice("ALSA-2", "20", &["1:20.5-1.module_el8.5.0+11+c"])),
    ]);
    let at = |version: &str| {
        let purl = format!("pkg:rpm/almalinux/acme@{version}");
        world.matched(&purl.replace('+', "%2B"), Some("almalinux:8.5")).findings
    };
    let found = at("1:18.1-1.module_el8.4.0+1+a");
    assert_eq!(found[0].evidence.len(), 1);
    assert_eq!(
        found[0].upgrade().unwrap().version.as_deref(),
        Some("1:18.2-1.module_el8.4.0+20+a")
    );
    // The mended build of another minor release is no older one.
    assert!(at("1:18.2-1.module_el8.4.0+20+a").is_empty());
    // What is not modular is no stream's.
    assert!(at("1:10.1-1.el8").is_empty());
}

#[test]
fn go_bounds_that_stand_apart_are_used() {
    let world = World::new(&[(
        "Go",
        r#"{"id":"GO-2026-1","affected":[{"package":{"ecosystem":"Go","name":"acme.dev/web"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
        "ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.9.0"}]}]}}]}"#,
    )]);
    let at = |version: &str| world.ids(&format!("pkg:golang/acme.dev/web@{version}"), None).len();
    assert_eq!(at("v1.8.0"), 1);
    assert_eq!(at("v1.9.0"), 0);
    // Without a tag there is no place among the tags: the range for all versions holds.
    assert_eq!(at("v0.0.0-20240101000000-abcdefabcdef"), 1);
}

#[test]
fn go_bounds_that_are_no_versions_leave_all_versions_affected() {
    let world = World::new(&[(
        "Go",
        r#"{"id":"GO-2026-1","affected":[{"package":{"ecosystem":"Go","name":"acme.dev/store"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
        "ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"RELEASE.2026"}]}]}}]}"#,
    )]);
    let matched = world.matched("pkg:golang/acme.dev/store@v1.0.0", None);
    assert_eq!(matched.findings.len(), 1);
    assert_eq!(matched.coverage[0].status, Status::Ran);
}

#[test]
fn a_severity_is_borrowed_from_another_record_of_the_same_cve() {
    let world = World::new(&[
        (
            "Alpine",
            &record(
                "ALPINE-CVE-2026-0001",
                r#""upstream":["CVE-2026-0001"]"#,
                "Alpine:v3.20",
                "acme",
                r#"{"introduced":"0"},{"fixed":"2-r0"}"#,
            ),
        ),
        (
            "Alpine",
            &record(
                "ALPINE-CVE-2026-0002",
                r#""upstream":["CVE-2026-0002"]"#,
                "Alpine:v3.20",
                "acme",
                r#"{"introduced":"0"},{"fixed":"2-r0"}"#,
            ),
        ),
        (
            "Go",
            &record(
                "GO-1",
                &format!(
                    r#""aliases":["CVE-2026-0001"],"severity":[{{"type":"CVSS_V3","score":"{CRITICAL}"}}]"#
                ),
                "Go",
                "acme.dev/x",
                r#"{"introduced":"0"}"#,
            ),
        ),
    ]);
    let findings = world.matched("pkg:apk/alpine/acme@1-r0", Some("alpine:3.20.1")).findings;
    assert_eq!(
        (findings[0].severity, findings[1].severity),
        (Severity::Critical, Severity::Unknown)
    );
    let Evidence::Advisory(evidence) = &findings[0].evidence[0] else { panic!("no advisory") };
    assert_eq!(evidence.severity_from.as_deref(), Some("GO-1"));
    assert_eq!(evidence.score, Some(9.8));
}

#[test]
fn a_version_without_a_place_in_the_order_is_a_problem_and_stops_nothing() {
    let world = World::new(&[(
        "PyPI",
        &record("PYSEC-1", "", "PyPI", "acme", r#"{"introduced":"0"},{"fixed":"2"}"#),
    )]);
    let packages = [
        package("pkg:pypi/acme@not%20a%20version", "a/METADATA"),
        package("pkg:pypi/acme@1.0", "b/METADATA"),
    ];
    let databases = Databases::open(world.folder.path(), [Ecosystem::PYPI], now());
    let matched = databases.matches(&packages, None);
    assert_eq!(matched.findings.len(), 1);
    assert_eq!(matched.coverage[0].status, Status::Partial);
    assert_eq!(matched.coverage[0].problems[0].path, "a/METADATA");
}

#[test]
fn a_package_that_the_distribution_owns_is_not_matched_twice() {
    let events = r#"{"introduced":"0"}"#;
    let world = World::new(&[
        ("PyPI", &record("PYSEC-1", "", "PyPI", "acme", events)),
        ("Debian", &record("DSA-1", "", "Debian:12", "python-acme", events)),
    ]);
    let mut owned = package("pkg:pypi/acme@1.0", "usr/lib/python3/dist-packages/acme/METADATA");
    owned.owned_by = Some(Box::new("pkg:deb/debian/python3-acme@1.0-1".parse().unwrap()));
    let packages = [owned];
    let ecosystems = [Ecosystem::PYPI, Ecosystem::DEBIAN];
    let databases = Databases::open(world.folder.path(), ecosystems, now());
    let at = |text: &str| {
        let distribution = advisories::purls::distribution(text).unwrap();
        databases.matches(&packages, Some(&distribution)).findings.len()
    };
    assert_eq!(at("debian:12"), 0);
    // Nobody else would report it in a release without advisories.
    assert_eq!(at("debian:8"), 1);
}

#[test]
fn a_damaged_database_is_a_failed_check() {
    let world =
        World::new(&[("npm", &record("GHSA-1", "", "npm", "acme", r#"{"introduced":"0"}"#))]);
    std::fs::write(common::database(world.folder.path(), "npm"), b"LZDB nonsense").unwrap();
    let matched = world.matched("pkg:npm/acme@1.0.0", None);
    assert!(matched.findings.is_empty());
    assert_eq!(matched.coverage[0].status, Status::Failed);
}

#[test]
fn an_id_that_no_advisory_names_is_told_from_one_that_affects_nothing() {
    let world = World::new(&[
        (
            "PyPI",
            &record(
                "PYSEC-2026-1",
                r#""aliases":["CVE-2026-1000","GHSA-aaaa-bbbb-cccc"]"#,
                "PyPI",
                "acme",
                r#"{"introduced":"0"},{"fixed":"1.4"}"#,
            ),
        ),
        (
            "PyPI",
            &record(
                "PYSEC-2026-2",
                r#""aliases":["CVE-2026-1001"]"#,
                "PyPI",
                "b",
                r#"{"introduced":"0"}"#,
            ),
        ),
    ]);
    let databases = Databases::open(world.folder.path(), [Ecosystem::PYPI], now());
    let naming = |id: &str| databases.advisories_naming(id).unwrap();
    for id in ["CVE-2026-1000", "cve-2026-1000", "ghsa-AAAA-bbbb-cccc", "PYSEC-2026-1"] {
        assert_eq!(naming(id).into_iter().collect::<Vec<_>>(), ["PYSEC-2026-1"], "{id}");
    }
    assert_eq!(naming("CVE-2026-1001").len(), 1);
    assert!(naming("CVE-2026-9999").is_empty());
    assert!(naming("").is_empty());
}

#[test]
fn a_package_from_elsewhere_is_matched_by_its_version_and_counted_without_one() {
    let world = World::new(&[
        (
            "npm",
            &record(
                "GHSA-1",
                r#""aliases":["CVE-2026-1000"]"#,
                "npm",
                "acme",
                r#"{"introduced":"0"},{"fixed":"2.0"}"#,
            ),
        ),
        (
            "Packagist",
            &record(
                "GHSA-2",
                r#""aliases":["CVE-2026-2000"]"#,
                "Packagist",
                "acme/fork",
                r#"{"introduced":"0"},{"fixed":"2.0"}"#,
            ),
        ),
    ]);
    let git = "vcs_url=git%2Bhttps://host.test/acme.git%4001";
    assert_eq!(world.ids(&format!("pkg:npm/acme@1.0.0?{git}"), None), ["CVE-2026-1000"]);
    for (purl, ecosystem) in [
        (format!("pkg:npm/other?{git}"), "npm"),
        (format!("pkg:composer/acme/fork@dev-main?{git}"), "Packagist"),
    ] {
        let matched = world.matched(&purl, None);
        assert!(matched.findings.is_empty(), "{purl}");
        let [coverage] = matched.coverage.as_slice() else { panic!("{:?}", matched.coverage) };
        assert_eq!(coverage.check, format!("vulnerabilities:{ecosystem}"));
        assert_eq!(coverage.status, Status::Ran);
        assert_eq!(
            coverage.reason.as_deref(),
            Some(
                "1 of 1 packages come from git, URLs, paths or private registries: listed, not matched"
            )
        );
    }
}

#[test]
fn a_record_that_knows_the_last_affected_version_is_mended_after_it() {
    let last =
        record("PYSEC-1", "", "PyPI", "acme", r#"{"introduced":"0"},{"last_affected":"1.2.3"}"#);
    let world = World::new(&[("PyPI", &last)]);
    let fix = world.only("pkg:pypi/acme@1.0", None).upgrade().unwrap().clone();
    assert_eq!((fix.version.as_deref(), fix.after.as_deref()), (None, Some("1.2.3")));
    assert_eq!(fix.title, "fixed after 1.2.3");
    // Another advisory names a version that is there.
    let other = record(
        "PYSEC-2",
        "",
        "PyPI",
        "acme",
        r#"{"introduced":"1.1"},{"fixed":"1.3"},{"introduced":"2.0"},{"fixed":"2.1"}"#,
    );
    let world = World::new(&[("PyPI", &last), ("PyPI", &other)]);
    assert_eq!(fix_of(&world, "pkg:pypi/acme@1.0"), Some("1.3".to_owned()));
    // What goes on after it is not mended after it.
    let both = last.replace("]}]}", r#"]},{"type":"ECOSYSTEM","events":[{"introduced":"0.5"}]}]}"#);
    assert_ne!(last, both);
    let world = World::new(&[("PyPI", &both)]);
    assert_eq!(world.only("pkg:pypi/acme@1.0", None).fix, None);
}

fn fix_of(world: &World, purl: &str) -> Option<String> {
    world.only(purl, None).upgrade()?.version.clone()
}

#[test]
fn records_that_name_each_other_without_a_cve_are_one_finding() {
    let events = r#"{"introduced":"0"},{"fixed":"2"}"#;
    let world = World::new(&[
        ("PyPI", &record("PYSEC-1", r#""aliases":["GHSA-aaaa"]"#, "PyPI", "acme", events)),
        ("PyPI", &record("GHSA-aaaa", "", "PyPI", "acme", events)),
        ("PyPI", &record("PYSEC-2", r#""aliases":["X-9"]"#, "PyPI", "acme", events)),
        ("PyPI", &record("PYSEC-3", r#""aliases":["X-9"]"#, "PyPI", "acme", events)),
    ]);
    assert_eq!(world.ids("pkg:pypi/acme@1", None), ["GHSA-aaaa", "PYSEC-2"]);
    let findings = world.matched("pkg:pypi/acme@1", None).findings;
    for id in ["PYSEC-1", "GHSA-AAAA", "PYSEC-3", "X-9"] {
        assert_eq!(findings.iter().filter(|one| one.is_known_as(id)).count(), 1, "{id}");
    }
}
