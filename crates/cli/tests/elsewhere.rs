//! Packages of a source folder that are of no public registry: listed with where they come from, and the
//! same in a bill of them that is read again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr};
use serde_json::Value;

const LOCK: &str = r#"{"lockfileVersion":3,"packages":{
    "node_modules/left-demo":{"version":"1.0.0","resolved":"git+ssh://u:obviously-fake@host.test/left-demo.git#0123"},
    "node_modules/linked":{"resolved":"../linked","link":true},
    "node_modules/packed":{"version":"1.0.0","resolved":"https://host.test/packed.tgz?token=obviously-fake"}}}"#;

fn purls(report: &Value) -> Vec<String> {
    let packages = report["packages"].as_array().unwrap().iter();
    let mut purls: Vec<_> = packages.map(|one| one["purl"].as_str().unwrap().to_owned()).collect();
    purls.sort();
    purls
}

fn reason(report: &Value) -> Value {
    let coverage = report["coverage"].as_array().unwrap().iter();
    coverage
        .filter(|one| one["check"] == "vulnerabilities:npm")
        .map(|one| one["reason"].clone())
        .collect()
}

#[test]
fn what_is_of_no_registry_is_listed_matched_by_its_version_and_the_same_in_a_bill() {
    let bench = Bench::with_database();
    std::fs::create_dir_all(bench.path().join("project")).unwrap();
    std::fs::write(bench.path().join("project/package-lock.json"), LOCK).unwrap();
    let scanned = bench.run(&["scan", "project", "-o", "json=folder.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let folder = bench.json("folder.json");
    assert_eq!(
        purls(&folder),
        [
            "pkg:npm/left-demo@1.0.0?vcs_url=git%2Bssh://host.test/left-demo.git%400123",
            "pkg:npm/linked?download_url=file:../linked",
            "pkg:npm/packed@1.0.0?download_url=https://host.test/packed.tgz",
        ]
    );
    assert!(!folder["findings"].as_array().unwrap().is_empty());
    assert_eq!(
        reason(&folder)[0],
        "1 of 3 packages come from git, URLs, paths or private registries: listed, not matched"
    );
    for format in ["cyclonedx", "spdx", "json"] {
        let listed = bench.run(&["sbom", "project", "-o", &format!("{format}=bill.json")]);
        assert_eq!(code(&listed), 0, "{}", stderr(&listed));
        let scanned = bench.run(&["scan", "sbom:bill.json", "-o", "json=bill.out.json"]);
        assert_eq!(code(&scanned), 0, "{format}: {}", stderr(&scanned));
        let bill = bench.json("bill.out.json");
        assert_eq!(purls(&bill), purls(&folder), "{format}");
        assert_eq!(bill["findings"], folder["findings"], "{format}");
        assert_eq!(bill["decision"], folder["decision"], "{format}");
        assert_eq!(reason(&bill), reason(&folder), "{format}");
    }
}
