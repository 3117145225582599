//! Who asks for what in a file: from the entries of its format to what a [`Listing`] says of each package.
//!
//! A parser numbers its entries, says which of them are the project's own, and adds edges between them,
//! as its format tells; [`Edges::settle`] makes relation, scope and needs of that. Edges are advice and
//! no verdict: where there are too many all of them are left out, since half of them would name the
//! wrong package as the one that brings another, and that is said.

use super::listing::{Entry, Listing};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use vocabulary::{Relation, Scope};

/// Edges of one file: the largest real ones, of 40,000 packages, have some 150,000.
const EDGES: usize = 500_000;
/// Longest range that is kept; of those that people write the longest have some 100 letters.
const RANGE: usize = 256;
/// Bytes of all ranges of one file; real ones have ten letters each.
const RANGES: usize = 8 << 20;

/// A package of the same listing that another needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Need {
    /// Its place in the listing.
    pub package: u32,
    /// What is asked for, in the words of the ecosystem, where the file tells.
    pub range: Option<Box<str>>,
}

/// For what one entry asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// To run.
    Running,
    /// To run, where it is there.
    Option,
    /// To build or test the project.
    Development,
}

impl For {
    const fn scope(self) -> Scope {
        match self {
            Self::Running => Scope::Runtime,
            Self::Option => Scope::Optional,
            Self::Development => Scope::Development,
        }
    }
}

/// One edge between entries, by their numbers.
#[derive(Debug)]
struct Edge {
    from: u32,
    to: u32,
    purpose: For,
    range: Option<Box<str>>,
}

/// What one entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    /// The package at this place of the listing.
    Package(u32),
    /// The project, or a part of it.
    Own,
    /// What could not be read.
    Unread,
}

/// The entries of a file and who asks for what, while it is read.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    roots: Vec<(u32, For)>,
    ranges: usize,
    too_many: bool,
    /// Whether the format tells what is for development and what may be missing.
    scopes: bool,
    /// Whether what no package asks for is what the project asks for.
    tops: bool,
}

impl Edges {
    /// Of a format that tells for what a package is there.
    pub(crate) fn with_scopes() -> Self {
        Self { scopes: true, ..Self::default() }
    }

    /// Of a file that holds nothing but what the project needs, and does not say what that asks for itself:
    /// what no package asks for must be that; of the others it is not known.
    pub(crate) fn roots_are_tops(&mut self) {
        self.tops = true;
    }

    /// Leaves out all edges: to find them takes too long.
    pub(crate) fn give_up(&mut self) {
        self.too_many = true;
    }

    /// Puts an entry into the listing; its number.
    pub(crate) fn push(&mut self, listing: &mut Listing, entry: Entry) -> u32 {
        let node = match &entry {
            Entry::Package(_) => {
                u32::try_from(listing.packages.len()).map_or(Node::Unread, Node::Package)
            }
            Entry::Own => Node::Own,
            Entry::Unread(_) => Node::Unread,
        };
        listing.push(entry);
        self.add(node)
    }

    /// The project itself, where it is no entry of the file; its number.
    pub(crate) fn project(&mut self) -> u32 {
        self.add(Node::Own)
    }

    fn add(&mut self, node: Node) -> u32 {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(node);
        number
    }

    /// One entry asks for another.
    pub(crate) fn asks(&mut self, from: u32, to: u32, purpose: For, range: Option<&str>) {
        if self.edges.len() >= EDGES {
            self.too_many = true;
            return;
        }
        let range = range.map(str::trim).filter(|range| !range.is_empty() && range.len() <= RANGE);
        let range = range.filter(|range| self.ranges + range.len() <= RANGES);
        self.ranges += range.map_or(0, str::len);
        self.edges.push(Edge { from, to, purpose, range: range.map(Box::from) });
    }

    /// The project itself asks for an entry.
    pub(crate) fn root(&mut self, to: u32, purpose: For) {
        if self.roots.len() < EDGES {
            self.roots.push((to, purpose));
        } else {
            self.too_many = true;
        }
    }

    fn node(&self, number: u32) -> Node {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.nodes.get(place).copied().unwrap_or(Node::Unread)
    }

    /// Says of each package of the listing what was told.
    pub(crate) fn settle(mut self, listing: &mut Listing) {
        if self.too_many {
            listing.gaps.push(format!(
                "it names more than {EDGES} dependencies between packages: which package brings which is not told"
            ));
            return;
        }
        let mut roots = std::mem::take(&mut self.roots);
        let mut needs: Vec<Vec<(u32, For)>> = vec![Vec::new(); listing.packages.len()];
        for Edge { from, to, purpose, range } in std::mem::take(&mut self.edges) {
            match (self.node(from), self.node(to)) {
                (Node::Own, Node::Package(_)) => roots.push((to, purpose)),
                (Node::Package(from), Node::Package(to)) if from != to => {
                    if let Some(known) = place(&mut needs, from) {
                        known.push((to, purpose));
                    }
                    if let Some(asking) = place(&mut listing.packages, from) {
                        asking.needs.push(Need { package: to, range });
                    }
                }
                _ => {}
            }
        }
        let roots: Vec<(u32, For)> = roots
            .into_iter()
            .filter_map(|(to, purpose)| match self.node(to) {
                Node::Package(to) => Some((to, purpose)),
                _ => None,
            })
            .collect();
        if self.tops && roots.is_empty() {
            let mut asked = vec![false; needs.len()];
            for (to, _) in needs.iter().flatten() {
                place(&mut asked, *to).into_iter().for_each(|asked| *asked = true);
            }
            for (declared, asked) in listing.packages.iter_mut().zip(asked) {
                declared.relation = declared.relation.or((!asked).then_some(Relation::Direct));
            }
            return;
        }
        let reached = reached(&roots, &needs);
        for (declared, reached) in listing.packages.iter_mut().zip(&reached) {
            if let Some(scope) = reached {
                declared.relation.get_or_insert(Relation::Indirect);
                if self.scopes {
                    declared.scope.get_or_insert(*scope);
                }
            }
        }
        for (to, _) in roots {
            if let Some(declared) = place(&mut listing.packages, to) {
                declared.relation = Some(Relation::Direct);
            }
        }
    }
}

