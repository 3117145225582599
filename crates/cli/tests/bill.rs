//! `sbom:`: bills of materials of our own and of others, scanned like what they are about.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, OS_RELEASE, base, code, image, node, python, stderr, stdout};
use serde_json::Value;
use testkit::{ImageBuilder, Layer};

/// The image of the other tests, with what is hard to write down: a module in two places, a scope, a
/// package of a lower layer whose database a later layer rewrote.
fn hard_image() -> ImageBuilder {
    let status = format!("{}\n", common::STATUS.replace("1:1.2-3", "1:1.2-4"));
    image()
        .layer(
            Layer::new()
                .file("var/lib/dpkg/status", status)
                .file(
                    "srv/b/node_modules/left-demo/package.json",
                    r#"{"name":"left-demo","version":"1.0.0"}"#,
                )
                .file(
                    "srv/b/node_modules/@scope/left-demo/package.json",
                    r#"{"name":"@scope/left-demo","version":"2.0.0","license":"(MIT OR Apache-2.0)"}"#,
                ),
        )
        .history("RUN npm install")
}

fn of(report: &Value, part: &str) -> Value {
    report[part].clone()
}

#[test]
fn the_bill_of_an_image_gives_the_findings_of_the_image() {
    let bench = Bench::with_database();
    hard_image().write_oci_dir(bench.path().join("layout")).unwrap();
    let scanned = bench.run(&["scan", "oci-dir:layout", "-o", "json=image.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let image = bench.json("image.json");
    assert_eq!(image["findings"].as_array().unwrap().len(), 5);
    for format in ["cyclonedx", "spdx", "json"] {
        let output = format!("{format}=bill.json");
        let listed = bench.run(&["sbom", "oci-dir:layout", "-o", &output]);
        assert_eq!(code(&listed), 0, "{}", stderr(&listed));
        for reference in ["sbom:bill.json", "bill.json"] {
            let scanned = bench.run(&["scan", reference, "-o", "json=bill.out.json"]);
            assert_eq!(code(&scanned), 0, "{format}: {}", stderr(&scanned));
            let bill = bench.json("bill.out.json");
            assert_eq!(of(&bill, "findings"), of(&image, "findings"), "{format}");
            assert_eq!(of(&bill, "distribution"), of(&image, "distribution"), "{format}");
            assert_eq!(bill["subject"]["kind"], "sbom");
            assert_eq!(bill["subject"]["config_digest"], image["subject"]["config_digest"]);
            let places = |report: &Value| -> Vec<Value> {
                let packages = report["packages"].as_array().unwrap().iter();
                packages
                    .map(|one| {
                        serde_json::json!([
                            one["purl"],
                            one["location"],
                            one["layer"],
                            one["source"],
                            one["origin"]
                        ])
                    })
                    .collect()
            };
            assert_eq!(places(&bill), places(&image), "{format}");
        }
    }
}

#[test]
fn how_surely_a_package_is_known_goes_through_a_bill() {
    let bench = Bench::with_database();
    // An archive without entries: what it is, its name alone says.
    let empty = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    let image = image().layer(Layer::new().file("opt/demo-tool-1.0.jar", empty)).history("COPY");
    image.write_oci_dir(bench.path().join("layout")).unwrap();
    let identified = |report: &Value| -> Vec<Value> {
        let packages = report["packages"].as_array().unwrap().iter();
        packages.map(|one| serde_json::json!([one["purl"], one["identified"]])).collect()
    };
    let list = |arguments: &[&str]| {
        let listed = bench.run(arguments);
        assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    };
    list(&["sbom", "oci-dir:layout", "-o", "json=image.json"]);
    let image = bench.json("image.json");
    let expected = serde_json::json!([
        "pkg:maven/demo-tool@1.0",
        { "by": "file name", "confidence": "low" }
    ]);
    assert!(identified(&image).contains(&expected), "{:?}", identified(&image));
    for format in ["cyclonedx", "spdx", "json"] {
        list(&["sbom", "oci-dir:layout", "-o", &format!("{format}=bill.json")]);
        list(&["sbom", "bill.json", "-o", "json=again.json"]);
        assert_eq!(identified(&bench.json("again.json")), identified(&image), "{format}");
    }
    list(&["sbom", "oci-dir:layout", "-o", "cyclonedx=bill.json"]);
    let mut bill = bench.json("bill.json");
    let components = bill["components"].as_array_mut().unwrap();
    let tool = components.iter_mut().find(|one| one["purl"] == expected[0]).unwrap();
    assert_eq!(tool["evidence"]["identity"][0]["methods"][0]["technique"], "filename");
    // Without words of our own, the standard's field says the same.
    tool.as_object_mut().unwrap().remove("properties");
    std::fs::write(bench.path().join("plain.json"), bill.to_string()).unwrap();
    list(&["sbom", "plain.json", "-o", "json=again.json"]);
    assert!(identified(&bench.json("again.json")).contains(&expected));
}

#[test]
fn a_bill_on_standard_input_is_read() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    let listed = bench.run(&["sbom", "oci-dir:layout", "--format", "cyclonedx"]);
    let bill = bench.write("bill.json", &listed.stdout);
    let mut command = bench.command(&["scan", "sbom:-", "--format", "json"]);
    let scanned = command.stdin(std::fs::File::open(bill).unwrap()).output().unwrap();
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 4);
}

