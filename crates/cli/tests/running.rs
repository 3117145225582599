//! `lazaret scan --running` from the outside, against an engine of the test's own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, STATUS, code, node, stderr, stdout};
use std::process::Output;
use testkit::{ContainerdDaemon, DockerDaemon, ImageBuilder, Layer, tiny_program};

/// The moment of the binary in tests, `SOURCE_DATE_EPOCH`.
const NOW: &str = "2026-09-21T14:13:20Z";

/// Waits for its end.
const SLEEPER: &str = "#include <unistd.h>\nint main(void) { for (;;) pause(); }";

/// Debian with a library that its package database names by another path than a kernel would.
fn image(sleeper: &[u8], name: &str) -> ImageBuilder {
    let base = Layer::new()
        .directory("bin")
        .program("bin/sleeper", sleeper)
        .file("etc/os-release", common::OS_RELEASE)
        .file("var/lib/dpkg/status", STATUS)
        .file("var/lib/dpkg/info/libopensel3.list", "/.\n/lib\n/lib/libopensel.so.3\n")
        .file("var/lib/dpkg/info/zcat.list", "/.\n/bin\n/bin/zcat\n")
        .directory("usr")
        .directory("usr/lib")
        .file("usr/lib/libopensel.so.3", "made up")
        .symlink("lib", "usr/lib");
    ImageBuilder::new()
        .tag(name)
        .layer(base)
        .history("ADD rootfs.tar / ")
        .layer(node())
        .history("COPY app /srv/app")
}

struct Machine {
    bench: Bench,
    docker: DockerDaemon,
}

impl Machine {
    fn start() -> Option<Self> {
        let sleeper = tiny_program(SLEEPER)?;
        let docker = DockerDaemon::start()?;
        docker.load_bytes(&image(&sleeper, "shop:1").docker_archive());
        Some(Self { bench: Bench::with_database(), docker })
    }

    fn scan(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["scan", "--running", "--docker-host", self.docker.host()];
        all.extend(["--containerd-address", "no-such.sock", "--state", "state"]);
        all.extend(arguments);
        self.bench.run(&all)
    }

    /// What the agent would have written of a container.
    fn write_usage(&self, file: &str, id: &str, started: &str, files: &[&str]) {
        let usage = serde_json::json!({
            "schema": "lazaret.usage/1",
            "container": {
                "engine": "docker", "id": id, "name": "shop", "image": "shop:1",
                "started": started,
            },
            "since": started,
            "complete": true,
            "until": NOW,
            "files": files,
            "lost": 0,
        });
        self.bench.write(&format!("state/usage/{file}.json"), usage.to_string());
    }
}

