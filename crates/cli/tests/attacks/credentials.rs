//! Credentials of registries, and whom they reach

use crate::common::{Bench, code, image, stderr, stdout};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::sync::Arc;
use testkit::registry::answer;
use testkit::{Reply, Server};

const SET: [(&str, &str); 2] =
    [("LAZARET_REGISTRY_USERNAME", "me"), ("LAZARET_REGISTRY_PASSWORD", "hunter2")];
const TOKEN: [(&str, &str); 1] = [("LAZARET_REGISTRY_TOKEN", "hunter2")];

/// A registry that wants a login for all but its greeting, and takes any.
fn registry(challenge: &str) -> Server {
    let built = image().build();
    let challenge = challenge.to_owned();
    Server::start(move |request| match request.header("authorization") {
        _ if request.path == "/v2/" => Reply::ok("{}"),
        Some(_) => answer(&built, request),
        None => Reply::status(401).header("www-authenticate", &challenge),
    })
    .unwrap()
}

fn host(server: &Server) -> &str {
    server.url().trim_start_matches("http://")
}

fn sbom(bench: &Bench, server: &Server, set: &[(&str, &str)]) -> Output {
    let reference = format!("registry:{}/shop:1", host(server));
    let mut command = bench.command(&["sbom", &reference, "--no-cache"]);
    command.envs(set.iter().copied()).output().unwrap()
}

fn is_asked_with(server: &Server, secret: &str) -> bool {
    let header = |one: &testkit::Received| one.header("authorization").map(str::to_owned);
    server.received().iter().filter_map(header).any(|value| value.contains(secret))
}

#[test]
fn credentials_go_to_the_registry_that_they_are_for_and_to_no_other() {
    let bench = Bench::new();
    for (set, sent) in [(&SET[..], "bWU6aHVudGVyMg=="), (&TOKEN[..], "hunter2")] {
        let (own, other) = (registry("Basic realm=\"x\""), registry("Basic realm=\"x\""));
        let several = format!("a.test, {}", host(&own));
        let with = |registry| [set, &[("LAZARET_REGISTRY", registry)]].concat();
        for named in [host(&own), several.as_str()] {
            let taken = sbom(&bench, &own, &with(named));
            assert_eq!(code(&taken), 0, "{}", stderr(&taken));
            assert!(stdout(&taken).contains("demo-web"));
        }
        assert!(is_asked_with(&own, sent));
        let refused = sbom(&bench, &other, &with(host(&own)));
        assert_eq!(code(&refused), 2, "{}", stderr(&refused));
        assert!(!is_asked_with(&other, ""), "nothing was sent");
        assert!(!stderr(&refused).contains("hunter2"));
    }
}

#[test]
fn credentials_that_are_for_no_registry_are_an_error_and_not_sent() {
    let bench = Bench::new();
    for set in [&SET[..], &SET[..1], &SET[1..], &TOKEN[..]] {
        let server = registry("Basic realm=\"x\"");
        for empty in [None, Some(""), Some(" , ")] {
            let registry = empty.map(|empty| ("LAZARET_REGISTRY", empty));
            let set: Vec<_> = set.iter().copied().chain(registry).collect();
            let refused = sbom(&bench, &server, &set);
            let text = stderr(&refused);
            assert_eq!(code(&refused), 2, "{text}");
            assert!(text.contains("set LAZARET_REGISTRY to its host"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert!(server.received().is_empty(), "not even a greeting");
    }
}

#[test]
fn a_token_service_gets_no_credentials_where_others_listen_or_this_machine_is_meant() {
    let bench = Bench::new();
    let service = Arc::new(Server::replies([Reply::ok("{\"token\":\"t\"}")]).unwrap());
    for realm in
        ["http://auth.test/token", "http://169.254.169.254/token", "https://169.254.169.254/token"]
    {
        let server = registry(&format!("Bearer realm=\"{realm}\",service=\"x\""));
        let own = [("LAZARET_REGISTRY", host(&server))];
        let refused = sbom(&bench, &server, &[&SET[..], &own].concat());
        assert_ne!(code(&refused), 0, "{realm}");
        assert!(!is_asked_with(&server, ""), "{realm}");
    }
    // A registry of this machine may have its service there.
    let server = registry(&format!("Bearer realm=\"{}/token\"", service.url()));
    let own = [("LAZARET_REGISTRY", host(&server))];
    assert_eq!(code(&sbom(&bench, &server, &[&SET[..], &own].concat())), 0);
    assert!(is_asked_with(&service, "bWU6aHVudGVyMg=="));
}

#[test]
fn a_login_of_docker_goes_to_its_host_and_port_alone() {
    let bench = Bench::new();
    let server = registry("Basic realm=\"x\"");
    let port = host(&server).rsplit(':').next().unwrap().to_owned();
    let auth = r#"{"auth":"bWU6aHVudGVyMg=="}"#;
    for key in [
        "127.0.0.1",
        "127.0.0.1:1",
        &format!("localhost:{port}"),
        &format!("127.0.0.1:{port}/team"),
    ] {
        bench.write(".docker/config.json", format!(r#"{{"auths":{{"{key}":{auth}}}}}"#));
        assert_eq!(code(&sbom(&bench, &server, &[])), 2, "{key}");
    }
    assert!(!is_asked_with(&server, ""));
    let config = format!(r#"{{"auths":{{"{}":{auth}}}}}"#, host(&server));
    let file = bench.write(".docker/config.json", config);
    assert_eq!(code(&sbom(&bench, &server, &[])), 0);
    // It names programs that are started: who may write it may do all that we may.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let refused = sbom(&bench, &server, &[]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("may be written by everybody"), "{}", stderr(&refused));
    let named = bench.path().join(".docker").display().to_string();
    assert_eq!(code(&sbom(&bench, &server, &[("DOCKER_CONFIG", &named)])), 0);
}

#[test]
fn a_helper_program_that_merely_lies_here_is_not_started() {
    let bench = Bench::new();
    let server = registry("Basic realm=\"x\"");
    let program = bench.write("docker-credential-test", "#!/bin/sh\ntouch started\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    bench.write("bin/x", "");
    std::fs::copy(&program, bench.path().join("bin/docker-credential-test")).unwrap();
    bench.write(".docker/config.json", r#"{"credsStore":"test"}"#);
    for path in [".:/usr/bin", ":/usr/bin", "bin:/usr/bin", "/usr/bin::"] {
        let refused = sbom(&bench, &server, &[("PATH", path)]);
        assert_eq!(code(&refused), 2, "{}", stderr(&refused));
    }
    assert!(!bench.path().join("started").exists());
}
