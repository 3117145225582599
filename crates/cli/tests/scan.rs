//! `lazaret scan` and `sbom` from the outside: what they print, write and exit with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, base, code, image, node, stderr, stdout};
use testkit::{Breakage, Compression, ImageBuilder, Layer};

/// The ids of all findings, with package and layer.
fn findings(report: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let id = finding.get("id").map_or_else(|| text(&finding["rule"]), text);
            let package = text(&finding["package"]);
            let package = package.split('?').next().unwrap_or_default();
            format!(
                "{id} {} {package} {} {}",
                text(&finding["severity"]),
                finding["layer"],
                text(&finding["origin"])
            )
        })
        .collect()
}

#[test]
fn one_report_names_findings_of_every_layer() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = bench.json("report.json");
    assert_eq!(report["schema"], "lazaret.report/2");
    assert_eq!(
        findings(&report),
        [
            "CVE-2099-0001 critical pkg:deb/debian/libopensel3@3.0.1-1 0 base",
            "CVE-2099-0002 critical pkg:deb/debian/libopensel3@3.0.1-1 0 base",
            "GHSA-aaaa-bbbb-cccc unknown pkg:npm/left-demo@1.0.0 2 application",
            "CVE-2099-0003 low pkg:pypi/demo-web@1.5 1 application",
        ]
    );
    assert_eq!(report["findings"][3]["fix"]["version"], "2.0");
    assert_eq!(report["layers"][1]["command"], "RUN pip install demo-web==1.5");
}

#[test]
fn without_a_line_nothing_that_is_printed_says_pass() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let reason = "4 findings, 2 of them critical; no --fail-on was given";
    for format in ["table", "markdown", "junit", "gitlab"] {
        let scanned = bench.run(&["scan", "image", "--format", format]);
        assert_eq!(code(&scanned), 0, "{format}: {}", stderr(&scanned));
        let text = stdout(&scanned).replace('\\', "");
        assert!(text.contains(reason), "{format}: {text}");
        assert!(!text.to_lowercase().contains("pass"), "{format}: {text}");
    }
    let table = stdout(&bench.run(&["scan", "image"]));
    let verdict = format!("NO VERDICT  {reason}; 1 of unknown severity");
    assert_eq!(table.lines().next(), Some(verdict.as_str()));
    assert_eq!(table.lines().last(), Some(verdict.as_str()));
    bench.run(&["scan", "image", "-o", "json=report.json"]);
    assert_eq!(bench.json("report.json")["decision"]["outcome"], "no-line");
    let tested = bench.run(&["policy", "test", "report.json"]);
    assert_eq!(code(&tested), 0, "{}", stderr(&tested));
    assert!(stdout(&tested).starts_with(&verdict), "{}", stdout(&tested));
    assert!(!stdout(&tested).to_lowercase().contains("pass"), "{}", stdout(&tested));
    // A list for programs has no verdict: it is said beside it.
    let listed = bench.run(&["scan", "image", "--format", "cyclonedx"]);
    assert!(stderr(&listed).contains(&format!("no verdict: {reason}")), "{}", stderr(&listed));

    let below = bench.run(&["scan", "image", "--fail-on-exploited"]);
    let text = stdout(&below);
    // Whether one is exploited is not known without KEV: no pass either.
    let verdict = "INCOMPLETE  4 findings, none over --fail-on-exploited: 2 critical, 1 low, 1 unknown; fail-on-exploited asks for CISA KEV, which is not in the database";
    assert_eq!(text.lines().next(), Some(verdict), "{text}");
}

