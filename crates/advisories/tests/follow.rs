//! Following a bucket that changes: only what changed is read, whatever the bucket does meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use advisories::{Changed, Database, Quiet, Source};
use common::bucket::{Bucket, list, record, time};
use common::{database, now, offline};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::{TempDir, tempdir};
use testkit::http::Reply;
use vocabulary::Ecosystem;

fn followed(read: u64, gone: u64, behind: u64) -> Changed {
    Changed::Followed { read, gone, behind }
}

#[test]
fn only_what_changed_is_read_and_the_database_is_that_of_a_full_build() {
    let bucket = Bucket::new(200);
    bucket.put("GHSA-0007", 5000, "2.0.0");
    bucket.put("GHSA-9000", 5001, "1.0.0");
    let asked = bucket.asked(|| {
        assert_eq!(bucket.update().unwrap().changed, followed(2, 0, 0));
    });
    assert_eq!(asked, ["/npm/GHSA-0007.json", "/npm/GHSA-9000.json", "/npm/modified_id.csv"]);
    assert!(bucket.bytes() == bucket.anew());
    Database::from_bytes(bucket.bytes()).unwrap().verify().unwrap();
    // Then one request says that nothing has changed.
    let asked = bucket.asked(|| assert_eq!(bucket.update().unwrap().changed, Changed::Unchanged));
    assert_eq!(asked, ["/npm/modified_id.csv"]);
}

