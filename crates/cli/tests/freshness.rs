//! `lazaret scan --freshness`: an archive on the loopback interface, signed by a key of the test's own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, base, code, image, stderr};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use testkit::{ImageBuilder, Reply, Server, SigningKey};

/// The moment of `common::Bench`.
const NOW: u32 = 1_790_000_000;
const RELEASE: &str = "dists/bookworm-security/InRelease";
const INDEX: &str = "dists/bookworm-security/main/binary-amd64/Packages";

const PACKAGES: &str = "\
Package: libopensel3
Source: opensel
Version: 3.0.2-1
Architecture: amd64

Package: zcat
Version: 1:1.2-4
Architecture: amd64

";

/// An archive and a scanned image, with advisories that know of `opensel` alone.
struct World {
    bench: Bench,
    server: Server,
}

fn key() -> SigningKey {
    SigningKey::new([1; 32], 1_700_000_000)
}

fn release(date: &str, end: &str) -> String {
    let digest = vocabulary::Digest::of(PACKAGES.as_bytes()).hex();
    let end = if end.is_empty() { String::new() } else { format!("Valid-Until: {end}\n") };
    format!(
        "Origin: Debian\nSuite: oldstable-security\nCodename: bookworm-security\nDate: {date}\n{end}\
         Architectures: amd64\nComponents: updates/main\nSHA256:\n {digest} {} {}\n",
        PACKAGES.len(),
        "main/binary-amd64/Packages"
    )
}

/// Of the day of the scan.
fn fresh() -> String {
    release("Sun, 20 Sep 2026 12:00:00 UTC", "Sun, 27 Sep 2026 12:00:00 UTC")
}

impl World {
    fn new() -> Self {
        let bench = Bench::with_database();
        bench.write("test.gpg", key().keyring());
        image().write_oci_dir(bench.path().join("image")).unwrap();
        let server = Server::files(bench.path().join("archive")).unwrap();
        let world = Self { bench, server };
        world.publish(&key().clear_sign(&fresh(), NOW - 1000));
        world
    }

    fn publish(&self, release: &str) {
        self.bench.write(&format!("archive/{RELEASE}"), release);
        self.bench.write(&format!("archive/{INDEX}"), PACKAGES);
    }

    fn scan(&self, more: &[&str]) -> Value {
        let mut arguments = vec!["scan", "image", "--format", "json", "--freshness"];
        arguments.extend(["--no-db-update", "--archive-mirror", self.server.url()]);
        arguments.extend(more);
        let scanned = self.bench.run(&arguments);
        serde_json::from_slice(&scanned.stdout).unwrap_or_else(|_| panic!("{}", stderr(&scanned)))
    }

    fn scan_with_key(&self) -> Value {
        self.scan(&["--keyring", "test.gpg"])
    }
}

/// Names of the packages with an update, and status and reason of the coverage.
fn said(report: &Value) -> (Vec<String>, String, String) {
    let updates = report["findings"].as_array().unwrap().iter();
    let updates = updates.filter(|finding| finding["rule"] == "security-update-available");
    let names = updates.map(|finding| finding["fix"]["title"].as_str().unwrap().to_owned());
    let coverage = report["coverage"].as_array().unwrap().iter();
    let coverage: Vec<_> = coverage.filter(|one| one["check"] == "archive").collect();
    let text = |name: &str| coverage[0][name].as_str().unwrap_or_default().to_owned();
    (names.collect(), text("status"), text("reason"))
}

fn refused(report: &Value, status: &str, words: &str) {
    let (updates, found, reason) = said(report);
    assert!(updates.is_empty(), "{updates:?}");
    assert!(found == status && reason.contains(words), "{found}: {reason}");
    assert_eq!(report["decision"]["outcome"], "incomplete");
}

#[test]
fn an_update_that_no_advisory_explains_is_a_finding_with_its_evidence() {
    let world = World::new();
    let report = world.scan_with_key();
    let (updates, status, reason) = said(&report);
    // `libopensel3` is named by an advisory that asks for 3.0.2-1.
    assert_eq!(updates, ["upgrade zcat to 1:1.2-4"]);
    assert_eq!(status, "ran", "{reason}");
    let finding = report["findings"].as_array().unwrap().iter();
    let finding = { finding }.find(|one| one["rule"] == "security-update-available").unwrap();
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["kind"], "archive");
    assert_eq!(evidence["suite"], "bookworm-security");
    assert_eq!(evidence["date"], "2026-09-20T12:00:00Z");
    assert_eq!(evidence["signer"], key().fingerprint());
    assert_eq!(finding["location"]["path"], "var/lib/dpkg/status");

    let sarif = world.bench.run(&[
        "scan",
        "image",
        "--freshness",
        "--archive-mirror",
        world.server.url(),
        "--keyring",
        "test.gpg",
        "--format",
        "sarif",
        "--no-db-update",
    ]);
    let text = common::stdout(&sarif);
    assert!(text.contains(&format!("signed by {}", key().fingerprint())), "{text}");
}

