//! Where the entries of one tar come to lie when they are unpacked.
//!
//! Engines unpack in order, and follow links on the way: a file whose folder is a link of the same
//! layer comes to lie where that leads, and a link or file that takes the place of a folder removes
//! what was in it. Sources: containerd, `pkg/archive/tar.go` (`applyNaive`); Docker,
//! `pkg/archive/diff.go` (`UnpackLayer`). Most entries lie in the folder of the one before, so that
//! nothing is looked up for them.

use crate::facts::{PathHasher, follow};
use std::collections::{HashMap, HashSet};
use vocabulary::FileKind;

/// What the entries so far say of places.
#[derive(Default)]
pub(crate) struct Placing {
    /// Symbolic links, path and target, that are there now.
    links: HashMap<String, String>,
    /// Hashes of folders that are there, named or not.
    folders: HashSet<u64>,
    /// The folder of the entry before, and where it comes to lie if that is elsewhere.
    parent: String,
    real_parent: Option<String>,
    /// By the hash of a path: the place before which what lay there and below it is gone.
    replaced: HashMap<u64, u32>,
}

impl Placing {
    /// Where a path comes to lie; none where that is the path itself.
    pub(crate) fn real(&mut self, path: &str, hasher: &PathHasher) -> Option<String> {
        let (parent, name) = path.rsplit_once('/')?;
        if parent != self.parent {
            parent.clone_into(&mut self.parent);
            self.real_parent = self.resolve(parent);
            let real = self.real_parent.as_deref().unwrap_or(parent);
            let mut folder = Some(real).filter(|real| !real.is_empty());
            while let Some(path) = folder.filter(|path| self.folders.insert(hasher.hash(path))) {
                folder = path.rsplit_once('/').map(|(above, _)| above);
            }
        }
        let real = self.real_parent.as_deref()?;
        Some(if real.is_empty() { name.to_owned() } else { format!("{real}/{name}") })
    }

    /// Where the target of a hard link lies.
    pub(crate) fn real_target(&self, target: &str) -> Option<String> {
        let (parent, name) = target.rsplit_once('/')?;
        let real = self.resolve(parent)?;
        Some(if real.is_empty() { name.to_owned() } else { format!("{real}/{name}") })
    }

    fn resolve(&self, folder: &str) -> Option<String> {
        if self.links.is_empty() {
            return None;
        }
        let above = folder.match_indices('/').filter_map(|(at, _)| folder.get(..at));
        let mut above = above.chain(std::iter::once(folder));
        if !above.any(|place| self.links.contains_key(place)) {
            return None;
        }
        follow(folder, |at| self.links.get(at).map(String::as_str))
    }

    /// An entry comes to lie at `path`, before which `place` others but folders came.
    pub(crate) fn put(&mut self, path: &str, kind: FileKind, link: &str, place: u32, hash: u64) {
        let was_link = !self.links.is_empty() && self.links.remove(path).is_some();
        if kind == FileKind::Directory {
            self.folders.insert(hash);
        } else if self.folders.remove(&hash) {
            self.replaced.insert(hash, place);
        }
        if was_link && kind == FileKind::Directory {
            self.replaced.insert(hash, place);
        }
        if kind == FileKind::Symlink {
            self.links.insert(path.to_owned(), link.to_owned());
        }
        if was_link || kind == FileKind::Symlink {
            self.parent.clear();
            self.real_parent = None;
        }
    }

    /// Whether anything took the place of a folder or link.
    pub(crate) fn replaces(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// Whether what came as `place` at `path` is gone.
    pub(crate) fn is_gone(&self, path: &str, place: u32, hasher: &PathHasher) -> bool {
        let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        above
            .chain(std::iter::once(path))
            .any(|at| self.replaced.get(&hasher.hash(at)).is_some_and(|replaced| place < *replaced))
    }
}
