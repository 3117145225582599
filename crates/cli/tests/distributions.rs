//! What is known of a distribution and was not read: such an image never passes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, OS_RELEASE, STATUS, base, code, stderr};
use serde_json::Value;
use testkit::{ImageBuilder, Layer};

/// A package at which no sample advisory is directed.
const SOUND: &str =
    "Package: sound\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n";

/// Exit code and report of an image.
fn scan(bench: &Bench, layers: impl IntoIterator<Item = Layer>) -> (i32, Value) {
    let image = layers.into_iter().fold(ImageBuilder::new(), ImageBuilder::layer);
    bench.write("image.tar", image.oci_archive());
    report(bench, "image.tar")
}

fn report(bench: &Bench, reference: &str) -> (i32, Value) {
    let _ = std::fs::remove_file(bench.path().join("report.json"));
    let output =
        bench.run(&["scan", reference, "--offline", "--no-cache", "-o", "json=report.json"]);
    let said = stderr(&output);
    assert!(bench.path().join("report.json").is_file(), "no report: {said}");
    assert!(!said.contains("db update"), "{said}");
    (code(&output), bench.json("report.json"))
}

/// Status and reason of a check.
fn coverage<'report>(report: &'report Value, check: &str) -> Option<(&'report str, &'report str)> {
    let all = report["coverage"].as_array().unwrap();
    let found = all.iter().find(|one| one["check"] == check)?;
    let reason = found["reason"].as_str().or_else(|| found["problems"][0]["reason"].as_str());
    Some((found["status"].as_str().unwrap(), reason.unwrap_or_default()))
}

fn debian(status: &str) -> Layer {
    Layer::new().file("etc/os-release", OS_RELEASE).file("var/lib/dpkg/status", status)
}