#[test]
fn a_verdict_that_goes_to_files_alone_is_said_on_standard_error() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let over = ["scan", "image", "--fail-on", "critical", "-o", "json=report.json"];
    let scanned = bench.run(&over);
    assert_eq!((code(&scanned), stdout(&scanned).as_str()), (1, ""));
    let said = stderr(&scanned);
    let verdicts =
        |said: &str| said.matches("lazaret: image: findings: 2 findings are over").count();
    assert_eq!(verdicts(&said), 1, "{said}");
    let quiet = bench.run(&[&over[..], &["-q"]].concat());
    assert_eq!((code(&quiet), stderr(&quiet).as_str()), (1, ""));
    // What is printed says it already.
    for printed in [&["--format", "table"][..], &["-o", "table=-"]] {
        let scanned = bench.run(&[&over[..], printed].concat());
        assert!(!stdout(&scanned).is_empty() && verdicts(&stderr(&scanned)) == 0, "{printed:?}");
    }
    let two = ["scan", "image", "./image", "--fail-on", "critical", "-o"];
    for output in ["json=all.json", "json={name}.json"] {
        let scanned = bench.run(&[&two[..], &[output]].concat());
        assert_eq!((code(&scanned), stdout(&scanned).as_str()), (1, ""), "{output}");
        let said = stderr(&scanned);
        assert!(verdicts(&said) == 1 && said.contains("./image: findings"), "{output}: {said}");
    }
    let missing = bench.run(&["scan", "image", "--fail-on-exploited", "-o", "json=report.json"]);
    assert!(stderr(&missing).contains("incomplete: "), "{}", stderr(&missing));
    bench.run(&["scan", "image", "-o", "json=before.json"]);
    let moved = bench.run(&["diff", "before.json", "before.json", "-o", "json=diff.json"]);
    assert_eq!(stdout(&moved), "");
}

#[test]
fn a_bill_that_misses_parts_says_so_beside_the_form_that_cannot() {
    let bench = Bench::new();
    let torn = ImageBuilder::new().layer(base()).layer(
        Layer::new().file("srv/app/node_modules/a/package.json", "{\"name\": \"a\", \"vers"),
    );
    torn.write_oci_dir(bench.path().join("image")).unwrap();
    for format in ["cyclonedx", "spdx", "json", "table"] {
        let listed = bench.run(&["sbom", "image", "--format", format]);
        assert_eq!(code(&listed), 3, "{format}: {}", stderr(&listed));
        let said = stderr(&listed);
        assert!(said.contains("incomplete: "), "{format}: {said}");
        assert!(said.contains("could not read all files"), "{format}: {said}");
        assert!(!said.contains("no findings"), "{format}: {said}");
    }
    let table = stdout(&bench.run(&["sbom", "image"]));
    assert!(table.starts_with("INCOMPLETE  "), "{table}");
    assert_eq!(table.lines().next(), table.lines().last());
    let quiet = bench.run(&["sbom", "image", "-q", "--format", "cyclonedx"]);
    assert_eq!((code(&quiet), stderr(&quiet).as_str()), (3, ""));
}

#[test]
fn every_layout_gives_the_same_findings() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    bench.write("oci.tar", image().oci_archive());
    bench.write("docker.tar", image().docker_archive());
    bench.write("old.tar", image().docker_archive_old());
    bench.write("packed.tar.gz", Compression::Gzip.pack(&image().docker_archive()));
    let mut seen = Vec::new();
    for reference in [
        "layout",
        "oci-dir:layout",
        "oci-archive:oci.tar",
        "docker-archive:docker.tar",
        "docker-archive:old.tar:example.test/shop:1",
        "packed.tar.gz",
    ] {
        let scanned = bench.run(&["scan", reference, "--no-cache", "-o", "json=report.json"]);
        assert_eq!(code(&scanned), 0, "{reference}: {}", stderr(&scanned));
        seen.push(findings(&bench.json("report.json")));
    }
    assert_eq!(seen[0].len(), 4);
    assert!(seen.iter().all(|findings| *findings == seen[0]));
}

#[test]
fn the_table_reads_as_people_read() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "--fail-on", "critical", "--no-cache"]);
    assert_eq!(code(&scanned), 1);
    insta::assert_snapshot!("table", stdout(&scanned));
}

