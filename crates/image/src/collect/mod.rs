//! Gathers one layer's facts while its entries pass by.
//!
//! In go entries and bytes of files, out come what the walk itself learned and, apart from that, what
//! each reader did. A file that several readers want passes once: those that want it whole share one
//! buffer, and whether it is text is found out once. What one reader keeps, and what a bound leaves out
//! of it, does not depend on which others are there: that is why its facts can be cached alone.

mod active;
mod kept;
mod settle;

use crate::budget::Budget;
use crate::dispatch::{Concerned, Dispatch, behind_last};
use crate::facts::{FactRecord, LayerFacts, PathHasher};
use crate::limits::{self, LayerBounds};
use crate::links::Aliases;
use crate::placing::Placing;
use crate::share::Share;
use crate::tar::{Meta, Sink};
use active::Active;
use kept::OfReader;
use record::Record;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use vocabulary::FileKind;

/// How much of the file record is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordLevel {
    /// None.
    #[default]
    None,
    /// All but content digests.
    Entries,
    /// All.
    Digests,
}

/// Gathers the facts of one layer.
pub(crate) struct Collector<'walk> {
    dispatch: &'walk Dispatch<'walk>,
    hasher: &'walk PathHasher,
    budget: &'walk Budget,
    /// Counts the bytes of files that are handed to readers.
    handed: &'walk AtomicU64,
    bounds: LayerBounds,
    share: Share<'walk>,
    /// Whether the layer does not fit with those below it: then nothing is kept of it any more.
    over: bool,
    level: RecordLevel,
    aliases: Option<&'walk Aliases>,
    placing: Placing,
    /// Whether `.wh.` in a name is just a name, as on a file system, and not the mark of a tar.
    literal: bool,
    facts: LayerFacts,
    /// How many entries but folders came before the one at hand, and so its place.
    place: u32,
    gathered: Vec<Gathered>,
    /// What each reader keeps, by its number.
    of_readers: Vec<OfReader>,
    record: Record,
    active: Option<Active<'walk>>,
    /// The places of the symbolic and hard links that are kept, in their order.
    symlinks_at: Vec<u32>,
    hard_links_at: Vec<u32>,
    /// Which of the hard links concern readers by their own path.
    concerned: Vec<(usize, Concerned)>,
    /// Why a reader could not read the file at a place.
    unread: HashMap<(u32, u16), String>,
}

/// A fact with the place of its entry and the number of its reader, until links and duplicates are
/// settled.
struct Gathered {
    place: u32,
    reader: u16,
    record: FactRecord,
}

/// What a collector gathered.
#[must_use]
pub(crate) struct Collected {
    pub(crate) facts: LayerFacts,
    pub(crate) record: Record,
    /// Files to be looked at again under other names.
    pub(crate) pending: Aliases,
    /// Whether the layer does not fit with those below it: nothing of it is here then.
    pub(crate) over: bool,
}

impl<'walk> Collector<'walk> {
    /// A collector for one layer.
    #[must_use]
    pub(crate) fn new(
        dispatch: &'walk Dispatch<'walk>,
        hasher: &'walk PathHasher,
        (budget, handed): (&'walk Budget, &'walk AtomicU64),
        bounds: LayerBounds,
        share: Share<'walk>,
        level: RecordLevel,
    ) -> Self {
        Self {
            dispatch,
            hasher,
            budget,
            handed,
            bounds,
            share,
            over: false,
            level,
            aliases: None,
            placing: Placing::default(),
            literal: false,
            facts: LayerFacts::default(),
            place: 0,
            gathered: Vec::new(),
            of_readers: dispatch.readers().iter().map(|_| OfReader::default()).collect(),
            record: Record::default(),
            active: None,
            symlinks_at: Vec::new(),
            hard_links_at: Vec::new(),
            concerned: Vec::new(),
            unread: HashMap::new(),
        }
    }

    /// Looks only at the files named, each under its other names.
    #[must_use]
    pub(crate) fn only(mut self, aliases: &'walk Aliases) -> Self {
        self.aliases = Some(aliases);
        self.level = RecordLevel::None;
        self
    }

    /// Takes names as they are: what is removed is told by [`Self::removes`] and [`Self::hides`].
    #[must_use]
    pub(crate) const fn of_file_system(mut self) -> Self {
        self.literal = true;
        self
    }

