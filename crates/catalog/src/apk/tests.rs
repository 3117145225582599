//! The database of apk over layers, and the real ones beside a checkout.

use super::*;
use crate::view_tests::{Layers, shared_image};
use image::{Cataloged, OwnedDigest};
use vocabulary::{Ecosystem, Location};

const BUSYBOX: &str = "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=
P:busybox-binsh
V:1.36.1-r29
A:x86_64
S:1543
L:GPL-2.0-only
o:busybox
F:bin
R:sh
a:0:0:777
Z:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=
F:
R:init
F:etc
";

fn alpine() -> Layers {
    Layers::default().distribution("alpine", "3.20.3").layer()
}

fn lines(packages: &[Cataloged]) -> Vec<String> {
    packages.iter().map(|found| found.package.purl.to_string()).collect()
}

#[test]
fn an_installed_package_is_told_in_full() {
    let out = alpine().file("lib/apk/db/installed", BUSYBOX).resolve(&Apk);
    assert!(out.problems.is_empty());
    assert_eq!(out.packages.len(), 1);
    let Cataloged { package, owned, .. } = &out.packages[0];
    assert_eq!(
        package.purl.to_string(),
        "pkg:apk/alpine/busybox-binsh@1.36.1-r29?arch=x86_64&distro=alpine-3.20.3&upstream=busybox"
    );
    assert_eq!(package.ecosystem, Ecosystem::ALPINE);
    let source = package.source.as_ref().unwrap();
    assert_eq!((source.name.as_str(), source.version.as_str()), ("busybox", "1.36.1-r29"));
    assert_eq!(package.licences, ["GPL-2.0-only"]);
    assert_eq!(package.location, Location::file("lib/apk/db/installed", Some(0)));
    let paths: Vec<&str> = owned.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["bin/sh", "init"]);
    assert!(matches!(owned[0].digest, Some(OwnedDigest::Sha1([0xda, 0x39, ..]))));
    assert_eq!(owned[1].digest, None);
}

#[test]
fn each_package_has_the_layer_that_brought_it() {
    let out = alpine()
        .file("lib/apk/db/installed", "P:a\nV:1\n\nP:b\nV:1\n\n")
        .layer()
        .file("lib/apk/db/installed", "P:a\nV:1\n\nP:b\nV:2\n\nP:c\nV:1\n\n")
        .layer()
        .file("app", "x")
        .resolve(&Apk);
    let layers: Vec<_> = out.packages.iter().map(|found| found.package.layer).collect();
    assert_eq!(layers, [Some(0), Some(1), Some(1)]);
    assert!(out.packages.iter().all(|found| found.package.location.layer() == Some(1)));
}

#[test]
fn a_package_in_both_places_of_the_database_counts_once() {
    let out = alpine()
        .file("lib/apk/db/installed", "P:a\nV:1\n\nP:b\nV:1\n")
        .file("usr/lib/apk/db/installed", "P:a\nV:1\n")
        .resolve(&Apk);
    let places: Vec<_> = out.packages.iter().map(|found| found.package.location.path()).collect();
    assert_eq!(places, [Some("usr/lib/apk/db/installed"), Some("lib/apk/db/installed")]);
}

#[test]
fn the_real_alpine_databases_list_their_packages() {
    let Some(layers) = shared_image("alpine-3.20.3-dbonly") else { return };
    let out = layers.resolve(&Apk);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    assert_eq!(out.packages.len(), 14);
    let purls = lines(&out.packages);
    assert!(
        purls.contains(
            &"pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20.3&upstream=openssl"
                .to_owned()
        ),
        "{purls:?}"
    );
    let musl = out.packages.iter().find(|found| found.package.name == "musl").unwrap();
    assert!(musl.owned.iter().any(|file| file.path == "lib/ld-musl-x86_64.so.1"
        && matches!(file.digest, Some(OwnedDigest::Sha1(_)))));

    let tool = out.packages.iter().find(|found| found.package.name == "apk-tools").unwrap();
    let needed: Vec<&str> = tool.package.requires.iter().map(vocabulary::Purl::name).collect();
    assert!(needed.contains(&"musl") && needed.contains(&"libcrypto3"), "{needed:?}");

    let Some(layers) = shared_image("alpine-3.10.3-dbonly") else { return };
    let out = layers.resolve(&Apk);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    assert_eq!(out.packages.len(), 14);
    assert!(out.packages.iter().all(|found| !found.package.licences.is_empty()));
}

#[test]
fn damaged_facts_never_panic() {
    let symlinks = std::collections::HashMap::new();
    for fact in [&b"\x01\xff"[..], b"", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"] {
        let at = image::FactAt { path: PATHS[1], layer: Some(0), fact, stays: true };
        let shape = image::SubjectShape::RootFileSystem;
        let out = Apk.resolve(&View::new(vec![at], &symlinks, image::About::tree(shape), 1));
        assert!(out.packages.is_empty() && out.problems.len() == 1);
    }
}

#[test]
fn a_database_that_breaks_off_or_is_in_another_form_is_a_problem() {
    let cut = alpine().file("lib/apk/db/installed", BUSYBOX.split_at(60).0).resolve(&Apk);
    assert_eq!(cut.problems[0].reason, "is cut short: its last line does not end");
    for binary in [b"ADB.\0\0\0\0".as_slice(), b"ADBd\x01\x02"] {
        assert!(crate::view_tests::read_file(&Apk, "lib/apk/db/installed", binary).is_err());
    }
    let text = BUSYBOX.replace('\n', "\r\n");
    let other = alpine().file("lib/apk/db/installed", text).resolve(&Apk);
    assert_eq!((other.packages.len(), other.problems.len()), (1, 0));
}
