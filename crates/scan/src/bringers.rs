//! Who brings a package that the project does not ask for, and what has to change there.
//!
//! A lock file holds one version of each package and, in some formats, the ranges that packages ask for.
//! So three things can be told and no more: that every package which asks for it allows the version to
//! go to, so that the lock file is refreshed; that one does not, so that what brings it has to change;
//! and that another version of what brings it stands in a lock file of the same subject and needs no
//! vulnerable version. A version that stands nowhere is never named.

use crate::asked::{Asked, File};
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use version::{Scheme, range};
use vocabulary::upgrade::{Bringer, Change};
use vocabulary::{Package, Purl, Relation};

/// Bringers that a step names; the others are counted.
const NAMED: usize = 5;
/// Packages that are looked at for one step.
const LOOKED: usize = 20_000;
/// Packages that are looked at for all steps: a file of ten thousand vulnerable packages, each below all
/// others, would take minutes else.
const BUDGET: usize = 5_000_000;

/// What brings packages of one version.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    /// Shortest way first.
    pub(crate) by: Vec<Bringer>,
    /// How many more there are.
    pub(crate) more: u64,
    /// Whether the project asks for it itself, somewhere.
    pub(crate) direct: bool,
    /// Whether any file says who asks for it.
    pub(crate) told: bool,
}

/// Answers who brings what.
pub(crate) struct Bringers<'scan> {
    asked: &'scan Asked,
    /// Package URLs, without qualifiers, in which something is open.
    vulnerable: HashSet<Purl>,
    /// Where a name stands: the file, and the place in it.
    names: HashMap<(&'scan str, &'scan str), Vec<(&'scan File, u32)>>,
    left: Cell<usize>,
}

/// A package that is to be replaced.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'wanted> {
    pub(crate) scheme: Option<Scheme>,
    pub(crate) name: &'wanted str,
    pub(crate) from: &'wanted str,
    /// The version to go to; none where none is known.
    pub(crate) to: Option<&'wanted str>,
}

impl<'scan> Bringers<'scan> {
    pub(crate) fn new<'found>(
        asked: &'scan Asked,
        open: impl Iterator<Item = &'found Purl>,
    ) -> Self {
        let mut names: HashMap<(&str, &str), Vec<(&File, u32)>> = HashMap::new();
        for file in asked.files() {
            for (place, node) in file.nodes() {
                names.entry((node.purl.kind(), &node.name)).or_default().push((file, place));
            }
        }
        let vulnerable = open.map(Purl::bare).collect();
        Self { asked, vulnerable, names, left: Cell::new(BUDGET) }
    }

    /// Who brings these packages, which are of one name and version.
    pub(crate) fn of(&self, packages: &[&Package], wanted: Wanted<'_>) -> Brought {
        let mut brought = Brought::default();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for package in packages {
            for (path, file, place) in self.asked.places(package) {
                let Some(node) = file.node(place) else { continue };
                if !seen.insert((path, place)) {
                    continue;
                }
                match node.relation {
                    Some(Relation::Direct) => (brought.direct, brought.told) = (true, true),
                    None if node.asked_by.is_empty() => {}
                    relation => {
                        brought.told = true;
                        let sure = relation.is_some();
                        found.extend(self.in_file((path, file), place, wanted, sure));
                    }
                }
            }
        }
        found.sort_by(|left, right| {
            (rank(&left.change), left.through.len(), left).cmp(&(
                rank(&right.change),
                right.through.len(),
                right,
            ))
        });
        found.dedup();
        brought.more = u64::try_from(found.len().saturating_sub(NAMED)).unwrap_or(u64::MAX);
        found.truncate(NAMED);
        brought.by = found;
        brought
    }

    /// Those of one file. Where it is not sure that the project does not ask for the package itself,
    /// nothing is said of ranges.
    fn in_file(
        &self,
        (path, file): (&str, &File),
        place: u32,
        wanted: Wanted<'_>,
        sure: bool,
    ) -> Vec<Bringer> {
        let Some(node) = file.node(place) else { return Vec::new() };
        let allows =
            |from: &u32| sure.then(|| allowed(file.ranges(*from, place), wanted)).flatten();
        let told: Vec<(u32, Option<bool>)> =
            node.asked_by.iter().map(|from| (*from, allows(from))).collect();
        let holding: Vec<u32> =
            told.iter().filter(|(_, told)| *told == Some(false)).map(|(from, _)| *from).collect();
        let all = told.iter().all(|(_, told)| *told == Some(true));
        let change = match (all, holding.is_empty()) {
            (true, _) => Change::Refresh,
            (_, false) => Change::Outgrow,
            _ => Change::Untold,
        };
        // Those that hold it back are to be changed, whoever else brings it.
        let from = if holding.is_empty() { node.asked_by.clone() } else { holding };
        self.ways(file, &from)
            .into_iter()
            .filter_map(|way| {
                let first = file.node(*way.last()?)?;
                let known =
                    (change == Change::Outgrow).then(|| self.other(file, *way.last()?, wanted));
                let change = known.flatten().unwrap_or_else(|| change.clone());
                let asks: Vec<&str> =
                    file.ranges(*way.first()?, place).iter().map(|range| &**range).collect();
                let between = way.iter().rev().skip(1).filter_map(|place| file.node(*place));
                Some(Bringer {
                    name: first.name.clone(),
                    version: first.version.clone(),
                    file: path.to_owned(),
                    through: between
                        .map(|node| format!("{} {}", node.name, node.version))
                        .collect(),
                    asks: (!asks.is_empty()).then(|| asks.join(", ")),
                    command: command(path, wanted, &change),
                    change,
                })
            })
            .collect()
    }

    /// The ways up from these packages to what the project asks for, shortest first, each once.
    fn ways(&self, file: &File, from: &[u32]) -> Vec<Vec<u32>> {
        let mut below: HashMap<u32, Option<u32>> =
            from.iter().map(|place| (*place, None)).collect();
        let mut open: VecDeque<u32> = from.iter().copied().collect();
        let mut ways = Vec::new();
        while let Some(at) = open.pop_front() {
            if !self.may_look(below.len()) {
                break;
            }
            let Some(node) = file.node(at) else { continue };
            // Who stands at the top of a file that says no more is nearest to what the project asks for.
            if node.relation == Some(Relation::Direct) {
                let mut way = vec![at];
                while let Some(Some(next)) = way.last().and_then(|last| below.get(last)) {
                    way.push(*next);
                }
                way.reverse();
                ways.push(way);
                continue;
            }
            for above in &node.asked_by {
                if !below.contains_key(above) {
                    below.insert(*above, Some(at));
                    open.push_back(*above);
                }
            }
        }
        ways
    }

    fn may_look(&self, of_this: usize) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0 && of_this <= LOOKED
    }

    /// Another version of what brings a package that a lock file holds: the lowest later one that has
    /// nothing open itself and needs the package in versions that have nothing open.
    fn other(&self, file: &File, place: u32, wanted: Wanted<'_>) -> Option<Change> {
        let (node, scheme) = (file.node(place)?, wanted.scheme?);
        let others = self.names.get(&(node.purl.kind(), node.name.as_str()))?;
        let mut known: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for (file, place) in others {
            let Some(other) = file.node(*place) else { continue };
            let later = scheme.compare(&other.version, &node.version) == Ok(Ordering::Greater);
            let released = !scheme.is_pre_release(&other.version);
            if !later || !released || self.vulnerable.contains(&other.purl.bare()) {
                continue;
            }
            // It has to hold wherever that version stands.
            let brings = self.brings(file, *place, wanted.name);
            known
                .entry(&other.version)
                .and_modify(|known| {
                    *known = known.take().filter(|known| Some(known) == brings.as_ref())
                })
                .or_insert(brings);
        }
        let known = known.into_iter().filter_map(|(version, brings)| Some((version, brings?)));
        let lowest = known.min_by(|(left, _), (right, _)| {
            scheme.compare(left, right).unwrap_or_else(|_| left.cmp(right))
        });
        lowest.map(|(to, brings)| Change::Upgrade { to: to.to_owned(), brings })
    }

    /// The one version of a name that a package needs, itself or through others; none where there are
    /// several, or something is open in it.
    fn brings(&self, file: &File, place: u32, name: &str) -> Option<String> {
        let mut seen: HashSet<u32> = HashSet::from([place]);
        let mut open = vec![place];
        let mut versions: BTreeSet<&str> = BTreeSet::new();
        while let Some(at) = open.pop() {
            // Half a look proves nothing.
            if !self.may_look(seen.len()) {
                return None;
            }
            let node = file.node(at)?;
            if node.name == name {
                if self.vulnerable.contains(&node.purl.bare()) {
                    return None;
                }
                versions.insert(&node.version);
            }
            open.extend(node.needs.iter().map(|need| need.node).filter(|need| seen.insert(*need)));
        }
        let only = versions.len() == 1;
        versions.into_iter().next().filter(|version| only && !version.is_empty()).map(str::to_owned)
    }
}

