//! Several subjects in one scan: one exit code, results together or each in a file of its own; and bare
//! names of images.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, base, code, image, stderr, stdout};
use serde_json::Value;
use testkit::{ImageBuilder, Layer};

fn bench() -> Bench {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("one")).unwrap();
    let clean = common::STATUS.replace("3.0.1-1", "3.0.2-1");
    ImageBuilder::new()
        .layer(base().file("var/lib/dpkg/status", clean))
        .layer(Layer::new().file("a", "b"))
        .write_oci_dir(bench.path().join("two"))
        .unwrap();
    bench
}

#[test]
fn each_subject_is_told_of_and_one_exit_code_stands_for_all() {
    let bench = bench();
    let line = ["--fail-on", "high", "--no-cache"];
    let scan = |references: &[&str]| {
        let arguments: Vec<&str> =
            ["scan"].iter().chain(references).chain(&line).copied().collect();
        bench.run(&arguments)
    };
    let both = scan(&["two", "one"]);
    assert_eq!(code(&both), 1, "{}", stderr(&both));
    let text = stdout(&both);
    let summary = text.split("SUBJECTS (2)").nth(1).unwrap();
    assert!(summary.contains("PASS") && summary.contains("4 findings, 2 critical"), "{summary}");
    assert!(
        text.starts_with("SUBJECTS (2)") && text.matches("SUBJECTS (2)").count() == 2,
        "{text}"
    );
    assert_eq!(code(&scan(&["two", "two"])), 0);
    // What is not there does not hide the others, nor do they hide it.
    let missing = scan(&["two", "./missing", "two"]);
    assert_eq!(code(&missing), 2, "{}", stderr(&missing));
    assert!(stdout(&missing).contains("SUBJECTS (3)") && stdout(&missing).contains("FAILED"));
    assert_eq!(code(&scan(&["./missing", "one"])), 1);
}

