//! What links make of files, once all layers are known: which facts have another name, and which
//! files must be read again under one.
//!
//! While a layer passes by, a file is shown to checks by the path that it has in that layer. Three
//! things are known only afterwards. A package database may lie behind symbolic links, of other
//! layers too, so that its own path concerns nobody. A hard link may name a file of a lower layer.
//! And a file may be gone under the name by which it was read, and stay under another. In goes the
//! squashed view, out come facts under their other names, and for each layer the files that are to be
//! read once more; what is reached by no name is left as it is.

use crate::check::Interest;
use crate::dispatch::{Concerned, Dispatch};
use crate::facts::{LINK_LIMIT, SubjectShape, WALK};
use crate::followed::Followed;
use crate::limits;
use crate::links::{Alias, Aliases};
use crate::squash::Squash;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What links make of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Plan {
    /// Facts and problems that are known.
    pub followed: Vec<Followed>,
    /// Files to be read again, by layer.
    pub again: Vec<Aliases>,
}

/// What the links of the squashed view lead to.
pub fn plan(squash: &Squash<'_>, dispatch: &Dispatch<'_>, shape: SubjectShape) -> Plan {
    let mut planner = Planner {
        squash,
        dispatch,
        shape,
        facts: by_path(squash, dispatch),
        hard_links: HashMap::new(),
        files: BTreeMap::new(),
        folders: BTreeMap::new(),
        followed: Vec::new(),
    };
    planner.hard_links = planner.hard_links();
    planner.follow_hard_links();
    planner.follow_symlinks();
    planner.follow_interests();
    planner.follow_folders();
    planner.finish()
}

/// What checks made of files, by layer and path.
type Known<'facts> = HashMap<(usize, &'facts str), Vec<(u16, Result<&'facts [u8], &'facts str>)>>;

fn by_path<'facts>(squash: &Squash<'facts>, dispatch: &Dispatch<'_>) -> Known<'facts> {
    let mut known: Known<'facts> = HashMap::new();
    let mut add = |place, outcome| {
        // One check is all that nearly every file has.
        known.entry(place).or_insert_with(|| Vec::with_capacity(1)).push(outcome);
    };
    for (index, layer) in squash.layers().enumerate() {
        for (number, reader) in dispatch.numbered() {
            let Some(of_reader) = layer.of(reader.id()) else { continue };
            for record in &of_reader.facts {
                add((index, record.path.as_str()), (number, Ok(record.fact.as_slice())));
            }
            for problem in &of_reader.problems {
                add((index, problem.path.as_str()), (number, Err(problem.reason.as_str())));
            }
        }
    }
    known
}

