//! Databases that merely lie there, clocks that are wrong, and commands that run at the same time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr, stdout};
use std::path::Path;
use std::process::{Output, Stdio};
use testkit::{Reply, Server};

const LOCK: &str = r#"{"lockfileVersion":3,"packages":{"":{"name":"a"},"node_modules/evil-demo":{"version":"6.6.6"}}}"#;

fn bench() -> Bench {
    let bench = Bench::with_database();
    bench.write("app/package-lock.json", LOCK);
    bench
}

fn refused(output: &Output, exit: i32, words: &str) {
    let text = stderr(output);
    assert_eq!(code(output), exit, "{}{text}", stdout(output));
    assert!(text.contains(words), "{text}");
}

/// Changes when a database says that it was fetched.
fn date(bench: &Bench, time: &str) {
    let mut manifest = bench.json("db/v1/npm.json");
    manifest["fetched"] = time.into();
    bench.write("db/v1/npm.json", manifest.to_string());
}

#[test]
fn a_database_that_is_not_the_one_of_its_place_counts_as_missing_everywhere() {
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 5] = [
        (|v1| assert!(std::fs::copy(v1.join("pypi.lzdb"), v1.join("npm.lzdb")).is_ok()), "of PyPI"),
        (
            |v1| {
                std::fs::copy(v1.join("pypi.lzdb"), v1.join("npm.lzdb")).unwrap();
                std::fs::copy(v1.join("pypi.json"), v1.join("npm.json")).unwrap();
            },
            "of PyPI",
        ),
        (|v1| std::fs::remove_file(v1.join("npm.json")).unwrap(), "or has none"),
        (|v1| std::fs::write(v1.join("npm.json"), "{}").unwrap(), "or has none"),
        (
            |v1| {
                let text = std::fs::read(v1.join("npm.json")).unwrap();
                let mut manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
                manifest["content"] = format!("sha256:{}", "0".repeat(64)).into();
                std::fs::write(v1.join("npm.json"), manifest.to_string()).unwrap();
            },
            "or has none",
        ),
    ];
    for (harm, words) in harms {
        let bench = bench();
        assert_eq!(code(&bench.run(&["scan", "app", "--offline"])), 1);
        harm(&bench.path().join("db/v1"));
        refused(&bench.run(&["scan", "app", "--offline"]), 4, words);
        refused(&bench.run(&["scan", "app", "--no-db-update"]), 4, words);
        refused(&bench.run(&["db", "match", "pkg:npm/left-demo@3.0.0"]), 4, words);
        refused(&bench.run(&["db", "status"]), 4, "npm.lzdb");
        refused(&bench.run(&["explain", "CVE-2099-0001"]), 4, "npm.lzdb");
        refused(&bench.run(&["db", "export", "all.lzx"]), 4, "npm.lzdb");
        assert!(!bench.path().join("all.lzx").exists());
        refused(&bench.run(&["db", "push", "out"]), 4, "npm.lzdb");
        // Beside others that are right it is partial, never clean.
        bench.write("app/requirements.txt", "demo-web==2.0\n");
        let partly = bench.run(&["scan", "app", "--offline"]);
        assert_eq!(code(&partly), 3, "{}{}", stdout(&partly), stderr(&partly));
        // And an update makes it right again.
        assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
        assert_eq!(code(&bench.run(&["scan", "app", "--offline"])), 1);
    }
}

#[test]
fn a_time_that_has_not_come_or_makes_no_sense_is_stale_and_said() {
    for (time, words) in [
        ("2099-01-01T00:00:00Z", "has not come yet: a clock is or was wrong"),
        ("2026-09-21T20:00:00Z", "has not come yet"),
        ("yesterday", "of an unknown age"),
    ] {
        let bench = bench();
        date(&bench, time);
        let status = bench.run(&["db", "status"]);
        assert!(stdout(&status).contains(words), "{}", stdout(&status));
        let offline = bench.run(&["scan", "app", "--offline"]);
        assert!(stderr(&offline).contains(words), "{}", stderr(&offline));
        // The source is asked, and the next scan has a time that is right.
        let scanned = bench.run(&["scan", "app", "--db-source", "feed"]);
        assert!(!stderr(&scanned).contains(words), "{}", stderr(&scanned));
        let fetched = bench.json("db/v1/npm.json")["fetched"].as_str().unwrap().to_owned();
        assert!(fetched.starts_with("2026-09-21T1"), "{fetched}");
        // Where it cannot be brought up to date, nothing passes.
        date(&bench, time);
        bench.write("app/package-lock.json", LOCK.replace("6.6.6", "7.0.0"));
        let server = Server::start(|_| Reply::status(403)).unwrap();
        let words = ["scan", "app", "--db-source", server.url()];
        let scanned = bench.run(&words);
        assert_eq!(code(&scanned), 3, "{}{}", stdout(&scanned), stderr(&scanned));
        assert!(!stdout(&scanned).contains("could not read all files"), "{}", stdout(&scanned));
    }
    // Clocks that are set by the network differ by less.
    let bench = bench();
    let own: jiff::Timestamp =
        bench.json("db/v1/npm.json")["fetched"].as_str().unwrap().parse().unwrap();
    date(&bench, &(own + jiff::SignedDuration::from_mins(2)).to_string());
    assert!(!stdout(&bench.run(&["db", "status"])).contains("stale"));
}

