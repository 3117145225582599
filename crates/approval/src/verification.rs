//! Holds an image or a container against its seal.
//!
//! Three questions, in this order: does the seal hold, is the image the one that was sealed last under
//! this name, and are its files those that were sealed. For a container a fourth: what was written
//! since it was made. What could not be asked is said in the coverage, and is never a pass.

use crate::name;
use crate::refusal::ApprovalError;
use crate::stack::{diff_id, layer, part, root_of};
use crate::verified::{Verified, info};
use engine::{ContainerDetails, Docker, DockerImage, FolderRole, LayerFolder};
use image::{OpenOptions, Opened};
use scan::{Inventory, Progress, ReadOptions, RecordLevel, ScanError};
use seal::{Baseline, Comparison, Name, Part, Seal, Store, VerifyingKey, compare, finding};
use vocabulary::{Container, Coverage, Digest, FileRecord, Layer, Status, Subject, SubjectKind};

/// By what is verified.
#[derive(Debug)]
pub struct Verification<'run> {
    store: &'run Store,
    keys: &'run [VerifyingKey],
    repository: Option<&'run str>,
    options: ReadOptions,
    progress: &'run Progress,
}

impl<'run> Verification<'run> {
    /// Verifies against the seals of `store` of which one of the `keys` must have made the signature;
    /// under the name `repository`, or the subject's own.
    #[must_use]
    pub fn new(
        store: &'run Store,
        keys: &'run [VerifyingKey],
        repository: Option<&'run str>,
        options: &ReadOptions,
        progress: &'run Progress,
    ) -> Self {
        // Of every file the content counts.
        let options = ReadOptions { files: RecordLevel::Digests, ..options.clone() };
        Self { store, keys, repository, options, progress }
    }
}

impl Verification<'_> {
    /// Verifies `container:NAME`, or an image by any other reference.
    ///
    /// # Errors
    /// Where it is neither, or cannot be read at all. What differs, and what could not be asked, is in
    /// what comes out.
    pub fn verify(&self, reference: &str) -> Result<Verified, ApprovalError> {
        match reference.strip_prefix("container:") {
            Some(name) => self.container(reference, name),
            None => self.image(reference),
        }
    }

    fn image(&self, reference: &str) -> Result<Verified, ApprovalError> {
        let unpacked = match reference.strip_prefix("docker:") {
            Some(name) => self.unpacked(reference, name)?,
            None => None,
        };
        let inventory = match unpacked {
            Some(inventory) => inventory,
            None => scan::read(reference, &self.options, self.progress)?,
        };
        if inventory.subject.kind != SubjectKind::Image {
            return Err(ApprovalError::NotVerifiable(reference.to_owned()));
        }
        let mut outcome = Verified::of(inventory);
        let name = name::of_subject(self.repository, &outcome.inventory.subject)?;
        self.against_seal(&name, true, &mut outcome);
        Ok(outcome)
    }

    /// An image of a Docker whose folders can be read: what would really run, whatever the engine's
    /// own records say of it.
    fn unpacked(&self, reference: &str, name: &str) -> Result<Option<Inventory>, ApprovalError> {
        let image = Docker::connect(&self.options.engines).and_then(|docker| docker.image(name))?;
        let DockerImage { diff_ids, config: Some(_), unpacked: Some(folders), .. } = image else {
            return Ok(None);
        };
        let options = OpenOptions {
            platform: self.options.platform.clone(),
            engines: self.options.engines.clone(),
            ..OpenOptions::default()
        };
        let opened = image::open(reference, &options).map_err(ScanError::from)?;
        let Opened::Image(image) = opened else { return Ok(None) };
        let mut layers: Vec<Layer> = (0_u32..).zip(diff_ids).map(layer).collect();
        for (layer, source) in layers.iter_mut().zip(&image.layers) {
            layer.command.clone_from(&source.command);
            layer.origin.clone_from(&source.origin);
        }
        Ok(Some(self.folders(image.subject, &layers, &folders)))
    }

    fn folders(&self, subject: Subject, layers: &[Layer], folders: &[LayerFolder]) -> Inventory {
        scan::read_folders(subject, layers, folders, &self.options, self.progress)
    }

    /// The container's image against its seal, by the folders that the container itself is made of;
    /// then what was written over them.
    fn container(&self, reference: &str, name: &str) -> Result<Verified, ApprovalError> {
        let ContainerDetails { container, layers: folders } =
            engine::container(&self.options.engines, name)?;
        let of_image =
            folders.iter().filter(|folder| matches!(folder.role, FolderRole::Image { .. }));
        let of_image = of_image.count();
        let subject = Subject {
            kind: SubjectKind::Container,
            name: reference.to_owned(),
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
        let (inventory, files) =
            scan::read_container(subject, &layers, &folders, &self.options, self.progress);
        let mut outcome = Verified::of(inventory);
        unreadable(&outcome, &container)?;
        if !known {
            let reason = "the engine does not say which layer each folder is";
            outcome.coverage.push(Coverage::skipped("layer-digests", reason));
        }
        self.against_seal(&self.name_of(&container), known, &mut outcome);
        let by = Comparison {
            baseline: Baseline::Image,
            part: &|layer| part(&folders, layer),
            packages: &outcome.inventory.software.packages,
            layers: &outcome.inventory.layers,
        };
        let image_files = std::mem::take(&mut outcome.inventory.files.record);
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
        if let Some(given) = self.repository {
            return Name::untagged(given);
        }
        let named = name::parse(&container.image);
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
    fn against_seal(&self, name: &Name, layers_known: bool, outcome: &mut Verified) {
        outcome.findings.extend(self.store.damages());
        let Inventory { subject, layers, .. } = &outcome.inventory;
        let config = subject.config_digest.as_ref();
        let layers = layers_known.then_some(layers.as_slice());
        let Some(standing) = seal::standing(self.store, name, config, layers) else {
            let reason = format!("`{name}` was never sealed here; see `lazaret seal`");
            outcome.coverage.push(Coverage::skipped("seal", reason));
            return;
        };
        outcome.findings.extend(standing.findings);
        let mut holds = true;
        let same = standing.newest.entry == standing.baseline.entry;
        for seal in [standing.newest, standing.baseline].into_iter().skip(usize::from(same)) {
            if let Err(error) = seal.verify(self.keys) {
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

    fn files_against(&self, seal: &Seal, outcome: &mut Verified) {
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
        let differences = compare(record.files(), &files.record, &by);
        outcome.takes("sealed-files", differences);
    }
}

/// Without the image's own folders all its files would seem to be gone.
fn unreadable(outcome: &Verified, container: &Container) -> Result<(), ApprovalError> {
    let layers = outcome.coverage.iter().find(|coverage| coverage.check == "layers");
    let problem = layers
        .filter(|coverage| coverage.status == Status::Failed)
        .and_then(|coverage| coverage.problems.first());
    let Some(problem) = problem else { return Ok(()) };
    Err(ApprovalError::Folders {
        name: container.shown().to_owned(),
        reason: problem.reason.clone(),
    })
}

/// Whether the running container sees the files of these folders.
fn held_by(
    container: &Container,
    pid: u32,
    folders: &[LayerFolder],
    files: &[FileRecord],
    outcome: &mut Verified,
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
