//! Names and messages of strangers in what is printed: terminals, CI services and eyes.

use crate::common::{Bench, code, image, stderr, stdout};
use testkit::{ImageBuilder, Layer};

/// What a stranger writes: a line of its own, a workflow command, a verdict, an escape sequence, a
/// direction override, Azure's command.
const HOSTILE: &str = "x\n::error::owned\r\nPASS  nothing found\u{1b}[2J\u{202e}gpj\u{9b}31m ##vso[task.complete result=Succeeded]";

/// No line that begins like a command or a verdict, and nothing that a terminal acts on.
fn is_harmless(text: &str) -> bool {
    let acts = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}".contains(c);
    !text.chars().any(acts)
        && text.lines().map(str::trim_start).all(|line| {
            !line.starts_with("::") && !line.starts_with("PASS") && !line.contains("##vso[")
        })
}

#[test]
fn an_annotation_of_an_index_cannot_print_a_command_or_a_verdict() {
    let bench = Bench::with_database();
    for name in ["one", "two"] {
        let named = image().annotation("org.opencontainers.image.ref.name", HOSTILE).tag(HOSTILE);
        named.write_oci_dir(bench.path().join(name)).unwrap();
    }
    for arguments in [
        &["scan", "oci-dir:one:nothing", "--no-cache"][..],
        &["scan", "oci-dir:one", "--no-cache"],
        &["scan", "oci-dir:one", "oci-dir:two", "oci-dir:gone", "--no-cache"],
        &["sbom", "oci-dir:one", "--no-cache", "--format", "spdx"],
        &["scan", "oci-dir:one", "--no-cache", "--format", "json"],
        &["scan", "oci-dir:one", "--no-cache", "--format", "sarif"],
        &["scan", "oci-dir:one", "--no-cache", "--format", "junit"],
        &["scan", "oci-dir:one", "--no-cache", "--format", "markdown"],
        &["scan", "oci-dir:one", "--no-cache", "--format", "gitlab", "-o", "cyclonedx=-"],
    ] {
        let output = bench.run(arguments);
        assert!(is_harmless(&stderr(&output)), "{arguments:?}: {}", stderr(&output));
        assert!(is_harmless(&stdout(&output)), "{arguments:?}: {}", stdout(&output));
    }
}

#[test]
fn an_argument_that_is_refused_is_shown_on_one_line() {
    let bench = Bench::new();
    for arguments in [
        &[HOSTILE][..],
        &["scan", "--fail-on", HOSTILE, "x"],
        &["scan", "--format", HOSTILE, "x"],
        &["scan", HOSTILE],
        &["--config", HOSTILE, "scan", "x"],
        &["explain", HOSTILE],
        &["db", "compare", HOSTILE, "1", "2"],
        &["db", "match", HOSTILE],
        &["man", HOSTILE],
    ] {
        let output = bench.run(arguments);
        assert_ne!(code(&output), 0, "{arguments:?}");
        assert!(is_harmless(&stderr(&output)), "{arguments:?}: {}", stderr(&output));
        assert!(is_harmless(&stdout(&output)), "{arguments:?}: {}", stdout(&output));
    }
    let by_variable = bench.command(&["scan", "x"]).env("LAZARET_FAIL_ON", HOSTILE).output();
    let by_variable = by_variable.unwrap();
    assert_eq!(code(&by_variable), 2);
    assert_eq!(stderr(&by_variable).lines().count(), 1, "{}", stderr(&by_variable));
    assert!(is_harmless(&stderr(&by_variable)));
}

#[test]
fn names_of_files_and_packages_cannot_act_in_any_form() {
    let bench = Bench::with_database();
    let manifest = serde_json::json!({"name": "left-demo", "version": "1.0.0", "license": HOSTILE});
    let place = |name: &str| format!("srv/{name}/node_modules/left-demo/package.json");
    let layer = Layer::new()
        .file(place("::error::x"), manifest.to_string())
        .file(place(HOSTILE), manifest.to_string())
        .file(place("broken\n::error::y"), "{");
    ImageBuilder::new()
        .layer(layer)
        .history(HOSTILE)
        .write_oci_dir(bench.path().join("i"))
        .unwrap();
    for format in ["table", "json", "cyclonedx", "sarif", "spdx", "markdown", "junit", "gitlab"] {
        let output = bench.run(&["scan", "oci-dir:i", "--no-cache", "-vv", "--format", format]);
        assert!(is_harmless(&stderr(&output)), "{format}: {}", stderr(&output));
        assert!(is_harmless(&stdout(&output)), "{format}: {}", stdout(&output));
    }
    // What JSON says is still what lies there.
    let json = bench.run(&["scan", "oci-dir:i", "--no-cache", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap();
    let paths: Vec<&str> = json["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| package["location"]["path"].as_str())
        .collect();
    assert!(paths.contains(&place(HOSTILE).as_str()), "{paths:?}");
}

#[test]
fn a_value_in_a_template_cannot_begin_a_command() {
    let bench = Bench::with_database();
    let layer = Layer::new().file(
        "::error::x/node_modules/left-demo/package.json",
        r#"{"name":"left-demo","version":"1.0.0"}"#,
    );
    ImageBuilder::new().layer(layer).write_oci_dir(bench.path().join("i")).unwrap();
    bench.write(
        "t.txt",
        "{% for package in report.packages %}{{ package.location.path }}\n{% endfor %}",
    );
    let output = bench.run(&["scan", "oci-dir:i", "--no-cache", "--format", "template:t.txt"]);
    assert!(stdout(&output).contains("error::x"), "{}", stdout(&output));
    assert!(is_harmless(&stdout(&output)), "{}", stdout(&output));
}
