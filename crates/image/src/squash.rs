//! Lays layers over each other: which facts stay, and where each came from.
//!
//! Rules of the OCI image specification, "Representing Changes": a whiteout hides its path and all
//! below it in lower layers, an opaque mark hides what lower layers have in its folder, and any entry
//! replaces what lower layers have at its path. Only the paths that carry facts are looked at, so the
//! cost does not depend on how many files an image has.

use crate::check::Check;
use crate::facts::{About, FactAt, LayerFacts, PathHasher, View, follow};
use crate::followed::Followed;
use record::{Record, RecordEntry};
use std::collections::{HashMap, HashSet};
use vocabulary::FileKind;

/// Layers laid over each other.
pub struct Squash<'facts> {
    layers: Vec<Hiding<'facts>>,
    hasher: &'facts PathHasher,
    symlinks: HashMap<String, String>,
    /// Whether the single layer is a directory rather than a layer.
    directory: bool,
    /// Files under other names than those by which their layers hold them.
    followed: &'facts [Followed],
}

/// What a layer holds and what it hides of those below.
struct Hiding<'facts> {
    facts: &'facts LayerFacts,
    whiteouts: HashSet<u64>,
    opaques: HashSet<u64>,
}

/// Hashes of a path and of every folder above it, the root last.
struct PathHashes {
    own: u64,
    ancestors: Vec<u64>,
}

impl<'facts> Squash<'facts> {
    /// Lays `layers` over each other, bottom first.
    #[must_use]
    pub fn new(layers: Vec<&'facts LayerFacts>, hasher: &'facts PathHasher) -> Self {
        let hashes = |paths: &[String]| paths.iter().map(|path| hasher.hash(path)).collect();
        let layers: Vec<Hiding<'facts>> = layers
            .into_iter()
            .map(|facts| Hiding {
                facts,
                whiteouts: hashes(&facts.whiteouts),
                opaques: hashes(&facts.opaques),
            })
            .collect();
        let mut squash =
            Self { layers, hasher, symlinks: HashMap::new(), directory: false, followed: &[] };
        squash.symlinks = squash.staying_symlinks();
        squash
    }

    /// The facts of a directory.
    #[must_use]
    pub fn of_directory(facts: &'facts LayerFacts, hasher: &'facts PathHasher) -> Self {
        Self { directory: true, ..Self::new(vec![facts], hasher) }
    }

    /// With files that links lead to.
    #[must_use]
    pub const fn with_followed(mut self, followed: &'facts [Followed]) -> Self {
        self.followed = followed;
        self
    }