#[test]
fn the_same_input_gives_the_same_bytes_from_cache_and_without() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let outputs = |cache: &[&str]| {
        let mut arguments = vec![
            "scan",
            "image",
            "-o",
            "json=r.json",
            "-o",
            "sarif=r.sarif",
            "-o",
            "cyclonedx=r.cdx",
        ];
        arguments.extend(cache);
        assert_eq!(code(&bench.run(&arguments)), 0);
        (bench.read("r.json"), bench.read("r.sarif"), bench.read("r.cdx"))
    };
    let first = outputs(&["--no-cache"]);
    assert_eq!(outputs(&["--no-cache"]), first);
    let filled = outputs(&["--cache-dir", "facts"]);
    assert_eq!(filled, first);
    let cached = outputs(&["--cache-dir", "facts"]);
    assert_ne!(cached.0, first.0);
    assert!(cached.0.contains("3 of 3 layers from cache, not re-hashed"));
    let plain = |text: &str| {
        let mut report: serde_json::Value = serde_json::from_str(text).unwrap();
        for coverage in report["coverage"].as_array_mut().unwrap() {
            coverage.as_object_mut().unwrap().remove("reason");
        }
        for layer in report["layers"].as_array_mut().unwrap() {
            layer["from_cache"] = false.into();
        }
        report
    };
    assert_eq!(
        plain(&cached.0),
        plain(&first.0),
        "apart from where it came from, the report is the same"
    );
    let again = outputs(&["--cache-dir", "facts", "--reverify"]);
    assert_eq!(again, first);
}

#[test]
fn a_layer_changed_behind_the_cache_is_found_by_reverify() {
    let bench = Bench::with_database();
    let built = image().write_oci_dir(bench.path().join("image")).unwrap();
    let arguments = ["scan", "image", "--cache-dir", "facts", "-o", "json=r.json"];
    assert_eq!(code(&bench.run(&arguments)), 0);
    let blob = format!("image/blobs/sha256/{}", built.layers[1].digest.hex());
    let mut bytes = std::fs::read(bench.path().join(&blob)).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    bench.write(&blob, bytes);
    assert_eq!(code(&bench.run(&arguments)), 0, "the cache trusts what it hashed before");
    let mut reverify = arguments.to_vec();
    reverify.push("--reverify");
    assert_eq!(code(&bench.run(&reverify)), 1);
    let report = bench.json("r.json");
    assert!(
        findings(&report)[0].starts_with("digest-mismatch critical"),
        "{:?}",
        findings(&report)
    );
}

#[test]
fn wrong_digests_are_findings_with_expected_and_found() {
    let bench = Bench::with_database();
    for (index, breakage) in
        [Breakage::LayerBytes(1), Breakage::DiffId(1), Breakage::Config, Breakage::Manifest]
            .into_iter()
            .enumerate()
    {
        let name = format!("image{index}");
        image().breaking(breakage).write_oci_dir(bench.path().join(&name)).unwrap();
        let scanned = bench.run(&["scan", &name, "--no-cache", "-o", "json=r.json"]);
        assert_eq!(code(&scanned), 1, "{breakage:?}: {}", stderr(&scanned));
        let report = bench.json("r.json");
        let finding = &report["findings"][0];
        assert_eq!(finding["rule"], "digest-mismatch", "{breakage:?}");
        assert_eq!(finding["severity"], "critical");
        let evidence = &finding["evidence"][0];
        assert_ne!(evidence["expected"], evidence["found"]);
        assert!(evidence["expected"].as_str().unwrap().starts_with("sha256:"));
    }
}

#[test]
fn malicious_packages_are_over_every_line() {
    let bench = Bench::with_database();
    let layer = node().file(
        "srv/app/node_modules/evil-demo/package.json",
        r#"{"name":"evil-demo","version":"6.6.6"}"#,
    );
    ImageBuilder::new().layer(layer).write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "-o", "json=r.json"]);
    assert_eq!(code(&scanned), 1);
    let report = bench.json("r.json");
    assert_eq!(report["findings"][0]["rule"], "malicious-package");
    assert_eq!(report["findings"][0]["id"], "MAL-2099-1");
}

