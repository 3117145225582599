//! A parser that was taken over finds nothing left to take: files, programs, servers, the kernel.
//!
//! `parser.c` is loaded into the program itself and tries when the subject was read.

use crate::common::{Bench, code, image, stderr, stdout};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const EPERM: i32 = 1;
const EACCES: i32 = 13;
const ENOSYS: i32 = 38;

/// A C source of this folder, compiled; none, and the test is skipped, where nothing compiles.
fn compiled(bench: &Bench, source: &str, options: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let made = bench.path().join(format!("{source}.bin"));
    let built =
        Command::new("cc").args(options).arg("-o").arg(&made).arg(folder.join(source)).output();
    match built {
        Ok(built) => {
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            Some(made)
        }
        Err(_) => testkit::skip("there is no C compiler"),
    }
}

fn open(path: &Path, mode: u32) {
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}

/// The program, in a folder that everybody may enter.
fn copied(bench: &Bench) -> PathBuf {
    let program = bench.write("lazaret", std::fs::read(env!("CARGO_BIN_EXE_lazaret")).unwrap());
    open(&program, 0o755);
    program
}

/// What came of each try, inside a program that reads the folder `subject`, offline.
fn taken_over(user: Option<u32>) -> Option<BTreeMap<String, i32>> {
    let bench = Bench::new();
    bench.write("secret", "s3cret, made up");
    bench.write("subject/etc/os-release", crate::common::OS_RELEASE);
    bench.write("subject/var/lib/dpkg/status", crate::common::STATUS);
    let parser = compiled(&bench, "parser.c", &["-shared", "-fPIC"])?;
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let words = ["sbom", "dir:subject", "--no-cache", "--offline"];
    let mut command = match user {
        None => bench.command(&words),
        // Who cannot enter the folder that it was built in.
        Some(_) => {
            let mut command = Command::new(copied(&bench));
            command.args(words).current_dir(bench.path()).env_clear().env("HOME", bench.path());
            command
        }
    };
    command.env("LD_PRELOAD", parser).env("TRY_FOLDER", bench.path());
    command.env("TRY_PORT", server.local_addr().unwrap().port().to_string());
    if let Some(user) = user {
        use std::os::unix::process::CommandExt as _;
        open(bench.path(), 0o777);
        command.uid(user).gid(user);
    }
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert_eq!(code(&output), 0, "{text}");
    assert!(stdout(&output).contains("libopensel3"), "it reads all the same");
    let tried: BTreeMap<String, i32> = text
        .lines()
        .filter_map(|line| line.strip_prefix("tried: ")?.split_once('='))
        .map(|(what, number)| (what.to_owned(), number.parse().unwrap()))
        .collect();
    assert!(tried.len() > 40, "{text}");
    Some(tried)
}

/// Whether the machine has all layers: else the tests of each layer alone say what is missing.
fn has_all() -> bool {
    let status = Bench::new().run(&["--sandbox-status"]);
    match code(&status) {
        0 => true,
        _ => {
            testkit::skip::<()>("this machine lacks a layer of the sandbox");
            false
        }
    }
}

#[track_caller]
fn refused(tried: &BTreeMap<String, i32>, by: &[i32], names: &[&str]) {
    for name in names {
        let number = tried.get(*name).unwrap_or_else(|| panic!("{name} was not tried"));
        assert!(by.contains(number), "{name}: {number}");
    }
}

const FILES: [&str; 11] = [
    "read secret",
    "read secret by openat2",
    "read passwords",
    "list home",
    "write secret",
    "make",
    "write the subject",
    "make in the temporary folder",
    "remove",
    "change mode",
    "open by handle",
];

const PROCESSES: [&str; 9] = [
    "start a program",
    "start by descriptor",
    "trace",
    "read memory",
    "write memory",
    "signal",
    "take hold",
    "limit",
    "type",
];

const KERNEL: [&str; 20] = [
    "bpf",
    "measure",
    "ring",
    "faults",
    "module",
    "kexec",
    "key",
    "keys",
    "personality",
    "mount",
    "new mount",
    "root",
    "namespace",
    "namespace by clone",
    "be root",
    "be another",
    "capabilities",
    "watch files",
    "code in memory",
    "code that was data",
];

