//! Manifests that declare packages and that no lock file covers: known to be there, and not looked at.
//!
//! In go all manifests and the names of all lock files; out come problems, one for each manifest that
//! declares something and has no lock file beside it, nor in a workspace above that it belongs to. So a
//! manifest is accounted for by itself, whatever else of the folder was read. What it declares is listed
//! where that can be told without running it; what these packages need in turn cannot be. Packages from
//! git, addresses and folders are listed with where they come from; a folder whose own manifest is there
//! is accounted for by that. A lock file that does not name what a manifest asks for itself is an old
//! one, and what it lacks is said in the same way. What lies in the folder of a dependency is that one's
//! own and does not count.

mod kinds;
mod read;
mod tree;
mod words;
mod workspace;

use crate::decoded::{decoded, decoded_of_pip};
use crate::language::{decode, encode};
use crate::lockfile::{Declared, declared_package, is_of_a_dependency, requirements};
use image::{
    Ask, Asks, Entry, Fact, Flow, Interest, Places, ReadError, Reader, Reading, Resolution,
    Resolver, View, Want,
};
use kinds::{KINDS, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tree::Tree;
use vocabulary::{Problem, Relation, Scope};

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
    /// A lock file that is there and not empty, with fingerprints of its words where these are known.
    Lock(Option<Vec<u64>>),
    /// Requirements of Python, which may pin all that a project needs.
    Requirements(Requirements),
    /// A manifest of the kind of this place in the list, or why it could not be read.
    Manifest(u32, Result<Declares, String>),
}

/// Requirements of Python.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Requirements {
    /// Whether a tool compiled them, which makes them a lock file.
    compiled: bool,
    /// Whether each line is pinned.
    pinned: bool,
    names: Vec<String>,
    includes: Vec<String>,
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
    /// Whether it asks for more than is named.
    hidden: bool,
    /// What it is called itself, where others may ask for it by that.
    name: Option<String>,
    /// What makes its lock file, where it says what tool it is for.
    make: Option<String>,
    /// Names that any lock file of it holds, on whatever machine it was made.
    locked: Vec<String>,
    /// How many of the last packages it keeps for others, and does not ask for itself.
    offered: u32,
}

impl Declares {
    /// Says for what the packages are asked for that were added since there were so many.
    fn scoped(&mut self, before: usize, scope: Scope) {
        for one in self.packages.iter_mut().skip(before) {
            one.scope = Some(scope);
        }
    }
}

impl Reader for Manifests {
    fn id(&self) -> &'static str {
        "manifests"
    }

    fn revision(&self) -> u32 {
        4
    }

    fn counts(&self) -> Places {
        Places::SOURCE_FOLDER
    }

    fn interests(&self) -> &'static [Interest] {
        kinds::INTERESTS
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        let is_lock = kinds::is_lock(entry.name());
        let of_a_dependency =
            is_of_a_dependency(entry.path) || kinds::is_of_a_dependency(entry.path);
        let compiled = !is_lock && kinds::is_compiled(entry.name(), head);
        if is_lock || (compiled && entry.size > AT_MOST) {
            let blank = entry.size <= 512 && head.trim_ascii().is_empty();
            return match entry.name() {
                _ if blank => Want::No,
                name if kinds::has_words(name) && !of_a_dependency => {
                    Want::Stream(Box::<words::Words>::default())
                }
                _ => Want::Stream(Box::new(LockIsThere)),
            };
        }
        if compiled || (!of_a_dependency && is_requirements(entry)) {
            return Want::Whole { at_most: AT_MOST };
        }
        if of_a_dependency {
            return Want::No;
        }
        match kinds::of(entry.path) {
            None => Want::No,
            Some((at, _)) if entry.size > AT_MOST => Want::Stream(Box::new(TooLarge(at))),
            Some(_) => Want::Whole { at_most: AT_MOST },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some((at, kind)) = kinds::of(entry.path) else {
            return of_requirements(entry.name(), bytes).map_or(Ok(None), |fact| encode(&fact));
        };
        let declares = decoded(bytes).and_then(|text| (kind.read)(&text)).map(|mut declares| {
            declares.any |= declares.packages.iter().any(|one| !read::source::is_path(one));
            declares.hidden |= declares.packages.len() > PACKAGES;
            declares.packages.truncate(PACKAGES);
            declares.locked.truncate(PACKAGES);
            declares
        });
        encode(&FileFact::Manifest(at, declares))
    }
}

impl Resolver for Manifests {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut tree = Tree::default();
        let mut requirements = BTreeMap::new();
        let mut manifests = Vec::new();
        for at in view.staying() {
            let (folder, name) = at.path.rsplit_once('/').unwrap_or(("", at.path));
            match decode::<FileFact>(&at, &mut resolution.problems) {
                Some(FileFact::Lock(words)) => tree.add_lock(folder, name, words),
                Some(FileFact::Requirements(found)) => {
                    if found.compiled {
                        tree.add_lock(folder, name, None);
                    }
                    if found.pinned {
                        requirements.insert(at.path, found);
                    }
                }
                Some(FileFact::Manifest(index, declares)) => {
                    let Some(kind) = usize::try_from(index).ok().and_then(|at| KINDS.get(at))
                    else {
                        continue;
                    };
                    if let Ok(declares) = &declares {
                        tree.add_manifest(folder, kind, declares);
                    }
                    manifests.push(Manifest {
                        path: at.path,
                        layer: at.layer,
                        folder,
                        kind,
                        declares,
                    });
                }
                None => {}
            }
        }
        tree.add_requirements(&requirements);
        for manifest in manifests {
            manifest.resolve(&tree, &mut resolution);
        }
        resolution
    }
}

