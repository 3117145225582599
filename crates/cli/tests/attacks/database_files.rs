//! Database files that change while they are used: an error, never a signal and never a pass.

use crate::common::{Bench, code, image, stderr};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

/// Scans while a file is changed again and again.
const SCANS: usize = 12;

fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench
}

fn scan(bench: &Bench) -> Output {
    bench.run(&["scan", "image", "--offline", "--fail-on", "low", "--fail-on-unknown"])
}

fn databases(bench: &Bench) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(bench.path().join("db/v1")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some());
    files.sort();
    files
}

/// Cuts a file off, lets it grow again without its content, and puts that back, until told to stop.
fn torment(file: &Path, stop: &AtomicBool) {
    let content = std::fs::read(file).unwrap();
    let length = content.len() as u64;
    let open = OpenOptions::new().write(true).open(file).unwrap();
    while !stop.load(Ordering::Relaxed) {
        for cut in [0, length / 3, length - 1] {
            open.set_len(cut).unwrap();
            std::thread::yield_now();
            open.set_len(length).unwrap();
            std::thread::yield_now();
            open.write_all_at(&content, 0).unwrap();
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_file_that_is_cut_off_while_scans_run_ends_none_by_a_signal_and_lets_none_pass() {
    let bench = bench();
    assert_eq!(code(&scan(&bench)), 1);
    let files = databases(&bench);
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| torment(&file, &stop));
            for _ in 0..SCANS {
                let ran = scan(&bench);
                let told = ran.status.code();
                if !matches!(told, Some(1 | 3 | 4)) {
                    stop.store(true, Ordering::Relaxed);
                    panic!("{}: {told:?} {}", file.display(), stderr(&ran));
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
    assert_eq!(code(&scan(&bench)), 1);
}

#[test]
fn a_file_whose_content_was_lost_behind_a_whole_header_is_damaged() {
    let bench = bench();
    let file = bench.path().join("db/v1/debian.lzdb");
    let open = OpenOptions::new().write(true).open(&file).unwrap();
    let length = open.metadata().unwrap().len();
    open.set_len(length / 2).unwrap();
    open.set_len(length).unwrap();
    let ran = bench.run(&["scan", "image", "--offline", "--fail-on", "critical"]);
    assert_eq!(code(&ran), 3, "{}", stderr(&ran));
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), stderr(&ran));
    assert!(text.contains("debian.lzdb") && text.contains("lazaret db update"), "{text}");
}

#[test]
fn a_link_or_pipe_in_the_place_of_a_database_is_not_followed_and_not_waited_for() {
    let bench = bench();
    let file = bench.path().join("db/v1/debian.lzdb");
    let elsewhere = bench.path().join("elsewhere");
    std::fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink("../../elsewhere", &file).unwrap();
    let ran = bench.run(&["scan", "image", "--offline", "--fail-on", "critical"]);
    assert_eq!(code(&ran), 3, "{}", stderr(&ran));
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    let ran = bench.run(&["scan", "image", "--offline", "--fail-on", "critical"]);
    assert_eq!(code(&ran), 3, "{}", stderr(&ran));
}
