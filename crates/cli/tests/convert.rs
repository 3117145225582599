//! `lazaret convert`: a saved report in other forms, without matching again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, code, image, stderr, stdout};

/// A bench with a saved report, and no database any more.
fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let scanned =
        bench.run(&["scan", "image", "--no-cache", "--fail-on", "high", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 1, "{}", stderr(&scanned));
    bench
}

#[test]
fn every_form_of_a_saved_report_is_the_one_that_the_scan_writes() {
    let bench = bench();
    for format in ["table", "json", "cyclonedx", "sarif", "spdx", "markdown", "junit", "gitlab"] {
        let arguments = ["scan", "image", "--no-cache", "--fail-on", "high", "--format", format];
        let scanned = bench.run(&arguments);
        // Nothing is matched: there is no database.
        let mut command =
            bench.command(&["convert", "report.json", "--offline", "--format", format]);
        let converted = command.env("LAZARET_DB", bench.path().join("none")).output().unwrap();
        assert_eq!(code(&converted), 0, "{format}: {}", stderr(&converted));
        assert_eq!(stdout(&converted), stdout(&scanned), "{format}");
    }
}

#[test]
fn several_forms_are_written_at_once_in_the_sandbox_and_the_verdict_is_said() {
    let bench = bench();
    let mut arguments = vec!["convert", "report.json"];
    arguments.extend([
        "-o",
        "sarif=a.sarif",
        "-o",
        "cyclonedx=sub/b.cdx.json",
        "-o",
        "json=c.json",
    ]);
    std::fs::create_dir(bench.path().join("sub")).unwrap();
    let converted = bench.run(&arguments);
    assert_eq!(code(&converted), 0, "{}", stderr(&converted));
    assert!(stderr(&converted).contains("image: findings: "), "{}", stderr(&converted));
    assert_eq!(bench.read("c.json"), bench.read("report.json"));
    assert_eq!(bench.json("a.sarif")["runs"].as_array().unwrap().len(), 1);
    assert_eq!(bench.json("sub/b.cdx.json")["bomFormat"], "CycloneDX");
    arguments.extend(["--sandbox", "require"]);
    let confined = bench.run(&arguments);
    if code(&confined) != 0 && stderr(&confined).contains("--sandbox require") {
        return testkit::skip::skip("this machine has no whole sandbox");
    }
    assert_eq!(code(&confined), 0, "{}", stderr(&confined));
}

