//! Gathers one layer's facts while its entries pass by.

use crate::budget::{Budget, Reservation};
use crate::check::{Check, Entry, Flow, ReadError, Reading, Want};
use crate::dispatch::{Concerned, Dispatch, behind_last};
use crate::documents::parsed;
use crate::facts::{FactRecord, LayerFacts, PathHasher, WALK};
use crate::limits::{self, LayerBounds};
use crate::links::{Alias, Aliases, Origins};
use crate::placing::Placing;
use crate::share::Share;
use crate::tar::{Meta, Sink};
use record::Record;
use sha2::Digest as _;
use std::collections::HashMap;
use vocabulary::{FileKind, Problem};

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
    fact_bytes: u64,
    record: Record,
    active: Option<Active<'walk>>,
    /// The places of the symbolic and hard links that are kept, in their order.
    symlinks_at: Vec<u32>,
    hard_links_at: Vec<u32>,
    /// Which of the hard links concern checks by their own path.
    concerned: Vec<(usize, Concerned)>,
    /// Why a check could not read the file at a place.
    unread: HashMap<(u32, u16), String>,
}

/// A fact with the place of its entry and the number of its check, until links and duplicates are
/// settled.
struct Gathered {
    place: u32,
    check: u16,
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

/// The file that is passing by in pieces.
struct Active<'walk> {
    path: String,
    mode: u32,
    size: u64,
    uid: u64,
    gid: u64,
    attributes: Vec<(String, Vec<u8>)>,
    /// Checks that want it whole, and under which path.
    whole: Vec<(u16, &'walk dyn Check, String)>,
    buffer: Vec<u8>,
    _reservation: Option<Reservation<'walk>>,
    streams: Vec<Stream>,
    digest: Option<sha2::Sha256>,
}

struct Stream {
    check: u16,
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
        bounds: LayerBounds,
        share: Share<'walk>,
        level: RecordLevel,
    ) -> Self {
        Self {
            dispatch,
            hasher,
            budget,
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
            fact_bytes: 0,
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

    /// Whether a check, or an alias, could want the file at this path.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        self.aliases.map_or_else(|| self.dispatch.concerns(path), |aliases| aliases.takes(path))
    }

    /// Whether so much more may be kept. Where it may not, all that is kept is let go at once: it is
    /// what others have room for.
    fn may_keep(&mut self, bytes: usize) -> bool {
        if !self.over && !self.share.take(u64::try_from(bytes).unwrap_or(u64::MAX)) {
            self.over = true;
            self.facts.let_go();
            self.gathered = Vec::new();
            self.placing = Placing::default();
            self.record = Record::default();
            self.symlinks_at = Vec::new();
            self.hard_links_at = Vec::new();
            self.concerned = Vec::new();
            self.unread = HashMap::new();
        }
        !self.over
    }

    /// What lies at this path in lower layers is gone.
    pub(crate) fn removes(&mut self, path: &str) {
        if !self.may_keep(path.len() + limits::NAME_COST) {
            return;
        }
        self.facts.whiteouts.push(self.bounds.links, || path.to_owned());
    }

    /// What lower layers have in this folder is gone.
    pub(crate) fn hides(&mut self, folder: &str) {
        if !self.may_keep(folder.len() + limits::NAME_COST) {
            return;
        }
        self.facts.opaques.push(self.bounds.links, || folder.to_owned());
    }

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
        for Gathered { check, record, .. } in std::mem::take(&mut self.gathered) {
            let Some(check) = self.dispatch.checks().get(usize::from(check)) else { continue };
            // Bounded when they were gathered.
            self.facts.facts.entry(check.id().to_owned()).or_default().push(usize::MAX, || record);
        }
        self.link_symlinks();
        self.facts.directories.sort_unstable();
        self.facts.directories.dedup();
        self.facts.symlinks.sort();
        self.facts.declined.sort();
        self.facts.kept_bytes = self.share.kept();
        // Hard links have facts of their own, which are known only now.
        if self.over {
            self.facts.let_go();
        }
        Collected { facts: self.facts, record: self.record, pending, over: self.over }
    }

