//! Engines of a test's own come up, run what they are given, and leave nothing behind.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use testkit::{ContainerdDaemon, DockerDaemon, small_root_image};

#[test]
fn docker_runs_a_small_image_and_leaves_nothing() {
    let Some(docker) = DockerDaemon::start() else { return };
    let Some(image) = small_root_image("demo:1") else { return };
    docker.load_bytes(&image.docker_archive());
    let id = docker.run("demo:1", "demo", &[]);
    assert_eq!(id.len(), 64);
    let said = docker.docker(&["exec", "demo", "/bin/sh", "-c", "read /app/twin; echo one two"]);
    assert_eq!(said, "some data of the application\none two");
    let ended =
        docker.attempt(&["exec", "demo", "/bin/sh", "-c", "memory /bin/sh -c none; exit 3"]);
    let reason = ended.unwrap_err();
    assert!(reason.starts_with("exit status: 3:") && reason.contains("none"), "{reason}");
    let folder = docker.folder().to_owned();
    drop(docker);
    assert!(!folder.exists());
}

#[test]
fn containerd_runs_a_small_image_and_leaves_nothing() {
    let Some(containerd) = ContainerdDaemon::start() else { return };
    let Some(image) = small_root_image("docker.io/library/demo:1") else { return };
    containerd.import_bytes(&image.docker_archive());
    containerd.run("docker.io/library/demo:1", "demo", &["/bin/sleeper"]);
    let tasks = containerd.ctr(&["tasks", "list"]);
    assert!(tasks.contains("demo") && tasks.contains("RUNNING"), "{tasks}");
    let folder = containerd.folder().to_owned();
    drop(containerd);
    assert!(!folder.exists());
}
