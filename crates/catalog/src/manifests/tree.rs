//! Where lock files, pinned requirements and the roots of workspaces lie, and what they cover.

use super::kinds::{self, Kind};
use super::{Declares, Requirements, words, workspace};
use crate::elsewhere::Elsewhere;
use crate::lockfile::requirements::beside;
use crate::lockfile::{Declared, python_name};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Most names and includes that are followed in all to join pinned requirements; what is beyond does
/// not count as pinned.
const STEPS: usize = 200_000;

/// The words of a lock file; none where they are not known.
type LockWords = Option<Vec<u64>>;

/// What lies where.
#[derive(Default)]
pub(super) struct Tree<'view> {
    /// The lock files of each folder, by their names.
    locks: BTreeMap<&'view str, BTreeMap<&'view str, LockWords>>,
    /// Folders that hold a lock file of Gradle or lie above one.
    above_gradle: HashSet<&'view str>,
    /// The members of each root of a workspace, by its folder and family.
    roots: BTreeMap<(&'view str, &'static str), Vec<String>>,
    /// Folders with a manifest of a family, which is accounted for by itself.
    projects: HashSet<(&'view str, &'static str)>,
    /// What the projects themselves are called.
    names: HashSet<(String, &'static str)>,
    /// What makes the lock file, where a manifest says it.
    makes: HashMap<(&'view str, &'static str), String>,
    /// The names that requirements of a folder pin, each file in full.
    pins: HashMap<&'view str, BTreeSet<String>>,
}

impl<'view> Tree<'view> {
    pub(super) fn add_lock(&mut self, folder: &'view str, name: &'view str, words: LockWords) {
        let folder = kinds::project_of(folder);
        self.locks.entry(folder).or_default().insert(name, words);
        if kinds::is_of_gradle(name) {
            let above = workspace::above(folder).map(|(above, _)| above);
            for folder in std::iter::once(folder).chain(above) {
                if !self.above_gradle.insert(folder) {
                    break;
                }
            }
        }
    }

    pub(super) fn add_manifest(&mut self, folder: &'view str, kind: &Kind, declares: &Declares) {
        let family = kind.family;
        self.projects.insert((folder, family));
        if !declares.members.is_empty() {
            let members = declares.members.iter().cloned();
            self.roots.entry((folder, family)).or_default().extend(members);
        }
        self.names.extend(declares.name.iter().map(|name| (name.clone(), family)));
        if let Some(make) = &declares.make {
            self.makes.insert((folder, family), make.clone());
        }
    }

    /// Takes requirements in; those that are pinned with all that they include count for their folder,
    /// and for the one above where it is called `requirements`.
    pub(super) fn add_requirements(&mut self, all: &BTreeMap<&'view str, Requirements>) {
        let mut steps = 0;
        for path in all.keys() {
            let Some(names) = joined(path, all, &mut steps) else { continue };
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let beside = match folder.rsplit_once('/') {
                Some((above, "requirements")) => Some(above),
                None if folder == "requirements" => Some(""),
                _ => None,
            };
            for folder in std::iter::once(folder).chain(beside) {
                self.pins.entry(folder).or_default().extend(names.iter().copied().cloned());
            }
        }
    }

    /// The packages that no pinned requirements name; none where there are no pinned requirements, or
    /// where not all that is asked for has a name.
    pub(super) fn not_pinned(
        &self,
        kind: &Kind,
        folder: &str,
        declares: &Declares,
    ) -> Option<Vec<Declared>> {
        if kind.family != "python" || declares.hidden || declares.packages.is_empty() {
            return None;
        }
        let pins = self.pins.get(folder)?;
        let others = declares.packages.iter().filter(|one| !pins.contains(&python_name(&one.name)));
        Some(others.cloned().collect())
    }

