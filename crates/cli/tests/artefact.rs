//! `lazaret db push` and `pull`: against a real registry, a folder, a web server, and servers that lie.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, image, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use testkit::registry::{PASSWORD, RegistryOptions, USER};
use testkit::{Received, RegistryDaemon, Reply, Server};

const KEV: &str = r#"{"catalogVersion":"2026.09.01","dateReleased":"2026-09-01T00:00:00Z","count":1,
    "vulnerabilities":[{"cveID":"CVE-2099-0001","dateAdded":"2026-09-01","dueDate":"2026-09-21",
    "knownRansomwareCampaignUse":"Known"}]}"#;

/// When [`Bench`] runs; and a day later.
const EPOCH: u64 = 1_790_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A database of the sample advisories, and a key.
fn bench() -> Bench {
    let bench = Bench::with_database();
    assert_eq!(code(&bench.run(&["key", "new", "key"])), 0);
    bench
}

fn run_at(bench: &Bench, time: u64, words: &[&str]) -> Output {
    bench.command(words).env("SOURCE_DATE_EPOCH", time.to_string()).output().unwrap()
}

/// With the database of another folder.
fn into(db: &str, words: &[&str]) -> Vec<String> {
    let own = ["--db", db];
    words.iter().chain(&own).map(|word| (*word).to_owned()).collect()
}

fn pull(bench: &Bench, db: &str, words: &[&str]) -> Output {
    // In full where this machine can.
    let whole = code(&bench.run(&["--sandbox-status"])) == 0;
    let sandbox = ["--sandbox", if whole { "require" } else { "auto" }];
    let words = into(db, &[&["db", "pull"], words, &sandbox].concat());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    bench.run(&words)
}

fn good(output: &Output) -> String {
    assert_eq!(code(output), 0, "{}", stderr(output));
    stderr(output)
}

fn refused(output: &Output, exit: i32, words: &str) {
    let text = stderr(output);
    assert_eq!(code(output), exit, "{text}");
    assert!(text.contains(words), "{text}");
    assert_eq!(text.lines().last().map(|line| line.starts_with("lazaret: ")), Some(true), "{text}");
}

/// Builds the database anew, with another fix of the one package of PyPI.
fn change(bench: &Bench, fixed: &str, time: u64) {
    let record = bench.read("feed/PyPI/PYSEC-1.json");
    let (before, after) = record.split_once("{\"fixed\":\"").unwrap();
    let after = after.split_once('"').unwrap().1;
    bench.write("feed/PyPI/PYSEC-1.json", format!("{before}{{\"fixed\":\"{fixed}\"{after}"));
    good(&run_at(bench, time, &["db", "update", "--from", "feed"]));
}

fn same_files(bench: &Bench, db: &str) {
    for name in ["debian", "pypi", "npm"] {
        let read = |db: &str| std::fs::read(bench.path().join(db).join(format!("v1/{name}.lzdb")));
        assert!(read("db").unwrap() == read(db).unwrap(), "{name}");
    }
}