/// `id used` of each finding.
fn used(container: &serde_json::Value) -> Vec<String> {
    let findings = container["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            format!("{} {}", finding["id"].as_str().unwrap(), finding["used"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn what_a_container_has_loaded_comes_first() {
    let Some(machine) = Machine::start() else { return };
    let shop = machine.docker.run("shop:1", "shop", &["/bin/sleeper"]);
    let idle = machine.docker.run("shop:1", "idle", &["/bin/sleeper"]);
    let started = machine.docker.docker(&["inspect", "--format", "{{.State.StartedAt}}", &shop]);
    machine.write_usage(&shop, &shop, &started, &["bin/sleeper", "usr/lib/libopensel.so.3"]);

    let scanned = machine.scan(&["-o", "json=r.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = machine.bench.json("r.json");
    assert_eq!(report["schema"], "lazaret.running/2");
    assert_eq!(report["outcome"], "no-line");
    let containers = report["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 2);
    assert_eq!(containers[0]["container"]["name"], "shop");
    assert_eq!(
        used(&containers[0]),
        ["CVE-2099-0001 loaded", "CVE-2099-0002 loaded", "GHSA-aaaa-bbbb-cccc not-loaded",]
    );
    let first = &containers[0]["findings"][0];
    assert_eq!(first["used_files"][0], "usr/lib/libopensel.so.3", "by its real place");
    assert_eq!(first["source"], "opensel");
    assert_eq!(containers[0]["watched"]["complete"], true);
    assert!(containers[0]["image"]["config_digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(containers[0]["seal"], serde_json::Value::Null);
    assert_eq!(containers[1]["container"]["name"], "idle");
    assert!(used(&containers[1]).iter().all(|used| used.ends_with(" unknown")));

    let table = stdout(&machine.scan(&["--color", "never"]));
    let ids = |text: String| {
        text.replace(shop.get(..12).unwrap(), "<shop>").replace(idle.get(..12).unwrap(), "<idle>")
    };
    insta::assert_snapshot!("running", ids(table).replace(&started, "<start>"));

    assert_eq!(code(&machine.bench.run(&["key", "new", "key"])), 0);
    let sealing = ["seal", "docker:shop:1", "--key", "key", "--state", "state"];
    let sealed =
        machine.bench.run(&[&sealing[..], &["--docker-host", machine.docker.host()]].concat());
    assert_eq!(code(&sealed), 0, "{}", stderr(&sealed));
    assert_eq!(code(&machine.scan(&["-o", "json=r.json"])), 0);
    let seal = machine.bench.json("r.json")["containers"][1]["seal"].clone();
    assert!(seal.as_str().unwrap().starts_with("sha256:"), "{seal}");

    assert_eq!(code(&machine.scan(&["-q", "--fail-on", "critical"])), 1);
    assert_eq!(code(&machine.scan(&["-q", "--fail-on-unknown"])), 1);

    // A file of another container, one of an earlier run, and one that is no JSON.
    machine.write_usage(&shop, &idle, &started, &["usr/lib/libopensel.so.3"]);
    machine.write_usage(&idle, &idle, "2020-01-01T00:00:00Z", &["usr/lib/libopensel.so.3"]);
    assert_eq!(code(&machine.scan(&["-o", "json=r.json"])), 0);
    let report = machine.bench.json("r.json");
    assert_eq!(report["problems"].as_array().unwrap().len(), 2, "{}", report["problems"]);
    for container in report["containers"].as_array().unwrap() {
        assert!(used(container).iter().all(|used| used.ends_with(" unknown")));
    }
    machine.bench.write(&format!("state/usage/{shop}.json"), "{oops");
    assert_eq!(code(&machine.scan(&["-o", "json=r.json"])), 0);
    assert!(machine.bench.json("r.json")["problems"].to_string().contains("cannot be read"));
}

#[test]
fn a_container_whose_tag_moved_is_scanned_by_the_image_that_it_was_made_from() {
    let Some(machine) = Machine::start() else { return };
    let _shop = machine.docker.run("shop:1", "shop", &["/bin/sleeper"]);
    let clean = ImageBuilder::new().tag("shop:1").layer(Layer::new().file("etc/x", "y"));
    machine.docker.load_bytes(&clean.docker_archive());
    let scanned = machine.scan(&["-o", "json=r.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = machine.bench.json("r.json");
    assert_eq!(used(&report["containers"][0]).len(), 3);
}

#[test]
fn containers_of_containerd_are_scanned_and_never_by_an_image_that_took_their_name() {
    let Some(sleeper) = tiny_program(SLEEPER) else { return };
    let Some(daemon) = ContainerdDaemon::start() else { return };
    let bench = Bench::with_database();
    let name = "docker.io/library/shop:1";
    daemon.import_bytes(&image(&sleeper, name).docker_archive());
    daemon.run(name, "shop", &["/bin/sleeper"]);
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        let address = daemon.address().to_str().unwrap();
        all.extend(["--docker-host", "unix:///nonexistent/docker.sock", "--state", "state"]);
        all.extend(["--containerd-address", address]);
        all.extend(["--containerd-namespace", daemon.namespace()]);
        bench.run(&all)
    };
    let scanned = run(&["scan", "--running", "-o", "json=r.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = bench.json("r.json");
    assert_eq!(report["containers"][0]["container"]["id"], "shop");
    assert_eq!(used(&report["containers"][0]).len(), 3);
    assert_eq!(code(&run(&["affected", "CVE-2099-0001"])), 1);
    assert_eq!(code(&run(&["affected", "MAL-2099-1"])), 0);

    let other = ImageBuilder::new().tag(name).layer(node());
    daemon.import_bytes(&other.docker_archive());
    let moved = run(&["scan", "--running", "-o", "json=r.json"]);
    let report = bench.json("r.json");
    let container = &report["containers"][0];
    assert_eq!(code(&moved), 3, "{}", stderr(&moved));
    assert!(used(container).is_empty(), "{container}");
    assert!(container["coverage"].to_string().contains("another image by now"), "{container}");
    assert_eq!(code(&run(&["affected", "MAL-2099-1"])), 3);
}

#[test]
fn where_nothing_runs_or_nothing_answers_the_exit_code_says_which() {
    let bench = Bench::with_database();
    let arguments = |host: &'static str| {
        ["scan", "--running", "--docker-host", host, "--containerd-address", "none.sock"]
    };
    let silent = bench.run(&arguments("unix:///nonexistent/docker.sock"));
    assert_eq!(code(&silent), 3);
    assert!(stderr(&silent).contains("no container engine listens"), "{}", stderr(&silent));
    let wrong = bench.run(&arguments("ftp://x"));
    assert_ne!(code(&wrong), 0, "{}", stdout(&wrong));

    for arguments in [
        vec!["scan", "--running", "--format", "sarif"],
        vec!["scan", "--running", "-o", "cyclonedx=x"],
    ] {
        let refused = bench.run(&arguments);
        assert_eq!(code(&refused), 2);
        assert!(stderr(&refused).contains("use table or json"), "{}", stderr(&refused));
    }
    assert_eq!(code(&bench.run(&["scan", "--running", "image"])), 2);

    let Some(machine) = Machine::start() else { return };
    let nothing = machine.scan(&[]);
    assert_eq!(code(&nothing), 0, "{}", stderr(&nothing));
    assert!(stdout(&nothing).contains("NOTHING RUNS  no container runs"), "{}", stdout(&nothing));
    assert!(!stdout(&nothing).contains("PASS"), "{}", stdout(&nothing));
}
