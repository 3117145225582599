//! `lazaret diff` and `scan --new-since`: what is new, gone and changed, and why.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, base, code, image, node, python, stderr, stdout};
use serde_json::Value;
use testkit::{ImageBuilder, Layer};

/// The image of the other tests after a day's work: the library was upgraded, the module removed, a
/// malicious one and a newer but still vulnerable package added.
fn after() -> ImageBuilder {
    let status = common::STATUS.replace("3.0.1-1", "3.0.2-1");
    ImageBuilder::new()
        .tag("example.test/shop:2")
        .layer(base().file("var/lib/dpkg/status", status))
        .layer(Layer::new().file(
            "usr/local/lib/python3.11/dist-packages/demo_web-1.6.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: Demo_Web\nVersion: 1.6\n\n",
        ))
        .layer(Layer::new().file(
            "srv/app/node_modules/evil-demo/package.json",
            r#"{"name":"evil-demo","version":"6.6.6"}"#,
        ))
}

fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("before")).unwrap();
    after().write_oci_dir(bench.path().join("after")).unwrap();
    bench
}

#[test]
fn the_table_says_what_changed_and_why() {
    let bench = bench();
    let compared = bench.run(&["diff", "before", "after"]);
    assert_eq!(code(&compared), 1, "{}", stderr(&compared));
    insta::assert_snapshot!("diff", stdout(&compared));
}