#[test]
fn a_parser_that_was_taken_over_opens_no_other_file() {
    if !has_all() {
        return;
    }
    let Some(tried) = taken_over(None) else { return };
    refused(&tried, &[EPERM, EACCES], &FILES);
    assert_eq!(tried["read the subject"], 0, "what it is there for");
}

#[test]
fn a_parser_that_was_taken_over_starts_no_program_and_touches_no_process() {
    if !has_all() {
        return;
    }
    let Some(tried) = taken_over(None) else { return };
    refused(&tried, &[EPERM, EACCES], &PROCESSES);
}

#[test]
fn a_parser_that_was_taken_over_offline_reaches_nobody() {
    if !has_all() {
        return;
    }
    let Some(tried) = taken_over(None) else { return };
    let kinds = ["connect", "udp", "tcp 6", "unix", "routes", "packets", "ciphers"];
    refused(&tried, &[EPERM, EACCES], &kinds);
}

#[test]
fn a_parser_that_was_taken_over_finds_no_way_into_the_kernel() {
    if !has_all() {
        return;
    }
    let Some(tried) = taken_over(None) else { return };
    refused(&tried, &[EPERM], &KERNEL);
    refused(&tried, &[ENOSYS], &["newer call", "clone3"]);
    #[cfg(target_arch = "x86_64")]
    refused(&tried, &[ENOSYS], &["x32 execve", "x32 ptrace", "x32 mount"]);
}

#[test]
fn an_unprivileged_user_is_held_by_the_same() {
    if !testkit::is_root() {
        return testkit::skip("only root can become another user");
    }
    if !has_all() {
        return;
    }
    let Some(tried) = taken_over(Some(65534)) else { return };
    refused(&tried, &[EPERM, EACCES], &FILES);
    refused(&tried, &[EPERM, EACCES], &PROCESSES);
    refused(&tried, &[EPERM], &KERNEL);
}

/// A report with and without a sandbox.
fn reports(bench: &Bench, subject: &str) -> [String; 2] {
    ["off", "require"].map(|mode| {
        let cache = format!("facts-{mode}");
        let scan = ["scan", subject, "--offline", "--format", "json", "--cache-dir", &cache];
        let output = bench.command(&scan).env("LAZARET_SANDBOX", mode).output().unwrap();
        assert_eq!(code(&output), 0, "{mode}: {}", stderr(&output));
        stdout(&output)
    })
}

#[test]
fn a_report_is_the_same_with_and_without_the_sandbox() {
    if !has_all() {
        return;
    }
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    bench.write("image.tar", image().oci_archive());
    bench.write("folder/etc/os-release", crate::common::OS_RELEASE);
    bench.write("folder/var/lib/dpkg/status", crate::common::STATUS);
    for subject in ["oci-dir:layout", "oci-archive:image.tar", "dir:folder"] {
        let [without, with] = reports(&bench, subject);
        assert_eq!(without, with, "{subject}");
        assert!(with.contains("CVE-2099-0001"), "{subject}");
    }
}

#[test]
fn reports_are_written_where_they_are_asked_for_and_nowhere_else() {
    let bench = Bench::new();
    bench.write("subject/etc/os-release", crate::common::OS_RELEASE);
    bench.write("subject/var/lib/dpkg/status", crate::common::STATUS);
    std::fs::create_dir(bench.path().join("out")).unwrap();
    let mut command = bench.command(&[
        "sbom",
        "dir:subject",
        "--no-cache",
        "-o",
        "json=out/a.json",
        "-o",
        "spdx=/dev/null",
        "-o",
        "cyclonedx=/dev/stdout",
    ]);
    let file = std::fs::File::create(bench.path().join("out/redirected")).unwrap();
    let output = command.stdout(file).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(bench.read("out/a.json").contains("libopensel3"));
    assert!(bench.read("out/redirected").contains("CycloneDX"));
    assert_eq!(std::fs::read_dir(bench.path().join("out")).unwrap().count(), 2);
}

#[test]
fn a_found_settings_file_cannot_turn_the_sandbox_off() {
    let bench = Bench::new();
    bench.write("lazaret.toml", "sandbox = \"off\"\n");
    let output = bench.run(&["policy", "schema"]);
    assert_eq!(code(&output), 2, "{}", stdout(&output));
    assert!(stderr(&output).contains("lazaret.toml"), "{}", stderr(&output));
}

