//! The ways up from a package that asks for another to what the project asks for.
//!
//! In go the packages at which a way begins, out come ways, each from there to a package that the project
//! asks for. Of a package that has to go to another version it is looked for the first one on the way up
//! that may, by what is asked of it: above that nothing has to change.

use crate::asked::File;
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use version::{Scheme, range};
use vocabulary::Relation;

use super::{KEPT, LOOKED};

/// One way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// From the package at which it begins to the one that the project asks for.
    pub(super) places: Vec<u32>,
    /// The package on it that may go to another version by what is asked of it, where it is not the one
    /// that the project asks for.
    pub(super) mover: Option<u32>,
    /// Whether all that ask for that package leave it room; none where one of them does not tell.
    pub(super) has_room: Option<bool>,
}

/// What walks in one file, for one step.
pub(super) struct Walk<'walk> {
    file: &'walk File,
    scheme: Option<Scheme>,
    left: &'walk Cell<usize>,
    looked: usize,
    cut: bool,
    beyond: u64,
}

/// The package below each that was met; none of the first.
type Below = HashMap<u32, Option<u32>>;

impl<'walk> Walk<'walk> {
    pub(super) const fn new(
        file: &'walk File,
        scheme: Option<Scheme>,
        left: &'walk Cell<usize>,
    ) -> Self {
        Self { file, scheme, left, looked: 0, cut: false, beyond: 0 }
    }

    /// How many ways there are beyond those that were given: one at least, where there was more than is
    /// looked at.
    pub(super) fn beyond(&self) -> u64 {
        self.beyond.saturating_add(u64::from(self.cut))
    }

    /// The ways up from these packages to what the project asks for, shortest first, one to each.
    pub(super) fn tops(&mut self, from: &[u32]) -> Vec<Way> {
        let mut below: Below = from.iter().map(|place| (*place, None)).collect();
        let mut open: VecDeque<u32> = from.iter().copied().collect();
        let mut ways = Vec::new();
        while let Some(at) = open.pop_front() {
            if !self.may_look() {
                break;
            }
            if self.is_direct(at) {
                if ways.len() < KEPT {
                    ways.push(Way { places: way_down(&below, at), mover: None, has_room: None });
                } else {
                    self.beyond = self.beyond.saturating_add(1);
                }
                continue;
            }
            self.climb(at, self.above(at), &mut below, &mut open);
        }
        ways
    }

    /// The ways up from a package whose range does not allow what is wanted: one to each package that may
    /// go to another version, and on to what the project asks for.
    pub(super) fn movers(&mut self, holder: u32) -> Vec<Way> {
        let mut below: Below = HashMap::from([(holder, None)]);
        let mut open = VecDeque::from([holder]);
        let mut ways = Vec::new();
        while let Some(at) = open.pop_front() {
            if !self.may_look() {
                break;
            }
            if ways.len() >= KEPT {
                self.beyond = self.beyond.saturating_add(1);
                break;
            }
            let places = way_down(&below, at);
            if self.is_direct(at) {
                ways.push(Way { places, mover: None, has_room: None });
                continue;
            }
            let above = self.above(at);
            let room: Vec<Option<bool>> = above.iter().map(|one| self.room(*one, at)).collect();
            if room.contains(&Some(false)) {
                let pins = above.iter().zip(&room).filter(|(_, room)| **room == Some(false));
                let pins: Vec<u32> = pins.map(|(one, _)| *one).collect();
                self.climb(at, pins, &mut below, &mut open);
                continue;
            }
            let has_room = if room.contains(&None) { None } else { Some(true) };
            // Whatever brings it: what has to change is known.
            let Some(top) = self.top(at) else { continue };
            let places = places.into_iter().chain(top.into_iter().skip(1)).collect();
            ways.push(Way { places, mover: Some(at), has_room });
        }
        ways
    }

    /// The shortest way from a package to what the project asks for.
    pub(super) fn nearest(&mut self, from: u32) -> Option<Way> {
        self.top(from).map(|places| Way { places, mover: None, has_room: None })
    }

    /// The places on it.
    fn top(&mut self, from: u32) -> Option<Vec<u32>> {
        let mut below: Below = HashMap::from([(from, None)]);
        let mut open = VecDeque::from([from]);
        while let Some(at) = open.pop_front() {
            if !self.may_look() {
                return None;
            }
            if self.is_direct(at) {
                return Some(way_down(&below, at));
            }
            self.climb(at, self.above(at), &mut below, &mut open);
        }
        None
    }

    fn climb(&self, at: u32, to: Vec<u32>, below: &mut Below, open: &mut VecDeque<u32>) {
        for above in to {
            if let std::collections::hash_map::Entry::Vacant(vacant) = below.entry(above) {
                vacant.insert(Some(at));
                open.push_back(above);
            }
        }
    }

    fn above(&self, at: u32) -> Vec<u32> {
        let asked_by = self.file.node(at).map(|node| node.asked_by.as_slice()).unwrap_or_default();
        asked_by.iter().copied().filter(|above| *above != at).collect()
    }

    fn is_direct(&self, at: u32) -> bool {
        self.file.node(at).is_some_and(|node| node.relation == Some(Relation::Direct))
    }

    /// Whether one package lets another that it asks for go to a later version.
    fn room(&self, from: u32, to: u32) -> Option<bool> {
        let ranges = self.file.ranges(from, to);
        let (scheme, version) = (self.scheme?, &self.file.node(to)?.version);
        if ranges.is_empty() {
            return None;
        }
        let mut all = Some(true);
        for asked in ranges {
            match range::leaves_room(scheme, asked, version) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    fn may_look(&mut self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        self.looked += 1;
        self.cut |= left == 0 || self.looked > LOOKED;
        !self.cut
    }
}

/// From the first that was met to this one.
fn way_down(below: &Below, at: u32) -> Vec<u32> {
    let mut way = vec![at];
    while let Some(Some(next)) = way.last().and_then(|last| below.get(last)) {
        way.push(*next);
    }
    way.reverse();
    way
}