#[test]
fn what_mends_it_counts_updates_beside_vulnerabilities() {
    let world = World::new();
    let mending = |archive: &[&str]| {
        let mut arguments = vec!["scan", "image", "--no-db-update"];
        arguments.extend(archive);
        let table = common::stdout(&world.bench.run(&arguments));
        let lines = table.lines().skip_while(|line| !line.starts_with("WHAT MENDS IT"));
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert!(!mending(&[]).contains("security update"), "{}", mending(&[]));
    let url = world.server.url();
    insta::assert_snapshot!(mending(&[
        "--freshness",
        "--archive-mirror",
        url,
        "--keyring",
        "test.gpg"
    ]));
    let report = world.scan_with_key();
    let steps = report["mending"]["upgrades"].as_array().unwrap();
    let of_zcat = |step: &&Value| step["updates"] == serde_json::json!(["zcat"]);
    assert_eq!(steps.iter().filter(of_zcat).count(), 1, "{steps:?}");
}

#[test]
fn what_was_fetched_is_asked_for_again_only_if_it_changed() {
    let world = World::new();
    let first = said(&world.scan_with_key());
    assert_eq!(said(&world.scan_with_key()), first);
    let received = world.server.received();
    let paths: Vec<_> = received.iter().map(|one| one.path.trim_start_matches('/')).collect();
    assert_eq!(paths, [RELEASE, INDEX, RELEASE]);
    assert!(received[2].header("if-none-match").is_some());
    world.scan(&["--keyring", "test.gpg", "--no-cache"]);
    assert_eq!(world.server.received().len(), 5);
}

#[test]
fn a_forged_release_is_refused() {
    let world = World::new();
    let good = key().clear_sign(&fresh(), NOW - 1000);
    world.publish(&good.replace("20 Sep", "21 Sep"));
    refused(&world.scan_with_key(), "failed", "its signature does not hold");
    let other = SigningKey::new([2; 32], 1_700_000_000);
    world.publish(&other.clear_sign(&fresh(), NOW - 1000));
    refused(&world.scan_with_key(), "failed", "no key that is trusted signed it");
    let elsewhere = fresh().replace("bookworm-security", "trixie-security");
    world.publish(&key().clear_sign(&elsewhere, NOW - 1000));
    refused(&world.scan_with_key(), "failed", "is of trixie-security, not of bookworm-security");
}

#[test]
fn a_key_counts_for_being_given_not_for_lying_in_the_image() {
    let world = World::new();
    let layer = base()
        .file("etc/apt/trusted.gpg.d/own.asc", key().armored())
        .file("usr/share/keyrings/own.gpg", key().keyring());
    ImageBuilder::new().layer(layer).write_oci_dir(world.bench.path().join("own")).unwrap();
    let scan = |more: &[&str]| {
        let mut arguments = vec!["scan", "own", "--format", "json", "--freshness"];
        arguments.extend(["--archive-mirror", world.server.url(), "--no-db-update"]);
        arguments.extend(more);
        let scanned = world.bench.run(&arguments);
        serde_json::from_slice::<Value>(&scanned.stdout).unwrap()
    };
    refused(&scan(&[]), "failed", &key().fingerprint());
    assert_eq!(said(&scan(&["--keyring", "test.gpg"])).1, "ran");
}

#[test]
fn a_keyring_that_the_sources_name_and_that_is_not_read_is_said() {
    let world = World::new();
    let uri = "http://deb.debian.org/debian-security";
    let sources = format!("deb [signed-by=/opt/keys/own.gpg] {uri} bookworm-security main\n");
    let layer = base()
        .file("etc/apt/sources.list", sources)
        .file("etc/apt/own.gpg", key().keyring())
        .file("opt/keys/own.gpg", key().keyring());
    ImageBuilder::new().layer(layer).write_oci_dir(world.bench.path().join("image")).unwrap();
    let report = world.scan(&[]);
    refused(&report, "failed", &key().fingerprint());
    refused(&report, "failed", "say that it is signed by `/opt/keys/own.gpg`");
    assert_eq!(said(&world.scan_with_key()).1, "ran");
}

#[test]
fn the_security_suite_of_an_old_release_is_found_and_told_from_the_release() {
    let world = World::new();
    let named = common::OS_RELEASE.replace("bookworm", "buster").replace("\"12\"", "\"10\"");
    assert!(named.contains("buster") && named.contains("10"), "{named}");
    let layer = base().file("etc/os-release", named.clone()).file("usr/lib/os-release", named);
    ImageBuilder::new().layer(layer).write_oci_dir(world.bench.path().join("image")).unwrap();
    let publish = |text: &str| {
        let signed = key().clear_sign(text, NOW - 1000);
        world.bench.write("archive/dists/buster/updates/InRelease", signed);
        let index = "archive/dists/buster/updates/main/binary-amd64/Packages";
        world.bench.write(index, PACKAGES);
    };
    let release = fresh().replace("bookworm-security", "buster");
    publish(&format!("Label: Debian\n{release}"));
    refused(&world.scan_with_key(), "failed", "is of buster, not of buster/updates");
    publish(&format!("Label: Debian-Security\n{release}"));
    let (updates, status, reason) = said(&world.scan_with_key());
    assert!(updates.contains(&"upgrade zcat to 1:1.2-4".to_owned()), "{updates:?} {reason}");
    assert_eq!(status, "ran", "{reason}");
    assert!(reason.starts_with("buster/updates of "), "{reason}");
}

#[test]
fn a_release_past_its_end_or_without_one_and_old_is_not_called_fresh() {
    let world = World::new();
    for (date, end) in [
        ("Tue, 01 Sep 2026 12:00:00 UTC", "Tue, 08 Sep 2026 12:00:00 UTC"),
        ("Tue, 01 Sep 2026  2:00:00 UTC", ""),
    ] {
        world.publish(&key().clear_sign(&release(date, end), NOW - 2_000_000));
        let report = world.scan(&["--keyring", "test.gpg", "--no-cache"]);
        let (updates, status, reason) = said(&report);
        assert_eq!(updates, ["upgrade zcat to 1:1.2-4"], "{reason}");
        assert_eq!(status, "partial", "{reason}");
        assert!(reason.contains("2026-09-0"), "{reason}");
        assert_eq!(report["decision"]["outcome"], "incomplete");
    }
}

#[test]
fn an_index_that_is_not_what_was_signed_is_refused() {
    let world = World::new();
    world.bench.write(&format!("archive/{INDEX}"), PACKAGES.replace("1.2-4", "1.2-3"));
    refused(&world.scan_with_key(), "failed", "is not what its Release lists");
    world.bench.write(&format!("archive/{INDEX}"), PACKAGES);
    assert_eq!(said(&world.scan_with_key()).1, "ran");
    // Nor is one that was changed where it is kept.
    for folder in std::fs::read_dir(world.bench.path().join(".cache/lazaret/archives")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "packages") {
                std::fs::write(path, "Package: zcat\nVersion: 1:1.2-3\n").unwrap();
            }
        }
    }
    assert_eq!(said(&world.scan_with_key()).0, ["upgrade zcat to 1:1.2-4"]);
}