#[test]
fn the_line_decides_the_exit_code() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let exit = |arguments: &[&str]| {
        let all: Vec<&str> = ["scan", "image", "-q"].iter().chain(arguments).copied().collect();
        code(&bench.run(&all))
    };
    assert_eq!(exit(&[]), 0);
    assert_eq!(exit(&["--fail-on", "critical"]), 1);
    assert_eq!(exit(&["--fail-on-unknown"]), 1);
    assert_eq!(exit(&["--fail-on", "dreadful"]), 2);
    bench.write(
        ".lazaret-ignore.toml",
        "[[ignore]]\nid = \"CVE-2099-0001\"\nreason = \"not reachable\"\nexpires = 2099-01-01\n\
         [[ignore]]\nid = \"CVE-2099-0002\"\nreason = \"not reachable\"\n",
    );
    assert_eq!(exit(&["--fail-on", "critical"]), 0, "both are ignored, with a reason");
    assert_eq!(exit(&["--fail-on", "low"]), 1);
    bench.write(
        "old.toml",
        "[[ignore]]\nid = \"CVE-2099-0001\"\nreason = \"r\"\nexpires = 2020-01-01\n",
    );
    assert_eq!(exit(&["--fail-on", "critical", "--ignore-file", "old.toml"]), 1, "it has expired");
    bench.write("bad.toml", "[[ignore]]\nid = \"CVE-2099-0001\"\n");
    assert_eq!(exit(&["--ignore-file", "bad.toml"]), 2, "a reason is needed");
}

#[test]
fn a_file_that_merely_lies_here_has_no_say_in_whom_to_believe() {
    let bench = Bench::new();
    for setting in
        ["state = \"seals\"", "docker-host = \"unix:///x\"", "containerd-address = \"/x\""]
    {
        bench.write("lazaret.toml", format!("{setting}\n"));
        let refused = bench.run(&["seals", "list"]);
        assert_eq!(code(&refused), 2, "{setting}");
        assert!(stderr(&refused).contains("--config"), "{}", stderr(&refused));
        let asked_for = bench.run(&["--config", "lazaret.toml", "--state", "own", "seals", "list"]);
        assert_eq!(code(&asked_for), 0, "{}", stderr(&asked_for));
    }
    bench.write("own.toml", "docker-host = \"unix:///nowhere/docker.sock\"\n");
    let scanned = bench.run(&["--config", "own.toml", "scan", "docker:shop"]);
    assert_eq!(code(&scanned), 2);
    assert!(stderr(&scanned).contains("/nowhere/docker.sock"), "{}", stderr(&scanned));
}

#[test]
fn values_of_flags_are_looked_at_before_anything_is_read() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench.write("no.pem", "no certificates");
    for (values, said) in [
        (["--ca-file", "nope"], "`nope` holds no certificates that can be read"),
        (["--ca-file", "no.pem"], "`no.pem` holds no certificates that can be read"),
        (["--cache-dir", "/proc/x"], "`/proc/x`, named by --cache-dir, is no folder"),
        (["--cache-dir", "no.pem"], "`no.pem`, named by --cache-dir, is no folder"),
        (["--db-key", "nope"], "cannot read the key `nope`"),
        (["--db-source", "nope"], "`nope`, named by --db-source, is not there"),
        (["-o", "nope/report.json"], "cannot write `nope/report.json`: No such file"),
    ] {
        for sandbox in ["auto", "off"] {
            let args = ["scan", "image", "--offline", "--sandbox", sandbox];
            let scanned = bench.run(&[&args[..], &values].concat());
            assert_eq!((code(&scanned), stdout(&scanned)), (2, String::new()), "{values:?}");
            let text = stderr(&scanned);
            assert!(text.contains(said) && text.trim_end().lines().count() == 1, "{text}");
        }
    }
    // What the command does not use is not made.
    let without = ["scan", "image", "--offline", "--no-cache", "--cache-dir", "/proc/x", "-q"];
    assert_eq!(code(&bench.run(&without)), 0);
}

