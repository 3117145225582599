//! `lazaret verify`: holds an image or a container against its seal.
//!
//! Three questions, in this order: does the seal hold, is the image the one that was sealed last under
//! this name, and are its files those that were sealed. For a container a fourth: what was written
//! since it was made. What could not be asked is said in the coverage, and is never a pass.

use crate::World;
use crate::args::VerifyArgs;
use crate::exit::{Exit, Failure};
use crate::scanning::default_format;
use crate::sealing::{failure, name, name_of, open};
use crate::{output, progress, sbom, verdict};
use engine::{ContainerDetails, Docker, DockerImage, FolderRole, LayerFolder};
use image::{OpenOptions, Opened};
use policy::Policy;
use report::Format;
use scan::{Inventory, ReadOptions, RecordLevel};
use seal::{
    Baseline, Comparison, Differences, Name, Part, Seal, Store, VerifyingKey, compare, finding,
};
use vocabulary::{
    Container, Coverage, Digest, FileKind, FileRecord, Finding, Layer, Origin, Problem, Report,
    SealInfo, Status, Subject, SubjectKind, Summary, report::SCHEMA,
};

/// Checks of a scan that say how far the files were read. Those of packages are no part of this.
const READING: [&str; 3] = ["layers", "walk", "written-layers"];

pub(crate) fn run(world: &World, args: &VerifyArgs) -> Result<Exit, Failure> {
    let store = open(world)?;
    let verification = Verification {
        keys: keys(&store, args)?,
        store,
        options: ReadOptions {
            platform: args.platform.clone(),
            files: RecordLevel::Digests,
            engines: world.engines(),
            registry: world.registry(),
            ..ReadOptions::default()
        },
        world,
        args,
    };
    let outcome = match args.reference.strip_prefix("container:") {
        Some(name) => verification.container(name)?,
        None => verification.image()?,
    };
    deliver(world, args, outcome)
}

fn keys(store: &Store, args: &VerifyArgs) -> Result<Vec<VerifyingKey>, Failure> {
    if args.key.is_empty() {
        return store.trusted().map_err(failure);
    }
    let mut keys = Vec::new();
    for file in &args.key {
        let loaded = VerifyingKey::load(file).map_err(|error| Failure::new(Exit::Usage, error))?;
        keys.extend(loaded);
    }
    Ok(keys)
}

/// What verifying came to.
struct Outcome {
    inventory: Inventory,
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
    seal: Option<SealInfo>,
}

impl Outcome {
    fn of(mut inventory: Inventory) -> Self {
        let findings = std::mem::take(&mut inventory.findings);
        let coverage = std::mem::take(&mut inventory.coverage)
            .into_iter()
            .filter(|coverage| READING.contains(&coverage.check.as_str()))
            .collect();
        Self { inventory, findings, coverage, seal: None }
    }

    fn takes(&mut self, what: &str, differences: Differences) {
        self.coverage.push(covered(what, &differences));
        self.findings.extend(differences.findings);
    }
}

struct Verification<'run> {
    store: Store,
    keys: Vec<VerifyingKey>,
    options: ReadOptions,
    world: &'run World,
    args: &'run VerifyArgs,
}

