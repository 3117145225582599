//! `lazaret … registry:` against a real registry, and against one that counts what it is asked.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, image, stderr, stdout};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use testkit::registry::{PASSWORD, RegistryOptions, USER, answer};
use testkit::{Breakage, RegistryDaemon, Reply, Server};

/// A scan's report without what names the source.
fn scanned(bench: &Bench, reference: &str, more: &[&str]) -> (Value, Output) {
    let mut arguments = vec!["scan", reference, "-o", "json=report.json"];
    arguments.extend(more);
    let output = bench.run(&arguments);
    assert_eq!(code(&output), 0, "{reference}: {}", stderr(&output));
    (bench.json("report.json"), output)
}

fn same(left: &Value, right: &Value) {
    assert!(left["packages"].as_array().is_some_and(|packages| packages.len() == 4));
    assert!(left["findings"].as_array().is_some_and(|findings| findings.len() == 4));
    for part in ["packages", "findings", "layers", "decision"] {
        assert_eq!(left[part], right[part], "{part}");
    }
}

#[test]
fn a_registry_gives_the_same_report_as_the_layout_that_was_pushed() {
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else { return };
    let bench = Bench::with_database();
    let built = image().write_oci_dir(bench.path().join("layout")).unwrap();
    registry.push(&bench.path().join("layout"), "team/shop:1");
    let (layout, _) = scanned(&bench, "oci-dir:layout", &["--no-cache"]);
    let digest = &built.manifest_digest;
    for name in ["team/shop:1".to_owned(), format!("team/shop@{digest}")] {
        let reference = format!("registry:{}/{name}", registry.host());
        let (report, _) = scanned(&bench, &reference, &["--no-cache"]);
        same(&report, &layout);
        assert_eq!(report["subject"]["manifest_digest"], layout["subject"]["manifest_digest"]);
    }
    // A bare name comes to the same in the end, and says where it was found.
    let bare = format!("{}/team/shop:1", registry.host());
    let (report, output) = scanned(&bench, &bare, &["--no-cache"]);
    same(&report, &layout);
    assert_eq!(report["subject"]["source"], "registry");
    assert!(stderr(&output).contains(&format!("{bare}: from registry")), "{}", stderr(&output));
    let reference = format!("registry:{}/team/shop:2", registry.host());
    let missing = bench.run(&["scan", &reference]);
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("has no manifest `2`"), "{}", stderr(&missing));
    let offline = bench.run(&["scan", &reference, "--offline"]);
    assert_eq!(code(&offline), 2);
    assert!(stderr(&offline).contains("--offline"), "{}", stderr(&offline));
}

#[test]
fn a_repeat_scan_fetches_manifest_and_configuration_only() {
    let built = image().build();
    let layers: Vec<String> = built.layers.iter().map(|layer| layer.digest.to_string()).collect();
    let server = Server::start(move |request| answer(&built, request)).unwrap();
    let bench = Bench::with_database();
    let reference = format!("registry:{}/shop:1", server.url().trim_start_matches("http://"));
    let asked_for_layers = || {
        let is_layer = |path: &String| layers.iter().any(|digest| path.ends_with(digest));
        server.received().iter().filter(|one| is_layer(&one.path)).count()
    };
    let (first, _) = scanned(&bench, &reference, &[]);
    assert_eq!(asked_for_layers(), 3);
    let before = server.received().len();
    let (second, _) = scanned(&bench, &reference, &[]);
    assert_eq!(asked_for_layers(), 3);
    let paths: Vec<String> =
        server.received()[before..].iter().map(|one| one.path.clone()).collect();
    assert_eq!(paths.len(), 2, "manifest, configuration: {paths:?}");
    for part in ["packages", "findings"] {
        assert_eq!(first[part], second[part], "{part}");
    }
    scanned(&bench, &reference, &["--reverify"]);
    assert_eq!(asked_for_layers(), 6);
}

#[test]
fn false_content_is_a_finding_and_a_missing_layer_is_incomplete() {
    let bench = Bench::with_database();
    for breakage in
        [Breakage::Manifest, Breakage::Config, Breakage::LayerBytes(0), Breakage::DiffId(0)]
    {
        let built = image().breaking(breakage).build();
        let server = Server::start(move |request| answer(&built, request)).unwrap();
        let reference = format!("registry:{}/shop:1", server.url().trim_start_matches("http://"));
        let output = bench.run(&["scan", &reference, "--no-cache", "-o", "json=report.json"]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let report = bench.json("report.json");
        let wrong = |finding: &&Value| finding["rule"] == "digest-mismatch";
        let count = report["findings"].as_array().unwrap().iter().filter(wrong).count();
        assert_eq!(count, 1, "{breakage:?}");
    }
    let built = image().build();
    let top = built.layers[2].digest.to_string();
    let server = Server::start(move |request| match request.path.ends_with(&top) {
        true => Reply::status(404),
        false => answer(&built, request),
    })
    .unwrap();
    let reference = format!("registry:{}/shop:1", server.url().trim_start_matches("http://"));
    let output = bench.run(&["scan", &reference, "--no-cache", "-o", "json=report.json"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let report = bench.json("report.json");
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] != "digest-mismatch"));
}

