//! What is exploited comes first: KEV and EPSS, from a mirror and by name, in every report.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, base, code, image, stderr, stdout};
use serde_json::Value;
use testkit::{ImageBuilder, Layer};

const KEV: &str = r#"{"dateReleased":"2099-01-02T00:00:00Z","vulnerabilities":[
    {"cveID":"CVE-2099-0003","dateAdded":"2098-12-24","dueDate":"2099-01-14","knownRansomwareCampaignUse":"Known"}]}"#;
const EPSS: &str = "#score_date:2099-01-02T00:00:00Z\ncve,epss,percentile\nCVE-2099-0001,0.01,0.5\nCVE-2099-0002,0.91,0.99\n";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write_feed();
    bench.write("feed/cisa-kev/known_exploited_vulnerabilities.json", KEV);
    bench.write("feed/epss/epss_scores-current.csv", EPSS);
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    assert!(stderr(&updated).contains("KEV: 1 entry\nEPSS: 2 entries"), "{}", stderr(&updated));
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench
}

fn report(bench: &Bench, arguments: &[&str]) -> Value {
    let mut all = vec!["scan", "image", "--format", "json"];
    all.extend(arguments);
    let scanned = bench.run(&all);
    serde_json::from_slice(&scanned.stdout).unwrap_or_else(|_| panic!("{}", stderr(&scanned)))
}

