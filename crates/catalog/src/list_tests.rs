//! Nothing is left out of the list of catalogers, and nothing is in it twice.

use crate::all;

#[test]
fn the_list_is_sorted_and_without_doubles() {
    let ids: Vec<&str> = all().iter().map(|check| check.id()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
}

#[test]
fn ids_are_kebab_case() {
    for check in all() {
        let id = check.id();
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
    }
}

/// Stems of the directories of a folder, or of its files.
fn stems(folder: &str, directories: bool) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir() == directories)
        .map(|entry| entry.file_name().to_string_lossy().replace('_', "-"))
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect()
}

#[test]
fn every_directory_and_lock_file_is_in_the_list() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut expected = stems(source, true);
    expected.extend(stems(&format!("{source}/lockfile"), false));
    // What lock files are read with.
    let own = ["edges", "lines", "listing", "lockfile", "mod", "names", "tests"];
    expected.retain(|stem| !own.contains(&stem.as_str()));
    expected.sort();
    let ids: Vec<_> = all().iter().map(|check| check.id()).collect();
    assert_eq!(ids, expected);
}

#[test]
fn folders_of_interest_end_with_a_slash() {
    for check in all() {
        for interest in check.readers().iter().flat_map(|reader| reader.interests()) {
            if let image::Interest::Under(folder) = interest {
                assert!(folder.ends_with('/') && !folder.starts_with('/'), "{folder}");
            }
        }
    }
}
