//! A bill of ours, scanned again, gives the verdict of what it is about: in every form that holds packages,
//! for every form of a subject.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, OS_RELEASE, base, code, image, node, stderr};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use testkit::{ImageBuilder, Layer};

/// The forms that are read back, and the commands that write them.
const BILLS: [(&str, &str); 5] = [
    ("sbom", "cyclonedx"),
    ("sbom", "spdx"),
    ("sbom", "json"),
    ("scan", "cyclonedx"),
    ("scan", "json"),
];

/// Scans by the database as it is.
fn scan(bench: &Bench, reference: &str) -> (i32, Value) {
    let arguments = ["scan", reference, "--fail-on", "high", "--format", "json"];
    let more = ["--no-db-update", "--offline", "--no-cache"];
    let output = bench.run(&[&arguments[..], &more].concat());
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| serde_json::json!({ "error": stderr(&output) }));
    (code(&output), report)
}

/// What a finding is, and how it would be told from others. Of content that is not what names it, a bill
/// keeps the title alone.
fn findings(report: &Value) -> Vec<String> {
    let told = |one: &Value| match one["rule"].as_str() {
        Some("digest-mismatch") => format!("{} {}", one["rule"], one["title"]),
        _ => format!(
            "{} {} {} {} {} {} {} {}",
            one["fingerprint"],
            one["rule"],
            one["id"],
            one["package"],
            one["severity"],
            one["fix"],
            one["location"],
            one["origin"]
        ),
    };
    let mut all: Vec<String> = report["findings"].as_array().unwrap().iter().map(told).collect();
    all.sort();
    all
}

/// Packages by all that matching and policy look at.
fn packages(report: &Value) -> Vec<String> {
    let fields = [
        "purl",
        "ecosystem",
        "name",
        "version",
        "source",
        "architecture",
        "presence",
        "location",
        "layer",
        "origin",
        "owned_by",
        "module",
        "identified",
    ];
    // Each of several must hold, as each part of one that says so must.
    let licences = |one: &Value| {
        let stated = one["licences"].as_array().cloned().unwrap_or_default();
        let stated: Vec<&str> = stated.iter().map(|text| text.as_str().unwrap()).collect();
        stated.join(" AND ").replace(['(', ')'], "")
    };
    let told = |one: &Value| {
        format!("{} {}", fields.map(|field| one[field].to_string()).join(" "), licences(one))
    };
    let mut all: Vec<String> = report["packages"].as_array().unwrap().iter().map(told).collect();
    all.sort();
    all
}

/// Checks that did not run in full.
fn gaps(report: &Value) -> Vec<String> {
    let coverage = report["coverage"].as_array().unwrap().iter();
    let gaps = coverage.filter(|one| one["status"] != "ran" && one["check"] != "sbom");
    gaps.map(|one| format!("{} {}", one["check"], one["status"])).collect()
}

fn gives_the_same(bench: &Bench, reference: &str) {
    let (exit, subject) = scan(bench, reference);
    assert!(subject["error"].is_null(), "{reference}: {subject}");
    for (command, format) in BILLS {
        let what = format!("{format} of {command} {reference}");
        let output = format!("{format}=again.bill");
        let mut arguments = vec![command, reference, "--no-cache", "--offline", "-o", &output];
        if command == "scan" {
            arguments.push("--no-db-update");
        }
        let written = bench.run(&arguments);
        assert!(bench.path().join("again.bill").exists(), "{what}: {}", stderr(&written));
        let (again, bill) = scan(bench, "sbom:again.bill");
        assert!(bill["error"].is_null(), "{what}: {bill}");
        assert_eq!(packages(&bill), packages(&subject), "{what}");
        assert_eq!(findings(&bill), findings(&subject), "{what}");
        assert_eq!(bill["distribution"], subject["distribution"], "{what}");
        assert_eq!(gaps(&bill), gaps(&subject), "{what}");
        let outcome = |report: &Value| report["decision"]["outcome"].clone();
        assert_eq!(
            (again, outcome(&bill)),
            (exit, outcome(&subject)),
            "{what}: {}",
            bill["decision"]
        );
        std::fs::remove_file(bench.path().join("again.bill")).unwrap();
    }
}

#[test]
fn for_images_and_folders_of_every_kind() {
    let bench = Bench::with_database();
    let layouts = [
        ("plain", image()),
        (
            "owned",
            ImageBuilder::new().layer(
                base()
                    .file(
                        "usr/lib/python3/dist-packages/demo_web-1.5.dist-info/METADATA",
                        "Metadata-Version: 2.1\nName: Demo_Web\nVersion: 1.5\nLicense: of our own, see (there)\n\n",
                    )
                    .file(
                        "var/lib/dpkg/info/zcat.list",
                        "/.\n/usr/lib/python3/dist-packages/demo_web-1.5.dist-info/METADATA\n",
                    ),
            ),
        ),
        (
            "old",
            ImageBuilder::new()
                .layer(base().file("etc/os-release", OS_RELEASE.replace("12", "10").replace("bookworm", "buster"))),
        ),
        (
            "broken",
            image().layer(Layer::new().file(
                "usr/lib/python3/dist-packages/broken-1.dist-info/METADATA",
                "no header at all",
            )),
        ),
        ("bare", ImageBuilder::new().layer(Layer::new().file("srv/app", "nothing known"))),
        ("application", ImageBuilder::new().layer(node())),
    ];
    for (name, builder) in layouts {
        builder.write_oci_dir(bench.path().join(name)).unwrap();
        gives_the_same(&bench, name);
    }
    bench.write("saved.tar", image().docker_archive());
    gives_the_same(&bench, "docker-archive:saved.tar");
    bench.write("project/requirements.txt", "demo-web==1.5\nflask\n");
    bench.write("project/go.mod", "module example.org/acme/app\n\ngo 1.22\n");
    bench.write(
        "project/package-lock.json",
        r#"{"lockfileVersion":3,"packages":{"node_modules/left-demo":{"version":"1.0.0"},
        "node_modules/linked":{"resolved":"../linked","link":true},
        "node_modules/packed":{"version":"1.0.0","resolved":"https://host.test/packed.tgz"}}}"#,
    );
    gives_the_same(&bench, "project");
}