fn ids(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

#[test]
fn a_low_vulnerability_that_is_exploited_comes_before_critical_ones() {
    let bench = bench();
    let report = report(&bench, &[]);
    let expected = ["CVE-2099-0003", "CVE-2099-0002", "CVE-2099-0001", "GHSA-aaaa-bbbb-cccc"];
    assert_eq!(ids(&report), expected);
    let first = &report["findings"][0];
    assert_eq!(first["severity"], "low");
    assert_eq!(first["risk"]["exploited"]["added"], "2098-12-24");
    assert_eq!(first["risk"]["exploited"]["ransomware"], true);
    assert_eq!(report["findings"][1]["risk"]["epss"]["probability"], 0.91);
    let scanned = bench.run(&["scan", "image"]);
    insta::assert_snapshot!("risk", stdout(&scanned));
}

#[test]
fn an_exploited_vulnerability_is_over_the_line_where_that_is_asked() {
    let bench = bench();
    let scanned = bench.run(&["scan", "image", "--fail-on-exploited"]);
    assert_eq!(code(&scanned), 1);
    let text = stdout(&scanned);
    assert!(text.contains("1 vulnerability that is known to be exploited"), "{text}");
    bench.write("lazaret.yaml", "version: 1\nfail-on-exploited: true\n");
    assert_eq!(code(&bench.run(&["scan", "image"])), 1);
}

#[test]
fn feeds_that_are_missing_or_damaged_are_said_and_do_not_fail_a_scan() {
    let bench = bench();
    for file in ["kev.lzrisk", "epss.lzrisk"] {
        bench.write(&format!("db/v1/{file}"), b"damaged");
    }
    let scanned = bench.run(&["scan", "image", "--offline"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let text = stdout(&scanned);
    assert!(text.contains("KEV and EPSS not here"), "{text}");
    let ids_now: Vec<String> =
        ids(&report(&bench, &["--offline"])).iter().map(ToString::to_string).collect();
    assert_eq!(ids_now.last().map(String::as_str), Some("CVE-2099-0003"));
}

#[test]
fn one_feed_is_updated_alone_from_a_file() {
    let bench = Bench::with_database();
    bench.write("own.csv", "cve,epss,percentile\nCVE-2099-0001,0.5,0.5\n");
    let updated = bench.run(&["db", "update", "EPSS", "--epss", "own.csv"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    assert_eq!(stderr(&updated), "EPSS: 1 entry\n");
    bench.write("wrong.json", "{}");
    let updated = bench.run(&["db", "update", "KEV", "--kev", "wrong.json"]);
    assert_eq!(code(&updated), 4);
    assert!(stderr(&updated).contains("`wrong.json`"), "{}", stderr(&updated));
}

#[test]
fn an_export_carries_the_feeds() {
    let bench = bench();
    assert_eq!(code(&bench.run(&["db", "export", "all.lzdb"])), 0);
    let imported = bench.run(&["db", "import", "all.lzdb", "--db", "other"]);
    assert_eq!(code(&imported), 0, "{}", stderr(&imported));
    assert!(stderr(&imported).contains("KEV: 1 record"), "{}", stderr(&imported));
    let here = report(&bench, &[]);
    let there = report(&bench, &["--db", "other", "--offline"]);
    assert_eq!(here["findings"], there["findings"]);
}

#[test]
fn what_the_image_starts_behind_a_port_is_within_reach() {
    let bench = bench();
    let list = "/.\n/usr\n/usr/sbin/openseld\n";
    ImageBuilder::new()
        .layer(base().file("var/lib/dpkg/info/libopensel3.list", list))
        .layer(Layer::new().program("usr/sbin/openseld", "program"))
        .setting("ExposedPorts", serde_json::json!({"443/tcp": {}}))
        .setting("Cmd", serde_json::json!(["openseld", "-f"]))
        .write_oci_dir(bench.path().join("image"))
        .unwrap();
    let report = report(&bench, &[]);
    let reach = "owns the entry point usr/sbin/openseld; port 443/tcp";
    assert_eq!(report["findings"][0]["risk"]["exposed"], reach);
}

#[test]
fn rules_and_vulnerabilities_are_explained() {
    let bench = bench();
    let rules = bench.run(&["explain"]);
    assert_eq!(code(&rules), 0);
    assert!(stdout(&rules).contains("end-of-life"));
    let rule = stdout(&bench.run(&["explain", "malicious-package"]));
    assert!(rule.contains("What to do") && rule.contains("critical"), "{rule}");
    let known = bench.run(&["explain", "CVE-2099-0003"]);
    assert_eq!(code(&known), 0, "{}", stderr(&known));
    let text = stdout(&known);
    for part in ["on CISA's list since 2098-12-24", "PYSEC-1", "Old demo", "PyPI"] {
        assert!(text.contains(part), "{text}");
    }
    let by_alias: Value =
        serde_json::from_slice(&bench.run(&["explain", "pysec-1", "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(by_alias["exploited"]["added"], "2098-12-24");
    let unknown = bench.run(&["explain", "CVE-2099-9999"]);
    assert_eq!(code(&unknown), 3);
    assert!(
        stdout(&unknown).contains("No record of 3 databases names it."),
        "{}",
        stdout(&unknown)
    );
    assert!(stdout(&unknown).contains("  Debian       1 record, fetched "), "{}", stdout(&unknown));
    assert_eq!(code(&bench.run(&["explain", "nonsense"])), 2);
}

#[test]
fn a_vulnerability_is_explained_by_packages_ranges_and_where_each_comes_from() {
    let bench = bench();
    let more = [
        r#"{"id":"GHSA-dddd-eeee-ffff","modified":"2026-03-01T00:00:00Z","aliases":["CVE-2099-0003"],"summary":"Of another",
           "affected":[{"package":{"ecosystem":"npm","name":"demo-web"},"versions":["0.9.0"],
           "ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.4.2"},{"introduced":"2.0.0"},{"last_affected":"2.0.9"}]}]}],
           "references":[{"type":"ADVISORY","url":"https://host.test/GHSA-dddd-eeee-ffff"}]}"#,
        r#"{"id":"DSA-2-1","modified":"2026-01-02T00:00:00Z","upstream":["CVE-2099-0003","CVE-2099-0007"],
           "affected":[{"package":{"ecosystem":"Debian:12","name":"demo-web"},
           "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},{"package":{"ecosystem":"Debian:11","name":"demo-web"},
           "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2-3"}]}]}]}"#,
    ];
    bench.write("feed/npm/GHSA-3.json", more[0]);
    bench.write("feed/Debian/DSA-2-1.json", more[1]);
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    let known = bench.run(&["explain", "CVE-2099-0003"]);
    assert_eq!(code(&known), 0, "{}", stderr(&known));
    insta::assert_snapshot!("explain", stdout(&known));
    // By any of its names; a notice about two vulnerabilities is none of them.
    for id in ["GHSA-dddd-eeee-ffff", "pysec-1"] {
        let text = stdout(&bench.run(&["explain", id]));
        assert!(text.contains("The same as CVE-2099-0003"), "{text}");
        assert!(text.contains("DSA-2-1") && text.contains("PYSEC-1"), "{text}");
    }
    let notice = stdout(&bench.run(&["explain", "DSA-2-1"]));
    assert!(!notice.contains("PYSEC-1") && !notice.contains("CISA"), "{notice}");
    let one = stdout(&bench.run(&["explain", "CVE-2099-0003", "--ecosystem", "debian"]));
    assert!(one.contains("DSA-2-1") && !one.contains("PYSEC-1"), "{one}");
    let none = bench.run(&["explain", "CVE-2099-0003", "--ecosystem", "Hex"]);
    assert_eq!(code(&none), 4);
    assert!(stderr(&none).contains("no database of `Hex`"), "{}", stderr(&none));
    let json = bench.run(&["explain", "CVE-2099-0003", "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["schema"], "lazaret.explain/1");
    let records = json["records"].as_array().unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(records[0]["packages"][0]["ecosystem"], "Debian:11");
    assert_eq!(records[0]["packages"][0]["ranges"][0]["fixed"], "1.2-3");
    assert_eq!(records[0]["modified"], "2026-01-02T00:00:00Z");
    assert_eq!(records[2]["packages"][0]["versions"], serde_json::json!(["0.9.0"]));
}

#[test]
fn a_notice_of_several_is_explained_by_what_it_says_of_the_one() {
    let bench = bench();
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";
    let notice = format!(
        r#"{{"id":"DSA-9-1","modified":"2026-01-02T00:00:00Z","upstream":["CVE-2099-0021","CVE-2099-0022"],
           "database_specific":{{"severity":"CRITICAL"}},
           "affected":[{{"package":{{"ecosystem":"Debian:12","name":"demo-web"}},
           "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}],
           "database_specific":{{"cves_map":{{"ecosystem":"Debian:12","cves":[
             {{"id":"CVE-2099-0021","severity":[{{"type":"CVSS_V3","score":"{vector}"}}]}},
             {{"id":"CVE-2099-0022","severity":[]}}]}}}}}}]}}"#
    );
    bench.write("feed/Debian/DSA-9-1.json", notice);
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    let explained = |id: &str| {
        let json = bench.run(&["explain", id, "--format", "json"]);
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        (json["records"][0].clone(), stdout(&bench.run(&["explain", id])))
    };
    // What the notice says of this one alone.
    let (record, text) = explained("CVE-2099-0021");
    assert_eq!((&record["record"], &record["severity"]), (&"DSA-9-1".into(), &"medium".into()));
    assert_eq!((&record["cvss"], record.get("rated_as_bundle")), (&vector.into(), None));
    assert!(text.contains("Debian  medium\n"), "{text}");
    // And where it says nothing of it, what it says of all.
    for id in ["CVE-2099-0022", "DSA-9-1"] {
        let (record, text) = explained(id);
        assert_eq!(record["severity"], "critical", "{id}");
        assert_eq!(record["rated_as_bundle"], true, "{id}");
        assert!(text.contains("Debian  critical, rated as a bundle\n"), "{text}");
    }
}

