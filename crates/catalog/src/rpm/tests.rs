//! All formats over layers, damaged ones, and the real ones beside a checkout.

use super::fixtures::{Header, berkeley, ndb, sqlite};
use super::number::Order::{Big, Little};
use super::*;
use crate::view_tests::{Layers, read_file, shared, shared_image};
use image::{Cataloged, OwnedDigest, Resolution};
use proptest::prelude::*;
use vocabulary::{Ecosystem, Location};

const SQLITE: &str = "var/lib/rpm/rpmdb.sqlite";
const NDB: &str = "usr/lib/sysimage/rpm/Packages.db";
const BERKELEY: &str = "var/lib/rpm/Packages";

fn header(name: &str) -> Header {
    Header::package(name, "1.2", "3.el9")
        .string(1022, "x86_64")
        .string(1044, &format!("{name}-1.2-3.el9.src.rpm"))
}

/// A small header, one larger than a page, one of many pages.
fn three() -> Vec<Vec<u8>> {
    let with = |name: &str, bytes: usize| header(name).string(1005, &"x".repeat(bytes)).bytes();
    vec![with("small", 10), with("middle", 5_000), with("large", 100_000)]
}

fn almalinux() -> Layers {
    Layers::default().distribution("almalinux", "9.4").layer()
}

fn names(out: &Resolution) -> Vec<&str> {
    out.packages.iter().map(|found| found.package.name.as_str()).collect()
}

fn formats() -> Vec<(&'static str, Vec<u8>)> {
    let blobs = three();
    vec![
        (SQLITE, sqlite(&blobs)),
        (NDB, ndb(&blobs)),
        (BERKELEY, berkeley(Little, 4096, &blobs)),
        (BERKELEY, berkeley(Big, 512, &blobs)),
    ]
}

#[test]
fn every_format_tells_the_same_packages() {
    for (path, bytes) in formats() {
        let out = almalinux().file(path, bytes).resolve(&Rpm);
        assert!(out.problems.is_empty(), "{path}: {:?}", out.problems);
        assert_eq!(names(&out), ["small", "middle", "large"], "{path}");
        let package = &out.packages[2].package;
        assert_eq!(
            package.purl.to_string(),
            "pkg:rpm/almalinux/large@1.2-3.el9?arch=x86_64&distro=almalinux-9.4&upstream=large-1.2-3.el9.src.rpm"
        );
        assert_eq!(package.ecosystem, Ecosystem::ALMA_LINUX);
        assert_eq!(package.location, Location::file(path, Some(0)));
    }
}

#[test]
fn an_epoch_is_part_of_the_version_and_a_qualifier_of_the_purl() {
    let blob = header("dbus").int(1003, &[1]).bytes();
    let out = almalinux().file(NDB, ndb(&[blob])).resolve(&Rpm);
    let package = &out.packages[0].package;
    assert_eq!(package.version, "1:1.2-3.el9");
    assert_eq!(package.purl.version(), Some("1.2-3.el9"));
    assert_eq!(package.purl.qualifier("epoch"), Some("1"));
    assert_eq!(package.source.as_ref().unwrap().version, "1:1.2-3.el9");
}

#[test]
fn each_package_has_the_layer_that_brought_it() {
    let [a, b, c] = ["a", "b", "c"].map(|name| header(name).bytes());
    let out = almalinux()
        .file(SQLITE, sqlite(&[a.clone(), b]))
        .layer()
        .file(SQLITE, sqlite(&[a, c]))
        .resolve(&Rpm);
    let layers: Vec<_> = out.packages.iter().map(|found| found.package.layer).collect();
    assert_eq!((names(&out), layers), (vec!["a", "c"], vec![Some(0), Some(1)]));
}

#[test]
fn an_older_format_beside_a_newer_one_is_left_out_and_said() {
    let out = almalinux()
        .file(BERKELEY, berkeley(Little, 4096, &[header("old").bytes()]))
        .file(SQLITE, sqlite(&[header("new").bytes()]))
        .resolve(&Rpm);
    assert_eq!(names(&out), ["new"]);
    assert_eq!(out.problems[0].path, BERKELEY);
}

#[test]
fn a_write_ahead_log_with_changes_is_a_problem() {
    let log = "var/lib/rpm/rpmdb.sqlite-wal";
    let database = sqlite(&three());
    let empty = almalinux().file(SQLITE, &database).file(log, "").resolve(&Rpm);
    assert!(empty.problems.is_empty());
    let filled = almalinux().file(SQLITE, &database).file(log, [1; 4096]).resolve(&Rpm);
    assert_eq!((filled.packages.len(), filled.problems.len()), (3, 1));
    assert_eq!(filled.problems[0].path, log);
}

#[test]
fn the_manifest_of_distroless_images_tells_packages() {
    let line = "zlib\t1.2.12-2.cm2\t1\t1\tV\t(none)\t9\tx86_64\t0\tzlib-1.2.12-2.cm2.src.rpm\n";
    let out =
        Layers::default().distribution("mariner", "2.0").layer().file(MANIFEST, line).resolve(&Rpm);
    let package = &out.packages[0].package;
    assert_eq!(package.ecosystem, Ecosystem::AZURE_LINUX);
    assert_eq!(
        package.purl.to_string(),
        "pkg:rpm/mariner/zlib@1.2.12-2.cm2?arch=x86_64&distro=mariner-2.0&upstream=zlib-1.2.12-2.cm2.src.rpm"
    );
}