#[test]
fn json_and_sarif_hold_all_subjects_in_their_order() {
    let bench = bench();
    let scanned =
        bench.run(&["scan", "two", "one", "-o", "json=all.json", "-o", "sarif=all.sarif"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let all = bench.json("all.json");
    assert_eq!(all["schema"], "lazaret.reports/2");
    let names: Vec<&Value> =
        all["reports"].as_array().unwrap().iter().map(|one| &one["subject"]["name"]).collect();
    assert_eq!(names, ["two", "one"]);
    bench.run(&["scan", "one", "-o", "json=alone.json"]);
    assert_eq!(all["reports"][1]["findings"], bench.json("alone.json")["findings"]);
    let sarif = bench.json("all.sarif");
    assert_eq!(sarif["runs"].as_array().unwrap().len(), 2);
    assert_eq!(sarif["runs"][1]["results"].as_array().unwrap().len(), 4);
}

#[test]
fn a_template_is_given_what_the_json_form_holds() {
    let bench = bench();
    bench.write("one=1.j2", "{% for one in reports %}{{ one.subject.name }}: {{ one.findings | length }}{% endfor %}\n\n");
    bench.write("all.j2", "{% for one in reports %}{{ one.subject.name }} {% endfor %}.\n");
    let one = bench.run(&["scan", "one", "--format", "template:one=1.j2"]);
    assert_eq!((code(&one), stdout(&one).as_str()), (0, "one: 4\n"), "{}", stderr(&one));
    let two = bench.run(&["scan", "one", "two", "-o", "template:all.j2=all.txt"]);
    assert_eq!((code(&two), bench.read("all.txt").as_str()), (0, "one two .\n"));
    let each = bench.run(&["scan", "one", "two", "-o", "template:one=1.j2={name}.txt"]);
    assert_eq!((code(&each), bench.read("two.txt").as_str()), (0, "two: 0\n"));
    bench.write(
        "packages.j2",
        "{{ report.schema }} {% if report.packages | length > 3 %}yes{% endif %}",
    );
    let packages = bench.run(&["sbom", "one", "--format", "template:packages.j2"]);
    assert_eq!(stdout(&packages), "lazaret.packages/1 yes", "{}", stderr(&packages));
    bench.write("own.toml", "format = \"template:one=1.j2\"\n");
    assert_eq!(stdout(&bench.run(&["scan", "one", "--config", "own.toml"])), "one: 4\n");
}

#[test]
fn a_template_that_is_none_is_told_before_anything_is_read() {
    let bench = bench();
    bench.write("bad.j2", "x\n{% if %}");
    for (given, expected) in [
        ("template:bad.j2", "template `bad.j2`, line 2: "),
        ("template:nowhere.j2", "cannot read `nowhere.j2`"),
        ("template:", "`template:` names no file"),
        ("tmpl", "gitlab, github, html, csv or template:FILE"),
    ] {
        let refused = bench.run(&["scan", "no-such-image", "--format", given]);
        assert_eq!(code(&refused), 2, "{given}");
        assert!(stderr(&refused).contains(expected), "{given}: {}", stderr(&refused));
    }
    let nowhere = bench.run(&["scan", "one", "-o", "template:bad.j2"]);
    assert!(stderr(&nowhere).contains("names no file"), "{}", stderr(&nowhere));
    bench.write("one.j2", "{{ report.subject.name }}");
    let several = bench.run(&["scan", "one", "two", "-o", "template:one.j2=x.txt"]);
    assert_eq!(code(&several), 2);
    assert!(stderr(&several).contains("is about one subject"), "{}", stderr(&several));
    // One that fails on the way leaves no file.
    bench.write("late.j2", "begun {{ report.findngs }}");
    let late = bench.run(&["scan", "one", "-o", "template:late.j2=late.txt"]);
    assert_eq!(code(&late), 2);
    assert!(stderr(&late).contains("template `late.j2`, line 1"), "{}", stderr(&late));
    assert!(!bench.path().join("late.txt").exists());
}

#[test]
fn forms_of_one_subject_get_a_file_each() {
    let bench = bench();
    let refused = bench.run(&["scan", "one", "two", "-o", "cyclonedx=all.json"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("-o cyclonedx={name}.json"), "{}", stderr(&refused));
    let scanned =
        bench.run(&["scan", "oci-dir:one", "two", "two", "-o", "cyclonedx={name}.cdx.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    assert!(stdout(&scanned).is_empty());
    for file in ["oci-dir-one.cdx.json", "two.cdx.json", "two-2.cdx.json"] {
        assert_eq!(bench.json(file)["bomFormat"], "CycloneDX", "{file}");
    }
}

#[test]
fn a_configured_form_of_one_subject_is_for_scans_of_one() {
    let bench = bench();
    bench.write("lazaret.toml", "format = \"cyclonedx\"\n");
    let printed = bench.run(&["scan", "oci-dir:one", "oci-dir:two"]);
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let tables = stdout(&printed).lines().filter(|line| line.starts_with("Image ")).count();
    assert_eq!(tables, 2, "{}", stdout(&printed));
    let refused = bench.run(&["scan", "oci-dir:one", "oci-dir:two", "-o", "{name}.bill"]);
    assert_eq!(code(&refused), 2, "{}", stderr(&refused));
    let arguments = ["scan", "oci-dir:one", "oci-dir:two", "--format", "cyclonedx"];
    let written = bench.command(&arguments).args(["-o", "{name}.bill"]).output().unwrap();
    assert_eq!(code(&written), 0, "{}", stderr(&written));
    assert_eq!(stdout(&written), "");
    assert_eq!(bench.json("oci-dir-one.bill")["bomFormat"], "CycloneDX");
}

#[test]
fn a_bare_name_that_nobody_has_says_who_was_asked() {
    let bench = bench();
    let arguments =
        ["scan", "no-such-app:1.2", "--offline", "--docker-host", "unix:///nowhere/docker.sock"];
    let mut command = bench.command(&arguments);
    let scanned = command.env("CONTAINERD_ADDRESS", "/nowhere/containerd.sock").output().unwrap();
    assert_eq!(code(&scanned), 2);
    let text = stderr(&scanned);
    for part in ["docker:", "containerd:", "registry:", "registry:no-such-app:1.2"] {
        assert!(text.contains(part), "{text}");
    }
    // A mistyped path is no name, and nobody is asked.
    let scanned = bench.run(&["scan", "./no-such-app", "--offline"]);
    assert!(stderr(&scanned).contains("cannot read"), "{}", stderr(&scanned));
}