    /// Whether a reader, or an alias, could want the file at this path.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        self.aliases.map_or_else(|| self.dispatch.concerns(path), |aliases| aliases.takes(path))
    }

    /// Whether a reader could want any file of this size, whatever its path.
    pub(crate) const fn goes_by_content(&self, size: u64) -> bool {
        self.aliases.is_none() && self.dispatch.goes_by_content(size)
    }

    /// Counts a regular file that no reader is concerned with.
    pub(crate) fn pass_by(&mut self, meta: &Meta<'_>) {
        if self.register(meta) && self.level != RecordLevel::None {
            self.record.push(&meta.recorded(None));
        }
    }

    /// Where the entry comes to lie, if that is elsewhere than it says.
    fn real_path(&mut self, meta: &Meta<'_>) -> Option<String> {
        if self.literal { None } else { self.placing.real(meta.path, self.hasher) }
    }

    fn real_link(&self, meta: &Meta<'_>) -> Option<String> {
        let linked = meta.kind == FileKind::HardLink && !self.literal;
        linked.then(|| self.placing.real_target(meta.link)).flatten()
    }

    /// Whether the entry has no name: the root itself has none, and anything else is said.
    fn is_nameless(&mut self, meta: &Meta<'_>) -> bool {
        if meta.path.is_empty() && meta.kind != FileKind::Directory {
            self.note("/", "an entry without a name was left out");
        }
        meta.path.is_empty()
    }

    fn hard_link(&mut self, meta: &Meta<'_>) {
        if !self.may_keep_link(meta) {
            return;
        }
        let index = self.facts.hard_links.len();
        let link = || (meta.path.to_owned(), meta.link.to_owned());
        self.facts.hard_links.push(self.bounds.links, link);
        if index < self.bounds.links {
            self.hard_links_at.push(self.place.saturating_sub(1));
            let concerned = self.dispatch.by_path(meta.path);
            if !concerned.is_empty() {
                self.concerned.push((index, concerned));
            }
        }
    }

    fn may_keep_link(&mut self, meta: &Meta<'_>) -> bool {
        self.may_keep(2 * (meta.path.len() + meta.link.len()) + limits::LINK_COST, None)
    }

    fn whiteout(&mut self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(hidden) = name.strip_prefix(".wh.") else { return false };
        if hidden == ".wh..opq" {
            self.hides(folder);
        } else if !hidden.starts_with(".wh.") && !hidden.is_empty() {
            // `.wh..wh.` marks are AUFS's own bookkeeping.
            let path =
                if folder.is_empty() { hidden.to_owned() } else { format!("{folder}/{hidden}") };
            self.removes(&path);
        }
        true
    }

    /// Counts the entry; false where it is a whiteout, or nothing more is kept.
    fn register(&mut self, meta: &Meta<'_>) -> bool {
        if self.over || self.aliases.is_none() && !self.may_keep(limits::ENTRY_COST, None) {
            return false;
        }
        let name = behind_last(b'/', meta.path).unwrap_or(meta.path);
        if name.starts_with(".wh.") && !self.literal && self.whiteout(meta.path) {
            return false;
        }
        let directory = meta.kind == FileKind::Directory;
        let place = self.place;
        self.place += u32::from(!directory);
        if self.literal && self.aliases.is_some() {
            return true;
        }
        let hash = self.hasher.hash(meta.path);
        if !self.literal {
            self.placing.put(meta.path, meta.kind, meta.link, place, hash);
        }
        if self.aliases.is_none() {
            if directory {
                self.facts.directories.push(hash);
            } else {
                self.facts.files.push(hash);
            }
        }
        true
    }
}

impl Sink for Collector<'_> {
    fn entry(&mut self, meta: &Meta<'_>) {
        let (path, link) = (self.real_path(meta), self.real_link(meta));
        let path = path.as_deref().unwrap_or(meta.path);
        let meta = &Meta { path, link: link.as_deref().unwrap_or(meta.link), ..*meta };
        if self.is_nameless(meta) || !self.register(meta) {
            return;
        }
        match meta.kind {
            _ if self.aliases.is_some() => {}
            FileKind::Fifo | FileKind::CharacterDevice | FileKind::BlockDevice => {
                let declared =
                    self.dispatch.of_declarations().meet(&self.dispatch.by_path(meta.path));
                for reader in declared.iter() {
                    self.note_reader(reader, meta.path, "it is no regular file");
                }
            }
            FileKind::HardLink => self.hard_link(meta),
            FileKind::Symlink if !self.may_keep_link(meta) => return,
            FileKind::Symlink => {
                let link = || (meta.path.to_owned(), meta.link.to_owned());
                if self.facts.symlinks.len() < self.bounds.links {
                    self.symlinks_at.push(self.place.saturating_sub(1));
                }
                self.facts.symlinks.push(self.bounds.links, link);
            }
            _ => {}
        }
        if self.level != RecordLevel::None {
            self.record.push(&meta.recorded(None));
        }
    }

    fn whole(&mut self, meta: &Meta<'_>, content: &[u8]) {
        let path = self.real_path(meta);
        let meta = &Meta { path: path.as_deref().unwrap_or(meta.path), ..*meta };
        if !self.is_nameless(meta) && self.register(meta) {
            self.show_whole(meta, content);
        }
    }

    fn start(&mut self, meta: &Meta<'_>, head: &[u8]) -> bool {
        let path = self.real_path(meta);
        let meta = &Meta { path: path.as_deref().unwrap_or(meta.path), ..*meta };
        !self.is_nameless(meta) && self.register(meta) && self.begin(meta, head)
    }

    fn data(&mut self, bytes: &[u8]) -> bool {
        let Some(active) = &mut self.active else { return false };
        let (more, handed) = active.push(bytes);
        self.handed.fetch_add(handed, Ordering::Relaxed);
        more
    }

    fn end(&mut self) {
        if let Some(active) = self.active.take() {
            self.conclude(active);
        }
    }

    fn unread(&mut self, meta: &Meta<'_>, reason: &str) {
        let path = self.real_path(meta);
        let meta = &Meta { path: path.as_deref().unwrap_or(meta.path), ..*meta };
        if self.is_nameless(meta) || !self.register(meta) {
            return;
        }
        let mut concerned = Vec::new();
        self.candidates(meta, &[], |entry, number, _| {
            concerned.push((number, entry.path.to_owned()));
        });
        for (reader, path) in concerned {
            self.note_of(reader, &path, reason);
        }
        if self.aliases.is_none() {
            // Who would have known it by its content is not known, and its digest is a gap.
            self.note(meta.path, reason);
        }
        if self.level != RecordLevel::None {
            self.record.push(&meta.recorded(None));
        }
    }

    fn problem(&mut self, path: &str, reason: &str) {
        self.note(path, reason);
    }
}