fn place<One>(all: &mut [One], at: u32) -> Option<&mut One> {
    all.get_mut(usize::try_from(at).ok()?)
}

/// The widest use of each package, by the ways that lead to it; none where no way does.
fn reached(roots: &[(u32, For)], needs: &[Vec<(u32, For)>]) -> Vec<Option<Scope>> {
    let mut reached: Vec<Option<Scope>> = vec![None; needs.len()];
    for scope in [Scope::Runtime, Scope::Optional, Scope::Development] {
        let mut open: Vec<u32> = Vec::new();
        let take = |to: u32, scope: Scope, reached: &mut Vec<Option<Scope>>| {
            if let Some(known @ None) = place(reached, to) {
                *known = Some(scope);
                return true;
            }
            false
        };
        for (to, purpose) in roots {
            if purpose.scope() == scope && take(*to, scope, &mut reached) {
                open.push(*to);
            }
        }
        // What an optional need leads to is optional, though that which has it is not.
        if scope == Scope::Optional {
            for (needs, _) in needs.iter().zip(reached.clone()).filter(|(_, scope)| scope.is_some())
            {
                for (to, _) in needs {
                    if take(*to, scope, &mut reached) {
                        open.push(*to);
                    }
                }
            }
        }
        while let Some(at) = open.pop() {
            let Some(needs) = needs.get(usize::try_from(at).unwrap_or(usize::MAX)) else {
                continue;
            };
            for (to, purpose) in needs {
                let follows = scope != Scope::Runtime || *purpose == For::Running;
                if follows && take(*to, scope, &mut reached) {
                    open.push(*to);
                }
            }
        }
    }
    reached
}

/// Edges of a format that names what is needed by keys of its own.
#[derive(Debug)]
pub(crate) struct Keyed<'text, Key> {
    pub(crate) edges: Edges,
    numbers: HashMap<Key, u32>,
    wanted: Vec<Wanted<'text, Key>>,
}

#[derive(Debug)]
struct Wanted<'text, Key> {
    from: u32,
    key: Key,
    purpose: For,
    range: Option<Cow<'text, str>>,
}

impl<'text, Key: Eq + Hash> Keyed<'text, Key> {
    pub(crate) fn new(edges: Edges) -> Self {
        Self { edges, numbers: HashMap::new(), wanted: Vec::new() }
    }

    /// What an entry is asked for by; the first of a key stays.
    pub(crate) fn name(&mut self, key: Key, number: u32) {
        self.numbers.entry(key).or_insert(number);
    }

    /// An entry asks for whatever has a key.
    pub(crate) fn asks(
        &mut self,
        from: u32,
        key: Key,
        purpose: For,
        range: Option<Cow<'text, str>>,
    ) {
        if self.wanted.len() >= EDGES {
            self.edges.too_many = true;
            return;
        }
        self.wanted.push(Wanted { from, key, purpose, range });
    }

    /// Whether an entry has a key.
    pub(crate) fn number(&self, key: &Key) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// Says of each package of the listing what was told.
    pub(crate) fn settle(mut self, listing: &mut Listing) {
        for Wanted { from, key, purpose, range } in std::mem::take(&mut self.wanted) {
            if let Some(to) = self.number(&key) {
                self.edges.asks(from, to, purpose, range.as_deref());
            }
        }
        self.edges.settle(listing);
    }
}

/// Keeps the words in which packages are asked for only where several have one name: else the name says
/// as much.
pub(super) fn without_needless_keys(listing: &mut Listing) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for one in &listing.packages {
        *counts.entry(one.name.clone()).or_default() += 1;
    }
    for one in &mut listing.packages {
        if counts.get(&one.name) == Some(&1) {
            one.keys = Vec::new();
        }
        one.keys.retain(|key| key.len() <= RANGE);
    }
}

/// Each package of a listing once, by what `key` says of it: what is told of several is joined.
pub(super) fn without_doubles<Key: Eq + Hash>(
    listing: &mut Listing,
    key: impl Fn(&super::Declared) -> Key,
) {
    let mut first: HashMap<Key, u32> = HashMap::with_capacity(listing.packages.len());
    let mut moved: Vec<u32> = Vec::with_capacity(listing.packages.len());
    let mut kept: Vec<super::Declared> = Vec::with_capacity(listing.packages.len());
    for one in std::mem::take(&mut listing.packages) {
        let next = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        let to = *first.entry(key(&one)).or_insert(next);
        moved.push(to);
        match place(&mut kept, to) {
            None => kept.push(one),
            Some(known) => {
                // Said by one is more than said by none; direct and runtime are the wider.
                known.relation = known.relation.into_iter().chain(one.relation).min();
                known.scope = known.scope.into_iter().chain(one.scope).min();
                known.needs.extend(one.needs);
                known.keys.extend(one.keys);
            }
        }
    }
    for (at, one) in (0_u32..).zip(&mut kept) {
        for need in &mut one.needs {
            let to = moved.get(usize::try_from(need.package).unwrap_or(usize::MAX));
            need.package = to.copied().unwrap_or(u32::MAX);
        }
        one.needs.retain(|need| need.package != at && need.package != u32::MAX);
        one.needs.sort();
        one.needs.dedup();
    }
    listing.packages = kept;
}