#[test]
fn commands_at_the_same_time_wait_for_each_other_and_fetch_once() {
    let bench = bench();
    let feed = bench.path().join("bucket");
    testkit::Bucket::write(&feed, 500).unwrap();
    let archive = std::fs::read(feed.join("npm/all.zip")).unwrap();
    for words in
        [&["scan", "app", "--fail-on", "critical", "--no-cache"][..], &["db", "update", "npm"]]
    {
        let archive = archive.clone();
        let server = Server::start(move |request| {
            if !request.path.ends_with("all.zip") {
                return Reply::status(404);
            }
            std::thread::sleep(std::time::Duration::from_millis(700));
            Reply::ok(archive.clone())
        })
        .unwrap();
        let from = if words[0] == "scan" { "--db-source" } else { "--from" };
        let words = [words, &[from, server.url(), "--db", words[0]]].concat();
        let mut running = Vec::new();
        for _ in 0..4 {
            let mut command = bench.command(&words);
            running.push(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        }
        for one in running {
            let output = one.wait_with_output().unwrap();
            let text = format!("{}{}", stdout(&output), stderr(&output));
            assert_eq!(code(&output), 0, "{text}");
            assert!(!text.contains("another update"), "{text}");
        }
        let asked = server.received();
        let archives = asked.iter().filter(|one| one.path.ends_with("all.zip")).count();
        assert_eq!(archives, 1, "{}", words.join(" "));
    }
}

#[test]
fn a_feed_that_is_asked_for_by_name_and_not_there_is_no_success() {
    let bench = bench();
    for feed in ["KEV", "epss"] {
        let update = bench.run(&["db", "update", "--from", "feed", feed]);
        refused(&update, 4, "the source does not have it");
        let update = bench.run(&["db", "update", "--from", "feed", "npm", feed]);
        refused(&update, 4, "the source does not have it");
    }
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
}

#[test]
fn a_login_in_an_address_is_sent_to_its_host_and_never_shown() {
    let bench = bench();
    let server = Server::files(bench.path().join("feed")).unwrap();
    let with_login = server.url().replace("http://", "http://tester:s3cret@");
    let update = bench.run(&["db", "update", "--from", &with_login, "npm"]);
    assert!(!stderr(&update).contains("s3cret"), "{}", stderr(&update));
    let sent = server.received();
    assert!(!sent.is_empty());
    // RFC 7617: "tester:s3cret" in base64.
    let login = Some("Basic dGVzdGVyOnMzY3JldA==");
    assert!(sent.iter().all(|request| request.header("authorization") == login), "{sent:?}");
    assert_eq!(code(&bench.run(&["key", "new", "key"])), 0);
    for words in [
        &["db", "pull", "oci://tester:s3cret@127.0.0.1:1/a/b", "--key", "key.pub"][..],
        &["db", "pull", "oci://tester:s3cret@127.0.0.1:1/a/b", "--unsigned"],
        &["db", "pull", "oci://tester:s3cret@127.0.0.1:1", "--unsigned"],
        &["db", "push", "oci://tester:s3cret@127.0.0.1:1/a/b:tag"],
        &["db", "update", "--from", "oci://tester:s3cret@127.0.0.1:1/a/b", "--unsigned"],
        &[
            "scan",
            "app",
            "--db-source",
            "oci://tester:s3cret@127.0.0.1:1/a/b",
            "--db-key",
            "key.pub",
        ],
    ] {
        let run = bench.run(words);
        let text = format!("{}{}", stdout(&run), stderr(&run));
        assert_eq!(code(&run), 2, "{text}");
        assert!(!text.contains("s3cret") && text.contains("docker login"), "{text}");
    }
}