#[test]
fn settings_come_from_file_environment_and_flags_in_that_order() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench.write("lazaret.toml", "fail-on = \"critical\"\n");
    let of_policy = bench.run(&["scan", "image", "-q"]);
    assert_eq!(code(&of_policy), 2);
    let said = "`fail-on` is a word of the policy; write `fail-on: …` into lazaret.yaml";
    assert!(stderr(&of_policy).contains(said), "{}", stderr(&of_policy));
    bench.write("lazaret.toml", "");
    let by_environment =
        bench.command(&["scan", "image", "-q"]).env("LAZARET_FAIL_ON", "high").output().unwrap();
    assert_eq!(code(&by_environment), 1);
    bench.write("lazaret.toml", "format = \"json\"\n");
    for command in ["scan", "sbom"] {
        assert!(stdout(&bench.run(&[command, "image"])).starts_with('{'), "{command}");
    }
    bench.write("lazaret.toml", "colour = \"never\"\n");
    let wrong = bench.run(&["scan", "image"]);
    assert_eq!(code(&wrong), 2);
    assert!(
        stderr(&wrong)
            .contains("line 1, column 1: `colour` is not an option; did you mean `color`?"),
        "{}",
        stderr(&wrong)
    );
}

#[test]
fn what_was_not_checked_is_incomplete_and_never_clean() {
    let bench = Bench::with_database();
    let old = base().file("etc/os-release", common::OS_RELEASE.replace("12", "7"));
    ImageBuilder::new().layer(old).write_oci_dir(bench.path().join("old")).unwrap();
    let scanned = bench.run(&["scan", "old", "--no-cache"]);
    assert_eq!(code(&scanned), 3);
    assert!(
        stdout(&scanned).contains("no advisories for Debian:7: not checked"),
        "{}",
        stdout(&scanned)
    );
    assert_eq!(code(&bench.run(&["scan", "old", "--no-cache", "--allow-partial", "-q"])), 3);

    let broken = base().file("srv/app/node_modules/x/package.json", "{oops");
    ImageBuilder::new().layer(broken).write_oci_dir(bench.path().join("broken")).unwrap();
    assert_eq!(code(&bench.run(&["scan", "broken", "-q"])), 3, "a file could not be read");
    assert_eq!(code(&bench.run(&["scan", "broken", "-q", "--allow-partial"])), 0);
    assert_eq!(
        code(&bench.run(&["scan", "broken", "-q", "--fail-on", "high"])),
        1,
        "findings outrank"
    );

    image()
        .breaking(Breakage::MissingLayer(2))
        .write_oci_dir(bench.path().join("missing"))
        .unwrap();
    assert_eq!(
        code(&bench.run(&["scan", "missing", "-q", "--allow-partial"])),
        3,
        "a layer is missing"
    );
}

#[test]
fn a_truncated_layer_keeps_what_was_read_and_is_incomplete() {
    let bench = Bench::with_database();
    let plain = base().file("usr/share/big", "x".repeat(100_000)).plain();
    let cut = Layer::of_bytes(&plain[..60_000]);
    ImageBuilder::new().layer(cut).write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "--no-cache", "-o", "json=r.json"]);
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    let report = bench.json("r.json");
    assert_eq!(findings(&report).len(), 2);
    assert!(bench.read("r.json").contains("truncated: the tar ends in the middle of an entry"));
}

#[test]
fn without_a_database_the_exit_code_says_so() {
    let bench = Bench::new();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let scanned = bench.run(&["scan", "image", "--offline"]);
    assert_eq!(code(&scanned), 4);
    assert!(stderr(&scanned).contains("run `lazaret db update`"), "{}", stderr(&scanned));
    assert_eq!(code(&bench.run(&["sbom", "image", "-q"])), 0, "packages need no database");
}

#[test]
fn a_scan_fetches_the_ecosystems_that_it_needs() {
    let bench = Bench::new();
    bench.write_feed();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let scanned =
        bench.run(&["scan", "image", "--db-source", "feed", "--fail-on", "critical", "-q"]);
    assert_eq!(code(&scanned), 1, "{}", stderr(&scanned));
    assert!(bench.path().join("db/v1/debian.lzdb").is_file());
}