impl Verification<'_> {
    fn image(&self) -> Result<Outcome, Failure> {
        let reference = self.args.reference.as_str();
        let unpacked = match reference.strip_prefix("docker:") {
            Some(name) => self.unpacked(name)?,
            None => None,
        };
        let inventory = match unpacked {
            Some(inventory) => inventory,
            None => progress::while_reading(&self.world.printing, |progress| {
                scan::read(reference, &self.options, progress)
            })
            .map_err(sbom::failure)?,
        };
        if inventory.subject.kind != SubjectKind::Image {
            return Err(Failure::usage(format!(
                "`{reference}` is no image; give an image, or container:NAME"
            )));
        }
        let mut outcome = Outcome::of(inventory);
        let name = name(self.args.repository.as_deref(), &outcome.inventory.subject)?;
        self.against_seal(&name, true, &mut outcome);
        Ok(outcome)
    }

    /// An image of a Docker whose folders can be read: what would really run, whatever the engine's
    /// own records say of it.
    fn unpacked(&self, name: &str) -> Result<Option<Inventory>, Failure> {
        let image = Docker::connect(&self.options.engines)
            .and_then(|docker| docker.image(name))
            .map_err(|error| Failure::new(sbom::engine_exit(&error), error))?;
        let DockerImage { diff_ids, config: Some(_), unpacked: Some(folders), .. } = image else {
            return Ok(None);
        };
        let options = OpenOptions {
            platform: self.options.platform.clone(),
            engines: self.options.engines.clone(),
            ..OpenOptions::default()
        };
        let opened = image::open(&self.args.reference, &options)
            .map_err(|error| sbom::failure(error.into()))?;
        let Opened::Image(image) = opened else { return Ok(None) };
        let mut layers: Vec<Layer> = (0_u32..).zip(diff_ids).map(layer).collect();
        for (layer, source) in layers.iter_mut().zip(&image.layers) {
            layer.command.clone_from(&source.command);
            layer.origin.clone_from(&source.origin);
        }
        Ok(Some(self.folders(image.subject, &layers, &folders)))
    }

    fn folders(&self, subject: Subject, layers: &[Layer], folders: &[LayerFolder]) -> Inventory {
        progress::while_reading(&self.world.printing, |progress| {
            scan::read_folders(subject, layers, folders, &self.options, progress)
        })
    }

    /// The container's image against its seal, by the folders that the container itself is made of;
    /// then what was written over them.
    fn container(&self, name: &str) -> Result<Outcome, Failure> {
        let ContainerDetails { container, layers: folders } =
            engine::container(&self.options.engines, name)
                .map_err(|error| Failure::new(sbom::engine_exit(&error), error))?;
        let of_image =
            folders.iter().filter(|folder| matches!(folder.role, FolderRole::Image { .. }));
        let of_image = of_image.count();
        let subject = Subject {
            kind: SubjectKind::Container,
            name: self.args.reference.clone(),
            manifest_digest: None,
            config_digest: container.image_id.clone(),
            tags: vec![container.image.clone()],
            platform: None,
            base: None,
            source: None,
            checkout: None,
            version: None,
        };
        let diff_ids: Vec<Digest> = folders.iter().filter_map(diff_id).collect();
        let known = diff_ids.len() == of_image;
        let layers: Vec<Layer> =
            if known { (0_u32..).zip(diff_ids).map(layer).collect() } else { Vec::new() };
        let (inventory, files) = progress::while_reading(&self.world.printing, |progress| {
            scan::read_container(subject, &layers, &folders, &self.options, progress)
        });
        let mut outcome = Outcome::of(inventory);
        unreadable(&outcome, &container)?;
        if !known {
            let reason = "the engine does not say which layer each folder is";
            outcome.coverage.push(Coverage::skipped("layer-digests", reason));
        }
        self.against_seal(&self.name_of(&container), known, &mut outcome);
        let by = Comparison {
            baseline: Baseline::Image,
            part: &|layer| part(&folders, layer),
            packages: &outcome.inventory.packages,
            layers: &outcome.inventory.layers,
        };
        let image_files = std::mem::take(&mut outcome.inventory.files);
        let root = root_of(&folders);
        let (expected, found) = root.map_or((None, None), |(one, other)| (Some(one), Some(other)));
        let all: Vec<FileRecord> = found.into_iter().chain(files).collect();
        let differences = compare(expected.into_iter().chain(image_files), &all, &by);
        outcome.takes("written-files", differences);
        if let Some(pid) = container.pid {
            held_by(&container, pid, &folders, &all, &mut outcome);
        }
        Ok(outcome)
    }

    /// The name that the image of a container was sealed under: as given, else the one that the
    /// container was made by, else the one that was last sealed for this image.
    fn name_of(&self, container: &Container) -> Name {
        if let Some(given) = &self.args.repository {
            return Name::untagged(given);
        }
        let named = name_of(&container.image);
        if let Some(named) =
            named.as_ref().filter(|name| self.store.newest(&name.repository).is_some())
        {
            return named.clone();
        }
        let image = container.image_id.as_ref();
        let sealed = image.and_then(|id| self.store.by_image(id).last());
        sealed
            .map(|seal| seal.statement.predicate.name())
            .or(named)
            .unwrap_or_else(|| Name::untagged(&container.image))
    }

    /// The image against the seals of its name.
    fn against_seal(&self, name: &Name, layers_known: bool, outcome: &mut Outcome) {
        outcome.findings.extend(self.store.damages());
        let Inventory { subject, layers, .. } = &outcome.inventory;
        let config = subject.config_digest.as_ref();
        let layers = layers_known.then_some(layers.as_slice());
        let Some(standing) = seal::standing(&self.store, name, config, layers) else {
            let reason = format!("`{name}` was never sealed here; see `lazaret seal`");
            outcome.coverage.push(Coverage::skipped("seal", reason));
            return;
        };
        outcome.findings.extend(standing.findings);
        let mut holds = true;
        let same = standing.newest.entry == standing.baseline.entry;
        for seal in [standing.newest, standing.baseline].into_iter().skip(usize::from(same)) {
            if let Err(error) = seal.verify(&self.keys) {
                outcome.findings.push(finding::signature(seal, &error));
                holds = false;
            }
        }
        outcome.coverage.push(Coverage::ran("seal"));
        if holds {
            outcome.seal = Some(info(standing.baseline));
            self.files_against(standing.baseline, outcome);
        } else {
            let reason = "the seal does not hold: nothing can be held against it";
            outcome.coverage.push(Coverage::skipped("sealed-files", reason));
        }
    }

    fn files_against(&self, seal: &Seal, outcome: &mut Outcome) {
        let loaded = self.store.load(seal).and_then(|record| {
            let packages = record.packages()?;
            Ok((record, packages))
        });
        let (record, packages) = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                outcome.findings.push(finding::document(seal, &error));
                outcome.coverage.push(Coverage::failed("sealed-files", error.to_string()));
                return;
            }
        };
        let Inventory { layers, files, .. } = &outcome.inventory;
        let by = Comparison {
            baseline: Baseline::Seal,
            part: &|_| Part::Image,
            packages: &packages,
            layers,
        };
        let differences = compare(record.files(), files, &by);
        outcome.takes("sealed-files", differences);
    }
}

