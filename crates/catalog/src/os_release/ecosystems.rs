//! Which ecosystem of advisories a distribution's packages belong to.
//!
//! By the `ID` of os-release alone ([`Ecosystem::of_distribution`]). A derivative that rebuilds
//! another's packages is not its parent: its versions differ, and its parent's advisories would be
//! wrong in both directions. So an id that is not known gets an ecosystem of its own name, which has no advisories and therefore
//! shows as not checked. Ecosystem names are those of the OSV schema.

use vocabulary::{Distribution, Ecosystem};

/// The ecosystem of a distribution's packages. Without a distribution `Linux`, the name that
/// os-release(5) gives to a system that does not tell its own.
#[must_use]
pub fn ecosystem(distribution: Option<&Distribution>) -> Ecosystem {
    let id = namespace(distribution);
    Ecosystem::of_distribution(id).unwrap_or_else(|| titled(id))
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

/// Types of package URLs, and the distributions whose packages stand in databases of that type: an
/// `ID` of os-release, or of `ID_LIKE`.
pub const DATABASES: &[(&[&str], &[&str])] = &[
    (&["alpm"], &["arch", "archarm", "artix", "manjaro", "steamos"]),
    (
        &["apk"],
        &[
            "adelie",
            "alpaquita",
            "alpine",
            "bellsoft-hardened-containers",
            "chainguard",
            "minimos",
            "postmarketos",
            "wolfi",
        ],
    ),
    (&["deb"], &["debian", "devuan", "echo", "raspbian", "ubuntu"]),
    (&["ebuild"], &["gentoo"]),
    (&["nix"], &["nixos"]),
    // With release 25.12 OpenWrt changed from opkg to apk.
    (&["opkg", "apk"], &["lede", "openwrt"]),
    (
        &["rpm"],
        &[
            "almalinux",
            "amzn",
            "anolis",
            "azurelinux",
            "bottlerocket",
            "centos",
            "fedora",
            "mageia",
            "mariner",
            "ol",
            "openeuler",
            "opensuse",
            "opensuse-leap",
            "opensuse-leap-micro",
            "opensuse-microos",
            "opensuse-slowroll",
            "opensuse-tumbleweed",
            "photon",
            "rhel",
            "rocky",
            "scientific",
            "sl-micro",
            "sle-micro",
            "sle_hpc",
            "sled",
            "sles",
            "sles_sap",
            "suse",
        ],
    ),
    (&["slackware"], &["slackware"]),
    (&["xbps"], &["void"]),
];

/// The types of package URLs that the packages of a distribution have, told by its id, else by the
/// first that it says it is like; none where neither is known. It may be another database than that of
/// its parent's advisories: what counts is who keeps the list.
#[must_use]
pub fn databases(distribution: &Distribution) -> &'static [&'static str] {
    let of = |id: &String| DATABASES.iter().find(|(_, ids)| ids.contains(&id.as_str()));
    let known = of(&distribution.id).or_else(|| distribution.like.iter().find_map(of));
    known.map_or(&[], |(kinds, _)| kinds)
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
