//! The name of a package ecosystem, in the words of the OSV schema.
//!
//! A newtype over text rather than an enum: feeds add ecosystems faster than programs are released,
//! and an unknown one must still be reported by its name as "not checked".
//! Source: OSV schema, "Defined Ecosystems".

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// An ecosystem name such as `Debian` or `PyPI`, without a release suffix.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ecosystem(Cow<'static, str>);

macro_rules! ecosystems {
    ($($constant:ident = $name:literal,)*) => {
        impl Ecosystem {
            $(#[doc = concat!("`", $name, "`")]
            pub const $constant: Self = Self(Cow::Borrowed($name));)*

            /// Every ecosystem that has a constant here.
            pub const KNOWN: &'static [Self] = &[$(Self::$constant,)*];
        }
    };
}

ecosystems! {
    ALMA_LINUX = "AlmaLinux",
    ALPINE = "Alpine",
    AMAZON_LINUX = "Amazon Linux",
    ARCH_LINUX = "Arch Linux",
    AZURE_LINUX = "Azure Linux",
    BITNAMI = "Bitnami",
    CHAINGUARD = "Chainguard",
    COCOAPODS = "CocoaPods",
    CONAN_CENTER = "ConanCenter",
    CONDA = "conda",
    CRAN = "CRAN",
    CRATES_IO = "crates.io",
    DEBIAN = "Debian",
    FEDORA = "Fedora",
    GENTOO = "Gentoo",
    GITHUB_ACTIONS = "GitHub Actions",
    GO = "Go",
    HACKAGE = "Hackage",
    HELM = "Helm",
    HEX = "Hex",
    JSR = "JSR",
    JULIA = "Julia",
    LUA_ROCKS = "LuaRocks",
    MAGEIA = "Mageia",
    MAVEN = "Maven",
    NIX = "Nix",
    NPM = "npm",
    NUGET = "NuGet",
    OPAM = "opam",
    OPEN_EULER = "openEuler",
    OPEN_SUSE = "openSUSE",
    ORACLE_LINUX = "Oracle Linux",
    PACKAGIST = "Packagist",
    PHOTON_OS = "Photon OS",
    PROGRAM = "program",
    PUB = "Pub",
    PYPI = "PyPI",
    RED_HAT = "Red Hat",
    ROCKY_LINUX = "Rocky Linux",
    RUBY_GEMS = "RubyGems",
    SUSE = "SUSE",
    SWIFT_URL = "SwiftURL",
    TERRAFORM = "Terraform",
    UBUNTU = "Ubuntu",
    VCPKG = "vcpkg",
    WOLFI = "Wolfi",
    WORDPRESS = "WordPress",
}

/// `ID` of os-release in lower case, and the ecosystem of the packages, sorted by id.
const DISTRIBUTIONS: &[(&str, &str)] = &[
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

impl Ecosystem {
    /// The ecosystem of a distribution's packages, by the `ID` of its os-release in any case of
    /// letters; none for one that is not known.
    #[must_use]
    pub fn of_distribution(id: &str) -> Option<Self> {
        let id = id.to_ascii_lowercase();
        let at = DISTRIBUTIONS.binary_search_by_key(&id.as_str(), |(known, _)| known).ok()?;
        DISTRIBUTIONS.get(at).map(|(_, name)| Self::new(name))
    }

    /// As it is typed into a shell: in quotes where it has a blank.
    #[must_use]
    pub fn as_argument(&self) -> Cow<'_, str> {
        match self.0.contains(' ') {
            true => Cow::Owned(format!("'{}'", self.0)),
            false => Cow::Borrowed(&self.0),
        }
    }

    /// An ecosystem by name; known names cost no allocation.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::KNOWN
            .iter()
            .find(|known| known.as_str() == name)
            .cloned()
            .unwrap_or_else(|| Self(Cow::Owned(name.to_owned())))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its packages are those of a Linux distribution, matched by release.
    #[must_use]
    pub fn is_distribution(&self) -> bool {
        !matches!(
            self.as_str(),
            "Bitnami"
                | "CRAN"
                | "CocoaPods"
                | "ConanCenter"
                | "GitHub Actions"
                | "Go"
                | "Hackage"
                | "Helm"
                | "Hex"
                | "JSR"
                | "Julia"
                | "LuaRocks"
                | "Maven"
                | "Nix"
                | "NuGet"
                | "Packagist"
                | "Pub"
                | "PyPI"
                | "RubyGems"
                | "SwiftURL"
                | "Terraform"
                | "WordPress"
                | "cargo"
                | "conda"
                | "crates.io"
                | "npm"
                | "opam"
                | "program"
                | "vcpkg"
        )
    }

    /// Whether anybody publishes advisories for it in a form that is read here. Packages of the
    /// others are listed, and said to be not checked. Source: OSV schema, "Defined Ecosystems".
    #[must_use]
    pub fn has_advisories(&self) -> bool {
        !matches!(
            self.as_str(),
            "Arch Linux"
                | "CocoaPods"
                | "Gentoo"
                | "Helm"
                | "JSR"
                | "LuaRocks"
                | "Nix"
                | "Terraform"
                | "WordPress"
                | "cargo"
                | "conda"
                | "program"
                | "vcpkg"
        )
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Ecosystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ecosystem({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_blank_is_one_word_of_a_shell() {
        assert_eq!(Ecosystem::GITHUB_ACTIONS.as_argument(), "'GitHub Actions'");
        assert_eq!(Ecosystem::CRATES_IO.as_argument(), "crates.io");
    }

    #[test]
    fn every_known_ecosystem_of_a_distribution_can_be_reached() {
        assert!(DISTRIBUTIONS.is_sorted_by_key(|(id, _)| *id));
        for known in Ecosystem::KNOWN.iter().filter(|known| known.is_distribution()) {
            assert!(DISTRIBUTIONS.iter().any(|(_, name)| *name == known.as_str()), "{known}");
        }
        assert_eq!(Ecosystem::of_distribution("openEuler"), Some(Ecosystem::OPEN_EULER));
        assert_eq!(Ecosystem::of_distribution("nobody"), None);
    }
}