/// Without the image's own folders all its files would seem to be gone.
fn unreadable(outcome: &Outcome, container: &Container) -> Result<(), Failure> {
    let layers = outcome.coverage.iter().find(|coverage| coverage.check == "layers");
    let problem = layers
        .filter(|coverage| coverage.status == Status::Failed)
        .and_then(|coverage| coverage.problems.first());
    let Some(problem) = problem else { return Ok(()) };
    let text = format!(
        "the folders of container `{}` cannot be read, run as root: {}",
        container.shown(),
        problem.reason
    );
    Err(Failure::new(Exit::Incomplete, anyhow::Error::msg(text)))
}

/// The container's root as engines make it, and as it is: that of the topmost folder counts.
fn root_of(folders: &[LayerFolder]) -> Option<(FileRecord, FileRecord)> {
    use std::os::unix::fs::MetadataExt as _;
    let top = u32::try_from(folders.len().checked_sub(1)?).ok()?;
    let place = folders.last().filter(|folder| folder.role == FolderRole::Written)?;
    let there = std::fs::metadata(&place.path).ok()?;
    // Owned as the layer below, which engines with user namespaces give to others than root.
    let below = folders.iter().rev().nth(1).and_then(|one| std::fs::metadata(&one.path).ok())?;
    let record = |mode, uid, gid| FileRecord {
        path: "/".to_owned(),
        kind: FileKind::Directory,
        mode: mode & 0o7777,
        uid: u64::from(uid),
        gid: u64::from(gid),
        size: 0,
        link: None,
        attributes: std::collections::BTreeMap::default(),
        digest: None,
        layer: Some(top),
    };
    let expected = record(there.mode() & !0o7022, below.uid(), below.gid());
    Some((expected, record(there.mode(), there.uid(), there.gid())))
}

