//! Updating over HTTP, by folder, and by one portable file.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use advisories::{Changed, Quiet, Source, UpdateError, Updated};
use common::{World, database, now, offline, record, zip};
use std::path::Path;
use std::time::Duration;
use tempfile::tempdir;
use testkit::http::{Reply, Server};
use vocabulary::Ecosystem;

fn archive(count: usize) -> Vec<u8> {
    let records: Vec<(String, String)> = (0..count)
        .map(|index| {
            let text = record(
                &format!("GHSA-{index}"),
                "",
                "npm",
                &format!("acme{index}"),
                r#"{"introduced":"0"}"#,
            );
            (format!("GHSA-{index}.json"), text)
        })
        .collect();
    let members: Vec<(&str, &str)> =
        records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    zip(&members)
}

fn client() -> fetch::Client {
    let options = fetch::Options {
        retries: 0,
        backoff: Duration::from_millis(1),
        ..fetch::Options::default()
    };
    fetch::Client::new(options).unwrap()
}

fn update(folder: &Path, url: &str) -> Result<Updated, UpdateError> {
    let source = Source::Url(url.to_owned());
    advisories::update(folder, &source, &[Ecosystem::NPM], &client(), now(), &Quiet)
        .map(|mut updates| updates.remove(0))
}

#[test]
fn an_unchanged_source_without_a_list_costs_two_requests_and_renews_the_time() {
    let server = Server::start(|request| match request.header("if-none-match") {
        _ if request.path.ends_with(".csv") => Reply::status(404),
        Some("\"one\"") => Reply::status(304),
        _ => Reply::ok(archive(3)).header("etag", "\"one\""),
    })
    .unwrap();
    let folder = tempdir().unwrap();
    let first = update(folder.path(), server.url()).unwrap();
    assert!(matches!(first.changed, Changed::Built { .. }));
    assert_eq!(first.manifest.as_ref().unwrap().etag.as_deref(), Some("\"one\""));
    let later = now() + jiff::SignedDuration::from_hours(30);
    assert!(advisories::status(folder.path(), later)[0].stale);
    let source = Source::Url(server.url().to_owned());
    let second =
        advisories::update(folder.path(), &source, &[Ecosystem::NPM], &client(), later, &Quiet)
            .unwrap();
    assert_eq!(second[0].changed, Changed::Unchanged);
    assert!(!advisories::status(folder.path(), later)[0].stale);
    assert_eq!(server.received().len(), 4);
}

#[test]
fn a_damaged_database_is_fetched_again_whatever_the_server_knows() {
    let server = Server::start(|request| match request.header("if-none-match") {
        Some(_) => Reply::status(304),
        None => Reply::ok(archive(3)).header("etag", "\"one\""),
    })
    .unwrap();
    let folder = tempdir().unwrap();
    update(folder.path(), server.url()).unwrap();
    std::fs::write(database(folder.path(), "npm"), b"damaged").unwrap();
    let again = update(folder.path(), server.url()).unwrap();
    assert!(matches!(again.changed, Changed::Built { .. }));
}

