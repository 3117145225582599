//! The facts of each layer, and the squashed view over them.
//!
//! A layer's facts hold what checks learned, plus just enough of its entries to squash layers
//! without their tars: whiteouts, opaque folders, links, and a sorted list of path hashes. A hash is
//! 64-bit SipHash under a key that an image cannot know, so that no image can craft two paths that
//! hide one another.

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

/// What one check learned of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRecord {
    /// Path of the file.
    pub path: String,
    /// The check's own bytes.
    #[serde(with = "serde_bytes")]
    pub fact: Vec<u8>,
}

/// All that is kept of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// SHA-256 of the plain tar, computed; none for a directory.
    pub diff_id: Option<Digest>,
    /// Size of the plain tar in bytes.
    pub plain_bytes: u64,
    /// Count of entries.
    pub entries: u64,
    /// Bytes that it takes to keep all this, as [`crate::Shares`] counts them.
    pub kept_bytes: u64,
    /// Facts by check id, in the order of the tar.
    pub facts: BTreeMap<String, Kept<FactRecord>>,
    /// Paths that this layer removes from those below.
    pub whiteouts: Kept<String>,
    /// Folders whose content below is hidden.
    pub opaques: Kept<String>,
    /// Symbolic links, path and target, sorted by path.
    pub symlinks: Kept<(String, String)>,
    /// Hard links, path and target.
    pub hard_links: Kept<(String, String)>,
    /// Files whose names concern a check and which told it nothing at their places, sorted.
    pub declined: Kept<String>,
    /// Hashes of the paths of all entries but directories, sorted.
    #[serde(skip)]
    pub files: Vec<u64>,
    /// Hashes of the paths of directories, sorted.
    #[serde(skip)]
    pub directories: Vec<u64>,
    /// Files that a check wanted and could not read, by check id; [`WALK`] for the layer itself.
    pub problems: BTreeMap<String, Kept<Problem>>,
}

/// The pseudo-check that problems of the walk itself are filed under.
pub const WALK: &str = "walk";

/// Something of a layer that a bound left out. No later layer can hide it: it is not known what it
/// was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Gap {
    /// The check that is concerned; [`WALK`] where it is the layer itself.
    pub check: String,
    /// What was left out.
    pub what: &'static str,
    /// How many of them.
    pub count: u64,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { check: _, what, count } = self;
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
            kept_bytes: _,
            facts,
            whiteouts,
            opaques,
            symlinks,
            hard_links,
            declined,
            files: _,
            directories: _,
            problems,
        } = self;
        let of_walk = [
            ("whiteouts", whiteouts.left_out()),
            ("opaque folders", opaques.left_out()),
            ("symbolic links", symlinks.left_out()),
            ("hard links", hard_links.left_out()),
            ("files that links may show elsewhere", declined.left_out()),
        ];
        let gap = |check: &str, what, count| Gap { check: check.to_owned(), what, count };
        let of_walk = of_walk.into_iter().map(|(what, count)| gap(WALK, what, count));
        let of_facts = facts.iter().map(|(check, kept)| gap(check, "files", kept.left_out()));
        let of_problems =
            problems.iter().map(|(check, kept)| gap(check, "unreadable files", kept.left_out()));
        of_walk.chain(of_facts).chain(of_problems).filter(|gap| gap.count > 0).collect()
    }

    /// Leaves out all but what the layer is.
    pub fn let_go(&mut self) {
        let Self { diff_id, plain_bytes, entries, .. } = std::mem::take(self);
        *self = Self { diff_id, plain_bytes, entries, ..Self::default() };
    }

    /// Adds what another pass over the same layer gave.
    pub(crate) fn append(&mut self, other: Self) {
        self.kept_bytes = self.kept_bytes.max(other.kept_bytes);
        for (check, kept) in other.facts {
            self.facts.entry(check).or_default().append(kept);
        }
        for (check, kept) in other.problems {
            self.problems.entry(check).or_default().append(kept);
        }
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
    /// The check's own bytes.
    pub fact: &'view [u8],
    /// Whether the file is there in the squashed view, or was replaced or removed by a later layer.
    pub stays: bool,
}

/// The squashed view of one check's facts.
pub struct View<'view> {
    /// Facts of this check in all layers, bottom layer first, tar order inside a layer.
    facts: Vec<FactAt<'view>>,
    /// Places of those that stay, by path; made when a check first asks for a path: most never do.
    by_path: OnceCell<Vec<usize>>,
    symlinks: &'view HashMap<String, String>,
    distribution: Option<&'view Distribution>,
    shape: SubjectShape,
    layers: u32,
}

impl<'view> View<'view> {
    /// A view over facts that are already squashed. `symlinks` are those of the squashed view.
    #[must_use]
    pub fn new(
        facts: Vec<FactAt<'view>>,
        symlinks: &'view HashMap<String, String>,
        distribution: Option<&'view Distribution>,
        shape: SubjectShape,
        layers: u32,
    ) -> Self {
        Self { facts, by_path: OnceCell::new(), symlinks, distribution, shape, layers }
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
        self.distribution
    }

    /// What kind of tree it is.
    #[must_use]
    pub const fn shape(&self) -> SubjectShape {
        self.shape
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