#[test]
fn an_image_whose_package_database_is_there_is_checked() {
    let bench = Bench::with_database();
    let (code, report) = scan(&bench, [debian(SOUND)]);
    assert_eq!((code, coverage(&report, "packages")), (0, None));
    let distroless = Layer::new()
        .file("usr/lib/os-release", OS_RELEASE)
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("var/lib/dpkg/status.d/sound", SOUND.replace("Status: install ok installed\n", ""))
        .file("var/lib/dpkg/status.d/sound.md5sums", "");
    let (code, report) = scan(&bench, [distroless]);
    assert_eq!((code, coverage(&report, "packages")), (0, None));
    assert_eq!(report["packages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_known_distribution_without_a_database_that_names_packages_is_incomplete() {
    let bench = Bench::with_database();
    let deleted = Layer::new().whiteout("var/lib/dpkg/status");
    let folder = Layer::new().whiteout("var/lib/dpkg");
    let module = Layer::new()
        .file("srv/app/node_modules/sound/package.json", r#"{"name":"sound","version":"1.0.0"}"#);
    let gentoo = Layer::new().file("etc/os-release", "ID=gentoo\nVERSION_ID=2.17\n");
    for (name, layers) in [
        ("deleted", vec![debian(SOUND), deleted]),
        ("with its folder", vec![debian(SOUND), folder]),
        ("empty", vec![debian("")]),
        ("truncated by a later layer", vec![debian(SOUND), debian("")]),
        ("without a word", vec![debian("\n\n")]),
        ("beside an application", vec![debian(""), module]),
        ("of another distribution", vec![debian(SOUND), gentoo]),
        ("none", vec![Layer::new().file("etc/os-release", "ID=flatcar\nVERSION_ID=1\n")]),
    ] {
        let (code, report) = scan(&bench, layers);
        let (status, reason) = coverage(&report, "packages").expect(name);
        assert_eq!((code, status), (3, "skipped"), "{name}");
        assert!(reason.contains("no package database"), "{name}: {reason}");
        assert_eq!(report["decision"]["outcome"], "incomplete", "{name}");
    }
}

#[test]
fn a_database_that_breaks_off_is_incomplete() {
    let bench = Bench::with_database();
    let (code, report) =
        scan(&bench, [debian(&(SOUND.to_owned() + SOUND.split_at(SOUND.len() - 3).0))]);
    assert_eq!((code, coverage(&report, "dpkg").unwrap().0), (3, "partial"));
    let rpm = Layer::new()
        .file("etc/os-release", "ID=fedora\nVERSION_ID=40\n")
        .file("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0\x10\0\x01\x01\0");
    let (code, report) = scan(&bench, [rpm]);
    assert_eq!((code, coverage(&report, "rpm").unwrap().0), (3, "partial"));
    assert_eq!(coverage(&report, "packages").unwrap().0, "skipped");
}

#[test]
fn a_root_in_a_folder_is_held_to_the_same() {
    let bench = Bench::with_database();
    bench.write("root/etc/os-release", OS_RELEASE);
    bench.write("root/var/lib/dpkg/status", "");
    let (code, report) = crate::report(&bench, "dir:root");
    assert_eq!((code, coverage(&report, "packages").unwrap().0), (3, "skipped"));
    bench.write("root/var/lib/dpkg/status", SOUND);
    let (code, report) = crate::report(&bench, "dir:root");
    assert_eq!((code, coverage(&report, "packages")), (0, None));
}

#[test]
fn an_image_in_which_nothing_is_recognised_is_not_clean_and_one_with_an_application_alone_is_read()
{
    let bench = Bench::with_database();
    for layers in [vec![], vec![Layer::new().file("bin/app", "\x7fELF")]] {
        let (code, report) = scan(&bench, layers);
        let reason = "nothing in this image is known to hold packages: not checked";
        assert_eq!((code, coverage(&report, "packages")), (3, Some(("skipped", reason))));
    }
    let module = r#"{"name":"sound","version":"1.0.0"}"#;
    let layer = Layer::new().file("srv/node_modules/sound/package.json", module);
    let (code, report) = scan(&bench, [layer]);
    assert_eq!((code, coverage(&report, "packages")), (0, None));
}

#[test]
fn an_unknown_distribution_gives_a_full_report_without_any_database() {
    let kali = "ID=kali\nID_LIKE=debian\nVERSION_ID=2024.1\n";
    for (release, check) in [
        (Some(kali), "unmatched:Kali"),
        (Some("ID=madeup\nVERSION_ID=1\n"), "unmatched:Madeup"),
        (Some("ID=centos\nID_LIKE=\"rhel fedora\"\nVERSION_ID=9\n"), "unmatched:CentOS"),
        (Some("ID=fedora\nVERSION_ID=40\n"), "unmatched:Fedora"),
        (None, "unmatched:Linux"),
    ] {
        for bench in [Bench::new(), Bench::with_database()] {
            let layer = Layer::new().file("var/lib/dpkg/status", STATUS);
            let layer = match release {
                Some(text) => layer.file("etc/os-release", text),
                None => layer,
            };
            let (code, report) = scan(&bench, [layer, common::python()]);
            assert_eq!(report["packages"].as_array().unwrap().len(), 3, "{check}");
            let (status, reason) = coverage(&report, check).expect(check);
            assert_eq!(status, "skipped", "{check}");
            assert!(reason.ends_with("not checked"), "{check}: {reason}");
            // Its parent's advisories are not held against it; those of PyPI are, where they are there.
            let found = report["findings"].as_array().unwrap();
            let ids: Vec<&str> = found.iter().filter_map(|one| one["id"].as_str()).collect();
            assert!(!ids.contains(&"CVE-2099-0001"), "{check}: {ids:?}");
            assert_eq!(code, 3, "{check}: {ids:?}");
        }
    }
}

#[test]
fn nobody_asks_for_advisories_that_nobody_publishes() {
    let bench = Bench::new();
    let layer = base().file("etc/os-release", "ID=kali\nID_LIKE=debian\nVERSION_ID=2024.1\n");
    bench.write("image.tar", ImageBuilder::new().layer(layer).oci_archive());
    // Nothing listens there: a question would be a warning.
    let output = bench
        .command(&["scan", "image.tar", "-o", "json=report.json"])
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
    assert!(coverage(&bench.json("report.json"), "unmatched:Kali").is_some());
}

const WALL: &str = r#"{"jsonwall":"1.0","schema":"1.0","count":4}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.3","sha256":"00","arch":"amd64"}
{"kind":"package","name":"openssl","version":"3.0.13-0ubuntu3.4","sha256":"00","arch":"amd64"}
{"kind":"slice","name":"libc6_libs"}
"#;

fn chiselled() -> Layer {
    let wall = testkit::Compression::Zstd.pack(WALL.as_bytes());
    Layer::new()
        .file("etc/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"\n")
        .file("var/lib/chisel/manifest.wall", wall)
}

/// A database of Ubuntu 24.04 with an advisory about glibc, which lists its binaries or does not.
fn ubuntu(binaries: &str) -> Bench {
    let bench = Bench::new();
    let record = format!(
        r#"{{"id":"USN-1-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2099-0009"],
        "affected":[{{"package":{{"ecosystem":"Ubuntu:24.04:LTS","name":"glibc"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"2.39-0ubuntu8.4"}}]}}]{binaries}}}]}}"#
    );
    bench.write("feed/Ubuntu/USN-1-1.json", record);
    bench.write("feed/ecosystems.txt", "Ubuntu\n");
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    bench
}

