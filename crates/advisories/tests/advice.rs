//! Where to go: what is advised has been matched, exists, and can be had.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use advisories::{Advice, Databases};
use common::{World, now, record};
use vocabulary::Programs;

fn advice(world: &World, purl: &str) -> Advice {
    let (package, _) = advisories::purls::package(&purl.parse().unwrap(), None).unwrap();
    let ecosystems = advisories::ecosystems_of(std::slice::from_ref(&package));
    let databases = Databases::open(world.folder.path(), ecosystems, now());
    databases.upgrade(&[&package], None, (None, &Programs::default())).unwrap()
}

/// The version, or what is said in its place.
fn target(world: &World, purl: &str) -> String {
    match advice(world, purl) {
        Advice::Go(target) => target.version,
        Advice::After(last) => format!("after {last}"),
        Advice::Stay => "stay".to_owned(),
        Advice::Unknown => "unknown".to_owned(),
    }
}

fn world(ecosystem: &str, name: &str, events: &[&str]) -> World {
    let records: Vec<String> = (1..)
        .zip(events)
        .map(|(number, events)| {
            record(&format!("EX-{number}"), r#""summary":"x""#, ecosystem, name, events)
        })
        .collect();
    let records: Vec<(&str, &str)> =
        records.iter().map(|record| (ecosystem, record.as_str())).collect();
    World::new(&records)
}

fn listed(id: &str, ecosystem: &str, name: &str, versions: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"versions":[{versions}]}}]}}"#
    )
}

