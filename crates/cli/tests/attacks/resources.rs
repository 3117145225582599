//! Nothing left of something: space, memory, threads, open files.

use crate::common::{Bench, code, image, stderr};
use std::fs::OpenOptions;
use std::process::{Command, Output};

/// The code that `--help` gives to what ran out.
const EXHAUSTED: i32 = 5;

fn full() -> std::fs::File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Runs the program below a limit of the shell, such as `-n 12`.
fn limited(bench: &Bench, limit: &str, arguments: &[&str]) -> Output {
    let own = bench.command(arguments);
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("ulimit {limit} && exec \"$0\" \"$@\""));
    command.arg(own.get_program()).args(own.get_args()).current_dir(bench.path()).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.output().unwrap()
}

fn scanned(bench: &Bench) {
    image().write_oci_dir(bench.path().join("i")).unwrap();
}

#[test]
fn output_that_cannot_be_written_is_one_line_and_a_code_of_its_own() {
    let bench = Bench::with_database();
    scanned(&bench);
    for arguments in [
        &["scan", "oci-dir:i", "--no-cache"][..],
        &["scan", "oci-dir:i", "--no-cache", "--format", "json"],
        &["sbom", "oci-dir:i", "--no-cache"],
        &["scan", "oci-dir:i", "--no-cache", "-o", "json=/dev/full"],
        &["--help"],
        &["--version"],
        &["scan", "--help"],
        &["man"],
        &["completions", "bash"],
        &["explain"],
        &["db", "status"],
    ] {
        let output = bench.command(arguments).stdout(full()).output().unwrap();
        assert_eq!(code(&output), EXHAUSTED, "{arguments:?}: {}", stderr(&output));
        let said = stderr(&output);
        let said: Vec<&str> = said.lines().filter(|line| line.contains("No space")).collect();
        assert_eq!(said.len(), 1, "{arguments:?}: {said:?}");
    }
}

#[test]
fn where_nothing_can_be_said_the_exit_code_still_tells() {
    let bench = Bench::with_database();
    scanned(&bench);
    let output = bench.command(&["scan", "gone.tar"]).stderr(full()).output().unwrap();
    assert_eq!(code(&output), 2);
    let output = bench.command(&["--nonsense"]).stderr(full()).output().unwrap();
    assert_eq!(code(&output), 2);
    let output = bench.command(&["scan", "oci-dir:i", "--no-cache", "-o", "json=x.json"]);
    let output = { output }.stderr(full()).output().unwrap();
    assert_eq!(code(&output), 0, "a remark that cannot be made is not the result");
}

#[test]
fn without_open_files_nothing_passes_and_nothing_aborts() {
    let bench = Bench::with_database();
    scanned(&bench);
    bench.write("i.tar", image().docker_archive());
    for files in 3..16 {
        for subject in ["oci-dir:i", "i.tar"] {
            let limit = format!("-n {files}");
            let arguments = ["scan", subject, "--fail-on", "negligible", "-o", "json=x.json"];
            let output = limited(&bench, &limit, &arguments);
            let ended = output.status.code();
            // Below four the loader itself cannot start it.
            let allowed = matches!(ended, Some(1 | EXHAUSTED | 127));
            assert!(allowed, "{limit} {subject}: {ended:?}: {}", stderr(&output));
        }
    }
    // A folder that is nested deeper than folders can be held open.
    let deep = "d/".repeat(40);
    bench.write(&format!("deep/{deep}package-lock.json"), "{}");
    let output = limited(&bench, "-n 20", &["scan", "dir:deep"]);
    assert!(matches!(output.status.code(), Some(0 | 3 | EXHAUSTED)), "{}", stderr(&output));
}

#[test]
fn without_memory_nothing_passes_and_nothing_aborts() {
    let bench = Bench::with_database();
    scanned(&bench);
    let mut ran_out = 0;
    for kibibytes in (1..=60).map(|step| step * 2_000).chain([4_000_000]) {
        let limit = format!("-v {kibibytes}");
        let output = limited(&bench, &limit, &["scan", "oci-dir:i", "--fail-on", "negligible"]);
        let ended = output.status.code();
        // Where the kernel or the loader finds no room for the program, it has not begun.
        let begun = stderr(&output).contains("memory allocation") || ended.is_some();
        let allowed = !begun || matches!(ended, Some(1 | EXHAUSTED | 126 | 127));
        assert!(allowed, "{limit}: {ended:?}: {}", stderr(&output));
        assert!(kibibytes < 4_000_000 || ended == Some(1), "{}", stderr(&output));
        ran_out += usize::from(ended == Some(EXHAUSTED));
    }
    assert!(ran_out > 0);
}

#[test]
fn without_threads_a_scan_ends_with_a_line() {
    if !testkit::is_root() {
        return testkit::skip(
            "the limit of processes is tried as a user of its own, which needs root",
        );
    }
    let bench = Bench::with_database();
    scanned(&bench);
    // A user that runs nothing else, and who may not read what root keeps: all is given to it.
    let open = |path: &std::path::Path| {
        let status = Command::new("chown").args(["-R", "61234:61234"]).arg(path).status();
        assert!(status.unwrap().success());
    };
    std::fs::copy(env!("CARGO_BIN_EXE_lazaret"), bench.path().join("lazaret")).unwrap();
    open(bench.path());
    for (processes, expected) in [(1, EXHAUSTED), (64, 1)] {
        let script = format!("ulimit -u {processes} && exec ./lazaret \"$@\"");
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=61234",
            "--regid=61234",
            "--clear-groups",
            "bash",
            "-c",
            &script,
            "x",
        ]);
        command.args(["scan", "oci-dir:i", "--no-cache", "--fail-on", "negligible"]);
        command.current_dir(bench.path()).env("HOME", bench.path());
        let output = match command.env("LAZARET_DB", bench.path().join("db")).output() {
            Ok(output) => output,
            Err(_) => return testkit::skip("`setpriv` is not installed"),
        };
        assert_eq!(output.status.code(), Some(expected), "{processes}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    }
}