    /// The facts of each layer, bottom first.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &'facts LayerFacts> + '_ {
        self.layers.iter().map(|layer| layer.facts)
    }

    /// Whether it is a directory.
    pub(crate) const fn is_directory(&self) -> bool {
        self.directory
    }

    /// The uppermost of the layers under `below` that has a file or link at `path`, unless one above
    /// it hides it.
    pub(crate) fn holder(&self, path: &str, below: usize) -> Option<usize> {
        let under = self.layers.get(..below).unwrap_or(&self.layers);
        let hash = self.hasher.hash(path);
        let index =
            under.iter().rposition(|layer| layer.facts.files.binary_search(&hash).is_ok())?;
        let above = under.get(index + 1..).unwrap_or_default();
        (above.is_empty() || !self.hidden(above, &self.hashes(path))).then_some(index)
    }

    /// Whether a folder may be there: a layer without folders does not say which it has.
    pub(crate) fn may_hold_folder(&self, path: &str) -> bool {
        let hash = self.hasher.hash(path);
        self.layers.iter().any(|layer| {
            let LayerFacts { files, directories, .. } = layer.facts;
            directories.binary_search(&hash).is_ok()
                || (directories.is_empty() && !files.is_empty())
        })
    }

    fn staying_symlinks(&self) -> HashMap<String, String> {
        let mut symlinks = HashMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            for (path, target) in &layer.facts.symlinks {
                if self.stays(index, path) {
                    symlinks.insert(path.clone(), target.clone());
                }
            }
            for (path, target) in &layer.facts.hard_links {
                if let Some(to) = self.link_below(index, target)
                    && self.stays(index, path)
                {
                    symlinks.insert(path.clone(), to.to_owned());
                }
            }
        }
        symlinks
    }

    /// Where the symbolic link at `path` leads, if layers below hold one there: a hard link to it is
    /// one.
    fn link_below(&self, index: usize, path: &str) -> Option<&'facts str> {
        let below = self.layers.get(..index).unwrap_or_default();
        if below.iter().all(|layer| layer.facts.symlinks.is_empty()) {
            return None;
        }
        let holder = below.get(self.holder(path, index)?)?;
        let links = &holder.facts.symlinks;
        let at = links.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
        links.get(at).map(|(_, target)| target.as_str())
    }

    fn hashes(&self, path: &str) -> PathHashes {
        let ancestors = path
            .match_indices('/')
            .filter_map(|(at, _)| path.get(..at))
            .chain(std::iter::once(""))
            .map(|ancestor| self.hasher.hash(ancestor))
            .collect();
        PathHashes { own: self.hasher.hash(path), ancestors }
    }

    /// Whether what layer `index` has at `path` is there in the squashed view.
    #[must_use]
    pub fn stays(&self, index: usize, path: &str) -> bool {
        let above = self.layers.get(index + 1..).unwrap_or_default();
        above.is_empty() || !self.hidden(above, &self.hashes(path))
    }

    fn hidden(&self, above: &[Hiding<'_>], path: &PathHashes) -> bool {
        let has = |sorted: &[u64], hash: &u64| sorted.binary_search(hash).is_ok();
        above.iter().any(|layer| {
            has(&layer.facts.files, &path.own)
                || has(&layer.facts.directories, &path.own)
                || layer.whiteouts.contains(&path.own)
                || path.ancestors.iter().any(|ancestor| {
                    layer.whiteouts.contains(ancestor)
                        || layer.opaques.contains(ancestor)
                        || has(&layer.facts.files, ancestor)
                })
        })
    }

    /// The symbolic links that stay.
    #[must_use]
    pub const fn symlinks(&self) -> &HashMap<String, String> {
        &self.symlinks
    }

    /// The same, for those who need them longer.
    #[must_use]
    pub fn into_symlinks(self) -> HashMap<String, String> {
        self.symlinks
    }

    /// The path with links followed inside the root; as it is for a loop.
    #[must_use]
    pub fn follow(&self, path: &str) -> String {
        follow(path, |at| self.symlinks.get(at).map(String::as_str))
            .unwrap_or_else(|| path.to_owned())
    }

    /// The facts of a check's readers in the squashed view.
    #[must_use]
    pub fn view_of<'view>(
        &'view self,
        check: &'view dyn Check,
        about: About<'view>,
    ) -> View<'view> {
        let mut readers = check.readers().into_iter();
        let first = self.view(readers.next().map_or("", |reader| reader.id()), about);
        readers.fold(first, |view, reader| view.with(reader.id(), self.view(reader.id(), about)))
    }

    /// One reader's facts in the squashed view.
    #[must_use]
    pub fn view<'view>(&'view self, reader: &str, about: About<'view>) -> View<'view> {
        let mut facts = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let number = if self.directory { None } else { u32::try_from(index).ok() };
            let of_reader = layer.facts.of(reader).into_iter();
            for record in of_reader.flat_map(|of_reader| of_reader.facts.iter()) {
                facts.push(FactAt {
                    path: &record.path,
                    layer: number,
                    fact: &record.fact,
                    stays: self.stays(index, &record.path),
                });
            }
        }
        for followed in self.followed.iter().filter(|followed| followed.reader == reader) {
            let Ok(fact) = &followed.outcome else { continue };
            let layer = if self.directory { None } else { u32::try_from(followed.layer).ok() };
            facts.push(FactAt { path: &followed.path, layer, fact, stays: true });
        }
        let layers = if self.directory { 0 } else { u32::try_from(self.layers.len()).unwrap_or(0) };
        View::new(facts, &self.symlinks, about, layers)
    }

    /// Calls `each` with every entry that stays, bottom layer first. `records` are those of the
    /// layers, in their order. A hard link has the digest of what it named when its layer was made: a
    /// later layer may have replaced the other name, and the content stays.
    pub fn each_file(&self, records: &[&Record], mut each: impl FnMut(RecordEntry, Option<u32>)) {
        let mut linked = Linked::of(records, self.hasher);
        for (index, record) in records.iter().enumerate() {
            let number = if self.directory { None } else { u32::try_from(index).ok() };
            let links = linked.digests(record, self.hasher);
            // An entry may come twice in a layer; the last one is what is unpacked.
            let mut last: HashMap<u64, u64> = HashMap::new();
            for (place, entry) in (0_u64..).zip(record.iter()) {
                last.insert(self.hasher.hash(&entry.path), place);
            }
            for (place, mut entry) in (0_u64..).zip(record.iter()) {
                entry.digest = entry.digest.or_else(|| links.get(&place).copied());
                // Of a folder in several layers the uppermost stays: its mode and owner hold.
                let is_last = last.get(&self.hasher.hash(&entry.path)) == Some(&place);
                if is_last && self.stays(index, &entry.path) {
                    each(entry, number);
                }
            }
        }
    }
}

/// The contents that hard links name.
struct Linked {
    /// Hashes of the paths that are named.
    targets: HashSet<u64>,
    /// What lies there as far as the layers were read.
    contents: HashMap<u64, [u8; 32]>,
}

impl Linked {
    fn of(records: &[&Record], hasher: &PathHasher) -> Self {
        let links = records.iter().flat_map(|record| record.iter()).filter(is_hard_link);
        let targets = links.filter_map(|entry| Some(hasher.hash(entry.link.as_deref()?))).collect();
        Self { targets, contents: HashMap::new() }
    }

    /// The digests of the next layer's hard links, by their place in it.
    fn digests(&mut self, record: &Record, hasher: &PathHasher) -> HashMap<u64, [u8; 32]> {
        let mut digests = HashMap::new();
        if self.targets.is_empty() {
            return digests;
        }
        for (place, entry) in (0_u64..).zip(record.iter()) {
            let named = entry.link.as_deref().filter(|_| is_hard_link(&entry));
            let content = named.and_then(|link| self.contents.get(&hasher.hash(link)).copied());
            if let Some(content) = content {
                digests.insert(place, content);
            }
            let own = hasher.hash(&entry.path);
            if self.targets.contains(&own) {
                match entry.digest.or(content) {
                    Some(digest) => self.contents.insert(own, digest),
                    None => self.contents.remove(&own),
                };
            }
        }
        digests
    }
}

fn is_hard_link(entry: &RecordEntry) -> bool {
    entry.kind == FileKind::HardLink
}