#[test]
fn a_saved_report_is_asked_which_of_its_packages_have_it() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench.run(&["scan", "image", "-o", "json=report.json"]);
    let text = stdout(&bench.run(&["explain", "PYSEC-1", "--in", "report.json"]));
    assert!(text.contains("In image:\n  demo-web 1.5  low, mended in 2.0  at usr/local"), "{text}");
    let text = stdout(&bench.run(&["explain", "MAL-2099-1", "--in", "report.json"]));
    assert!(text.contains("In image it was not found."), "{text}");
    let missing = bench.run(&["explain", "PYSEC-1", "--in", "missing.json"]);
    assert_eq!(code(&missing), 2, "{}", stderr(&missing));
}

#[test]
fn a_gate_whose_list_is_missing_is_not_passed() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let arguments = ["scan", "image", "--no-db-update", "--fail-on-exploited"];
    let scanned = bench.run(&arguments);
    assert_eq!(code(&scanned), 3, "{}", stdout(&scanned));
    assert!(stdout(&scanned).contains("lazaret db update kev"), "{}", stdout(&scanned));
    let saved = bench.run(&["scan", "image", "--no-db-update", "-o", "json=saved.json"]);
    assert_eq!(code(&saved), 0, "{}", stderr(&saved));
    for command in [
        &["policy", "test", "saved.json", "--fail-on-exploited"][..],
        &["diff", "saved.json", "saved.json", "--fail-on-exploited"],
    ] {
        let tested = bench.run(command);
        assert_eq!(code(&tested), 3, "{command:?}: {}", stderr(&tested));
    }
}

#[test]
fn a_list_that_is_named_and_not_there_is_an_error() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    for more in [&["--kev", "gone.json"][..], &["--epss", "gone.csv", "--no-db-update"]] {
        let scanned = bench.run(&[&["scan", "image"], more].concat());
        assert_eq!(code(&scanned), 2, "{more:?}: {}", stderr(&scanned));
        assert!(stderr(&scanned).contains("is not there"), "{}", stderr(&scanned));
    }
    let updated = bench.run(&["db", "update", "KEV", "--kev", "gone.json"]);
    assert_ne!(code(&updated), 0, "{}", stderr(&updated));
    bench.write("kev.json", KEV);
    let kept = bench.run(&["scan", "image", "--kev", "kev.json", "--no-db-update"]);
    assert_eq!(code(&kept), 2, "{}", stderr(&kept));
    assert!(stderr(&kept).contains("db update kev --kev kev.json"), "{}", stderr(&kept));
    assert_eq!(code(&bench.run(&["scan", "image", "--kev", "kev.json"])), 0);
    assert_eq!(code(&bench.run(&["scan", "image", "--kev", "kev.json", "--no-db-update"])), 0);
}
