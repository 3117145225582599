//! `lazaret affected` from the outside, against an engine of the test's own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, STATUS, code, node, stderr, stdout};
use std::process::Output;
use testkit::{DockerDaemon, ImageBuilder, Layer, tiny_program};

fn image(sleeper: &[u8]) -> ImageBuilder {
    let base = Layer::new()
        .directory("bin")
        .program("bin/sleeper", sleeper)
        .file("etc/os-release", common::OS_RELEASE)
        .file("var/lib/dpkg/status", STATUS)
        .file("var/lib/dpkg/info/libopensel3.list", "/.\n/usr\n/usr/lib/libopensel.so.3\n")
        .file("usr/lib/libopensel.so.3", "made up");
    ImageBuilder::new()
        .tag("shop:1")
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
        let sleeper = tiny_program("#include <unistd.h>\nint main(void) { for (;;) pause(); }")?;
        let docker = DockerDaemon::start()?;
        docker.load_bytes(&image(&sleeper).docker_archive());
        Some(Self { bench: Bench::with_database(), docker })
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut all = arguments.to_vec();
        all.extend(["--docker-host", self.docker.host()]);
        all.extend(["--containerd-address", "no-such.sock", "--state", "state"]);
        self.bench.run(&all)
    }

    /// Exit code and answer.
    fn affected(&self, id: &str) -> (i32, serde_json::Value) {
        let output = self.run(&["affected", id, "--format", "json"]);
        let answer = serde_json::from_slice(&output.stdout);
        (code(&output), answer.unwrap_or_else(|_| panic_with(&stderr(&output))))
    }
}

fn panic_with(text: &str) -> serde_json::Value {
    assert_eq!(text, "", "an answer was expected");
    serde_json::Value::Null
}

#[test]
fn running_containers_and_images_are_named_with_package_layer_and_fix() {
    let Some(machine) = Machine::start() else { return };
    let shop = machine.docker.run("shop:1", "shop", &["/bin/sleeper"]);
    let started = machine.docker.docker(&["inspect", "--format", "{{.State.StartedAt}}", &shop]);
    let usage = serde_json::json!({
        "schema": "lazaret.usage/1",
        "container": {
            "engine": "docker", "id": shop, "name": "shop", "image": "shop:1", "started": started,
        },
        "since": started, "complete": true, "until": "2026-09-21T14:13:20Z",
        "files": ["usr/lib/libopensel.so.3"], "lost": 0,
    });
    machine.bench.write(&format!("state/usage/{shop}.json"), usage.to_string());

    let (exit, answer) = machine.affected("CVE-2099-0001");
    assert_eq!(exit, 1);
    assert_eq!(answer["schema"], "lazaret.affected/1");
    assert_eq!(answer["advisories"][0], "DSA-1-1");
    assert_eq!(answer["not_checked"].as_array().unwrap().len(), 0, "{}", answer["not_checked"]);
    let running = &answer["running"][0];
    assert_eq!(running["container"]["name"], "shop");
    let package = &running["packages"][0];
    assert!(package["package"].as_str().unwrap().starts_with("pkg:deb/debian/libopensel3@3.0.1-1"));
    assert_eq!(package["fix"]["version"], "3.0.2-1");
    assert_eq!(package["layer"], 0);
    assert_eq!(package["command"], "ADD rootfs.tar /");
    assert_eq!(package["used"], "loaded");
    let image = &answer["images"][0];
    assert_eq!(image["names"][0], "shop:1");
    assert_eq!(image["running"], 1);
    assert_eq!(image["packages"][0]["used"], "unknown", "an image uses nothing");

    for (id, packages) in [("cve-2099-0001", 1), ("dsa-1-1", 2), ("GHSA-AAAA-BBBB-CCCC", 1)] {
        let (exit, answer) = machine.affected(id);
        assert_eq!(exit, 1, "{id}");
        assert_eq!(answer["running"][0]["packages"].as_array().unwrap().len(), packages, "{id}");
    }

    let quiet = machine.run(&["affected", "CVE-2099-0001", "-q"]);
    assert_eq!((code(&quiet), stdout(&quiet).as_str()), (1, ""));
    let table = stdout(&machine.run(&["affected", "CVE-2099-0001", "--color", "never"]));
    let digest = image["image_id"].as_str().unwrap();
    let shown = table
        .replace(shop.get(..12).unwrap(), "<shop>")
        .replace(digest.get(..19).unwrap(), "sha256:<image>");
    insta::assert_snapshot!("affected", shown);
}

