//! Who brings a package that the project does not ask for, and what has to change there.
//!
//! A lock file holds one version of each package and, in some formats, the ranges that packages ask for.
//! So only so much can be told: that what asks for a package allows the version to go to, so that the lock
//! file is refreshed; that it does not, and then which package on the way up may go to another version by
//! what is asked of it, up to the one that the project asks for; and that another version of that stands
//! in a lock file of the same subject and needs no vulnerable version. A version that stands nowhere is
//! never named, and nobody is said to hold a package back whose range allows the version to go to.

mod command;
mod walk;
pub(crate) mod words;

use crate::asked::{Asked, File, Node};
use command::command;
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use version::{Scheme, range};
use vocabulary::upgrade::{Bringer, Change};
use vocabulary::{Package, Purl, Relation};
use walk::{Walk, Way};

/// Bringers that a step has; the others are counted. Forms name some of these.
const KEPT: usize = 500;
/// Bringers that each step has, whatever the others have.
const NAMED: usize = 5;
/// Names of packages on all ways of all steps, some thirty bytes each: a file can have ten thousand
/// vulnerable packages below ten thousand others.
const NAMES: usize = 500_000;
/// Packages of one way that are named; people nest some ten.
const LONGEST: usize = 64;
/// Packages that are looked at for one step.
const LOOKED: usize = 20_000;
/// Packages that are looked at for all steps: a file of ten thousand vulnerable packages, each below all
/// others, would take minutes else.
const BUDGET: usize = 5_000_000;

/// What brings packages of one version.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    /// What has to change first, then shortest way first.
    pub(crate) by: Vec<Bringer>,
    /// How many more there are.
    pub(crate) more: u64,
    /// Whether the project asks for it itself, somewhere.
    pub(crate) direct: bool,
    /// Whether it is said everywhere that the project does not.
    pub(crate) indirect: bool,
    /// Whether any file says who asks for it.
    pub(crate) told: bool,
    /// Whether Cargo takes the version to go to for incompatible, where the project asks for it.
    pub(crate) incompatible: bool,
    /// Whether it lies nowhere but inside archives and tools.
    pub(crate) inside: bool,
}

impl Brought {
    /// Whether something else has to change than the package's own line.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        self.inside || self.told && !(self.direct && self.by.is_empty() && !self.incompatible)
    }
}

