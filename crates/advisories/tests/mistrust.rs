//! A bucket that answers with what is old, cut off, or something else: what is known stays, what could
//! not be had is said, and afterwards the database is that of a full build.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use advisories::{Changed, Databases, Matched};
use common::bucket::{Bucket, list, record, time};
use common::{now, zip};
use std::sync::atomic::{AtomicBool, Ordering};
use testkit::http::Reply;
use vocabulary::{Ecosystem, Status};

fn followed(read: u64, gone: u64, behind: u64) -> Changed {
    Changed::Followed { read, gone, behind }
}

/// What is found of the package of a record.
fn matched(bucket: &Bucket, id: &str, version: &str) -> Matched {
    let purl = format!("pkg:npm/acme-{}@{version}", id.to_lowercase());
    let databases = Databases::open(bucket.folder.path(), [Ecosystem::NPM], now());
    databases.matches(&[common::package(&purl, "a")], None)
}

fn finds(bucket: &Bucket, id: &str, version: &str) -> bool {
    !matched(bucket, id, version).findings.is_empty()
}

fn is_partial(bucket: &Bucket) -> bool {
    matched(bucket, "none", "1.0.0").coverage[0].status == Status::Partial
}

/// The archive of what is there now.
fn archive(bucket: &Bucket, keep: usize) -> Vec<u8> {
    let content = bucket.content.lock().unwrap();
    let members: Vec<(String, String)> = content
        .records
        .iter()
        .take(keep)
        .map(|(id, (_, text))| (format!("{id}.json"), text.clone()))
        .collect();
    let members: Vec<(&str, &str)> =
        members.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    zip(&members)
}

#[test]
fn an_archive_older_than_its_list_is_made_up_for_by_single_records() {
    for keep in [0, 5, 50] {
        let bucket = Bucket::new(50);
        let old = archive(&bucket, keep);
        bucket.put("GHSA-0001", 5000, "9.0.0");
        bucket.update().unwrap();
        assert!(finds(&bucket, "GHSA-0001", "5.0.0"));
        for index in 1000..1300 {
            bucket.put(&format!("GHSA-{index}"), 6000 + index, "1.0.0");
        }
        bucket
            .instead(move |request| request.path.ends_with(".zip").then(|| Reply::ok(old.clone())));
        let updated = bucket.update().unwrap();
        assert!(matches!(updated.changed, Changed::Built { behind: 0, .. }), "{updated:?}");
        // What was here in a later state than the archive has it is kept.
        assert!(finds(&bucket, "GHSA-0001", "5.0.0"));
        assert!(finds(&bucket, "GHSA-1200", "0.5.0"));
        assert!(!is_partial(&bucket));
        assert!(bucket.bytes() == bucket.anew_by_archive());
    }
}

