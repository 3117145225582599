//! `host:`: the container platform of a machine, and nothing else of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, OS_RELEASE, code, stderr, stdout};
use serde_json::Value;

const STATUS: &str = "\
Package: runc
Status: install ok installed
Architecture: amd64
Version: 1.1.5-1

Package: linux-image-6.1.0-1-amd64
Status: install ok installed
Architecture: amd64
Version: 6.1.1-1

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2-1

";

const ADVISORY: &str = r#"{"id":"DSA-9-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2099-0901"],
    "affected":[{"package":{"ecosystem":"Debian:12","name":"runc"},
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1.5-2"}]}]},
    {"package":{"ecosystem":"Debian:12","name":"bash"},
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#;

#[test]
fn the_container_platform_of_a_root_is_matched_and_nothing_else() {
    let bench = Bench::new();
    bench.write("feed/Debian/DSA-9-1.json", ADVISORY);
    bench.write("feed/ecosystems.txt", "Debian\n");
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    bench.write("root/etc/os-release", OS_RELEASE);
    bench.write("root/var/lib/dpkg/status", STATUS);
    // What lies elsewhere is not even looked at.
    bench.write("root/srv/app/package-lock.json", "not json");
    let scanned = bench.run(&["scan", "host:root", "--format", "json"]);
    assert_eq!(code(&scanned), 0, "{}{}", stderr(&scanned), stdout(&scanned));
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(report["subject"]["kind"], "host");
    let names: Vec<_> =
        report["packages"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["linux-image-6.1.0-1-amd64", "runc"]);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["id"], "CVE-2099-0901");
    let coverage = report["coverage"].as_array().unwrap();
    let own = coverage.iter().find(|one| one["check"] == "host").unwrap();
    assert_eq!(own["reason"], "2 of 3 packages are of the container platform");
}

#[test]
fn a_machine_without_a_package_database_is_not_clean() {
    let bench = Bench::with_database();
    bench.write("root/etc/hostname", "x");
    let scanned = bench.run(&["scan", "host:root", "--offline"]);
    assert_eq!(code(&scanned), 3, "{}", stdout(&scanned));
    assert!(stdout(&scanned).contains("no package database is there"), "{}", stdout(&scanned));
}

#[test]
fn a_program_of_the_platform_that_nobody_knows_is_said() {
    let bench = Bench::with_database();
    bench.write("root/etc/os-release", OS_RELEASE);
    bench.write("root/var/lib/dpkg/status", STATUS);
    bench.write("root/var/lib/dpkg/info/runc.list", "/usr/bin/runc\n");
    bench.write("root/usr/bin/runc", "a program");
    bench.write("root/usr/local/bin/crun", "a program");
    let scanned = bench.run(&["scan", "host:root", "--offline", "--format", "json"]);
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let coverage = report["coverage"].as_array().unwrap();
    let own = coverage.iter().find(|one| one["check"] == "host").unwrap();
    assert_eq!(own["status"], "partial", "{own}");
    let problems = own["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{own}");
    assert_eq!(problems[0]["path"], "usr/local/bin/crun");
}

#[test]
fn this_machine_is_read() {
    let bench = Bench::with_database();
    let listed = bench.run(&["sbom", "host:", "--format", "json"]);
    assert!(matches!(code(&listed), 0 | 3), "{}", stderr(&listed));
    let report: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let coverage = report["coverage"].as_array().unwrap();
    let own = coverage.iter().find(|one| one["check"] == "host").unwrap();
    if own["status"] != "skipped" {
        assert!(own["reason"].as_str().unwrap().contains("kernel "), "{own}");
    }
}