#[test]
fn a_download_that_breaks_off_is_continued_where_it_stopped() {
    let whole = archive(200);
    let cut = whole.len() / 2;
    let served = whole;
    let server = Server::start(move |request| {
        if request.path.ends_with(".csv") {
            return Reply::status(404);
        }
        let tagged = |reply: Reply| reply.header("etag", "\"one\"");
        match (request.header("range"), request.header("if-range")) {
            (Some(range), Some("\"one\"")) => {
                assert_eq!(range, format!("bytes={cut}-"));
                let span = format!("bytes {cut}-{}/{}", served.len() - 1, served.len());
                tagged(Reply::ok(&served[cut..]).with_status(206).header("content-range", &span))
            }
            _ => tagged(Reply::ok(served.clone()).cut_after(cut)),
        }
    })
    .unwrap();
    let folder = tempdir().unwrap();
    let updated = update(folder.path(), server.url()).unwrap();
    assert_eq!(updated.manifest.unwrap().records, 200);
    assert_eq!(server.received().len(), 3);
    let left: Vec<_> = std::fs::read_dir(folder.path().join("v1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("part") || name.contains("new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_part_of_an_older_state_is_not_continued() {
    let (old, new) = (archive(50), archive(60));
    let folder = tempdir().unwrap();
    let cut = old.len() / 2;
    let first = Server::start(move |request| match request.path.ends_with(".zip") {
        true => Reply::ok(old.clone()).header("etag", "\"old\"").cut_after(cut),
        false => Reply::status(404),
    })
    .unwrap();
    let address = first.url().to_owned();
    assert!(matches!(update(folder.path(), &address), Err(UpdateError::Download(_))));
    assert!(folder.path().join("v1/npm.zip.part").is_file());
    // The state that the part's note names is kept; the server, asked with it, sends all of the new.
    let note = folder.path().join("v1/npm.zip.part.json");
    let second = Server::start(move |_| Reply::ok(new.clone()).header("etag", "\"new\"")).unwrap();
    let text = std::fs::read_to_string(&note).unwrap().replace(&address, second.url());
    std::fs::write(&note, text).unwrap();
    let updated = update(folder.path(), second.url()).unwrap();
    assert_eq!(updated.manifest.unwrap().records, 60);
    assert_eq!(second.received()[1].header("if-range"), Some("\"old\""));
}

#[test]
fn an_ecosystem_that_is_not_there_is_said_so_and_an_error_page_is_no_archive() {
    let folder = tempdir().unwrap();
    let server = Server::start(|_| Reply::status(404)).unwrap();
    assert_eq!(update(folder.path(), server.url()).unwrap().changed, Changed::NotThere);
    let server = Server::start(|_| Reply::ok("<html>Welcome to the portal</html>")).unwrap();
    let error = update(folder.path(), server.url()).unwrap_err().to_string();
    assert!(error.contains("the file is cut off or no archive"), "{error}");
    assert!(advisories::status(folder.path(), now()).is_empty());
}

#[test]
fn a_damaged_archive_leaves_the_old_database() {
    let folder = tempdir().unwrap();
    let server = Server::start(|_| Reply::ok(archive(5))).unwrap();
    update(folder.path(), server.url()).unwrap();
    let before = std::fs::read(database(folder.path(), "npm")).unwrap();
    let server = Server::start(|_| {
        let mut bytes = archive(5);
        bytes[60] ^= 0xff;
        Reply::ok(bytes)
    })
    .unwrap();
    assert!(matches!(update(folder.path(), server.url()), Err(UpdateError::Feed(_))));
    assert_eq!(std::fs::read(database(folder.path(), "npm")).unwrap(), before);
}

#[test]
fn all_that_a_source_lists_is_updated_where_nothing_is_named() {
    let server = Server::start(|request| match request.path.as_str() {
        "/ecosystems.txt" => Reply::ok("npm\nDebian\nDebian:12\n[EMPTY]\nRocky Linux\n"),
        "/npm/all.zip" => Reply::ok(archive(2)),
        "/Rocky%20Linux/all.zip" => Reply::ok(zip(&[(
            "a.json",
            &record("RLSA-1", "", "Rocky Linux:9", "acme", r#"{"introduced":"0"}"#),
        )])),
        _ => Reply::status(404),
    })
    .unwrap();
    let folder = tempdir().unwrap();
    let source = Source::Url(format!("{}/", server.url()));
    let updates =
        advisories::update(folder.path(), &source, &[], &client(), now(), &Quiet).unwrap();
    let there: Vec<(String, bool)> = updates
        .iter()
        .map(|one| (one.ecosystem.to_string(), one.changed != Changed::NotThere))
        .collect();
    let expected = [("Debian", false), ("Rocky Linux", true), ("npm", true)];
    assert_eq!(there, expected.map(|(name, there)| (name.to_owned(), there)));
    assert!(database(folder.path(), "Rocky Linux").ends_with("v1/rocky-linux.lzdb"));
}

#[test]
fn the_same_records_give_the_same_bytes_from_an_archive_and_from_files() {
    let text = |index: usize| {
        record(
            &format!("GHSA-{index}"),
            r#""aliases":["CVE-2026-1000"]"#,
            "npm",
            &format!("acme{}", index % 3),
            r#"{"introduced":"0"},{"fixed":"1.0.0"}"#,
        )
    };
    let (one, two, three) = (text(1), text(2), text(3));
    let files = World::new(&[("npm", &one), ("npm", &two), ("npm", &three)]);
    let packed = tempdir().unwrap();
    std::fs::create_dir(packed.path().join("npm")).unwrap();
    let members =
        [("002.json", three.as_str()), ("000.json", &one), ("001.json", &two), ("note.txt", "x")];
    std::fs::write(packed.path().join("npm/all.zip"), zip(&members)).unwrap();
    let folder = tempdir().unwrap();
    let source = Source::Directory(packed.path().to_owned());
    advisories::update(folder.path(), &source, &[], &offline(), now(), &Quiet).unwrap();
    assert_eq!(
        std::fs::read(database(folder.path(), "npm")).unwrap(),
        std::fs::read(database(files.folder.path(), "npm")).unwrap()
    );
}

#[test]
fn a_record_that_cannot_be_read_does_not_cost_the_others() {
    let good = record("GHSA-1", "", "npm", "acme", r#"{"introduced":"0"}"#);
    let world = World::new(&[("npm", &good), ("npm", "{not json")]);
    let updates = world.update().unwrap();
    let Changed::Built { dropped, .. } = updates[0].changed else { panic!("not built") };
    assert_eq!(dropped.malformed, 1);
    assert_eq!(updates[0].manifest.as_ref().unwrap().records, 1);
}

#[test]
fn two_updates_do_not_run_at_once_and_the_second_waits() {
    let server = Server::start(|request| match request.path.ends_with(".zip") {
        true => Reply::ok(archive(3)),
        false => Reply::status(404),
    })
    .unwrap();
    let folder = tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("v1")).unwrap();
    let lock = std::fs::File::create(folder.path().join("v1/.lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| update(folder.path(), server.url()));
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(!second.is_finished() && server.received().is_empty());
        drop(lock);
        assert!(matches!(second.join().unwrap().unwrap().changed, Changed::Built { .. }));
    });
}

#[test]
fn what_is_exported_is_imported_and_a_flipped_bit_is_refused() {
    let world = World::new(&[
        ("npm", &record("GHSA-1", "", "npm", "acme", r#"{"introduced":"0"}"#)),
        ("PyPI", &record("PYSEC-1", "", "PyPI", "acme", r#"{"introduced":"0"}"#)),
    ]);
    let file = world.folder.path().join("databases.lzdbpack");
    advisories::export(world.folder.path(), &file).unwrap();
    let folder = tempdir().unwrap();
    let imported = advisories::import(folder.path(), &file).unwrap();
    assert_eq!(imported.len(), 2);
    assert_eq!(
        advisories::status(folder.path(), now()),
        advisories::status(world.folder.path(), now())
    );

    let bytes = std::fs::read(&file).unwrap();
    let other = tempdir().unwrap();
    for at in [0, 9, 20, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        assert!(advisories::import(other.path(), &file).is_err(), "{at}");
    }
    std::fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
    assert!(advisories::import(other.path(), &file).is_err());
    assert!(advisories::status(other.path(), now()).is_empty());

    let server = Server::start(move |_| Reply::ok(bytes.clone())).unwrap();
    let url = format!("{}/databases.lzdbpack", server.url());
    let imported =
        advisories::bundle::import_url(other.path(), &url, &client(), &|_, _| {}).unwrap();
    assert_eq!(imported.len(), 2);
}
