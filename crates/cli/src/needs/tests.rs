use super::*;
use crate::args::Cli;
use clap::Parser as _;

/// What these words need, in a folder without engines.
fn needed(folder: &Path, words: &[&str]) -> Option<Needed> {
    let nowhere = folder.join("no-engine");
    let nowhere = nowhere.to_str().unwrap();
    let docker = format!("unix://{nowhere}");
    let engines = [
        "--docker-host",
        &docker,
        "--containerd-address",
        nowhere,
        "--containerd-root",
        nowhere,
        "--docker-root",
        nowhere,
        "--podman-root",
        nowhere,
    ];
    let words = [&["lazaret"], words].concat();
    // What is said later counts: not what the test says of engines.
    let given = |flag: &&str| words.contains(flag);
    let engines = engines.chunks(2).filter(|pair| !pair.first().is_some_and(given)).flatten();
    let cli = Cli::parse_from(words.iter().copied().chain(engines.copied()));
    let settings = crate::config::Settings::default();
    let printing = output::Printing::new(&cli.global, &settings);
    let world = World { global: cli.global, settings, printing, helpers: None };
    of(&world, &cli.command.unwrap())
}

fn read(needed: &Needed) -> &[PathBuf] {
    match &needed.needs.reading {
        Reading::Below(paths) => paths,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_alone_is_read_by_nobody_who_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let subject = folder.path().join("a:b");
    std::fs::create_dir(&subject).unwrap();
    let reference = format!("dir:{}", subject.display());
    let needed = needed(folder.path(), &["sbom", &reference, "--no-cache"]).unwrap();
    assert!(read(&needed).contains(&subject));
    assert!(!read(&needed).iter().any(|path| subject.parent().unwrap().starts_with(path)));
    let Needs { writing, connect, sockets, privileges, .. } = &needed.needs;
    assert_eq!((writing.as_slice(), *connect, *sockets), ([].as_slice(), Connect::Nobody, false));
    let expected = Privileges { read_all: true, to_nobody: true, ..Privileges::default() };
    assert_eq!(*privileges, expected);
    assert!(needed.folders.is_empty() && !needed.registry);
}

#[test]
fn what_is_written_is_named_and_nothing_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(at("out")).unwrap();
    let (output, cache, database) = (format!("json={}", at("out/a.json")), at("facts"), at("db"));
    let subject = at(".");
    let words = ["scan", &subject, "-o", &output, "--cache-dir", &cache, "--db", &database];
    let found = needed(folder.path(), &words).unwrap();
    let mut writing = found.needs.writing.clone();
    writing.sort();
    assert_eq!(writing, [at("db"), at("facts"), at("out")].map(PathBuf::from));
    assert_eq!(found.needs.connect, Connect::Anybody, "advisories are brought up to date");
    assert!(!found.needs.privileges.to_nobody);
    let offline = needed(folder.path(), &[&words[..], &["--offline"]].concat()).unwrap();
    assert_eq!(offline.needs.connect, Connect::Nobody);
    assert!(!offline.needs.writing.contains(&PathBuf::from(at("db"))));
    assert!(read(&offline).contains(&PathBuf::from(at("db"))));
}

#[test]
fn a_name_is_asked_of_its_registry_and_of_engines_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let image = ["sbom", "registry.example/shop:1", "--no-cache"];
    let registry = needed(folder.path(), &image).unwrap();
    assert_eq!(registry.needs.connect, Connect::Anybody);
    assert!(registry.registry && !read(&registry).contains(&PathBuf::from("/")));
    let socket = folder.path().join("engine.sock");
    std::fs::write(&socket, "").unwrap();
    let listens = format!("unix://{}", socket.display());
    let engine =
        needed(folder.path(), &["sbom", "docker:shop:1", "--no-cache", "--docker-host", &listens]);
    let engine = engine.unwrap().needs;
    assert_eq!((engine.reading, engine.connect), (Reading::Anywhere, Connect::Nobody));
    assert!(engine.sockets && engine.privileges.attributes && !engine.privileges.to_nobody);
    let port = ["sbom", "docker:shop:1", "--no-cache", "--docker-host", "tcp://127.0.0.1:4243"];
    let port = needed(folder.path(), &[&port[..], &["--offline"]].concat()).unwrap().needs;
    assert_eq!(port.connect, Connect::Port(4243));
}

#[test]
fn a_container_is_seen_as_its_process_sees_it_and_the_agent_keeps_all() {
    let folder = tempfile::tempdir().unwrap();
    let container = needed(folder.path(), &["verify", "container:shop"]).unwrap().needs;
    assert_eq!(container.reading, Reading::Processes);
    assert!(container.privileges.processes && !container.privileges.to_nobody);
    assert!(needed(folder.path(), &["agent"]).is_none());
    assert!(needed(folder.path(), &["credential-helpers"]).is_none());
}

#[test]
fn a_named_policy_brings_what_it_includes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("team")).unwrap();
    std::fs::write(at("team/policy.yaml"), "version: 1\ninclude: [../all.yaml]\n").unwrap();
    std::fs::write(at("all.yaml"), "version: 1\n").unwrap();
    let policy = at("team/policy.yaml");
    let found = needed(folder.path(), &["policy", "check", policy.to_str().unwrap()]).unwrap();
    for file in [policy, at("team/../all.yaml")] {
        assert!(read(&found).contains(&file), "{}", file.display());
    }
}

#[test]
fn an_artefact_is_asked_of_its_registry_and_its_key_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (key, db, out) = (at("key.pub"), at("db"), at("out"));
    for words in [
        vec!["db", "pull", "oci://registry.example/db", "--key", &key, "--db", &db],
        vec!["db", "update", "--from", "oci://registry.example/db", "--key", &key, "--db", &db],
        vec!["scan", "dir:x", "--db-source", "oci://registry.example/db", "--db-key", &key],
        vec!["db", "push", "oci://registry.example/db", "--key", &key, "--db", &db],
    ] {
        let found = needed(folder.path(), &words).unwrap();
        assert!(found.registry && found.needs.connect == Connect::Anybody, "{words:?}");
        assert!(read(&found).contains(&PathBuf::from(&key)), "{words:?}");
    }
    let local = format!("oci:{out}");
    for words in [
        vec!["db", "pull", &local, "--key", &key, "--db", &db],
        vec!["db", "push", &out, "--key", &key, "--db", &db],
    ] {
        let found = needed(folder.path(), &words).unwrap();
        assert_eq!((found.registry, found.needs.connect), (false, Connect::Nobody), "{words:?}");
    }
    // A folder that is not there yet is made in the one around it.
    let push = needed(folder.path(), &["db", "push", &out, "--db", &db]).unwrap();
    assert_eq!(push.needs.writing, [folder.path()]);
    assert!(read(&push).contains(&PathBuf::from(&db)));
}
