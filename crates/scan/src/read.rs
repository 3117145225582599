//! Reads a subject: from the cache what is known, from the source what is not.

use crate::bill::{self, BillError};
use crate::host;
use crate::integrity;
use crate::inventory::Inventory;
use crate::resolve::{self, Tree};
use image::again::{Followed, Plan};
use image::cache::Checks;
use image::links::Aliases;
use image::source::attached::Wanted;
use image::walk::borrowed;
use image::{
    Check, Dispatch, FactCache, FolderRole, Image, ImageError, LayerFacts, LayerFolder,
    OpenOptions, Opened, PathHasher, Progress, RecordLevel, Shares, SubjectShape, WalkJob, Walked,
    Walker,
};
use record::Record;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use vocabulary::{
    Algorithm, Coverage, Digest, Distribution, FileRecord, Layer, Platform, Problem, Status,
    Subject,
};

/// How a subject is to be read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Platform to take from a multi-platform index.
    pub platform: Option<Platform>,
    /// Folder of the fact cache; none reads everything and keeps nothing.
    pub cache: Option<PathBuf>,
    /// Whether layers that the cache knows are read and hashed all the same.
    pub reverify: bool,
    /// How much of the file record is wanted.
    pub files: RecordLevel,
    /// How many layers are read side by side.
    pub workers: usize,
    /// Where the engines listen.
    pub engines: image::Endpoints,
    /// How registries are asked.
    pub registry: image::RegistryOptions,
    /// The release of the kernel that runs, for `host:`.
    pub kernel: Option<String>,
    /// Whether VEX documents that are attached to an image are looked for.
    pub attached: bool,
    /// The release that the packages of a bill of materials are of, whatever it says itself.
    pub distribution: Option<Distribution>,
}

/// The check of what is attached to an image, in the coverage.
pub(crate) const ATTACHED: &str = "attached-vex";

impl Default for ReadOptions {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            platform: None,
            cache: None,
            reverify: false,
            files: RecordLevel::None,
            workers,
            engines: image::Endpoints::default(),
            registry: image::RegistryOptions::default(),
            kernel: None,
            attached: false,
            distribution: None,
        }
    }
}

/// Why a subject could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The image could not be opened.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The bill of materials could not be read.
    #[error(transparent)]
    Bill(#[from] BillError),
    /// A release was given for what says its own.
    #[error("`{0}` is no bill of materials: what it is of, it says itself; leave out --distro")]
    NotABill(String),
    /// Somebody else may write the cache.
    #[error("the cache `{path}` is not used: {source} (--cache-dir), or go without (--no-cache)")]
    Cache {
        /// Its folder.
        path: PathBuf,
        /// Why it is not.
        source: std::io::Error,
    },
}

/// What came of one layer.
#[derive(Default)]
struct Outcome {
    walked: Walked,
    from_cache: bool,
}

/// Reads `reference`.
///
/// # Errors
/// Where it cannot be opened. What cannot be read inside it becomes coverage instead.
pub fn read(
    reference: &str,
    options: &ReadOptions,
    progress: &Progress,
) -> Result<Inventory, ScanError> {
    if let Some(image) = bill::attached_to(reference) {
        return bill::attached::read(reference, image, options);
    }
    if let Some(file) = bill::named(reference) {
        return Ok(bill::read(reference, &file, options.distribution.as_ref())?);
    }
    if options.distribution.is_some() {
        return Err(ScanError::NotABill(reference.to_owned()));
    }
    if let Some(root) = host::named(reference) {
        return read_host(reference, &root, options, progress);
    }
    let open = OpenOptions {
        platform: options.platform.clone(),
        engines: options.engines.clone(),
        registry: options.registry.clone(),
        attached: options.attached.then_some(Wanted::Vex),
    };
    let opened = image::open(reference, &open)?;
    let attachments = match &opened {
        Opened::Image(image) => image.attachments.clone(),
        Opened::Directory(_) => None,
    };
    let all = crate::checks();
    let mut checks = borrowed(&all);
    if matches!(opened, Opened::Image(_)) {
        checks.retain(|check| !check.reads_declarations());
    }
    let (cache, remark) = open_cache(options.cache.as_deref())?;
    let hasher = cache
        .as_ref()
        .map_or_else(|| PathHasher::new(image::cache::random_key()), |cache| *cache.hasher());
    let reader = Reader { checks: &checks, cache: cache.as_ref(), hasher, options, progress };
    let mut inventory = match opened {
        Opened::Image(image) => reader.image(&image),
        Opened::Directory(folder) => reader.directory(reference, &folder, None)?,
    };
    if let Some(remark) = remark {
        remark_on_cache(&mut inventory.coverage, &remark);
    }
    if options.attached {
        attach(&mut inventory, attachments);
    }
    Ok(inventory)
}

