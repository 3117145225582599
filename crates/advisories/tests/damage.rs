//! A damaged database is an error, never a panic and never undefined behaviour.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use advisories::{Database, Databases};
use common::{World, database, now, package, record};
use proptest::prelude::*;
use vocabulary::Ecosystem;

fn world() -> World {
    let records: Vec<String> = (0..30)
        .map(|index| {
            let events = format!(r#"{{"introduced":"{index}"}},{{"fixed":"{}"}},{{"introduced":"70"}}"#, index + 2);
            let fields = format!(r#""summary":"title {index}","aliases":["CVE-2026-10{index:02}","GHSA-{index}"],"database_specific":{{"severity":"HIGH"}}"#);
            record(&format!("PYSEC-{index}"), &fields, "PyPI", &format!("acme{}", index % 5), &events)
        })
        .collect();
    let records: Vec<(&str, &str)> = records.iter().map(|text| ("PyPI", text.as_str())).collect();
    World::new(&records)
}

/// Everything that a scan may do with a file, by bytes and by folder.
fn use_it(bytes: &[u8], world: &World) {
    if let Ok(database) = Database::from_bytes(bytes.to_vec()) {
        let _ = database.check();
    }
    std::fs::write(database(world.folder.path(), "PyPI"), bytes).unwrap();
    let packages: Vec<_> =
        (0..5).map(|index| package(&format!("pkg:pypi/acme{index}@71"), "a")).collect();
    let databases = Databases::open(world.folder.path(), [Ecosystem::PYPI], now());
    let matched = databases.matches(&packages, None);
    assert_eq!(matched.coverage.len(), 1);
}

#[test]
fn a_sound_database_passes_its_own_check() {
    let world = world();
    let file = std::fs::read(database(world.folder.path(), "PyPI")).unwrap();
    Database::from_bytes(file).unwrap().check().unwrap();
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let world = world();
    let file = std::fs::read(database(world.folder.path(), "PyPI")).unwrap();
    for length in 0..file.len() {
        assert!(Database::from_bytes(file[..length].to_vec()).is_err(), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn flipped_bits_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        thread_local! { static WORLD: (World, Vec<u8>) = {
            let world = world();
            let file = std::fs::read(database(world.folder.path(), "PyPI")).unwrap();
            (world, file)
        } }
        WORLD.with(|(world, file)| {
            let mut bytes = file.clone();
            // Behind the header, whose checksum would refuse it at once.
            let rest = &mut bytes[60..];
            for (index, byte) in flips {
                let at = index.index(rest.len());
                rest[at] = byte;
            }
            use_it(&bytes, world);
        });
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = advisories::osv::parse_record(&bytes);
        prop_assert!(Database::from_bytes(bytes).is_err());
    }

    #[test]
    fn any_text_has_a_score_of_at_most_ten_or_none(text in "(CVSS:[234]\\.[01]/)?([A-Z]{1,3}:[A-Z]{1,2}/?){0,14}") {
        prop_assert!(advisories::cvss::score(&text).is_none_or(|tenths| tenths <= 100));
    }
}
