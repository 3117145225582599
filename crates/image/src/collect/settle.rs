//! Settles what was gathered once all entries of a layer have passed by: which of several entries of one
//! path stays, and what hard links make of facts.

use super::{Collected, Collector, Gathered};
use crate::dispatch::Concerned;
use crate::links::{Alias, Aliases, Origins};
use std::collections::HashMap;

impl Collector<'_> {
    /// The facts and the record.
    pub(crate) fn finish(mut self, entries: u64) -> Collected {
        self.facts.entries = entries;
        let mut pending = Aliases::default();
        if self.over {
            return Collected { facts: self.facts, record: self.record, pending, over: true };
        }
        if self.aliases.is_some() {
            self.settle_aliases();
        } else {
            // By place, until all is settled.
            let order = std::mem::take(&mut self.facts.files);
            self.facts.files.clone_from(&order);
            self.facts.files.sort_unstable();
            self.facts.files.dedup();
            self.facts.files.shrink_to_fit();
            pending = self.settle_links(&order);
            if self.facts.files.len() < order.len() || self.placing.replaces() {
                self.settle_duplicates(&order);
            }
        }
        for Gathered { reader, record, .. } in std::mem::take(&mut self.gathered) {
            let Some(of_reader) = self.of_readers.get_mut(usize::from(reader)) else { continue };
            // Bounded when they were gathered.
            of_reader.facts.facts.push(usize::MAX, || record);
        }
        self.link_symlinks();
        self.facts.directories.sort_unstable();
        self.facts.directories.dedup();
        self.facts.symlinks.sort();
        for (reader, mut of_reader) in
            self.dispatch.readers().iter().zip(std::mem::take(&mut self.of_readers))
        {
            of_reader.facts.declined.sort();
            self.facts.readers.insert(reader.id().to_owned(), of_reader.facts);
        }
        // Hard links have facts of their own, which are known only now.
        if self.over {
            self.facts.let_go();
        }
        Collected { facts: self.facts, record: self.record, pending, over: self.over }
    }

    /// A hard link has the facts and problems of the file that it names; what a reader has neither of
    /// is asked for again under the link's own path.
    fn settle_links(&mut self, order: &[u64]) -> Aliases {
        let mut pending = Aliases::default();
        if self.concerned.is_empty() {
            return pending;
        }
        let links = std::mem::take(&mut self.facts.hard_links);
        let origins = Origins::of(&links, &self.hard_links_at, order, self.hasher);
        let following = self.dispatch.following();
        let known: HashMap<(u32, u16), usize> = (0..)
            .zip(&self.gathered)
            .map(|(index, gathered)| ((gathered.place, gathered.reader), index))
            .collect();
        for (index, concerned) in std::mem::take(&mut self.concerned) {
            let (Some((path, target)), Some(place)) =
                (links.get(index), self.hard_links_at.get(index).copied())
            else {
                continue;
            };
            // What this layer does not hold is looked for in those below, once they are known.
            let Some((origin, at)) = origins.origin(target, place) else { continue };
            if !origins.is_last(path, place) {
                continue;
            }
            let mut unknown = Concerned::default();
            let offered = self.dispatch.by_path(origin);
            for reader in concerned.iter() {
                if let Some(index) = known.get(&(at, reader)) {
                    let fact = self.gathered.get(*index).map(|known| known.record.fact.clone());
                    self.keep_at(place, reader, path, fact);
                } else if let Some(reason) = self.unread.get(&(at, reader)).cloned() {
                    self.note_reader(reader, path, &reason);
                } else if following.contains(reader) || !offered.contains(reader) {
                    unknown.insert(reader);
                }
            }
            if !unknown.is_empty() {
                let alias = Alias { path: path.clone(), readers: unknown, place: Some(at) };
                pending.add_file(origin.to_owned(), alias);
            }
        }
        pending.settle();
        self.facts.hard_links = links;
        pending
    }

    /// An entry may come twice in one tar: the last one stays, as when it is unpacked. So does what
    /// takes the place of a folder.
    fn settle_duplicates(&mut self, order: &[u64]) {
        let hash = |path: &str| self.hasher.hash(path);
        let links = self.facts.symlinks.iter().chain(&self.facts.hard_links);
        let facts = self.gathered.iter().map(|gathered| hash(&gathered.record.path));
        let mut last: HashMap<u64, u32> =
            links.map(|(path, _)| hash(path)).chain(facts).map(|hash| (hash, 0)).collect();
        for (hash, place) in order.iter().zip(0_u32..) {
            if let Some(known) = last.get_mut(hash) {
                *known = place;
            }
        }
        let (hasher, placing) = (self.hasher, &self.placing);
        let is_last = |path: &str, place: u32| {
            last.get(&hasher.hash(path)) == Some(&place) && !placing.is_gone(path, place, hasher)
        };
        self.gathered.retain(|gathered| is_last(&gathered.record.path, gathered.place));
        for (links, places) in [
            (&mut self.facts.symlinks, &self.symlinks_at),
            (&mut self.facts.hard_links, &self.hard_links_at),
        ] {
            let mut places = places.iter();
            links.retain(|(path, _)| places.next().is_none_or(|place| is_last(path, *place)));
        }
    }

    /// Of several files that are taken for the same one the last stays.
    fn settle_aliases(&mut self) {
        let last: HashMap<(u16, &str), u32> = self
            .gathered
            .iter()
            .map(|gathered| ((gathered.reader, gathered.record.path.as_str()), gathered.place))
            .collect();
        let stays: Vec<bool> = self
            .gathered
            .iter()
            .map(|gathered| {
                last.get(&(gathered.reader, gathered.record.path.as_str())) == Some(&gathered.place)
            })
            .collect();
        let mut stays = stays.into_iter();
        self.gathered.retain(|_| stays.next().unwrap_or(true));
    }

    /// A hard link that names a symbolic link is one.
    fn link_symlinks(&mut self) {
        if self.facts.hard_links.is_empty() || self.facts.symlinks.is_empty() {
            return;
        }
        let mut known: HashMap<&str, &str> =
            self.facts.symlinks.iter().map(|(path, to)| (path.as_str(), to.as_str())).collect();
        let mut more = Vec::new();
        for (path, target) in &self.facts.hard_links {
            if let Some(to) = known.get(target.as_str()).copied() {
                more.push((path.clone(), to.to_owned()));
                known.insert(path, to);
            }
        }
        for link in more {
            self.facts.symlinks.push(self.bounds.links, || link);
        }
    }
}