/// Answers who brings what.
pub(crate) struct Bringers<'scan> {
    asked: &'scan Asked,
    /// Package URLs, without qualifiers, in which something is open.
    vulnerable: HashSet<Purl>,
    /// Where a name stands: the file, and the place in it.
    names: HashMap<(&'scan str, &'scan str), Vec<(&'scan File, u32)>>,
    left: Cell<usize>,
    names_left: Cell<usize>,
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
        Self { asked, vulnerable, names, left: Cell::new(BUDGET), names_left: Cell::new(NAMES) }
    }

    /// Who brings these packages, which are of one name and version.
    pub(crate) fn of(&self, packages: &[&Package], wanted: Wanted<'_>) -> Brought {
        let mut brought = Brought { indirect: true, ..Brought::default() };
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for package in packages {
            for (path, file, place) in self.asked.places(package) {
                let Some(node) = file.node(place) else { continue };
                if !seen.insert((path, place)) {
                    continue;
                }
                if node.relation.is_none() && node.asked_by.is_empty() {
                    continue;
                }
                brought.told = true;
                brought.indirect &= node.relation == Some(Relation::Indirect);
                let (mut here, more) = self.in_file((path, file), place, wanted);
                if node.relation == Some(Relation::Direct) {
                    brought.direct = true;
                    brought.incompatible |= is_cargo(node) && !is_compatible(wanted);
                    // Who allows the version is content with what the project asks for.
                    here.retain(|one| is_held(&one.change));
                }
                found.extend(here);
                brought.more = brought.more.saturating_add(more);
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
        let kept = self.kept(&found);
        let beyond = u64::try_from(found.len().saturating_sub(kept)).unwrap_or(u64::MAX);
        brought.more = brought.more.saturating_add(beyond);
        // Half of a step is none: a command stands where it does all.
        if found.iter().any(|one| one.change != Change::Refresh) {
            let refreshed = found.iter_mut().filter(|one| one.change == Change::Refresh);
            refreshed.for_each(|one| one.command = None);
        }
        found.truncate(kept);
        brought.by = found;
        brought
    }

    /// How many of these there is room for.
    fn kept(&self, found: &[Bringer]) -> usize {
        let mut left = self.names_left.get();
        let fits = |(at, one): &(usize, &Bringer)| {
            let names = one.through.len() + 1;
            let fits = *at < NAMED || names <= left;
            left = left.saturating_sub(names);
            fits
        };
        let kept = found.iter().take(KEPT).enumerate().take_while(fits).count();
        self.names_left.set(left);
        kept
    }

    /// Those of one file, and how many more there are.
    fn in_file(
        &self,
        (path, file): (&str, &File),
        place: u32,
        wanted: Wanted<'_>,
    ) -> (Vec<Bringer>, u64) {
        let Some(node) = file.node(place) else { return (Vec::new(), 0) };
        let (mut holding, mut untold, mut allowing) = (Vec::new(), Vec::new(), Vec::new());
        for from in node.asked_by.iter().copied() {
            match allowed(file.ranges(from, place), wanted) {
                Some(false) => &mut holding,
                None => &mut untold,
                Some(true) => &mut allowing,
            }
            .push(from);
        }
        let mut walk = Walk::new(file, wanted.scheme, &self.left);
        let (mut found, mut more) = (Vec::new(), 0);
        for (at, holder) in holding.iter().enumerate() {
            if found.len() >= KEPT {
                more = u64::try_from(holding.len() - at).unwrap_or(u64::MAX);
                break;
            }
            let ways = or_itself(walk.movers(*holder), &[*holder]);
            found.extend(ways.into_iter().filter_map(|way| {
                let known = self.other(file, *way.places.last()?, wanted);
                let change = known.unwrap_or_else(|| renewed(file, &way));
                bringer((path, file), place, wanted, (&way, change))
            }));
        }
        let mut plain = |change: &Change, ways: Vec<Way>| {
            found
                .extend(ways.into_iter().filter_map(|way| {
                    bringer((path, file), place, wanted, (&way, change.clone()))
                }));
        };
        if is_cargo(node) && wanted.to.is_some() && !is_compatible(wanted) {
            // Each of them has to change.
            let ways = untold.iter().take(KEPT).filter_map(|from| walk.nearest(*from)).collect();
            more += u64::try_from(untold.len().saturating_sub(KEPT)).unwrap_or(u64::MAX);
            plain(&Change::Incompatible, ways);
        } else {
            plain(&Change::Untold, or_itself(walk.tops(&untold), &untold));
        }
        // Those that hold it back are to be changed, whoever else brings it.
        if holding.is_empty() {
            plain(&Change::Refresh, walk.tops(&allowing));
        }
        (found, more.saturating_add(walk.beyond()))
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

/// Where no way leads to what the project asks for, what asks is all that is known of it, and stays said.
fn or_itself(ways: Vec<Way>, asking: &[u32]) -> Vec<Way> {
    if !ways.is_empty() {
        return ways;
    }
    let alone = asking.iter().take(KEPT);
    alone.map(|place| Way { places: vec![*place], mover: None, has_room: None }).collect()
}

/// What is known of the package that has to go to another version.
fn renewed(file: &File, way: &Way) -> Change {
    let node = way.mover.and_then(|place| file.node(place));
    let Some(node) = node else { return Change::Outgrow };
    Change::Renew {
        name: node.name.clone(),
        version: node.version.clone(),
        told: way.has_room == Some(true),
    }
}

fn bringer(
    (path, file): (&str, &File),
    place: u32,
    wanted: Wanted<'_>,
    (way, change): (&Way, Change),
) -> Option<Bringer> {
    let nodes: Vec<&Node> = way.places.iter().filter_map(|place| file.node(*place)).collect();
    let first = nodes.last()?;
    let asks = file.ranges(*way.places.first()?, place);
    let asks: Vec<&str> = asks.iter().map(|range| &**range).collect();
    let between = nodes.iter().rev().skip(1);
    let mut through: Vec<String> =
        between.map(|node| format!("{} {}", node.name, node.version)).collect();
    if through.len() > LONGEST {
        // Who asks for the package, and for that, says most.
        let end = through.len() - LONGEST / 2;
        through.splice(LONGEST / 2..end, [String::from("…")]);
    }
    Some(Bringer {
        name: first.name.clone(),
        version: first.version.clone(),
        file: path.to_owned(),
        through,
        asks: (!asks.is_empty()).then(|| asks.join(", ")),
        command: command(path, wanted, &nodes, &change),
        in_bill: file.is_of_bill(),
        change,
    })
}

/// Of which tool a package is, its package URL says.
fn is_cargo(node: &Node) -> bool {
    node.purl.kind() == "cargo"
}

/// Whether Cargo takes the version to go to for one that any usual requirement allows: what asks for
/// `1.2.3` asks for `^1.2.3`. Source: The Cargo Book, "Specifying Dependencies".
fn is_compatible(wanted: Wanted<'_>) -> bool {
    let plain = |version: &str| version.split('+').next().unwrap_or(version).to_owned();
    let from = plain(wanted.from);
    let from = from.split('-').next().unwrap_or(&from);
    let to = wanted.to.map(plain);
    to.and_then(|to| range::allows(Scheme::Npm, &format!("^{from}"), &to)) == Some(true)
}

/// Whether something on the way does not allow the version to go to.
pub(crate) const fn is_held(change: &Change) -> bool {
    matches!(
        change,
        Change::Upgrade { .. } | Change::Outgrow | Change::Renew { .. } | Change::Incompatible
    )
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
        Change::Renew { .. } => 2,
        Change::Incompatible => 3,
        Change::Untold => 4,
        Change::Refresh => 5,
    }
}

#[cfg(test)]
mod tests;
