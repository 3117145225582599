//! Where results go and in which form, through the program: the ending of a file says the form, a folder
//! has its name and its place in its checkout, and a bill says when it was made and by whom.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, code, image, stderr, stdout};
use serde_json::Value;

const LOCK: &str = r#"{"name":"shop","version":"2.1.0","lockfileVersion":3,"packages":{
    "":{"name":"shop","version":"2.1.0","dependencies":{"left-demo":"^1.0.0"}},
    "node_modules/left-demo":{"version":"1.0.0"}}}"#;

/// A checkout with a project in a folder of it.
fn checkout() -> Bench {
    let bench = Bench::with_database();
    bench.write("repo/.git/HEAD", "ref: refs/heads/main\n");
    bench.write("repo/sub/shop/package-lock.json", LOCK);
    bench.write("repo/sub/shop/package.json", r#"{"name":"shop","version":"2.1.0"}"#);
    bench
}

/// Runs it from a folder below the bench's own.
fn run_in(bench: &Bench, folder: &str, arguments: &[&str]) -> std::process::Output {
    bench.command(arguments).current_dir(bench.path().join(folder)).output().unwrap()
}

/// What a file is, by what only its form has.
fn form(text: &str) -> &'static str {
    let known = [
        ("\"lazaret.report/2\"", "json"),
        ("\"lazaret.packages/1\"", "json"),
        ("\"CycloneDX\"", "cyclonedx"),
        ("sarif-2.1.0.json", "sarif"),
        ("\"SPDX-2.3\"", "spdx"),
        ("container-scanning-report-format", "gitlab"),
        ("dependency-scanning-report-format", "gitlab"),
        ("<testsuites", "junit"),
        ("<!doctype html>", "html"),
        ("subject,severity,id", "csv"),
        ("### :", "markdown"),
        ("NO VERDICT", "table"),
    ];
    known.iter().find(|(sign, _)| text.contains(sign)).map_or("none", |(_, name)| *name)
}

#[test]
fn the_form_follows_the_ending_and_every_file_is_written() {
    let bench = checkout();
    let files = [
        ("a.json", "json"),
        ("b.json", "json"),
        ("a.sarif", "sarif"),
        ("b.sarif", "sarif"),
        ("a.sarif.json", "sarif"),
        ("a.cdx.json", "cyclonedx"),
        ("bom.json", "cyclonedx"),
        ("a.spdx.json", "spdx"),
        ("a.md", "markdown"),
        ("a.xml", "junit"),
        ("a.html", "html"),
        ("a.csv", "csv"),
        ("a.txt", "table"),
        ("gl-dependency-scanning-report.json", "gitlab"),
        ("gl-container-scanning-report.json", "gitlab"),
        ("A.SARIF", "sarif"),
    ];
    let mut arguments = vec!["scan", "repo/sub/shop"];
    arguments.extend(files.iter().flat_map(|(file, _)| ["-o", *file]));
    let scanned = bench.run(&arguments);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    assert_eq!(stdout(&scanned), "");
    for (file, expected) in files {
        assert_eq!(form(&bench.read(file)), expected, "{file}");
    }
    assert_eq!(bench.read("a.sarif"), bench.read("b.sarif"));
    // Two files of one form beside a form that is named, and several subjects.
    let mut arguments = vec!["scan", "repo/sub/shop", "repo"];
    arguments.extend([
        "-o",
        "all.sarif",
        "-o",
        "more.sarif",
        "-o",
        "json=all.bin",
        "-o",
        "{name}.cdx.json",
    ]);
    let scanned = bench.run(&arguments);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    assert_eq!(bench.read("all.sarif"), bench.read("more.sarif"));
    assert_eq!(bench.json("all.bin")["schema"], "lazaret.reports/2");
    assert_eq!(bench.json("repo-sub-shop.cdx.json")["bomFormat"], "CycloneDX");
}