#[test]
fn what_neither_an_archive_nor_single_records_have_is_said_and_what_was_here_is_kept() {
    let bucket = Bucket::new(50);
    let old = archive(&bucket, 40);
    bucket.put("GHSA-0001", 5000, "9.0.0");
    bucket.update().unwrap();
    for index in 1000..1300 {
        bucket.put(&format!("GHSA-{index}"), 6000 + index, "1.0.0");
    }
    for refused in [404, 500, 403] {
        let old = old.clone();
        bucket.instead(move |request| match request.path.rsplit('.').next() {
            Some("zip") => Some(Reply::ok(old.clone())),
            Some("json") => Some(Reply::status(refused)),
            _ => None,
        });
        let updated = bucket.update().unwrap();
        assert!(matches!(updated.changed, Changed::Built { behind: 300, .. }), "{updated:?}");
        assert_eq!(updated.manifest.unwrap().records, 50);
        assert!(finds(&bucket, "GHSA-0001", "5.0.0") && finds(&bucket, "GHSA-0045", "0.5.0"));
        assert!(is_partial(&bucket));
        // The very first fetch knows it, too.
        let first = tempfile::tempdir().unwrap();
        let updated = bucket.update_in(first.path()).unwrap();
        let Changed::Built { behind, .. } = updated.changed else { panic!("{updated:?}") };
        assert_eq!(behind, 311);
    }
    bucket.with(|content| content.instead = None);
    bucket.update().unwrap();
    assert!(!is_partial(&bucket));
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn an_answer_that_is_not_the_record_replaces_nothing_and_is_asked_for_again() {
    let other = record("GHSA-0002", &time(9000), "acme-ghsa-0001", "9.0.0");
    let good = record("GHSA-0001", &time(9000), "acme-ghsa-0001", "9.0.0");
    let older = record("GHSA-0001", "2020-01-01T00:00:00Z", "acme-ghsa-0001", "0.1.0");
    let undated = good.replacen("\"modified\"", "\"changed\"", 1);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, good.as_bytes()).unwrap();
    let answers: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{\"id\":\"GHSA-0001\"".to_vec(),
        b"<html>Welcome to the portal</html>".to_vec(),
        other.into_bytes(),
        older.into_bytes(),
        undated.into_bytes(),
        packed.finish().unwrap(),
        [b"\xef\xbb\xbf", good.as_bytes()].concat(),
        b"[]".to_vec(),
    ];
    for answer in answers {
        let bucket = Bucket::new(50);
        let before = bucket.bytes();
        bucket.put("GHSA-0001", 9000, "9.0.0");
        let shown = String::from_utf8_lossy(&answer).into_owned();
        bucket.instead(move |request| {
            request.path.ends_with("0001.json").then(|| Reply::ok(answer.clone()))
        });
        for _ in 0..2 {
            let asked = bucket.asked(|| {
                assert_eq!(bucket.update().unwrap().changed, followed(0, 0, 1), "{shown}");
            });
            assert_eq!(asked, ["/npm/GHSA-0001.json", "/npm/modified_id.csv"], "{shown}");
            assert!(bucket.bytes() == before, "{shown}");
            assert!(is_partial(&bucket) && finds(&bucket, "GHSA-0001", "0.5.0"), "{shown}");
        }
        bucket.with(|content| content.instead = None);
        assert_eq!(bucket.update().unwrap().changed, followed(1, 0, 0), "{shown}");
        assert!(bucket.bytes() == bucket.anew() && !is_partial(&bucket), "{shown}");
    }
}