#[test]
fn wrong_inputs_are_usage_errors_with_a_remedy() {
    let bench = Bench::with_database();
    bench.write("empty.tar", "");
    let made =
        std::process::Command::new("mkfifo").arg(bench.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for (arguments, expected) in [
        (vec!["scan", "./nothing-here"], "cannot read `./nothing-here`"),
        (vec!["scan", "empty.tar"], "is not an image archive, an OCI layout or a directory"),
        (vec!["scan", "pipe"], "is not an image archive, an OCI layout or a directory"),
        (vec!["scan", "docker-archive:pipe"], "is not an image archive"),
        (vec!["scan", "ship://x"], "unknown scheme `ship`"),
        (vec!["scan"], "--running"),
        (vec!["sbom", ".", "--format", "sarif"], "`sarif` has no form for packages"),
        (vec!["scan", ".", "-o", "sarif="], "names no file"),
        (vec!["scan", ".", "-o", "nope=x"], "nope"),
        (vec!["scan", ".", "--config", "none.toml"], "cannot read `none.toml`"),
    ] {
        let output = bench.run(&arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn a_source_folder_counts_its_declarations_and_a_root_file_system_does_not() {
    let bench = Bench::with_database();
    let lock = r#"{"name":"shop","lockfileVersion":3,"packages":{"":{"name":"shop","version":"1.0.0"},
        "node_modules/left-demo":{"version":"1.0.0"}}}"#;
    bench.write("project/package-lock.json", lock);
    let scanned = bench.run(&["scan", "dir:project", "-o", "json=r.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = bench.json("r.json");
    assert_eq!(report["subject"]["kind"], "source-directory");
    assert_eq!(report["packages"][0]["presence"], "declared");
    assert_eq!(findings(&report).len(), 1);

    bench.write("root/etc/os-release", common::OS_RELEASE);
    bench.write("root/var/lib/dpkg/status", common::STATUS);
    bench.write("root/srv/package-lock.json", lock);
    assert_eq!(code(&bench.run(&["scan", "root", "-o", "json=r.json"])), 0);
    let report = bench.json("r.json");
    assert_eq!(report["subject"]["kind"], "root-directory");
    assert_eq!(report["packages"].as_array().unwrap().len(), 2);
}

#[test]
fn an_archive_cut_anywhere_is_never_clean() {
    let bench = Bench::with_database();
    let whole = image().docker_archive();
    // The last two blocks only mark the end.
    for cut in (0..whole.len() - 1024).step_by(whole.len() / 23) {
        bench.write("cut.tar", &whole[..cut]);
        for reference in ["cut.tar", "docker-archive:cut.tar"] {
            let scanned = bench.run(&["scan", reference, "--no-cache", "-o", "json=r.json"]);
            if code(&scanned) == 0 {
                // Cut behind the last file that the image needs: all digests hold.
                assert_eq!(findings(&bench.json("r.json")).len(), 4, "{reference} at {cut}");
                continue;
            }
            assert!([2, 3].contains(&code(&scanned)), "{reference} at {cut}: {}", code(&scanned));
            assert_eq!(stderr(&scanned).lines().count(), 1, "{}", stderr(&scanned));
        }
    }
}

#[test]
fn an_interrupted_scan_leaves_nothing_half_written() {
    let bench = Bench::with_database();
    let big = base().file("usr/share/big", vec![b'x'; 64 << 20]);
    ImageBuilder::new().layer(big).write_oci_dir(bench.path().join("image")).unwrap();
    for milliseconds in [5, 30, 90, 200] {
        let mut child = bench
            .command(&["scan", "image", "--cache-dir", "facts", "-o", "json=r.json"])
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let pid = child.id().to_string();
        // The shell's own: a minimal system has no program of this name.
        let line = format!("kill -INT {pid}");
        let _ = std::process::Command::new("sh").args(["-c", &line]).status().unwrap();
        child.wait().unwrap();
        if bench.path().join("r.json").exists() {
            assert!(bench.json("r.json")["findings"].is_array(), "whole, if it is there");
        }
    }
    let scanned = bench.run(&["scan", "image", "--cache-dir", "facts", "-o", "json=r.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    assert_eq!(findings(&bench.json("r.json")).len(), 2);
}

#[test]
fn a_folder_without_anything_known_is_not_clean() {
    let bench = Bench::with_database();
    bench.write("project/readme.txt", "nothing here");
    let scanned = bench.run(&["scan", "project"]);
    assert_eq!(code(&scanned), 3, "{}", stdout(&scanned));
    assert!(stdout(&scanned).contains("nothing in this folder is known to hold packages"));
}

#[test]
fn the_layout_of_skopeo_s_dir_is_an_image() {
    let bench = Bench::with_database();
    let built = image().build();
    bench.write("flat/version", "Directory Transport Version: 1.1\n");
    bench.write("flat/manifest.json", &built.manifest);
    bench.write(&format!("flat/{}", built.config_digest.hex()), &built.config);
    for layer in &built.layers {
        bench.write(&format!("flat/{}", layer.digest.hex()), layer.packed.as_ref().unwrap());
    }
    for reference in ["flat", "dir:flat"] {
        let scanned = bench.run(&["scan", reference, "--no-cache", "-o", "json=r.json"]);
        assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
        let report = bench.json("r.json");
        assert_eq!(report["subject"]["manifest_digest"], built.manifest_digest.to_string());
        assert_eq!(findings(&report).len(), 4);
    }
}

#[test]
fn a_link_that_is_written_to_stays_a_link() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench.write("real.json", "before");
    std::os::unix::fs::symlink("real.json", bench.path().join("link.json")).unwrap();
    assert_eq!(code(&bench.run(&["scan", "image", "-o", "json=link.json"])), 0);
    assert!(bench.path().join("link.json").is_symlink());
    assert!(bench.json("real.json")["findings"].is_array());
}

#[test]
fn results_are_whole_or_not_there() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    bench.write("report.json", "before");
    std::fs::create_dir(bench.path().join("folder")).unwrap();
    let failed = bench.run(&["scan", "image", "-o", "json=no/such/folder/report.json"]);
    assert_eq!(code(&failed), 2);
    assert!(stderr(&failed).contains("cannot write `no/such/folder/report.json`"));
    assert_eq!(code(&bench.run(&["scan", "image", "-o", "json=report.json", "-o", "table=-"])), 0);
    assert!(bench.json("report.json")["findings"].is_array());
    let left: Vec<String> = std::fs::read_dir(bench.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let coloured =
        |command: &mut std::process::Command| stdout(&command.output().unwrap()).contains('\u{1b}');
    assert!(!coloured(&mut bench.command(&["scan", "image"])));
    assert!(coloured(&mut bench.command(&["scan", "image", "--color", "always"])));
    assert!(coloured(bench.command(&["scan", "image"]).env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(
        bench.command(&["scan", "image"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")
    ));
}

#[test]
fn the_file_record_is_there_when_asked_for() {
    let bench = Bench::with_database();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    assert_eq!(code(&bench.run(&["scan", "image", "--file-digests", "-o", "json=r.json"])), 0);
    let report = bench.json("r.json");
    let status = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["path"] == "var/lib/dpkg/status")
        .unwrap();
    assert_eq!(status["digest"], vocabulary::Digest::of(common::STATUS.as_bytes()).to_string());
    assert_eq!(status["layer"], 0);
}

#[test]
fn real_package_databases_list_their_packages() {
    let Some(shared) = testkit::shared() else { return };
    let bench = Bench::new();
    for (image, packages, name) in [
        ("alpine-3.10.3-dbonly", 14, "musl"),
        ("alpine-3.20.3-dbonly", 14, "musl"),
        ("rpm-mariner2-dbonly", 129, "bash"),
        ("rpm-sle15-dbonly", 35, "glibc"),
    ] {
        let reference = format!("oci-dir:{}", shared.join("images").join(image).display());
        let listed = bench.run(&["sbom", &reference, "--no-cache", "-o", "json=r.json"]);
        assert_eq!(code(&listed), 0, "{image}: {}", stderr(&listed));
        let report = bench.json("r.json");
        let all = report["packages"].as_array().unwrap();
        assert_eq!(all.len(), packages, "{image}");
        assert!(all.iter().any(|package| package["name"] == name), "{image}");
    }
    let root = bench.path().join("bdb/var/lib/rpm");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::copy(shared.join("rpmdb/libuuid-bdb/Packages"), root.join("Packages")).unwrap();
    assert_eq!(code(&bench.run(&["sbom", "dir:bdb", "--no-cache", "-o", "json=r.json"])), 0);
    assert_eq!(bench.json("r.json")["packages"][0]["name"], "libuuid");
}
