//! Which ecosystem of advisories a distribution's packages belong to.
//!
//! By the `ID` of os-release alone. A derivative that rebuilds another's packages is not its parent:
//! its versions differ, and its parent's advisories would be wrong in both directions. So an id that
//! is not in the table gets an ecosystem of its own name, which has no advisories and therefore
//! shows as not checked. Ecosystem names are those of the OSV schema.

use vocabulary::{Distribution, Ecosystem};

/// `ID` of os-release and the ecosystem, sorted by id.
const TABLE: &[(&str, &str)] = &[
    ("almalinux", "AlmaLinux"),
    ("alpaquita", "Alpaquita"),
    ("alpine", "Alpine"),
    ("amzn", "Amazon Linux"),
    ("arch", "Arch Linux"),
    ("azurelinux", "Azure Linux"),
    ("bellsoft-hardened-containers", "BellSoft Hardened Containers"),
    // CentOS Linux and Stream have no feed of their own, and Red Hat's covers neither exactly.
    ("centos", "CentOS"),
    ("chainguard", "Chainguard"),
    ("debian", "Debian"),
    ("echo", "Echo"),
    ("fedora", "Fedora"),
    ("gentoo", "Gentoo"),
    ("mageia", "Mageia"),
    // CBL-Mariner was renamed Azure Linux with release 3; the feed has both under the new name.
    ("mariner", "Azure Linux"),
    ("minimos", "MinimOS"),
    ("ol", "Oracle Linux"),
    ("openeuler", "openEuler"),
    ("opensuse", "openSUSE"),
    ("opensuse-leap", "openSUSE"),
    ("opensuse-leap-micro", "openSUSE"),
    ("opensuse-microos", "openSUSE"),
    ("opensuse-slowroll", "openSUSE"),
    ("opensuse-tumbleweed", "openSUSE"),
    ("photon", "Photon OS"),
    ("rhel", "Red Hat"),
    ("rocky", "Rocky Linux"),
    ("sl-micro", "SUSE"),
    ("sle-micro", "SUSE"),
    ("sle_hpc", "SUSE"),
    ("sled", "SUSE"),
    ("sles", "SUSE"),
    ("sles_sap", "SUSE"),
    ("suse", "SUSE"),
    ("ubuntu", "Ubuntu"),
    ("wolfi", "Wolfi"),
];

/// The ecosystem of a distribution's packages. Without a distribution `Linux`, the name that
/// os-release(5) gives to a system that does not tell its own.
#[must_use]
pub fn ecosystem(distribution: Option<&Distribution>) -> Ecosystem {
    let id = namespace(distribution);
    match TABLE.binary_search_by_key(&id, |(known, _)| known) {
        Ok(at) => TABLE.get(at).map_or_else(|| titled(id), |(_, name)| Ecosystem::new(name)),
        Err(_) => titled(id),
    }
}

/// The namespace of purls: the distribution's id, `linux` where there is none.
#[must_use]
pub fn namespace(distribution: Option<&Distribution>) -> &str {
    distribution.map_or("linux", |distribution| distribution.id.as_str())
}

/// The `distro` qualifier of purls, such as `debian-12` or, before a release, `debian-trixie`; empty
/// where there is no distribution.
#[must_use]
pub fn distro_qualifier(distribution: Option<&Distribution>) -> String {
    let Some(distribution) = distribution else { return String::new() };
    let release = match (distribution.version.as_str(), &distribution.codename) {
        ("", Some(codename)) => codename,
        (version, _) => version,
    };
    if release.is_empty() {
        return distribution.id.clone();
    }
    format!("{}-{release}", distribution.id)
}

fn titled(id: &str) -> Ecosystem {
    let mut letters = id.chars();
    let title: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    Ecosystem::new(&title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, version: &str, codename: Option<&str>) -> Distribution {
        Distribution {
            id: id.into(),
            version: version.into(),
            codename: codename.map(str::to_owned),
            pretty_name: None,
            like: vec!["debian".into()],
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(TABLE.is_sorted_by_key(|(id, _)| *id));
    }

    #[test]
    fn every_known_distribution_ecosystem_can_be_reached() {
        for known in Ecosystem::KNOWN.iter().filter(|known| known.is_distribution()) {
            assert!(TABLE.iter().any(|(_, name)| *name == known.as_str()), "{known}");
        }
    }

    #[test]
    fn a_derivative_is_not_its_parent() {
        assert_eq!(ecosystem(Some(&named("kali", "2024.1", None))).as_str(), "Kali");
        assert_eq!(ecosystem(Some(&named("debian", "12", None))), Ecosystem::DEBIAN);
        assert_eq!(ecosystem(Some(&named("opensuse-leap", "15.6", None))), Ecosystem::OPEN_SUSE);
        assert_eq!(ecosystem(None).as_str(), "Linux");
    }

    #[test]
    fn the_distro_qualifier_names_the_release() {
        assert_eq!(distro_qualifier(Some(&named("debian", "12", Some("bookworm")))), "debian-12");
        assert_eq!(distro_qualifier(Some(&named("debian", "", Some("forky")))), "debian-forky");
        assert_eq!(distro_qualifier(Some(&named("arch", "", None))), "arch");
        assert_eq!(distro_qualifier(None), "");
    }
}