#[test]
fn a_component_that_cannot_be_matched_keeps_the_bill_from_passing() {
    let bench = Bench::with_database();
    let bill = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","components":[
        {"type":"library","name":"demo-web","version":"2.5","purl":"pkg:pypi/demo-web@2.5"},
        {"type":"library","name":"of-our-own","version":"1"}]}"#;
    bench.write("bill.json", bill);
    let scanned = bench.run(&["scan", "sbom:bill.json", "--format", "json"]);
    assert_eq!(code(&scanned), 3, "{}", stdout(&scanned));
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let coverage = report["coverage"].as_array().unwrap();
    let own = coverage.iter().find(|one| one["check"] == "sbom").unwrap();
    assert_eq!(own["problems"][0]["path"], "of-our-own 1");
    bench.write("empty.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.4"}"#);
    assert_eq!(code(&bench.run(&["scan", "sbom:empty.json"])), 3);
}

#[test]
fn the_coverage_that_a_bill_states_stays_with_it() {
    let bench = Bench::with_database();
    ImageBuilder::new()
        .layer(base())
        .layer(python())
        .layer(node())
        .layer(
            Layer::new().file("etc/os-release", OS_RELEASE).file(
                "usr/lib/python3/dist-packages/broken-1.dist-info/METADATA",
                "no header at all",
            ),
        )
        .write_oci_dir(bench.path().join("layout"))
        .unwrap();
    let listed = bench.run(&["sbom", "oci-dir:layout", "-o", "cyclonedx=bill.json"]);
    assert_eq!(code(&listed), 3, "{}", stderr(&listed));
    assert_eq!(code(&bench.run(&["scan", "sbom:bill.json"])), 3);
}

#[test]
fn what_is_no_bill_is_an_error_that_names_it() {
    let bench = Bench::with_database();
    bench.write("other.json", r#"{"hello": "world"}"#);
    let scanned = bench.run(&["scan", "other.json"]);
    assert_eq!(code(&scanned), 2);
    assert!(
        stderr(&scanned).contains("`other.json`: it is no bill of materials"),
        "{}",
        stderr(&scanned)
    );
    let scanned = bench.run(&["scan", "sbom:missing.json"]);
    assert_eq!(code(&scanned), 2);
    assert!(stderr(&scanned).contains("`missing.json`"), "{}", stderr(&scanned));
}

#[test]
fn a_second_subject_is_refused_with_what_to_do() {
    let bench = Bench::new();
    let listed = bench.run(&["sbom", "a:1", "b:1", "-o", "cyclonedx=bill.json"]);
    assert_eq!(code(&listed), 2);
    assert!(stderr(&listed).contains("takes one subject; run it for each"), "{}", stderr(&listed));
}

#[test]
fn a_dependency_snapshot_names_the_run_that_made_it() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    let arguments = ["sbom", "oci-dir:layout", "--format", "github"];
    let refused = bench.command(&arguments).env_remove("GITHUB_SHA").output().unwrap();
    assert_eq!(code(&refused), 2, "{}", stderr(&refused));
    assert!(stderr(&refused).contains("set GITHUB_SHA"), "{}", stderr(&refused));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let made = bench
        .command(&arguments)
        .env("GITHUB_SHA", commit)
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_RUN_ID", "7")
        .env("GITHUB_WORKFLOW", "build")
        .env("GITHUB_JOB", "scan")
        .output()
        .unwrap();
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let snapshot: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(snapshot["sha"], commit);
    assert_eq!(snapshot["job"]["correlator"], "build scan");
    let resolved = snapshot["manifests"]["oci-dir:layout"]["resolved"].as_object().unwrap();
    assert!(resolved.keys().any(|purl| purl.starts_with("pkg:npm/left-demo@")), "{resolved:?}");
}

#[test]
fn a_bill_that_names_no_release_is_matched_by_the_one_that_is_given() {
    let bench = Bench::with_database();
    let bill = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"libopensel3",
        "version":"3.0.1-1","purl":"pkg:deb/debian/libopensel3@3.0.1-1?arch=amd64&upstream=opensel"}]}"#;
    bench.write("bill.json", bill);
    let scanned = bench.run(&["scan", "sbom:bill.json", "--format", "json"]);
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(report["packages"].as_array().unwrap().len(), 1);
    for distro in ["debian:12", "debian/12", "debian:bookworm"] {
        let arguments = ["scan", "sbom:bill.json", "--format", "json", "--distro", distro];
        let scanned = bench.run(&arguments);
        assert_eq!(code(&scanned), 0, "{distro}: {}", stderr(&scanned));
        let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        assert_eq!(report["findings"].as_array().unwrap().len(), 2, "{distro}");
    }
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    let refused = bench.run(&["scan", "oci-dir:layout", "--distro", "debian:12"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("is no bill of materials"), "{}", stderr(&refused));
}

#[test]
fn a_bill_of_another_tools_form_needs_no_scheme() {
    let bench = Bench::with_database();
    bench.write(
        "bom.xml",
        r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components>
        <component type="library"><name>demo-web</name><version>1.5</version><purl>pkg:pypi/demo-web@1.5</purl>
        </component></components></bom>"#,
    );
    bench.write(
        "bom.spdx",
        "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nPackageName: demo-web\nSPDXID: SPDXRef-a\n\
         PackageVersion: 1.5\nExternalRef: PACKAGE-MANAGER purl pkg:pypi/demo-web@1.5\n",
    );
    for file in ["bom.xml", "bom.spdx"] {
        let scanned = bench.run(&["scan", file, "--format", "json"]);
        assert_eq!(code(&scanned), 0, "{file}: {}", stderr(&scanned));
        let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        assert_eq!(report["findings"][0]["id"], "CVE-2099-0003", "{file}");
    }
}
