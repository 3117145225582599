//! The name of a package ecosystem, in the words of the OSV schema.
//!
//! A newtype over text rather than an enum: feeds add ecosystems faster than programs are released,
//! and an unknown one must still be reported by its name as "not checked".
//! Source: OSV schema, "Defined Ecosystems".

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// An ecosystem name such as `Debian` or `PyPI`, without a release suffix.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ecosystem(Cow<'static, str>);

/// What an ecosystem's packages are.
#[derive(Clone, Copy)]
enum Kind {
    /// Those of a Linux distribution, matched by release.
    Distribution,
    /// Those of a language or tool, with the type of their package URLs.
    Packages(&'static str),
}

/// Whether anybody publishes advisories for it in a form that is read here.
#[derive(Clone, Copy)]
enum Advisories {
    /// The public database of OSV has it.
    Published,
    /// Only sources of one's own have it.
    Own,
    Unpublished,
}

/// Each row says all that is to be known of an ecosystem: one that leaves something out does not compile.
macro_rules! ecosystems {
    ($($constant:ident = $name:literal: $kind:expr, $advisories:expr;)*) => {
        impl Ecosystem {
            $(#[doc = concat!("`", $name, "`")]
            pub const $constant: Self = Self(Cow::Borrowed($name));)*

            /// Every ecosystem that has a constant here.
            pub const KNOWN: &'static [Self] = &[$(Self::$constant,)*];
        }

        /// The rows, sorted by name.
        static ROWS: LazyLock<BTreeMap<&'static str, (Kind, Advisories)>> = LazyLock::new(|| {
            use Advisories::{Own, Published, Unpublished};
            use Kind::{Distribution, Packages};
            BTreeMap::from([$(($name, ($kind, $advisories)),)*])
        });
    };
}