#[test]
fn a_new_record_that_never_is_one_is_counted_and_costs_one_request_each_time() {
    let bucket = Bucket::new(50);
    bucket.put("GHSA-9000", 9000, "9.0.0");
    bucket.with(|content| content.records.get_mut("GHSA-9000").unwrap().1 = "{".to_owned());
    let updated = bucket.update().unwrap();
    assert_eq!(updated.manifest.unwrap().malformed, 1);
    for minute in 0..3 {
        bucket.put("GHSA-0001", 9001 + minute, "9.0.0");
        let asked = bucket.asked(|| drop(bucket.update().unwrap()));
        let all = ["/npm/GHSA-0001.json", "/npm/GHSA-9000.json", "/npm/modified_id.csv"];
        assert_eq!(asked, all);
        assert!(is_partial(&bucket));
        assert!(bucket.bytes() == bucket.anew());
    }
    bucket.put("GHSA-9000", 9000, "9.0.0");
    bucket.update().unwrap();
    assert!(finds(&bucket, "GHSA-9000", "5.0.0") && !is_partial(&bucket));
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn a_list_cut_at_the_end_of_a_line_takes_nothing_away() {
    // So few are asked for by themselves, more are looked for in the archive.
    for (held, listed) in [(60, 31), (60, 59), (400, 300), (400, 201)] {
        let bucket = Bucket::new(held);
        let before = bucket.bytes();
        bucket.with(|content| {
            let cut = list(content).lines().take(listed).map(|line| format!("{line}\n")).collect();
            content.list = Some(cut);
        });
        for _ in 0..2 {
            let records = bucket.update().unwrap().manifest.unwrap().records;
            assert_eq!(records, held as u64);
            assert!(bucket.bytes() == before);
        }
        // What really is gone goes.
        bucket.with(|content| {
            content.list = None;
            let gone: Vec<String> = content.records.keys().take(held / 3).cloned().collect();
            gone.iter().for_each(|id| drop(content.records.remove(id)));
        });
        let records = bucket.update().unwrap().manifest.unwrap().records;
        assert_eq!(records, (held - held / 3) as u64);
        assert!(bucket.bytes() == bucket.anew());
    }
}

#[test]
fn a_second_change_within_the_same_second_is_seen() {
    let bucket = Bucket::new(50);
    let times = ["2026-08-20T00:00:00Z", "2026-08-20T00:00:00.1Z", "2026-08-20T00:00:00.100001Z"];
    for (at, fixed) in times.iter().zip(["2.0.0", "3.0.0", "4.0.0"]) {
        bucket.with(|content| {
            let text = record("GHSA-0001", at, "acme-ghsa-0001", fixed);
            content.records.insert("GHSA-0001".to_owned(), ((*at).to_owned(), text));
        });
        assert_eq!(bucket.update().unwrap().changed, followed(1, 0, 0), "{at}");
        assert!(bucket.bytes() == bucket.anew());
    }
    assert!(finds(&bucket, "GHSA-0001", "3.5.0"));
}

#[test]
fn a_list_of_whole_seconds_is_held_against_finer_records_by_those() {
    let bucket = Bucket::new(50);
    bucket.with(|content| {
        let text = record("GHSA-0001", "2026-08-20T00:00:00.5Z", "acme-ghsa-0001", "2.0.0");
        let entry = ("2026-08-20T00:00:00Z".to_owned(), text);
        content.records.insert("GHSA-0001".to_owned(), entry);
    });
    assert_eq!(bucket.update().unwrap().changed, followed(1, 0, 0));
    bucket.put("GHSA-0002", 9000, "2.0.0");
    let asked = bucket.asked(|| drop(bucket.update().unwrap()));
    assert_eq!(asked, ["/npm/GHSA-0002.json", "/npm/modified_id.csv"]);
}

#[test]
fn what_is_to_be_withdrawn_one_day_is_here_and_not_behind() {
    let bucket = Bucket::new(50);
    bucket.put("GHSA-0001", 9000, "2.0.0");
    bucket.with(|content| {
        let text = &mut content.records.get_mut("GHSA-0001").unwrap().1;
        *text = text.replacen('{', r#"{"withdrawn":"2999-01-01T00:00:00Z","#, 1);
    });
    assert_eq!(bucket.update().unwrap().changed, followed(1, 0, 0));
    let first = tempfile::tempdir().unwrap();
    let updated = bucket.update_in(first.path()).unwrap();
    assert!(matches!(updated.changed, Changed::Built { behind: 0, .. }), "{updated:?}");
    assert!(finds(&bucket, "GHSA-0001", "1.5.0") && !is_partial(&bucket));
    assert!(bucket.bytes() == bucket.anew());
}

/// Whoever reads while databases are exchanged sees the one or the other, and never a missing one.
#[test]
fn a_database_is_there_while_another_takes_its_place() {
    let bucket = Bucket::new(5);
    bucket.update().unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut looked, mut missing) = (0, Vec::new());
            while !ended.load(Ordering::Relaxed) {
                let databases = Databases::open(bucket.folder.path(), [Ecosystem::NPM], now());
                missing.extend(databases.failures().map(|(_, error)| error.to_string()));
                looked += usize::from(!databases.is_empty());
            }
            (looked, missing)
        });
        for state in 0..60 {
            bucket.put("GHSA-0001", 5000 + state, &format!("{state}.0.0"));
            bucket.update().unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        let (looked, missing) = reader.join().unwrap();
        assert!(looked > 0 && missing.is_empty(), "{looked} {missing:?}");
    });
    // Where it was ended between the two, the manifest that was to take the place speaks of it.
    let v1 = bucket.folder.path().join("v1");
    std::fs::rename(v1.join("npm.json"), v1.join("npm.json.next")).unwrap();
    std::fs::write(v1.join("npm.json"), "{}").unwrap();
    assert!(!is_partial(&bucket));
    bucket.update().unwrap();
    assert!(!is_partial(&bucket) && finds(&bucket, "GHSA-0001", "5.0.0"));
}
