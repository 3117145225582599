//! Manifests that declare packages and that no lock file covers: known to be there, and not looked at.
//!
//! In go all manifests and the names of all lock files; out come problems, one for each manifest that
//! declares something and has no lock file beside it, nor in a workspace above that it belongs to. So a
//! manifest is accounted for by itself, whatever else of the folder was read. What it declares is listed
//! where that can be told without running it; what these packages need in turn cannot be. What lies in
//! the folder of a dependency is that one's own and does not count.

mod kinds;
mod read;
mod workspace;

use crate::decoded::decoded;
use crate::language::{decode, encode};
use crate::lockfile::{Declared, declared_package, is_of_a_dependency};
use image::{Check, Entry, Fact, Flow, Interest, ReadError, Reading, Resolution, View, Want};
use kinds::{KINDS, Kind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Problem;

/// The check.
#[derive(Clone, Copy, Debug)]
pub struct Manifests;

/// Largest manifest that is read; people write them.
const AT_MOST: u64 = 4 << 20;
/// Most packages that one manifest lists; beyond, the rest is in the problem that it is anyway.
const PACKAGES: usize = 10_000;

/// What is kept of one file.
#[derive(Serialize, Deserialize)]
enum FileFact {
    /// A lock file that is there and not empty.
    Lock,
    /// A manifest of the kind of this place in the list, or why it could not be read.
    Manifest(u32, Result<Declares, String>),
}

/// What a manifest declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Declares {
    /// Packages of others: named, with a version where it names exactly one.
    packages: Vec<Declared>,
    /// Whether it asks for packages of others; some formats tell that and no names.
    any: bool,
    /// Folders that belong to it as a workspace: patterns, `!` before those that do not.
    members: Vec<String>,
    /// Whether it pins all that is to be installed by itself.
    complete: bool,
}

impl Check for Manifests {
    fn id(&self) -> &'static str {
        "manifests"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn reads_declarations(&self) -> bool {
        true
    }

    fn interests(&self) -> &'static [Interest] {
        kinds::INTERESTS
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        if kinds::is_lock(entry.name()) || kinds::is_compiled(entry.name(), head) {
            let blank = entry.size <= 512 && head.trim_ascii().is_empty();
            return if blank { Want::No } else { Want::Stream(Box::new(LockIsThere)) };
        }
        if is_of_a_dependency(entry.path) || kinds::is_of_a_dependency(entry.path) {
            return Want::No;
        }
        match kinds::of(entry.name()) {
            None => Want::No,
            Some((at, _)) if entry.size > AT_MOST => Want::Stream(Box::new(TooLarge(at))),
            Some(_) => Want::Whole { at_most: AT_MOST },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some((at, kind)) = kinds::of(entry.name()) else { return Ok(None) };
        let declares = decoded(bytes).and_then(|text| (kind.read)(&text)).map(|mut declares| {
            declares.any |= !declares.packages.is_empty();
            declares.packages.truncate(PACKAGES);
            declares
        });
        encode(&FileFact::Manifest(at, declares))
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        if view.shape() != image::SubjectShape::Source {
            return resolution;
        }
        let mut tree = Tree::default();
        let mut manifests = Vec::new();
        for at in view.staying() {
            let (folder, name) = at.path.rsplit_once('/').unwrap_or(("", at.path));
            match decode::<FileFact>(&at, &mut resolution.problems) {
                Some(FileFact::Lock) => {
                    tree.locks.entry(kinds::project_of(folder)).or_default().insert(name);
                }
                Some(FileFact::Manifest(index, declares)) => {
                    let Some(kind) = usize::try_from(index).ok().and_then(|at| KINDS.get(at))
                    else {
                        continue;
                    };
                    let members = declares.as_ref().map(|one| one.members.clone());
                    if let Some(members) = members.ok().filter(|members| !members.is_empty()) {
                        tree.roots.entry((folder, kind.family)).or_default().extend(members);
                    }
                    manifests.push((at, folder, kind, declares));
                }
                None => {}
            }
        }
        for (at, folder, kind, declares) in manifests {
            if tree.covers(kind, folder) {
                continue;
            }
            let reason = match &declares {
                Err(reason) => format!("{reason}: what it declares was not looked at"),
                Ok(declares) if !declares.any || declares.complete => continue,
                Ok(declares) => kind.problem(!declares.packages.is_empty()),
            };
            let packages = declares.map(|one| one.packages).unwrap_or_default();
            let packages = packages.into_iter();
            resolution.packages.extend(
                packages.map(|one| declared_package(one, &kind.ecosystem, at.path, at.layer)),
            );
            let path = at.path.to_owned();
            resolution.problems.push(Problem { path, layer: at.layer, reason });
        }
        resolution
    }
}

/// Where lock files and the roots of workspaces lie.
#[derive(Default)]
struct Tree<'view> {
    /// The names of the lock files of each folder.
    locks: BTreeMap<&'view str, BTreeSet<&'view str>>,
    /// The members of each root of a workspace, by its folder and family.
    roots: BTreeMap<(&'view str, &'static str), Vec<String>>,
}

impl Tree<'_> {
    /// Whether a lock file covers a manifest of this kind in this folder.
    fn covers(&self, kind: &Kind, folder: &str) -> bool {
        if self.has_lock(kind, folder) {
            return true;
        }
        workspace::above(folder).any(|(above, within)| {
            let is_member = self
                .roots
                .get(&(above, kind.family))
                .is_some_and(|members| workspace::has_member(members, within));
            (is_member || kind.is_covered_from_above()) && self.has_lock(kind, above)
        })
    }

    fn has_lock(&self, kind: &Kind, folder: &str) -> bool {
        self.locks.get(folder).is_some_and(|names| names.iter().any(|name| kind.is_locked_by(name)))
    }
}

/// Says that a lock file is there; its own check reads it.
struct LockIsThere;

impl Reading for LockIsThere {
    fn push(&mut self, _bytes: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        encode(&FileFact::Lock)
    }
}

struct TooLarge(u32);

impl Reading for TooLarge {
    fn push(&mut self, _bytes: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        let reason = format!("it is larger than {} MiB", AT_MOST >> 20);
        encode(&FileFact::Manifest(self.0, Err(reason)))
    }
}

#[cfg(test)]
mod tests;
