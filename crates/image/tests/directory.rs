//! A directory is walked like a layer, without leaving it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{HASHER, Spy};
use image::{Check, Dispatch, Progress, RecordLevel, Walker};
use std::os::unix::fs::{PermissionsExt as _, symlink};

#[test]
fn files_of_interest_are_found_at_any_depth_and_links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("wanted"), "outside").unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("a/b c/d")).unwrap();
    std::fs::write(root.join("wanted"), "top").unwrap();
    std::fs::write(root.join("a/b c/d/wanted"), "deep").unwrap();
    std::fs::write(root.join("a/big.stream"), vec![b'x'; 600_000]).unwrap();
    std::fs::write(root.join("a/data"), "SPY! but not executable").unwrap();
    std::fs::write(root.join("a/tool"), "SPY!").unwrap();
    std::fs::set_permissions(root.join("a/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink(outside.path(), root.join("a/out")).unwrap();
    symlink("..", root.join("a/up")).unwrap();

    let spy: [&dyn Check; 1] = [&Spy];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Entries, &progress);
    let (facts, record) = image::directory::walk(&walker, root).unwrap();
    let seen: Vec<(&str, usize)> =
        facts.facts["spy"].iter().map(|fact| (fact.path.as_str(), fact.fact.len())).collect();
    assert_eq!(
        seen,
        [("wanted", 3), ("a/big.stream", 600_000), ("a/tool", 4), ("a/b c/d/wanted", 4)]
    );
    assert_eq!(facts.entries, 10);
    assert_eq!(record.entries(), 10);
    assert!(facts.symlinks.iter().any(|(path, target)| path == "a/up" && target == ".."));
    assert!(image::directory::walk(&walker, &root.join("none")).is_err());
}