#[test]
fn a_pre_release_a_malicious_version_and_one_as_vulnerable_are_no_targets() {
    let fixed = |version: &str| format!(r#"{{"introduced":"0"}},{{"fixed":"{version}"}}"#);
    let pre = world("npm", "a", &[&fixed("2.0.0-rc.1")]);
    assert_eq!(target(&pre, "pkg:npm/a@1.0.0"), "stay");
    assert_eq!(target(&pre, "pkg:npm/a@2.0.0-rc.0"), "2.0.0-rc.1");
    let worse = world("npm", "a", &[&fixed("1.1.0"), r#"{"introduced":"1.1.0"}"#]);
    assert_eq!(target(&worse, "pkg:npm/a@1.0.0"), "stay");
    let flaw = record("EX-1", r#""summary":"x""#, "npm", "a", &fixed("1.1.0"));
    let harm = listed("MAL-2026-1", "npm", "a", r#""1.1.0""#);
    let harmful = World::new(&[("npm", &flaw), ("npm", &harm)]);
    assert_eq!(target(&harmful, "pkg:npm/a@1.0.0"), "stay");
}

#[test]
fn what_is_fixed_behind_a_limit_is_named_and_gone_to() {
    let events = r#"{"introduced":"0"},{"fixed":"1.5.0"},{"limit":"1.2.0"}"#;
    let both = world("npm", "a", &[events]);
    assert_eq!(target(&both, "pkg:npm/a@1.1.0"), "1.5.0");
    let fix = both.only("pkg:npm/a@1.1.0", None).upgrade().unwrap().clone();
    assert_eq!(fix.version.as_deref(), Some("1.5.0"));
    // Of the limit alone it is known that it ends there, and of no version that it exists.
    let limit = world("npm", "a", &[r#"{"introduced":"0"},{"limit":"1.2.0"}"#]);
    assert_eq!(target(&limit, "pkg:npm/a@1.1.0"), "stay");
    let fix = limit.only("pkg:npm/a@1.1.0", None).upgrade().unwrap().clone();
    assert_eq!(fix.version.as_deref(), Some("1.2.0"));
}

#[test]
fn versions_that_records_list_or_name_beside_their_ranges_can_be_gone_to() {
    // Several last ones: the first closes the range, and the others exist.
    let lasts = r#"{"introduced":"0"},{"last_affected":"0.10.9"},{"last_affected":"0.10.10"}"#;
    assert_eq!(target(&world("PyPI", "a", &[lasts]), "pkg:pypi/a@0.8.5"), "0.10.10");
    let last = record(
        "EX-1",
        r#""summary":"x""#,
        "PyPI",
        "a",
        r#"{"introduced":"0"},{"last_affected":"6.0.9"}"#,
    );
    let other = record("EX-2", "", "PyPI", "a", r#"{"introduced":"0"},{"last_affected":"6.1"}"#);
    let with_list =
        other.replacen(r#""ranges":"#, r#""versions":["6.0.10","6.0.9","6.0.10rc1"],"ranges":"#, 1);
    assert_ne!(other, with_list);
    let without = World::new(&[("PyPI", &last), ("PyPI", &other)]);
    let with = World::new(&[("PyPI", &last), ("PyPI", &with_list)]);
    assert_eq!(target(&without, "pkg:pypi/a@6.0.5"), "6.1");
    assert_eq!(target(&with, "pkg:pypi/a@6.0.5"), "6.0.10");
}

#[test]
fn what_is_no_version_or_not_allowed_by_the_path_of_a_module_is_no_target() {
    let fixed = |version: &str| format!(r#"{{"introduced":"0"}},{{"fixed":"{version}"}}"#);
    let commit = world("PyPI", "a", &[r#"{"introduced":"0"},{"last_affected":"139076a"}"#]);
    assert_eq!(target(&commit, "pkg:pypi/a@0.5.0"), "stay");
    let go = |name: &str, version: &str| world("Go", name, &[&fixed(version)]);
    let path = "pkg:golang/example.org/x/a@v1.0.0";
    assert_eq!(target(&go("example.org/x/a", "2.1.0"), path), "stay");
    assert_eq!(target(&go("example.org/x/a", "1.1.0"), path), "v1.1.0");
    let date = "3.6.40.0.0-20260101000000-0123456789ab";
    assert_eq!(target(&go("example.org/x/a", date), path), "stay");
    let incompatible = "pkg:golang/example.org/x/a@v20.1.0%2Bincompatible";
    assert_eq!(target(&go("example.org/x/a", "25.0.6"), incompatible), "v25.0.6+incompatible");
}

#[test]
fn another_numbering_is_the_last_resort_and_doubted() {
    let two = r#"{"introduced":"0"},{"fixed":"17.0"},{"introduced":"17.0"},{"fixed":"2014.2.4"}"#;
    let far = world("PyPI", "a", &[r#"{"introduced":"0"},{"fixed":"2014.2.4"}"#, two]);
    assert_eq!(target(&far, "pkg:pypi/a@16.3.1"), "2014.2.4");
    let Advice::Go(far) = advice(&far, "pkg:pypi/a@16.3.1") else { panic!() };
    assert_eq!(far.doubt.as_deref(), Some("another numbering, which may be older"));
    let near = r#"{"introduced":"0"},{"fixed":"17.0"}"#;
    let near = world("PyPI", "a", &[r#"{"introduced":"0"},{"fixed":"2014.2.4"}"#, near]);
    assert_eq!(target(&near, "pkg:pypi/a@16.3.1"), "17.0");
}

#[test]
fn whatever_comes_after_is_advised_only_where_nothing_begins_there() {
    let last = r#"{"introduced":"1.0.0"},{"last_affected":"1.0.0"}"#;
    assert_eq!(target(&world("npm", "a", &[last]), "pkg:npm/a@1.0.0"), "after 1.0.0");
    let open = r#"{"introduced":"1.0.1"}"#;
    let other = r#"{"introduced":"1.0.1"},{"last_affected":"1.0.1"}"#;
    let worse = world("npm", "a", &[r#"{"introduced":"0"},{"fixed":"1.0.1"}"#, other, open]);
    assert_eq!(target(&worse, "pkg:npm/a@1.0.0"), "stay");
    let begins = r#"{"introduced":"1.0.1"}"#;
    assert_eq!(target(&world("npm", "a", &[last, begins]), "pkg:npm/a@1.0.0"), "stay");
}

#[test]
fn a_record_that_will_be_withdrawn_one_day_counts_until_then() {
    let events = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;
    let of = |date: &str| {
        let record = record("EX-1", &format!(r#""withdrawn":"{date}""#), "npm", "a", events);
        World::new(&[("npm", &record)]).ids("pkg:npm/a@1.0.0", None).len()
    };
    assert_eq!(of("2999-02-01T00:00:00Z"), 1);
    assert_eq!(of("2020-02-01T00:00:00Z"), 0);
    assert_eq!(of("no date"), 0);
}
