//! Gathers one layer's facts while its entries pass by.

use crate::budget::{Budget, Reservation};
use crate::check::{Check, Entry, Flow, ReadError, Reading, Want};
use crate::dispatch::{Dispatch, Mask, behind_last};
use crate::facts::{FactRecord, LayerFacts, PathHasher};
use crate::limits;
use crate::record::Record;
use crate::tar::{Meta, Sink};
use sha2::Digest as _;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{FileKind, Problem};

/// The pseudo-check that problems of the walk itself are filed under.
pub(crate) const WALK: &str = "walk";

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

/// Files to be looked at again under other names: path in the tar, and the paths to take it for.
pub(crate) type Aliases = HashMap<String, Vec<String>>;

/// Gathers the facts of one layer.
pub(crate) struct Collector<'walk> {
    dispatch: &'walk Dispatch<'walk>,
    hasher: &'walk PathHasher,
    budget: &'walk Budget,
    level: RecordLevel,
    aliases: Option<&'walk Aliases>,
    /// Whether `.wh.` in a name is just a name, as on a file system, and not the mark of a tar.
    literal: bool,
    facts: LayerFacts,
    /// Facts with the place of their entry, until duplicates are settled.
    gathered: Vec<(usize, &'static str, FactRecord)>,
    fact_bytes: u64,
    record: Record,
    active: Option<Active<'walk>>,
    /// Hard links whose own path concerns a check: path, target, checks.
    linked: Vec<(String, String, Mask)>,
    /// Files to be asked for again under other names.
    pending: Aliases,
}

/// What a collector gathered.
pub(crate) struct Collected {
    pub(crate) facts: LayerFacts,
    pub(crate) record: Record,
    /// Files to be looked at again under other names.
    pub(crate) pending: Aliases,
}

/// The file that is passing by in pieces.
struct Active<'walk> {
    path: String,
    mode: u32,
    size: u64,
    uid: u64,
    gid: u64,
    attributes: Vec<(String, Vec<u8>)>,
    /// Checks that want it whole, and under which path.
    whole: Vec<(&'walk dyn Check, String)>,
    buffer: Vec<u8>,
    _reservation: Option<Reservation<'walk>>,
    streams: Vec<Stream<'walk>>,
    digest: Option<sha2::Sha256>,
}

struct Stream<'walk> {
    check: &'walk dyn Check,
    path: String,
    reading: Box<dyn Reading>,
    open: bool,
}

impl<'walk> Collector<'walk> {
    /// A collector for one layer.
    #[must_use]
    pub(crate) fn new(
        dispatch: &'walk Dispatch<'walk>,
        hasher: &'walk PathHasher,
        budget: &'walk Budget,
        level: RecordLevel,
    ) -> Self {
        Self {
            dispatch,
            hasher,
            budget,
            level,
            aliases: None,
            literal: false,
            facts: LayerFacts::default(),
            gathered: Vec::new(),
            fact_bytes: 0,
            record: Record::default(),
            active: None,
            linked: Vec::new(),
            pending: Aliases::new(),
        }
    }

    /// Looks only at the files named, each under its other names.
    #[must_use]
    pub(crate) fn only(mut self, aliases: &'walk Aliases) -> Self {
        self.aliases = Some(aliases);
        self
    }

    /// Takes names as they are: what is removed is told by [`Self::removes`] and [`Self::hides`].
    #[must_use]
    pub(crate) const fn of_file_system(mut self) -> Self {
        self.literal = true;
        self
    }

    /// What lies at this path in lower layers is gone.
    pub(crate) fn removes(&mut self, path: &str) {
        if self.room_for_marks(path) {
            self.facts.whiteouts.push(path.to_owned());
        }
    }

    /// What lower layers have in this folder is gone.
    pub(crate) fn hides(&mut self, folder: &str) {
        if self.room_for_marks(folder) {
            self.facts.opaques.push(folder.to_owned());
        }
    }

    fn room_for_marks(&mut self, path: &str) -> bool {
        let room = self.facts.whiteouts.len() + self.facts.opaques.len() < limits::LAYER_LINKS;
        if !room {
            self.note(WALK, path, "more whiteouts than the limit for one layer");
        }
        room
    }

    /// The facts and the record.
    #[must_use]
    pub(crate) fn finish(mut self, entries: u64) -> Collected {
        self.facts.entries = entries;
        self.settle_duplicates();
        self.settle_links();
        self.facts.files.sort_unstable();
        self.facts.files.dedup();
        self.facts.files.shrink_to_fit();
        self.facts.directories.sort_unstable();
        self.facts.directories.dedup();
        self.facts.symlinks.sort();
        Collected { facts: self.facts, record: self.record, pending: self.pending }
    }

