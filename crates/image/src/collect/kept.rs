//! What a collector keeps, and for whom: every list has its bound, and all of them together the share of
//! their layer.

use super::{Collector, Gathered};
use crate::check::ReadError;
use crate::facts::{FactRecord, ReaderFacts};
use crate::limits;
use crate::placing::Placing;
use record::Record;
use std::collections::HashMap;
use vocabulary::Problem;

/// What one reader keeps of a layer.
#[derive(Default)]
pub(super) struct OfReader {
    pub(super) facts: ReaderFacts,
    /// How many facts were gathered of it, and their bytes.
    gathered: usize,
    fact_bytes: u64,
    /// How many files it could not read are known by their places.
    unread: usize,
}

impl Collector<'_> {
    /// Whether so much more may be kept for a reader, or for the walk itself. Where it may not, all that
    /// is kept is let go at once: it is what others have room for.
    pub(super) fn may_keep(&mut self, bytes: usize, reader: Option<u16>) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if !self.over && !self.share.take(bytes) {
            self.over = true;
            self.facts.let_go();
            self.gathered = Vec::new();
            self.of_readers = Vec::new();
            self.placing = Placing::default();
            self.record = Record::default();
            self.symlinks_at = Vec::new();
            self.hard_links_at = Vec::new();
            self.concerned = Vec::new();
            self.unread = HashMap::new();
        }
        if self.over {
            return false;
        }
        let kept = match reader {
            None => Some(&mut self.facts.own_bytes),
            Some(reader) => self.of(reader).map(|of_reader| &mut of_reader.facts.kept_bytes),
        };
        if let Some(kept) = kept {
            *kept = kept.saturating_add(bytes);
        }
        true
    }

    fn of(&mut self, reader: u16) -> Option<&mut OfReader> {
        self.of_readers.get_mut(usize::from(reader))
    }

    /// What lies at this path in lower layers is gone.
    pub(crate) fn removes(&mut self, path: &str) {
        if self.may_keep(path.len() + limits::NAME_COST, None) {
            self.facts.whiteouts.push(self.bounds.links, || path.to_owned());
        }
    }

    /// What lower layers have in this folder is gone.
    pub(crate) fn hides(&mut self, folder: &str) {
        if self.may_keep(folder.len() + limits::NAME_COST, None) {
            self.facts.opaques.push(self.bounds.links, || folder.to_owned());
        }
    }

    /// Notes something that the walk itself could not read.
    pub(crate) fn note(&mut self, path: &str, reason: impl Into<String>) {
        let reason = reason.into();
        if self.may_keep(path.len() + reason.len() + limits::NAME_COST, None) {
            let problem = || Problem { path: path.to_owned(), layer: None, reason };
            self.facts.problems.push(self.bounds.problems, problem);
        }
    }

    /// Notes something that a reader wanted and could not read.
    pub(super) fn note_reader(&mut self, reader: u16, path: &str, reason: &str) {
        if !self.may_keep(path.len() + reason.len() + limits::NAME_COST, Some(reader)) {
            return;
        }
        let at_most = self.bounds.problems;
        let problem = || Problem { path: path.to_owned(), layer: None, reason: reason.to_owned() };
        if let Some(of_reader) = self.of(reader) {
            of_reader.facts.problems.push(at_most, problem);
        }
    }

    /// Notes that a reader could not read the file at hand.
    pub(super) fn note_of(&mut self, reader: u16, path: &str, reason: &str) {
        self.note_reader(reader, path, reason);
        let (place, at_most) = (self.place.saturating_sub(1), self.bounds.problems);
        // For the other names of the file. A reader with more problems than are kept is not clean
        // whatever its links say.
        if let Some(of_reader) = self.of(reader).filter(|of_reader| of_reader.unread < at_most) {
            of_reader.unread += 1;
            self.unread.insert((place, reader), reason.to_owned());
        }
    }

    pub(super) fn keep(
        &mut self,
        reader: u16,
        path: &str,
        fact: Result<Option<Vec<u8>>, ReadError>,
    ) {
        match fact {
            Ok(fact) => self.keep_at(self.place.saturating_sub(1), reader, path, fact),
            Err(error) => self.note_of(reader, path, &error.to_string()),
        }
    }

    pub(super) fn keep_at(&mut self, place: u32, reader: u16, path: &str, fact: Option<Vec<u8>>) {
        let Some(fact) = fact else { return };
        let bytes = fact.len() + path.len() + limits::FACT_COST;
        let bounds = self.bounds;
        let Some(of_reader) = self.of(reader) else { return };
        let all = of_reader.fact_bytes.saturating_add(bytes as u64);
        let fits = of_reader.gathered < bounds.facts && all <= bounds.fact_bytes;
        of_reader.fact_bytes = all;
        if !fits {
            of_reader.facts.facts.leave_out(1);
        } else if self.may_keep(bytes, Some(reader)) {
            let record = FactRecord { path: path.to_owned(), fact };
            self.gathered.push(Gathered { place, reader, record });
            if let Some(of_reader) = self.of(reader) {
                of_reader.gathered += 1;
            }
        }
    }

    /// A file whose name concerns these readers, and which told them nothing at its place: a link may
    /// show it at another.
    pub(super) fn declined(&mut self, path: &str, readers: &[u16]) {
        if self.aliases.is_some() || readers.is_empty() {
            return;
        }
        let by_name = self.dispatch.by_name(path);
        for reader in readers.iter().copied().filter(|reader| by_name.contains(*reader)) {
            if self.may_keep(path.len() + limits::NAME_COST, Some(reader)) {
                let at_most = self.bounds.declined;
                if let Some(of_reader) = self.of(reader) {
                    of_reader.facts.declined.push(at_most, || path.to_owned());
                }
            }
        }
    }
}
