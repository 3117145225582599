//! Which checks run, and what switching one on costs: what is read for it alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use scan::{Inventory, Progress, ReadOptions, Selection, read};
use std::path::Path;
use std::sync::atomic::Ordering;
use testkit::{ImageBuilder, Layer};
use vocabulary::{Coverage, Status};

const STATUS: &str = "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n";
const METADATA: &str = "Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n\n";
const PLACE: &str = "usr/local/lib/python3/site-packages/Demo-1.0.dist-info/METADATA";

fn image() -> ImageBuilder {
    let base = Layer::new()
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
        .file("var/lib/dpkg/status", STATUS);
    let own = Layer::new().file(PLACE, METADATA).file("srv/large", "x".repeat(100_000));
    ImageBuilder::new().layer(base).layer(own)
}

/// Reads an image with these checks; what was found, and how many bytes of files readers were handed.
fn scan(image: &Path, cache: Option<&Path>, checks: &str) -> (Inventory, u64) {
    let checks = Selection::parse(checks.split(','), &Selection::default()).unwrap();
    let cache = cache.map(Path::to_owned);
    let options = ReadOptions { checks, cache, ..ReadOptions::default() };
    let progress = Progress::default();
    let inventory = read(&format!("oci-dir:{}", image.display()), &options, &progress).unwrap();
    (inventory, progress.handed.load(Ordering::Relaxed))
}

/// What was found, without how it was read.
fn found(inventory: &Inventory) -> (Vec<String>, Vec<Coverage>) {
    let packages = inventory.software.packages.iter().map(|one| one.purl.to_string()).collect();
    let coverage = inventory.coverage.iter().filter(|one| one.check != "layers");
    (packages, coverage.cloned().collect())
}

fn cached(inventory: &Inventory) -> Vec<bool> {
    inventory.layers.iter().map(|layer| layer.from_cache).collect()
}

#[test]
fn a_check_that_is_switched_on_reads_for_itself_alone() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    image().write_oci_dir(folder.path()).unwrap();
    let with_cache = |checks| scan(folder.path(), Some(cache.path()), checks);
    let (without, handed) = with_cache("packages,-python");
    assert!(
        handed >= STATUS.len() as u64 && !found(&without).0.iter().any(|one| one.contains("demo"))
    );

    let (with, handed) = with_cache("packages");
    assert_eq!(handed, METADATA.len() as u64, "one file, for the one check");
    assert_eq!(cached(&with), [false, false], "they were read, and hashed");
    assert_eq!(found(&with), found(&scan(folder.path(), None, "packages").0));

    let (again, handed) = with_cache("packages");
    assert_eq!((handed, cached(&again)), (0, vec![true, true]));
    assert_eq!(found(&again), found(&with));
    // Neither selection took the other's place.
    let (other, handed) = with_cache("packages,-python");
    assert_eq!((handed, cached(&other)), (0, vec![true, true]));
    assert_eq!(found(&other), found(&without));
    let (few, handed) = with_cache("python");
    assert_eq!((handed, cached(&few)), (0, vec![true, true]));
    assert_eq!(few.software.packages.len(), 1);
}

#[test]
fn what_is_known_of_other_bytes_is_not_believed() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    image().write_oci_dir(folder.path()).unwrap();
    let (first, _) = scan(folder.path(), Some(cache.path()), "packages,-python");
    // The layer of the package database is another one now, under the same name.
    let digest = first.layers[0].digest.as_ref().unwrap();
    let blob = folder.path().join("blobs/sha256").join(digest.hex());
    let other =
        Layer::new().file("var/lib/dpkg/status", STATUS.replace("Version: 1", "Version: 2"));
    std::fs::write(blob, other.plain()).unwrap();
    let (now, _) = scan(folder.path(), Some(cache.path()), "packages");
    let (fresh, _) = scan(folder.path(), None, "packages");
    assert_eq!(found(&now), found(&fresh));
    assert_eq!(now.findings, fresh.findings);
    assert!(!now.findings.is_empty() && found(&now).0.iter().any(|one| one.contains("a@2")));
}

#[test]
fn what_was_not_selected_is_skipped_and_what_the_subject_is_stays_known() {
    let folder = tempfile::tempdir().unwrap();
    image().write_oci_dir(folder.path()).unwrap();
    let (inventory, _) = scan(folder.path(), None, "python");
    assert_eq!(inventory.software.distribution.as_ref().unwrap().id, "debian");
    let of = |check: &str| inventory.coverage.iter().find(|one| one.check == check);
    assert_eq!(of("python").unwrap().status, Status::Ran);
    for check in ["dpkg", "go", "os-release"] {
        let one = of(check).unwrap();
        let skipped = (Status::Skipped, Some(Coverage::NOT_SELECTED));
        assert_eq!((one.status, one.reason.as_deref()), skipped, "{check}");
    }
    assert!(of("cargo-lock").is_none(), "it does not count in an image, selected or not");

    let root = tempfile::tempdir().unwrap();
    let place = root.path().join("var/lib/dpkg");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("status"), STATUS).unwrap();
    let checks = Selection::parse(["python"], &Selection::default()).unwrap();
    let options = ReadOptions { checks, ..ReadOptions::default() };
    let reference = format!("dir:{}", root.path().display());
    let inventory = read(&reference, &options, &Progress::default()).unwrap();
    assert_eq!(inventory.subject.kind, vocabulary::SubjectKind::RootDirectory);
    assert!(
        inventory.software.packages.is_empty(),
        "its database was read, and its check did not run"
    );
}
