//! Sums without bounds: many layers, copies, links, packages and findings that are each small.

use crate::common::{Bench, code, stderr};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::{Output, Stdio};
use testkit::{Compression, ImageBuilder, Layer};

/// What no input makes a scan exceed, resident.
const MEMORY: u64 = 512 << 20;

/// Runs the program to its end, and what it took at its peak, in bytes. The kernel keeps the peak, so
/// that only what comes after the last look is missed.
fn measured(bench: &Bench, arguments: &[&str]) -> (Output, u64) {
    let mut command = bench.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let watching = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let Some(line) = text.lines().find(|line| line.starts_with("VmHWM:")) else { break };
            let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            peak = peak.max(kibibytes << 10);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        peak
    });
    // Its output goes to files; what it says is little.
    let output = {
        let _ = child.stdin.take();
        child.wait_with_output().unwrap()
    };
    (output, watching.join().unwrap())
}

fn scan(bench: &Bench, more: &[&str]) -> (Output, u64, Value) {
    let mut arguments = vec!["scan", "oci-dir:i", "-o", "json=report.json"];
    arguments.extend(more);
    let (output, peak) = measured(bench, &arguments);
    assert!(peak < MEMORY, "{} MiB: {}", peak >> 20, stderr(&output));
    eprintln!("{more:?}: {} MiB, exit {:?}", peak >> 20, output.status.code());
    (output, peak, bench.json("report.json"))
}

fn status<'report>(report: &'report Value, check: &str) -> &'report str {
    let coverage = report["coverage"].as_array().unwrap();
    let found = coverage.iter().find(|one| one["check"] == check);
    found.unwrap_or_else(|| panic!("{check} in {coverage:?}"))["status"].as_str().unwrap()
}

fn packages(report: &Value) -> usize {
    report["packages"].as_array().unwrap().len()
}