#[test]
fn an_unknown_ending_is_refused_before_anything_is_read() {
    let bench = Bench::new();
    for command in ["scan", "sbom", "verify"] {
        for file in ["x.pdf", "x", "x.spdx", "x.cdx.xml", "x.json.gz", "folder.sarif/x"] {
            let refused = bench.run(&[command, "no-such-image", "-o", file]);
            assert_eq!(code(&refused), 2, "{command} {file}");
            let said = stderr(&refused);
            assert!(said.contains(&format!("the ending of `{file}` names no format")), "{said}");
            assert!(said.contains("`.sarif`") && said.contains("`.cdx.json`"), "{said}");
            assert!(!said.contains("no-such-image"), "{said}");
        }
    }
    let refused = bench.run(&["diff", "a", "b", "-o", "x.pdf"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("names no format"), "{}", stderr(&refused));
    let twice = bench.run(&["scan", "no-such-image", "-o", "x.json", "-o", "sarif=x.json"]);
    assert_eq!(code(&twice), 2);
    assert!(stderr(&twice).contains("`x.json` is named twice"), "{}", stderr(&twice));
    // A form that the command has not is refused as where it is named.
    let refused = bench.run(&["sbom", "no-such-image", "-o", "x.sarif"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("`sarif` has no form for packages"), "{}", stderr(&refused));
}

#[test]
fn what_is_named_comes_before_the_ending_and_the_ending_before_what_is_asked_for_elsewhere() {
    let bench = checkout();
    let scan = |arguments: &[&str], variable: Option<&str>| {
        let mut command = bench.command(&["scan", "repo/sub/shop"]);
        command.args(arguments).envs(variable.map(|format| ("LAZARET_FORMAT", format)));
        let scanned = command.output().unwrap();
        assert_eq!(code(&scanned), 0, "{arguments:?}: {}", stderr(&scanned));
        (stdout(&scanned), stderr(&scanned))
    };
    // Printed is what `--format` names and no file gets; files have the forms of their endings.
    for (arguments, printed, files) in [
        ("--format json -o a.sarif", "json", &[("a.sarif", "sarif")][..]),
        ("--format table -o b.json", "table", &[("b.json", "json")]),
        ("--format json -o c.json -o c.sarif", "", &[("c.json", "json"), ("c.sarif", "sarif")]),
        ("--format json -o d.json -o e.json", "", &[("d.json", "json"), ("e.json", "json")]),
        ("--format json -o f.sarif -o f.any", "", &[("f.sarif", "sarif"), ("f.any", "json")]),
        ("--format json -o g.txt", "", &[("g.txt", "json")]),
        ("-o h.txt", "", &[("h.txt", "table")]),
        ("--format table -o i.txt", "", &[("i.txt", "table")]),
        ("--format markdown -o sarif=j.json", "markdown", &[("j.json", "sarif")]),
        ("--format json -o json=k.json", "json", &[("k.json", "json")]),
        ("--format csv -o -", "csv", &[]),
        ("--format csv -o sarif=- -o l.csv", "sarif", &[("l.csv", "csv")]),
        ("-q --format json -o m.sarif", "json", &[("m.sarif", "sarif")]),
    ] {
        let all: Vec<&str> = arguments.split(' ').collect();
        let (out, _) = scan(&all, None);
        assert_eq!(if out.is_empty() { "" } else { form(&out) }, printed, "{arguments}");
        for (file, expected) in files {
            assert_eq!(form(&bench.read(file)), *expected, "{arguments}: {file}");
        }
    }
    // What is printed here may have been meant for the file, and that is said.
    let (out, said) = scan(&["--format", "cyclonedx", "-o", "bill.json"], None);
    assert_eq!((form(&out), form(&bench.read("bill.json"))), ("cyclonedx", "json"));
    assert!(said.contains("use -o cyclonedx=bill.json"), "{said}");
    let (_, said) = scan(&["--format", "table", "-o", "bill.json"], None);
    assert!(!said.contains("use -o"), "{said}");
    // The variable and the configuration are for standard output alone.
    assert_eq!(scan(&["-o", "variable.sarif"], Some("json")).0, "");
    assert_eq!(form(&bench.read("variable.sarif")), "sarif");
    assert_eq!(form(&scan(&[], Some("markdown")).0), "markdown");
    assert_eq!(form(&scan(&["-o", "-"], Some("markdown")).0), "markdown");
    bench.write("lazaret.toml", "format = \"spdx\"\n");
    assert_eq!(scan(&["-o", "file.csv"], None).0, "");
    assert_eq!(form(&bench.read("file.csv")), "csv");
    assert_eq!(form(&scan(&[], None).0), "spdx");
    assert_eq!(form(&scan(&[], Some("json")).0), "json");
    for variable in [None, Some("json")] {
        let mut command = bench.command(&["scan", "no-such-image", "-o", "file.any"]);
        let refused = command.envs(variable.map(|format| ("LAZARET_FORMAT", format))).output();
        let refused = refused.unwrap();
        assert_eq!(code(&refused), 2);
        let said = stderr(&refused);
        assert!(said.contains("the ending of `file.any` names no format"), "{said}");
    }
    let wrong = bench.command(&["scan", "none"]).env("LAZARET_FORMAT", "nope").output().unwrap();
    assert_eq!(code(&wrong), 2);
    assert!(stderr(&wrong).contains("`nope` is not an output format"), "{}", stderr(&wrong));
}

#[test]
fn the_placeholder_is_the_name_of_one_subject_as_of_several() {
    let bench = checkout();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    let written = |arguments: &[&str], files: &[(&str, &str)]| {
        for sandbox in ["off", "auto"] {
            let run = bench.command(arguments).args(["--sandbox", sandbox]).output().unwrap();
            assert!(code(&run) < 2, "{arguments:?}: {}", stderr(&run));
            assert!(!bench.path().join("{name}.json").exists(), "{arguments:?}");
            for (file, expected) in files {
                assert_eq!(form(&bench.read(file)), *expected, "{arguments:?}: {file}");
                std::fs::remove_file(bench.path().join(file)).unwrap();
            }
        }
    };
    written(
        &["scan", "repo/sub/shop", "-o", "{name}.json", "-o", "{name}.cdx.json"],
        &[("repo-sub-shop.json", "json"), ("repo-sub-shop.cdx.json", "cyclonedx")],
    );
    written(
        &["sbom", "oci-dir:layout", "-o", "spdx={name}.bill"],
        &[("oci-dir-layout.bill", "spdx")],
    );
    bench.run(&["scan", "layout", "-o", "saved.json"]);
    written(&["convert", "saved.json", "-o", "of-{name}.sarif"], &[("of-layout.sarif", "sarif")]);
    let compared = bench.run(&["diff", "saved.json", "saved.json", "-o", "{name}.diff.json"]);
    assert_eq!(code(&compared), 0, "{}", stderr(&compared));
    assert_eq!(bench.json("layout.diff.json")["schema"], "lazaret.diff/2");
    // A name cannot leave the folder, and no file is written twice.
    std::fs::create_dir(bench.path().join("out")).unwrap();
    written(&["scan", "./repo/sub/../sub/shop", "-o", "json=out/{name}"], &[("out/shop", "json")]);
    let twice = bench.run(&["scan", "layout", "-o", "{name}.json", "-o", "layout.json"]);
    assert_eq!(code(&twice), 2);
    assert!(stderr(&twice).contains("`layout.json` is named twice"), "{}", stderr(&twice));
    let running = bench.run(&["scan", "--running", "-o", "{name}.json"]);
    assert_eq!(code(&running), 2);
    assert!(stderr(&running).contains("all running containers"), "{}", stderr(&running));
}

#[test]
fn the_page_is_the_programs_own_whoever_runs_it() {
    let bench = checkout();
    let mut command = bench.command(&["scan", "repo/sub/shop", "-o", "a.sarif"]);
    command.args(["-o", "gl-dependency-scanning-report.json", "-o", "github=a.snapshot"]);
    command.envs([
        ("GITHUB_SERVER_URL", "https://github.example"),
        ("GITHUB_REPOSITORY", "team/shop"),
        ("CI_PROJECT_URL", "https://gitlab.example/team/shop"),
        ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_RUN_ID", "7"),
        ("GITHUB_WORKFLOW", "build"),
        ("GITHUB_JOB", "scan"),
    ]);
    let scanned = command.output().unwrap();
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let in_ci = bench.json("a.sarif")["runs"][0]["tool"]["driver"]["informationUri"].clone();
    let gitlab = bench.json("gl-dependency-scanning-report.json");
    for tool in ["analyzer", "scanner"] {
        assert_eq!(gitlab["scan"][tool]["url"], in_ci);
    }
    assert_eq!(bench.json("a.snapshot")["detector"]["url"], in_ci);
    assert!(in_ci.as_str().unwrap().starts_with("https://"), "{in_ci}");
    for file in ["a.sarif", "gl-dependency-scanning-report.json", "a.snapshot"] {
        assert!(!bench.read(file).contains("team/shop"), "{file}");
    }
    assert_eq!(code(&bench.run(&["scan", "repo/sub/shop", "-o", "b.sarif"])), 0);
    assert_eq!(bench.read("a.sarif"), bench.read("b.sarif"));
}

#[test]
fn streams_have_no_endings() {
    let bench = checkout();
    for file in ["-", "/dev/stdout"] {
        let scanned = bench.run(&["scan", "repo/sub/shop", "-o", file]);
        assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
        assert_eq!(form(&stdout(&scanned)), "table", "{file}");
    }
    let scanned = bench.run(&["scan", "repo/sub/shop", "-o", "json=-"]);
    assert_eq!(form(&stdout(&scanned)), "json");
    assert_eq!(code(&bench.run(&["scan", "repo/sub/shop", "-o", "/dev/null"])), 0);
}

#[test]
fn the_forms_of_sbom_diff_and_verify_follow_the_ending_too() {
    let bench = checkout();
    let listed = bench.run(&[
        "sbom",
        "repo/sub/shop",
        "-o",
        "x.cdx.json",
        "-o",
        "x.spdx.json",
        "-o",
        "x.json",
    ]);
    assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    let forms = ["x.cdx.json", "x.spdx.json", "x.json"].map(|file| form(&bench.read(file)));
    assert_eq!(forms, ["cyclonedx", "spdx", "json"]);
    let compared = bench.run(&["diff", "repo/sub/shop", "repo/sub/shop", "-o", "same.json"]);
    assert_eq!(code(&compared), 0, "{}", stderr(&compared));
    assert_eq!(bench.json("same.json")["schema"], "lazaret.diff/2");
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    let held = bench.run(&["verify", "oci-dir:layout", "-o", "held.sarif", "--state", "state"]);
    assert!(
        !bench.path().join("held.sarif").exists() || form(&bench.read("held.sarif")) == "sarif"
    );
    assert!(!stderr(&held).contains("names no format"), "{}", stderr(&held));
}

#[test]
fn a_folder_has_its_name_and_its_place_in_the_checkout() {
    let bench = checkout();
    for (folder, reference, name) in [
        ("repo/sub/shop", ".", "shop"),
        ("repo/sub/shop", "dir:.", "shop"),
        ("repo/sub/shop/..", "shop", "shop"),
        ("", "repo/sub/shop", "repo/sub/shop"),
        ("", "repo/sub/shop/.", "repo/sub/shop"),
        ("", "dir:repo/sub/shop/", "dir:repo/sub/shop"),
        ("repo", "./sub/../sub/shop", "shop"),
    ] {
        for sandbox in ["off", "auto"] {
            let arguments = [
                "--sandbox",
                sandbox,
                "scan",
                reference,
                "-o",
                "out.sarif",
                "-o",
                "out.json",
                "-o",
                "out.cdx.json",
                "-o",
                "out.spdx.json",
            ];
            let scanned = run_in(&bench, folder, &arguments);
            assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
            let at = |file: &str| format!("{folder}/{file}").trim_start_matches('/').to_owned();
            let report = bench.json(&at("out.json"));
            assert_eq!(report["subject"]["name"], name);
            let bill = bench.json(&at("out.cdx.json"));
            assert_eq!(bill["metadata"]["component"]["name"], "shop");
            assert_eq!(bench.json(&at("out.spdx.json"))["packages"][0]["name"], "shop");
            assert_eq!(report["subject"]["checkout"], "sub/shop");
            assert_eq!(report["subject"]["version"], "2.1.0");
            let run = &bench.json(&at("out.sarif"))["runs"][0];
            assert_eq!(run["automationDetails"]["id"], "lazaret/sub/shop/");
            let place = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
            assert_eq!(place["uri"], "sub/shop/package-lock.json");
        }
    }
    // Seen from the root, and outside of any checkout.
    let scanned = run_in(&bench, "repo", &["scan", ".", "--format", "sarif"]);
    let log: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "sub/shop/package-lock.json");
    std::fs::remove_dir_all(bench.path().join("repo/.git")).unwrap();
    let scanned = run_in(&bench, "repo/sub", &["scan", ".", "--format", "sarif"]);
    let log: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "shop/package-lock.json");
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "lazaret/sub/");
}