#[test]
fn a_chiselled_root_is_matched_by_the_binaries_that_advisories_name() {
    let listed = r#","ecosystem_specific":{"binaries":[{"binary_name":"libc6","binary_version":"2.39-0ubuntu8.4"}]}"#;
    let bench = ubuntu(listed);
    let (code, report) = scan(&bench, [chiselled()]);
    let packages = report["packages"].as_array().unwrap();
    let purls: Vec<&str> = packages.iter().map(|one| one["purl"].as_str().unwrap()).collect();
    assert_eq!(
        purls,
        [
            "pkg:deb/ubuntu/libc6@2.39-0ubuntu8.3?arch=amd64&distro=ubuntu-24.04",
            "pkg:deb/ubuntu/openssl@3.0.13-0ubuntu3.4?arch=amd64&distro=ubuntu-24.04"
        ]
    );
    let found = report["findings"].as_array().unwrap();
    assert!(found.iter().any(|one| one["id"] == "CVE-2099-0009"), "{found:?}");
    assert_eq!(
        (code, coverage(&report, "packages"), coverage(&report, "sources")),
        (0, None, None)
    );
}

#[test]
fn advisories_that_name_sources_alone_are_said_to_miss_a_chiselled_root() {
    let bench = ubuntu("");
    let (code, report) = scan(&bench, [chiselled()]);
    let (status, reason) = coverage(&report, "sources").unwrap();
    assert_eq!((code, status), (3, "partial"));
    assert!(reason.starts_with("2 debs without a source name"), "{reason}");
    // A bill of it does not lose that.
    bench.run(&["sbom", "image.tar", "-o", "cyclonedx=bill.json"]);
    let (code, billed) = crate::report(&bench, "sbom:bill.json");
    assert_eq!((code, coverage(&billed, "sources")), (3, coverage(&report, "sources")));
}

#[test]
fn databases_of_small_systems_are_read_or_named() {
    let bench = Bench::with_database();
    let opkg = "Package: busybox\nVersion: 1.36.1-1\nStatus: install user installed\nArchitecture: x86_64\n\n";
    let inventory =
        r#"{"Content":[{"Name":"shim","Version":"15.8","Release":"1","Architecture":"x86_64"}]}"#;
    for (release, path, content, purl, check) in [
        (
            "openwrt\nVERSION_ID=23.05",
            "usr/lib/opkg/status",
            opkg,
            "pkg:opkg/openwrt/busybox@1.36.1-1?arch=x86_64&distro=openwrt-23.05",
            "unmatched:Openwrt",
        ),
        (
            "bottlerocket\nVERSION_ID=1.26",
            "usr/share/bottlerocket/application-inventory.json",
            inventory,
            "pkg:rpm/bottlerocket/shim@15.8-1?arch=x86_64&distro=bottlerocket-1.26",
            "unmatched:Bottlerocket",
        ),
        (
            "slackware\nVERSION_ID=15.0",
            "var/lib/pkgtools/packages/jq-1.6-x86_64-1",
            "",
            "pkg:slackware/slackware/jq@1.6-1?arch=x86_64&distro=slackware-15.0",
            "unmatched:Slackware",
        ),
    ] {
        let layer =
            Layer::new().file("etc/os-release", format!("ID={release}\n")).file(path, content);
        let (code, report) = scan(&bench, [layer]);
        assert_eq!((code, report["packages"][0]["purl"].as_str()), (3, Some(purl)), "{check}");
        assert_eq!(coverage(&report, "packages"), None, "{check}");
        assert!(coverage(&report, check).is_some(), "{check}: {}", report["coverage"]);
    }
    let clear = Layer::new()
        .file("etc/os-release", "ID=clear-linux-os\nVERSION_ID=41000\n")
        .file("usr/share/clear/bundles/os-core", "");
    let (code, report) = scan(&bench, [clear]);
    let (status, reason) = coverage(&report, "unread").unwrap();
    assert_eq!((code, status), (3, "partial"));
    assert!(reason.contains("known and not read: Clear Linux"), "{reason}");
}