#[test]
fn an_older_release_than_was_served_before_is_not_taken() {
    let world = World::new();
    world.scan_with_key();
    let older = release("Sat, 19 Sep 2026 12:00:00 UTC", "Sat, 26 Sep 2026 12:00:00 UTC");
    world.publish(&key().clear_sign(&older, NOW - 90_000));
    let (updates, status, reason) = said(&world.scan_with_key());
    assert_eq!(updates, ["upgrade zcat to 1:1.2-4"]);
    assert_eq!(status, "partial");
    assert!(reason.contains("older state, of 2026-09-19T12:00:00Z"), "{reason}");
    // It is remembered: the next scan says it again.
    assert_eq!(said(&world.scan_with_key()).1, "partial");
}

#[test]
fn hosts_that_the_image_names_are_not_asked() {
    let world = World::new();
    let hits = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&hits);
    let server = Server::start(move |_| {
        *counted.lock().unwrap() += 1;
        Reply::status(404)
    })
    .unwrap();
    let sources = format!("deb {}/debian-security bookworm-security main\n", server.url());
    let layer = base().file("etc/apt/sources.list", sources);
    ImageBuilder::new().layer(layer).write_oci_dir(world.bench.path().join("own")).unwrap();
    let scan = |more: &[&str]| {
        let mut arguments = vec!["scan", "own", "--format", "json", "--no-db-update"];
        arguments.extend(more);
        let scanned = world.bench.run(&arguments);
        (code(&scanned), serde_json::from_slice::<Value>(&scanned.stdout).unwrap())
    };
    let (exit, report) = scan(&["--freshness"]);
    refused(&report, "skipped", "name a mirror by --archive-mirror");
    assert_eq!(exit, 3);
    assert_eq!(*hits.lock().unwrap(), 0);
    let (_, offline) = scan(&["--freshness", "--offline", "--archive-mirror", server.url()]);
    refused(&offline, "skipped", "--offline");
    assert_eq!(*hits.lock().unwrap(), 0);
    let (exit, silent) = scan(&[]);
    assert_eq!(exit, 0);
    assert!(!silent.to_string().contains("\"archive\""), "it is asked only where that is wanted");
}

#[test]
fn wrong_arguments_are_named() {
    let bench = Bench::with_database();
    bench.write("none.gpg", "no keyring");
    image().write_oci_dir(bench.path().join("image")).unwrap();
    for (arguments, words) in [
        (vec!["--freshness", "--keyring", "none.gpg"], "none.gpg"),
        (vec!["--freshness", "--archive-mirror", "file:///x"], "http://"),
        (vec!["--keyring", "none.gpg"], "--freshness"),
    ] {
        let mut all = vec!["scan", "image"];
        all.extend(arguments);
        let output = bench.run(&all);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}