ecosystems! {
    ALMA_LINUX = "AlmaLinux": Distribution, Published;
    ALPINE = "Alpine": Distribution, Published;
    AMAZON_LINUX = "Amazon Linux": Distribution, Own;
    ARCH_LINUX = "Arch Linux": Distribution, Unpublished;
    AZURE_LINUX = "Azure Linux": Distribution, Published;
    BITNAMI = "Bitnami": Packages("bitnami"), Published;
    CHAINGUARD = "Chainguard": Distribution, Published;
    COCOAPODS = "CocoaPods": Packages("cocoapods"), Unpublished;
    CONAN_CENTER = "ConanCenter": Packages("conan"), Published;
    CONDA = "conda": Packages("conda"), Unpublished;
    CRAN = "CRAN": Packages("cran"), Published;
    CRATES_IO = "crates.io": Packages("cargo"), Published;
    DEBIAN = "Debian": Distribution, Published;
    FEDORA = "Fedora": Distribution, Own;
    GENTOO = "Gentoo": Distribution, Unpublished;
    GITHUB_ACTIONS = "GitHub Actions": Packages("github"), Published;
    GO = "Go": Packages("golang"), Published;
    HACKAGE = "Hackage": Packages("hackage"), Published;
    HELM = "Helm": Packages("helm"), Unpublished;
    HEX = "Hex": Packages("hex"), Published;
    HOMEBREW = "Homebrew": Packages("brew"), Unpublished;
    JSR = "JSR": Packages("jsr"), Unpublished;
    JULIA = "Julia": Packages("julia"), Published;
    LUA_ROCKS = "LuaRocks": Packages("luarocks"), Unpublished;
    MAGEIA = "Mageia": Distribution, Published;
    MAVEN = "Maven": Packages("maven"), Published;
    NIX = "Nix": Packages("nix"), Unpublished;
    NPM = "npm": Packages("npm"), Published;
    NUGET = "NuGet": Packages("nuget"), Published;
    OPAM = "opam": Packages("opam"), Published;
    OPEN_EULER = "openEuler": Distribution, Published;
    OPEN_SUSE = "openSUSE": Distribution, Published;
    ORACLE_LINUX = "Oracle Linux": Distribution, Own;
    PACKAGIST = "Packagist": Packages("composer"), Published;
    PHOTON_OS = "Photon OS": Distribution, Published;
    PROGRAM = "program": Packages("generic"), Unpublished;
    PUB = "Pub": Packages("pub"), Published;
    PYPI = "PyPI": Packages("pypi"), Published;
    RED_HAT = "Red Hat": Distribution, Published;
    ROCKY_LINUX = "Rocky Linux": Distribution, Published;
    RUBY_GEMS = "RubyGems": Packages("gem"), Published;
    SNAP = "snap": Packages("snap"), Unpublished;
    SUSE = "SUSE": Distribution, Published;
    SWIFT_URL = "SwiftURL": Packages("swift"), Published;
    TERRAFORM = "Terraform": Packages("terraform"), Unpublished;
    UBUNTU = "Ubuntu": Distribution, Published;
    VCPKG = "vcpkg": Packages("vcpkg"), Unpublished;
    WOLFI = "Wolfi": Distribution, Published;
    WORDPRESS = "WordPress": Packages("wordpress"), Unpublished;
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

/// What else the OSV schema defines and can be met here, sorted. `Linux` is the kernel's sources there,
/// and no distribution.
const ALSO_PUBLISHED: &[&str] = &[
    "Alpaquita",
    "BellSoft Hardened Containers",
    "Bioconductor",
    "CleanStart",
    "Docker Hardened Images",
    "Echo",
    "GHC",
    "MinimOS",
    "VSCode",
];

/// Packages of Cargo that are of no registry: nobody publishes advisories for them.
const CRATES_FROM_ELSEWHERE: &str = "cargo";

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

    /// Whether its packages are those of a Linux distribution, matched by release. One that is not known
    /// here counts as one: feeds add distributions faster than languages.
    #[must_use]
    pub fn is_distribution(&self) -> bool {
        match self.row() {
            Some((kind, _)) => matches!(kind, Kind::Distribution),
            None => self.as_str() != CRATES_FROM_ELSEWHERE,
        }
    }

    /// Whether its packages can be matched, if there are advisories for it. Packages of the others
    /// are listed, and said to be not checked: one that nobody knows (a distribution of somebody's
    /// own) is never asked for. What is published, and the few that only sources of one's own have.
    #[must_use]
    pub fn has_advisories(&self) -> bool {
        match self.row() {
            Some((_, advisories)) => !matches!(advisories, Advisories::Unpublished),
            None => ALSO_PUBLISHED.contains(&self.as_str()),
        }
    }

    /// Whether the public database of OSV has it, so that it is worth asking for.
    #[must_use]
    pub fn is_published(&self) -> bool {
        match self.row() {
            Some((_, advisories)) => matches!(advisories, Advisories::Published),
            None => ALSO_PUBLISHED.contains(&self.as_str()),
        }
    }

    /// The type of its package URLs; none for a distribution, whose package manager says it, and for
    /// one that is not known here.
    #[must_use]
    pub fn purl_type(&self) -> Option<&'static str> {
        match self.row()?.0 {
            Kind::Packages(kind) => Some(kind),
            Kind::Distribution => None,
        }
    }

    fn row(&self) -> Option<(Kind, Advisories)> {
        ROWS.get(self.as_str()).copied()
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
    fn only_what_somebody_publishes_is_asked_for() {
        assert!(ALSO_PUBLISHED.is_sorted());
        for name in ["Debian", "Alpine", "npm", "openSUSE", "MinimOS"] {
            assert!(Ecosystem::new(name).is_published(), "{name}");
        }
        for name in ["Kali", "Linux", "CentOS", "Openwrt", "Gentoo", "cargo", "program", ""] {
            assert!(!Ecosystem::new(name).has_advisories(), "{name}");
        }
        assert!(Ecosystem::FEDORA.has_advisories() && !Ecosystem::FEDORA.is_published());
    }

    #[test]
    fn what_is_of_no_distribution_has_a_type_of_package_urls() {
        for known in Ecosystem::KNOWN {
            assert_eq!(known.purl_type().is_none(), known.is_distribution(), "{known}");
        }
        assert_eq!(Ecosystem::CRATES_IO.purl_type(), Some("cargo"));
        assert_eq!(Ecosystem::new("Tomorrow's").purl_type(), None);
    }

    #[test]
    fn crates_of_no_registry_are_those_of_no_distribution() {
        let cargo = Ecosystem::new(CRATES_FROM_ELSEWHERE);
        assert!(!cargo.is_distribution() && !cargo.has_advisories());
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
