//! The same image gives the same inventory, whichever engine and way it is read by.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use image::Endpoints;
use scan::{Inventory, Progress, ReadOptions, RecordLevel, read};
use std::io::copy;
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::Path;
use testkit::{ContainerdDaemon, DockerDaemon, ImageBuilder, Layer, small_root_image};
use vocabulary::{FileRecord, Layer as VocabularyLayer, Status};

fn endpoints(docker: &str) -> Endpoints {
    Endpoints {
        docker: docker.to_owned(),
        containerd: "/nonexistent/containerd.sock".into(),
        docker_root: "/nonexistent/docker".into(),
        containerd_roots: Vec::new(),
        podman_roots: Vec::new(),
        ..Endpoints::default()
    }
}

fn options(engines: Endpoints) -> ReadOptions {
    ReadOptions { engines, files: RecordLevel::Digests, ..ReadOptions::default() }
}

fn inventory(reference: &str, options: &ReadOptions) -> Inventory {
    read(reference, options, &Progress::default()).unwrap()
}

/// A way to a Unix socket by TCP: what listens there cannot be taken for local.
fn by_tcp(socket: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = UnixStream::connect(&socket).unwrap();
            let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let (mut from, mut to) = (far, near);
            std::thread::spawn(move || {
                let _ = copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

/// All that must not depend on the way: what is stored where differs.
fn comparable(inventory: Inventory) -> Inventory {
    let layers = inventory.layers.into_iter();
    let layers = layers
        .map(|layer| VocabularyLayer {
            digest: None,
            media_type: String::new(),
            packed_bytes: 0,
            ..layer
        })
        .collect();
    let mut subject = inventory.subject;
    subject.name = String::new();
    subject.tags.clear();
    subject.manifest_digest = None;
    Inventory { layers, subject, ..inventory }
}

fn demo(name: &str) -> Option<ImageBuilder> {
    let deep = (0..40).fold(String::new(), |path, _| format!("{path}a-folder/"));
    let image = small_root_image(name)?
        .layer(
            Layer::new()
                .file(format!("{deep}long"), "behind a long name")
                .file("ünïcode", vec![b'x'; 300_000])
                .file("empty", "")
                .whiteout("app/private"),
        )
        .history("COPY more / # buildkit")
        .layer(Layer::new().directory("tmp").opaque("tmp").file("tmp/new", "1"))
        .history("RUN write /tmp/new 1 # buildkit");
    Some(image)
}

#[test]
fn podman_s_store_gives_the_inventory_of_the_archive_without_podman() {
    if !testkit::engine::is_root() {
        return testkit::skip("podman's store: loading an image into one needs root");
    }
    if !testkit::engine::is_installed("podman") {
        return testkit::skip("podman's store: `podman` is not installed");
    }
    let Some(image) = demo("localhost/demo:1") else { return };
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("demo.tar");
    std::fs::write(&archive, image.docker_archive()).unwrap();
    let root = folder.path().join("storage");
    let loaded = std::process::Command::new("podman")
        .arg("--root")
        .arg(&root)
        .arg("--runroot")
        .arg(folder.path().join("run"))
        .args(["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "load", "--input"])
        .arg(&archive)
        .output()
        .unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let mut engines = endpoints("unix:///nonexistent/docker.sock");
    engines.podman_roots = vec![root.clone()];
    let options = options(engines);
    let saved = comparable(inventory(&format!("docker-archive:{}", archive.display()), &options));
    for name in ["podman:demo:1", "podman:localhost/demo:1"] {
        let stored = inventory(name, &options);
        assert_eq!(stored.subject.tags, ["localhost/demo:1"]);
        assert_eq!(stored.findings, []);
        assert!(stored.coverage.iter().all(|coverage| coverage.status == Status::Ran));
        assert_eq!(comparable(stored), saved, "{name}");
    }
    // A byte of a stored file is changed: the layer is not what the configuration names.
    let file = walk(&root.join("overlay"), "empty").unwrap();
    std::fs::write(file, "not empty").unwrap();
    let tampered = inventory("podman:demo:1", &options);
    assert!(tampered.findings.iter().any(|finding| finding.rule == "digest-mismatch"));
    let _ = std::process::Command::new("umount").arg(root.join("overlay")).output();
}

/// The first file of this name below a folder.
fn walk(folder: &Path, name: &str) -> Option<std::path::PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::path);
    entries.into_iter().find_map(|entry| {
        let kind = entry.file_type().ok()?;
        match (kind.is_dir(), entry.file_name() == name && kind.is_file()) {
            (true, _) => walk(&entry.path(), name),
            (false, true) => Some(entry.path()),
            (false, false) => None,
        }
    })
}

#[test]
fn every_way_to_an_image_of_docker_gives_the_same_inventory() {
    let Some(daemon) = DockerDaemon::start() else { return };
    let Some(image) = demo("demo:1") else { return };
    let built = image.build();
    let archive = daemon.folder().join("demo.tar");
    std::fs::write(&archive, image.docker_archive()).unwrap();
    daemon.load(&archive);

    let local = options(endpoints(daemon.host()));
    let remote = options(endpoints(&by_tcp(&daemon.folder().join("docker.sock"))));
    let saved = inventory(&format!("docker-archive:{}", archive.display()), &local);
    let in_place = inventory("docker:demo:1", &local);
    let exported = inventory("docker:demo:1", &remote);

    assert_eq!(in_place.subject.name, "docker:demo:1");
    assert_eq!(in_place.subject.config_digest, Some(built.config_digest));
    assert_eq!(in_place.subject.tags, ["demo:1"]);
    assert_eq!(in_place.findings, []);
    assert!(in_place.coverage.iter().all(|coverage| coverage.status == Status::Ran));
    assert_eq!(in_place.software.packages.len(), 1);
    assert_eq!(in_place.subject, exported.subject);
    let (in_place, exported) = (comparable(in_place), comparable(exported));
    assert_eq!(in_place, exported);
    assert_eq!(in_place, comparable(saved));

    // The same store, while nobody answers for it.
    let mut alone = endpoints("unix:///nonexistent/docker.sock");
    alone.docker_root = daemon.data();
    for name in ["docker:demo:1", "docker:docker.io/library/demo:1"] {
        let stored = inventory(name, &options(alone.clone()));
        assert_eq!(stored.subject.source.as_deref(), Some("docker's store"));
        let mut stored = comparable(stored);
        stored.subject.source = None;
        assert_eq!(stored, in_place);
    }
    let error = read("docker:other:1", &options(alone), &Progress::default()).unwrap_err();
    assert!(error.to_string().contains("it has no image `other:1`"), "{error}");
}

#[test]
fn an_image_of_containerd_gives_the_same_inventory_as_its_archive() {
    let Some(daemon) = ContainerdDaemon::start() else { return };
    let Some(image) = demo("docker.io/library/demo:1") else { return };
    let archive = daemon.folder().join("demo.tar");
    std::fs::write(&archive, image.docker_archive()).unwrap();
    daemon.import(&archive);
    let packed = daemon.folder().join("packed.tar");
    let Some(other) = demo("registry.example/packed:1") else { return };
    let other = other.layer(Layer::new().file("other", "1")).history("RUN other");
    std::fs::write(&packed, other.oci_archive()).unwrap();

    let engines = Endpoints {
        containerd: daemon.address().to_owned(),
        namespace: daemon.namespace().to_owned(),
        ..endpoints("unix:///nonexistent/docker.sock")
    };
    let options = options(engines);
    let saved = inventory(&format!("docker-archive:{}", archive.display()), &options);
    let stored = inventory("containerd:demo:1", &options);
    assert_eq!(stored.subject.name, "containerd:demo:1");
    assert_eq!(stored.subject.tags, ["docker.io/library/demo:1"]);
    assert!(stored.subject.manifest_digest.is_some());
    assert_eq!(stored.findings, []);
    assert_eq!(comparable(stored), comparable(saved));

    let _ = daemon.ctr(&["images", "import", "--no-unpack", &packed.display().to_string()]);
    let name = "registry.example/packed:1";
    let stored = inventory(&format!("containerd:{name}"), &options);
    let archived = inventory(&format!("oci-archive:{}", packed.display()), &options);
    assert_eq!(stored.subject.config_digest, archived.subject.config_digest);
    assert_eq!(comparable(stored), comparable(archived));

    let target = engine::Containerd::connect(&options.engines).unwrap().image(name).unwrap();
    let manifest = target.content.join("blobs/sha256").join(target.target.hex());
    let mut bytes = std::fs::read(&manifest).unwrap();
    bytes.push(b'\n');
    std::fs::write(&manifest, bytes).unwrap();
    let tampered = inventory(&format!("containerd:{name}"), &options);
    assert_eq!(tampered.findings.len(), 1, "{:?}", tampered.findings);
}

#[test]
fn containerd_s_store_gives_the_inventory_of_the_layout_without_containerd() {
    let Some(mut daemon) = ContainerdDaemon::start() else { return };
    let Some(image) = demo("registry.example/app:1") else { return };
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout");
    image.write_oci_dir(&layout).unwrap();
    let of_layout = |name: &Path, options: &ReadOptions| {
        comparable(inventory(&format!("oci-dir:{}", name.display()), options))
    };
    daemon.import_bytes(&image.oci_archive());
    // As Docker with containerd's image store, and an image of two platforms of which one is pulled.
    let moby = folder.path().join("moby.tar");
    std::fs::write(&moby, image.docker_archive()).unwrap();
    let _ = daemon.ctr(&["--namespace", "moby", "images", "import", &moby.display().to_string()]);
    let other = |platform: &str, text: &str| {
        let layer = Layer::new().file("platform", text);
        ImageBuilder::new().platform(platform).tag("registry.example/two:1").layer(layer)
    };
    let two = testkit::ImageIndex::new()
        .image(other("linux/amd64", "a"))
        .image(other("linux/arm64", "b"))
        .nested();
    let (two_archive, two_layout) = (folder.path().join("two.tar"), folder.path().join("two"));
    std::fs::write(&two_archive, two.oci_archive()).unwrap();
    let built = two.write_oci_dir(&two_layout).unwrap();
    let two_archive = two_archive.display().to_string();
    let name = "--index-name=registry.example/two:1";
    let import = ["images", "import", "--no-unpack", "--all-platforms", name, &two_archive];
    let _ = daemon.ctr(&import);

    let mut engines = endpoints("unix:///nonexistent/docker.sock");
    engines.namespace = daemon.namespace().to_owned();
    engines.containerd_roots = vec![daemon.root()];
    let at = options(engines);
    // While containerd has the file open, and after.
    for _ in 0..2 {
        let stored = inventory("containerd:registry.example/app:1", &at);
        let source = stored.subject.source.clone().unwrap();
        assert_eq!(source, format!("containerd's store (namespace {})", daemon.namespace()));
        assert_eq!(stored.findings, []);
        assert!(stored.coverage.iter().all(|coverage| coverage.status == Status::Ran));
        assert_eq!(stored.software.packages.len(), 1);
        let mut stored = comparable(stored);
        stored.subject.source = None;
        assert_eq!(stored, of_layout(&layout, &at));
        daemon.stop();
    }
    let bare = inventory("registry.example/app:1", &at);
    assert!(bare.subject.source.unwrap().starts_with("containerd's store"));

    for (platform, built) in ["linux/amd64", "linux/arm64"].into_iter().zip(&built) {
        let platform = Some(platform.parse().unwrap());
        let at = ReadOptions { platform, ..at.clone() };
        let mut stored = comparable(inventory("containerd:registry.example/two:1", &at));
        assert_eq!(stored.subject.config_digest.as_ref(), Some(&built.config_digest));
        stored.subject.source = None;
        assert_eq!(stored, of_layout(&two_layout, &at));
    }

    let mut docker = endpoints("unix:///nonexistent/docker.sock");
    docker.docker_root = folder.path().join("docker");
    let own = docker.docker_root.join("containerd");
    std::fs::create_dir_all(&own).unwrap();
    std::os::unix::fs::symlink(daemon.root(), own.join("daemon")).unwrap();
    let stored = inventory("docker:registry.example/app:1", &options(docker));
    assert_eq!(stored.subject.source.as_deref(), Some("containerd's store (namespace moby)"));

    // A changed blob is told, one that is gone is named.
    let read = |name: &str| read(name, &at, &Progress::default());
    let blobs = daemon.root().join("io.containerd.content.v1.content/blobs/sha256");
    let layer = blobs.join(image.build().layers[1].digest.hex());
    let bytes = std::fs::read(&layer).unwrap();
    std::fs::write(&layer, [bytes.as_slice(), b"more"].concat()).unwrap();
    let tampered = read("containerd:registry.example/app:1").unwrap();
    assert!(tampered.findings.iter().any(|finding| finding.rule == "digest-mismatch"));
    std::fs::remove_file(&layer).unwrap();
    let error = read("containerd:registry.example/app:1").unwrap_err().to_string();
    assert!(error.contains(&image.build().layers[1].digest.to_string()), "{error}");
    assert!(error.contains("discard_unpacked_layers"), "{error}");
    let error = read("containerd:none:1").unwrap_err().to_string();
    assert!(error.contains("it has no image `none:1` in the namespace"), "{error}");
}

fn file<'inventory>(inventory: &'inventory Inventory, path: &str) -> &'inventory FileRecord {
    inventory.files.record.iter().find(|file| file.path == path).unwrap()
}

#[test]
fn what_is_changed_in_dockers_store_is_named() {
    let Some(daemon) = DockerDaemon::start() else { return };
    let Some(image) = demo("demo:1") else { return };
    daemon.load_bytes(&image.docker_archive());
    let options = options(endpoints(daemon.host()));
    let docker = engine::Docker::connect(&options.engines).unwrap();
    let before = inventory("docker:demo:1", &options);
    let folders = docker.image("demo:1").unwrap().unpacked.unwrap();
    let data = folders[1].path.join("app/data.txt");
    std::fs::write(&data, "some DATA of the application\n").unwrap();
    let same_size = inventory("docker:demo:1", &options);
    assert_eq!(same_size.findings.len(), 1, "{:?}", same_size.findings);
    assert_eq!(same_size.findings[0].layer, Some(1));
    assert_ne!(
        file(&same_size, "app/data.txt").digest,
        file(&before, "app/data.txt").digest,
        "the file itself shows it"
    );
    std::fs::write(&data, "longer than it was before, much longer\n").unwrap();
    std::fs::remove_file(folders[0].path.join("bin/sleeper")).unwrap();
    let other_size = inventory("docker:demo:1", &options);
    assert_eq!(other_size.findings.len(), 2, "{:?}", other_size.findings);
    assert_eq!(file(&other_size, "app/data.txt").size, 39);
    assert!(!other_size.files.record.iter().any(|file| file.path == "bin/sleeper"));
    let walk = other_size.coverage.iter().find(|coverage| coverage.check == "walk").unwrap();
    assert_eq!(walk.status, Status::Partial);
    let problems: Vec<&str> = walk.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(problems, ["app/data.txt", "bin/sleeper"]);
    assert!(walk.problems[0].reason.contains("39 bytes"), "{:?}", walk.problems);
}

#[test]
fn layers_in_dockers_store_are_read_once() {
    let Some(daemon) = DockerDaemon::start() else { return };
    let Some(image) = demo("demo:1") else { return };
    daemon.load_bytes(&image.docker_archive());
    let cache = Some(daemon.folder().join("cache"));
    let options =
        ReadOptions { engines: endpoints(daemon.host()), cache, ..ReadOptions::default() };
    let first = inventory("docker:demo:1", &options);
    let second = inventory("docker:demo:1", &options);
    assert!(first.layers.iter().all(|layer| !layer.from_cache));
    assert!(second.layers.iter().all(|layer| layer.from_cache));
    assert_eq!(first.software.packages, second.software.packages);
    let error = read("docker:none", &options, &Progress::default()).unwrap_err();
    assert!(error.to_string().starts_with("docker has no image `none`"), "{error}");
}

#[test]
fn the_folders_of_a_container_are_the_image_and_what_was_written() {
    let Some(daemon) = DockerDaemon::start() else { return };
    let Some(image) = demo("demo:1") else { return };
    daemon.load_bytes(&image.docker_archive());
    let _id = daemon.run("demo:1", "demo", &[]);
    let options = options(endpoints(daemon.host()));
    let of_image = inventory("docker:demo:1", &options);
    let script = "write /app/new text; copy /bin/sh /app/dropped; remove /etc/os-release; \
                  write /app/.wh.data.txt x; append /app/data.txt more";
    let _ = daemon.docker(&["exec", "demo", "/bin/sh", "-c", script]);
    let details = engine::container(&options.engines, "demo").unwrap();
    let subject = of_image.subject.clone();
    let read = |folders| {
        scan::read_folders(
            subject.clone(),
            &of_image.layers,
            folders,
            &options,
            &Progress::default(),
        )
    };

    // The unpacked layers are the image. Which name of a file is the link is a matter of order.
    let untouched = read(&details.layers[..4]);
    let key = |file: &FileRecord| {
        let FileRecord { path, kind, mode, uid, gid, digest, layer, .. } = file.clone();
        // A folder is made in each layer that has something in it, whether the tar names it or not.
        let layer = layer.filter(|_| kind != vocabulary::FileKind::Directory);
        (path, mode, uid, gid, digest, layer)
    };
    let listed = |inventory: &Inventory| -> std::collections::BTreeSet<_> {
        inventory.files.record.iter().map(key).collect()
    };
    let (found, expected) = (listed(&untouched), listed(&of_image));
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let added: Vec<&str> = found.difference(&expected).map(|file| file.0.as_str()).collect();
    // Folders that the tars do not name are made when they are unpacked.
    assert!(added.iter().all(|path| !path.contains('.')), "{added:?}");
    assert_eq!(untouched.software.packages, of_image.software.packages);
    assert!(untouched.coverage.iter().all(|coverage| coverage.status == Status::Ran));

    let now = read(&details.layers);
    let written: Vec<(&str, Option<u32>)> = now
        .files
        .record
        .iter()
        .filter(|file| file.layer > Some(3) && file.kind == vocabulary::FileKind::File)
        .map(|file| (file.path.as_str(), file.layer))
        .collect();
    let top = Some(5);
    assert!(written.contains(&("app/new", top)), "{written:?}");
    assert!(written.contains(&("app/dropped", top)), "{written:?}");
    assert!(written.contains(&("app/.wh.data.txt", top)), "a name is just a name here");
    assert!(written.contains(&("app/data.txt", top)), "{written:?}");
    assert!(written.iter().any(|(path, layer)| *path == "etc/hosts" && *layer == Some(4)));
    assert!(!now.files.record.iter().any(|file| file.path == "etc/os-release"));
    assert_eq!(file(&now, "app/dropped").digest, file(&of_image, "bin/sh").digest);
    assert_ne!(file(&now, "app/data.txt").digest, file(&of_image, "app/data.txt").digest);
    assert_eq!(file(&now, "bin/sleeper"), file(&of_image, "bin/sleeper"));
}
