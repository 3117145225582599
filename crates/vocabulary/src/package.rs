//! A package and the distribution that it lives in.

use crate::{Confidence, Ecosystem, Location, OriginKind, Purl};
use serde::{Deserialize, Serialize};

/// A Linux distribution, as its os-release tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12`; empty where there is none (rolling releases, Debian sid).
    pub version: String,
    /// `VERSION_CODENAME`, such as `bookworm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretty_name: Option<String>,
    /// `ID_LIKE`, split at spaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub like: Vec<String>,
}

/// The source package that a binary package was built from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its full version.
    pub version: String,
}

/// Whether a package is there or only named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Its files are in the subject.
    Installed,
    /// A lock file or manifest names it.
    Declared,
}

/// Whether the project itself asks for a package, or another package does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The project asks for it.
    Direct,
    /// Only other packages ask for it.
    Indirect,
}

/// For what a package is there; the widest use, where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The program needs it to run.
    Runtime,
    /// It is used where it is there, and may be missing.
    Optional,
    /// It builds or tests the program, and is no part of it.
    Development,
}

/// By what a package was told that no package manager or record of its own names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identified {
    /// In a few words, such as `content`, `MANIFEST.MF` or `file name`.
    pub by: String,
    /// How sure that is.
    pub confidence: Confidence,
}

/// One package at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The package URL, with qualifiers.
    pub purl: Purl,
    /// Where it is matched: `Debian`, `PyPI`, …
    pub ecosystem: Ecosystem,
    /// The name as the ecosystem's advisories write it (Maven: `group:artifact`; PyPI: normalised;
    /// npm: with scope).
    pub name: String,
    /// The full version, with epoch and revision where the ecosystem has them.
    pub version: String,
    /// The source package (distributions only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
    /// Architecture as the package database says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// SPDX expressions, all of which hold; what has no single meaning stands as it was stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licences: Vec<String>,
    /// Installed or declared.
    pub presence: Presence,
    /// The file that proves it, with its layer.
    pub location: Location,
    /// The layer that brought this version, counted from 0 at the bottom. Differs from the layer of
    /// `location` where a later layer rewrote a whole package database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// Base image or application.
    #[serde(default)]
    pub origin: OriginKind,
    /// Purl of the distribution package that owns the proving file, unmodified. Such a package is
    /// listed but not matched a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Box<Purl>>,
    /// Module stream (rpm), such as `nodejs:18`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// By what it was told, where nothing names it outright: then it may be another package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identified: Option<Box<Identified>>,
    /// Whether the project asks for it or another package does; none where nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// For what it is there; none where nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The packages that it needs itself, as the file or database of its location says: package URLs
    /// that other packages of that file or database have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Purl>,
    /// Paths of the files that belong to it, without a leading slash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

impl Package {
    /// Whether it came from git, an address, a folder or another registry than the public one, as the
    /// qualifiers of its package URL say.
    #[must_use]
    pub fn is_from_elsewhere(&self) -> bool {
        self.purl.is_from_elsewhere()
    }

    /// An installed package of which no more is known than this.
    #[must_use]
    pub fn new(
        purl: Purl,
        ecosystem: Ecosystem,
        name: impl Into<String>,
        version: impl Into<String>,
        location: Location,
    ) -> Self {
        Self {
            purl,
            ecosystem,
            name: name.into(),
            version: version.into(),
            source: None,
            architecture: None,
            licences: Vec::new(),
            presence: Presence::Installed,
            layer: location.layer(),
            location,
            origin: OriginKind::Unknown,
            owned_by: None,
            module: None,
            identified: None,
            relation: None,
            scope: None,
            requires: Vec::new(),
            files: Vec::new(),
        }
    }
}