/// Keeps what is attached for policy, and says what could not be read of it.
fn attach(inventory: &mut Inventory, attachments: Option<image::source::attached::Attachments>) {
    let coverage = match attachments {
        None => Coverage::skipped(
            ATTACHED,
            "only images in a registry or an OCI layout have documents attached; name the registry",
        ),
        Some(found) => {
            let problem = |(path, reason)| Problem { path, layer: None, reason };
            inventory.source.attached = found.documents;
            let problems = found.problems.into_iter().map(problem).collect();
            Coverage::with_problems(ATTACHED, problems)
        }
    };
    inventory.coverage.push(coverage);
}

/// Reads the container platform of a machine; see [`host`].
fn read_host(
    reference: &str,
    root: &Path,
    options: &ReadOptions,
    progress: &Progress,
) -> Result<Inventory, ScanError> {
    let all = crate::checks();
    let checks = borrowed(&all);
    let hasher = PathHasher::new(image::cache::random_key());
    let reader = Reader { checks: &checks, cache: None, hasher, options, progress };
    let inventory = reader.directory(reference, root, Some(host::is_place))?;
    Ok(host::settle(inventory, root, options.kernel.as_deref()))
}

/// Reads a stack of overlay folders, bottom first, as they are now: the file system of a container, or
/// an image's unpacked layers. Every file is hashed, and no cache is used. A folder's place in the
/// stack is the number of its layer: those of the image keep theirs, what the engine put over them
/// and what was written come above. `layers` describe those of the image, where they are known.
#[must_use]
pub fn read_folders(
    subject: Subject,
    layers: &[Layer],
    folders: &[LayerFolder],
    options: &ReadOptions,
    progress: &Progress,
) -> Inventory {
    Stack::walk(folders, options, progress).inventory(subject, layers)
}

/// Reads the folders of a container once, and says what its image holds by them (the inventory) and
/// what the container sees (its files): the difference is what was written since it was made.
#[must_use]
pub fn read_container(
    subject: Subject,
    layers: &[Layer],
    folders: &[LayerFolder],
    options: &ReadOptions,
    progress: &Progress,
) -> (Inventory, Vec<FileRecord>) {
    let mut stack = Stack::walk(folders, options, progress);
    let (files, over) = resolve::files_of(&stack.tree, &stack.hasher);
    let of_image = |folder: &&LayerFolder| matches!(folder.role, FolderRole::Image { .. });
    let image = folders.iter().take_while(of_image).count();
    // What could not be read above the image is told apart from what could not be read of it.
    let above = stack.tree.facts.split_off(image.min(stack.tree.facts.len()));
    stack.tree.records.truncate(image);
    let mut problems: Vec<Problem> =
        resolve::unrecorded(over).into_iter().flat_map(|coverage| coverage.problems).collect();
    for (layer, facts) in (image..).zip(above) {
        let layer = u32::try_from(layer).ok();
        let gaps = facts.gaps().into_iter().map(|gap| (gap.check.clone(), gap.to_string()));
        problems.extend(
            gaps.filter(|(check, _)| check == image::facts::WALK).map(|(_, reason)| Problem {
                path: "/".to_owned(),
                layer,
                reason,
            }),
        );
        let unread =
            facts.problems.get(image::facts::WALK).into_iter().flat_map(|kept| kept.iter());
        problems.extend(unread.map(|problem| Problem { layer, ..problem.clone() }));
    }
    let mut inventory = stack.inventory(subject, layers);
    inventory.coverage.push(Coverage::with_problems("written-layers", problems));
    inventory.coverage.sort_by(|left, right| left.check.cmp(&right.check));
    (inventory, files)
}

