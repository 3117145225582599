//! What package managers leave behind in a folder, from the files to findings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr};
use serde_json::Value;

/// Path and content of what each manager writes.
const TREE: &[(&str, &str)] = &[
    ("etc/os-release", "ID=arch\nPRETTY_NAME=\"Arch Linux\"\n"),
    (
        "var/lib/pacman/local/zlib-1:1.3.1-2/desc",
        "%NAME%\nzlib\n\n%VERSION%\n1:1.3.1-2\n\n%BASE%\nzlib\n\n%ARCH%\nx86_64\n\n%LICENSE%\nZlib\n\n",
    ),
    ("var/lib/pacman/local/zlib-1:1.3.1-2/files", "%FILES%\nusr/\nusr/lib/libz.so.1\n\n"),
    ("usr/lib/libz.so.1", "\x7fELF"),
    (
        "opt/conda/conda-meta/numpy-1.26.4-py312_0.json",
        r#"{"name":"numpy","version":"1.26.4","build":"py312_0","license":"BSD-3-Clause","files":["lib/a.py"]}"#,
    ),
    ("nix/store/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-openssl-3.0.13/lib/libssl.so.3", "x"),
    (
        "usr/lib/R/site-library/markdown/DESCRIPTION",
        "Package: markdown\nVersion: 1.0\nRepository: CRAN\nBuilt: R 4.3.1; ; ; unix\n",
    ),
    ("var/www/html/wp-includes/version.php", "<?php\n$wp_version = '6.4.3';\n"),
    (
        "var/www/html/wp-content/plugins/akismet/akismet.php",
        "<?php\n/*\nPlugin Name: Akismet\nVersion: 5.3.1\n*/\n",
    ),
    (
        "usr/local/lib/luarocks/rocks-5.4/luasocket/3.1.0-1/luasocket-3.1.0-1.rockspec",
        "description = {\n   license = \"MIT\"\n}\n",
    ),
    ("root/.opam/5.1/.opam-switch/packages/cohttp.5.3.1/opam", "license: \"ISC\"\n"),
    (
        "usr/lib/ghc/lib/package.conf.d/aeson-2.1.2.1.conf",
        "name: aeson\nversion: 2.1.2.1\nlicense: BSD-3-Clause\n",
    ),
];

const PURLS: [&str; 9] = [
    "pkg:alpm/arch/zlib@1:1.3.1-2?arch=x86_64&distro=arch",
    "pkg:bitnami/wordpress@6.4.3",
    "pkg:conda/numpy@1.26.4?build=py312_0",
    "pkg:cran/markdown@1.0",
    "pkg:hackage/aeson@2.1.2.1",
    "pkg:luarocks/luasocket@3.1.0-1",
    "pkg:nix/openssl@3.0.13",
    "pkg:opam/cohttp@5.3.1",
    "pkg:wordpress-plugin/akismet@5.3.1",
];

/// An advisory that ends with a version just above that of the tree.
fn record(ecosystem: &str, name: &str, id: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{
        "package":{{"ecosystem":"{ecosystem}","name":"{name}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

fn bench() -> Bench {
    let bench = Bench::new();
    for (ecosystem, name, id, fixed) in [
        ("Bitnami", "wordpress", "BIT-wordpress-2099-1", "6.4.4"),
        ("CRAN", "markdown", "RSEC-2099-1", "1.0.1"),
        ("Hackage", "aeson", "HSEC-2099-1", "2.1.2.2"),
        ("opam", "cohttp", "OSEC-2099-1", "5.3.1-1"),
        ("opam", "cohttp", "OSEC-2099-2", "5.3.1"),
    ] {
        let json = record(ecosystem, name, id, fixed);
        bench.write(&format!("feed/{ecosystem}/{id}.json"), json);
    }
    bench.write("feed/ecosystems.txt", "Bitnami\nCRAN\nHackage\nopam\n");
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    for (path, content) in TREE {
        bench.write(&format!("tree/{path}"), content);
    }
    bench
}

fn texts(report: &Value, list: &str, key: &str) -> Vec<String> {
    let entries = report[list].as_array().unwrap().iter();
    let mut texts: Vec<String> =
        entries.map(|entry| entry[key].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts
}

#[test]
fn what_is_installed_is_listed_and_matched_where_advisories_speak_of_it() {
    let bench = bench();
    let scanned = bench.run(&[
        "scan",
        "dir:tree",
        "--offline",
        "-o",
        "json=report.json",
        "-o",
        "cyclonedx=bill.json",
    ]);
    // Nobody was asked about some of them.
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    let report = bench.json("report.json");
    let mut expected: Vec<&str> = PURLS.to_vec();
    expected.sort_unstable();
    assert_eq!(texts(&report, "packages", "purl"), expected);
    let found = ["BIT-wordpress-2099-1", "HSEC-2099-1", "OSEC-2099-1", "RSEC-2099-1"];
    assert_eq!(texts(&report, "findings", "id"), found);
    let coverage = report["coverage"].to_string();
    for ecosystem in ["Arch Linux", "LuaRocks", "Nix", "WordPress", "conda"] {
        assert!(coverage.contains(ecosystem), "{ecosystem}: {coverage}");
    }
    // A bill of it gives the same.
    let scanned = bench.run(&["scan", "sbom:bill.json", "--offline", "-o", "json=billed.json"]);
    // Nobody was asked about some of them.
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    assert_eq!(texts(&bench.json("billed.json"), "findings", "id"), found);
}

#[test]
fn a_gentoo_root_lists_what_portage_installed() {
    let bench = Bench::new();
    bench.write("root/etc/os-release", "ID=gentoo\nVERSION_ID=2.17\n");
    bench.write("root/var/db/pkg/dev-libs/openssl-3.0.13-r2/PF", "openssl-3.0.13-r2\n");
    bench.write("root/var/db/pkg/dev-libs/openssl-3.0.13-r2/LICENSE", "Apache-2.0\n");
    let listed = bench.run(&["sbom", "dir:root", "-o", "json=report.json"]);
    assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    let purls = texts(&bench.json("report.json"), "packages", "purl");
    assert_eq!(purls, ["pkg:ebuild/dev-libs/openssl@3.0.13-r2?distro=gentoo-2.17"]);
}
