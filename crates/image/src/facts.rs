//! The facts of each layer, and the squashed view over them.
//!
//! A layer's facts hold what checks learned, plus just enough of its entries to squash layers
//! without their tars: whiteouts, opaque folders, links, and a sorted list of path hashes. A hash is
//! 64-bit SipHash under a key that an image cannot know, so that no image can craft two paths that
//! hide one another.

use crate::configuration::Configuration;
use crate::kept::Kept;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hasher;
use vocabulary::{Digest, Distribution, Problem};

/// How many links one resolution follows before it calls it a loop; Linux's own limit is 40.
pub const LINK_LIMIT: usize = 40;

/// Hashes paths under a secret key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PathHasher {
    key: [u8; 16],
}

/// Without the key, which is a secret.
impl std::fmt::Debug for PathHasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PathHasher")
    }
}

impl PathHasher {
    /// A hasher with the given secret key.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    pub(crate) const fn key(&self) -> &[u8; 16] {
        &self.key
    }

    /// The hash of a path.
    #[must_use]
    pub fn hash(&self, path: &str) -> u64 {
        let mut hasher = siphasher::sip::SipHasher13::new_with_key(&self.key);
        hasher.write(path.as_bytes());
        hasher.finish()
    }
}

/// What one reader learned of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRecord {
    /// Path of the file.
    pub path: String,
    /// The reader's own bytes.
    #[serde(with = "serde_bytes")]
    pub fact: Vec<u8>,
}

/// All that is kept of one layer: what the walk itself learned, which is what is serialised, and apart
/// from it what each reader did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// SHA-256 of the plain tar, computed; none for a directory.
    pub diff_id: Option<Digest>,
    /// Size of the plain tar in bytes.
    pub plain_bytes: u64,
    /// Count of entries.
    pub entries: u64,
    /// Bytes that it takes to keep what the walk itself learned, as [`crate::Shares`] counts them.
    pub own_bytes: u64,
    /// Paths that this layer removes from those below.
    pub whiteouts: Kept<String>,
    /// Folders whose content below is hidden.
    pub opaques: Kept<String>,
    /// Symbolic links, path and target, sorted by path.
    pub symlinks: Kept<(String, String)>,
    /// Hard links, path and target.
    pub hard_links: Kept<(String, String)>,
    /// What the walk could not read, whoever would have wanted it.
    pub problems: Kept<Problem>,
    /// Hashes of the paths of all entries but directories, sorted.
    #[serde(skip)]
    pub files: Vec<u64>,
    /// Hashes of the paths of directories, sorted.
    #[serde(skip)]
    pub directories: Vec<u64>,
    /// What each reader learned that was there, by its id.
    #[serde(skip)]
    pub readers: BTreeMap<String, ReaderFacts>,
}

/// What one reader learned of one layer. It does not depend on which others were there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderFacts {
    /// Facts, in the order of the tar.
    pub facts: Kept<FactRecord>,
    /// Files whose names concern it and which told it nothing at their places, sorted.
    pub declined: Kept<String>,
    /// Files that it wanted and could not read.
    pub problems: Kept<Problem>,
    /// Bytes that it takes to keep all this, as [`crate::Shares`] counts them.
    pub kept_bytes: u64,
}

/// The pseudo-check that problems of the walk itself are filed under.
pub const WALK: &str = "walk";

/// Something of a layer that a bound left out. No later layer can hide it: it is not known what it
/// was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Gap {
    /// The reader that is concerned; [`WALK`] where it is the layer itself.
    pub reader: String,
    /// What was left out.
    pub what: &'static str,
    /// How many of them.
    pub count: u64,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { reader: _, what, count } = self;
        write!(formatter, "{count} more {what} than the limit for one layer: left out")
    }
}