#[test]
fn for_an_image_whose_content_is_not_what_names_it() {
    let bench = Bench::with_database();
    let built = image().write_oci_dir(bench.path().join("tampered")).unwrap();
    let place = format!("tampered/blobs/sha256/{}", built.config_digest.hex());
    let config = bench.read(&place);
    bench.write(&place, format!("{config} "));
    let (exit, subject) = scan(&bench, "tampered");
    assert_eq!(exit, 1);
    assert!(findings(&subject).iter().any(|one| one.contains("digest-mismatch")), "{subject}");
    gives_the_same(&bench, "tampered");
}

#[test]
fn for_bills_of_others_whatever_they_leave_open() {
    let bench = Bench::with_database();
    for (name, text) in [
        (
            "partial.json",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"of-our-own","version":"1"},
            {"name":"demo-web","version":"1.5","purl":"pkg:pypi/demo-web@1.5"}]}"#,
        ),
        (
            "incomplete.json",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.5","compositions":[{"aggregate":"incomplete"}],
            "components":[{"name":"demo-web","version":"2.5","purl":"pkg:pypi/demo-web@2.5"}]}"#,
        ),
        (
            "release.json",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"libopensel3","version":"3.0.1-1",
            "purl":"pkg:deb/debian/libopensel3@3.0.1-1?arch=amd64&upstream=opensel"}]}"#,
        ),
        ("empty.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#),
        (
            "whole.spdx",
            "SPDXVersion: SPDX-2.3\nPackageName: demo-web\nSPDXID: SPDXRef-a\nPackageVersion: 1.5\n\
             PackageLicenseDeclared: (MIT OR Apache-2.0) AND LicenseRef-1\n\
             ExternalRef: PACKAGE-MANAGER purl pkg:pypi/demo-web@1.5\n\
             LicenseID: LicenseRef-1\nExtractedText: <text>of\nour own</text>\n",
        ),
    ] {
        bench.write(name, text);
        gives_the_same(&bench, &format!("sbom:{name}"));
    }
}

/// Builds the input of a case in a folder of its own.
const BUILD: &str = "import sys, os, importlib.util
sys.dont_write_bytecode = True
cases, name = sys.argv[1:]
sys.path.insert(0, cases)
spec = importlib.util.spec_from_file_location('make', os.path.join(cases, name, 'make.py'))
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)
make.build()";

/// The inputs of a case; none where it cannot be built here.
fn inputs(bench: &Bench, cases: &Path, name: &str) -> Vec<String> {
    let folder = bench.path().join("in").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let built = Command::new("python3")
        .args(["-c", BUILD])
        .args([cases, Path::new(name)])
        .current_dir(&folder)
        .env("CASES_DIR", bench.path().join("in"))
        .output();
    if !built.is_ok_and(|built| built.status.success()) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.to_string_lossy().into_owned());
    // What lies beside an input is what it was made of.
    let mut names: Vec<String> = names
        .filter(|name| name == "in" || name.starts_with("in.") || name.starts_with("in-"))
        .map(|file| format!("in/{name}/{file}"))
        .collect();
    names.sort();
    names
}

#[test]
fn for_the_real_data_and_the_cases_beside_the_checkout() {
    let Some(shared) = testkit::shared() else { return };
    let bench = Bench::new();
    let mirror = shared.join("osv-mirror");
    let mirror = mirror.to_str().unwrap();
    // Without kernels and malware: what is in the cases, as far as an unoptimised build reads it soon.
    let arguments = ["db", "update", "--from", mirror, "Alpine", "Debian", "Go", "Maven", "PyPI"];
    let updated = bench.run(&arguments);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    let mut subjects: Vec<String> = ["alpine-3.10.3-dbonly", "alpine-3.20.3-dbonly"]
        .iter()
        .map(|name| format!("oci-dir:{}", shared.join("images").join(name).display()))
        .collect();
    let cases = shared.join("cases");
    for entry in std::fs::read_dir(&cases).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name != "sarif-25000" && cases.join(&name).join("make.py").exists() {
            subjects.extend(inputs(&bench, &cases, &name));
        }
    }
    let mut compared = 0;
    for subject in &subjects {
        // Those of ecosystems that were not fetched are not matched at all.
        if scan(&bench, subject).1["error"].is_null() {
            gives_the_same(&bench, subject);
            compared += 1;
        }
    }
    assert!(compared >= 2, "{compared} of {subjects:?}");
}