/// Folders that were walked.
struct Stack {
    checks: Vec<Box<dyn Check>>,
    hasher: PathHasher,
    tree: Tree,
    problems: Vec<Problem>,
}

impl Stack {
    fn walk(folders: &[LayerFolder], options: &ReadOptions, progress: &Progress) -> Self {
        let mut checks = crate::checks();
        checks.retain(|check| !check.reads_declarations());
        let hasher = PathHasher::new(image::cache::random_key());
        let (mut facts, mut records, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let followed = {
            let checks = borrowed(&checks);
            let dispatch = Dispatch::new(&checks);
            let walker = Walker::new(&dispatch, &hasher, RecordLevel::Digests, progress);
            let walked = image::overlay::walk_all(&walker, folders, options.workers);
            for (index, (folder, walked)) in (0_u32..).zip(folders.iter().zip(walked)) {
                let (of_folder, record) = walked.unwrap_or_else(|error| {
                    let path = folder.path.display().to_string();
                    problems.push(Problem { path, layer: Some(index), reason: error.to_string() });
                    Default::default()
                });
                facts.push(of_folder);
                records.push(record);
            }
            let squash = resolve::squash(&facts, false, &hasher);
            let plan = image::again::plan(&squash, &dispatch, SubjectShape::RootFileSystem);
            let folder = |layer: usize| folders.get(layer).map(|folder| folder.path.as_path());
            follow_folders(plan, folder, |folder, aliases| {
                image::overlay::walk_again(&walker, folder, aliases)
            })
        };
        Self { checks, hasher, tree: Tree { facts, records, followed, directory: false }, problems }
    }

    fn inventory(self, subject: Subject, layers: &[Layer]) -> Inventory {
        let Self { checks, hasher, tree, problems } = self;
        let checks = borrowed(&checks);
        let mut inventory = resolve::inventory(subject, layers.to_vec(), tree, &checks, &hasher);
        let failed = problems.len();
        let mut coverage = Coverage::with_problems("layers", problems);
        if failed > 0 {
            coverage.status = Status::Failed;
            coverage.reason = Some(format!("{failed} folders could not be read"));
        }
        inventory.coverage.push(coverage);
        inventory.coverage.sort_by(|left, right| left.check.cmp(&right.check));
        inventory
    }
}

/// Reads the files of folders again that links lead to.
fn follow_folders<'folders>(
    plan: Plan,
    folder: impl Fn(usize) -> Option<&'folders Path>,
    walk_again: impl Fn(&Path, &Aliases) -> Result<LayerFacts, ImageError>,
) -> Vec<Followed> {
    let mut followed = plan.followed;
    let mut room = Room::default();
    for (layer, aliases) in plan.again.iter().enumerate().filter(|(_, one)| !one.is_empty()) {
        let Some(folder) = folder(layer) else { continue };
        match walk_again(folder, aliases) {
            Ok(facts) => followed.extend(room.take(layer, facts)),
            Err(error) => followed.push(Followed {
                check: image::facts::WALK.to_owned(),
                layer,
                path: "/".to_owned(),
                outcome: Err(error.to_string()),
            }),
        }
    }
    followed
}

/// What files may say under other names, over all layers.
#[derive(Default)]
struct Room {
    used: usize,
}

