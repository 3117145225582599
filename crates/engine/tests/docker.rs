//! What Docker says of its images and containers, asked of a real one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use engine::{Docker, Endpoints, EngineError, FolderRole};
use testkit::{DockerDaemon, Reply, Server, small_root_image};
use vocabulary::{Digest, Engine};

fn endpoints(docker: &str) -> Endpoints {
    Endpoints {
        docker: docker.to_owned(),
        containerd: "/nonexistent/containerd.sock".into(),
        namespace: "default".to_owned(),
        ..Endpoints::default()
    }
}

#[test]
fn images_and_containers_are_found_with_their_folders() {
    let Some(daemon) = DockerDaemon::start() else { return };
    let Some(builder) = small_root_image("demo:1") else { return };
    let built = builder.build();
    daemon.load_bytes(&builder.docker_archive());
    let id = daemon.run("demo:1", "demo", &[]);
    let at = endpoints(daemon.host());
    let docker = Docker::connect(&at).unwrap();

    let image = docker.image("demo:1").unwrap();
    assert_eq!(image.id, built.config_digest);
    assert_eq!(image.tags, ["demo:1"]);
    assert_eq!(Digest::of(&image.config.clone().unwrap()), built.config_digest);
    let diff_ids: Vec<Digest> = built.layers.iter().map(|layer| layer.diff_id.clone()).collect();
    assert_eq!(image.diff_ids, diff_ids);
    let unpacked = image.unpacked.clone().unwrap();
    assert!(unpacked[0].path.join("bin/sleeper").is_file());
    assert!(unpacked[1].path.join("app/data.txt").is_file());
    assert!(unpacked.iter().all(|layer| layer.tar_split.as_ref().unwrap().is_file()));
    for name in [image.id.to_string(), image.id.hex(), image.id.hex().chars().take(12).collect()] {
        assert_eq!(docker.image(&name).unwrap(), image, "{name}");
    }
    assert_eq!(docker.images().unwrap().len(), 1);

    let (containers, errors) = engine::containers(&at);
    assert!(errors.is_empty(), "{errors:?}");
    let [container] = containers.as_slice() else { panic!("{containers:?}") };
    assert_eq!((container.engine, container.id.as_str()), (Engine::Docker, id.as_str()));
    assert_eq!((container.name.as_str(), container.image.as_str()), ("demo", "demo:1"));
    assert_eq!(container.image_id.as_ref(), Some(&built.config_digest));
    let running = std::fs::read(format!("/proc/{}/cmdline", container.pid.unwrap())).unwrap();
    assert_eq!(running, b"/bin/sleeper\0");
    assert!(container.started.as_ref().unwrap().starts_with("20"));

    let _ = daemon.docker(&["exec", "demo", "/bin/sh", "-c", "write /app/new text"]);
    let details = engine::container(&at, "demo").unwrap();
    assert_eq!(&details.container, container);
    let roles: Vec<&FolderRole> = details.layers.iter().map(|layer| &layer.role).collect();
    assert_eq!(
        roles,
        [&unpacked[0].role, &unpacked[1].role, &FolderRole::EngineInit, &FolderRole::Written]
    );
    assert_eq!(details.layers[..2], unpacked);
    assert!(details.layers[3].path.join("app/new").is_file());
    let by_kernel = engine::mountinfo::folders_of(container.pid.unwrap()).unwrap();
    let paths = |layers: &[engine::LayerFolder]| -> Vec<std::path::PathBuf> {
        layers.iter().map(|layer| layer.path.clone()).collect()
    };
    assert_eq!(paths(&by_kernel), paths(&details.layers), "the kernel says the same");
    assert_eq!(by_kernel[2].role, FolderRole::EngineInit);

    let _ = daemon.docker(&["stop", "--time", "1", "demo"]);
    assert_eq!(docker.containers().unwrap(), []);
    let stopped = docker.container(&id).unwrap();
    assert_eq!(stopped.container.pid, None);
    assert_eq!(stopped.layers, details.layers);

    let mut archive = Vec::new();
    docker.export("demo:1", &mut archive).unwrap();
    assert!(archive.len() > built.layers[0].plain.len());

    let error = docker.image("none:1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "docker has no image `none:1`; pull or build it, or list what there is with `docker images`"
    );
    assert!(matches!(docker.export("none:1", &mut Vec::new()), Err(EngineError::NoImage { .. })));
    assert!(matches!(docker.image("../containers"), Err(EngineError::Reference(_))));
    let error = engine::container(&at, "none").unwrap_err();
    assert!(matches!(error, EngineError::NoContainer { .. }), "{error}");
}

