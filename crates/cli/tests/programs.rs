//! Programs that no package manager put there, from the files of an image to findings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr};
use serde_json::Value;
use testkit::{ImageBuilder, Layer};

const REDIS: &[u8] = b"\x7fELF\0redis_version:%s\0err\x007.0.11\0c11-builtin\0";
const POSTGRES: &[u8] =
    b"\x7fELFpg_catalog\0PostgreSQL 15.3 on x86_64-pc-linux-musl, compiled by gcc\0";
const BASH: &[u8] = b"\x7fELF\0@(#)Bash version 5.2.15(1) release GNU\0";

fn image() -> ImageBuilder {
    let programs = Layer::new()
        .file("usr/local/bin/redis-server", REDIS)
        .file("usr/local/bin/postgres", POSTGRES)
        .file("usr/local/bin/bash", BASH);
    ImageBuilder::new().tag("example.test/programs:1").layer(programs)
}

/// Scans the image; gives the report.
fn scan(bench: &Bench) -> Value {
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "--offline", "-o", "json=report.json"]);
    // Nobody was asked about bash: that is never a pass.
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    bench.json("report.json")
}

/// The ids of the findings of one package.
fn findings_of(report: &Value, package: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let of = |finding: &&Value| finding["package"].as_str() == Some(package);
    findings.filter(of).map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

fn coverage(report: &Value) -> String {
    report["coverage"].to_string()
}

fn record(name: &str, id: &str, introduced: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"BIT-{name}-{id}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-{id}"],
        "affected":[{{"package":{{"ecosystem":"Bitnami","name":"{name}","purl":"pkg:bitnami/{name}"}},
        "ranges":[{{"type":"SEMVER","events":[{{"introduced":"{introduced}"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

#[test]
fn a_program_s_upstream_version_is_held_against_bitnami_s_ranges() {
    let bench = Bench::new();
    for (name, id, introduced, fixed) in [
        ("redis", "2099-1001", "7.0.0", "7.0.12"),
        ("redis", "2099-1002", "0", "7.0.11"),
        ("postgresql", "2099-1003", "15.0.0", "15.4.0"),
        ("postgresql", "2099-1004", "15.0.0", "15.3.0"),
    ] {
        let record = record(name, id, introduced, fixed);
        bench.write(&format!("feed/Bitnami/BIT-{name}-{id}.json"), record);
    }
    bench.write("feed/ecosystems.txt", "Bitnami\n");
    let updated = bench.run(&["db", "update", "--from", "feed", "Bitnami"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    let report = scan(&bench);
    assert_eq!(findings_of(&report, "pkg:bitnami/redis@7.0.11"), ["CVE-2099-1001"]);
    assert_eq!(findings_of(&report, "pkg:bitnami/postgresql@15.3"), ["CVE-2099-1003"]);
    assert!(findings_of(&report, "pkg:generic/bash@5.2.15").is_empty());
    assert!(
        coverage(&report).contains("1 package identified, no advisory source: not checked"),
        "{}",
        coverage(&report)
    );
}

#[test]
fn real_advisories_speak_of_programs() {
    let Some(shared) = testkit::shared() else { return };
    let bench = Bench::new();
    let mirror = shared.join("osv-mirror");
    let updated = bench.run(&["db", "update", "--from", mirror.to_str().unwrap(), "Bitnami"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    let report = scan(&bench);
    let redis = findings_of(&report, "pkg:bitnami/redis@7.0.11");
    let postgresql = findings_of(&report, "pkg:bitnami/postgresql@15.3");
    // Fixed in 7.0.12 and in 15.4; CVE-2021-31294 was fixed in 6.2.0.
    assert!(redis.iter().any(|id| id == "CVE-2022-24834"), "{redis:?}");
    assert!(redis.iter().all(|id| id != "CVE-2021-31294"), "{redis:?}");
    assert!(postgresql.iter().any(|id| id == "CVE-2023-39417"), "{postgresql:?}");
}

#[test]
fn a_program_that_a_distribution_package_owns_is_not_matched_again() {
    let bench = Bench::new();
    let feed = record("redis", "2099-1001", "0", "8.0.0");
    bench.write("feed/Bitnami/BIT-redis-2099-1001.json", feed);
    let other = record("other", "2099-1005", "0", "1").replace("Bitnami", "Debian:12");
    bench.write("feed/Debian/DSA-1.json", other);
    bench.write("feed/ecosystems.txt", "Bitnami\nDebian\n");
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    let status = "Package: redis-server\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5:7.0.11-1\n\n";
    let layer = Layer::new()
        .file("etc/os-release", common::OS_RELEASE)
        .file("var/lib/dpkg/status", status)
        .file("var/lib/dpkg/info/redis-server.list", "/.\n/usr/bin/redis-server\n")
        .file("usr/bin/redis-server", REDIS)
        .file("opt/redis/redis-server", REDIS);
    let image = ImageBuilder::new().tag("example.test/owned:1").layer(layer);
    image.write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "--offline", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = bench.json("report.json");
    let packages = report["packages"].as_array().unwrap();
    let owners: Vec<(&str, Option<&str>)> = packages
        .iter()
        .filter(|package| package["purl"] == "pkg:bitnami/redis@7.0.11")
        .map(|package| {
            (package["location"]["path"].as_str().unwrap(), package["owned_by"].as_str())
        })
        .collect();
    assert_eq!(owners, [("opt/redis/redis-server", None)], "the other is the distribution's own");
    let findings = report["findings"].as_array().unwrap();
    let redis: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["package"] == "pkg:bitnami/redis@7.0.11")
        .collect();
    assert_eq!(redis.len(), 1, "{findings:?}");
}