    /// The folder whose lock file covers a manifest of this kind in this folder.
    pub(super) fn covering<'at>(&self, kind: &Kind, folder: &'at str) -> Option<&'at str> {
        if self.has_lock(kind, folder) {
            return Some(folder);
        }
        let catalogue = kind.is_catalogue().then(|| {
            let own =
                folder.strip_suffix("gradle").filter(|own| own.is_empty() || own.ends_with('/'));
            own.map_or(folder, |own| own.trim_end_matches('/'))
        });
        if let Some(root) = catalogue.filter(|root| self.above_gradle.contains(root)) {
            return Some(root);
        }
        let mut above = workspace::above(folder);
        let found = above.find(|(above, within)| {
            let is_member = self
                .roots
                .get(&(*above, kind.family))
                .is_some_and(|members| workspace::has_member(members, within));
            (is_member || kind.is_covered_from_above()) && self.has_lock(kind, above)
        });
        found.map(|(above, _)| above)
    }

    fn has_lock(&self, kind: &Kind, folder: &str) -> bool {
        self.locks.get(folder).is_some_and(|all| all.keys().any(|name| kind.is_locked_by(name)))
    }

    /// The names that the lock files of a folder would have to hold and do not. None where one of them
    /// is in a form that is not looked into.
    pub(super) fn not_locked<'all>(
        &self,
        kind: &Kind,
        folder: &str,
        declares: &'all Declares,
    ) -> Vec<&'all str> {
        let all = self.locks.get(folder).into_iter().flatten();
        let locks = all.filter(|(name, _)| kind.is_locked_by(name) && !kinds::is_installed(name));
        let Some(known) = locks.map(|(_, words)| words.as_ref()).collect::<Option<Vec<_>>>() else {
            return Vec::new();
        };
        if known.is_empty() {
            return Vec::new();
        }
        let is_there = |name: &str| {
            known.iter().any(|words| words::has(words, name))
                || self.names.contains(&(name.to_owned(), kind.family))
        };
        declares.locked.iter().map(String::as_str).filter(|name| !is_there(name)).collect()
    }

    /// What makes the lock file of a project: as a manifest of its folder or the nearest above says.
    pub(super) fn make<'at>(&'at self, kind: &Kind, folder: &'at str) -> Option<&'at str> {
        let above = workspace::above(folder).map(|(above, _)| above);
        let mut folders = std::iter::once(folder).chain(above);
        folders.find_map(|folder| self.makes.get(&(folder, kind.family))).map(String::as_str)
    }

    /// Whether a package is a folder whose own manifest is accounted for.
    pub(super) fn is_own(&self, kind: &Kind, manifest: &str, package: &Declared) -> bool {
        self.folder_of(kind, manifest, package).is_some()
    }

    /// That folder.
    pub(super) fn folder_of(
        &self,
        kind: &Kind,
        manifest: &str,
        package: &Declared,
    ) -> Option<String> {
        let Some(Elsewhere::Download(address)) = &package.elsewhere else { return None };
        let target = address.strip_prefix("file:").and_then(|path| beside(manifest, path));
        target.filter(|folder| self.projects.contains(&(folder.as_str(), kind.family)))
    }

    /// Whether one of the projects is called so.
    pub(super) fn is_named(&self, kind: &Kind, name: &str) -> bool {
        self.names.contains(&(name.to_owned(), kind.family))
    }
}

/// All names that requirements pin with what they include; none where one of the files is not pinned.
fn joined<'all>(
    path: &str,
    all: &'all BTreeMap<&str, Requirements>,
    steps: &mut usize,
) -> Option<BTreeSet<&'all String>> {
    let mut pending = vec![path.to_owned()];
    let mut seen = HashSet::new();
    let mut names = BTreeSet::new();
    while let Some(path) = pending.pop() {
        let file = all.get(path.as_str())?;
        if !seen.insert(path.clone()) {
            continue;
        }
        *steps += 1 + file.names.len() + file.includes.len();
        if *steps > STEPS {
            return None;
        }
        names.extend(&file.names);
        for include in &file.includes {
            pending.push(beside(&path, include)?);
        }
    }
    Some(names)
}