#[test]
fn reports_of_several_subjects_and_differences_are_converted_too() {
    let bench = bench();
    bench.run(&["scan", "image", "image", "-o", "json=several.json"]);
    let converted = bench.run(&["convert", "several.json", "--format", "sarif"]);
    assert_eq!(code(&converted), 0, "{}", stderr(&converted));
    assert_eq!(stdout(&converted).matches("\"invocations\"").count(), 2);
    let refused = bench.run(&["convert", "several.json", "--format", "spdx"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("is about one subject"), "{}", stderr(&refused));
    bench.run(&["diff", "report.json", "report.json", "-o", "json=diff.json"]);
    let converted = bench.run(&["convert", "diff.json", "--format", "markdown"]);
    assert!(stdout(&converted).contains("No difference in packages"), "{}", stderr(&converted));
    let refused = bench.run(&["convert", "diff.json", "--format", "gitlab"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("no form for differences"), "{}", stderr(&refused));
}

#[test]
fn a_list_of_packages_is_converted_to_what_lists_packages() {
    let bench = bench();
    let listed = bench.run(&["sbom", "image", "--no-cache", "-o", "packages.json"]);
    assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    for format in ["table", "json", "cyclonedx", "spdx"] {
        let direct = bench.run(&["sbom", "image", "--no-cache", "--format", format]);
        let converted = bench.run(&["convert", "packages.json", "--format", format]);
        assert_eq!(code(&converted), 0, "{format}: {}", stderr(&converted));
        assert_eq!(stdout(&converted), stdout(&direct), "{format}");
    }
    let arguments = ["convert", "packages.json", "-o", "{name}.cdx.json", "-o", "a.spdx.json"];
    let converted = bench.run(&arguments);
    assert_eq!(code(&converted), 0, "{}", stderr(&converted));
    assert_eq!(bench.json("image.cdx.json")["bomFormat"], "CycloneDX");
    assert_eq!(bench.json("a.spdx.json")["spdxVersion"], "SPDX-2.3");
    // Nothing was matched: no form that has findings may look as if there were none.
    for format in ["sarif", "markdown", "junit", "gitlab", "html", "csv"] {
        let refused = bench.run(&["convert", "packages.json", "--format", format]);
        assert_eq!(code(&refused), 2, "{format}");
        let said = stderr(&refused);
        assert!(said.contains("`lazaret scan sbom:packages.json` does that"), "{said}");
        assert_eq!(stdout(&refused), "");
    }
    let refused = bench.run(&["explain", "CVE-2099-0001", "--in", "packages.json"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("nothing was matched"), "{}", stderr(&refused));
    // What was not looked at in full is said again.
    let partial = bench.read("packages.json").replacen(
        "\"status\": \"ran\"",
        "\"status\": \"failed\", \"reason\": \"made up\"",
        1,
    );
    bench.write("partial.json", partial);
    let converted = bench.run(&["convert", "partial.json", "-o", "b.cdx.json"]);
    assert!(stderr(&converted).contains("incomplete"), "{}", stderr(&converted));
}

#[test]
fn a_report_on_standard_input_is_converted() {
    let bench = bench();
    let mut command = bench.command(&["convert", "-", "--format", "markdown"]);
    let report = std::fs::File::open(bench.path().join("report.json")).unwrap();
    let converted = command.stdin(report).output().unwrap();
    assert_eq!(code(&converted), 0, "{}", stderr(&converted));
    assert!(stdout(&converted).contains("CVE-2099-0001"), "{}", stdout(&converted));
}

#[test]
fn what_is_no_report_of_ours_is_refused_with_what_it_is() {
    let bench = bench();
    bench.run(&["sbom", "image", "-o", "json=packages.json", "-o", "cyclonedx=bill.json"]);
    bench.write("torn.json", bench.read("report.json").chars().take(900).collect::<String>());
    for (file, part) in [
        ("packages.json", "`sarif` has no form for packages"),
        ("bill.json", "`bill.json`: it is of the form `JSON without a schema`"),
        ("torn.json", "`torn.json`: it is no saved report"),
        ("missing.json", "cannot read `missing.json`"),
    ] {
        let refused = bench.run(&["convert", file, "-o", "sarif=out.sarif"]);
        assert_eq!(code(&refused), 2, "{file}");
        assert!(stderr(&refused).contains(part), "{file}: {}", stderr(&refused));
        assert!(!bench.path().join("out.sarif").exists());
    }
}

/// A report as version 1 wrote it: without rules, classes and kinds of fixes.
fn as_before(report: &serde_json::Value) -> String {
    let mut report = report.clone();
    let fields = report.as_object_mut().unwrap();
    fields.insert("schema".to_owned(), "lazaret.report/1".into());
    assert!(fields.remove("rules").is_some());
    for finding in fields.get_mut("findings").and_then(|all| all.as_array_mut()).unwrap() {
        assert!(finding.as_object_mut().unwrap().remove("class").is_some());
        if let Some(fix) = finding.get_mut("fix") {
            assert!(fix.as_object_mut().unwrap().remove("kind").is_some());
        }
    }
    report.to_string()
}

#[test]
fn a_report_that_an_earlier_version_saved_still_serves() {
    let bench = bench();
    let before = as_before(&bench.json("report.json"));
    bench.write("before.json", before.clone());
    for format in ["table", "json", "sarif", "cyclonedx", "junit"] {
        let of = |report| stdout(&bench.run(&["convert", report, "--format", format]));
        assert_eq!(of("before.json"), of("report.json"), "{format}");
    }
    // As the baseline of a scan and of a comparison, and as what explains.
    let scanned = bench.run(&[
        "scan",
        "image",
        "--no-cache",
        "--fail-on",
        "high",
        "--new-since",
        "before.json",
        "-o",
        "json=new.json",
    ]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let compared = bench.run(&["diff", "before.json", "report.json", "--fail-on", "low"]);
    assert_eq!(code(&compared), 0, "{}", stderr(&compared));
    let explained = bench.run(&["explain", "CVE-2099-0001", "--in", "before.json"]);
    assert_eq!(code(&explained), 0, "{}", stderr(&explained));
    let tested = bench.run(&["policy", "test", "before.json"]);
    assert!(!stderr(&tested).contains("before.json"), "{}", stderr(&tested));
    // A rule that nobody has is refused, and not shown as what it is not.
    bench.write("other.json", before.replace("known-vulnerability", "of-another-version"));
    let refused = bench.run(&["convert", "other.json"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("`of-another-version`"), "{}", stderr(&refused));
}

#[test]
fn a_rule_that_only_the_report_has_is_shown_by_its_own_words() {
    let bench = bench();
    let text = bench.read("report.json");
    let own = text.replace("known-vulnerability", "of-a-later-version");
    let own = own.replace("Package with a known vulnerability", "Something that is found later");
    bench.write("later.json", own);
    let explained = bench.run(&["explain", "of-a-later-version", "--in", "later.json"]);
    assert_eq!(code(&explained), 0, "{}", stderr(&explained));
    let said = stdout(&explained);
    assert!(said.starts_with("of-a-later-version: Something that is found later"), "{said}");
    let unknown = bench.run(&["explain", "of-a-later-version"]);
    assert_ne!(code(&unknown), 0);
    let converted = bench.run(&["convert", "later.json", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&converted.stdout).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().iter();
    let shown: Vec<_> = rules.filter(|rule| rule["name"] == "OfALaterVersion").collect();
    assert!(
        !shown.is_empty()
            && shown.iter().all(|rule| rule["properties"]["tags"][1] == "vulnerability")
    );
}
