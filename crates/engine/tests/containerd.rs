//! What containerd says of its images and containers, asked of a real one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use engine::{Containerd, Endpoints, EngineError, FolderRole};
use testkit::{ContainerdDaemon, Layer, small_root_image};
use vocabulary::{Digest, Engine};

fn endpoints(daemon: &ContainerdDaemon) -> Endpoints {
    Endpoints {
        docker: "unix:///nonexistent/docker.sock".to_owned(),
        containerd: daemon.address().to_owned(),
        namespace: daemon.namespace().to_owned(),
        ..Endpoints::default()
    }
}

#[test]
fn images_and_containers_are_found_with_their_folders() {
    let Some(daemon) = ContainerdDaemon::start() else { return };
    let Some(builder) = small_root_image("docker.io/library/demo:1") else { return };
    let built = builder.build();
    daemon.import_bytes(&builder.docker_archive());
    daemon.run("docker.io/library/demo:1", "demo", &["/bin/sleeper"]);
    let at = endpoints(&daemon);
    let containerd = Containerd::connect(&at).unwrap();

    let image = containerd.image("demo:1").unwrap();
    assert_eq!(image.name, "docker.io/library/demo:1");
    assert!(image.content.starts_with(daemon.root()), "{}", image.content.display());
    assert_eq!(containerd.image("docker.io/library/demo:1").unwrap(), image);
    assert_eq!(containerd.images().unwrap(), std::slice::from_ref(&image));
    let configurations = image.configurations();
    assert_eq!(configurations.len(), 1);
    assert_eq!(configurations[0].digest, built.config_digest);
    let diff_ids: Vec<Digest> = built.layers.iter().map(|layer| layer.diff_id.clone()).collect();
    assert_eq!(configurations[0].diff_ids, diff_ids);

    let (containers, errors) = engine::containers(&at);
    assert!(errors.is_empty(), "{errors:?}");
    let [container] = containers.as_slice() else { panic!("{containers:?}") };
    assert_eq!((container.engine, container.id.as_str()), (Engine::Containerd, "demo"));
    assert_eq!(container.image, "docker.io/library/demo:1");
    assert_eq!(container.image_id.as_ref(), Some(&built.config_digest));
    let running = std::fs::read(format!("/proc/{}/cmdline", container.pid.unwrap())).unwrap();
    assert_eq!(running, b"/bin/sleeper\0");

    let details = engine::container(&at, "demo").unwrap();
    assert_eq!(&details.container, container);
    let [first, second, written] = details.layers.as_slice() else { panic!("{details:?}") };
    let role = |index: u32| FolderRole::Image {
        index,
        diff_id: Some(diff_ids[usize::try_from(index).unwrap()].clone()),
    };
    assert_eq!((&first.role, &second.role), (&role(0), &role(1)));
    assert_eq!(written.role, FolderRole::Written);
    assert!(first.path.join("bin/sleeper").is_file());
    assert!(second.path.join("app/data.txt").is_file());

    // The name moves on; the container stays what it was made of.
    let newer = builder.layer(Layer::new().file("app/newer", "2")).history("RUN newer");
    daemon.import_bytes(&newer.docker_archive());
    let moved = containerd.containers().unwrap();
    assert_eq!(moved[0].image_id, None, "no image of its layers is left");

    let error = containerd.image("none:1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "containerd has no image `none:1`; pull or build it, or list what there is with `ctr images list`"
    );
    assert!(matches!(engine::container(&at, "none"), Err(EngineError::NoContainer { .. })));
    let other = Endpoints { namespace: "other".to_owned(), ..at };
    assert_eq!(Containerd::connect(&other).unwrap().images().unwrap(), []);
}

#[test]
fn a_store_of_many_images_that_came_and_went_is_read_in_full() {
    let Some(daemon) = ContainerdDaemon::start() else { return };
    let Some(builder) = small_root_image("docker.io/library/demo:1") else { return };
    daemon.import_bytes(&builder.docker_archive());
    let names: Vec<String> =
        (0..600).map(|at| format!("example.test/{}/image-{at:03}:1", "folder".repeat(8))).collect();
    let run = |words: &[&str], names: &[String]| {
        for part in names.chunks(100) {
            let part = part.iter().map(String::as_str);
            let all: Vec<&str> = words.iter().copied().chain(part).collect();
            let _ = daemon.ctr(&all);
        }
    };
    let file = std::fs::File::open(daemon.root().join("io.containerd.metadata.v1.bolt/meta.db"));
    let file = file.unwrap();
    let holds = |expected: &[String]| {
        let path: [&[u8]; 3] = [b"v1", daemon.namespace().as_bytes(), b"images"];
        let found = engine::bolt::consistent(&file, |bolt| {
            let images = bolt.bucket(&path)?.unwrap();
            let entries = bolt.entries(&images)?;
            for (name, _) in &entries {
                assert!(bolt.get(&images, name)?.is_some());
            }
            Ok(entries)
        });
        let found = found.unwrap().into_iter().map(|(name, _)| String::from_utf8(name).unwrap());
        let mut expected = expected.to_vec();
        expected.insert(0, "docker.io/library/demo:1".to_owned());
        assert_eq!(found.collect::<Vec<_>>(), expected);
    };
    run(&["images", "tag", "docker.io/library/demo:1"], &names);
    holds(&names);
    // What goes takes the first entries of pages with it, and whole pages.
    let goes = |at: usize| (100..300).contains(&at) || at.is_multiple_of(3);
    let (gone, left): (Vec<_>, Vec<_>) = names.iter().enumerate().partition(|(at, _)| goes(*at));
    let of = |part: Vec<(usize, &String)>| part.into_iter().map(|(_, name)| name.clone()).collect();
    let (gone, left): (Vec<String>, Vec<String>) = (of(gone), of(left));
    run(&["images", "rm"], &gone);
    holds(&left);
    run(&["images", "tag", "docker.io/library/demo:1"], &gone);
    holds(&names);
}

#[test]
fn an_engine_that_does_not_speak_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("silent.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let hangs_up = std::thread::spawn(move || drop(listener.accept()));
    let at = Endpoints { containerd: socket, ..Endpoints::default() };
    let error = Containerd::connect(&at).unwrap_err();
    assert!(matches!(error, EngineError::Connection { .. }), "{error}");
    assert!(error.to_string().contains("silent.sock"), "{error}");
    hangs_up.join().unwrap();
    let at = Endpoints { namespace: "a\nb".to_owned(), ..at };
    assert!(Containerd::connect(&at).is_err());
}
