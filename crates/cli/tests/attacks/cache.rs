//! Folders of our own (cache, state, database): believed only where nobody else may write them.

use crate::common::{Bench, base, code, image, node, stderr};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use testkit::{ImageBuilder, Layer, is_root, skip};

const CACHE: &str = ".cache/lazaret/facts";

fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench
}

fn open_to(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn findings(bench: &Bench, arguments: &[&str]) -> Vec<String> {
    let ran = bench.run(&[&["scan", "--format", "json"], arguments].concat());
    let report: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&ran)));
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].to_string()).collect()
}

#[test]
fn a_folder_that_others_may_write_is_refused_by_name_with_what_to_do() {
    let bench = bench();
    let scan = ["scan", "image"];
    assert_eq!(code(&bench.run(&scan)), 0);
    assert_eq!(code(&bench.run(&["key", "new", "key"])), 0);
    let seal = ["--state", "state", "seal", "image", "--repository", "shop:1", "--key", "key"];
    assert_eq!(code(&bench.run(&seal)), 0);
    let listed = ["--state", "state", "seals", "list"];
    let cases: [(&str, &[&str], &str); 7] = [
        (CACHE, &scan, "--cache-dir"),
        (".cache/lazaret/facts/v3", &scan, "--cache-dir"),
        ("db", &scan, "--db"),
        ("db/v1", &scan, "--db"),
        ("db", &["db", "status"], "--db"),
        ("state", &listed, "--state"),
        ("state/seals", &listed, "seals"),
    ];
    for (folder, command, flag) in cases {
        let path = bench.path().join(folder);
        let before = std::fs::metadata(&path).unwrap().permissions();
        for mode in [0o777, 0o1777, 0o702] {
            open_to(&path, mode);
            let ran = bench.run(command);
            let said = stderr(&ran);
            assert_eq!(code(&ran), 2, "{folder} {mode:o}: {said}");
            let stem = folder.split('/').next().unwrap();
            for part in [stem, "may be written by everybody", "of your own", flag] {
                assert!(said.contains(part), "{folder} {mode:o}: {said}");
            }
        }
        std::fs::set_permissions(&path, before).unwrap();
        assert_eq!(code(&bench.run(command)), 0, "{folder}");
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    if !is_root() {
        return skip("only root can make a folder of another user");
    }
    let bench = bench();
    assert_eq!(code(&bench.run(&["scan", "image"])), 0);
    for folder in [CACHE, "db"] {
        let path = bench.path().join(folder);
        std::os::unix::fs::chown(&path, Some(4_000_000), None).unwrap();
        let ran = bench.run(&["scan", "image"]);
        assert_eq!(code(&ran), 2, "{folder}");
        assert!(stderr(&ran).contains("belongs to another user (4000000)"), "{}", stderr(&ran));
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    }
    // Without a cache none is in question.
    std::os::unix::fs::chown(bench.path().join(CACHE), Some(4_000_000), None).unwrap();
    assert_eq!(code(&bench.run(&["scan", "image", "--no-cache"])), 0);
}

#[test]
fn what_another_user_could_turn_leads_to_no_folder_of_ours() {
    if !is_root() {
        return skip("only root can make a link of another user");
    }
    let bench = bench();
    let target = bench.path().join("target");
    std::fs::create_dir(&target).unwrap();
    let link = bench.path().join("link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(4_000_000), None).unwrap();
    std::fs::create_dir_all(bench.path().join("theirs/ours")).unwrap();
    std::os::unix::fs::chown(bench.path().join("theirs"), Some(4_000_000), None).unwrap();
    for place in ["link", "link/deeper", "theirs/ours", "theirs/new"] {
        for arguments in [
            ["scan", "image", "--cache-dir", place],
            ["scan", "image", "--db", place],
            ["seals", "list", "--state", place],
        ] {
            let ran = bench.run(&arguments);
            assert_eq!(code(&ran), 2, "{arguments:?}: {}", stderr(&ran));
            assert!(stderr(&ran).contains("another user"), "{}", stderr(&ran));
        }
    }
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
    // A link of our own leads where it says.
    std::os::unix::fs::lchown(&link, Some(0), None).unwrap();
    assert_eq!(code(&bench.run(&["scan", "image", "--cache-dir", "link"])), 0);
}

#[test]
fn a_database_file_that_others_may_write_is_not_used() {
    let bench = bench();
    open_to(&bench.path().join("db/v1/debian.lzdb"), 0o666);
    let ran = bench.run(&["scan", "image", "--offline", "--fail-on", "low"]);
    assert!(matches!(code(&ran), 1 | 3 | 4), "{}", code(&ran));
    assert!(!findings(&bench, &["image", "--offline"]).iter().any(|id| id.contains("0001")));
}

#[test]
fn poisoned_facts_silence_nothing() {
    let bench = Bench::with_database();
    ImageBuilder::new()
        .layer(base())
        .layer(node())
        .write_oci_dir(bench.path().join("bad"))
        .unwrap();
    let clean = Layer::new().file("srv/app/readme", "nothing to be found");
    ImageBuilder::new()
        .layer(base())
        .layer(clean)
        .write_oci_dir(bench.path().join("good"))
        .unwrap();
    let before = findings(&bench, &["bad"]);
    let own = entries(&bench.path().join(CACHE));
    let good = findings(&bench, &["good"]);
    assert!(before.len() > good.len() && !good.is_empty());
    // The facts of a clean layer under the name of each other: within one cache, and from another.
    let after = entries(&bench.path().join(CACHE));
    let new: Vec<&PathBuf> = after.iter().filter(|file| !own.contains(file)).collect();
    findings(&bench, &["good", "--cache-dir", "theirs"]);
    let theirs = entries(&bench.path().join("theirs"));
    assert!(!new.is_empty() && theirs.len() >= 2);
    for source in new.into_iter().chain(&theirs) {
        for target in &own {
            if source.extension() == target.extension() && source.file_name() != target.file_name()
            {
                std::fs::copy(source, target).unwrap();
            }
        }
        assert_eq!(findings(&bench, &["bad"]), before, "{}", source.display());
    }
    // A cache that was put there whole, but for the key, which is ours.
    for file in &theirs {
        std::fs::copy(file, bench.path().join(CACHE).join("v3").join(file.file_name().unwrap()))
            .unwrap();
    }
    assert_eq!(findings(&bench, &["good"]), good);
    assert_eq!(findings(&bench, &["bad"]), before);
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cache.join("v3")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some());
    files.sort();
    files
}

#[test]
fn room_is_made_of_entries_of_the_cache_and_of_nothing_else() {
    let bench = bench();
    let folder = bench.path().join("cache/v3");
    std::fs::create_dir_all(&folder).unwrap();
    open_to(&bench.path().join("cache"), 0o700);
    open_to(&folder, 0o700);
    let hex = "ab".repeat(32);
    let large = |name: &str| {
        std::fs::File::create(folder.join(name)).unwrap().set_len(2 << 30).unwrap();
    };
    let own = format!("{hex}.walk");
    for name in ["thesis.doc", ".bashrc", &own] {
        large(name);
    }
    let old = bench.write("cache/v1/key", "an older version's");
    assert_eq!(code(&bench.run(&["scan", "image", "--cache-dir", "cache"])), 0);
    assert!(folder.join("thesis.doc").exists() && folder.join(".bashrc").exists() && old.exists());
    assert!(!folder.join(own).exists());
}