impl LayerFacts {
    /// Everything that bounds left out of this layer.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        // Every list is named here, so that a new one cannot be forgotten.
        let Self {
            diff_id: _,
            plain_bytes: _,
            entries: _,
            own_bytes: _,
            whiteouts,
            opaques,
            symlinks,
            hard_links,
            problems,
            files: _,
            directories: _,
            readers,
        } = self;
        let of_walk = [
            ("whiteouts", whiteouts.left_out()),
            ("opaque folders", opaques.left_out()),
            ("symbolic links", symlinks.left_out()),
            ("hard links", hard_links.left_out()),
            ("unreadable files", problems.left_out()),
        ];
        let gap = |reader: &str, what, count| Gap { reader: reader.to_owned(), what, count };
        let of_walk = of_walk.into_iter().map(|(what, count)| gap(WALK, what, count));
        let of_readers = readers.iter().flat_map(|(reader, of_reader)| {
            of_reader.left_out().map(|(what, count)| gap(reader, what, count))
        });
        of_walk.chain(of_readers).filter(|gap| gap.count > 0).collect()
    }

    /// Everything that could not be read, with the reader that wanted it, or [`WALK`].
    pub fn unread(&self) -> impl Iterator<Item = (&str, &Problem)> {
        let of_readers = self.readers.iter().flat_map(|(reader, of_reader)| {
            of_reader.problems.iter().map(move |problem| (reader.as_str(), problem))
        });
        self.problems.iter().map(|problem| (WALK, problem)).chain(of_readers)
    }

    /// What one reader learned; none where it was not there.
    #[must_use]
    pub fn of(&self, reader: &str) -> Option<&ReaderFacts> {
        self.readers.get(reader)
    }

    /// Bytes that it takes to keep all this.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        let readers = self.readers.values().map(|of_reader| of_reader.kept_bytes);
        readers.fold(self.own_bytes, u64::saturating_add)
    }

    /// Leaves out all but what the layer is.
    pub fn let_go(&mut self) {
        let Self { diff_id, plain_bytes, entries, .. } = std::mem::take(self);
        *self = Self { diff_id, plain_bytes, entries, ..Self::default() };
    }

    /// Adds what another pass over the same layer gave.
    pub(crate) fn append(&mut self, other: Self) {
        self.own_bytes = self.own_bytes.saturating_add(other.own_bytes);
        self.problems.append(other.problems);
        for (reader, more) in other.readers {
            self.readers.entry(reader).or_default().append(more);
        }
    }
}

impl ReaderFacts {
    /// What bounds left out, by what it is.
    fn left_out(&self) -> [(&'static str, u64); 3] {
        // Every list is named here, so that a new one cannot be forgotten.
        let Self { facts, declined, problems, kept_bytes: _ } = self;
        [
            ("files", facts.left_out()),
            ("files that links may show elsewhere", declined.left_out()),
            ("unreadable files", problems.left_out()),
        ]
    }

    fn append(&mut self, more: Self) {
        self.facts.append(more.facts);
        self.declined.append(more.declined);
        self.problems.append(more.problems);
        self.kept_bytes = self.kept_bytes.saturating_add(more.kept_bytes);
    }
}

/// What kind of tree is looked at; lock files count only in source folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectShape {
    /// An image, or a directory that holds a root file system: what is installed counts.
    RootFileSystem,
    /// A source folder: declarations count too.
    Source,
}

/// A fact at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactAt<'view> {
    /// Path of the file.
    pub path: &'view str,
    /// Layer, counted from 0 at the bottom; none in a directory.
    pub layer: Option<u32>,
    /// The reader's own bytes.
    pub fact: &'view [u8],
    /// Whether the file is there in the squashed view, or was replaced or removed by a later layer.
    pub stays: bool,
}

/// What a check is told of the subject besides facts.
#[derive(Clone, Copy, Debug)]
pub struct About<'view> {
    /// What kind of tree it is.
    pub shape: SubjectShape,
    /// The distribution, where os-release names one.
    pub distribution: Option<&'view Distribution>,
    /// By what a container of the image runs, as the image says; none where it is no image.
    pub configuration: Option<&'view Configuration>,
}

impl About<'_> {
    /// A tree of which nothing else is known.
    #[must_use]
    pub const fn tree(shape: SubjectShape) -> Self {
        Self { shape, distribution: None, configuration: None }
    }
}

/// The squashed view of the facts of one reader; those of the other readers of a check are
/// [`View::of`].
pub struct View<'view> {
    /// Facts of this reader in all layers, bottom layer first, tar order inside a layer.
    facts: Vec<FactAt<'view>>,
    /// Places of those that stay, by path; made when a check first asks for a path: most never do.
    by_path: OnceCell<Vec<usize>>,
    symlinks: &'view HashMap<String, String>,
    about: About<'view>,
    layers: u32,
    /// The views of the other readers, by their ids.
    others: Vec<(&'view str, Self)>,
}

