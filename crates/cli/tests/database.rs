//! `lazaret db …` from the outside.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr, stdout};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn versions_are_compared_as_their_ecosystem_does() {
    let bench = Bench::new();
    for (ecosystem, left, right, sign) in [
        ("Debian", "1.0~rc1-1", "1.0-1", "<"),
        ("AlmaLinux", "1.0^git1-1", "1.0-1", ">"),
        ("PyPI", "1.0", "1.0.0", "="),
        ("npm", "1.0.0-beta", "1.0.0", "<"),
        ("Maven", "1.0-SNAPSHOT", "1.0", "<"),
        ("Alpine", "1.2.3_alpha-r0", "1.2.3-r0", "<"),
        ("Go", "v1.2.3", "1.2.4-0.20200101000000-abcdefabcdef", "<"),
    ] {
        let compared = bench.run(&["db", "compare", ecosystem, left, right]);
        assert_eq!(stdout(&compared).trim(), sign, "{ecosystem} {left} {right}");
        assert_eq!(code(&compared), 0);
    }
    assert_eq!(code(&bench.run(&["db", "compare", "Atlantis", "1", "2"])), 2);
    assert_eq!(code(&bench.run(&["db", "compare", "Debian", "1"])), 2);
}

#[test]
fn lines_that_do_not_hold_are_printed() {
    let bench = Bench::new();
    let ask = |lines: &str| {
        let mut child = bench
            .command(&["db", "compare", "Debian", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let good = ask("1.0 < 1.1\n\n# remark\n1.0 = 1.0\n2 > 1\n");
    assert_eq!((code(&good), stdout(&good).as_str()), (0, ""));
    let bad = ask("1.0 > 1.1\n1.0 < 1.1\n");
    assert_eq!((code(&bad), stdout(&bad).as_str()), (1, "1.0 > 1.1\n"));
    assert_eq!(code(&ask("1.0 is 1.1\n")), 2);
}

#[test]
fn one_package_is_matched_with_its_evidence() {
    let bench = Bench::with_database();
    let matched = bench.run(&[
        "db",
        "match",
        "pkg:deb/debian/libopensel3@3.0.1-1?upstream=opensel",
        "--distro",
        "debian:12",
    ]);
    assert_eq!(code(&matched), 1, "{}", stderr(&matched));
    insta::assert_snapshot!("match", stdout(&matched));
    let none = bench.run(&["db", "match", "pkg:pypi/demo-web@2.0"]);
    assert_eq!(code(&none), 0);
    assert_eq!(stdout(&none), "no advisory names a version that is here (1 package)\n");
    assert_eq!(code(&bench.run(&["db", "match", "pkg:pypi/Demo_Web@1.9.9"])), 1);
    assert_eq!(code(&bench.run(&["db", "match", "pkg:deb/debian/x@1", "--distro", "debian:7"])), 3);
    assert_eq!(code(&bench.run(&["db", "match", "pkg:cargo/x@1"])), 4);
    assert_eq!(code(&bench.run(&["db", "match", "not a purl"])), 2);
}

#[test]
fn package_urls_are_matched_line_by_line() {
    let bench = Bench::with_database();
    let ask = |lines: &str| {
        let mut child = bench
            .command(&["db", "match", "-", "--format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let matched = ask("pkg:pypi/demo-web@1.5\n\npkg:npm/left-demo@3\n\
        pkg:deb/debian/libopensel3@3.0.1-1?distro=debian-12&upstream=opensel\n");
    assert_eq!(code(&matched), 1, "{}", stderr(&matched));
    let answer: serde_json::Value = serde_json::from_str(&stdout(&matched)).unwrap();
    assert_eq!(answer["findings"].as_array().unwrap().len(), 4);
    // One that cannot be looked up is said beside what was found.
    let partly = ask("pkg:pypi/demo-web@1.5\npkg:cargo/x@1\n");
    assert_eq!(code(&partly), 1);
    assert!(
        stderr(&partly).contains("not checked: vulnerabilities:crates.io"),
        "{}",
        stderr(&partly)
    );
    for nothing in ["", "\n# remark\n"] {
        let asked = ask(nothing);
        assert_eq!(code(&asked), 2);
        assert!(stderr(&asked).contains("names no package URL"), "{}", stderr(&asked));
    }
    let wrong = ask("pkg:pypi/demo-web@1.5\nnonsense\n");
    assert_eq!(code(&wrong), 2);
    assert!(stderr(&wrong).contains("standard input, line 2: "), "{}", stderr(&wrong));
}

#[test]
fn a_damaged_database_is_named() {
    let bench = Bench::with_database();
    common::image().write_oci_dir(bench.path().join("image")).unwrap();
    for name in ["debian", "pypi", "npm"] {
        bench.write(&format!("db/v1/{name}.lzdb"), "not a database");
    }
    let scanned = bench.run(&["scan", "image", "--offline"]);
    assert_eq!(code(&scanned), 4);
    assert!(stderr(&scanned).contains("debian.lzdb"), "{}", stderr(&scanned));
    let status = bench.run(&["db", "status"]);
    assert_eq!(code(&status), 4);
    assert!(stderr(&status).contains("debian.lzdb"), "{}", stderr(&status));
    bench.write_feed();
    let repaired = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&repaired), 0, "{}", stderr(&repaired));
    assert_eq!(code(&bench.run(&["db", "status"])), 0);
    // One damaged beside two that are right is no folder that is right.
    bench.write("db/v1/npm.lzdb", "torn");
    assert_eq!(code(&bench.run(&["db", "status"])), 4);
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    // Named, and not to be had.
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed", "npm", "Atlantis"])), 4);
    assert_eq!(code(&bench.run(&["scan", "image", "--offline", "-q"])), 0);
}

#[test]
fn a_database_travels_in_one_file() {
    let bench = Bench::with_database();
    let exported = bench.run(&["db", "export", "all.lzx"]);
    assert_eq!(code(&exported), 0, "{}", stderr(&exported));
    assert!(stderr(&exported).contains("sha256:"));
    let imported = bench.run(&["db", "import", "all.lzx", "--db", "other"]);
    assert_eq!(code(&imported), 0, "{}", stderr(&imported));
    let status = |db: &str| stdout(&bench.run(&["db", "status", "--db", db, "--format", "json"]));
    assert_eq!(status("other"), status("db"));
    let mut bytes = std::fs::read(bench.path().join("all.lzx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bench.write("bad.lzx", bytes);
    let refused = bench.run(&["db", "import", "bad.lzx", "--db", "third"]);
    assert_eq!(code(&refused), 4);
    assert_eq!(code(&bench.run(&["db", "status", "--db", "third"])), 4);

    let server = testkit::Server::files(bench.path()).unwrap();
    let url = format!("{}/all.lzx", server.url());
    assert_eq!(code(&bench.run(&["db", "import", &url, "--db", "fourth"])), 0);
    let offline = bench.run(&["db", "import", &url, "--db", "fifth", "--offline"]);
    assert_eq!(code(&offline), 4);
    assert!(stderr(&offline).contains("--offline"), "{}", stderr(&offline));
}

#[test]
fn an_update_by_url_asks_again_only_for_what_changed() {
    let bench = Bench::new();
    let Some(shared) = testkit::shared() else { return };
    let server = testkit::Server::files(shared.join("osv-mirror")).unwrap();
    let update = |more: &[&str]| {
        let mut arguments = vec!["db", "update", "--from", server.url(), "crates.io", "RubyGems"];
        arguments.extend(more);
        bench.run(&arguments)
    };
    let first = update(&[]);
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    assert!(stderr(&first).contains("crates.io: "), "{}", stderr(&first));
    let again = update(&[]);
    assert!(stderr(&again).contains("unchanged"), "{}", stderr(&again));
    let offline = update(&["--offline"]);
    assert_eq!(code(&offline), 4);
    let absent = bench.run(&["db", "update", "--from", server.url(), "Atlantis"]);
    assert_eq!(code(&absent), 4);
    assert!(
        stderr(&absent).contains("Atlantis: the source does not have it"),
        "{}",
        stderr(&absent)
    );
}

#[test]
fn an_update_follows_what_changed_in_a_bucket() {
    let bench = Bench::new();
    let feed = bench.path().join("bucket");
    let mut bucket = testkit::Bucket::write(&feed, 2_000).unwrap();
    let server = testkit::Server::files(&feed).unwrap();
    let update = || bench.run(&["db", "update", "--from", server.url()]);
    let first = update();
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    assert!(stderr(&first).contains("npm: 125 records\n"), "{}", stderr(&first));
    bucket.change(20).unwrap();
    let before = server.received().len();
    let second = update();
    assert_eq!(code(&second), 0, "{}", stderr(&second));
    assert!(stderr(&second).contains("npm: 125 records, "), "{}", stderr(&second));
    assert!(stderr(&second).contains(" changed\n"), "{}", stderr(&second));
    assert!(stderr(&second).contains("Alpine: 6 records, unchanged\n"), "{}", stderr(&second));
    let asked = server.received();
    let asked: Vec<&str> = asked[before..].iter().map(|request| request.path.as_str()).collect();
    assert!(!asked.iter().any(|path| path.ends_with("all.zip")), "{asked:?}");
    assert_eq!(asked.iter().filter(|path| path.ends_with("json")).count(), 20 + 1, "{asked:?}");
    let third = update();
    assert!(!stderr(&third).contains("changed\n,"), "{}", stderr(&third));
    assert_eq!(stderr(&third).matches(", unchanged\n").count(), 15, "{}", stderr(&third));
    // What is kept so is the database that a scan uses.
    let lock = r#"{"lockfileVersion":3,"packages":{"":{"name":"a"},"node_modules/package-made-up-0":{"version":"3.0.0"}}}"#;
    bench.write("app/package-lock.json", lock);
    let scanned = bench.run(&["scan", "app", "--offline"]);
    assert_eq!(code(&scanned), 1, "{}{}", stdout(&scanned), stderr(&scanned));
    assert!(stdout(&scanned).contains("MAL-2022-0"), "{}", stdout(&scanned));
}

#[test]
fn a_damaged_page_fails_the_check_that_reads_it_and_never_reads_as_clean() {
    let bench = Bench::new();
    let feed = bench.path().join("bucket");
    testkit::Bucket::write(&feed, 500).unwrap();
    assert_eq!(code(&bench.run(&["db", "update", "--from", "bucket", "npm"])), 0);
    let whole = std::fs::read(bench.path().join("db/v1/npm.lzdb")).unwrap();
    let lock = r#"{"lockfileVersion":3,"packages":{"":{"name":"a"},"node_modules/package-made-up-0":{"version":"3.0.0"}}}"#;
    bench.write("app/package-lock.json", lock);
    let mut failed = 0;
    for at in (0..whole.len()).step_by(whole.len() / 24) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bench.write("db/v1/npm.lzdb", &bytes);
        let scanned = bench.run(&["scan", "app", "--offline", "--no-db-update"]);
        // Either the damage lies in a page that this scan does not read, and it finds what is there;
        // or it says that it could not.
        let shown = format!("{at}: {}{}", stdout(&scanned), stderr(&scanned));
        assert!([1, 3, 4].contains(&code(&scanned)), "{shown}");
        if code(&scanned) == 1 {
            assert!(stdout(&scanned).contains("MAL-2022-0"), "{shown}");
        } else {
            assert!(shown.contains("the database"), "{shown}");
            failed += 1;
        }
        assert_eq!(code(&bench.run(&["db", "status"])), 4, "{at}");
    }
    assert!(failed > 3, "{failed}");
}

#[test]
fn an_update_ends_when_its_time_is_over() {
    use std::io::{Read as _, Write as _};
    let bench = Bench::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while stream.write_all(b"x").is_ok() {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
            });
        }
    });
    let began = std::time::Instant::now();
    let ended = bench.run(&["db", "update", "--from", &url, "--timeout", "2s", "npm"]);
    assert_eq!(code(&ended), 5, "{}", stderr(&ended));
    assert!(stderr(&ended).contains("--timeout"), "{}", stderr(&ended));
    assert!(began.elapsed().as_secs() < 20);
}

#[test]
fn help_completions_and_manual_are_there() {
    let bench = Bench::new();
    for (arguments, expected) in [
        (vec!["--help"], "Exit codes:"),
        (vec!["--version"], env!("CARGO_PKG_VERSION")),
        (vec!["completions", "bash"], "_lazaret"),
        (vec!["man"], ".TH lazaret"),
        (vec!["man", "db", "update"], ".TH lazaret-db-update"),
    ] {
        let output = bench.run(&arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(stdout(&output).contains(expected), "{arguments:?}: {}", stdout(&output));
    }
    let all = ["", "scan", "sbom", "db", "db update", "db match"];
    let help: Vec<String> = all
        .iter()
        .map(|command| {
            let mut arguments: Vec<&str> = command.split_whitespace().collect();
            arguments.push("--help");
            without_forms(&stdout(&bench.run(&arguments)))
        })
        .collect();
    insta::assert_snapshot!("help", help.join("\n────\n"));
}

/// Help with the lists of output forms left out: they follow from the forms themselves.
fn without_forms(help: &str) -> String {
    let mut shown = String::new();
    for option in help.split_inclusive("\n  -").flat_map(|text| text.split_inclusive("\n      --"))
    {
        let on_one_line = option.split_whitespace().collect::<Vec<_>>().join(" ");
        let files = report::file_names().replace('`', "");
        let names = [(report::format_names(), "FORMS"), (files, "FILES")];
        match names.iter().find(|(names, _)| on_one_line.contains(names.as_str())) {
            Some((names, word)) => shown.push_str(&on_one_line.replace(names.as_str(), word)),
            None => shown.push_str(option),
        }
    }
    shown
}
