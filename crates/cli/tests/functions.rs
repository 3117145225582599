//! Whether a real Go program holds the functions that advisories name.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr, stdout};
use serde_json::Value;

/// Go programs of distributions: whichever is there.
const PROGRAMS: [&str; 5] = [
    "/usr/bin/runc",
    "/usr/sbin/runc",
    "/usr/bin/containerd",
    "/usr/bin/podman",
    "/usr/bin/docker",
];

fn advisory(id: &str, imports: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2099-01-01T00:00:00Z","summary":"made up","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],"affected":[{{"package":{{"ecosystem":"Go","name":"stdlib"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}],"ecosystem_specific":{{"imports":{imports}}}}}]}}"#
    )
}

#[test]
fn functions_of_a_real_program_are_held_against_advisories() {
    let Some(program) = PROGRAMS.iter().find(|path| std::path::Path::new(path).is_file()) else {
        return testkit::skip(&format!("none of {PROGRAMS:?} is installed"));
    };
    let bench = Bench::new();
    for (id, imports) in [
        ("GO-2099-0001", r#"[{"path":"os","symbols":["File.Write","File.NoSuchMethod"]}]"#),
        ("GO-2099-0002", r#"[{"path":"no/such/package","symbols":["F"]}]"#),
        ("GO-2099-0003", r#"[{"path":"os","goos":["windows"],"symbols":["File.Write"]}]"#),
    ] {
        bench.write(&format!("feed/Go/{id}.json"), advisory(id, imports));
    }
    let updated = bench.run(&["db", "update", "Go", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    bench.write("root/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    bench.write("root/usr/local/bin/x", "");
    std::fs::copy(program, bench.path().join("root/usr/local/bin/app")).unwrap();

    let scanned = bench.run(&["scan", "dir:root", "--format", "json", "--offline"]);
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let of_stdlib: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["id"].as_str().unwrap().starts_with("GO-2099-"))
        .collect();
    assert_eq!(of_stdlib.len(), 2, "{:?}", stderr(&scanned));
    let code_of = |finding: &Value| finding["evidence"][0]["code"].clone();
    let first = code_of(of_stdlib[0]);
    assert_eq!(of_stdlib[0]["id"], "GO-2099-0001", "what is present comes first");
    assert_eq!(first["state"], "present");
    assert_eq!(first["found"], serde_json::json!(["os.File.Write"]));
    assert_eq!(first["named"], 2);
    assert_eq!(code_of(of_stdlib[1])["state"], "absent");
    assert_eq!(of_stdlib[1]["risk"]["code"], "absent");

    let table = bench.run(&["scan", "dir:root", "--format", "table", "-v", "--offline"]);
    let text = stdout(&table);
    assert!(text.contains("vulnerable function present"), "{text}");
    assert!(text.contains("vulnerable function absent"), "{text}");

    // The verdict: both count, then only the one that is there.
    for (flag, expected) in [(None, "2 findings are"), (Some("--only-linked"), "1 finding is")] {
        let mut arguments =
            vec!["scan", "dir:root", "--format", "json", "--fail-on", "critical", "--offline"];
        arguments.extend(flag);
        let scanned = bench.run(&arguments);
        assert_eq!(code(&scanned), 1, "{}", stderr(&scanned));
        let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        let reasons = report["decision"]["reasons"].to_string();
        assert!(reasons.contains(&format!("{expected} over --fail-on critical: ")), "{reasons}");
        let aside =
            "1 finding over --fail-on critical whose functions are not in the program, not counted";
        assert_eq!(reasons.contains(aside), flag.is_some(), "{reasons}");
    }
}

#[test]
fn a_folder_is_its_main_module_to_a_statement_of_govulncheck() {
    let bench = Bench::new();
    bench.write(
        "feed/Go/GO-2099-1.json",
        r#"{"id":"GO-2099-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2099-1"],"affected":[{"package":{"ecosystem":"Go","name":"example.org/deep"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}"#,
    );
    bench.write("feed/ecosystems.txt", "Go\n");
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    bench.write(
        "project/go.mod",
        "module example.org/app\n\ngo 1.22\n\nrequire example.org/deep v1.0.0\n",
    );
    for (product, expected) in [("app", 1), ("app@v0.0.0", 1), ("app@(devel)", 1), ("other", 0)] {
        bench.write(
            "go.vex.json",
            format!(
                r#"{{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2099-01-01T00:00:00Z","statements":[
                {{"vulnerability":{{"name":"GO-2099-1","aliases":["CVE-2099-1"]}},"status":"not_affected","justification":"vulnerable_code_not_in_execute_path",
                "products":[{{"@id":"pkg:golang/example.org%2F{product}","subcomponents":[{{"@id":"pkg:golang/example.org%2Fdeep@v1.0.0"}}]}}]}}]}}"#
            ),
        );
        let scanned =
            bench.run(&["scan", "project", "--vex", "go.vex.json", "-o", "json=report.json"]);
        assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
        let report = bench.json("report.json");
        let silenced = report["decision"]["suppressed"].as_array().map_or(0, Vec::len);
        assert_eq!(silenced, expected, "{product}");
    }
}
