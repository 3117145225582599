//! Files that merely lie where the program was started

use crate::common::{Bench, code, image, stderr, stdout};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const POLICY: &str = "version: 1\nfail-on: negligible\n";
/// Silences the critical findings of the sample.
const SILENCE: &str = "version: 1\nignore:\n  - {package: pkg:deb/*, reason: trust me}\n";

/// A user's home with a database, and below it a stranger's repository with an image.
fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("work/image")).unwrap();
    bench
}

fn command(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    command.current_dir(bench.path().join("work"));
    command
}

fn run(bench: &Bench, arguments: &[&str]) -> Output {
    command(bench, arguments).output().unwrap()
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Refused with exit code 2 and all of these words, in one line.
fn refused(output: &Output, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(code(output), 2, "{text}{}", stdout(output));
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
}

#[test]
fn a_found_settings_file_cannot_say_whom_to_believe_or_to_ask() {
    let bench = bench();
    for option in [
        "db = \"evil\"",
        "cache-dir = \"evil\"",
        "db-source = \"http://127.0.0.1:9/\"",
        "kev = \"http://127.0.0.1:9/\"",
        "epss = \"http://127.0.0.1:9/\"",
        "policy = \"evil.yaml\"",
        "ignore-file = \"evil.toml\"",
        "platform = \"linux/arm64\"",
        "state = \"evil\"",
        "docker-host = \"tcp://127.0.0.1:9\"",
        "no-project-policy = true",
    ] {
        bench.write("work/lazaret.toml", option);
        let name = option.split(' ').next().unwrap();
        let name = format!("`{name}` is not taken from a file that was found");
        refused(&run(&bench, &["scan", "image"]), &["`lazaret.toml`", &name, "--config"]);
        // The same file is believed where it is named, and so is the user's own.
        if option.starts_with("platform") {
            let named = run(&bench, &["sbom", "image", "--config", "lazaret.toml"]);
            assert!(stderr(&named).contains("no image for `linux/arm64`"), "{}", stderr(&named));
        }
    }
}

#[test]
fn a_found_settings_file_prints_no_file_of_its_choice() {
    let bench = bench();
    bench.write("secret", "hunter2");
    bench.write("work/lazaret.toml", "format = \"template:../secret\"");
    let scanned = run(&bench, &["scan", "image"]);
    refused(&scanned, &["`format`", "table, json"]);
    assert!(!stdout(&scanned).contains("hunter2"));
    bench.write("work/lazaret.toml", "format = \"json\"");
    assert!(stdout(&run(&bench, &["scan", "image"])).starts_with('{'));
    bench.write("work/template", "{{ report.decision.outcome }}");
    let scanned =
        command(&bench, &["scan", "image"]).env("LAZARET_FORMAT", "template:template").output();
    assert_eq!(stdout(&scanned.unwrap()).trim(), "no-line");
}

#[test]
fn a_found_settings_file_says_nothing_of_what_counts_and_never_replaces_the_users_own() {
    let bench = bench();
    bench.write(".config/lazaret/config.toml", "policy = \"own.yaml\"\nformat = \"table\"\n");
    bench.write(".config/lazaret/own.yaml", "version: 1\nfail-on: low\n");
    bench.write("work/lazaret.toml", "color = \"never\"\nformat = \"json\"");
    let scanned = run(&bench, &["scan", "image"]);
    assert_eq!(code(&scanned), 1, "{}", stderr(&scanned));
    let reason = "3 findings are over --fail-on low";
    assert!(stdout(&scanned).contains(reason), "{}", stdout(&scanned));
    for word in ["fail-on = \"critical\"", "allow-partial = true", "fail-on-exploited = false"] {
        bench.write("work/lazaret.toml", word);
        let name = word.split(' ').next().unwrap();
        refused(&run(&bench, &["scan", "image"]), &["lazaret.toml", name, "a word of the policy"]);
    }
}

#[test]
fn a_found_policy_cannot_loosen_what_the_users_own_settings_say() {
    let bench = bench();
    bench.write(".config/lazaret/config.toml", "policy = \"own.yaml\"\n");
    bench.write(".config/lazaret/own.yaml", "version: 1\nfail-on: low\nallow-partial: false\n");
    bench.write("work/lazaret.yaml", "version: 1\nfail-on: critical\nallow-partial: true\n");
    bench.write("work/part/layout", "");
    let scanned = run(&bench, &["scan", "image"]);
    assert_eq!(code(&scanned), 1);
    let text = stdout(&scanned);
    assert!(
        text.contains("3 findings are over --fail-on low") && text.contains("own.yaml:2"),
        "{text}"
    );
    // A flag is the word of whoever runs it.
    let flagged = run(&bench, &["scan", "image", "--fail-on", "critical"]);
    assert!(stdout(&flagged).contains("2 findings are over --fail-on critical:"));
}

#[test]
fn a_found_file_that_others_may_write_is_refused_by_its_name() {
    let bench = bench();
    let ignore = "[[ignore]]\nid = \"CVE-2099-0001\"\nreason = \"x\"\n";
    let work = bench.path().join("work");
    for (name, content, option) in [
        ("work/lazaret.toml", "color = \"never\"\n", "--config"),
        ("work/lazaret.yaml", POLICY, "--policy"),
        ("work/.lazaret-ignore.toml", ignore, "--ignore-file"),
        (".config/lazaret/config.toml", "color = \"never\"\n", "--config"),
        ("lazaret.yaml", POLICY, "--policy"),
    ] {
        let file = bench.write(name, content);
        let short = file.file_name().unwrap().to_str().unwrap();
        mode(&file, 0o646);
        refused(&run(&bench, &["scan", "image"]), &[short, "everybody", "chmod g-w,o-w", option]);
        mode(&file, 0o664);
        if is_root() {
            refused(&run(&bench, &["scan", "image"]), &[short, "its group", "chmod", option]);
            mode(&file, 0o644);
            chown(&file, Some(4_000_000), None).unwrap();
            refused(&run(&bench, &["scan", "image"]), &[short, "another user (4000000)", option]);
            chown(&file, Some(0), None).unwrap();
        }
        // The folder counts as much: who may write it replaces the file.
        mode(&file, 0o644);
        let folder = file.parent().unwrap();
        mode(folder, 0o757);
        refused(&run(&bench, &["scan", "image"]), &[short, "its folder", option]);
        mode(folder, 0o755);
        assert_ne!(code(&run(&bench, &["scan", "image"])), 2);
        mode(&file, 0o646);
        if name.starts_with("work") {
            let named = run(&bench, &["scan", "image", option, short]);
            assert_ne!(code(&named), 2, "{}", stderr(&named));
        }
        std::fs::remove_file(&file).unwrap();
    }
    // A link of ours to what others may write is no better.
    let open = bench.write("open/policy.yaml", POLICY);
    symlink("../open/policy.yaml", work.join("lazaret.yaml")).unwrap();
    assert_eq!(code(&run(&bench, &["scan", "image"])), 1);
    mode(open.parent().unwrap(), 0o777);
    refused(&run(&bench, &["scan", "image"]), &["lazaret.yaml", "everybody", "--policy"]);
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

#[test]
fn a_mark_of_a_repository_by_somebody_else_hides_no_policy() {
    if !is_root() {
        return testkit::skip("needs root to make files of another user");
    }
    let bench = bench();
    bench.write("lazaret.yaml", POLICY);
    let mark = bench.write("work/.git", "");
    assert_eq!(code(&run(&bench, &["scan", "image"])), 0, "a root of our own ends the search");
    chown(&mark, Some(4_000_000), None).unwrap();
    assert_eq!(code(&run(&bench, &["scan", "image"])), 1);
}

#[test]
fn what_a_found_policy_includes_lies_below_its_folder() {
    let bench = bench();
    bench.write("outside.yaml", "version: 1\nonly-fixed: true\n");
    bench.write("work/team/inner.yaml", "version: 1\nfail-on: critical\n");
    bench.write("work/team/up.yaml", "version: 1\ninclude: [../other.yaml]\n");
    bench.write("work/other.yaml", "version: 1\n");
    symlink("../outside.yaml", bench.path().join("work/link.yaml")).unwrap();
    symlink("..", bench.path().join("work/away")).unwrap();
    let outside = bench.path().join("outside.yaml");
    for path in [
        "../outside.yaml",
        outside.to_str().unwrap(),
        "link.yaml",
        "away/outside.yaml",
        "team/../../outside.yaml",
        "team/up.yaml",
        "/etc/shadow",
        "/dev/zero",
        "team",
    ] {
        bench.write("work/lazaret.yaml", format!("version: 1\ninclude: ['{path}']\n"));
        let scanned = run(&bench, &["scan", "image"]);
        refused(&scanned, &["yaml`, line 2: cannot be included"]);
    }
    bench.write("work/lazaret.yaml", "version: 1\ninclude: [team/inner.yaml]\n");
    assert_eq!(code(&run(&bench, &["scan", "image"])), 1);
    mode(&bench.path().join("work/team/inner.yaml"), 0o646);
    refused(&run(&bench, &["scan", "image"]), &["line 2: cannot be included: it may be written"]);
    // Who names a policy may include what they like.
    bench.write("work/named.yaml", "version: 1\nfail-on: low\ninclude: [../outside.yaml]\n");
    let named = run(&bench, &["scan", "image", "--policy", "named.yaml"]);
    assert_eq!(code(&named), 1, "{}", stderr(&named));
}

#[test]
fn nothing_of_a_file_that_cannot_be_parsed_is_quoted() {
    let bench = bench();
    for secret in [
        "root:$6$hunter2$hash:19000:0:99999:7:::\ndaemon:*:1::::::\n",
        "{\"auths\": {\"hunter2\": {\"auth\": \"hunter2\"}}}\n",
        "machine hunter2 login hunter2 password hunter2\n",
        "hunter2: hunter2\n",
        "hunter2 = \"hunter2\"\n",
        "[hunter2]\nhunter2 = hunter2\n",
        "version: 1\nfail-on: hunter2\nlayers: hunter2\n",
        "version: 1\nignore:\n  - {id: a, reason: x, layer: hunter2, expires: hunter2}\n",
        "version: 1\npackages: {forbid: [{package: hunter2, reason: x}]}\nlicences: {allow: [hunter2]}\n",
        "[[ignore]]\nid = \"hunter2 x\"\nreason = \"x\"\n",
        "[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\nexpires = \"hunter2\"\n",
        "[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\npackage = \"hunter2\"\n",
        "[[ignore]]\nhunter2 = 1\n",
        "hunter2: 1\nhunter2: 1\n",
        "\"hunter2\n",
        "%hunter2\n---\n",
    ] {
        bench.write("secret", secret);
        for name in ["lazaret.toml", "lazaret.yaml", ".lazaret-ignore.toml"] {
            let link = bench.path().join("work").join(name);
            symlink("../secret", &link).unwrap();
            let scanned = run(&bench, &["scan", "image"]);
            let said = format!("{}{}", stdout(&scanned), stderr(&scanned));
            assert_eq!(code(&scanned), 2, "{name}: {secret}");
            assert!(!said.contains("hunter2"), "{said}");
            assert!(said.contains(name), "{said}");
            std::fs::remove_file(link).unwrap();
        }
        // Also where a named policy includes it.
        bench.write("work/named.yaml", "version: 1\ninclude: [../secret]\n");
        let scanned = run(&bench, &["scan", "image", "--policy", "named.yaml"]);
        assert!(!stderr(&scanned).contains("hunter2"), "{}", stderr(&scanned));
    }
}

#[test]
fn pipes_and_devices_that_are_found_do_not_block() {
    let bench = bench();
    for name in ["lazaret.toml", "lazaret.yaml", ".lazaret-ignore.toml"] {
        let at = bench.path().join("work").join(name);
        assert!(Command::new("mkfifo").arg(&at).status().unwrap().success());
        let began = Instant::now();
        refused(&run(&bench, &["scan", "image"]), &[name, "no regular file"]);
        assert!(began.elapsed() < Duration::from_secs(60));
        std::fs::remove_file(&at).unwrap();
        for target in ["/dev/zero", "/dev/stdin", "/", "nowhere"] {
            symlink(target, &at).unwrap();
            refused(&run(&bench, &["scan", "image"]), &[name]);
            std::fs::remove_file(&at).unwrap();
        }
    }
}

#[test]
fn what_a_found_file_took_away_is_said_in_every_verdict() {
    let bench = bench();
    for (name, content, said) in [
        ("lazaret.yaml", SILENCE, "2 findings are silenced by lazaret.yaml, which was found"),
        (
            ".lazaret-ignore.toml",
            "[[ignore]]\nid = \"CVE-2099-0001\"\nreason = \"x\"\n[[ignore]]\nid = \"CVE-2099-0002\"\nreason = \"x\"\n",
            "2 findings are silenced by .lazaret-ignore.toml, which was found",
        ),
        (
            "lazaret.yaml",
            "version: 1\nseverity:\n  - {package: pkg:deb/*, severity: low, reason: trust me}\n",
            "2 findings are rated lower by lazaret.yaml, which was found",
        ),
        (
            "lazaret.yaml",
            "version: 1\nlayers: own\n",
            "2 findings are not counted by `layers` of lazaret.yaml, which was found",
        ),
    ] {
        let file = bench.write(&format!("work/{name}"), content);
        for format in ["table", "json", "markdown", "sarif", "junit", "gitlab"] {
            let scanned =
                run(&bench, &["scan", "image", "--fail-on", "critical", "--format", format]);
            assert_eq!(code(&scanned), 0, "{name}: {}{}", stderr(&scanned), stdout(&scanned));
            let text = stdout(&scanned).split_whitespace().collect::<Vec<_>>().join(" ");
            let plain = text.replace('\\', "");
            assert!(plain.contains(said), "{name} {format}: {text}");
        }
        // Forms without a verdict, and files: it is said beside.
        for arguments in [&["--format", "cyclonedx"][..], &["-o", "json=report.json"][..]] {
            let scanned = [&["scan", "image", "--fail-on", "critical"][..], arguments].concat();
            let scanned = run(&bench, &scanned);
            assert!(stderr(&scanned).contains(said), "{}", stderr(&scanned));
        }
        let only = |command: &mut Command| {
            let scanned = command.output().unwrap();
            assert_eq!(code(&scanned), 1, "{}", stdout(&scanned));
            assert!(!stdout(&scanned).contains("which was found"), "{}", stdout(&scanned));
        };
        let arguments = ["scan", "image", "--fail-on", "critical"];
        only(command(&bench, &arguments).arg("--no-project-policy"));
        only(command(&bench, &arguments).env("LAZARET_NO_PROJECT_POLICY", "1"));
        bench.write(".config/lazaret/config.toml", "no-project-policy = true\n");
        only(&mut command(&bench, &arguments));
        std::fs::remove_file(bench.path().join(".config/lazaret/config.toml")).unwrap();
        // Who names it knows.
        if name == "lazaret.yaml" {
            let named = [&arguments[..], &["--policy", name]].concat();
            assert!(!stdout(&run(&bench, &named)).contains("which was found"));
        }
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_found_policy_that_lets_a_scan_be_partial_is_said() {
    let bench = bench();
    bench.write("work/folder/var/lib/dpkg/status", crate::common::STATUS);
    bench.write("work/folder/etc/os-release", "ID=nobody-knows\nVERSION_ID=1\n");
    let arguments = ["scan", "dir:folder", "--fail-on", "critical"];
    assert_eq!(code(&run(&bench, &arguments)), 3, "{}", stdout(&run(&bench, &arguments)));
    bench.write("work/lazaret.yaml", "version: 1\nallow-partial: true\n");
    let scanned = run(&bench, &arguments);
    assert_eq!(code(&scanned), 0, "{}", stdout(&scanned));
    let text = stdout(&scanned).split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "by `allow-partial` of lazaret.yaml, which was found";
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_link_of_another_user_names_no_file_that_is_believed() {
    if !is_root() {
        return testkit::skip("only root can make a link of another user");
    }
    let bench = bench();
    let lax = bench.write("other/lazaret.yaml", "version: 1\nfail-on: critical\n");
    for name in ["work/lazaret.yaml", "work/lazaret.toml", "lazaret.yaml"] {
        let link = bench.path().join(name);
        symlink(&lax, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(4_000_000), None).unwrap();
        refused(&run(&bench, &["scan", "image"]), &["is a link of another user (4000000)"]);
        std::fs::remove_file(&link).unwrap();
    }
    // A folder of theirs above ours is as good as a link.
    std::fs::create_dir_all(bench.path().join("work/theirs/ours")).unwrap();
    bench.write("work/theirs/ours/lazaret.yaml", POLICY);
    chown(bench.path().join("work/theirs"), Some(4_000_000), None).unwrap();
    let mut scan = bench.command(&["scan", "../../image"]);
    scan.current_dir(bench.path().join("work/theirs/ours"));
    refused(&scan.output().unwrap(), &["theirs", "belongs to another user"]);
}

#[test]
fn paths_of_the_users_own_settings_begin_where_these_lie() {
    let bench = bench();
    bench.write(".config/lazaret/config.toml", "policy = \"own.yaml\"\n");
    bench.write(".config/lazaret/own.yaml", "version: 1\nfail-on: negligible\n");
    // What lies where the program was started has the same name and another content.
    bench.write(
        "work/own.yaml",
        "version: 1\nfail-on: critical\nignore:\n  - package: \"pkg:*\"\n    reason: x\n",
    );
    assert_eq!(code(&run(&bench, &["scan", "image"])), 1);
}