#[test]
fn order_duplicates_and_clocks_decide_nothing() {
    let bucket = Bucket::new(100);
    bucket.put("GHSA-0001", 9000, "2.0.0");
    // Its clock ran backwards: what is listed is older than what is here, and another one.
    bucket.put("GHSA-0050", 0, "3.0.0");
    bucket.with(|content| {
        let mut lines: Vec<String> = list(content).lines().map(str::to_owned).collect();
        lines.reverse();
        lines.push("2026-08-01T00:00:00Z,GHSA-0001".to_owned());
        lines.push("2031-01-01T00:00:00.5Z,GHSA-0002".to_owned());
        content.list = Some(lines.join("\r\n"));
    });
    let asked = bucket.asked(|| assert_eq!(bucket.update().unwrap().changed, followed(2, 0, 1)));
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn what_vanished_or_was_withdrawn_goes_and_is_not_asked_for_again() {
    let bucket = Bucket::new(50);
    bucket.with(|content| {
        content.records.remove("GHSA-0003");
        let (time, text) = content.records.get_mut("GHSA-0004").unwrap();
        *time = "2026-08-20T00:00:00Z".to_owned();
        let now = r#""withdrawn":"2026-08-20T00:00:00Z","modified":"2026-08-20T00:00:00Z""#;
        *text = format!(r#"{{"id":"GHSA-0004",{now}}}"#);
    });
    let updated = bucket.update().unwrap();
    assert_eq!(updated.changed, followed(1, 1, 0));
    assert_eq!(updated.manifest.unwrap().records, 48);
    assert!(bucket.bytes() == bucket.anew());
    // The list is another one, what was withdrawn stands in it as before.
    bucket.put("GHSA-0005", 8000, "2.0.0");
    let asked = bucket.asked(|| drop(bucket.update().unwrap()));
    assert_eq!(asked, ["/npm/GHSA-0005.json", "/npm/modified_id.csv"]);
    // One that comes back is there again.
    bucket.put("GHSA-0004", 9000, "2.0.0");
    assert_eq!(bucket.update().unwrap().manifest.unwrap().records, 49);
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn a_list_without_an_end_makes_nothing_vanish_and_one_cut_off_is_an_error() {
    let bucket = Bucket::new(50);
    let before = bucket.bytes();
    bucket.with(|content| drop(content.records.remove("GHSA-0003")));
    let text = bucket.content.lock().map(|content| list(&content)).unwrap();
    let chunked = text.clone();
    bucket.instead(move |request| {
        request.path.ends_with(".csv").then(|| Reply::ok(chunked.clone()).chunked())
    });
    assert_eq!(bucket.update().unwrap().changed, Changed::Unchanged);
    assert!(bucket.bytes() == before);
    bucket.instead(move |request| {
        request.path.ends_with(".csv").then(|| Reply::ok(text.clone()).cut_after(1200))
    });
    let error = bucket.update().unwrap_err().to_string();
    assert!(error.contains("modified_id.csv") && error.contains("cut off"), "{error}");
    assert!(bucket.bytes() == before);
}

#[test]
fn a_list_of_far_fewer_records_is_named_and_deletes_nothing() {
    let bucket = Bucket::new(50);
    let before = bucket.bytes();
    for lines in [0, 1, 24] {
        bucket.with(|content| {
            let few = list(content).lines().take(lines).map(|line| format!("{line}\n")).collect();
            content.list = Some(few);
        });
        let error = bucket.update().unwrap_err().to_string();
        assert!(error.contains("modified_id.csv` lists"), "{error}");
        assert!(error.contains("the database has 50"), "{error}");
        assert!(bucket.bytes() == before);
    }
}

#[test]
fn a_page_that_is_no_list_is_not_taken_for_one() {
    let bucket = Bucket::new(10);
    bucket.put("GHSA-0001", 9000, "2.0.0");
    for page in ["<html>Welcome to the portal</html>", "2026-08-20T00:00:00Z,npm/GHSA-0001\n"] {
        bucket.with(|content| content.list = Some(page.to_owned()));
        let changed = bucket.update().unwrap().changed;
        assert!(!matches!(changed, Changed::Followed { .. }), "{changed:?}");
    }
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn a_record_that_is_listed_and_not_there_is_said_and_asked_for_again() {
    let bucket = Bucket::new(50);
    bucket.put("GHSA-0001", 9000, "2.0.0");
    bucket.put("GHSA-0002", 9000, "2.0.0");
    bucket.instead(|request| request.path.ends_with("GHSA-0002.json").then(|| Reply::status(404)));
    let updated = bucket.update().unwrap();
    assert_eq!(updated.changed, followed(1, 0, 1));
    assert_eq!(updated.manifest.unwrap().behind, 1);
    // What was known of it is kept, and matching says that it may be old.
    let packages = [common::package("pkg:npm/acme-ghsa-0002@0.5.0", "a")];
    let databases = advisories::Databases::open(bucket.folder.path(), [Ecosystem::NPM], now());
    let matched = databases.matches(&packages, None);
    assert_eq!(matched.findings.len(), 1);
    let said = format!("{:?}", matched.coverage);
    assert!(said.contains("1 advisory that its source has changed could not be had"), "{said}");
    bucket.with(|content| content.instead = None);
    let updated = bucket.update().unwrap();
    assert_eq!(updated.changed, followed(1, 0, 0));
    assert_eq!(updated.manifest.unwrap().behind, 0);
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn an_old_copy_of_a_record_is_asked_for_again_and_takes_no_newer_ones_place() {
    let bucket = Bucket::new(50);
    bucket.put("GHSA-0001", 7000, "2.0.0");
    bucket.update().unwrap();
    let before = bucket.bytes();
    // The list knows of a newer state than the copy that is served: of one older than what is here.
    bucket.put("GHSA-0001", 9000, "3.0.0");
    let old = record("GHSA-0001", &time(1), "acme-ghsa-0001", "1.0.0");
    bucket.instead(move |request| {
        request.path.ends_with("GHSA-0001.json").then(|| Reply::ok(old.clone()))
    });
    bucket.update().unwrap();
    assert!(bucket.bytes() == before);
    bucket.with(|content| content.instead = None);
    let asked = bucket.asked(|| drop(bucket.update().unwrap()));
    assert_eq!(asked, ["/npm/GHSA-0001.json", "/npm/modified_id.csv"]);
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn an_update_that_breaks_off_leaves_the_old_database() {
    let bucket = Bucket::new(100);
    let before = bucket.bytes();
    for index in 0..20 {
        bucket.put(&format!("GHSA-{index:04}"), 9000 + index, "2.0.0");
    }
    let breaks: [fn() -> Reply; 4] = [
        || Reply::hang_up(),
        || Reply::ok("{\"id\":\"GHSA-0011\"}").cut_after(4),
        || Reply::status(500),
        || Reply::status(403),
    ];
    for reply in breaks {
        bucket.instead(move |request| request.path.ends_with("0011.json").then(reply));
        bucket.update().unwrap_err();
        assert!(bucket.bytes() == before);
    }
    bucket.with(|content| content.instead = None);
    assert_eq!(bucket.update().unwrap().changed, followed(20, 0, 0));
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn what_is_no_record_any_more_is_counted_and_what_was_there_is_kept() {
    let bucket = Bucket::new(20);
    bucket.put("GHSA-0001", 9000, "2.0.0");
    bucket.put("GHSA-0002", 9000, "2.0.0");
    bucket.instead(|request| match request.path.as_str() {
        "/npm/GHSA-0001.json" => Some(Reply::ok("{not json")),
        "/npm/GHSA-0002.json" => Some(Reply::ok(record("GHSA-0003", &time(9), "x", "1.0.0"))),
        _ => None,
    });
    let updated = bucket.update().unwrap();
    let manifest = updated.manifest.unwrap();
    assert_eq!((manifest.records, manifest.malformed, manifest.behind), (20, 0, 2));
}

#[test]
fn more_changes_than_the_bound_take_the_archive() {
    let bucket = Bucket::new(100);
    for index in 0..80 {
        bucket.put(&format!("GHSA-{index:04}"), 9000 + index, "2.0.0");
    }
    let asked = bucket.asked(|| {
        assert!(matches!(bucket.update().unwrap().changed, Changed::Built { .. }));
    });
    assert_eq!(asked, ["/npm/all.zip", "/npm/modified_id.csv"]);
    assert!(bucket.bytes() == bucket.anew());
}

#[test]
fn an_archive_that_lags_behind_its_list_is_said() {
    let bucket = Bucket::new(100);
    for index in 0..80 {
        bucket.put(&format!("GHSA-{index:04}"), 9000 + index, "2.0.0");
    }
    bucket.instead(|request| request.path.ends_with(".zip").then(|| Reply::status(304)));
    let updated = bucket.update().unwrap();
    // What it does not have yet is asked for by itself.
    assert_eq!(updated.changed, followed(80, 0, 0));
    assert!(bucket.bytes() == bucket.anew_by_archive());
}

#[test]
fn an_archive_that_lags_behind_its_list_of_a_mirror_without_single_records_is_said() {
    let bucket = Bucket::new(100);
    for index in 0..80 {
        bucket.put(&format!("GHSA-{index:04}"), 9000 + index, "2.0.0");
    }
    bucket.instead(|request| match request.path.rsplit('.').next() {
        Some("zip") => Some(Reply::status(304)),
        Some("json") => Some(Reply::status(404)),
        _ => None,
    });
    let updated = bucket.update().unwrap();
    assert_eq!(updated.changed, followed(0, 0, 80));
    assert_eq!(updated.manifest.unwrap().behind, 80);
}

#[test]
fn a_mirror_of_archives_and_lists_alone_is_read_by_its_archive() {
    let bucket = Bucket::new(50);
    for index in 0..10 {
        bucket.put(&format!("GHSA-{index:04}"), 9000 + index, "2.0.0");
    }
    bucket.instead(|request| request.path.ends_with(".json").then(|| Reply::status(404)));
    assert!(matches!(bucket.update().unwrap().changed, Changed::Built { .. }));
    assert!(bucket.bytes() == bucket.anew());
}

/// A record of a distribution, whose binaries share names, releases and versions.
fn notice(id: usize, state: u8) -> String {
    let modified = time(usize::from(state) * 60 + id);
    let state = usize::from(state);
    if state % 7 == 6 {
        return format!(r#"{{"id":"USN-{id}","modified":"{modified}","withdrawn":"{modified}"}}"#);
    }
    let affected: Vec<String> = (0..=(id + state) % 3)
        .map(|release| {
            let binaries: Vec<String> = (0..(state + release) % 4)
                .map(|binary| {
                    let (name, version) = ((id + binary) % 5, state % 3);
                    format!(r#"{{"binary_name":"lib{name}","binary_version":"1.{version}"}}"#)
                })
                .collect();
            let (name, series, fixed) = (id % 6, 20 + (state + release) % 4 * 2, state % 3);
            format!(
                r#"{{"package":{{"ecosystem":"Ubuntu:{series}.04:LTS","name":"acme{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"1.{fixed}"}}]}}],"versions":["0.{state}"],"ecosystem_specific":{{"binaries":[{}]}}}}"#,
                binaries.join(",")
            )
        })
        .collect();
    let cves = format!(r#"["CVE-2026-{}","CVE-2026-{}"]"#, 1000 + id % 4, 2000 + state % 4);
    format!(
        r#"{{"id":"USN-{id}","modified":"{modified}","upstream":{cves},"severity":[{{"type":"Ubuntu","score":"{}"}}],"affected":[{}]}}"#,
        if state % 2 == 0 { "high" } else { "low" },
        affected.join(",")
    )
}

fn write_folder(feed: &Path, states: &BTreeMap<usize, u8>) {
    let folder = feed.join("Ubuntu");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut list = String::new();
    for (id, state) in states {
        std::fs::write(folder.join(format!("USN-{id}.json")), notice(*id, *state)).unwrap();
        list.push_str(&format!("{},USN-{id}\n", time(usize::from(*state) * 60 + id)));
    }
    std::fs::write(folder.join("modified_id.csv"), list).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn an_update_gives_the_bytes_of_a_full_build(
        first in prop::collection::btree_map(0_usize..40, 0_u8..20, 8..40),
        later in prop::collection::vec((0_usize..40, prop::option::of(0_u8..20)), 1..12),
    ) {
        let (feed, kept) = (tempdir().unwrap(), tempdir().unwrap());
        let update = |folder: &Path| {
            let source = Source::Directory(feed.path().to_owned());
            let all = [Ecosystem::UBUNTU];
            advisories::update(folder, &source, &all, &offline(), now(), &Quiet).unwrap().remove(0)
        };
        let mut states = first;
        write_folder(feed.path(), &states);
        update(kept.path());
        for step in later.chunks(4) {
            for (id, state) in step {
                match state {
                    Some(state) => drop(states.insert(*id, *state)),
                    None if states.len() > 5 => drop(states.remove(id)),
                    None => {}
                }
            }
            write_folder(feed.path(), &states);
            let updated = update(kept.path());
            let anew_built = matches!(updated.changed, Changed::Built { .. });
            prop_assert!(!anew_built);
            let anew = tempdir().unwrap();
            let built = update(anew.path());
            let read = |folder: &TempDir| std::fs::read(database(folder.path(), "Ubuntu")).unwrap();
            prop_assert!(read(&kept) == read(&anew));
            prop_assert_eq!(updated.manifest.unwrap().records, built.manifest.unwrap().records);
            let database = Database::from_bytes(read(&kept)).unwrap();
            database.verify().unwrap();
            database.check().unwrap();
        }
    }
}