impl Room {
    /// What another reading of a layer gave, or that there was no room for it.
    fn take(&mut self, layer: usize, facts: LayerFacts) -> Vec<Followed> {
        let records = facts.facts.values().flat_map(|kept| kept.iter());
        let bytes = |record: &image::facts::FactRecord| {
            record.path.len() + record.fact.len() + image::limits::FACT_COST
        };
        self.used = self.used.saturating_add(records.map(bytes).sum());
        if self.used <= image::limits::FOLLOWED_BYTES {
            return image::again::followed(layer, facts);
        }
        let reason = "more is read behind links than is kept of one image: left out".to_owned();
        let checks = facts.facts.into_keys().map(|check| Followed {
            check,
            layer,
            path: "/".to_owned(),
            outcome: Err(reason.clone()),
        });
        checks.collect()
    }
}

fn open_cache(folder: Option<&Path>) -> Result<(Option<FactCache>, Option<String>), ScanError> {
    let Some(folder) = folder else { return Ok((None, None)) };
    match FactCache::open(folder) {
        Ok(cache) => Ok((Some(cache), None)),
        Err(source) if files::is_refusal(&source) => {
            Err(ScanError::Cache { path: folder.to_owned(), source })
        }
        Err(error) => Ok((None, Some(format!("the cache was not used: {error}")))),
    }
}

fn remark_on_cache(coverage: &mut [Coverage], remark: &str) {
    if let Some(layers) = coverage.iter_mut().find(|coverage| coverage.check == "layers") {
        layers.reason.get_or_insert_with(|| remark.to_owned());
    }
}

struct Reader<'read> {
    checks: &'read [&'read dyn Check],
    cache: Option<&'read FactCache>,
    hasher: PathHasher,
    options: &'read ReadOptions,
    progress: &'read Progress,
}

