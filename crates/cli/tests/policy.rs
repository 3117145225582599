//! `lazaret.yaml`: found upward, before the configuration and behind flags; tried, checked, described.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, image, stderr, stdout};
use serde_json::Value;
use std::process::Command;

const POLICY: &str = "\
version: 1
fail-on: critical
ignore:
  - id: CVE-2099-0001
    reason: accepted
    owner: team a
packages:
  forbid:
    - package: pkg:npm/left-*
      reason: padding is done by hand
";

fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("work/image")).unwrap();
    bench
}

/// Runs in a folder of the bench.
fn run_in(bench: &Bench, folder: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = bench.command(arguments);
    command.current_dir(bench.path().join(folder)).output().unwrap()
}

#[test]
fn a_policy_is_found_upward_and_flags_count_before_it() {
    let bench = bench();
    bench.write("work/lazaret.yaml", POLICY);
    bench.write("work/inner/x", "");
    for (folder, reference) in [("work", "image"), ("work/inner", "../image")] {
        let scanned = run_in(&bench, folder, &["scan", reference, "--format", "json"]);
        assert_eq!(code(&scanned), 1, "{}", stderr(&scanned));
        let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        let decision = &report["decision"];
        assert_eq!(decision["suppressed"][0]["owner"], "team a");
        let reasons: Vec<_> = decision["reasons"].as_array().unwrap().iter().collect();
        assert_eq!(reasons[0], "1 forbidden package");
        // The file that draws the line is named, from here or from below.
        let reason = reasons[1].as_str().unwrap();
        assert!(reason.starts_with("1 finding is over --fail-on critical ("), "{reason}");
        assert!(reason.ends_with("lazaret.yaml:2): 1 critical"), "{reason}");
    }
    let flagged =
        run_in(&bench, "work", &["scan", "image", "--fail-on", "low", "--format", "json"]);
    let report: Value = serde_json::from_slice(&flagged.stdout).unwrap();
    let reason = "2 findings are over --fail-on low: 1 critical, 1 low";
    assert_eq!(report["decision"]["reasons"][1], reason);
}

#[test]
fn a_policy_further_up_that_others_may_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = bench();
    let file = bench.write("work/lazaret.yaml", POLICY);
    bench.write("work/inner/x", "");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let scanned = run_in(&bench, "work/inner", &["scan", "../image"]);
    assert_eq!(code(&scanned), 2);
    assert!(stderr(&scanned).contains("may be written by everybody"), "{}", stderr(&scanned));
    let named = run_in(&bench, "work/inner", &["scan", "../image", "--policy", "../lazaret.yaml"]);
    assert_eq!(code(&named), 1);
    // What lies above the root of a repository is not looked at.
    bench.write("work/inner/.git/HEAD", "");
    assert_eq!(code(&run_in(&bench, "work/inner", &["scan", "../image"])), 0);
}

#[test]
fn trying_a_policy_says_which_line_decided_what() {
    let bench = bench();
    bench.write("work/lazaret.yaml", POLICY);
    let saved = run_in(
        &bench,
        "work",
        &["scan", "image", "--policy", "/dev/null", "-o", "json=report.json"],
    );
    assert_eq!(code(&saved), 2, "an empty file is no policy: {}", stderr(&saved));
    bench.write("plain.yaml", "version: 1\n");
    run_in(
        &bench,
        "work",
        &["scan", "image", "--policy", "../plain.yaml", "-o", "json=report.json"],
    );
    let of_report = run_in(&bench, "work", &["policy", "test", "report.json"]);
    let of_image = run_in(&bench, "work", &["policy", "test", "image"]);
    assert_eq!(code(&of_report), 1, "{}", stderr(&of_report));
    assert_eq!(stdout(&of_report), stdout(&of_image));
    insta::assert_snapshot!("policy-test", stdout(&of_report));
    let json = run_in(&bench, "work", &["policy", "test", "report.json", "--format", "json"]);
    let tested: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(tested["schema"], "lazaret.policy-test/1");
    assert_eq!(tested["findings"].as_array().unwrap().len(), 5);
}

