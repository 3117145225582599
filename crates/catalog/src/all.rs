//! The explicit list of catalogers, sorted by id.
//!
//! A directory under `src/` is one cataloger, or several whose ids begin with its name
//! (`src/lockfile/` holds `lockfile` or `lockfile-npm`). A test holds the list against the
//! directories, so that none is forgotten.

use image::Check;

/// Every cataloger, sorted by id.
#[must_use]
pub fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(crate::apk::Apk),
        Box::new(crate::dpkg::Dpkg),
        Box::new(crate::go::Go),
        Box::new(crate::java::Java),
        Box::new(crate::javascript::Javascript),
        Box::new(crate::os_release::OsRelease),
        Box::new(crate::python::Python),
        Box::new(crate::rpm::Rpm),
        Box::new(crate::rust::Rust),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn every_directory_is_in_the_list() {
        let checks = all();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        for entry in std::fs::read_dir(source).unwrap() {
            let entry = entry.unwrap();
            if !entry.file_type().unwrap().is_dir() {
                continue;
            }
            let stem = entry.file_name().to_string_lossy().replace('_', "-");
            let longer = format!("{stem}-");
            assert!(
                checks.iter().any(|check| check.id() == stem || check.id().starts_with(&longer)),
                "`src/{}` is not in the list of catalogers",
                entry.file_name().to_string_lossy()
            );
        }
    }

    #[test]
    fn folders_of_interest_end_with_a_slash() {
        for check in all() {
            for interest in check.interests() {
                if let image::Interest::Under(folder) = interest {
                    assert!(folder.ends_with('/') && !folder.starts_with('/'), "{folder}");
                }
            }
        }
    }
}
