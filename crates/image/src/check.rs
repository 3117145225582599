//! How a check joins the walk: a reader makes facts of files, a check makes something of the facts.
//!
//! A [`Reader`] declares by [`Interest`] which files could concern it and by [`Places`] in what kind of
//! subject they count, so that the million others cost one table look-up together, not one call a
//! reader. Of those it is asked [`Reader::wants`], with the first bytes. What it wants it gets whole, in
//! one slice under a cap, or as a stream; what it makes of it is a [`Fact`], bytes in a form of its own,
//! that the cache keeps for each layer and each reader. When all layers are read, [`Check::resolve`]
//! makes packages and findings of the facts in the squashed view.
//!
//! The two are apart because what a file holds and what follows from it are two questions: one reader
//! serves as many checks as have a use for its facts, and its files are read once for all of them. Most
//! checks have one reader that serves nobody else; they are a [`Resolver`], one type that is both.
//!
//! A reader never sees a layer's bytes twice, never knows where the layer came from, and a check cannot
//! tell a cached fact from a fresh one: that is why a repeat scan gives the same report.

use crate::cataloged::Asks;
use crate::facts::{SubjectShape, View};
use crate::packages::Packages;
use vocabulary::{FileKind, Finding, Problem, Programs};

/// What a reader learned of one file of one layer, serialised by it (postcard, as a rule).
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

/// Which files could concern a reader. Matching is exact and case-sensitive.
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
    /// Every regular file.
    Every,
    /// Every regular file of at most so many bytes that is text: UTF-8 without NUL. Whether it is, the
    /// walk finds out once for all readers, in the pass that reads it; a file that turns out to be none
    /// is of no concern.
    Text {
        /// The most bytes.
        at_most: u64,
    },
}

impl Interest {
    /// Whether it tells by the path alone that a file could concern a reader.
    #[must_use]
    pub const fn goes_by_path(&self) -> bool {
        !matches!(self, Self::Magic(_) | Self::Every | Self::Text { .. })
    }
}

/// A kind of subject whose files a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The layers of an image, or the folders of a container.
    Image,
    /// A directory that holds a root file system.
    RootFolder,
    /// A directory of sources.
    SourceFolder,
    /// The machine itself.
    Host,
}

impl Place {
    /// The place that a directory of this shape is.
    #[must_use]
    pub const fn of_directory(shape: SubjectShape) -> Self {
        match shape {
            SubjectShape::RootFileSystem => Self::RootFolder,
            SubjectShape::Source => Self::SourceFolder,
        }
    }
}

/// A set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places(u8);

impl Places {
    /// Wherever there are files.
    pub const ALL: Self =
        Self::of(&[Place::Image, Place::RootFolder, Place::SourceFolder, Place::Host]);
    /// What is declared, such as a lock file, counts where people write it: what is installed elsewhere
    /// is told by package databases and by what lies there.
    pub const SOURCE_FOLDER: Self = Self::of(&[Place::SourceFolder]);

    /// These.
    #[must_use]
    pub const fn of(places: &[Place]) -> Self {
        let (mut bits, mut rest) = (0, places);
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = others;
        }
        Self(bits)
    }

    /// Whether this is one of them.
    #[must_use]
    pub const fn hold(self, place: Place) -> bool {
        self.0 & (1 << place as u8) != 0
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a reader wants of a file.
pub enum Want {
    /// Nothing.
    No,
    /// The whole content in one slice, if it has at most this many bytes (and the walk's own cap
    /// allows it). A larger file is reported as a problem of the reader.
    Whole {
        /// The reader's own cap in bytes.
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

/// Why a reader could not read a file: lower-case, one line, no path (the walk adds it).
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

/// Makes facts of the files of a subject: of package databases, binaries, lock files, later of texts and
/// of whatever else.
pub trait Reader: Send + Sync {
    /// Kebab-case id. That of the check that it serves, where it serves one: the same as its source
    /// file, test folder and fuzz target.
    fn id(&self) -> &'static str;

    /// Raised whenever the facts it makes change in form or content; part of the cache key.
    fn revision(&self) -> u32;

    /// What else its facts depend on, such as the version of a list of rules; part of the cache key, so
    /// that facts of two sets of options lie beside each other.
    fn options(&self) -> &str {
        ""
    }

    /// Where what it reads counts. A subject of another kind is walked without it.
    fn counts(&self) -> Places {
        Places::ALL
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
}

/// A check over the files of a subject: a package cataloger, later digests, malware, secrets.
pub trait Check: Send + Sync {
    /// Kebab-case id, by which it stands in coverage.
    fn id(&self) -> &'static str;

    /// Whose facts it resolves, the one that it is mainly about first. What one of them could not read
    /// is a problem of every check that it serves.
    fn readers(&self) -> Vec<&dyn Reader>;

    /// Where it counts: where any of its readers does.
    fn counts(&self) -> Places {
        self.readers().iter().fold(Places::of(&[]), |all, reader| all.and(reader.counts()))
    }

    /// Makes packages and findings of the facts of all layers.
    fn resolve(&self, view: &View<'_>) -> Resolution;
}

/// A reader that serves one check: itself.
pub trait Resolver: Reader {
    /// Makes packages and findings of its facts of all layers.
    fn resolve(&self, view: &View<'_>) -> Resolution;
}

impl<Both: Resolver> Check for Both {
    fn id(&self) -> &'static str {
        Reader::id(self)
    }

    fn readers(&self) -> Vec<&dyn Reader> {
        vec![self]
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        Resolver::resolve(self, view)
    }
}

/// The readers of checks, each once, sorted by id.
#[must_use]
pub fn readers<'checks>(
    checks: impl IntoIterator<Item = &'checks dyn Check>,
) -> Vec<&'checks dyn Reader> {
    let mut readers: Vec<&dyn Reader> = checks.into_iter().flat_map(Check::readers).collect();
    readers.sort_by_key(|reader| reader.id());
    readers.dedup_by_key(|reader| reader.id());
    readers
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_held_by_the_sets_that_name_it() {
        let two = Places::of(&[Place::Image, Place::Host]);
        assert!(two.hold(Place::Image) && two.hold(Place::Host));
        assert!(!two.hold(Place::SourceFolder) && !two.hold(Place::RootFolder));
        assert_eq!(two.and(Places::of(&[Place::RootFolder, Place::SourceFolder])), Places::ALL);
    }
}
