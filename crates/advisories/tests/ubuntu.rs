//! Records in the form that Ubuntu publishes: its CVEs, its notices, and both together. Names and numbers
//! are made up; the shape is that of the published ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{World, now};
use serde_json::{Value, json};
use vocabulary::{Evidence, Finding, Severity};

const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

/// An affected package of a release, mended at a version, or not at all.
fn affected(release: &str, name: &str, fixed: Option<&str>, cves: &[(&str, Value)]) -> Value {
    let ecosystem = format!("Ubuntu:{release}");
    let mut events = vec![json!({"introduced": "0"})];
    events.extend(fixed.map(|fixed| json!({"fixed": fixed})));
    let version = fixed.unwrap_or("1.0-1");
    let pro = release.starts_with("Pro:");
    let availability = if pro {
        "Available with Ubuntu Pro (Infra-only): https://ubuntu.com/pro"
    } else {
        "No subscription required"
    };
    let mut entry = json!({
        "package": {"ecosystem": ecosystem, "name": name, "purl": format!("pkg:deb/ubuntu/{name}@{version}?arch=source&distro=jammy")},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": ["1.0-1", "1.0-1ubuntu1"],
        "ecosystem_specific": {"binaries": [
            {"binary_name": format!("{name}-bin"), "binary_version": version},
            {"binary_name": format!("lib{name}1"), "binary_version": version}
        ], "availability": availability}
    });
    if !cves.is_empty() {
        let cves: Vec<Value> =
            cves.iter().map(|(id, severity)| json!({"id": id, "severity": severity})).collect();
        entry["database_specific"] = json!({"cves_map": {"ecosystem": ecosystem, "cves": cves}});
    }
    entry
}

fn rated(vector: &str, priority: &str) -> Value {
    json!([{"type": "CVSS_V3", "score": vector}, {"type": "Ubuntu", "score": priority}])
}

fn notice(id: &str, cves: &[&str], affected: &[Value]) -> String {
    let upstream: Vec<String> = cves.iter().map(|cve| format!("UBUNTU-{cve}")).collect();
    json!({"schema_version": "1.7.0", "id": id, "summary": "acme vulnerabilities",
        "details": "Someone discovered that Acme did not check lengths. More of it.\n",
        "aliases": [], "upstream": upstream, "related": [], "affected": affected,
        "references": [{"type": "ADVISORY", "url": format!("https://ubuntu.com/security/notices/{id}")}]})
    .to_string()
}

fn cve(cve: &str, severity: &Value, affected: &[Value]) -> String {
    json!({"schema_version": "1.7.0", "id": format!("UBUNTU-{cve}"),
        "details": "The parser of [Acme](https://acme.example) reads past its end. An attacker gains.",
        "aliases": [], "upstream": [cve], "related": ["USN-9001-1"], "severity": severity,
        "affected": affected})
    .to_string()
}

fn world(records: &[String]) -> World {
    let records: Vec<(&str, &str)> =
        records.iter().map(|record| ("Ubuntu", record.as_str())).collect();
    World::new(&records)
}

const PACKAGE: &str = "pkg:deb/ubuntu/acme-bin@1.0-1?distro=ubuntu-22.04";

fn found(world: &World) -> Vec<Finding> {
    world.matched(PACKAGE, Some("ubuntu:22.04")).findings
}

fn ids(world: &World) -> Vec<String> {
    world.ids(PACKAGE, Some("ubuntu:22.04"))
}

#[test]
fn one_a_notice_is_its_cves_and_no_finding_of_its_own() {
    let entry = affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &[]);
    let world = world(&[notice("USN-9001-1", &["CVE-2099-1001", "CVE-2099-1002"], &[entry])]);
    assert_eq!(ids(&world), ["CVE-2099-1001", "CVE-2099-1002"]);
}

#[test]
fn two_the_map_decides_which_cve_concerns_which_release() {
    let (first, second) = ("CVE-2099-1001", "CVE-2099-1002");
    let entries = [
        affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &[(first, rated(HIGH, "medium"))]),
        affected("24.04:LTS", "acme", Some("1.0-1ubuntu2"), &[(second, rated(HIGH, "medium"))]),
    ];
    let world = world(&[notice("USN-9002-1", &[first, second], &entries)]);
    assert_eq!(ids(&world), [first]);
    let newer = PACKAGE.replace("22.04", "24.04");
    assert_eq!(world.ids(&newer, Some("ubuntu:24.04")), [second]);
}

