//! How a check joins the walk.
//!
//! A check declares by [`Interest`] which files could concern it, so that the million others cost
//! one table look-up together, not one call a check. Of those it is asked [`Check::wants`], with the
//! first bytes. What it wants it gets whole, in one slice under a cap, or as a stream; what it makes
//! of it is a [`Fact`], bytes in a form of its own, that the cache keeps for each layer. When all
//! layers are read, [`Check::resolve`] makes packages and findings of the facts in the squashed view.
//!
//! A check never sees a layer's bytes twice, never knows where the layer came from, and cannot tell
//! a cached fact from a fresh one: that is why a repeat scan gives the same report.

use crate::facts::View;
use crate::packages::Packages;
use vocabulary::{Ecosystem, FileKind, Finding, Package, Problem, Programs, Scope};

/// What a check learned of one file of one layer, serialised by the check (postcard, as a rule).
pub type Fact = Vec<u8>;

/// One entry of a layer or directory.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'walk> {
    /// Path without a leading slash or `.` and `..` parts. Bytes that are not UTF-8 show as `\xNN`.
    pub path: &'walk str,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
}

impl<'walk> Entry<'walk> {
    /// The part behind the last slash.
    #[must_use]
    pub fn name(&self) -> &'walk str {
        self.path.rsplit_once('/').map_or(self.path, |(_, name)| name)
    }
}

/// Which files could concern a check. Matching is exact and case-sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// The file at this path.
    Path(&'static str),
    /// Every file directly or deeper below this folder; ends with a slash.
    Under(&'static str),
    /// Every file of this name, in any folder.
    Name(&'static str),
    /// Every file whose name ends with a dot and this.
    Extension(&'static str),
    /// Every regular file that begins with these four bytes.
    Magic([u8; 4]),
}

/// What a check wants of a file.
pub enum Want {
    /// Nothing.
    No,
    /// The whole content in one slice, if it has at most this many bytes (and the walk's own cap
    /// allows it). A larger file is reported as a problem of the check.
    Whole {
        /// The check's own cap in bytes.
        at_most: u64,
    },
    /// The content in pieces, however large.
    Stream(Box<dyn Reading>),
}

/// Whether a stream reader wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    More,
    /// The rest is of no interest.
    Enough,
}

/// A reader of one file in pieces.
pub trait Reading: Send {
    /// Takes the next bytes; pieces have any length.
    fn push(&mut self, bytes: &[u8]) -> Flow;

    /// Called at the end of the file, or after [`Flow::Enough`].
    ///
    /// # Errors
    /// Where the content cannot be read; it becomes a problem in coverage.
    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError>;
}

/// Why a check could not read a file: lower-case, one line, no path (the walk adds it).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

impl ReadError {
    /// From a few words.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A check over the files of a subject: a package cataloger, later digests, malware, secrets.
pub trait Check: Send + Sync {
    /// Kebab-case id, the same as its source file, test folder and fuzz target.
    fn id(&self) -> &'static str;

    /// Raised whenever the facts it makes change in form or content; part of the cache key.
    fn revision(&self) -> u32;

    /// Whether it reads declarations, such as lock files, which count in source folders alone. An
    /// image is walked without such checks.
    fn reads_declarations(&self) -> bool {
        false
    }

    /// Whether another name of a file can tell it more: a package database behind a link is one. What
    /// is known by its content is known under its own name, and looked at once.
    fn follows_links(&self) -> bool {
        true
    }

    /// Which files could concern it.
    fn interests(&self) -> &'static [Interest];

    /// What it wants of a regular file. `head` holds its first bytes: up to 512, fewer only where the
    /// file is shorter.
    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want;

    /// Reads a file that it wanted whole. None where the file turns out to be of no concern.
    ///
    /// # Errors
    /// Where the content cannot be read; it becomes a problem in coverage.
    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError>;

    /// Makes packages and findings of the facts of all layers.
    fn resolve(&self, view: &View<'_>) -> Resolution;
}

/// What a check makes of its facts.
#[derive(Debug, Default)]
pub struct Resolution {
    /// Packages.
    pub packages: Packages,
    /// Findings.
    pub findings: Vec<Finding>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// What programs say of themselves beyond their packages.
    pub programs: Programs,
    /// What projects ask for, by their manifests.
    pub asks: Vec<Asks>,
}

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
