//! `lazaret seal` and `verify` from the outside, against images that an attacker tampered with.
//!
//! Each attack is made as he would make it: by writing into stored files, by rebuilding an image so
//! that its digests agree, by moving names, and from inside the container.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, code, image, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;
use testkit::engine::is_installed;
use testkit::skip;
use testkit::{DockerDaemon, ImageBuilder, Layer, small_root_image};
use vocabulary::Digest;

/// A bench with a key of each kind: `pem`, and `ssh` where there is ssh-keygen.
struct Sealing {
    bench: Bench,
    docker: Option<String>,
}

impl Sealing {
    fn new() -> Self {
        let sealing = Self { bench: Bench::new(), docker: None };
        assert_eq!(code(&sealing.run(&["key", "new", "pem"])), 0);
        sealing
    }

    fn with(docker: &DockerDaemon) -> Self {
        Self { docker: Some(docker.host().to_owned()), ..Self::new() }
    }

    fn ssh_key(&self) -> Option<String> {
        if !is_installed("ssh-keygen") {
            return skip("ssh-keygen is not installed");
        }
        let file = self.bench.path().join("ssh");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        Some("ssh".to_owned())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.bench.command(arguments);
        command.env("LAZARET_STATE", self.bench.path().join("state"));
        if let Some(docker) = &self.docker {
            command.env("DOCKER_HOST", docker);
        }
        command.output().unwrap()
    }

    fn seal(&self, reference: &str, more: &[&str]) -> String {
        let sealed = self.run(&[&["seal", reference, "--key", "pem"], more].concat());
        assert_eq!(code(&sealed), 0, "{}", stderr(&sealed));
        stdout(&sealed)
    }

    /// The exit code and the findings: `severity rule path|layer N: aspect expected -> found; …`.
    fn verify(&self, reference: &str, more: &[&str]) -> (i32, Vec<String>) {
        let (exit, report) = self.report(reference, more);
        let findings = report["findings"].as_array().unwrap().iter().map(shown).collect();
        (exit, findings)
    }

    fn report(&self, reference: &str, more: &[&str]) -> (i32, Value) {
        let arguments = [&["verify", reference, "-o", "json=report.json"], more].concat();
        let verified = self.run(&arguments);
        assert!(matches!(code(&verified), 0 | 1 | 3), "{}", stderr(&verified));
        (code(&verified), self.bench.json("report.json"))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn shown(finding: &Value) -> String {
    let location = &finding["location"];
    let place = match text(&location["kind"]) {
        "file" => text(&location["path"]).to_owned(),
        other => other.to_owned(),
    };
    let layer = finding["layer"].as_u64().map_or("-".to_owned(), |layer| layer.to_string());
    let package = text(&finding["package"]).split('?').next().unwrap_or_default();
    let aspects: Vec<String> = finding["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| match text(&one["kind"]) {
            "difference" => text(&one["aspect"]).to_owned(),
            other => other.to_owned(),
        })
        .collect();
    format!(
        "{} {} {place} layer {layer} {package} [{}]",
        text(&finding["severity"]),
        text(&finding["rule"]),
        aspects.join(" ")
    )
}

/// The evidence of the finding at a path: aspect, expected, found.
fn evidence(report: &Value, path: &str) -> Vec<(String, String, String)> {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["location"]["path"] == path);
    let finding = finding.unwrap_or_else(|| panic!("nothing is said of {path}: {findings:?}"));
    let one = |one: &Value| {
        (
            text(&one["aspect"]).to_owned(),
            text(&one["expected"]).to_owned(),
            text(&one["found"]).to_owned(),
        )
    };
    finding["evidence"].as_array().unwrap().iter().map(one).collect()
}

fn sha256(content: impl AsRef<[u8]>) -> String {
    Digest::of(content.as_ref()).to_string()
}