    /// An entry may come twice in one tar: the last one stays, as when it is unpacked.
    fn settle_duplicates(&mut self) {
        let mut last: HashMap<u64, usize> = self
            .gathered
            .iter()
            .map(|(place, _, fact)| (self.hasher.hash(&fact.path), *place))
            .collect();
        if self.aliases.is_none() {
            for (place, hash) in self.facts.files.iter().enumerate() {
                if let Some(known) = last.get_mut(hash) {
                    *known = (*known).max(place);
                }
            }
        }
        let mut facts: BTreeMap<String, Vec<FactRecord>> = BTreeMap::new();
        for (place, check, fact) in std::mem::take(&mut self.gathered) {
            let stays = last.get(&self.hasher.hash(&fact.path)) == Some(&place);
            if stays || self.aliases.is_some() {
                facts.entry(check.to_owned()).or_default().push(fact);
            }
        }
        self.facts.facts = facts;
    }

    /// A hard link is another name of a file in the same tar: it has that file's facts. Where the
    /// file came under a name that concerned nobody, it is asked for again under the link's.
    fn settle_links(&mut self) {
        for (path, target, mask) in std::mem::take(&mut self.linked) {
            let mut unread = false;
            for check in self.dispatch.of(mask) {
                let facts = self.facts.facts.entry(check.id().to_owned()).or_default();
                match facts.iter().find(|fact| fact.path == target) {
                    Some(fact) => {
                        let fact = fact.fact.clone();
                        facts.push(FactRecord { path: path.clone(), fact });
                    }
                    None => unread = true,
                }
            }
            let offered = self.dispatch.by_path(&target) & mask == mask;
            if unread && !offered && self.pending.len() < limits::LAYER_PROBLEMS {
                self.pending.entry(target).or_default().push(path);
            }
        }
        self.facts.facts.retain(|_, facts| !facts.is_empty());
    }

    /// Notes something that could not be read.
    pub(crate) fn note(&mut self, check: &str, path: &str, reason: impl Into<String>) {
        if self.facts.problems.len() < limits::LAYER_PROBLEMS {
            let problem = Problem { path: path.to_owned(), layer: None, reason: reason.into() };
            self.facts.problems.push((check.to_owned(), problem));
        }
    }

    fn keep(&mut self, check: &'static str, path: &str, fact: Result<Option<Vec<u8>>, ReadError>) {
        match fact {
            Ok(None) => {}
            Ok(Some(fact)) => {
                self.fact_bytes = self.fact_bytes.saturating_add((fact.len() + path.len()) as u64);
                if self.gathered.len() >= limits::LAYER_FACTS
                    || self.fact_bytes > limits::LAYER_FACT_BYTES
                {
                    self.note(check, path, "more files of this kind than the limit for one layer");
                    return;
                }
                let place = self.facts.files.len().saturating_sub(1);
                self.gathered.push((place, check, FactRecord { path: path.to_owned(), fact }));
            }
            Err(error) => self.note(check, path, error.to_string()),
        }
    }

    /// Counts a regular file that no check is concerned with.
    pub(crate) fn pass_by(&mut self, meta: &Meta<'_>) {
        if self.register(meta) && self.level != RecordLevel::None {
            self.record.push(meta, None);
        }
    }