#[test]
fn checking_lists_every_mistake_of_the_file_and_its_includes() {
    let bench = bench();
    bench.write("work/lazaret.yaml", "version: 1\ninclude: [team/base.yaml]\nfailon: high\n");
    let checked = run_in(&bench, "work", &["policy", "check"]);
    assert_eq!(code(&checked), 2);
    assert!(
        stderr(&checked).contains("line 3: `failon` is not a key here; did you mean `fail-on`?")
    );
    bench.write("work/lazaret.yaml", "version: 1\ninclude: [team/base.yaml]\n");
    bench.write("work/team/base.yaml", "version: 1\nfail-on: hihg\n");
    let checked = run_in(&bench, "work", &["policy", "check"]);
    assert!(stderr(&checked).contains("`team/base.yaml`, line 2"), "{}", stderr(&checked));
    bench.write("work/team/base.yaml", "version: 1\nfail-on: high\n");
    let checked = run_in(&bench, "work", &["policy", "check"]);
    assert_eq!(
        (code(&checked), stderr(&checked).as_str()),
        (0, "`lazaret.yaml` is right: a line at --fail-on high (team/base.yaml:2), 0 ignores\n")
    );
    bench.write("work/team/base.yaml", "version: 1\n");
    let checked = run_in(&bench, "work", &["policy", "check"]);
    assert!(stderr(&checked).contains("right: no line (`fail-on`"), "{}", stderr(&checked));
}

/// Validates documents against a schema, and says which hold.
const VALIDATE: &str = "
import json, sys
try:
    import jsonschema
except ImportError:
    print('missing')
    sys.exit()
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
print(' '.join(str(validator.is_valid(one)).lower() for one in json.load(open(sys.argv[2]))))
";

#[test]
fn the_schema_and_the_parser_agree() {
    let bench = Bench::new();
    // JSON is YAML: both read the same documents.
    let samples = serde_json::json!([
        {"version": 1},
        {"version": 1, "fail-on": "high", "ignore": [{"id": "CVE-2099-1", "reason": "x", "expires": "2099-01-01"}]},
        {"version": 1, "licences": {"allow": ["MIT"], "unknown": "deny"}, "ignore": null},
        {"version": 2},
        {},
        {"version": 1, "fail-on": "severe"},
        {"version": 1, "failon": "high"},
        {"version": 1, "only-fixed": "true"},
        {"version": 1, "ignore": [{"id": "CVE-2099-1"}]},
        {"version": 1, "ignore": [{"id": "CVE-2099-1", "reason": " "}]},
        {"version": 1, "ignore": [{"id": "CVE-2099-1", "reason": "x", "expires": "soon"}]},
        {"version": 1, "packages": {"forbid": [{"package": "pkg:npm/a"}]}},
        {"version": 1, "licences": {"allow": "MIT"}},
        {"version": 1, "base-images": ["a"]}
    ]);
    let parsed: Vec<String> = samples
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| {
            bench.write("sample.yaml", sample.to_string());
            (code(&bench.run(&["policy", "check", "sample.yaml"])) == 0).to_string()
        })
        .collect();
    let schema = bench.run(&["policy", "schema"]);
    assert_eq!(code(&schema), 0);
    let schema = bench.write("schema.json", &schema.stdout);
    let samples = bench.write("samples.json", samples.to_string());
    let python = std::env::var("LAZARET_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let validated = Command::new(python).args(["-c", VALIDATE]).args([schema, samples]).output();
    let verdict = validated.map(|output| stdout(&output)).unwrap_or_default();
    if verdict.starts_with("missing") || verdict.is_empty() {
        return testkit::skip("the Python package `jsonschema` is not installed");
    }
    assert_eq!(verdict.trim(), parsed.join(" "));
    assert_eq!(parsed.iter().filter(|one| *one == "true").count(), 3);
}

#[test]
fn a_vex_document_silences_with_its_justification() {
    let bench = bench();
    bench.write(
        "work/own.vex.json",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2099-01-01T00:00:00Z","statements":[
        {"vulnerability":{"name":"CVE-2099-0001"},"status":"not_affected","justification":"vulnerable_code_not_present",
        "products":[{"@id":"pkg:deb/debian/libopensel3"}]}]}"#,
    );
    let scanned = run_in(&bench, "work", &["scan", "image", "--vex", "own.vex.json"]);
    let text = stdout(&scanned);
    assert!(text.contains("not affected, vulnerable_code_not_present [own.vex.json]"), "{text}");
    assert_eq!(code(&run_in(&bench, "work", &["scan", "image", "--vex", "image/index.json"])), 2);
}

