//! Reads the layers of an image: from the cache what is known of them, from the source what is not.
//!
//! A layer of which all is known is not opened. One of which some readers know nothing is read for
//! these alone, and what it gives is believed where the bytes are those that the others read: else it is
//! read for all. What a layer keeps does not depend on what the cache knew of it.

use super::Reading;
use super::follow::Room;
use crate::integrity;
use crate::inventory::Inventory;
use crate::resolve::{self, Tree};
use image::cache::ReaderKey;
use image::followed::Followed;
use image::links::Aliases;
use image::{
    Concerned, Dispatch, Image, LayerFacts, LayerSource, ReaderFacts, RecordLevel, Shares,
    SubjectShape, WalkJob, Walked, Walker,
};
use record::Record;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vocabulary::{Algorithm, Coverage, Digest, Layer, Problem, Status};

/// What came of one layer.
#[derive(Default)]
struct Outcome {
    walked: Walked,
    from_cache: bool,
    /// What readers are known to have learned, where the layer is to be read for others.
    known: BTreeMap<String, ReaderFacts>,
}

/// Readers of a layer that nothing is known of, by their places among all.
type Missing = Vec<usize>;

impl Reading<'_> {
    pub(super) fn image(&self, image: &Image) -> Inventory {
        let mut outcomes = self.layers(image);
        let followed = self.follow(image, &mut outcomes);
        let mut mismatches = image.mismatches.clone();
        for (index, outcome) in outcomes.iter().enumerate() {
            mismatches.extend(integrity::of_layer(image, index, &outcome.walked));
        }
        let layers: Vec<Layer> = (0_u32..)
            .zip(image.layers.iter().zip(&outcomes))
            .map(|(index, (source, outcome))| layer(index, source, outcome))
            .collect();
        let coverage = layers_coverage(image, &outcomes);
        let findings = integrity::findings(&mismatches, &layers);
        let records: Vec<Record> =
            outcomes.iter_mut().map(|outcome| std::mem::take(&mut outcome.walked.record)).collect();
        let facts: Vec<LayerFacts> =
            outcomes.into_iter().map(|outcome| outcome.walked.facts).collect();
        let configuration = Some(Arc::clone(&image.configuration));
        let tree = Tree { facts, records, followed, directory: false, configuration };
        let mut inventory =
            resolve::inventory(image.subject.clone(), layers, tree, self.chosen, &self.hasher);
        inventory.findings.extend(findings);
        inventory.runs.entry = Some(image.entry.clone());
        inventory.source.packed = image.packed;
        inventory.coverage.push(coverage);
        inventory.coverage.sort_by(|left, right| left.check.cmp(&right.check));
        inventory
    }

    /// Every layer's facts, in their order.
    fn layers(&self, image: &Image) -> Vec<Outcome> {
        let shares = Shares::new(image.layers.len(), image::limits::IMAGE_KEPT_BYTES);
        let mut outcomes = self.known(image, &shares);
        let all = Dispatch::new(&self.readers);
        let missing: Vec<Missing> = outcomes.iter().map(|one| self.missing(&one.known)).collect();
        let only: BTreeMap<&Missing, Dispatch<'_>> =
            missing.iter().map(|missing| (missing, self.dispatch_of(missing))).collect();
        let mut jobs = Vec::new();
        for (number, (outcome, missing)) in outcomes.iter_mut().zip(&missing).enumerate() {
            let Some(source) = image.layers.get(number).filter(|_| !outcome.from_cache) else {
                continue;
            };
            if let Some(blob) = &source.blob {
                self.progress.total.fetch_add(source.stored_bytes, Ordering::Relaxed);
                let algorithm = algorithm_of(source);
                jobs.push(WalkJob { blob, algorithm, number, only: only.get(missing) });
            } else {
                let failure = format!("`{}` is not in the image; save it again", source.name);
                outcome.walked.failure = Some(failure);
            }
        }
        let walker = Walker::new(&all, &self.hasher, self.options.files, self.progress);
        let walked = walker.walk_all(&jobs, self.options.workers, &shares);
        for (job, mut walked) in jobs.iter().zip(walked) {
            let Some(outcome) = outcomes.get_mut(job.number) else { continue };
            let claim = image.layers.get(job.number).and_then(|source| source.diff_id.as_ref());
            let known = std::mem::take(&mut outcome.known);
            let same = walked.failure.is_none() && walked.facts.diff_id.as_ref() == claim;
            if known.is_empty() || same {
                self.keep(&walked);
                walked.facts.readers.extend(known);
            } else {
                // What is known is of other bytes, or of more of them.
                shares.settle(job.number, 0);
                let job = WalkJob { only: None, ..*job };
                let again = walker.walk_all(&[job], 1, &shares);
                walked = again.into_iter().next().unwrap_or_default();
                self.keep(&walked);
            }
            outcome.walked = walked;
        }
        // What lay below was not known to the end while a layer was read, or taken from the cache.
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if !shares.fits(index) {
                outcome.walked.let_go();
            }
        }
        outcomes
    }

    /// What the cache knows of each layer.
    fn known(&self, image: &Image, shares: &Shares) -> Vec<Outcome> {
        let keys = self.keys();
        let mut outcomes = Vec::with_capacity(image.layers.len());
        for (index, source) in image.layers.iter().enumerate() {
            let mut outcome = self.cached(source, &keys);
            let bytes = |of_reader: &ReaderFacts| of_reader.kept_bytes;
            let known: u64 = outcome.known.values().map(bytes).fold(0, u64::saturating_add);
            shares.settle(index, outcome.walked.facts.kept_bytes().saturating_add(known));
            // At once, or a thousand cached layers would lie in memory together.
            if !shares.fits(index) {
                if outcome.from_cache {
                    outcome.walked.let_go();
                }
                outcome.known = BTreeMap::new();
                shares.settle(index, if outcome.from_cache { known } else { 0 });
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn cached(&self, source: &LayerSource, keys: &[ReaderKey]) -> Outcome {
        if self.options.reverify || self.options.files != RecordLevel::None {
            return Outcome::default();
        }
        let Some((cache, diff_id)) = self.cache.zip(source.diff_id.as_ref()) else {
            return Outcome::default();
        };
        if source.blob.is_none() {
            return Outcome::default();
        }
        let known = cache.load_readers(diff_id, keys);
        match cache.load(diff_id, source.digest.as_ref()) {
            Some(cached) if known.len() == keys.len() => Outcome {
                walked: Walked {
                    facts: LayerFacts { readers: known, ..cached.facts },
                    packed_digest: cached.packed_digest,
                    packed_bytes: cached.packed_bytes,
                    packing: Some(cached.packing),
                    ..Walked::default()
                },
                from_cache: true,
                known: BTreeMap::new(),
            },
            _ => Outcome { known, ..Outcome::default() },
        }
    }

    fn missing(&self, known: &BTreeMap<String, ReaderFacts>) -> Missing {
        let readers = self.readers.iter().enumerate();
        let missing = readers.filter(|(_, reader)| !known.contains_key(reader.id()));
        missing.map(|(place, _)| place).collect()
    }

    fn dispatch_of(&self, places: &Missing) -> Dispatch<'_> {
        let readers = places.iter().filter_map(|place| self.readers.get(*place).copied());
        Dispatch::new(&readers.collect::<Vec<_>>())
    }

    /// A layer that could not be read to its end is not kept: its facts are not all.
    fn keep(&self, walked: &Walked) {
        if let (Some(cache), Some(packing), None) = (self.cache, walked.packing, &walked.failure) {
            // A cache that cannot be written costs time on the next scan, and nothing else.
            let packed = (walked.packed_digest.as_ref(), walked.packed_bytes);
            let _ = cache.store(&walked.facts, packed, packing, &self.keys());
        }
    }

    /// What links lead to, once all layers are known: files of layers are read again for it.
    fn follow(&self, image: &Image, outcomes: &mut [Outcome]) -> Vec<Followed> {
        let dispatch = Dispatch::new(&self.readers);
        let facts = outcomes.iter().map(|outcome| &outcome.walked.facts);
        let squash = resolve::squash(facts, false, &self.hasher);
        let plan = image::again::plan(&squash, &dispatch, SubjectShape::RootFileSystem);
        drop(squash);
        let walker = Walker::new(&dispatch, &self.hasher, RecordLevel::None, self.progress);
        let mut followed = plan.followed;
        let mut room = Room::default();
        for (layer, aliases) in plan.again.iter().enumerate().filter(|(_, one)| !one.is_empty()) {
            let source = image.layers.get(layer);
            let blob = source.and_then(|source| Some((source, source.blob.as_ref()?)));
            // What was not there, or broke off, is said already.
            let (Some((source, blob)), Some(outcome)) = (blob, outcomes.get_mut(layer)) else {
                continue;
            };
            if outcome.walked.failure.is_some() {
                continue;
            }
            let (mut facts, unknown) = self.known_again(&outcome.walked, aliases);
            let wanted = aliases.only(&unknown);
            if !wanted.is_empty() {
                let algorithm = algorithm_of(source);
                let job = WalkJob { blob, algorithm, number: 0, only: None };
                let mut read = walker.walk_again(&job, &wanted, &mut outcome.walked);
                self.keep_again(&read, &outcome.walked, &wanted);
                facts.problems = std::mem::take(&mut read.problems);
                let of_unknown = read.readers.into_iter().filter(|(id, _)| {
                    unknown.iter().any(|number| self.id(number) == Some(id.as_str()))
                });
                facts.readers.extend(of_unknown);
            }
            followed.extend(room.take(layer, facts));
        }
        followed
    }

    /// What is known of the files that are to be read again, and the readers that know nothing.
    fn known_again(&self, walked: &Walked, aliases: &Aliases) -> (LayerFacts, Concerned) {
        let mut facts = LayerFacts::default();
        let mut unknown = Concerned::default();
        let cache = self.cache.filter(|_| !self.options.reverify);
        for number in aliases.readers().iter() {
            let known = cache.zip(walked.facts.diff_id.as_ref()).and_then(|(cache, diff_id)| {
                let key = ReaderKey::of(self.reader(number)?);
                cache.load_again(diff_id, &key, &aliases.of_reader(number))
            });
            match (known, self.id(number)) {
                (Some(known), Some(id)) => {
                    facts.readers.insert(id.to_owned(), known);
                }
                _ => unknown.insert(number),
            }
        }
        (facts, unknown)
    }

    /// What another reading gave is kept only where it was of the same bytes.
    fn keep_again(&self, facts: &LayerFacts, walked: &Walked, aliases: &Aliases) {
        let (Some(cache), Some(diff_id), None) =
            (self.cache, &walked.facts.diff_id, &walked.failure)
        else {
            return;
        };
        for number in aliases.readers().iter() {
            let Some(reader) = self.reader(number) else { continue };
            if let Some(of_reader) = facts.of(reader.id()) {
                let (key, names) = (ReaderKey::of(reader), aliases.of_reader(number));
                let _ = cache.store_again(diff_id, &key, &names, of_reader);
            }
        }
    }

    fn reader(&self, number: u16) -> Option<&dyn image::Reader> {
        self.readers.get(usize::from(number)).copied()
    }

    fn id(&self, number: u16) -> Option<&str> {
        self.reader(number).map(image::Reader::id)
    }

    fn keys(&self) -> Vec<ReaderKey> {
        self.readers.iter().map(|reader| ReaderKey::of(*reader)).collect()
    }
}

fn algorithm_of(source: &LayerSource) -> Algorithm {
    source.digest.as_ref().map_or(Algorithm::Sha256, Digest::algorithm)
}

fn layer(index: u32, source: &image::LayerSource, outcome: &Outcome) -> Layer {
    let packing = outcome.walked.packing.unwrap_or(image::blob::Packing::Plain);
    Layer {
        index,
        digest: outcome.walked.packed_digest.clone().or_else(|| source.digest.clone()),
        diff_id: integrity::shown_diff_id(
            outcome.walked.facts.diff_id.as_ref(),
            source.diff_id.as_ref(),
        ),
        media_type: image::source::media_type_of(&source.media_type, packing),
        packed_bytes: outcome.walked.packed_bytes,
        plain_bytes: outcome.walked.facts.plain_bytes,
        entries: outcome.walked.facts.entries,
        command: source.command.clone(),
        origin: source.origin.clone(),
        from_cache: outcome.from_cache,
    }
}

/// Coverage of the layers as such: read to their end, and hashed or not.
fn layers_coverage(image: &Image, outcomes: &[Outcome]) -> Coverage {
    let problems: Vec<Problem> = (0_u32..)
        .zip(outcomes)
        .filter_map(|(index, outcome)| {
            let reason = outcome.walked.failure.clone()?;
            let path = image.layers.get(usize::try_from(index).ok()?)?.name.clone();
            Some(Problem { path, layer: Some(index), reason })
        })
        .chain(image.problems.iter().map(|reason| Problem {
            path: "configuration".to_owned(),
            layer: None,
            reason: reason.clone(),
        }))
        .collect();
    let failed = problems.len();
    let mut coverage = Coverage::with_problems("layers", problems);
    if failed > 0 {
        // A layer that breaks off hides whatever followed: that is more than a file left out.
        coverage.status = Status::Failed;
        coverage.reason =
            Some(format!("{failed} of the image's layers or documents could not be read in full"));
        return coverage;
    }
    let cached = outcomes.iter().filter(|outcome| outcome.from_cache).count();
    if cached > 0 {
        coverage.reason =
            Some(format!("{cached} of {} layers from cache, not re-hashed", outcomes.len()));
    }
    coverage
}