#[test]
fn a_registry_keeps_the_database_and_gives_only_what_has_changed() {
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else { return };
    let bench = bench();
    let place = format!("oci://{}/team/db:nightly", registry.host());
    let pushed = bench.run(&["db", "push", &place, "--key", "key"]);
    let first = stdout(&pushed);
    assert!(good(&pushed).contains("signed by sha256:"), "{}", stderr(&pushed));
    assert!(first.starts_with(&format!("oci://{}/team/db@sha256:", registry.host())), "{first}");
    let again = bench.run(&["db", "push", &place, "--key", "key"]);
    assert!(good(&again).contains(" 0 bytes sent"), "{}", stderr(&again));
    assert_eq!(stdout(&again), first, "the same database has the same digest");

    let taken = pull(&bench, "other", &[&place, "--key", "key.pub"]);
    assert!(!good(&taken).contains("fetched 0 bytes"), "{}", stderr(&taken));
    same_files(&bench, "other");
    let taken = pull(&bench, "other", &[&place, "--key", "key.pub"]);
    let said = good(&taken);
    assert!(said.contains("npm: 2 records, unchanged"), "{said}");
    // Manifest, list, configuration and signature alone.
    let fetched = said.split("fetched ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!((1000..8000).contains(&fetched.parse::<u64>().unwrap()), "{said}");
    assert_eq!(code(&pull(&bench, "quiet", &[&place, "--key", "key.pub", "-q"])), 0);

    change(&bench, "3.0", EPOCH + 60);
    good(&bench.run(&["db", "push", &place, "--key", "key"]));
    let taken = good(&pull(&bench, "other", &[&place, "--key", "key.pub"]));
    assert!(taken.contains("PyPI: 1 record\n") && taken.contains("npm: 2 records, unchanged\n"));
    same_files(&bench, "other");

    // The old one, by its digest: no key is needed for that, and it does not go back by itself.
    let first = first.trim();
    refused(&pull(&bench, "other", &[first]), 4, "is newer");
    good(&pull(&bench, "other", &[first, "--allow-older"]));
    good(&pull(&bench, "third", &[first, "npm"]));
    assert!(!bench.path().join("third/v1/pypi.lzdb").exists());
    refused(&pull(&bench, "third", &[&place]), 2, "whom to believe");
    let missing = pull(&bench, "third", &[&place, "--key", "key.pub", "Go"]);
    assert_eq!(code(&missing), 4);
    assert!(stderr(&missing).contains("Go: the source does not have it"), "{}", stderr(&missing));
    let nowhere = format!("oci://{}/team/nothing", registry.host());
    refused(&pull(&bench, "third", &[&nowhere, "--key", "key.pub"]), 4, "has no manifest `latest`");
    refused(&pull(&bench, "third", &[&place, "--key", "key.pub", "--offline"]), 4, "--offline");
    refused(&bench.run(&["db", "push", first, "--key", "key"]), 2, "give a tag");
    refused(&bench.run(&["db", "push", &place, "--offline"]), 2, "--offline");
}

#[test]
fn only_what_a_named_key_has_signed_is_taken() {
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else { return };
    let bench = bench();
    assert_eq!(code(&bench.run(&["key", "new", "another"])), 0);
    let place = format!("oci://{}/db", registry.host());
    let unsigned = bench.run(&["db", "push", &place]);
    assert!(good(&unsigned).contains("is not signed"), "{}", stderr(&unsigned));
    refused(&pull(&bench, "other", &[&place, "--key", "key.pub"]), 4, "it is not signed");
    assert!(!bench.path().join("other/v1/npm.lzdb").exists());
    let taken = good(&pull(&bench, "unsigned", &[&place, "--unsigned"]));
    assert!(taken.contains("is taken unsigned"), "{taken}");
    let both = pull(&bench, "other", &[&place, "--unsigned", "--key", "key.pub"]);
    refused(&both, 2, "leave out one of the two");

    good(&bench.run(&["db", "push", &place, "--key", "another"]));
    refused(&pull(&bench, "other", &[&place, "--key", "key.pub"]), 4, "signed by another key");
    good(&pull(&bench, "other", &[&place, "--key", "another.pub"]));
    // A second signature stands beside the first.
    good(&bench.run(&["db", "push", &place, "--key", "key"]));
    for key in ["key.pub", "another.pub"] {
        good(&pull(&bench, "other", &[&place, "--key", key]));
    }
    refused(&pull(&bench, "other", &[&place, "--key", "key"]), 2, "this is a private key");
    refused(&pull(&bench, "other", &[&place, "--key", "none"]), 2, "cannot read the key");
}

#[test]
fn a_login_may_push_and_tls_is_tried_first() {
    let options = RegistryOptions { tls: true, login: true };
    let Some(registry) = RegistryDaemon::start(options) else { return };
    let bench = bench();
    let place = format!("oci://{}/team/db", registry.host());
    let authority = registry.authority().display().to_string();
    let run = |words: &[&str], login: bool| {
        let mut command = bench.command(words);
        if login {
            command.env("LAZARET_REGISTRY", registry.host());
            command.env("LAZARET_REGISTRY_USERNAME", USER);
            command.env("LAZARET_REGISTRY_PASSWORD", PASSWORD);
        }
        command.output().unwrap()
    };
    let strange = run(&["db", "push", &place, "--key", "key"], true);
    let text = stderr(&strange);
    assert_eq!(code(&strange), 3, "{text}");
    assert!(text.contains("https://127.0.0.1") && text.contains("--ca-file"), "{text}");
    assert!(!text.contains("http://"), "{text}");
    let anonymous = run(&["db", "push", &place, "--key", "key", "--ca-file", &authority], false);
    refused(&anonymous, 2, "may not be written to");
    good(&run(&["db", "push", &place, "--key", "key", "--ca-file", &authority], true));
    let words =
        ["db", "pull", &place, "--key", "key.pub", "--ca-file", &authority, "--db", "other"];
    good(&run(&words, true));
    same_files(&bench, "other");
    refused(&run(&words, false), 4, "may not be read");
    let plain = run(&["db", "pull", &place, "--key", "key.pub", "--plain-http"], true);
    refused(&plain, 4, "speaks TLS, and --plain-http is given");
}

#[test]
fn a_scan_brings_its_database_up_to_date_from_an_artefact() {
    let bench = bench();
    image().write_oci_dir(bench.path().join("image")).unwrap();
    let registry = RegistryDaemon::start(RegistryOptions::default());
    good(&bench.run(&["db", "push", "out", "--key", "key"]));
    let mut places = vec!["oci:out".to_owned(), "out".to_owned()];
    let server = Server::files(bench.path().join("out")).unwrap();
    places.push(format!("oci:{}/", server.url()));
    if let Some(registry) = &registry {
        let place = format!("oci://{}/db", registry.host());
        good(&bench.run(&["db", "push", &place, "--key", "key"]));
        places.push(place);
    }
    let scan = |time: u64, words: &[&str]| {
        run_at(&bench, time, &[&["scan", "image", "--no-cache"], words].concat())
    };
    let expected = stdout(&scan(EPOCH, &["--no-db-update"]));
    for (index, place) in places.iter().enumerate() {
        let db = format!("fresh-{index}");
        let named = scan(EPOCH, &["--db", &db, "--db-source", place, "--db-key", "key.pub"]);
        assert_eq!(stdout(&named), expected, "{place}: {}", stderr(&named));
        let none = scan(EPOCH, &["--db", "none", "--db-source", place]);
        refused(&none, 2, "whom to believe");
        // By the user's own settings; what was merely found has no say.
        let settings = format!("db-source = \"{place}\"\ndb-key = \"../../key.pub\"\n");
        let settings =
            settings.replace("oci:out", "oci:../../out").replace("\"out\"", "\"../../out\"");
        bench.write(".config/lazaret/config.toml", settings);
        let own = scan(EPOCH, &["--db", &format!("own-{index}")]);
        assert_eq!(stdout(&own), expected, "{place}: {}", stderr(&own));
        let update = bench.run(&["db", "update", "--db", &format!("own-{index}"), "npm"]);
        assert!(good(&update).contains("npm: 2 records, unchanged"), "{}", stderr(&update));
        std::fs::remove_file(bench.path().join(".config/lazaret/config.toml")).unwrap();
    }
    bench.write("lazaret.toml", "db-key = \"key.pub\"\n");
    refused(&scan(EPOCH, &[]), 2, "`db-key` is not taken from");
    std::fs::remove_file(bench.path().join("lazaret.toml")).unwrap();
    // Whoever holds back what is newer lets nothing pass after a week.
    let words = ["--db", "fresh-0", "--db-source", "oci:out", "--db-key", "key.pub"];
    let late = scan(EPOCH + 8 * DAY, &[&words[..], &["--fail-on", "critical"]].concat());
    assert!(stdout(&late).contains("has no newer ones"), "{}", stdout(&late));
    let late = scan(EPOCH + 2 * DAY, &words);
    assert!(!stdout(&late).contains("has no newer ones"), "{}", stdout(&late));
    assert!(stderr(&late).contains("older than a day"), "{}", stderr(&late));
}

#[test]
fn a_folder_for_a_web_server_holds_this_one_and_the_one_before() {
    let bench = bench();
    let blobs = || std::fs::read_dir(bench.path().join("out/blobs/sha256")).unwrap().count();
    let mut pushed = Vec::new();
    for (index, fixed) in ["2.0", "3.0", "4.0"].into_iter().enumerate() {
        change(&bench, fixed, EPOCH + index as u64 * 60);
        let push = bench.run(&["db", "push", "out", "--key", "key"]);
        good(&push);
        pushed.push(stdout(&push).trim().to_owned());
    }
    // Three layers, manifest, configuration, signature, its envelope and its empty configuration;
    // and of the one before what is another one: a layer, manifest, configuration, signature, envelope.
    assert_eq!(blobs(), 8 + 5);
    good(&pull(&bench, "before", &[&pushed[1]]));
    let gone = pull(&bench, "before", &[&pushed[0], "--allow-older"]);
    refused(&gone, 4, "No such file");
    let server = Server::files(bench.path().join("out")).unwrap();
    good(&pull(&bench, "other", &[server.url(), "--key", "key.pub"]));
    same_files(&bench, "other");
    assert!(server.received().iter().all(|one| one.method == "GET"));
    let missing = format!("{}/elsewhere", server.url());
    refused(&pull(&bench, "other", &[&missing, "--key", "key.pub"]), 4, "answers 404");
    refused(&bench.run(&["db", "push", server.url(), "--key", "key"]), 2, "is read only");
    bench.write("full/file", "x");
    refused(&bench.run(&["db", "push", "full"]), 2, "no OCI layout, and not empty");
    refused(&pull(&bench, "other", &["full", "--unsigned"]), 4, "is no OCI layout");
    let empty = bench.run(&["db", "push", "out", "--db", "nothing"]);
    refused(&empty, 4, "holds no database");
}

/// What a registry answers that has what lies in the OCI layout `out`.
fn answered(folder: &Path, request: &Received) -> Reply {
    let index: Value =
        serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let name = request.path.rsplit('/').next().unwrap_or_default();
    let blob = |digest: &str| {
        let path = folder.join("blobs").join(digest.replace(':', "/"));
        std::fs::read(path).map_or(Reply::status(404), Reply::ok)
    };
    match request.path.as_str() {
        path if path.contains("/referrers/") => Reply::ok(index.to_string()),
        path if path.ends_with("/manifests/latest") => {
            blob(index["manifests"][0]["digest"].as_str().unwrap())
        }
        path if path.contains("/manifests/sha256:") || path.contains("/blobs/") => blob(name),
        _ => Reply::status(404),
    }
}

/// The digest of the layer of an ecosystem.
fn layer_of(folder: &Path, ecosystem: &str) -> String {
    let read =
        |path: PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let index = read(folder.join("index.json"));
    let digest = index["manifests"][0]["digest"].as_str().unwrap().replace(':', "/");
    let manifest = read(folder.join("blobs").join(digest));
    let layers = manifest["layers"].as_array().unwrap();
    let is_it = |one: &&Value| one["annotations"]["org.opencontainers.image.title"] == ecosystem;
    layers.iter().find(is_it).unwrap()["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_registry_that_lies_changes_nothing() {
    let bench = bench();
    good(&bench.run(&["db", "push", "out", "--key", "key"]));
    good(&pull(&bench, "other", &["out", "--key", "key.pub"]));
    let before = std::fs::read(bench.path().join("other/v1/pypi.lzdb")).unwrap();
    change(&bench, "5.0", EPOCH + 60);
    good(&bench.run(&["db", "push", "out", "--key", "key"]));
    let folder = bench.path().join("out");
    let layer = layer_of(&folder, "PyPI");
    let good_layer = std::fs::read(folder.join("blobs").join(layer.replace(':', "/"))).unwrap();
    let mut flipped = good_layer.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let large = vec![b' '; 100 << 20];
    let lies: [(&str, Reply, &str); 6] = [
        (&layer, Reply::ok(good_layer.clone()).cut_after(40), "cut off after"),
        (&layer, Reply::ok(flipped), "the database of PyPI is refused"),
        (&layer, Reply::ok(vec![7; good_layer.len()]), "the database of PyPI is refused"),
        (&layer, Reply::ok(vec![0; 32 << 20]).chunked(), "the database of PyPI is refused"),
        ("/manifests/latest", Reply::ok(large), "more than the 4194304 allowed"),
        ("/manifests/latest", Reply::ok("{}"), "manifest cannot be read"),
    ];
    for (path, lie, words) in lies {
        let (folder, path) = (folder.clone(), path.to_owned());
        let server = Server::start(move |request| match request.path.ends_with(&path) {
            true => lie.clone(),
            false => answered(&folder, request),
        })
        .unwrap();
        let place = server.url().replace("http://", "oci://") + "/db";
        refused(&pull(&bench, "other", &[&place, "--key", "key.pub"]), 4, words);
        assert!(std::fs::read(bench.path().join("other/v1/pypi.lzdb")).unwrap() == before);
    }
    // The same by a plain web server.
    let (own, at) = (folder.clone(), layer.replace(':', "/"));
    let server = Server::start(move |request| match request.path.ends_with(&at) {
        true => Reply::ok(good_layer.clone()).cut_after(40),
        false => testkit::http::file(&own, request),
    })
    .unwrap();
    refused(&pull(&bench, "other", &[server.url(), "--key", "key.pub"]), 4, "cut off after");
    assert!(std::fs::read(bench.path().join("other/v1/pypi.lzdb")).unwrap() == before);

    // An old one with its own signature, which holds.
    change(&bench, "6.0", EPOCH - DAY);
    good(&bench.run(&["db", "push", "out", "--key", "key"]));
    let own = folder;
    let server = Server::start(move |request| answered(&own, request)).unwrap();
    let place = server.url().replace("http://", "oci://") + "/db";
    refused(&pull(&bench, "other", &[&place, "--key", "key.pub"]), 4, "it was rolled back");
    assert!(std::fs::read(bench.path().join("other/v1/pypi.lzdb")).unwrap() == before);
}

#[test]
fn a_signature_is_found_among_many_that_are_none() {
    let bench = bench();
    good(&bench.run(&["db", "push", "out", "--key", "key"]));
    let folder = bench.path().join("out");
    let index: Value =
        serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let kind = "application/vnd.dsse.envelope.v1+json";
    let all = index["manifests"].as_array().unwrap();
    let own = all.iter().find(|one| one["artifactType"] == kind).unwrap().clone();
    for (count, found) in [(0, true), (70, true), (1000, true), (1100, false)] {
        let mut listed: Vec<Value> = (0..count)
            .map(|number| {
                let mut one = own.clone();
                one["digest"] = format!("sha256:{number:064x}").into();
                one
            })
            .collect();
        listed.push(own.clone());
        let list = serde_json::json!({"schemaVersion": 2, "manifests": listed}).to_string();
        let folder = folder.clone();
        let server = Server::start(move |request| match request.path.contains("/referrers/") {
            true => Reply::ok(list.clone()),
            false => answered(&folder, request),
        })
        .unwrap();
        let place = server.url().replace("http://", "oci://") + "/db";
        let pulled = pull(&bench, &format!("db-{count}"), &[&place, "--key", "key.pub"]);
        match found {
            true => {
                // What is not a layer counts, too.
                let said = good(&pulled);
                assert!(!said.contains("fetched 0 bytes"), "{said}");
                let again =
                    good(&pull(&bench, &format!("db-{count}"), &[&place, "--key", "key.pub"]));
                assert!(!again.contains("fetched 0 bytes"), "{again}");
            }
            false => refused(
                &pulled,
                4,
                "1101 entries there claim to be signatures, and none of the first 1024 is one by it",
            ),
        }
    }
}

#[test]
fn what_lets_us_in_goes_to_no_other_host() {
    let bench = bench();
    good(&bench.run(&["db", "push", "out", "--key", "key"]));
    let folder = bench.path().join("out");
    let own = folder.clone();
    let store = Server::start(move |request| match request.method.as_str() {
        "PUT" => Reply::status(201),
        _ => answered(&own, request),
    })
    .unwrap();
    let (away, other) = (store.url().to_owned(), store.url().to_owned());
    let login = "Basic dGVzdGVyOm1hZGUtdXAtcGFzc3dvcmQ=";
    let server = Server::start(move |request| match request.header("authorization") {
        Some(known) if known == login => match request.method.as_str() {
            "HEAD" => Reply::status(404),
            "POST" => Reply::status(202).header("location", &format!("{away}/upload?state=1")),
            "PUT" => Reply::status(201).header("oci-subject", "sha256:x"),
            _ if request.path.contains("/blobs/") => {
                Reply::redirect(307, &format!("{away}{}", request.path))
            }
            _ => answered(&folder, request),
        },
        _ => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
    })
    .unwrap();
    let host = server.url().replace("http://", "");
    let place = format!("oci://{host}/db");
    let run = |words: &[&str]| {
        let mut command = bench.command(words);
        command.env("LAZARET_REGISTRY", &host).env("LAZARET_REGISTRY_USERNAME", USER);
        command.env("LAZARET_REGISTRY_PASSWORD", PASSWORD).output().unwrap()
    };
    good(&run(&["db", "pull", &place, "--key", "key.pub", "--db", "other"]));
    same_files(&bench, "other");
    good(&run(&["db", "push", &place, "--key", "key"]));
    let uploads =
        store.received().into_iter().filter(|one| one.method == "PUT").collect::<Vec<_>>();
    assert_eq!(uploads.len(), 6, "three layers, two configurations, an envelope");
    for upload in &uploads {
        let digest = vocabulary::Digest::of(&upload.body);
        assert!(
            upload.path.ends_with(&format!("/upload?state=1&digest={digest}")),
            "{}",
            upload.path
        );
    }
    assert!(store.received().iter().all(|one| one.header("authorization").is_none()), "{other}");
    let manifests = server.received().into_iter().filter(|one| one.path.contains("/manifests/"));
    let put: Vec<String> =
        manifests.filter(|one| one.method == "PUT").map(|one| one.path).collect();
    // Refused once; then the artefact, its signature, and the tag as the last.
    assert_eq!(put.last().map(String::as_str), Some("/v2/db/manifests/latest"), "{put:?}");
    assert_eq!(put.len(), 3, "{put:?}");
}

#[test]
fn a_token_to_push_is_asked_for_the_one_repository() {
    let bench = bench();
    let server = Server::start(|request| {
        let at = request.header("host").unwrap();
        if request.path.starts_with("/token") {
            return Reply::ok(r#"{"token":"made-up"}"#);
        }
        let challenge = format!("Bearer realm=\"http://{at}/token\",scope=\"repository:x:*\"");
        match (request.header("authorization"), request.method.as_str()) {
            (Some("Bearer made-up"), "HEAD") => Reply::status(200),
            (Some("Bearer made-up"), _) => Reply::status(201),
            _ => Reply::status(401).header("www-authenticate", &challenge),
        }
    })
    .unwrap();
    let host = server.url().replace("http://", "");
    good(&bench.run(&["db", "push", &format!("oci://{host}/team/db"), "npm"]));
    let asked: Vec<String> = server.received().into_iter().map(|one| one.path).collect();
    let tokens = asked.iter().filter(|path| path.starts_with("/token")).collect::<Vec<_>>();
    assert_eq!(tokens, ["/token?scope=repository%3Ateam%2Fdb%3Apull%2Cpush"], "{asked:?}");
}

#[test]
fn what_is_exploited_travels_along_and_what_is_damaged_does_not() {
    let bench = bench();
    bench.write("kev.json", KEV);
    good(&bench.run(&["db", "update", "KEV", "--kev", "kev.json"]));
    let pushed = good(&bench.run(&["db", "push", "out", "--key", "key"]));
    assert!(pushed.contains("KEV: 1 record"), "{pushed}");
    let taken = good(&pull(&bench, "other", &["out", "--key", "key.pub"]));
    assert!(taken.contains("KEV: 1 record"), "{taken}");
    let status = |db: &str| {
        let status = bench.run(&["db", "status", "--db", db]);
        assert_eq!(code(&status), 0, "{}", stderr(&status));
        stdout(&status)
    };
    assert_eq!(status("other"), status("db"));
    good(&pull(&bench, "feed-only", &["out", "--key", "key.pub", "kev"]));
    assert!(bench.path().join("feed-only/v1/kev.lzrisk").exists());
    // A day later it says so, and takes it.
    let words = ["db", "pull", "out", "--key", "key.pub", "--db", "other"];
    let later = run_at(&bench, EPOCH + 2 * DAY, &words);
    assert!(good(&later).contains("older than a day"), "{}", stderr(&later));
    for (file, name) in [("pypi.lzdb", "pypi"), ("kev.lzrisk", "kev")] {
        let path = format!("db/v1/{file}");
        let whole = std::fs::read(bench.path().join(&path)).unwrap();
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        bench.write(&path, damaged);
        refused(&bench.run(&["db", "push", "out", "--key", "key"]), 4, &format!("{name}."));
        good(&bench.run(&["db", "push", "out", "--key", "key", "npm"]));
        bench.write(&path, whole);
    }
}

#[test]
fn a_registry_that_takes_nothing_is_said_with_what_to_do() {
    let bench = bench();
    let push = |answer: fn(&Received) -> Reply| {
        let server = Server::start(answer).unwrap();
        let place = server.url().replace("http://", "oci://") + "/db";
        (bench.run(&["db", "push", &place, "--key", "key"]), server)
    };
    let (denied, _) = push(|_| Reply::status(403));
    refused(&denied, 2, "does not let this user do it (403); log in with `docker login");
    let (busy, _) = push(|_| Reply::status(429).header("retry-after", "3600"));
    refused(&busy, 3, "try again in 3600 seconds");
    let (elsewhere, server) = push(|request| match request.method.as_str() {
        "HEAD" => Reply::status(404),
        _ => Reply::redirect(307, "http://192.0.2.1/take"),
    });
    refused(&elsewhere, 3, "which is not followed");
    assert!(server.received().iter().all(|one| one.body.is_empty()));
    let (other_bytes, _) = push(|request| match request.method.as_str() {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("location", "/v2/db/blobs/uploads/1"),
        _ => Reply::status(201)
            .header("docker-content-digest", &format!("sha256:{}", "0".repeat(64))),
    });
    refused(&other_bytes, 3, "has taken other bytes than were sent");
    let (large, _) = push(|request| match request.method.as_str() {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("location", "/v2/db/blobs/uploads/1"),
        _ => Reply::status(413),
    });
    refused(&large, 3, "takes nothing of this size (413)");
    let (nowhere, _) = push(|request| match request.method.as_str() {
        "POST" => Reply::status(202),
        _ => Reply::status(404),
    });
    refused(&nowhere, 3, "names no place for the upload");
}