#[test]
fn a_hash_table_without_its_last_pages_is_a_problem() {
    let mut table = berkeley(Little, 512, &three());
    let last = u32::try_from(table.len() / 512 - 1).unwrap();
    table[32..36].copy_from_slice(&last.to_le_bytes());
    assert!(almalinux().file(BERKELEY, &table).resolve(&Rpm).problems.is_empty());
    table[32..36].copy_from_slice(&(last + 1).to_le_bytes());
    let out = almalinux().file(BERKELEY, &table).resolve(&Rpm);
    assert_eq!((out.packages.len(), out.problems.len()), (3, 1));
}

#[test]
fn a_file_of_another_format_cannot_be_read() {
    assert!(read_file(&Rpm, BERKELEY, b"not a database").is_err());
    assert_eq!(read_file(&Rpm, BERKELEY, b""), Ok(None));
    assert_eq!(read_file(&Rpm, "var/lib/rpm/Name", b"any"), Ok(None));
}

#[test]
fn a_database_cut_short_tells_what_is_left_and_a_problem() {
    for (path, bytes) in formats() {
        for part in [bytes.len() - 1, bytes.len() - 600, bytes.len() / 2] {
            let out = almalinux().file(path, &bytes[..part]).resolve(&Rpm);
            assert!(!out.problems.is_empty(), "{path} {part}");
        }
    }
}

#[test]
fn loops_of_pages_end() {
    let mut bytes = sqlite(&three());
    // The rightmost child of the root of the table is the root itself.
    bytes[4096 + 8..4096 + 12].copy_from_slice(&2_u32.to_be_bytes());
    assert_eq!(sqlite::blobs(&bytes, &mut |_| Flow::More), Err(Damage("its pages form a loop")));

    let mut bytes = berkeley(Little, 512, &three());
    // The first overflow page is followed by itself.
    bytes[2 * 512 + 16..2 * 512 + 20].copy_from_slice(&2_u32.to_le_bytes());
    let mut longest = 0;
    let _ = berkeley::blobs(&bytes, &mut |blob| {
        longest = longest.max(blob.len());
        Flow::More
    });
    assert!(longest <= bytes.len());
}

/// Sum of the lengths of all blobs, which no file may drive beyond its own length.
fn total(bytes: &[u8]) -> usize {
    let mut total = 0;
    let mut visit = |blob: &[u8]| {
        total += blob.len();
        Flow::More
    };
    let _ = sqlite::blobs(bytes, &mut visit);
    let _ = ndb::blobs(bytes, &mut visit);
    let _ = berkeley::blobs(bytes, &mut visit);
    total
}

proptest! {
    #[test]
    fn any_damage_is_read_without_panic(
        format in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        early in any::<bool>(),
    ) {
        let (path, mut bytes) = formats().swap_remove(format);
        for (at, byte) in changes {
            let at = at.index(if early { 600 } else { bytes.len() });
            bytes[at] = byte;
        }
        let _ = read_file(&Rpm, path, &bytes);
        // SQLite's bound holds for what lies in overflow pages; rows inside pages may overlap.
        if format != 0 {
            prop_assert!(total(&bytes) <= 3 * bytes.len());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        total(&bytes);
        total(&[b"SQLite format 3\0\x02\0\0\0\0", bytes.as_slice()].concat());
        total(&[b"RpmP\0\0\0\0\0\0\0\0\x01\0\0\0", bytes.as_slice()].concat());
        let _ = read_file(&Rpm, MANIFEST, &bytes);
    }
}

fn find<'a>(out: &'a Resolution, name: &str) -> &'a Cataloged {
    out.packages.iter().find(|found| found.package.name == name).unwrap()
}

#[test]
fn the_real_sqlite_database_lists_its_packages() {
    let Some(layers) = shared_image("rpm-mariner2-dbonly") else { return };
    let out = layers.resolve(&Rpm);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    assert_eq!(out.packages.len(), 129);
    let bash = find(&out, "bash");
    assert_eq!(bash.package.ecosystem, Ecosystem::AZURE_LINUX);
    assert!(bash.owned.iter().any(|file| file.path == "bin/bash" || file.path == "usr/bin/bash"));
    assert_eq!(
        bash.package.purl.to_string(),
        "pkg:rpm/mariner/bash@5.1.8-1.cm2?arch=x86_64&distro=mariner-2.0&upstream=bash-5.1.8-1.cm2.src.rpm"
    );
}

#[test]
fn the_real_ndb_database_lists_its_packages() {
    let Some(layers) = shared_image("rpm-sle15-dbonly") else { return };
    let out = layers.resolve(&Rpm);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    assert_eq!(out.packages.len(), 35);
    assert!(out.packages.iter().all(|found| found.package.ecosystem == Ecosystem::SUSE));
    assert!(
        out.packages
            .iter()
            .flat_map(|found| &found.owned)
            .any(|file| matches!(file.digest, Some(OwnedDigest::Sha256(_))))
    );
}

#[test]
fn the_real_berkeley_database_lists_its_packages() {
    let Some(shared) = shared() else { return };
    let bytes = std::fs::read(shared.join("rpmdb/libuuid-bdb/Packages")).unwrap();
    let out =
        Layers::default().distribution("rhel", "8.1").layer().file(BERKELEY, bytes).resolve(&Rpm);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    assert_eq!(out.packages.len(), 1);
    assert_eq!(
        out.packages[0].package.purl.to_string(),
        "pkg:rpm/rhel/libuuid@2.32.1-42.el8_8?arch=x86_64&distro=rhel-8.1&upstream=util-linux-2.32.1-42.el8_8.src.rpm"
    );
}