#[test]
fn a_sealed_image_verifies_with_either_kind_of_key() {
    let sealing = Sealing::new();
    sealing.bench.write("app.tar", image().docker_archive());
    let mut keys = vec!["pem".to_owned()];
    keys.extend(sealing.ssh_key());
    for (counter, key) in (1..).zip(&keys) {
        let sealed = sealing.run(&["seal", "app.tar", "--key", key, "--format", "json"]);
        assert_eq!(code(&sealed), 0, "{}", stderr(&sealed));
        let sealed: Value = serde_json::from_slice(&sealed.stdout).unwrap();
        assert_eq!(sealed["repository"], "example.test/shop");
        assert_eq!(sealed["counter"], counter);
        assert_eq!(sealing.verify("app.tar", &[]), (0, Vec::new()));
        let (_, report) = sealing.report("app.tar", &[]);
        assert_eq!(report["seal"]["name"], "example.test/shop:1");
        assert_eq!(report["seal"]["counter"], counter);
        let public = format!("{key}.pub");
        assert_eq!(sealing.verify("app.tar", &["--key", &public]), (0, Vec::new()));
    }
    let checked = sealing.run(&["seals", "check"]);
    assert_eq!(code(&checked), 0, "{}", stdout(&checked));
    assert!(stdout(&checked).contains("0 problems") && stdout(&checked).contains("head sha256:"));
    let listed = sealing.run(&["seals", "list"]);
    assert_eq!(stdout(&listed).lines().count(), keys.len());
    let statement = sealing.run(&["seals", "show", "example.test/shop"]);
    let statement: Value = serde_json::from_slice(&statement.stdout).unwrap();
    assert_eq!(statement["predicateType"], "urn:lazaret:image-seal:v1");
    assert_eq!(statement["predicate"]["layers"].as_array().unwrap().len(), 3);
    // A key that did not seal it.
    assert_eq!(code(&sealing.run(&["key", "new", "other"])), 0);
    let again = sealing.run(&["key", "new", "other"]);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("`other` is there already"), "{}", stderr(&again));
    let (exit, findings) = sealing.verify("app.tar", &["--key", "other.pub"]);
    assert_eq!(exit, 1);
    assert_eq!(findings, ["critical broken-seal subject layer - - [signature]"]);
}

#[test]
fn what_was_never_sealed_does_not_pass() {
    let sealing = Sealing::new();
    sealing.bench.write("app.tar", image().docker_archive());
    let (exit, report) = sealing.report("app.tar", &[]);
    assert_eq!(exit, 3);
    assert_eq!(report["decision"]["outcome"], "incomplete");
    let coverage = report["coverage"].as_array().unwrap();
    let seal = coverage.iter().find(|one| one["check"] == "seal").unwrap();
    assert!(text(&seal["reason"]).contains("`example.test/shop:1` was never sealed here"));
}

#[test]
fn an_image_that_is_not_what_it_names_is_not_sealed() {
    let sealing = Sealing::new();
    for (index, breakage) in [
        testkit::Breakage::LayerBytes(0),
        testkit::Breakage::DiffId(1),
        testkit::Breakage::Config,
        testkit::Breakage::MissingLayer(2),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = sealing.bench.path().join(format!("image{index}"));
        image().breaking(breakage).write_oci_dir(&folder).unwrap();
        let sealed = sealing.run(&["seal", folder.to_str().unwrap(), "--key", "pem"]);
        let expected = if index == 3 { 3 } else { 1 };
        assert_eq!(code(&sealed), expected, "{breakage:?}: {}", stderr(&sealed));
        assert!(stderr(&sealed).contains("is not sealed"), "{}", stderr(&sealed));
    }
    let folder = sealing.run(&["seal", ".", "--key", "pem"]);
    assert_eq!(code(&folder), 2, "{}", stderr(&folder));
    let key = sealing.bench.write("open", sealing.bench.read("pem"));
    sealing.bench.write("app.tar", image().docker_archive());
    let open = sealing.run(&["seal", "app.tar", "--key", key.to_str().unwrap()]);
    assert_eq!(code(&open), 2);
    assert!(stderr(&open).contains("can be read by others"), "{}", stderr(&open));
    assert_eq!(stdout(&sealing.run(&["seals", "list"])), "");
}

