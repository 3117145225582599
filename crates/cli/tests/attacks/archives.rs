//! Archives that are made to hold up, fill up or fool a reader: bombs, floods, lies, loops, depth.

use crate::common::Bench;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use testkit::hostile::{Scale, all};

/// Far beyond what the slowest takes, in a build without optimisation on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn every_hostile_archive_ends_in_a_verdict_or_an_error_of_one_line() {
    let bench = Bench::with_database();
    let mut wrong = Vec::new();
    for hostile in all(Scale::Small) {
        let archive = bench.write("archive.tar", hostile.bytes());
        let (status, errors) = scan(&bench, &archive.display().to_string());
        let told = errors.lines().filter(|line| line.starts_with("lazaret: ")).count();
        match status.and_then(|status| status.code()) {
            Some(0 | 1 | 3) => {}
            Some(2) if told == 1 => {}
            ended => wrong.push(format!("{}: {ended:?}, {errors}", hostile.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How a scan ended, if it did, and what it said on standard error.
fn scan(bench: &Bench, archive: &str) -> (Option<ExitStatus>, String) {
    let mut scan = bench.command(&["scan", "--offline", "--no-cache", "-q", archive]);
    let errors = bench.path().join("errors");
    let mut child =
        scan.stdout(Stdio::null()).stderr(std::fs::File::create(&errors).unwrap()).spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    (status, std::fs::read_to_string(errors).unwrap())
}