#[test]
fn not_affected_and_not_known_and_not_checked_are_three_answers() {
    let Some(machine) = Machine::start() else { return };
    // Of an ecosystem that the image has, and of one that it has not.
    for id in ["MAL-2099-1", "CVE-2099-0003"] {
        let (exit, answer) = machine.affected(id);
        assert_eq!(exit, 0, "{id}: {answer}");
        assert_eq!(answer["outcome"], "pass");
        assert_eq!(answer["images_checked"], 1);
    }
    let unknown = machine.run(&["affected", "CVE-2099-9999"]);
    assert_eq!(code(&unknown), 3);
    let text = stdout(&unknown);
    assert!(text.contains("UNKNOWN ID  no advisory names `CVE-2099-9999`"), "{text}");
    assert!(!text.to_lowercase().contains("not affected"));
    assert_eq!(code(&machine.run(&["affected", "not an id"])), 2);

    let damaged = Layer::new()
        .file("etc/os-release", common::OS_RELEASE)
        .file("var/lib/dpkg/status", "Package: sound\nVersion: 1\nArchitecture: all\n\n")
        .file("srv/app/node_modules/x/package.json", "{oops");
    machine.docker.load_bytes(&ImageBuilder::new().tag("odd:1").layer(damaged).docker_archive());
    let (exit, answer) = machine.affected("MAL-2099-1");
    assert_eq!(exit, 3, "{answer}");
    assert_eq!(answer["not_checked"][0]["what"], "image odd:1");
    let (exit, answer) = machine.affected("CVE-2099-0001");
    assert_eq!(exit, 1, "affected outranks");
    assert_eq!(answer["not_checked"].as_array().unwrap().len(), 1);
}

#[test]
fn a_sealed_image_is_known_after_the_engine_has_lost_it() {
    let Some(machine) = Machine::start() else { return };
    assert_eq!(code(&machine.run(&["key", "new", "key"])), 0);
    let sealed = machine.run(&["seal", "docker:shop:1", "--key", "key"]);
    assert_eq!(code(&sealed), 0, "{}", stderr(&sealed));
    let (_, answer) = machine.affected("CVE-2099-0001");
    assert_eq!(answer["images"][0]["known_by"], serde_json::json!(["docker", "seals"]));

    let _ = machine.docker.docker(&["rmi", "shop:1"]);
    let (exit, answer) = machine.affected("CVE-2099-0001");
    assert_eq!(exit, 1, "{answer}");
    let image = &answer["images"][0];
    assert_eq!(image["known_by"], serde_json::json!(["seals"]));
    assert_eq!(image["packages"][0]["layer"], 0);
    assert_eq!(image["packages"][0]["fix"]["version"], "3.0.2-1");
    assert_eq!(answer["running"].as_array().unwrap().len(), 0);

    // A record that was damaged clears nothing.
    let documents = machine.bench.path().join("state/seals");
    let mut damaged = 0;
    for file in files_below(&documents).into_iter().filter(|file| !file.ends_with("log")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.len() >= 60 && !file.to_string_lossy().contains("/keys/") {
            std::fs::write(&file, "nothing").unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    let (exit, answer) = machine.affected("CVE-2099-0001");
    assert_eq!(exit, 3, "{answer}");
    assert!(answer["not_checked"][0]["what"].as_str().unwrap().contains("shop"), "{answer}");
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn without_an_engine_nothing_is_cleared() {
    let bench = Bench::with_database();
    let output = bench.run(&[
        "affected",
        "CVE-2099-0001",
        "--docker-host",
        "unix:///nonexistent/docker.sock",
        "--containerd-address",
        "none.sock",
        "--state",
        "state",
    ]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stdout(&output).contains("no container engine listens"), "{}", stdout(&output));
    assert!(!stdout(&output).to_lowercase().contains("not affected"));
}
