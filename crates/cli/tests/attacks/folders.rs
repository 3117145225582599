//! Folders that are scanned: nothing outside of them is read, and no file in them holds a scan.

use crate::common::{Bench, code, image, stderr, stdout};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A generous bound of what takes no time at all.
const SOON: Duration = Duration::from_secs(60);

fn blobs(bench: &Bench) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(bench.path().join("image/blobs/sha256")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn no_blob_of_a_layout_is_read_through_a_link_that_leads_out_of_it() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    for blob in blobs(&bench) {
        let outside = bench.path().join("outside");
        std::fs::rename(&blob, &outside).unwrap();
        for target in [outside.clone(), PathBuf::from("../../../outside")] {
            symlink(target, &blob).unwrap();
            let ran = bench.run(&["scan", "oci-dir:image", "--no-cache"]);
            assert_eq!(code(&ran), 3, "{}: {}", blob.display(), stderr(&ran));
            std::fs::remove_file(&blob).unwrap();
        }
        std::fs::rename(&outside, &blob).unwrap();
    }
    assert_eq!(code(&bench.run(&["scan", "oci-dir:image", "--no-cache"])), 0);
}

#[test]
fn blobs_that_are_shared_within_a_layout_are_read() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    std::fs::create_dir(bench.path().join("image/shared")).unwrap();
    for blob in blobs(&bench) {
        let name = blob.file_name().unwrap().to_owned();
        std::fs::rename(&blob, bench.path().join("image/shared").join(&name)).unwrap();
        symlink(PathBuf::from("../../shared").join(&name), &blob).unwrap();
    }
    let ran = bench.run(&["scan", "oci-dir:image", "--no-cache"]);
    assert_eq!(code(&ran), 0, "{}", stderr(&ran));
    assert!(stdout(&ran).contains("CVE-2099-0001"), "{}", stdout(&ran));
}

#[test]
fn a_sparse_file_of_terabytes_holds_no_scan_and_is_said() {
    let bench = Bench::with_database();
    bench.write(
        "app/package-lock.json",
        r#"{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{}}"#,
    );
    assert_eq!(code(&bench.run(&["scan", "dir:app", "--fail-on", "low"])), 0);
    let sparse = |name: &str| {
        let file = std::fs::File::create(bench.path().join(name)).unwrap();
        file.set_len(10 << 40).unwrap();
    };
    sparse("app/disk.img");
    let began = Instant::now();
    let listed = bench.run(&["sbom", "dir:app", "--file-digests", "--format", "json"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(code(&listed), 3, "{}", stderr(&listed));
    assert!(stdout(&listed).contains("holes"), "{}", stdout(&listed));
    sparse("app/package-lock.json");
    let began = Instant::now();
    let scanned = bench.run(&["scan", "dir:app", "--fail-on", "low"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    assert!(!stdout(&scanned).contains("PASS"), "{}", stdout(&scanned));
}
