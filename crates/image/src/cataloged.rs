//! What a check makes of its facts: packages, with what it takes to tell whose files are whose, and what
//! projects ask for.
//!
//! Values only. They leave with a [`crate::Resolution`], and `scan` settles them against each other.

use vocabulary::{Ecosystem, Package, Scope};

/// What one project asks for itself, where a lock file says in which versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// The folder of the lock file.
    pub folder: String,
    /// The ecosystem of what is asked for.
    pub ecosystem: Ecosystem,
    /// What is asked for.
    pub asked: Vec<Ask>,
    /// Whether that is all that the project asks for.
    pub complete: bool,
}

/// One package that a project asks for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its name, as the ecosystem's advisories write it.
    pub name: String,
    /// By what a lock file may know it where it holds several versions: see [`Cataloged::keys`].
    pub keys: Vec<Box<str>>,
    /// For what, where the manifest tells.
    pub scope: Option<Scope>,
    /// Whether it may be a part of the project itself, which the lock file does not list.
    pub own: bool,
}

/// A package with what it takes to tell whose files are whose.
#[derive(Debug)]
pub struct Cataloged {
    /// The package. `files`, `layer`, `origin` and `owned_by` are filled in by `scan` where the
    /// cataloger leaves them empty; `location.layer` and `layer` come from the cataloger.
    pub package: Package,
    /// Files that the package database says it owns, with the digests that the database records
    /// (distribution packages only; language packages fill `package.files`).
    pub owned: Vec<OwnedFile>,
    /// Digests of the file that proves a language package, so that ownership by a distribution
    /// package can be held against the file as it is.
    pub proof: Option<Box<ContentDigests>>,
    /// For each of `package.requires`, in that order, the ranges that it asks for, as the lock file
    /// writes them; empty where it tells none.
    pub ranges: Vec<Vec<Box<str>>>,
    /// In what words a lock file says that it is asked for (`name@range` of Yarn, the folder of npm),
    /// where the file has several versions of the name.
    pub keys: Vec<Box<str>>,
}

impl Cataloged {
    /// A package without owned files or proof.
    #[must_use]
    pub const fn new(package: Package) -> Self {
        Self { package, owned: Vec::new(), proof: None, ranges: Vec::new(), keys: Vec::new() }
    }
}

/// A file that a distribution package owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedFile {
    /// Path without a leading slash, as the package database writes it (`lib/…` even where `lib` is
    /// a link to `usr/lib`; `scan` resolves links).
    pub path: String,
    /// Digest that the database records.
    pub digest: Option<OwnedDigest>,
}

/// A content digest as package databases keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnedDigest {
    /// dpkg's `.md5sums`, old rpm.
    Md5([u8; 16]),
    /// apk.
    Sha1([u8; 20]),
    /// rpm.
    Sha256([u8; 32]),
}

/// The digests of one content in every algorithm that package databases use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContentDigests {
    /// MD5.
    pub md5: [u8; 16],
    /// SHA-1.
    pub sha1: [u8; 20],
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl ContentDigests {
    /// Whether the content is the one that a package database records.
    #[must_use]
    pub fn agree_with(&self, recorded: &OwnedDigest) -> bool {
        match recorded {
            OwnedDigest::Md5(digest) => *digest == self.md5,
            OwnedDigest::Sha1(digest) => *digest == self.sha1,
            OwnedDigest::Sha256(digest) => *digest == self.sha256,
        }
    }
}
