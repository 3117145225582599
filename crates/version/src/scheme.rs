//! The schemes: which there are, which ecosystem orders by which, and how two texts are compared.

use crate::order::Version;
use crate::{
    alpine, alpm, conan, debian, go, maven, npm, nuget, numbers, opam, packagist, pep440, portage,
    pub_semver, rpm, rubygems, semver,
};
use std::cmp::Ordering;

/// How many bytes a version text may have. The longest in the public advisories has 70; the limit
/// keeps hostile texts from costing more than a real one by orders of magnitude.
pub const LONGEST: usize = 1024;

/// A version order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Debian and Ubuntu (deb-version(7)).
    Debian,
    /// rpm: epoch, version, release, with `~` and `^` (rpmvercmp).
    Rpm,
    /// Alpine, Wolfi, Chainguard (apk-tools).
    Alpine,
    /// Python (PEP 440).
    Pep440,
    /// Semantic Versioning 2.0.0: crates.io, Bitnami, GitHub Actions, Hex, SwiftURL.
    Semver,
    /// npm (node-semver), which also takes bounds that are not full semver.
    Npm,
    /// Maven (ComparableVersion).
    Maven,
    /// Go modules, with or without `v`, pseudo-versions, `go1.21.3` for the standard library.
    Go,
    /// RubyGems (Gem::Version).
    RubyGems,
    /// NuGet (SemVer 2 with four parts, case-insensitive).
    NuGet,
    /// Packagist (Composer, which orders by PHP's version_compare).
    Packagist,
    /// Pub (Semantic Versioning in which build metadata counts).
    Pub,
    /// CRAN and Hackage (lists of numbers).
    Numbers,
    /// Arch Linux (pacman's vercmp).
    Alpm,
    /// Gentoo (Package Manager Specification).
    Portage,
    /// opam (Debian's order, without epoch and revision).
    Opam,
    /// Conan: semver-like, of any items.
    Conan,
}

/// Why two texts have no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {scheme:?} version: {reason}")]
pub struct VersionError {
    /// The text that is wrong, cut to 200 characters.
    pub text: String,
    /// The scheme that it was read by.
    pub scheme: Scheme,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Calls a method of a scheme that is generic over the scheme's version type.
macro_rules! with_version {
    ($scheme:ident.$call:ident($($argument:expr),*)) => {
        match $scheme {
            Self::Debian => $scheme.$call::<debian::Debian<'_>>($($argument),*),
            Self::Rpm => $scheme.$call::<rpm::Rpm<'_>>($($argument),*),
            Self::Alpine => $scheme.$call::<alpine::Alpine<'_>>($($argument),*),
            Self::Pep440 => $scheme.$call::<pep440::Pep440<'_>>($($argument),*),
            Self::Semver => $scheme.$call::<semver::Semver<'_>>($($argument),*),
            Self::Npm => $scheme.$call::<npm::Npm<'_>>($($argument),*),
            Self::Maven => $scheme.$call::<maven::Maven<'_>>($($argument),*),
            Self::Go => $scheme.$call::<go::Go<'_>>($($argument),*),
            Self::RubyGems => $scheme.$call::<rubygems::RubyGems<'_>>($($argument),*),
            Self::NuGet => $scheme.$call::<nuget::NuGet<'_>>($($argument),*),
            Self::Packagist => $scheme.$call::<packagist::Packagist<'_>>($($argument),*),
            Self::Pub => $scheme.$call::<pub_semver::Pub<'_>>($($argument),*),
            Self::Numbers => $scheme.$call::<numbers::Numbers<'_>>($($argument),*),
            Self::Alpm => $scheme.$call::<alpm::Alpm<'_>>($($argument),*),
            Self::Portage => $scheme.$call::<portage::Portage<'_>>($($argument),*),
            Self::Opam => $scheme.$call::<opam::Opam<'_>>($($argument),*),
            Self::Conan => $scheme.$call::<conan::Conan<'_>>($($argument),*),
        }
    };
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 17] = [
        Self::Debian,
        Self::Rpm,
        Self::Alpine,
        Self::Pep440,
        Self::Semver,
        Self::Npm,
        Self::Maven,
        Self::Go,
        Self::RubyGems,
        Self::NuGet,
        Self::Packagist,
        Self::Pub,
        Self::Numbers,
        Self::Alpm,
        Self::Portage,
        Self::Opam,
        Self::Conan,
    ];

    /// The order that an ecosystem uses, by its OSV name with or without a release suffix
    /// (`Debian:12`); none where it is not known.
    #[must_use]
    pub fn of_ecosystem(name: &str) -> Option<Self> {
        Some(match name.split(':').next().unwrap_or(name) {
            "Debian" | "Echo" | "Ubuntu" => Self::Debian,
            "AlmaLinux" | "Amazon Linux" | "Azure Linux" | "Fedora" | "Mageia" | "Oracle Linux"
            | "Photon OS" | "Red Hat" | "Rocky Linux" | "SUSE" | "openEuler" | "openSUSE" => {
                Self::Rpm
            }
            "Alpaquita"
            | "Alpine"
            | "BellSoft Hardened Containers"
            | "Chainguard"
            | "MinimOS"
            | "Wolfi" => Self::Alpine,
            "PyPI" => Self::Pep440,
            "Bitnami" | "GitHub Actions" | "Hex" | "Julia" | "SwiftURL" | "crates.io" => {
                Self::Semver
            }
            "npm" => Self::Npm,
            "Maven" => Self::Maven,
            "Go" => Self::Go,
            "RubyGems" => Self::RubyGems,
            "NuGet" => Self::NuGet,
            "Packagist" => Self::Packagist,
            "Pub" => Self::Pub,
            "CRAN" | "Hackage" => Self::Numbers,
            "Arch Linux" => Self::Alpm,
            "Gentoo" => Self::Portage,
            "opam" => Self::Opam,
            "ConanCenter" => Self::Conan,
            _ => return None,
        })
    }

    /// The order of two versions.
    ///
    /// # Errors
    /// Where a text is not a version of this scheme.
    pub fn compare(self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        with_version!(self.order(left, right))
    }

    /// Whether a text is a version of this scheme.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check(self, text: &str) -> Result<(), VersionError> {
        with_version!(self.refuse(text))
    }

    fn order<'text, V: Version<'text>>(
        self,
        left: &'text str,
        right: &'text str,
    ) -> Result<Ordering, VersionError> {
        Ok(self.read::<V>(left)?.order(&self.read::<V>(right)?))
    }

    fn refuse<'text, V: Version<'text>>(self, text: &'text str) -> Result<(), VersionError> {
        self.read::<V>(text).map(drop)
    }

    fn read<'text, V: Version<'text>>(self, text: &'text str) -> Result<V, VersionError> {
        let wrong =
            |reason| VersionError { text: text.chars().take(200).collect(), scheme: self, reason };
        if text.len() > LONGEST {
            return Err(wrong("it is longer than 1024 bytes"));
        }
        V::read(text).map_err(wrong)
    }
}