/// Whether all ranges allow the version to go to; none where that is not known.
fn allowed(ranges: &[Box<str>], wanted: Wanted<'_>) -> Option<bool> {
    let (scheme, to) = (wanted.scheme?, wanted.to?);
    if ranges.is_empty() {
        return None;
    }
    ranges
        .iter()
        .try_fold(true, |all, asked| range::allows(scheme, asked, to).map(|one| all && one))
}

/// What has to change before what might have to, before what is refreshed.
const fn rank(change: &Change) -> u8 {
    match change {
        Change::Upgrade { .. } => 0,
        Change::Outgrow => 1,
        Change::Untold => 2,
        Change::Refresh => 3,
    }
}

/// The command of the tool that keeps the lock file, where it has one for a package that the project
/// does not ask for itself. Sources: the documentation of each.
fn command(path: &str, wanted: Wanted<'_>, change: &Change) -> Option<String> {
    let (name, from, to) = (wanted.name, wanted.from, wanted.to?);
    // What somebody wrote into a file is pasted into a shell by somebody else.
    let is_plain = |text: &str| {
        let mut letters = text.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric() || matches!(first, '@' | '_'))
            && letters.all(|one| {
                one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_' | '/' | '+' | '@')
            })
    };
    if ![name, from, to].into_iter().all(is_plain) {
        return None;
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    let refresh = matches!(change, Change::Refresh);
    Some(match file {
        // Without ranges the tool says itself whether it may be done.
        "Cargo.lock" => format!("cargo update -p {name}@{from} --precise {to}"),
        "uv.lock" => format!("uv lock --upgrade-package {name}=={to}"),
        "package-lock.json" | "npm-shrinkwrap.json" if refresh => format!("npm update {name}"),
        "pnpm-lock.yaml" if refresh => format!("pnpm update --depth Infinity {name}"),
        "poetry.lock" if refresh => format!("poetry update {name}"),
        "Gemfile.lock" | "gems.locked" if refresh => format!("bundle update --conservative {name}"),
        "composer.lock" if refresh => format!("composer update {name}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