/// A layer of so many Node packages, all of other names.
fn node_packages(prefix: &str, count: usize) -> Layer {
    (0..count).fold(Layer::new().compression(Compression::Gzip), |layer, number| {
        let name = format!("{prefix}{number}");
        layer.file(
            format!("srv/{prefix}/{number}/node_modules/{name}/package.json"),
            format!(r#"{{"name":"{name}","version":"1.0.0","license":"MIT"}}"#),
        )
    })
}

#[test]
fn layers_that_fit_one_by_one_do_not_fill_memory_together() {
    let bench = Bench::with_database();
    let mut image = ImageBuilder::new();
    for layer in ["a", "b", "c", "d"] {
        image = image.layer(node_packages(layer, 300_000));
    }
    image.write_oci_dir(bench.path().join("i")).unwrap();
    drop(image);
    let (first, _, report) = scan(&bench, &["--no-cache"]);
    assert_eq!(code(&first), 3, "{}", stderr(&first));
    assert_eq!(status(&report, "layers"), "failed");
    let kept = packages(&report);
    assert!(kept > 200_000, "{kept}");
    // The same report from whatever the cache knows, and whoever was faster.
    let before = bench.read("report.json");
    for _ in 0..2 {
        let (again, _, report) = scan(&bench, &["--cache-dir", "cache"]);
        assert_eq!((code(&again), packages(&report)), (3, kept));
    }
    let without = |text: &str| -> Vec<String> {
        let told = |line: &&str| !line.contains("from_cache") && !line.contains("from cache");
        text.lines().filter(told).map(str::to_owned).collect()
    };
    assert!(without(&before) == without(&bench.read("report.json")), "the reports differ");
}

#[test]
fn two_hundred_thousand_packages_are_listed_whole() {
    let bench = Bench::with_database();
    let image = ImageBuilder::new().layer(node_packages("a", 120_000));
    image.layer(node_packages("b", 80_000)).write_oci_dir(bench.path().join("i")).unwrap();
    let (output, _, report) = scan(&bench, &["--no-cache"]);
    assert_eq!((code(&output), packages(&report)), (0, 200_000), "{}", stderr(&output));
    assert_eq!(status(&report, "layers"), "ran");
}

#[test]
fn links_to_one_vulnerable_package_are_counted() {
    let bench = Bench::with_database();
    let text = r#"{"name":"left-demo","version":"1.0.0","license":"MIT"}"#;
    let place = |number| format!("srv/{number}/node_modules/left-demo/package.json");
    let layer = (1..=80_000).fold(Layer::new().file(place(0), text), |layer, number| {
        layer.hard_link(place(number), place(0))
    });
    let layer = layer.compression(Compression::Gzip);
    ImageBuilder::new().layer(layer).write_oci_dir(bench.path().join("i")).unwrap();
    let (output, _, report) = scan(&bench, &["--no-cache", "--fail-on", "unknown"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert_eq!(packages(&report), 80_001);
    assert_eq!(status(&report, "vulnerabilities:npm"), "partial");
    let findings = report["findings"].as_array().unwrap();
    let listed = findings.iter().filter(|finding| finding["rule"] == "known-vulnerability").count();
    let more: u64 = findings.iter().filter_map(|finding| finding["more_places"].as_u64()).sum();
    assert_eq!(listed as u64 + more, 80_001, "one vulnerability");
    assert!(listed <= 500, "{listed}");
    let table = crate::common::stdout(&bench.run(&["scan", "oci-dir:i", "--no-cache"]));
    assert!(table.contains("79501 more places"), "{table}");
}

#[test]
fn findings_that_multiply_end_and_coverage_says_so() {
    let bench = Bench::new();
    bench.write("feed/ecosystems.txt", "npm\n");
    for number in 0..200 {
        let advisory = format!(
            r#"{{"id":"GHSA-{number:04}-aaaa-bbbb","modified":"2026-01-01T00:00:00Z","summary":"No {number}",
            "aliases":["CVE-2099-{number:05}"],
            "affected":[{{"package":{{"ecosystem":"npm","name":"left-demo"}},
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}]}}]}}"#
        );
        bench.write(&format!("feed/npm/{number}.json"), advisory);
    }
    assert_eq!(code(&bench.run(&["db", "update", "--from", "feed"])), 0);
    // Each of a version of its own, so that they are no places of one package.
    let layer = (0..11_000).fold(Layer::new().compression(Compression::Gzip), |layer, number| {
        layer.file(
            format!("srv/{number}/node_modules/left-demo/package.json"),
            format!(r#"{{"name":"left-demo","version":"1.{number}.0","license":"MIT"}}"#),
        )
    });
    ImageBuilder::new().layer(layer).write_oci_dir(bench.path().join("i")).unwrap();
    let (output, _, report) = scan(&bench, &["--no-cache"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(status(&report, "vulnerabilities:npm"), "partial");
    let findings = report["findings"].as_array().unwrap().len();
    assert!(findings > 40_000, "{findings}");
    let again = scan(&bench, &["--no-cache"]);
    assert!(again.2["findings"] == report["findings"], "which are listed is no matter of chance");
    for format in ["table", "cyclonedx", "sarif", "markdown", "junit", "gitlab"] {
        let to = format!("{format}=out");
        let (output, peak) = measured(&bench, &["scan", "oci-dir:i", "--no-cache", "-o", &to]);
        assert!(peak < MEMORY, "{format}: {} MiB", peak >> 20);
        assert_eq!(code(&output), 3, "{format}: {}", stderr(&output));
    }
}

#[test]
fn small_records_cannot_become_large_packages() {
    let bench = Bench::with_database();
    let mut layer = Layer::new().file("etc/os-release", crate::common::OS_RELEASE);
    for file in 0..12 {
        let mut status = String::new();
        for number in 0..150_000 {
            let _ = write!(
                status,
                "Package: p{file}x{number}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
            );
        }
        layer = layer.file(format!("var/lib/dpkg/status.d/s{file}"), status);
    }
    let layer = layer.compression(Compression::Gzip);
    ImageBuilder::new().layer(layer).write_oci_dir(bench.path().join("i")).unwrap();
    let (output, _, report) = scan(&bench, &["--no-cache"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(status(&report, "dpkg"), "partial");
    assert!(packages(&report) > 200_000, "{}", packages(&report));
}

#[test]
fn names_and_links_alone_do_not_fill_memory() {
    let bench = Bench::with_database();
    let mut image = ImageBuilder::new();
    for layer in 0..6 {
        let long = "d".repeat(120);
        let links =
            (0..150_000).fold(Layer::new().compression(Compression::Gzip), |made, number| {
                let place = format!("{long}/{layer}/{number}");
                match number % 3 {
                    0 => made.symlink(place, format!("/{long}/{long}/{number}")),
                    1 => made.whiteout(&place),
                    _ => made.file(format!("{place}/package.json"), "{"),
                }
            });
        image = image.layer(links);
    }
    image.write_oci_dir(bench.path().join("i")).unwrap();
    drop(image);
    let (output, _, report) = scan(&bench, &["--no-cache"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(status(&report, "layers"), "failed");
}