    /// Calls `each` with every path that the file is to be taken for and the checks that it could
    /// concern.
    fn candidates(
        &self,
        meta: &Meta<'_>,
        head: &[u8],
        mut each: impl FnMut(&Entry<'_>, &'walk dyn Check),
    ) {
        let entry =
            Entry { path: meta.path, kind: FileKind::File, mode: meta.mode, size: meta.size };
        match self.aliases {
            None => {
                let mask = self.dispatch.by_path(meta.path) | self.dispatch.by_head(head);
                if mask != 0 {
                    self.dispatch.of(mask).for_each(|check| each(&entry, check));
                }
            }
            Some(aliases) => {
                for path in aliases.get(meta.path).into_iter().flatten() {
                    let entry = Entry { path, ..entry };
                    let mask: Mask = self.dispatch.by_path(path);
                    self.dispatch.of(mask).for_each(|check| each(&entry, check));
                }
            }
        }
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

    /// Counts the entry; false where it is a whiteout.
    fn register(&mut self, meta: &Meta<'_>) -> bool {
        let name = behind_last(b'/', meta.path).unwrap_or(meta.path);
        if name.starts_with(".wh.") && !self.literal && self.whiteout(meta.path) {
            return false;
        }
        if self.aliases.is_none() {
            let hash = self.hasher.hash(meta.path);
            if meta.kind == FileKind::Directory {
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
        if meta.path.is_empty() || !self.register(meta) {
            return;
        }
        let link = || (meta.path.to_owned(), meta.link.to_owned());
        match meta.kind {
            FileKind::Symlink | FileKind::HardLink
                if self.facts.symlinks.len() + self.facts.hard_links.len()
                    >= limits::LAYER_LINKS =>
            {
                self.note(WALK, meta.path, "more links than the limit for one layer");
            }
            FileKind::HardLink => {
                let mask = self.dispatch.by_path(meta.path);
                if mask != 0 {
                    self.linked.push((meta.path.to_owned(), meta.link.to_owned(), mask));
                }
                self.facts.hard_links.push(link());
            }
            FileKind::Symlink => self.facts.symlinks.push(link()),
            _ => {}
        }
        if self.level != RecordLevel::None {
            self.record.push(meta, None);
        }
    }

    fn whole(&mut self, meta: &Meta<'_>, content: &[u8]) {
        if meta.path.is_empty() || !self.register(meta) {
            return;
        }
        let head = content.get(..limits::HEAD_BYTES).unwrap_or(content);
        let mut made = Vec::new();
        self.candidates(meta, head, |entry, check| {
            let fact = match check.wants(entry, head) {
                Want::No => return,
                Want::Whole { at_most } if entry.size > at_most => Err(too_large(at_most)),
                Want::Whole { .. } => check.read(entry, content),
                Want::Stream(mut reading) => {
                    reading.push(content);
                    reading.finish()
                }
            };
            made.push((check.id(), entry.path.to_owned(), fact));
        });
        for (check, path, fact) in made {
            self.keep(check, &path, fact);
        }
        if self.level != RecordLevel::None {
            let digest =
                (self.level == RecordLevel::Digests).then(|| sha2::Sha256::digest(content).into());
            self.record.push(meta, digest);
        }
    }

    fn start(&mut self, meta: &Meta<'_>, head: &[u8]) -> bool {
        if meta.path.is_empty() || !self.register(meta) {
            return false;
        }
        let mut whole = Vec::new();
        let mut streams = Vec::new();
        let mut refused = Vec::new();
        self.candidates(meta, head, |entry, check| match check.wants(entry, head) {
            Want::No => {}
            Want::Whole { at_most } => {
                let at_most = at_most.min(limits::WHOLE_FILE_BYTES);
                if entry.size > at_most {
                    refused.push((check.id(), entry.path.to_owned(), at_most));
                } else {
                    whole.push((check, entry.path.to_owned()));
                }
            }
            Want::Stream(reading) => {
                streams.push(Stream { check, path: entry.path.to_owned(), reading, open: true });
            }
        });
        for (check, path, at_most) in refused {
            self.note(check, &path, too_large(at_most).to_string());
        }
        if whole.is_empty() && streams.is_empty() && self.level == RecordLevel::None {
            return false;
        }
        let reservation = (!whole.is_empty()).then(|| self.budget.reserve(meta.size));
        self.active = Some(Active {
            path: meta.path.to_owned(),
            mode: meta.mode,
            size: meta.size,
            uid: meta.uid,
            gid: meta.gid,
            attributes: meta.attributes.to_vec(),
            whole,
            buffer: Vec::new(),
            _reservation: reservation,
            streams,
            digest: (self.level == RecordLevel::Digests).then(sha2::Sha256::default),
        });
        true
    }

    fn data(&mut self, bytes: &[u8]) -> bool {
        let Some(active) = &mut self.active else { return false };
        let mut more = false;
        if !active.whole.is_empty() {
            active.buffer.extend_from_slice(bytes);
            more = true;
        }
        for stream in active.streams.iter_mut().filter(|stream| stream.open) {
            stream.open = stream.reading.push(bytes) == Flow::More;
            more |= stream.open;
        }
        if let Some(digest) = &mut active.digest {
            digest.update(bytes);
            more = true;
        }
        more
    }

    fn end(&mut self) {
        let Some(active) = self.active.take() else { return };
        for (check, path) in &active.whole {
            let entry = Entry { path, kind: FileKind::File, mode: active.mode, size: active.size };
            let fact = check.read(&entry, &active.buffer);
            self.keep(check.id(), path, fact);
        }
        for stream in active.streams {
            let fact = stream.reading.finish();
            self.keep(stream.check.id(), &stream.path, fact);
        }
        if self.level != RecordLevel::None {
            let meta = Meta {
                path: &active.path,
                kind: FileKind::File,
                mode: active.mode,
                uid: active.uid,
                gid: active.gid,
                size: active.size,
                link: "",
                attributes: &active.attributes,
            };
            self.record.push(&meta, active.digest.map(|digest| digest.finalize().into()));
        }
    }

    fn unread(&mut self, meta: &Meta<'_>, reason: &str) {
        if meta.path.is_empty() || !self.register(meta) {
            return;
        }
        let mut concerned = Vec::new();
        self.candidates(meta, &[], |entry, check| {
            concerned.push((check.id(), entry.path.to_owned()))
        });
        for (check, path) in concerned {
            self.note(check, &path, reason);
        }
        if self.level != RecordLevel::None {
            self.record.push(meta, None);
        }
    }

    fn problem(&mut self, path: &str, reason: &str) {
        self.note(WALK, path, reason);
    }
}

fn too_large(at_most: u64) -> ReadError {
    ReadError::new(format!("larger than the {} MiB that are read of one such file", at_most >> 20))
}
