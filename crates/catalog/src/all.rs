//! The explicit list of catalogers, sorted by id.
//!
//! A directory under `src/` is one cataloger; in `src/lockfile/` each file is one. A test holds the
//! list against directories and files, so that none is forgotten.

use image::Check;

/// Every cataloger, sorted by id.
#[must_use]
pub fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(crate::apk::Apk),
        Box::new(crate::apt::Apt),
        Box::new(crate::bottlerocket::Bottlerocket),
        Box::new(crate::lockfile::bun_lock::CHECK),
        Box::new(crate::lockfile::cabal_freeze::CHECK),
        Box::new(crate::lockfile::cargo_lock::CHECK),
        Box::new(crate::lockfile::chart_lock::CHECK),
        Box::new(crate::chisel::Chisel),
        Box::new(crate::lockfile::composer_lock::CHECK),
        Box::new(crate::lockfile::conan_lock::CHECK),
        Box::new(crate::conda::Conda),
        Box::new(crate::lockfile::conda_environment::CHECK),
        Box::new(crate::lockfile::conda_lock::CHECK),
        Box::new(crate::lockfile::deno_lock::CHECK),
        Box::new(crate::lockfile::directory_packages::CHECK),
        Box::new(crate::dotnet::Dotnet),
        Box::new(crate::dpkg::Dpkg),
        Box::new(crate::elf_notes::ElfNotes),
        Box::new(crate::lockfile::gemfile_lock::CHECK),
        Box::new(crate::lockfile::github_actions::CHECK),
        Box::new(crate::go::Go),
        Box::new(crate::lockfile::go_mod::CHECK),
        Box::new(crate::lockfile::gradle_lock::CHECK),
        Box::new(crate::haskell::Haskell),
        Box::new(crate::homebrew::Homebrew),
        Box::new(crate::java::Java),
        Box::new(crate::javascript::Javascript),
        Box::new(crate::lockfile::julia_manifest::CHECK),
        Box::new(crate::luarocks::Luarocks),
        Box::new(crate::lockfile::luarocks_lock::CHECK),
        Box::new(crate::manifests::Manifests),
        Box::new(crate::lockfile::mix_lock::CHECK),
        Box::new(crate::nix::Nix),
        Box::new(crate::lockfile::nuget_lock::CHECK),
        Box::new(crate::opam::Opam),
        Box::new(crate::lockfile::opam_locked::CHECK),
        Box::new(crate::opkg::Opkg),
        Box::new(crate::os_release::OsRelease),
        Box::new(crate::lockfile::package_lock::CHECK),
        Box::new(crate::lockfile::package_resolved::CHECK),
        Box::new(crate::lockfile::packages_config::CHECK),
        Box::new(crate::pacman::Pacman),
        Box::new(crate::lockfile::paket_lock::CHECK),
        Box::new(crate::lockfile::pdm_lock::CHECK),
        Box::new(crate::php::Php),
        Box::new(crate::lockfile::pipfile_lock::CHECK),
        Box::new(crate::lockfile::pnpm_lock::CHECK),
        Box::new(crate::lockfile::podfile_lock::CHECK),
        Box::new(crate::lockfile::poetry_lock::CHECK),
        Box::new(crate::lockfile::pom_xml::CHECK),
        Box::new(crate::portage::Portage),
        Box::new(crate::programs::Programs),
        Box::new(crate::lockfile::project_assets::CHECK),
        Box::new(crate::lockfile::pubspec_lock::CHECK),
        Box::new(crate::lockfile::pylock::CHECK),
        Box::new(crate::python::Python),
        Box::new(crate::r::R),
        Box::new(crate::lockfile::rebar_lock::CHECK),
        Box::new(crate::lockfile::renv_lock::CHECK),
        Box::new(crate::lockfile::requirements::CHECK),
        Box::new(crate::rpm::Rpm),
        Box::new(crate::ruby::Ruby),
        Box::new(crate::rust::Rust),
        Box::new(crate::lockfile::sbt_lock::CHECK),
        Box::new(crate::slackware::Slackware),
        Box::new(crate::snap::Snap),
        Box::new(crate::lockfile::terraform_lock::CHECK),
        Box::new(crate::unread::Unread),
        Box::new(crate::lockfile::uv_lock::CHECK),
        Box::new(crate::lockfile::vcpkg::CHECK),
        Box::new(crate::wordpress::Wordpress),
        Box::new(crate::xbps::Xbps),
        Box::new(crate::lockfile::yarn_lock::CHECK),
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
}