impl Reader<'_> {
    fn check_revisions(&self) -> Checks {
        self.checks.iter().map(|check| (check.id().to_owned(), check.revision())).collect()
    }

    fn image(&self, image: &Image) -> Inventory {
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
        let tree = Tree { facts, records, followed, directory: false };
        let mut inventory =
            resolve::inventory(image.subject.clone(), layers, tree, self.checks, &self.hasher);
        inventory.findings.extend(findings);
        inventory.runs.entry = Some(image.entry.clone());
        inventory.source.packed = image.packed;
        inventory.coverage.push(coverage);
        inventory.coverage.sort_by(|left, right| left.check.cmp(&right.check));
        inventory
    }

    /// Every layer's facts: from the cache where it has them, the rest walked side by side.
    fn layers(&self, image: &Image) -> Vec<Outcome> {
        let revisions = self.check_revisions();
        let shares = Shares::new(image.layers.len(), image::limits::IMAGE_KEPT_BYTES);
        let mut outcomes = Vec::with_capacity(image.layers.len());
        for (index, source) in image.layers.iter().enumerate() {
            let mut outcome = self.cached(source, &revisions);
            shares.settle(index, outcome.walked.facts.kept_bytes);
            // At once, or a thousand cached layers would lie in memory together.
            if outcome.from_cache && !shares.fits(index) {
                outcome.walked.let_go();
            }
            outcomes.push(outcome);
        }
        let unread: Vec<usize> = outcomes
            .iter()
            .enumerate()
            .filter(|(_, outcome)| !outcome.from_cache)
            .map(|(index, _)| index)
            .collect();
        let mut jobs = Vec::new();
        let mut walked_indexes = Vec::new();
        for index in unread {
            let Some(source) = image.layers.get(index) else { continue };
            if let Some(blob) = &source.blob {
                let algorithm = source.digest.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
                self.progress.total.fetch_add(source.stored_bytes, Ordering::Relaxed);
                jobs.push(WalkJob { blob, algorithm, number: index });
                walked_indexes.push(index);
            } else if let Some(outcome) = outcomes.get_mut(index) {
                let failure = format!("`{}` is not in the image; save it again", source.name);
                outcome.walked.failure = Some(failure);
            }
        }
        let dispatch = Dispatch::new(self.checks);
        let walker = Walker::new(&dispatch, &self.hasher, self.options.files, self.progress);
        for (index, walked) in
            walked_indexes.into_iter().zip(walker.walk_all(&jobs, self.options.workers, &shares))
        {
            self.keep(&walked, &revisions);
            if let Some(outcome) = outcomes.get_mut(index) {
                outcome.walked = walked;
            }
        }
        // What lay below was not known to the end while a layer was read, or taken from the cache.
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if !shares.fits(index) {
                outcome.walked.let_go();
            }
        }
        outcomes
    }

    /// What links lead to, once all layers are known: files of layers are read again for it.
    fn follow(&self, image: &Image, outcomes: &mut [Outcome]) -> Vec<Followed> {
        let dispatch = Dispatch::new(self.checks);
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
            let cached = self.cached_again(source, &outcome.walked, aliases);
            let facts = cached.unwrap_or_else(|| {
                let algorithm = source.digest.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
                let job = WalkJob { blob, algorithm, number: 0 };
                let facts = walker.walk_again(&job, aliases, &mut outcome.walked);
                self.keep_again(&facts, &outcome.walked, aliases);
                facts
            });
            followed.extend(room.take(layer, facts));
        }
        followed
    }

    fn cached_again(
        &self,
        source: &image::LayerSource,
        walked: &Walked,
        aliases: &Aliases,
    ) -> Option<LayerFacts> {
        if self.options.reverify {
            return None;
        }
        let (cache, diff_id) = self.cache.zip(walked.facts.diff_id.as_ref())?;
        cache.load_again(diff_id, source.digest.as_ref(), &self.check_revisions(), aliases)
    }

    /// What another reading gave is kept only where it was of the same bytes.
    fn keep_again(&self, facts: &LayerFacts, walked: &Walked, aliases: &Aliases) {
        if let (Some(cache), Some(packing), None) = (self.cache, walked.packing, &walked.failure) {
            let packed = (walked.packed_digest.as_ref(), walked.packed_bytes);
            let _ = cache.store_again(facts, packed, packing, &self.check_revisions(), aliases);
        }
    }

    fn cached(&self, source: &image::LayerSource, revisions: &Checks) -> Outcome {
        if self.options.reverify || self.options.files != RecordLevel::None {
            return Outcome::default();
        }
        let cached = self.cache.zip(source.diff_id.as_ref()).and_then(|(cache, diff_id)| {
            source.blob.as_ref()?;
            cache.load(diff_id, source.digest.as_ref(), revisions)
        });
        cached.map_or_else(Outcome::default, |cached| Outcome {
            walked: Walked {
                facts: cached.facts,
                packed_digest: cached.packed_digest,
                packed_bytes: cached.packed_bytes,
                packing: Some(cached.packing),
                ..Walked::default()
            },
            from_cache: true,
        })
    }

    /// A layer that could not be read to its end is not kept: its facts are not all.
    fn keep(&self, walked: &Walked, revisions: &Checks) {
        if let (Some(cache), Some(packing), None) = (self.cache, walked.packing, &walked.failure) {
            // A cache that cannot be written costs time on the next scan, and nothing else.
            let packed = (walked.packed_digest.as_ref(), walked.packed_bytes);
            let _ = cache.store(&walked.facts, packed, packing, revisions);
        }
    }

    fn directory(
        &self,
        reference: &str,
        folder: &Path,
        takes: Option<fn(&str) -> bool>,
    ) -> Result<Inventory, ScanError> {
        let dispatch = Dispatch::new(self.checks);
        let walker = Walker::new(&dispatch, &self.hasher, self.options.files, self.progress);
        let (facts, record) = match takes {
            Some(takes) => image::directory::walk_some(&walker, folder, takes)?,
            None => image::directory::walk(&walker, folder)?,
        };
        let subject = crate::folder::subject(reference, folder);
        let squash = resolve::squash([&facts], true, &self.hasher);
        let shape = resolve::shape(true, &squash);
        let plan = image::again::plan(&squash, &dispatch, shape);
        drop(squash);
        let followed = follow_folders(
            plan,
            |_| Some(folder),
            |folder, aliases| image::directory::walk_again(&walker, folder, aliases),
        );
        let tree = Tree { facts: vec![facts], records: vec![record], followed, directory: true };
        Ok(resolve::inventory(subject, Vec::new(), tree, self.checks, &self.hasher))
    }
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