/// Whether the running container sees the files of these folders.
fn held_by(
    container: &Container,
    pid: u32,
    folders: &[LayerFolder],
    files: &[FileRecord],
    outcome: &mut Outcome,
) {
    let root = format!("/proc/{pid}/root");
    match image::live::strays(std::path::Path::new(&root), folders, files) {
        Ok(strays) => {
            outcome.coverage.push(Coverage::ran("mounted-files"));
            if !strays.is_empty() {
                outcome.findings.push(finding::other_folders(&container.id, &strays));
            }
        }
        Err(error) => {
            let reason = format!("cannot look at what its process {pid} sees: {error}");
            outcome.coverage.push(Coverage::skipped("mounted-files", reason));
        }
    }
}

fn diff_id(folder: &LayerFolder) -> Option<Digest> {
    match &folder.role {
        FolderRole::Image { diff_id, .. } => diff_id.clone(),
        FolderRole::EngineInit | FolderRole::Written => None,
    }
}

/// A layer that is known by its digest alone.
fn layer((index, diff_id): (u32, Digest)) -> Layer {
    Layer {
        index,
        digest: None,
        diff_id,
        media_type: String::new(),
        packed_bytes: 0,
        plain_bytes: 0,
        entries: 0,
        command: None,
        origin: Origin::default(),
        from_cache: false,
    }
}

/// What the folder at this place of the stack is.
fn part(folders: &[LayerFolder], layer: Option<u32>) -> Part {
    let folder = layer.and_then(|place| folders.get(usize::try_from(place).ok()?));
    match folder.map(|folder| &folder.role) {
        Some(FolderRole::Written) => Part::Written,
        Some(FolderRole::EngineInit) => Part::Engine,
        Some(FolderRole::Image { .. }) | None => Part::Image,
    }
}

/// What a report says of a seal.
fn info(seal: &Seal) -> SealInfo {
    let predicate = &seal.statement.predicate;
    SealInfo {
        name: predicate.name().to_string(),
        counter: predicate.counter,
        time: predicate.time.clone(),
        signer: predicate.signer.fingerprint.clone(),
        digest: seal.digest.clone(),
    }
}

/// How far files were held against each other.
fn covered(what: &str, differences: &Differences) -> Coverage {
    let Differences { left_out, excused, unread, compared, .. } = differences;
    let problems = unread.iter().map(|path| Problem {
        path: path.clone(),
        layer: None,
        reason: "its content could not be read".to_owned(),
    });
    let mut coverage = Coverage::with_problems(what, problems.collect());
    let mut remarks = vec![format!("{compared} files")];
    if !excused.is_empty() {
        remarks.push(format!("{} that the engine makes itself left out", excused.len()));
    }
    if *left_out > 0 {
        remarks.push(format!("{left_out} more differences are not listed"));
    }
    coverage.reason = Some(remarks.join(", "));
    coverage
}

fn deliver(world: &World, args: &VerifyArgs, outcome: Outcome) -> Result<Exit, Failure> {
    let Outcome { inventory, findings, mut coverage, seal } = outcome;
    let Inventory { subject, distribution, layers, packages, .. } = inventory;
    coverage.sort_by(|left, right| left.check.cmp(&right.check));
    let today = sbom::today(World::now())?;
    let rules = crate::rules::all();
    let judgement = policy::decide(&Policy::of_verification(), &rules, findings, &coverage, today);
    let summary = Summary::count(judgement.open(), &packages);
    let report = Report {
        schema: SCHEMA.to_owned(),
        tool: World::tool(),
        subject,
        seal,
        distribution,
        layers,
        packages,
        rules: judgement.rules,
        findings: judgement.findings,
        coverage,
        databases: Vec::new(),
        summary,
        decision: judgement.decision,
        mending: vocabulary::upgrade::Mending::default(),
        files: Vec::new(),
    };
    let format = default_format(world)?.unwrap_or(Format::TABLE);
    let to = output::of_subject(&args.output, &report.subject.name)?;
    output::deliver(&world.printing, &to, format, |format, style, out| {
        report::render(&report, format, style, out)
    })?;
    let formats = output::formats(&to, format);
    output::say_left_out(&world.printing, formats, std::slice::from_ref(&report), &[]);
    verdict::say_unprinted(world, &to, &report);
    Ok(crate::exit::of_report(&report))
}