#[test]
fn a_bill_says_when_it_was_made_and_by_whom() {
    let bench = checkout();
    let sbom = |variables: &[(&str, &str)], without: &str, arguments: &[&str]| -> Value {
        let mut command = bench.command(&["sbom", "repo/sub/shop", "--format", "cyclonedx"]);
        command.args(arguments).envs(variables.iter().copied()).env_remove(without);
        let listed = command.output().unwrap();
        assert_eq!(code(&listed), 0, "{}", stderr(&listed));
        serde_json::from_slice(&listed.stdout).unwrap()
    };
    let fixed = sbom(&[], "", &[]);
    assert_eq!(fixed["metadata"]["timestamp"], "2026-09-21T14:13:20Z");
    assert_eq!(fixed["metadata"]["component"]["name"], "shop");
    assert_eq!(fixed["metadata"]["component"]["version"], "2.1.0");
    let now = sbom(&[], "SOURCE_DATE_EPOCH", &[]);
    let time = now["metadata"]["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == 20, "{time}");
    assert_eq!(now["serialNumber"], fixed["serialNumber"]);
    let author = |document: &Value| document["metadata"]["authors"][0]["name"].clone();
    assert!(author(&fixed).as_str().unwrap().starts_with("lazaret "));
    assert_eq!(author(&sbom(&[("LAZARET_AUTHOR", "ACME")], "", &[])), "ACME");
    assert_eq!(author(&sbom(&[], "", &["--author", "Person: Jane Doe"])), "Jane Doe");
    bench.write("own.toml", "author = \"Configured\"\n");
    assert_eq!(author(&sbom(&[], "", &["--config", "own.toml"])), "Configured");
    let supplier = |document: &Value| document["metadata"]["component"]["supplier"]["name"].clone();
    assert_eq!(supplier(&fixed), Value::Null);
    assert_eq!(supplier(&sbom(&[("LAZARET_AUTHOR", "ACME")], "", &[])), "ACME");
    let both = sbom(&[("LAZARET_AUTHOR", "ACME")], "", &["--supplier", "Organization: Shop Ltd"]);
    assert_eq!((author(&both), supplier(&both)), ("ACME".into(), "Shop Ltd".into()));
    bench.write("own.toml", "supplier = \"Configured\"\n");
    assert_eq!(supplier(&sbom(&[], "", &["--config", "own.toml"])), "Configured");
    let refused = bench.run(&["sbom", "repo", "--author", "a\nTool: b"]);
    assert_eq!(code(&refused), 2, "{}", stderr(&refused));
    // What merely lies there does not say who answers.
    bench.write("lazaret.toml", "author = \"Somebody\"\n");
    assert_eq!(code(&bench.run(&["sbom", "repo"])), 2);
}

#[test]
fn an_action_keeps_commit_and_version_and_so_does_a_bill_of_it() {
    let bench = Bench::new();
    bench.write_feed();
    bench.write("feed/ecosystems.txt", "Debian\nPyPI\nnpm\nGitHub Actions\n");
    bench.write(
        "feed/GitHub Actions/GHSA-2.json",
        r#"{"id":"GHSA-cccc-dddd-eeee","modified":"2026-01-01T00:00:00Z","summary":"Leaks",
           "affected":[{"package":{"ecosystem":"GitHub Actions","name":"team/tool"},
           "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.2.0"}]}]}]}"#,
    );
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let workflow = format!("jobs:\n  a:\n    steps:\n    - uses: team/tool@{commit} # v4.1.1\n");
    bench.write("repo/.github/workflows/ci.yml", workflow);
    let scanned = bench.run(&[
        "scan",
        "repo",
        "-o",
        "folder.json",
        "-o",
        "folder.cdx.json",
        "-o",
        "folder.spdx.json",
    ]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let folder = bench.json("folder.json");
    let package = &folder["packages"][0];
    assert_eq!(package["purl"], format!("pkg:github/team/tool@{commit}"));
    assert_eq!(package["version"], "4.1.1");
    assert_eq!(package["identified"]["by"], "comment beside the commit");
    assert_eq!(folder["findings"].as_array().unwrap().len(), 1);
    for bill in ["folder.cdx.json", "folder.spdx.json", "folder.json"] {
        let arguments = ["scan", &format!("sbom:{bill}"), "-o", "again.json"];
        let scanned = bench.run(&arguments);
        assert_eq!(code(&scanned), 0, "{bill}: {}", stderr(&scanned));
        assert_eq!(bench.json("again.json")["findings"], folder["findings"], "{bill}");
        assert_eq!(bench.json("again.json")["packages"][0]["version"], "4.1.1", "{bill}");
    }
}
