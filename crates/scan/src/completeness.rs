//! Says where packages must be and none were found.
//!
//! In go the distribution and the packages of a subject, out comes coverage of the check `packages`
//! where the list cannot be all: a distribution without a package database that names anything, or
//! nothing recognised at all. The one design decision: no single cataloger can know this, since each
//! is content with what it does not find; so that a database that was deleted, is empty, or is of a
//! kind that is not read here, looks like no clean image.

use std::collections::BTreeSet;
use vocabulary::{Coverage, Distribution, Package};

/// The check, in the coverage.
const CHECK: &str = "packages";

/// What is missing of the packages of a subject, `what` in words; none where there is nothing to say.
/// A folder whose lock files and manifests were `understood` may hold no package.
pub(crate) fn coverage(
    distribution: Option<&Distribution>,
    packages: &[Package],
    what: &str,
    understood: bool,
) -> Option<Coverage> {
    match distribution {
        Some(distribution) if !has_database(distribution, packages) => {
            let shown = shown(distribution);
            let reason = format!(
                "{shown}: no package database that names its packages was found: not checked"
            );
            Some(Coverage::skipped(CHECK, reason))
        }
        None if packages.is_empty() && !understood => {
            let reason = format!("nothing in this {what} is known to hold packages: not checked");
            Some(Coverage::skipped(CHECK, reason))
        }
        _ => None,
    }
}

/// Whether a package comes from a database such as the distribution keeps. Package notes are in
/// programs, and stay there when the database is gone.
fn has_database(distribution: &Distribution, packages: &[Package]) -> bool {
    let own = catalog::os_release::databases(distribution);
    let kinds: BTreeSet<&str> = if own.is_empty() {
        catalog::os_release::DATABASES.iter().flat_map(|(kinds, _)| *kinds).copied().collect()
    } else {
        own.iter().copied().collect()
    };
    packages
        .iter()
        .any(|package| package.identified.is_none() && kinds.contains(package.purl.kind()))
}

fn shown(distribution: &Distribution) -> String {
    let Distribution { id, version, codename, pretty_name, .. } = distribution;
    if let Some(name) = pretty_name {
        return name.clone();
    }
    match (version.as_str(), codename) {
        ("", Some(codename)) => format!("{id} {codename}"),
        ("", None) => id.clone(),
        (version, _) => format!("{id} {version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Confidence, Ecosystem, Identified, Location, Purl, Status};

    fn distribution(id: &str, like: &[&str]) -> Distribution {
        Distribution {
            id: id.to_owned(),
            version: "1".to_owned(),
            codename: None,
            pretty_name: None,
            like: like.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn package(kind: &str) -> Package {
        let purl = Purl::new(kind, "a").with_version("1");
        Package::new(purl, Ecosystem::new("x"), "a", "1", Location::Subject)
    }

    #[test]
    fn a_database_of_another_kind_is_not_that_of_the_distribution() {
        for (id, like, kind, complete) in [
            ("debian", &[][..], "deb", true),
            ("debian", &[], "apk", false),
            ("debian", &[], "golang", false),
            ("kali", &["debian"], "deb", true),
            ("kali", &["debian"], "rpm", false),
            ("openwrt", &["lede", "openwrt"], "opkg", true),
            ("openwrt", &["lede", "openwrt"], "apk", true),
            ("nobody", &[], "rpm", true),
            ("nobody", &[], "pypi", false),
            ("nixos", &[], "nix", true),
        ] {
            let found = coverage(Some(&distribution(id, like)), &[package(kind)], "image", false);
            assert_eq!(found.is_none(), complete, "{id} {kind}: {found:?}");
        }
    }

    #[test]
    fn a_note_in_a_program_is_no_database() {
        let mut noted = package("deb");
        let identified = Identified { by: "note".to_owned(), confidence: Confidence::High };
        noted.identified = Some(Box::new(identified));
        let found = coverage(Some(&distribution("debian", &[])), &[noted], "image", false).unwrap();
        assert_eq!(found.status, Status::Skipped);
        assert!(found.reason.unwrap().starts_with("debian 1: no package database"));
    }

    #[test]
    fn nothing_at_all_is_not_checked_and_one_program_without_a_distribution_is() {
        assert!(coverage(None, &[], "image", false).is_some());
        assert!(coverage(None, &[], "folder", true).is_none(), "its lock file is empty");
        assert!(coverage(None, &[package("golang")], "image", false).is_none());
    }
}