#[test]
fn an_engine_that_is_not_there_is_no_error_in_a_list() {
    let (containers, errors) = engine::containers(&endpoints("unix:///nonexistent/docker.sock"));
    assert!(containers.is_empty() && errors.is_empty());
    let error = engine::container(&endpoints("unix:///nonexistent/docker.sock"), "x").unwrap_err();
    assert!(error.to_string().contains("--docker-host"), "{error}");
    let (_, errors) = engine::containers(&endpoints("ssh://host"));
    assert_eq!(errors.len(), 1);
}

/// A server that says the same to everything.
fn answers_of(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Server, Endpoints) {
    let server = Server::start(move |request| reply(&request.path)).unwrap();
    let at = endpoints(&server.url().replace("http://", "tcp://"));
    (server, at)
}

#[test]
fn hostile_answers_are_refused_in_one_line() {
    let version = br#"{"ApiVersion":"1.41"}"#;
    let of_image = |body: &'static str| {
        move |path: &str| match path {
            "/version" => Reply::ok(version.to_vec()),
            _ => Reply::ok(body.as_bytes().to_vec()),
        }
    };
    for body in [
        "",
        "{}",
        "[]",
        "nonsense",
        r#"{"Id":"none"}"#,
        r#"{"Id":"sha256:00","RootFS":{"Layers":["x"]}}"#,
    ] {
        let (_server, at) = answers_of(of_image(body));
        let error = Docker::connect(&at).unwrap().image("demo").unwrap_err();
        assert!(matches!(error, EngineError::Answer { .. }), "{body}: {error}");
        assert!(!error.to_string().contains('\n'));
    }
    let (_server, at) = answers_of(|_| Reply::status(500));
    assert!(matches!(Docker::connect(&at), Err(EngineError::Refused { .. })));
    let (_server, at) = answers_of(|_| Reply::ok(br#"{"ApiVersion":"1.12"}"#.to_vec()));
    assert!(Docker::connect(&at).unwrap_err().to_string().contains("update Docker"));
}

#[test]
fn what_an_engine_says_can_neither_flood_nor_steer_a_terminal() {
    let serve = |body: String| {
        answers_of(move |path| match path {
            "/version" => Reply::ok(br#"{"ApiVersion":"1.41"}"#.to_vec()),
            _ => Reply::ok(body.clone().into_bytes()),
        })
    };
    let long = "A".repeat(1 << 20);
    let (_server, at) = serve(format!(r#"{{"Id":"x","RootFS":"{long}"}}"#));
    let error = Docker::connect(&at).unwrap().image("demo").unwrap_err();
    assert!(error.to_string().len() < 500, "{} bytes", error.to_string().len());

    let id = "a".repeat(64);
    let name = r"/x\u001b[31m\nPASS";
    let (_server, at) = serve(format!(
        r#"{{"Id":"{id}","Name":"{name}","State":{{"Pid":1}},"Config":{{"Image":"{name}"}}}}"#
    ));
    let error = Docker::connect(&at).unwrap().container("x").unwrap_err().to_string();
    assert!(error.contains("PASS") && !error.contains(char::is_control), "{error:?}");

    let many = vec![format!(r#"{{"Id":"{id}"}}"#); engine::limits::LISTED + 1].join(",");
    let (_server, at) = serve(format!("[{many}]"));
    let error = Docker::connect(&at).unwrap().containers().unwrap_err().to_string();
    assert!(error.contains("more than 20000"), "{error}");
}

#[test]
fn a_file_that_is_no_socket_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.sock");
    std::fs::write(&path, "").unwrap();
    let error = Docker::connect(&endpoints(&format!("unix://{}", path.display()))).unwrap_err();
    assert!(matches!(error, EngineError::NotThere { .. }), "{error}");
    assert!(error.to_string().contains("no.sock"), "{error}");
}