    /// A hard link has the facts and problems of the file that it names; what a check has neither of
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
            .map(|(index, gathered)| ((gathered.place, gathered.check), index))
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
            for check in concerned.iter() {
                if let Some(index) = known.get(&(at, check)) {
                    let fact = self.gathered.get(*index).map(|known| known.record.fact.clone());
                    self.keep_at(place, check, path, fact);
                } else if let Some(reason) = self.unread.get(&(at, check)).cloned() {
                    self.note_number(check, path, &reason);
                } else if following.contains(check) || !offered.contains(check) {
                    unknown.insert(check);
                }
            }
            if !unknown.is_empty() {
                let alias = Alias { path: path.clone(), checks: unknown, place: Some(at) };
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
            .map(|gathered| ((gathered.check, gathered.record.path.as_str()), gathered.place))
            .collect();
        let stays: Vec<bool> = self
            .gathered
            .iter()
            .map(|gathered| {
                last.get(&(gathered.check, gathered.record.path.as_str())) == Some(&gathered.place)
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

    /// Notes something that could not be read.
    pub(crate) fn note(&mut self, check: &str, path: &str, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.may_keep(path.len() + reason.len() + limits::NAME_COST) {
            return;
        }
        let problem = || Problem { path: path.to_owned(), layer: None, reason };
        self.facts
            .problems
            .entry(check.to_owned())
            .or_default()
            .push(self.bounds.problems, problem);
    }

    fn note_number(&mut self, check: u16, path: &str, reason: &str) {
        if let Some(known) = self.dispatch.checks().get(usize::from(check)) {
            self.note(known.id(), path, reason);
        }
    }

    /// Notes that a check could not read the file at hand.
    fn note_of(&mut self, check: u16, path: &str, reason: &str) {
        self.note_number(check, path, reason);
        // For the other names of the file. A check with more problems than are kept is not clean
        // whatever its links say.
        let place = self.place.saturating_sub(1);
        if self.unread.len() < self.bounds.problems.saturating_mul(self.dispatch.checks().len()) {
            self.unread.insert((place, check), reason.to_owned());
        }
    }

    fn keep(&mut self, check: u16, path: &str, fact: Result<Option<Vec<u8>>, ReadError>) {
        match fact {
            Ok(fact) => self.keep_at(self.place.saturating_sub(1), check, path, fact),
            Err(error) => self.note_of(check, path, &error.to_string()),
        }
    }

    fn keep_at(&mut self, place: u32, check: u16, path: &str, fact: Option<Vec<u8>>) {
        let Some(fact) = fact else { return };
        let bytes = fact.len() + path.len() + limits::FACT_COST;
        let all = self.fact_bytes.saturating_add(bytes as u64);
        let fits = self.gathered.len() < self.bounds.facts && all <= self.bounds.fact_bytes;
        if self.over || fits && !self.may_keep(bytes) {
            return;
        }
        self.fact_bytes = all;
        if fits {
            let record = FactRecord { path: path.to_owned(), fact };
            self.gathered.push(Gathered { place, check, record });
        } else if let Some(known) = self.dispatch.checks().get(usize::from(check)) {
            self.facts.facts.entry(known.id().to_owned()).or_default().leave_out(1);
        }
    }

    /// Counts a regular file that no check is concerned with.
    pub(crate) fn pass_by(&mut self, meta: &Meta<'_>) {
        if self.register(meta) && self.level != RecordLevel::None {
            self.record.push(&meta.recorded(None));
        }
    }

    /// Calls `each` with every path that the file is to be taken for and the checks that it could
    /// concern.
    fn candidates(
        &self,
        meta: &Meta<'_>,
        head: &[u8],
        mut each: impl FnMut(&Entry<'_>, u16, &'walk dyn Check),
    ) {
        let entry =
            Entry { path: meta.path, kind: FileKind::File, mode: meta.mode, size: meta.size };
        let mut show = |entry: &Entry<'_>, concerned: &Concerned| {
            for (number, check) in concerned.iter().zip(self.dispatch.of(concerned)) {
                each(entry, number, check);
            }
        };
        let Some(aliases) = self.aliases else {
            let mut concerned = self.dispatch.by_path(meta.path);
            self.dispatch.add_by_head(head, &mut concerned);
            return show(&entry, &concerned);
        };
        aliases.of(meta.path, self.place.saturating_sub(1), |path, checks| {
            show(&Entry { path, ..entry }, checks);
        });
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
            self.note(WALK, "/", "an entry without a name was left out");
        }
        meta.path.is_empty()
    }

    /// A file whose name concerns a check, and which told it nothing at its place: a link may show
    /// it at another.
    fn declined(&mut self, path: &str) {
        if self.aliases.is_none()
            && !self.dispatch.by_name(path).is_empty()
            && self.may_keep(path.len() + limits::NAME_COST)
        {
            self.facts.declined.push(self.bounds.declined, || path.to_owned());
        }
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
        self.may_keep(2 * (meta.path.len() + meta.link.len()) + limits::LINK_COST)
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
        if self.over || self.aliases.is_none() && !self.may_keep(limits::ENTRY_COST) {
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
                for check in declared.iter() {
                    self.note_number(check, meta.path, "it is no regular file");
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
        if self.is_nameless(meta) || !self.register(meta) {
            return;
        }
        let head = content.get(..limits::HEAD_BYTES).unwrap_or(content);
        let mut made = Vec::new();
        let mut declined = false;
        self.candidates(meta, head, |entry, number, check| {
            let fact = match check.wants(entry, head) {
                Want::No => {
                    declined = true;
                    return;
                }
                Want::Whole { at_most } if entry.size > at_most => Err(too_large(at_most)),
                Want::Whole { .. } => parsed(check, entry, content),
                Want::Stream(mut reading) => {
                    reading.push(content);
                    reading.finish()
                }
            };
            made.push((number, entry.path.to_owned(), fact));
        });
        declined |= made.iter().any(|(_, _, fact)| matches!(fact, Ok(None)));
        if declined {
            self.declined(meta.path);
        }
        for (check, path, fact) in made {
            self.keep(check, &path, fact);
        }
        if self.level != RecordLevel::None {
            let digest =
                (self.level == RecordLevel::Digests).then(|| sha2::Sha256::digest(content).into());
            self.record.push(&meta.recorded(digest));
        }
    }

    fn start(&mut self, meta: &Meta<'_>, head: &[u8]) -> bool {
        let path = self.real_path(meta);
        let meta = &Meta { path: path.as_deref().unwrap_or(meta.path), ..*meta };
        if self.is_nameless(meta) || !self.register(meta) {
            return false;
        }
        let mut whole = Vec::new();
        let mut streams = Vec::new();
        let mut refused = Vec::new();
        let mut declined = false;
        self.candidates(meta, head, |entry, number, check| match check.wants(entry, head) {
            Want::No => declined = true,
            Want::Whole { at_most } => {
                let at_most = at_most.min(limits::WHOLE_FILE_BYTES);
                if entry.size > at_most {
                    refused.push((number, entry.path.to_owned(), at_most));
                } else {
                    whole.push((number, check, entry.path.to_owned()));
                }
            }
            Want::Stream(reading) => {
                let path = entry.path.to_owned();
                streams.push(Stream { check: number, path, reading, open: true });
            }
        });
        if declined {
            self.declined(meta.path);
        }
        for (check, path, at_most) in refused {
            self.note_of(check, &path, &too_large(at_most).to_string());
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
        for (number, check, path) in &active.whole {
            let entry = Entry { path, kind: FileKind::File, mode: active.mode, size: active.size };
            let fact = parsed(*check, &entry, &active.buffer);
            self.keep(*number, path, fact);
        }
        for stream in active.streams {
            let fact = stream.reading.finish();
            self.keep(stream.check, &stream.path, fact);
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
            self.record.push(&meta.recorded(active.digest.map(|digest| digest.finalize().into())));
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
        let nobody = concerned.is_empty() && self.aliases.is_none();
        for (check, path) in concerned {
            self.note_of(check, &path, reason);
        }
        if self.level == RecordLevel::Digests || (nobody && self.dispatch.goes_by_head()) {
            // Where every digest was asked for, a file without one is a gap, whether a check wanted
            // it or not; so is one that a check would know by its first bytes alone.
            self.note(WALK, meta.path, reason);
        }
        if self.level != RecordLevel::None {
            self.record.push(&meta.recorded(None));
        }
    }

    fn problem(&mut self, path: &str, reason: &str) {
        self.note(WALK, path, reason);
    }
}

fn too_large(at_most: u64) -> ReadError {
    ReadError::new(format!("larger than the {} MiB that are read of one such file", at_most >> 20))
}