/// Whether these are requirements that may be pinned; larger ones are not made by hand or by `freeze`.
fn is_requirements(entry: &Entry<'_>) -> bool {
    entry.size <= AT_MOST && requirements::is_named(entry.path)
}

/// The fact of requirements; none where they neither pin all nor are a lock file.
fn of_requirements(name: &str, bytes: &[u8]) -> Option<FileFact> {
    // Tools say what they compiled in the first lines.
    let compiled = kinds::is_compiled(name, bytes.get(..512).unwrap_or(bytes));
    let text = decoded_of_pip(bytes).ok();
    let found = text.and_then(|text| requirements::pinned(&text));
    let pinned = found.is_some();
    let (names, includes) = found.map(|one| (one.names, one.includes)).unwrap_or_default();
    (compiled || pinned).then_some(FileFact::Requirements(Requirements {
        compiled,
        pinned,
        names,
        includes,
    }))
}

/// A manifest where it lies.
struct Manifest<'view> {
    path: &'view str,
    layer: Option<u32>,
    folder: &'view str,
    kind: &'static Kind,
    declares: Result<Declares, String>,
}

impl Manifest<'_> {
    /// Lists what no lock file covers, and says what was not looked at.
    fn resolve(self, tree: &Tree<'_>, resolution: &mut Resolution) {
        let covering = tree.covering(self.kind, self.folder);
        let (reason, packages) = match &self.declares {
            Err(_) if covering.is_some() => {
                let folder = covering.unwrap_or_default().to_owned();
                let ecosystem = self.kind.ecosystem.clone();
                resolution.asks.push(Asks {
                    folder,
                    ecosystem,
                    asked: Vec::new(),
                    complete: false,
                });
                return;
            }
            Err(reason) => {
                (Some(format!("{reason}: what it declares was not looked at")), Vec::new())
            }
            Ok(declares) => match covering {
                Some(folder) => {
                    resolution.asks.push(self.asks(tree, folder, declares));
                    self.beyond_locks(tree, folder, declares)
                }
                None if declares.complete => return,
                None => self.without_locks(tree, declares),
            },
        };
        let others = packages.into_iter().filter(|one| !tree.is_own(self.kind, self.path, one));
        resolution.packages.extend(others.map(|one| {
            // What stands in a manifest the project itself asks for.
            let one = Declared { relation: Some(Relation::Direct), ..one };
            declared_package(one, &self.kind.ecosystem, self.path, self.layer)
        }));
        let (path, layer) = (self.path.to_owned(), self.layer);
        resolution.problems.extend(reason.map(|reason| Problem { path, layer, reason }));
    }

    /// What the project asks for of the lock files of a folder.
    fn asks(&self, tree: &Tree<'_>, folder: &str, declares: &Declares) -> Asks {
        let mut complete = !declares.hidden;
        let offered = usize::try_from(declares.offered).unwrap_or(usize::MAX);
        let own = declares.packages.len().saturating_sub(offered);
        let mut asked = Vec::new();
        for one in declares.packages.iter().take(own) {
            match tree.folder_of(self.kind, self.path, one) {
                // What it asks for in turn is asked for by its own manifest, where that is of these files.
                Some(other) => complete &= tree.covering(self.kind, &other) == Some(folder),
                None => asked.push(Ask {
                    name: one.name.clone(),
                    keys: one.keys.clone(),
                    scope: one.scope,
                    own: tree.is_named(self.kind, &one.name),
                }),
            }
        }
        let (folder, ecosystem) = (folder.to_owned(), self.kind.ecosystem.clone());
        Asks { folder, ecosystem, asked, complete }
    }

    /// What the lock files of a folder should name and do not.
    fn beyond_locks(
        &self,
        tree: &Tree<'_>,
        folder: &str,
        declares: &Declares,
    ) -> (Option<String>, Vec<Declared>) {
        let missing = tree.not_locked(self.kind, folder, declares);
        if missing.is_empty() {
            return (None, Vec::new());
        }
        let make = tree.make(self.kind, self.folder);
        let reason = self.kind.stale(&missing, "the lock file does not name", make);
        let named = declares.packages.iter().filter(|one| missing.contains(&one.name.as_str()));
        (Some(reason), named.cloned().collect())
    }

    fn without_locks(
        &self,
        tree: &Tree<'_>,
        declares: &Declares,
    ) -> (Option<String>, Vec<Declared>) {
        let make = tree.make(self.kind, self.folder);
        match tree.not_pinned(self.kind, self.folder, declares) {
            Some(missing) if missing.len() < declares.packages.len() => {
                let names: Vec<&str> = missing.iter().map(|one| one.name.as_str()).collect();
                let lock = "the pinned requirements beside it do not name";
                let reason = (!names.is_empty()).then(|| self.kind.stale(&names, lock, make));
                (reason, missing)
            }
            _ => {
                let lists = !declares.packages.is_empty();
                let reason = declares.any.then(|| self.kind.problem(lists, make));
                (reason, declares.packages.clone())
            }
        }
    }
}

/// Says that a lock file is there; its own check reads it.
struct LockIsThere;

impl Reading for LockIsThere {
    fn push(&mut self, _bytes: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        encode(&FileFact::Lock(None))
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