#[test]
fn an_exported_seal_is_checked_by_ssh_keygen_and_openssl() {
    let sealing = Sealing::new();
    sealing.bench.write("app.tar", image().docker_archive());
    let folder = sealing.bench.path().join("out");
    if let Some(key) = sealing.ssh_key() {
        let sealed = sealing.run(&["seal", "app.tar", "--key", &key, "--export", "out"]);
        assert_eq!(code(&sealed), 0, "{}", stderr(&sealed));
        let verify = |message: &Path| {
            Command::new("ssh-keygen")
                .args(["-Y", "verify", "-f", "allowed_signers", "-I", "lazaret"])
                .args(["-n", "seal@lazaret", "-s", "signature.sig"])
                .current_dir(&folder)
                .stdin(std::fs::File::open(message).unwrap())
                .output()
                .unwrap()
        };
        let verified = verify(&folder.join("pae.bin"));
        assert!(verified.status.success(), "{}", stderr(&verified));
        let other = sealing.bench.write("other", "another message");
        assert!(!verify(&other).status.success());
    }
    if !is_installed("openssl") {
        return skip("openssl is not installed");
    }
    sealing.seal("app.tar", &["--export", "out"]);
    let verified = Command::new("openssl")
        .args(["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin"])
        .args(["-in", "pae.bin", "-sigfile", "signature.bin"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", stderr(&verified));
    let pae = std::fs::read(folder.join("pae.bin")).unwrap();
    let statement = std::fs::read(folder.join("statement.json")).unwrap();
    assert!(pae.ends_with(&statement));
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    let record = std::fs::read(folder.join("record")).unwrap();
    assert_eq!(statement["predicate"]["record"]["digest"], sha256(record));
}

#[test]
fn a_flipped_bit_in_a_stored_blob_is_found() {
    let sealing = Sealing::new();
    let folder = sealing.bench.path().join("image");
    let program = |content: &str| {
        let layer = Layer::new().program("usr/bin/tool", content);
        image().layer(layer.compression(testkit::Compression::None)).history("COPY tool")
    };
    let built = program("good program").write_oci_dir(&folder).unwrap();
    sealing.seal("image", &[]);
    assert_eq!(sealing.verify("image", &[]), (0, Vec::new()));
    let blob = folder.join("blobs/sha256").join(built.layers[3].digest.hex());
    let mut bytes = std::fs::read(&blob).unwrap();
    let at = bytes.windows(12).position(|window| window == b"good program").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    let (exit, findings) = sealing.verify("image", &[]);
    assert_eq!(exit, 1);
    assert_eq!(
        sorted(findings),
        [
            "critical digest-mismatch layer layer 3 - [digest]",
            "critical digest-mismatch layer layer 3 - [digest]",
            "critical file-changed usr/bin/tool layer 3 - [content]",
            "critical seal-mismatch layer layer 3 - [digest]",
        ]
    );
    let (_, report) = sealing.report("image", &[]);
    assert_eq!(
        evidence(&report, "usr/bin/tool"),
        [("content".to_owned(), sha256("good program"), sha256("food program"))]
    );
}

/// Findings that are equally bad come in no order that matters here.
fn sorted(mut findings: Vec<String>) -> Vec<String> {
    findings.sort();
    findings
}

#[test]
fn damage_to_the_store_is_named() {
    let sealing = Sealing::new();
    sealing.bench.write("app.tar", image().docker_archive());
    sealing.seal("app.tar", &[]);
    sealing.seal("app.tar", &[]);
    let log = sealing.bench.path().join("state/seals/log");
    let good = std::fs::read(&log).unwrap();
    let mut bytes = good.clone();
    bytes[200] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let (exit, findings) = sealing.verify("app.tar", &[]);
    assert_eq!((exit, findings.len()), (1, 1), "{findings:?}");
    assert!(findings[0].starts_with("critical broken-seal"));
    let checked = sealing.run(&["seals", "check"]);
    assert_eq!(code(&checked), 1);
    assert!(stdout(&checked).contains("Entry 1 of the seals"), "{}", stdout(&checked));
    let sealed = sealing.run(&["seal", "app.tar", "--key", "pem"]);
    assert_eq!(code(&sealed), 1);
    std::fs::write(&log, good.get(..good.len() - 1).unwrap()).unwrap();
    assert_eq!(code(&sealing.run(&["seals", "check"])), 1, "the last seal was acknowledged");
    std::fs::write(&log, good).unwrap();
    assert_eq!(code(&sealing.run(&["seals", "check"])), 0);
}

/// The folder of the layer that holds a file, in the engine's own store.
fn overlay_file(docker: &DockerDaemon, path: &str) -> PathBuf {
    let folders = std::fs::read_dir(docker.data().join("overlay2")).unwrap();
    let mut files = folders.map(|folder| folder.unwrap().path().join("diff").join(path));
    files.find(|file| file.is_file()).unwrap_or_else(|| panic!("no layer has {path}"))
}

/// Writes other content of the same length into a file, and sets its time back.
fn replace_unseen(file: &Path, content: &[u8]) {
    let before = std::fs::metadata(file).unwrap();
    assert_eq!(before.len(), content.len() as u64);
    std::fs::write(file, content).unwrap();
    let opened = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    opened.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(std::fs::metadata(file).unwrap().modified().unwrap(), before.modified().unwrap());
    assert!(before.modified().unwrap() < SystemTime::now());
}

fn owned_layer() -> Layer {
    Layer::new()
        .program("usr/bin/login", "the right program\n")
        .file("var/lib/dpkg/info/demo-sleeper.list", "/.\n/bin/sleeper\n/usr/bin/login\n")
}

fn app(version: &str) -> Option<ImageBuilder> {
    let image = small_root_image("app:1")?;
    let layer = owned_layer().file("app/version", version);
    Some(image.layer(layer).history("COPY login /usr/bin"))
}

#[test]
fn tampering_in_the_engine_s_store_is_named() {
    let (Some(docker), Some(first)) = (DockerDaemon::start(), app("1")) else { return };
    let sealing = Sealing::with(&docker);
    docker.load_bytes(&first.docker_archive_old());
    sealing.seal("docker:app:1", &[]);
    assert_eq!(sealing.verify("docker:app:1", &[]), (0, Vec::new()));

    // A program replaced where the engine keeps it unpacked, of the same size and with its time.
    let login = overlay_file(&docker, "usr/bin/login");
    let good = std::fs::read(&login).unwrap();
    replace_unseen(&login, b"the wrong program\n");
    let (exit, report) = sealing.report("docker:app:1", &[]);
    assert_eq!(exit, 1);
    let findings: Vec<String> = report["findings"].as_array().unwrap().iter().map(shown).collect();
    assert_eq!(
        findings,
        ["critical file-changed usr/bin/login layer 2 pkg:deb/debian/demo-sleeper@1.0-1 [content]"]
    );
    assert_eq!(
        evidence(&report, "usr/bin/login"),
        [("content".to_owned(), sha256(&good), sha256("the wrong program\n"))]
    );
    replace_unseen(&login, &good);
    assert_eq!(sealing.verify("docker:app:1", &[]), (0, Vec::new()));

    // One bit of a data file in a lower layer; a file put beside it; a mode.
    let data = overlay_file(&docker, "app/data.txt");
    let good = std::fs::read(&data).unwrap();
    let mut flipped = good.clone();
    flipped[3] ^= 1;
    replace_unseen(&data, &flipped);
    let dropped = data.with_file_name("dropped.so");
    std::fs::write(&dropped, "x").unwrap();
    let (exit, findings) = sealing.verify("docker:app:1", &[]);
    assert_eq!(exit, 1);
    assert_eq!(
        findings,
        [
            "critical file-added app/dropped.so layer 1 - [presence]",
            "medium file-changed app/data.txt layer 1 - [content]",
            "medium file-changed app/twin layer 1 - [content]",
        ]
    );
    replace_unseen(&data, &good);
    std::fs::remove_file(dropped).unwrap();
    assert_eq!(sealing.verify("docker:app:1", &[]), (0, Vec::new()));
}

/// Points the engine's short link to a layer at another folder; what it led to before.
fn relink(docker: &DockerDaemon, layer: &Path, to: &Path) -> PathBuf {
    let short = std::fs::read_to_string(layer.join("link")).unwrap();
    let link = docker.data().join("overlay2/l").join(short);
    let before = std::fs::read_link(&link).unwrap();
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(to, link).unwrap();
    before
}

#[test]
fn a_container_that_runs_from_other_folders_is_named() {
    let (Some(docker), Some(first)) = (DockerDaemon::start(), app("1")) else { return };
    let sealing = Sealing::with(&docker);
    docker.load_bytes(&first.docker_archive_old());
    sealing.seal("docker:app:1", &[]);
    let login = overlay_file(&docker, "usr/bin/login");
    let layer = login.ancestors().nth(4).unwrap();

    // A copy of a layer with a program more, put in its place by a link alone.
    let other = docker.data().join("overlay2/other");
    let copied = Command::new("cp").arg("-a").arg(layer).arg(&other).status();
    assert!(copied.unwrap().success());
    std::fs::write(other.join("diff/usr/bin/dropped"), "x").unwrap();
    let before = relink(&docker, layer, &other.join("diff"));
    let (exit, findings) = sealing.verify("docker:app:1", &[]);
    assert_eq!(exit, 1);
    assert_eq!(findings, ["critical file-added usr/bin/dropped layer 2 - [presence]"]);

    // The container was started from the copy; the link leads to the right folder again.
    let _ = docker.run("app:1", "shop", &[]);
    relink(&docker, layer, &before);
    assert_eq!(sealing.verify("docker:app:1", &[]), (0, Vec::new()));
    let (exit, findings) = sealing.verify("container:shop", &[]);
    assert_eq!(exit, 1);
    assert!(findings[0].starts_with("critical seal-mismatch"), "{findings:?}");

    // A container of the right folders has nothing to be said of, until its root is open to all.
    let id = docker.run("app:1", "right", &[]);
    assert_eq!(sealing.verify("container:right", &[]), (0, Vec::new()));
    let written = docker.docker(&["inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", &id]);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(written, open).unwrap();
    let (exit, findings) = sealing.verify("container:right", &[]);
    assert_eq!((exit, findings), (1, vec!["high file-changed / layer 4 - [mode]".to_owned()]));
}

#[test]
fn a_file_that_is_too_sparse_to_hash_lets_no_container_verify() {
    let (Some(docker), Some(image)) = (DockerDaemon::start(), app("1")) else { return };
    let sealing = Sealing::with(&docker);
    docker.load_bytes(&image.docker_archive_old());
    sealing.seal("docker:app:1", &[]);
    let id = docker.run("app:1", "shop", &[]);
    assert_eq!(sealing.verify("container:shop", &[]), (0, Vec::new()));
    let written = docker.docker(&["inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", &id]);
    let written = PathBuf::from(written);
    let began = SystemTime::now();
    let grow = |path: &str| {
        let file = written.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::File::create(file).unwrap().set_len(10 << 40).unwrap();
    };
    // Data is no finding, but nobody knows what it holds.
    grow("data");
    let (exit, report) = sealing.report("container:shop", &[]);
    assert!(matches!(exit, 1 | 3), "{exit}: {report}");
    let coverage = report["coverage"].to_string();
    assert!(coverage.contains("data") && coverage.contains("holes"), "{coverage}");
    // A sealed program, grown so that it is not hashed.
    grow("usr/bin/login");
    let (exit, findings) = sealing.verify("container:shop", &[]);
    assert_eq!(exit, 1, "{findings:?}");
    assert!(findings.iter().any(|finding| finding.contains("usr/bin/login")), "{findings:?}");
    assert!(began.elapsed().unwrap().as_secs() < 120);
}

#[test]
fn names_that_were_moved_to_other_images_are_named() {
    let (Some(docker), Some(first), Some(second)) = (DockerDaemon::start(), app("1"), app("2"))
    else {
        return;
    };
    let sealing = Sealing::with(&docker);
    docker.load_bytes(&first.docker_archive_old());
    sealing.seal("docker:app:1", &[]);
    docker.load_bytes(&second.docker_archive_old());
    assert!(sealing.seal("docker:app:1", &[]).contains("seal 2"));
    assert_eq!(sealing.verify("docker:app:1", &[]), (0, Vec::new()));

    // The name goes back to the older image, which was sealed too.
    docker.load_bytes(&first.docker_archive_old());
    let (exit, findings) = sealing.verify("docker:app:1", &[]);
    assert_eq!(exit, 1);
    assert_eq!(findings, ["high rolled-back-image subject layer - - [counter digest]"]);

    // A layer on top, everything hashed again, and the name on it: only the seal tells.
    let evil = second.layer(
        Layer::new().program("usr/bin/login", "the wrong program\n").program("tmp/miner", "x"),
    );
    docker.load_bytes(&evil.history("RUN true").docker_archive_old());
    let scanned = sealing.run(&["sbom", "docker:app:1", "--no-cache"]);
    assert_eq!(code(&scanned), 0, "its digests agree: {}", stderr(&scanned));
    let (exit, findings) = sealing.verify("docker:app:1", &[]);
    assert_eq!(exit, 1);
    assert_eq!(
        sorted(findings),
        [
            "critical file-added tmp/miner layer 3 - [presence]",
            "critical file-changed usr/bin/login layer 2 pkg:deb/debian/demo-sleeper@1.0-1 [content]",
            "critical seal-mismatch layer layer 3 - [digest]",
            "critical seal-mismatch subject layer - - [digest]",
        ]
    );
}

#[test]
fn what_happened_inside_a_container_is_named() {
    let (Some(docker), Some(first)) = (DockerDaemon::start(), app("1")) else { return };
    let sealing = Sealing::with(&docker);
    docker.load_bytes(&first.docker_archive_old());
    sealing.seal("docker:app:1", &[]);
    let id = docker.run("app:1", "shop", &[]);
    let (exit, findings) = sealing.verify("container:shop", &[]);
    assert_eq!((exit, findings), (0, Vec::new()));

    // Data is what containers write.
    let inside = |line: &str| docker.docker(&["exec", "shop", "/bin/sh", "-c", line]);
    let _ = inside("write /app/notes some notes; write /tmp/scratch x");
    assert_eq!(
        sealing.verify("container:shop", &[]),
        (
            0,
            vec![
                "low file-added app/notes layer 4 - [presence]".to_owned(),
                "negligible file-added tmp/scratch layer 4 - [presence]".to_owned(),
            ]
        )
    );

    // One program replaced, one dropped, one removed.
    let _ = inside("copy /bin/sleeper /usr/bin/login; copy /bin/sleeper /tmp/miner");
    let _ = inside("remove /bin/sleeper");
    let (exit, report) = sealing.report(&format!("container:{}", id.get(..12).unwrap()), &[]);
    assert_eq!(exit, 1);
    assert_eq!(report["subject"]["kind"], "container");
    let mut findings: Vec<String> =
        report["findings"].as_array().unwrap().iter().map(shown).collect();
    findings.truncate(3);
    let package = "pkg:deb/debian/demo-sleeper@1.0-1";
    assert_eq!(
        sorted(findings),
        [
            "critical file-added tmp/miner layer 4 - [presence]".to_owned(),
            format!("critical file-changed usr/bin/login layer 2 {package} [content]"),
            format!("high file-removed bin/sleeper layer 0 {package} [presence]"),
        ]
    );
    let sleeper = std::fs::read(overlay_file(&docker, "tmp/miner")).unwrap();
    assert_eq!(
        evidence(&report, "usr/bin/login"),
        [("content".to_owned(), sha256("the right program\n"), sha256(sleeper))]
    );

    // And the image below it, where the engine keeps it.
    let version = overlay_file(&docker, "app/version");
    replace_unseen(&version, b"9");
    let (_, findings) = sealing.verify("container:shop", &[]);
    assert!(
        findings.contains(&"medium file-changed app/version layer 2 - [content]".to_owned()),
        "{findings:?}"
    );
}