#[test]
fn a_login_comes_from_the_environment_the_configuration_or_a_helper() {
    let options = RegistryOptions { login: true, ..RegistryOptions::default() };
    let Some(registry) = RegistryDaemon::start(options) else { return };
    let bench = Bench::new();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    registry.push(&bench.path().join("layout"), "shop:1");
    let host = registry.host();
    let reference = format!("registry:{host}/shop:1");
    let sbom = |set: &[(&str, &str)]| {
        let mut command = bench.command(&["sbom", &reference, "--no-cache"]);
        command.envs(set.iter().copied()).output().unwrap()
    };
    let refused = sbom(&[]);
    assert_eq!(code(&refused), 2);
    let text = stderr(&refused);
    assert!(text.contains(&format!("log in with `docker login {host}`")), "{text}");

    let environment = |password| {
        sbom(&[
            ("LAZARET_REGISTRY", host),
            ("LAZARET_REGISTRY_USERNAME", USER),
            ("LAZARET_REGISTRY_PASSWORD", password),
        ])
    };
    let works = |output: &Output| {
        assert_eq!(code(output), 0, "{}", stderr(output));
        assert!(stdout(output).contains("demo-web"), "{}", stdout(output));
    };
    works(&environment(PASSWORD));
    let wrong = environment("hunter2");
    assert_eq!(code(&wrong), 2);
    assert!(!stderr(&wrong).contains("hunter2"), "{}", stderr(&wrong));

    // `tester:made-up-password`, as `docker login` keeps it.
    let auth = r#"{"auth":"dGVzdGVyOm1hZGUtdXAtcGFzc3dvcmQ="}"#;
    bench.write(".docker/config.json", format!(r#"{{"auths":{{"{host}":{auth}}}}}"#));
    works(&sbom(&[]));
    bench.write("other/config.json", "{}");
    let other = bench.path().join("other").display().to_string();
    assert_eq!(code(&sbom(&[("DOCKER_CONFIG", &other)])), 2);

    let script = format!(
        "#!/bin/sh\nread host\necho \"$1 $host\" >>asked\nif [ \"$host\" = {host} ]; then\n\
         echo '{{\"ServerURL\":\"\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\nfi\n"
    );
    let program = bench.write("bin/docker-credential-test", script);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bench.path().join("bin").display());
    for config in
        [format!(r#"{{"credHelpers":{{"{host}":"test"}}}}"#), r#"{"credsStore":"test"}"#.to_owned()]
    {
        bench.write("other/config.json", config);
        works(&sbom(&[("DOCKER_CONFIG", &other), ("PATH", &path)]));
    }
    assert_eq!(bench.read("asked"), format!("get {host}\nget {host}\n"));
    for (script, words) in [
        ("echo hunter2; exit 1", "it failed"),
        ("echo hunter2", "not the JSON of a helper"),
        ("yes hunter2", "prints too much"),
        ("echo credentials not found in native keychain; exit 1", "docker login"),
    ] {
        bench.write("bin/docker-credential-test", format!("#!/bin/sh\n{script}\n"));
        let output = sbom(&[("DOCKER_CONFIG", &other), ("PATH", &path)]);
        let text = stderr(&output);
        assert_eq!(code(&output), 2, "{text}");
        assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn an_authority_of_ones_own_is_named_by_ca_file() {
    let options = RegistryOptions { tls: true, login: true };
    let Some(registry) = RegistryDaemon::start(options) else { return };
    let bench = Bench::new();
    image().write_oci_dir(bench.path().join("layout")).unwrap();
    registry.push(&bench.path().join("layout"), "shop:1");
    let reference = format!("registry:{}/shop:1", registry.host());
    let sbom = |more: &[&str]| {
        let mut command = bench.command(&["sbom", &reference, "--no-cache"]);
        command.env("LAZARET_REGISTRY", registry.host());
        command.env("LAZARET_REGISTRY_USERNAME", USER).env("LAZARET_REGISTRY_PASSWORD", PASSWORD);
        command.args(more).output().unwrap()
    };
    let strange = sbom(&[]);
    assert_eq!(code(&strange), 3);
    assert!(stderr(&strange).contains("https://127.0.0.1"), "{}", stderr(&strange));
    let authority = registry.authority().display().to_string();
    let known = sbom(&["--ca-file", &authority]);
    assert_eq!(code(&known), 0, "{}", stderr(&known));
    assert!(stdout(&known).contains("demo-web"));
    let none = sbom(&["--ca-file", "/dev/null"]);
    assert!(stderr(&none).contains("holds no certificates"), "{}", stderr(&none));
}

#[test]
fn a_server_of_this_machine_that_answers_by_tls_hears_nothing_else() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (heard, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut start = [0; 16];
            let _ = stream.read(&mut start);
            // A fatal alert, `handshake_failure`.
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]);
            let _ = heard.send(start);
        }
    });
    let bench = Bench::new();
    let output = bench.run(&["sbom", &format!("registry:{host}/shop:1"), "--no-cache"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("https://{host}/")), "{}", stderr(&output));
    let heard: Vec<[u8; 16]> = hears.try_iter().collect();
    assert!(heard.len() >= 2, "asked, then spoken to: {heard:?}");
    assert!(heard.iter().all(|start| start[0] == 22 && start[1] == 3), "{heard:?}");
}
