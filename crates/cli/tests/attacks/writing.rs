//! Files that are written: nowhere that somebody else chose, and open to nobody else.

use crate::common::{Bench, code, image, stderr};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::Path;
use std::process::{Command, Output};
use testkit::{is_root, skip};

/// A user who is nobody here.
const STRANGER: u32 = 4_000_000;

fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// The same command under a shell that has set the mask.
fn with_mask(bench: &Bench, mask: &str, arguments: &[&str]) -> Output {
    let plain = bench.command(arguments);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("umask {mask}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
    command.args(plain.get_args()).current_dir(bench.path()).env_clear();
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.output().unwrap()
}

#[test]
fn a_report_is_not_written_through_a_link_of_another_user() {
    if !is_root() {
        return skip("only root can make a link of another user");
    }
    let bench = bench();
    let precious = bench.write("precious", "kept");
    std::fs::set_permissions(&precious, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::create_dir(bench.path().join("real")).unwrap();
    symlink("precious", bench.path().join("report.json")).unwrap();
    symlink("real", bench.path().join("folder")).unwrap();
    for link in ["report.json", "folder"] {
        lchown(bench.path().join(link), Some(STRANGER), None).unwrap();
    }
    for (output, link) in
        [("json=report.json", "report.json"), ("json=folder/report.json", "folder")]
    {
        let scanned = bench.run(&["scan", "image", "-o", output]);
        assert_eq!(code(&scanned), 2, "{}", stderr(&scanned));
        let said = stderr(&scanned);
        assert!(said.contains(link) && said.contains("of another user (4000000)"), "{said}");
    }
    assert_eq!((bench.read("precious").as_str(), mode(&precious)), ("kept", 0o600));
    assert_eq!(std::fs::read_dir(bench.path().join("real")).unwrap().count(), 0);
}

#[test]
fn planted_temporary_names_are_not_followed() {
    let bench = bench();
    bench.write("precious", "kept");
    // By the number of the process, as names beside were once made.
    let from = std::process::id();
    for process in from..from + 4000 {
        symlink("precious", bench.path().join(format!(".report.json.{process}.tmp"))).unwrap();
    }
    let scanned = bench.run(&["scan", "image", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    assert_eq!(bench.read("precious"), "kept");
    assert_eq!(bench.json("report.json")["schema"], "lazaret.report/2");
    assert!(!std::fs::symlink_metadata(bench.path().join("report.json")).unwrap().is_symlink());
}

#[test]
fn no_mask_of_the_process_lets_others_write_what_is_written() {
    let bench = Bench::new();
    bench.write_feed();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    for arguments in [
        &["db", "update", "--from", "feed"][..],
        &["scan", "image", "-o", "json=report.json"],
        &["key", "new", "key"],
        &[
            "--state",
            "state",
            "seal",
            "image",
            "--repository",
            "shop:1",
            "--key",
            "key",
            "--export",
            "out",
        ],
        &["db", "export", "all.lzdbpack"],
    ] {
        let ran = with_mask(&bench, "0", arguments);
        assert_eq!(code(&ran), 0, "{arguments:?}: {}", stderr(&ran));
    }
    let at = |name: &str| bench.path().join(name);
    for (name, expected) in [
        ("report.json", 0o644),
        ("key", 0o600),
        ("key.pub", 0o644),
        ("all.lzdbpack", 0o644),
        ("db", 0o755),
        ("state", 0o700),
        ("state/seals/log", 0o600),
        ("out/record", 0o644),
        (".cache/lazaret/facts", 0o700),
        (".cache/lazaret/facts/v3/key", 0o600),
    ] {
        assert_eq!(mode(&at(name)), expected, "{name}");
    }
    for folder in ["db", "state", ".cache", "out"] {
        all_below(&at(folder), &mut |path| assert_eq!(mode(path) & 0o022, 0, "{}", path.display()));
    }
}

fn all_below(folder: &Path, look: &mut dyn FnMut(&Path)) {
    look(folder);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_below(&path, look);
        } else {
            look(&path);
        }
    }
}

#[test]
fn a_report_keeps_the_mode_of_the_own_file_that_it_replaces() {
    let bench = bench();
    let report = bench.write("report.json", "old");
    std::fs::set_permissions(&report, std::fs::Permissions::from_mode(0o640)).unwrap();
    let scanned = bench.run(&["scan", "image", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    assert_eq!(mode(&report), 0o640);
    assert_eq!(bench.json("report.json")["schema"], "lazaret.report/2");
}

#[test]
fn a_key_is_written_over_nothing_and_through_no_link() {
    let bench = Bench::new();
    bench.write("precious", "kept");
    for (link, target) in [("one", "precious"), ("two", "nowhere")] {
        symlink(target, bench.path().join(link)).unwrap();
        let made = bench.run(&["key", "new", link]);
        assert_eq!(code(&made), 2, "{}", stderr(&made));
    }
    assert_eq!(bench.read("precious"), "kept");
    assert!(!bench.path().join("nowhere").exists());
}

#[test]
fn a_log_of_seals_that_is_a_link_is_neither_read_nor_written() {
    let bench = bench();
    assert_eq!(code(&bench.run(&["key", "new", "key"])), 0);
    let seal = ["--state", "state", "seal", "image", "--repository", "shop:1", "--key", "key"];
    assert_eq!(code(&bench.run(&seal)), 0);
    let log = bench.path().join("state/seals/log");
    std::fs::rename(&log, bench.path().join("precious")).unwrap();
    let before = std::fs::read(bench.path().join("precious")).unwrap();
    symlink("../../precious", &log).unwrap();
    let sealed = bench.run(&seal);
    assert_eq!(code(&sealed), 2, "{}", stderr(&sealed));
    assert_eq!(std::fs::read(bench.path().join("precious")).unwrap(), before);
}