#[test]
fn three_each_cve_of_a_map_has_its_own_severity() {
    let map =
        [("CVE-2099-1001", rated(CRITICAL, "high")), ("CVE-2099-1002", rated(CRITICAL, "low"))];
    let entry = affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &map);
    let world = world(&[notice("USN-9003-1", &["CVE-2099-1001", "CVE-2099-1002"], &[entry])]);
    let findings = found(&world);
    let severities: Vec<_> = findings.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::High, Severity::Low]);
    assert!(findings.iter().all(|finding| !finding.is_rated_as_bundle()));
}

#[test]
fn four_vectors_of_a_map_count_where_ubuntu_gives_no_word() {
    let map = [
        ("CVE-2099-1001", json!([{"type": "CVSS_V3", "score": HIGH}])),
        ("CVE-2099-1002", json!([])),
    ];
    let entry = affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &map);
    let world = world(&[notice("USN-9004-1", &["CVE-2099-1001", "CVE-2099-1002"], &[entry])]);
    let severities: Vec<_> = found(&world).iter().map(|one| one.severity).collect();
    // What nobody rates comes behind what is rated high, and before what is medium.
    assert_eq!(severities, [Severity::High, Severity::Unknown]);
}

#[test]
fn five_the_record_of_a_cve_and_the_notice_are_one_finding() {
    let one = "CVE-2099-1001";
    let entry = || affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &[]);
    let world = world(&[
        notice("USN-9001-1", &[one], &[entry()]),
        cve(one, &rated(CRITICAL, "medium"), &[entry()]),
    ]);
    let [finding] = &found(&world)[..] else { panic!("not one") };
    assert_eq!(finding.id.as_deref(), Some(one));
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(finding.evidence.len(), 2);
    for id in [one, "UBUNTU-CVE-2099-1001", "usn-9001-1", "USN-9001-1"] {
        assert!(finding.is_known_as(id), "{id}");
    }
    assert!(!finding.is_known_as("UBUNTU-CVE-2099-1002"));
}

#[test]
fn six_a_cve_that_is_not_mended_is_found_and_its_title_is_a_sentence() {
    let entry = affected("22.04:LTS", "acme", None, &[]);
    let world = world(&[cve("CVE-2099-1001", &rated(HIGH, "low"), &[entry])]);
    let [finding] = &found(&world)[..] else { panic!("not one") };
    assert_eq!(finding.title, "The parser of Acme reads past its end");
    assert_eq!((finding.severity, &finding.fix), (Severity::Low, &None));
}

#[test]
fn seven_a_fix_for_subscribers_is_said_to_be_one_and_the_free_version_does_not_claim_it() {
    let records = [
        notice(
            "USN-9001-1",
            &["CVE-2099-1001"],
            &[affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &[])],
        ),
        notice(
            "USN-9002-1",
            &["CVE-2099-1002"],
            &[affected("Pro:22.04:LTS", "acme", Some("1.0-1ubuntu2+esm1"), &[])],
        ),
    ];
    let world = world(&records);
    let findings = found(&world);
    let paid = |id: &str| {
        let finding = findings.iter().find(|one| one.id.as_deref() == Some(id)).unwrap();
        finding.upgrade().unwrap().subscription.clone()
    };
    assert_eq!(paid("CVE-2099-1001"), None);
    assert_eq!(paid("CVE-2099-1002").as_deref(), Some("Ubuntu Pro"));
    let distribution = advisories::purls::distribution("ubuntu:22.04").unwrap();
    let (package, _) =
        advisories::purls::package(&PACKAGE.parse().unwrap(), Some(&distribution)).unwrap();
    let databases = advisories::Databases::open(
        world.folder.path(),
        advisories::ecosystems_of(std::slice::from_ref(&package)),
        now(),
    );
    let by = (Some(&distribution), &vocabulary::Programs::default());
    let advice = databases.upgrade(&[&package], None, by).unwrap();
    let advisories::Advice::Go(target) = advice else { panic!("{advice:?}") };
    assert_eq!((target.version.as_str(), target.subscription), ("1.0-1ubuntu2", None));
    assert_eq!(target.left.keys().collect::<Vec<_>>(), ["CVE-2099-1002"]);
    let paid = target.for_subscribers.unwrap();
    assert_eq!((paid.version.as_str(), paid.left.len()), ("1.0-1ubuntu2+esm1", 0));
    assert_eq!(paid.subscription, "Ubuntu Pro");
}

#[test]
fn eight_a_map_of_another_release_or_without_cves_takes_nothing_away() {
    let mut other =
        affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), &[("CVE-2099-1001", json!([]))]);
    other["database_specific"]["cves_map"]["ecosystem"] = json!("Ubuntu:20.04:LTS");
    let mut empty =
        affected("22.04:LTS", "beta", Some("1.0-1ubuntu2"), &[("CVE-2099-1001", json!([]))]);
    empty["database_specific"]["cves_map"]["cves"] = json!([]);
    let world =
        world(&[notice("USN-9008-1", &["CVE-2099-1001", "CVE-2099-1002"], &[other, empty])]);
    assert_eq!(ids(&world), ["CVE-2099-1001", "CVE-2099-1002"]);
    let beta = PACKAGE.replace("acme", "beta");
    assert_eq!(world.ids(&beta, Some("ubuntu:22.04")), ["CVE-2099-1001", "CVE-2099-1002"]);
}