#[test]
fn a_vulnerability_that_stays_through_an_upgrade_is_not_new() {
    let bench = bench();
    let compared = bench.run(&["diff", "before", "after", "--format", "json"]);
    let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let ids = |change: &str| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        let of = findings.filter(|one| one["change"] == change);
        of.map(|one| one["finding"]["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("new"), ["MAL-2099-1"]);
    assert_eq!(ids("gone"), ["CVE-2099-0001", "CVE-2099-0002", "GHSA-aaaa-bbbb-cccc"]);
    assert!(ids("changed").is_empty());
    let changed: Vec<_> = report["packages"].as_array().unwrap().iter().collect();
    assert_eq!(changed.len(), 4);
}

#[test]
fn the_other_way_round_everything_turns() {
    let bench = bench();
    let compared = bench.run(&["diff", "after", "before", "--fail-on", "high", "--format", "json"]);
    assert_eq!(code(&compared), 1);
    let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let new = report["findings"].as_array().unwrap().iter().filter(|one| one["change"] == "new");
    let why: Vec<_> = new.map(|one| one["why"].as_str().unwrap()).collect();
    assert_eq!(why[0], "libopensel3 downgraded from 3.0.2-1 to 3.0.1-1");
    assert_eq!(why.len(), 3);
    // Below the line, and nothing that no line lets pass.
    let compared = bench.run(&["diff", "after", "before", "--fail-on", "critical"]);
    assert_eq!(code(&compared), 1, "the sample vulnerability is critical: {}", stdout(&compared));
}

#[test]
fn a_side_that_is_scanned_is_ranked_by_use_as_a_scan_is() {
    let bench = bench();
    let scan = || {
        bench.run(&["scan", "before", "--state", "state", "-o", "json=scan.json"]);
        bench.json("scan.json")
    };
    let image = scan()["subject"]["config_digest"].clone();
    let usage = serde_json::json!({
        "schema": "lazaret.usage/1",
        "container": {
            "engine": "docker", "id": "0123", "name": "shop", "image": "shop:1", "image_id": image,
        },
        "since": "2026-09-20T00:00:00Z", "complete": true, "until": "2026-09-21T14:13:20Z",
        "files": ["usr/lib/libopensel.so.3"], "lost": 0,
    });
    let ranks = |findings: Vec<&Value>| -> Vec<(Value, Value, Value)> {
        let parts = |one: &Value| {
            (one["id"].clone(), one["risk"]["rank"].clone(), one["risk"]["used"].clone())
        };
        findings.into_iter().map(parts).collect()
    };
    let new = || {
        let compared =
            bench.run(&["diff", "after", "before", "--state", "state", "--format", "json"]);
        let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        ranks(findings.filter(|one| one["change"] == "new").map(|one| &one["finding"]).collect())
    };
    let unwatched = new();
    assert!(unwatched.iter().all(|(.., used)| used.is_null()), "{unwatched:?}");
    bench.write("state/usage/0123.json", usage.to_string());
    let watched = new();
    assert_ne!(watched, unwatched);
    let used: Vec<_> = watched.iter().map(|(.., used)| used.as_str().unwrap()).collect();
    assert_eq!(used, ["loaded", "loaded", "not-loaded"]);
    let scanned = scan();
    let scanned = ranks(scanned["findings"].as_array().unwrap().iter().collect());
    assert!(watched.iter().all(|one| scanned.contains(one)), "{watched:?} {scanned:?}");
}

#[test]
fn saved_reports_compare_like_their_images_and_tell_of_new_advisories() {
    let bench = bench();
    for name in ["before", "after"] {
        let output = format!("json={name}.json");
        bench.run(&["scan", name, "-o", &output]);
    }
    let images = bench.run(&["diff", "before", "after", "--format", "json"]);
    let reports = bench.run(&["diff", "before.json", "after.json", "--format", "json"]);
    let parts = |output: &std::process::Output| -> (Value, Value) {
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (report["findings"].clone(), report["packages"].clone())
    };
    assert_eq!(parts(&images), parts(&reports));
    let record = r#"{"id":"GHSA-2","modified":"2026-02-01T00:00:00Z","aliases":["CVE-2099-0009"],
        "affected":[{"package":{"ecosystem":"npm","name":"left-demo"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#;
    bench.write("feed/npm/GHSA-2.json", record);
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    bench.run(&["scan", "before", "-o", "json=later.json"]);
    let compared = bench.run(&["diff", "before.json", "later.json", "--format", "json"]);
    let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let [new] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(new["finding"]["id"], "CVE-2099-0009");
    assert_eq!(new["why"], "the advisories changed: new or corrected");
    assert!(report["packages"].as_array().unwrap().is_empty());
}

#[test]
fn a_scan_fails_only_on_what_is_new_since_a_report() {
    let bench = bench();
    let line = ["--fail-on", "low", "--no-cache"];
    let scan = |reference: &str, more: &[&str]| {
        let mut arguments = vec!["scan", reference];
        arguments.extend(line);
        arguments.extend(more);
        bench.run(&arguments)
    };
    assert_eq!(code(&scan("before", &["-o", "json=base.json"])), 1);
    let again = scan("before", &["--new-since", "base.json"]);
    assert_eq!(code(&again), 0, "{}", stdout(&again));
    assert!(stdout(&again).contains("found before, not counted"), "{}", stdout(&again));
    // A malicious package is over every line.
    assert_eq!(code(&scan("after", &["--new-since", "base.json"])), 1);
    ImageBuilder::new()
        .layer(base())
        .layer(python())
        .write_oci_dir(bench.path().join("less"))
        .unwrap();
    scan("less", &["-o", "json=less.json"]);
    ImageBuilder::new()
        .layer(base())
        .layer(python())
        .layer(node())
        .write_oci_dir(bench.path().join("more"))
        .unwrap();
    let unknown = scan("more", &["--new-since", "less.json", "--fail-on-unknown"]);
    assert_eq!(code(&unknown), 1, "{}", stdout(&unknown));
}

#[test]
fn what_changed_is_told_in_markdown_for_a_pull_request() {
    let bench = bench();
    let compared =
        bench.run(&["diff", "before", "after", "--fail-on", "high", "--format", "markdown"]);
    assert_eq!(code(&compared), 1, "{}", stderr(&compared));
    insta::assert_snapshot!("diff_markdown", stdout(&compared));
    let same = bench.run(&["diff", "after", "after", "--format", "markdown"]);
    assert_eq!(code(&same), 0, "{}", stderr(&same));
    insta::assert_snapshot!("diff_markdown_same", stdout(&same));
}

#[test]
fn sarif_and_junit_tell_of_what_is_new_alone() {
    let bench = bench();
    let arguments = ["diff", "after", "before", "--fail-on", "critical"];
    let files = ["-o", "sarif=new.sarif", "-o", "junit=new.xml"];
    let compared = bench.run(&[&arguments[..], &files].concat());
    assert_eq!(code(&compared), 1, "{}", stderr(&compared));
    let log = bench.json("new.sarif");
    let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("{log}") };
    let rules: Vec<_> =
        run["results"].as_array().unwrap().iter().map(|one| &one["ruleId"]).collect();
    assert_eq!(rules, ["CVE-2099-0001", "CVE-2099-0002", "GHSA-aaaa-bbbb-cccc"]);
    assert_eq!(run["properties"]["outcome"], "findings");
    assert_eq!(run["properties"]["subject"], "before");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    insta::assert_snapshot!("diff_junit", bench.read("new.xml"));
    let same = bench.run(&["diff", "after", "after", "--format", "sarif"]);
    let log: Value = serde_json::from_slice(&same.stdout).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(code(&same), 0);
}

#[test]
fn what_one_side_did_not_look_at_is_in_every_form() {
    let bench = bench();
    bench.write("db/v1/npm.lzdb", "torn");
    let of = |format: &str| {
        let compared = bench.run(&["diff", "before", "after", "--offline", "--format", format]);
        assert_eq!(code(&compared), 3, "{format}: {}", stderr(&compared));
        stdout(&compared)
    };
    assert!(of("markdown").contains("- vulnerabilities:npm \\(after\\): "), "{}", of("markdown"));
    assert!(of("sarif").contains("\"executionSuccessful\": false"));
    assert!(of("junit").contains("name=\"vulnerabilities:npm (before)\">"), "{}", of("junit"));
}

/// Two versions of one package, of which one goes.
#[test]
fn a_finding_that_is_gone_names_the_version_that_had_it_and_the_one_that_has_it_not() {
    let bench = Bench::with_database();
    let project = |name: &str, inner: &str| {
        bench.write(
            &format!("{name}/package-lock.json"),
            format!(
                r#"{{"lockfileVersion":3,"packages":{{
                "node_modules/left-demo":{{"version":"3.0.0"}},
                "node_modules/a/node_modules/left-demo":{{"version":"{inner}"}}}}}}"#
            ),
        );
    };
    let record = r#"{"id":"GHSA-2","modified":"2026-02-01T00:00:00Z","aliases":["CVE-2099-0009"],
        "affected":[{"package":{"ecosystem":"npm","name":"left-demo"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#;
    bench.write("feed/npm/GHSA-1.json", record);
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    project("one", "1.0.0");
    project("two", "2.1.0");
    let changes = |before: &str, after: &str| {
        let compared = bench.run(&["diff", before, after, "--format", "json"]);
        let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
        let [change] = report["findings"].as_array().unwrap().as_slice() else {
            panic!("{report}")
        };
        [&change["change"], &change["affected"], &change["unaffected"], &change["why"]]
            .map(Clone::clone)
    };
    let [change, affected, unaffected, why] = changes("one", "two");
    assert_eq!((change, affected), ("gone".into(), serde_json::json!(["1.0.0"])));
    assert_eq!(unaffected, serde_json::json!(["2.1.0", "3.0.0"]));
    assert_eq!(why, "left-demo went from 1.0.0 to 2.1.0");
    let [change, affected, unaffected, why] = changes("two", "one");
    assert_eq!((change, affected), ("new".into(), serde_json::json!(["1.0.0"])));
    assert_eq!(unaffected, serde_json::json!(["2.1.0", "3.0.0"]));
    assert_eq!(why, "left-demo downgraded from 2.1.0 to 1.0.0");
    let text = stdout(&bench.run(&["diff", "one", "two"]));
    assert!(text.contains("CVE-2099-0009  left-demo 1.0.0  left-demo went from"), "{text}");
    let text = stdout(&bench.run(&["diff", "one", "two", "--format", "markdown"]));
    assert!(text.contains("left-demo 1.0.0 had it; 2.1.0, 3.0.0 has it not"), "{text}");
}

#[test]
fn only_formats_that_work_are_offered_and_others_are_refused_before_anything_is_read() {
    let bench = bench();
    let help = stdout(&bench.run(&["diff", "--help"]));
    let offered = help.lines().skip_while(|line| !line.contains("Format on standard output"));
    let offered: String = offered.take(3).collect::<Vec<_>>().join(" ");
    for format in ["cyclonedx", "spdx", "gitlab", "github"] {
        assert!(!offered.contains(format), "{offered}");
        let output = format!("{format}=out");
        for arguments in [["--format", format], ["-o", &output]] {
            let mut all = vec!["diff", "no-such-image", "after"];
            all.extend(arguments);
            let refused = bench.run(&all);
            assert_eq!(code(&refused), 2, "{format}");
            let expected = format!("`{format}` has no form for differences; use table, json");
            assert!(stderr(&refused).contains(&expected), "{}", stderr(&refused));
        }
    }
    for format in ["table", "json", "markdown", "sarif", "junit"] {
        assert!(offered.contains(format), "{offered}");
    }
    assert!(!bench.path().join("out").exists());
    // What is configured is meant for scans.
    bench.write("lazaret.toml", "format = \"gitlab\"\n");
    let compared = bench.run(&["diff", "before", "after"]);
    assert_eq!(code(&compared), 1, "{}", stderr(&compared));
    assert!(stdout(&compared).contains("\nBefore"), "{}", stdout(&compared));
}

#[test]
fn without_a_line_what_is_new_has_not_passed_and_without_news_it_is_said_so() {
    let bench = bench();
    let outcome = |before: &str, after: &str| {
        let compared = bench.run(&["diff", before, after, "--format", "json"]);
        let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
        (code(&compared), report["outcome"].clone(), report["reasons"][0].clone())
    };
    let (exit, verdict, reason) = outcome("after", "before");
    assert_eq!((exit, verdict), (0, Value::from("no-line")));
    assert_eq!(reason, "3 new findings, 2 of them critical");
    let (exit, verdict, reason) = outcome("after", "after");
    assert_eq!((exit, verdict, reason), (0, Value::from("pass"), Value::from("no new findings")));
}

#[test]
fn a_gap_is_said_of_the_side_that_has_it() {
    let bench = bench();
    bench.write("db/v1/npm.lzdb", "torn");
    let compared = bench.run(&["diff", "before", "after", "--offline", "--format", "json"]);
    assert_eq!(code(&compared), 3, "{}", stderr(&compared));
    let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let reasons = report["reasons"].to_string();
    for side in ["before", "after"] {
        assert!(reasons.contains(&format!("vulnerabilities:npm ({side}) broke off")), "{reasons}");
    }
}

#[test]
fn what_is_no_report_is_refused() {
    let bench = bench();
    bench.write("other.json", r#"{"schema":"lazaret.packages/1"}"#);
    for file in ["other.json", "missing.json"] {
        let scanned = bench.run(&["scan", "before", "--new-since", file]);
        assert_eq!(code(&scanned), 2);
        assert!(stderr(&scanned).contains(file), "{}", stderr(&scanned));
    }
    assert_eq!(code(&bench.run(&["diff", "before", "./nowhere"])), 2);
    assert_eq!(code(&bench.run(&["diff", "before", "after", "--format", "spdx"])), 2);
}