impl<'view> View<'view> {
    /// A view over facts that are already squashed. `symlinks` are those of the squashed view.
    #[must_use]
    pub const fn new(
        facts: Vec<FactAt<'view>>,
        symlinks: &'view HashMap<String, String>,
        about: About<'view>,
        layers: u32,
    ) -> Self {
        Self { facts, by_path: OnceCell::new(), symlinks, about, layers, others: Vec::new() }
    }

    /// With the facts of another reader.
    #[must_use]
    pub fn with(mut self, reader: &'view str, view: Self) -> Self {
        self.others.push((reader, view));
        self
    }

    /// The facts of another reader of the check; none where the check does not name it.
    #[must_use]
    pub fn of(&self, reader: &str) -> Option<&Self> {
        self.others.iter().find(|(id, _)| *id == reader).map(|(_, view)| view)
    }

    /// The facts of files that are there in the squashed view, bottom layer first.
    pub fn staying(&self) -> impl Iterator<Item = FactAt<'view>> + '_ {
        self.facts.iter().copied().filter(|fact| fact.stays)
    }

    /// The facts of all layers, also of files that were replaced or removed, bottom layer first.
    pub fn all(&self) -> impl Iterator<Item = FactAt<'view>> + '_ {
        self.facts.iter().copied()
    }

    /// The fact of the file at this path in the squashed view, links followed.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<FactAt<'view>> {
        self.staying_at(path).or_else(|| self.staying_at(&self.follow(path)?))
    }

    fn staying_at(&self, path: &str) -> Option<FactAt<'view>> {
        let by_path = self.by_path.get_or_init(|| {
            let staying = self.facts.iter().enumerate().filter(|(_, fact)| fact.stays);
            let mut places: Vec<usize> = staying.map(|(place, _)| place).collect();
            places.sort_by_key(|place| self.facts.get(*place).map(|fact| fact.path));
            places
        });
        let of = |place: &usize| self.facts.get(*place);
        let behind = by_path.partition_point(|place| of(place).is_some_and(|at| at.path <= path));
        let last = behind.checked_sub(1).and_then(|last| by_path.get(last));
        last.and_then(of).copied().filter(|fact| fact.path == path)
    }

    /// Every state of one path over the layers, bottom first, the staying one last.
    pub fn history<'this>(
        &'this self,
        path: &'this str,
    ) -> impl Iterator<Item = FactAt<'view>> + 'this {
        self.facts.iter().copied().filter(move |fact| fact.path == path)
    }

    /// The path with every symbolic link in it followed inside the root; none for a loop.
    #[must_use]
    pub fn follow(&self, path: &str) -> Option<String> {
        follow(path, |at| self.symlinks.get(at).map(String::as_str))
    }

    /// The distribution, where os-release named one.
    #[must_use]
    pub const fn distribution(&self) -> Option<&'view Distribution> {
        self.about.distribution
    }

    /// What kind of tree it is.
    #[must_use]
    pub const fn shape(&self) -> SubjectShape {
        self.about.shape
    }

    /// By what a container of the image runs: user, environment, entry point, ports, labels, history.
    /// None where the subject is no image. What stands in it is as secret as whoever wrote it made it.
    #[must_use]
    pub const fn configuration(&self) -> Option<&'view Configuration> {
        self.about.configuration
    }

    /// Count of layers; 0 for a directory.
    #[must_use]
    pub const fn layers(&self) -> u32 {
        self.layers
    }
}

/// Follows every symbolic link in `path`, each target taken inside the root, as a container's own
/// kernel would from its root. None for a loop.
pub fn follow<'links>(
    path: &str,
    target_of: impl Fn(&str) -> Option<&'links str>,
) -> Option<String> {
    let mut pending: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
    let mut done = String::new();
    let mut followed = 0_usize;
    while let Some(part) = pending.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                done.truncate(done.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let parent = done.len();
        if !done.is_empty() {
            done.push('/');
        }
        done.push_str(&part);
        if let Some(target) = target_of(&done) {
            followed += 1;
            if followed > LINK_LIMIT || pending.len() > 4096 {
                return None;
            }
            done.truncate(if target.starts_with('/') { 0 } else { parent });
            pending.extend(target.rsplit('/').map(str::to_owned));
        }
    }
    Some(done)
}