#[test]
fn nine_a_cve_that_no_map_claims_concerns_every_entry_and_one_that_only_a_map_names_is_there() {
    let entry = affected(
        "22.04:LTS",
        "acme",
        Some("1.0-1ubuntu2"),
        &[("CVE-2099-1003", rated(HIGH, "high"))],
    );
    let world = world(&[notice("USN-9009-1", &["CVE-2099-1001"], &[entry])]);
    assert_eq!(ids(&world), ["CVE-2099-1001", "CVE-2099-1003"]);
}

#[test]
fn ten_a_kernel_is_one_finding_though_it_has_several_parts() {
    let mut entry = affected("22.04:LTS", "linux", Some("5.15.0-100.110"), &[]);
    entry["ecosystem_specific"]["binaries"] = json!([
        {"binary_name": "linux-image-5.15.0-100-generic", "binary_version": "5.15.0-100.110"},
        {"binary_name": "linux-modules-5.15.0-100-generic", "binary_version": "5.15.0-100.110"}
    ]);
    let world = world(&[notice("USN-9010-1", &["CVE-2099-1001"], &[entry])]);
    let distribution = advisories::purls::distribution("ubuntu:22.04").unwrap();
    let part = |name: &str, source: &str| {
        let purl = format!("pkg:deb/ubuntu/{name}@5.15.0-90.100?distro=ubuntu-22.04");
        let mut package = common::package(&purl, "var/lib/dpkg/status");
        package.source = Some(vocabulary::SourcePackage {
            name: source.to_owned(),
            version: "5.15.0-90.100".to_owned(),
        });
        package
    };
    let packages = [
        part("linux-modules-5.15.0-90-generic", "linux"),
        part("linux-modules-extra-5.15.0-90-generic", "linux"),
        part("linux-image-5.15.0-90-generic", "linux-signed"),
        part("linux-headers-5.15.0-90-generic", "linux"),
    ];
    let databases = advisories::Databases::open(
        world.folder.path(),
        advisories::ecosystems_of(&packages),
        now(),
    );
    let findings = databases.matches(&packages, Some(&distribution)).findings;
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.package.as_ref().unwrap().name(), "linux-image-5.15.0-90-generic");
}

#[test]
fn a_record_of_the_cve_alone_elsewhere_comes_before_the_map_and_a_bundle_says_so() {
    let entry = |map: &[(&str, Value)]| affected("22.04:LTS", "acme", Some("1.0-1ubuntu2"), map);
    let cves = ["CVE-2099-1001", "CVE-2099-1002", "CVE-2099-1003"];
    let map = [(cves[0], rated(CRITICAL, "critical")), (cves[1], json!([])), (cves[2], json!([]))];
    let bundle: Value = serde_json::from_str(&notice("USN-9011-1", &cves, &[entry(&map)])).unwrap();
    let mut bundle = bundle;
    bundle["severity"] = json!([{"type": "CVSS_V3", "score": CRITICAL}]);
    let record = |id: &str, cve: &str, word: &str| {
        format!(
            r#"{{"id":"{id}","aliases":["{cve}"],"summary":"Acme reads too much","database_specific":{{"severity":"{word}"}},
            "affected":[{{"package":{{"ecosystem":"PyPI","name":"acme"}},"versions":["1"]}}]}}"#
        )
    };
    let world = World::new(&[
        ("Ubuntu", &bundle.to_string()),
        ("PyPI", &record("PYSEC-1", cves[0], "LOW")),
        ("PyPI", &record("PYSEC-2", cves[1], "MODERATE")),
    ]);
    let findings = found(&world);
    let of = |id: &str| findings.iter().find(|one| one.id.as_deref() == Some(id)).unwrap();
    let source = |id: &str| match &of(id).evidence[0] {
        Evidence::Advisory(advisory) => (advisory.severity_from.clone(), advisory.rated_as_bundle),
        _ => panic!("no advisory"),
    };
    assert_eq!(of(cves[0]).severity, Severity::Low);
    assert_eq!(of(cves[1]).severity, Severity::Medium);
    assert_eq!(source(cves[1]), (Some("PYSEC-2".to_owned()), false));
    assert_eq!((of(cves[2]).severity, source(cves[2])), (Severity::Critical, (None, true)));
}