/// The program under a kernel without Landlock.
fn without_landlock(bench: &Bench, starter: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(starter);
    command.arg(env!("CARGO_BIN_EXE_lazaret")).args(words).current_dir(bench.path());
    command.env_clear().env("HOME", bench.path()).output().unwrap()
}

#[test]
fn a_layer_that_is_missing_is_told_and_fails_only_where_it_is_required() {
    if !has_all() {
        return;
    }
    let bench = Bench::new();
    bench.write("subject/etc/os-release", crate::common::OS_RELEASE);
    bench.write("subject/var/lib/dpkg/status", crate::common::STATUS);
    let Some(starter) = compiled(&bench, "without.c", &[]) else { return };
    let run = |words: &[&str]| without_landlock(&bench, &starter, words);
    let status = run(&["--sandbox-status=json"]);
    assert_eq!(code(&status), 3, "{}", stderr(&status));
    let told: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    let state = |name: &str| {
        let layers = told["layers"].as_array().unwrap();
        let layer = layers.iter().find(|layer| layer["layer"] == name).unwrap();
        layer["state"].as_str().unwrap().to_owned()
    };
    assert_eq!([state("files"), state("tcp")], ["missing", "missing"]);
    assert_eq!([state("calls"), state("capabilities")], ["holds", "holds"]);
    let scan = ["sbom", "dir:subject", "--no-cache"];
    let auto = run(&scan);
    assert_eq!(code(&auto), 0, "{}", stderr(&auto));
    let required = run(&[&scan[..], &["--sandbox", "require"]].concat());
    assert_eq!((code(&required), stdout(&required).as_str()), (2, ""));
    assert!(stderr(&required).contains("files cannot be held here"), "{}", stderr(&required));
}

#[test]
fn a_scan_works_in_a_root_of_its_own_without_proc() {
    if !testkit::is_root() {
        return testkit::skip("only root can change the root");
    }
    let bench = Bench::new();
    bench.write("subject/etc/os-release", crate::common::OS_RELEASE);
    bench.write("subject/var/lib/dpkg/status", crate::common::STATUS);
    copied(&bench);
    let libraries = Command::new("ldd").arg(env!("CARGO_BIN_EXE_lazaret")).output();
    let Ok(libraries) = libraries else { return testkit::skip("there is no `ldd`") };
    for word in stdout(&libraries).split_whitespace().filter(|word| word.starts_with('/')) {
        open(&bench.write(word.trim_start_matches('/'), std::fs::read(word).unwrap()), 0o755);
    }
    let mut command = Command::new("chroot");
    command.arg(bench.path()).args(["/lazaret", "sbom", "dir:/subject", "--no-cache"]);
    let output = command.args(["--sandbox", "auto", "-o", "json=/report.json"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(bench.read("report.json").contains("libopensel3"));
}

#[test]
fn helpers_that_keep_credentials_run_in_a_process_of_their_own() {
    let bench = Bench::new();
    // A registry that always asks who one is, and a helper that writes down that it was asked.
    let server = testkit::Server::start(|_| {
        testkit::Reply::status(401).header("www-authenticate", "Basic realm=\"made up\"")
    })
    .unwrap();
    let host = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let helper = bench.write(
        "bin/docker-credential-test",
        "#!/bin/sh\nread host\necho \"$1 $host\" >>asked\ngrep NoNewPrivs /proc/self/status >>asked\n\
         echo '{\"Username\":\"tester\",\"Secret\":\"made-up\"}'\n",
    );
    open(&helper, 0o755);
    bench.write(".docker/config.json", r#"{"credsStore":"test"}"#);
    let reference = format!("registry:{host}/shop:1");
    let mut command = bench.command(&["sbom", &reference, "--no-cache"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", bench.path().join("bin").display()));
    let output = command.output().unwrap();
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    let asked = bench.read("asked");
    assert!(asked.starts_with(&format!("get {host}\n")), "{asked}");
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find(|line| line.starts_with("NoNewPrivs")).unwrap();
    assert!(asked.contains(own), "it has all that the user has: {asked}");
    let sent = server.received();
    let mut login = sent.iter().filter_map(|request| request.header("authorization"));
    assert!(login.next_back().is_some_and(|value| value.starts_with("Basic ")), "{sent:?}");
}