#[test]
fn findings_of_other_tools_stand_under_the_same_policy() {
    let bench = bench();
    bench.write(
        "work/code.sarif",
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"CodeTool"}},"results":[
        {"ruleId":"py/sql-injection","level":"error","message":{"text":"user input in a query"},
        "locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/app.py"},"region":{"startLine":12}}}]}]}]}"#,
    );
    let scan = |more: &[&str]| {
        let mut arguments = vec!["scan", "image", "--import", "code.sarif"];
        arguments.extend(more);
        run_in(&bench, "work", &arguments)
    };
    let text = stdout(&scan(&[]));
    assert!(
        text.contains("CodeTool py/sql-injection: user input in a query  src/app.py:12"),
        "{text}"
    );
    bench.write(
        "work/lazaret.yaml",
        "version: 1\nfail-on: high\nignore:\n  - {id: CVE-2099-0001, reason: x}\n  - {id: CVE-2099-0002, reason: x}\n",
    );
    assert_eq!(code(&scan(&[])), 1);
    bench.write("work/more.yaml", "version: 1\ninclude: [lazaret.yaml]\nignore:\n  - {id: py/sql-injection, path: src/, reason: test code}\n");
    assert_eq!(code(&scan(&["--policy", "more.yaml"])), 0);
    let scanned = scan(&["--policy", "more.yaml", "--format", "json"]);
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(report["decision"]["suppressed"].as_array().unwrap().len(), 3);
    bench.write("work/code.sarif", "{}");
    assert_eq!(code(&scan(&[])), 2);
}

/// The coverage of a check in a report: its status and reason.
fn coverage(report: &Value, check: &str) -> Option<(String, String)> {
    let all = report["coverage"].as_array().unwrap();
    let one = all.iter().find(|one| one["check"] == check)?;
    let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
    Some((text("status"), text("reason")))
}

#[test]
fn checks_are_selected_by_flag_and_policy_and_what_is_left_out_is_no_pass() {
    let bench = bench();
    let scan = |arguments: &[&str]| {
        let fixed = ["scan", "image", "--format", "json", "--sandbox", "auto"];
        run_in(&bench, "work", &[&fixed, arguments].concat())
    };
    let report = |output: &std::process::Output| -> Value {
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
    };
    let skipped = Some(("skipped".to_owned(), "not selected".to_owned()));
    let usual = report(&scan(&[]));
    assert_ne!(coverage(&usual, "go"), skipped);
    let without = scan(&["--checks", "-go", "--fail-on", "critical", "--only-fixed"]);
    let reasons = report(&without)["decision"]["reasons"].to_string();
    assert!(reasons.contains("go was not selected"), "{reasons}");
    assert_eq!(coverage(&report(&without), "go"), skipped);
    let few = report(&scan(&["--checks", "dpkg,go"]));
    assert_ne!(coverage(&few, "go"), skipped);
    assert_eq!(coverage(&few, "javascript"), skipped);
    assert_eq!(report(&scan(&["--checks=all", "--no-cache"]))["coverage"], usual["coverage"]);

    for (list, said) in [
        ("secrets", "--checks: `secrets` is no check and no group of checks"),
        ("-packages", "--checks: `-packages` leaves no check to be run"),
        ("", "--checks: `` is no check"),
    ] {
        let refused = scan(&["--checks", list]);
        assert_eq!(code(&refused), 2);
        assert!(stderr(&refused).contains(said), "{}", stderr(&refused));
    }

    bench.write("work/lazaret.yaml", "version: 1\nchecks: [packages, -go]\n");
    let found = scan(&[]);
    assert_eq!(code(&found), 2);
    let said =
        "`checks` of lazaret.yaml:2 leaves out `go`, and a policy that was found may only add";
    assert!(stderr(&found).contains(said), "{}", stderr(&found));
    assert_ne!(coverage(&report(&scan(&["--checks", "packages"])), "go"), skipped);
    let named = scan(&["--policy", "lazaret.yaml"]);
    assert_eq!(coverage(&report(&named), "go"), skipped);
}