struct Planner<'plan, 'facts> {
    squash: &'plan Squash<'facts>,
    dispatch: &'plan Dispatch<'plan>,
    shape: SubjectShape,
    facts: Known<'facts>,
    /// By layer and path; only of layers that matter.
    hard_links: HashMap<(usize, &'facts str), &'facts str>,
    /// Checks that are to see a file, by layer, path and other name.
    files: BTreeMap<(usize, String, String), Concerned>,
    /// The same of folders, in all layers.
    folders: BTreeMap<(String, String), Concerned>,
    followed: Vec<Followed>,
}

impl<'facts> Planner<'_, 'facts> {
    fn hard_links(&self) -> HashMap<(usize, &'facts str), &'facts str> {
        let layers = self.squash.layers().enumerate();
        layers
            .flat_map(|(index, layer)| {
                layer
                    .hard_links
                    .iter()
                    .map(move |(path, target)| ((index, path.as_str()), target.as_str()))
            })
            .collect()
    }

    /// The layer and path of the content of a name, as layers up to `below` have it.
    fn origin(&self, path: &str, below: usize) -> Option<(usize, String)> {
        let mut path = path.to_owned();
        let mut below = below;
        for _ in 0..LINK_LIMIT {
            let index = self.squash.holder(&path, below)?;
            let Some(target) = self.hard_links.get(&(index, path.as_str())) else {
                return Some((index, path));
            };
            // A link's target lies in its own layer, or below it.
            path = (*target).to_owned();
            below = index + 1;
        }
        None
    }

    /// What the checks made of the content at its first name, given to another; those that made
    /// nothing of it are to read it again.
    fn take(&mut self, layer: usize, real: &str, path: &str, concerned: &Concerned) {
        let mut unknown = Concerned::default();
        let known = self.facts.get(&(layer, real));
        for check in concerned.iter() {
            let outcomes = known.into_iter().flatten().filter(|(number, _)| *number == check);
            let mut any = false;
            for (_, outcome) in outcomes {
                any = true;
                self.followed.extend(follow(self.dispatch, check, layer, path, outcome));
            }
            if !any {
                unknown.insert(check);
            }
        }
        if !unknown.is_empty() {
            let files = self.files.entry((layer, real.to_owned(), path.to_owned())).or_default();
            unknown.iter().for_each(|check| files.insert(check));
        }
    }

    fn follow_hard_links(&mut self) {
        let told: HashSet<&str> = self.facts.keys().map(|(_, path)| *path).collect();
        let mut survivors: HashSet<(usize, String)> = HashSet::new();
        for (index, layer) in self.squash.layers().enumerate() {
            for (path, target) in &layer.hard_links {
                let concerned = self.dispatch.by_path(path);
                if concerned.is_empty() && !told.contains(target.as_str()) {
                    continue;
                }
                if !self.squash.stays(index, path) {
                    continue;
                }
                let Some((holder, real)) = self.origin(target, index + 1) else {
                    self.lead_nowhere(index, path, &concerned, "a hard link to what is not there");
                    continue;
                };
                // Inside one layer the walk has settled it.
                if holder < index {
                    self.take(holder, &real, path, &concerned);
                }
                // What was read by its content under a name that is gone.
                let key = (holder, real);
                if !self.squash.stays(key.0, &key.1) && !survivors.contains(&key) {
                    let taken = if key.0 < index { concerned } else { Concerned::default() };
                    self.survive(&key, path, index, &taken);
                    survivors.insert(key);
                }
            }
        }
    }

    /// Gives what was made of a file to the other name, but for checks that know it by that name.
    fn survive(
        &mut self,
        (holder, real): &(usize, String),
        path: &str,
        index: usize,
        taken: &Concerned,
    ) {
        let own = self.facts.get(&(index, path)).into_iter().flatten();
        let own: HashSet<u16> = own.map(|(check, _)| *check).chain(taken.iter()).collect();
        for (check, outcome) in self.facts.get(&(*holder, real.as_str())).into_iter().flatten() {
            if !own.contains(check) {
                self.followed.extend(follow(self.dispatch, *check, *holder, path, outcome));
            }
        }
    }

    fn lead_nowhere(&mut self, layer: usize, path: &str, concerned: &Concerned, reason: &str) {
        for check in self.dispatch.of(concerned) {
            self.followed.push(Followed {
                reader: check.id().to_owned(),
                layer,
                path: path.to_owned(),
                outcome: Err(reason.to_owned()),
            });
        }
    }

    /// Links whose own path concerns a check, and what they lead to does not.
    fn follow_symlinks(&mut self) {
        let mut links: Vec<(&String, &String)> = self.squash.symlinks().iter().collect();
        links.sort();
        for (path, target) in links {
            let concerned = self.dispatch.by_path(path);
            if concerned.is_empty() {
                continue;
            }
            if self.squash.is_directory()
                && self.shape == SubjectShape::Source
                && leaves(path, target)
            {
                // What is declared is the project's own. A program is not: a virtual environment links
                // to the machine's.
                let reason =
                    "a link to what lies outside of the folder: not read; scan it where it lies";
                let declared = self.dispatch.of_declarations().meet(&concerned);
                self.lead_nowhere(0, path, &declared, reason);
                continue;
            }
            self.follow(path, &concerned);
        }
    }

    /// Paths that checks name and that are reached by links above them.
    fn follow_interests(&mut self) {
        for (number, check) in self.dispatch.numbered() {
            for interest in check.interests() {
                let mut concerned = Concerned::default();
                concerned.insert(number);
                match interest {
                    Interest::Path(path) => self.follow(path, &concerned),
                    Interest::Under(folder) => {
                        self.follow(folder.trim_end_matches('/'), &concerned)
                    }
                    _ => {}
                }
            }
        }
    }

    fn follow(&mut self, path: &str, concerned: &Concerned) {
        let real = self.squash.follow(path);
        if real == path {
            return;
        }
        let layers = self.squash.layers().count();
        if let Some((holder, origin)) = self.origin(&real, layers) {
            let unseen = self.unseen(holder, &origin, path, concerned);
            if !unseen.is_empty() {
                self.take(holder, &origin, path, &unseen);
            }
        } else if !real.is_empty() && self.squash.may_hold_folder(&real) {
            let below = |place: &str| self.dispatch.by_folder(place);
            let unseen = below(path).meet(concerned).without(&below(&real));
            if !unseen.is_empty() {
                let folders = self.folders.entry((real, path.to_owned())).or_default();
                unseen.iter().for_each(|check| folders.insert(check));
            }
        } else if self.squash.is_directory() && self.shape == SubjectShape::Source {
            let declared = self.dispatch.of_declarations().meet(concerned);
            self.lead_nowhere(0, path, &declared, "a link to what is not there");
        }
    }

    /// The checks that the file has told nothing under its own name, and may tell something under
    /// another.
    fn unseen(&self, holder: usize, origin: &str, path: &str, concerned: &Concerned) -> Concerned {
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let renamed = name(origin) != name(path);
        let (offered, by_name) = (self.dispatch.by_path(origin), self.dispatch.by_name(path));
        let (declarations, following) =
            (self.dispatch.of_declarations(), self.dispatch.following());
        let mut unseen = Concerned::default();
        for check in concerned.iter().filter(|check| following.contains(*check)) {
            let known = self.facts.get(&(holder, origin)).into_iter().flatten();
            let told = known.filter(|(number, _)| *number == check).count() > 0;
            // What is only included under its own name is a declaration under this one.
            let counts = if told {
                declarations.contains(check) && renamed
            } else {
                !offered.contains(check) || by_name.contains(check)
            };
            if counts {
                unseen.insert(check);
            }
        }
        unseen
    }

    /// Files that told a check nothing at their places, and that a link of a folder shows at another:
    /// what a package manager links into `node_modules`.
    fn follow_folders(&mut self) {
        let mut declined: Vec<(&str, usize)> = Vec::new();
        for (index, layer) in self.squash.layers().enumerate() {
            for (_, reader) in self.dispatch.numbered() {
                let of_reader = layer.of(reader.id()).into_iter();
                let paths = of_reader.flat_map(|of_reader| of_reader.declined.iter());
                declined.extend(paths.map(|path| (path.as_str(), index)));
            }
        }
        if declined.is_empty() {
            return;
        }
        declined.sort_unstable();
        declined.dedup();
        let mut links: Vec<&String> = self.squash.symlinks().keys().collect();
        links.sort();
        let mut names = 0_usize;
        for link in links {
            let real = format!("{}/", self.squash.follow(link));
            let first = declined.partition_point(|(path, _)| *path < real.as_str());
            let below = declined.get(first..).unwrap_or_default().iter();
            for (path, layer) in below.take_while(|(path, _)| path.starts_with(&real)) {
                let rest = path.get(real.len()..).unwrap_or_default();
                let alias = format!("{link}/{rest}");
                let concerned = self.dispatch.by_name(&alias);
                if concerned.is_empty() || !self.squash.stays(*layer, path) {
                    continue;
                }
                names += 1;
                if names > limits::FOLDER_ALIASES {
                    let reason = "more files behind links of folders than the limit: left out";
                    self.followed.push(Followed {
                        reader: WALK.to_owned(),
                        layer: *layer,
                        path: "/".to_owned(),
                        outcome: Err(reason.to_owned()),
                    });
                    return;
                }
                let unseen = self.unseen(*layer, path, &alias, &concerned);
                self.take(*layer, path, &alias, &unseen);
            }
        }
    }

    fn finish(self) -> Plan {
        let layers = self.squash.layers().count();
        let mut again = vec![Aliases::default(); layers];
        for ((layer, real, path), checks) in self.files {
            if let Some(aliases) = again.get_mut(layer) {
                aliases.add_file(real, Alias { path, readers: checks, place: None });
            }
        }
        for ((real, path), checks) in self.folders {
            for aliases in &mut again {
                let alias = Alias { path: path.clone(), readers: checks.clone(), place: None };
                aliases.add_folder(&real, alias);
            }
        }
        again.iter_mut().for_each(Aliases::settle);
        Plan { followed: self.followed, again }
    }
}

fn follow(
    dispatch: &Dispatch<'_>,
    check: u16,
    layer: usize,
    path: &str,
    outcome: &Result<&[u8], &str>,
) -> Option<Followed> {
    let reader = dispatch.readers().get(usize::from(check))?.id().to_owned();
    let outcome = outcome.map(<[u8]>::to_vec).map_err(str::to_owned);
    Some(Followed { reader, layer, path: path.to_owned(), outcome })
}

/// Whether a link of a folder leads out of it. In a folder that is no root, an absolute path does.
fn leaves(path: &str, target: &str) -> bool {
    let mut depth = path.matches('/').count();
    target.starts_with('/')
        || target.split('/').any(|part| match part {
            "" | "." => false,
            ".." => match depth.checked_sub(1) {
                Some(above) => {
                    depth = above;
                    false
                }
                None => true,
            },
            _ => {
                depth += 1;
                false
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leaves_its_folder_is_told_from_one_that_stays() {
        for (path, target) in
            [("a/b", "../c"), ("a/b", "c/../../d"), ("a", "b"), ("a/b/c", "../../d")]
        {
            assert!(!leaves(path, target), "{path} -> {target}");
        }
        for (path, target) in
            [("a", "../a"), ("a/b", "../../c"), ("a", "/a"), ("a/b", "x/../../../y")]
        {
            assert!(leaves(path, target), "{path} -> {target}");
        }
    }
}
