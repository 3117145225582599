//! What is known on a machine: running containers, and images that engines hold, containers were made
//! from, or somebody sealed.

use crate::reference::{Reference, unanswered};
use crate::seals::Seals;
use engine::{Containerd, Docker, EngineError};
use scan::{Progress, ReadOptions, RecordLevel};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use vocabulary::{Container, Coverage, Digest, Distribution, Layer, NotChecked, Package};

/// The running containers and the known images of a machine, before they are matched.
#[derive(Debug)]
pub struct Holdings {
    pub(super) containers: Vec<Container>,
    pub(super) images: Vec<Known>,
    /// What could not be looked at.
    pub(super) gaps: Vec<NotChecked>,
}

impl Holdings {
    /// Asks the engines of `options` and the seals below `state`, and reads each image once. What
    /// cannot be read is a gap of the answer.
    #[must_use]
    pub fn read(options: &ReadOptions, state: &Path, progress: &Progress) -> Self {
        let mut gaps = Vec::new();
        let seals = Seals::open(state, &mut gaps);
        let (containers, mut images) = known(&options.engines, &mut gaps);
        let options = ReadOptions { files: RecordLevel::None, ..options.clone() };
        let runs: BTreeSet<Reference> = containers.iter().map(Reference::of).collect();
        for (reference, image) in &mut images {
            let runs = runs.contains(reference);
            if let Err(error) = image.read(reference, &options, runs, progress) {
                let what = format!("image {}", image.shown());
                gaps.push(NotChecked { what, reason: error.to_string() });
            }
        }
        let mut images = merged(images);
        add_sealed(&mut images, &seals, &mut gaps);
        Self { containers, images, gaps }
    }

    /// The packages of all images: what advisories are needed for.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.images.iter().flat_map(|image| &image.packages)
    }
}

/// An image, with as much of its inventory as the answer needs.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) names: BTreeSet<String>,
    pub(super) known_by: BTreeSet<String>,
    pub(super) image_id: Option<Digest>,
    pub(super) read: bool,
    pub(super) distribution: Option<Distribution>,
    pub(super) layers: Vec<Layer>,
    pub(super) packages: Vec<Package>,
    pub(super) symlinks: HashMap<String, String>,
    pub(super) coverage: Vec<Coverage>,
}

impl Known {
    pub(super) fn shown(&self) -> String {
        let id = || self.image_id.as_ref().map(Digest::short);
        self.names.first().cloned().or_else(id).unwrap_or_else(|| "without a name".to_owned())
    }

    /// Whether a container was made from it. Names do not tell: they move.
    pub(super) fn is_of(&self, container: &Container) -> bool {
        container.image_id.is_some() && container.image_id == self.image_id
    }

    /// Reads it. The files of its packages are kept only where a container runs: there can be
    /// hundreds of images.
    fn read(
        &mut self,
        reference: &Reference,
        options: &ReadOptions,
        runs: bool,
        progress: &Progress,
    ) -> Result<(), scan::ScanError> {
        let inventory = scan::read(&reference.0, options, progress)?;
        self.read = true;
        self.image_id = inventory.subject.config_digest.or(self.image_id.take());
        self.distribution = inventory.software.distribution;
        self.layers = inventory.layers;
        self.packages = inventory.software.packages;
        self.coverage = inventory.coverage;
        if runs {
            self.symlinks = inventory.files.symlinks;
        } else {
            self.packages.iter_mut().for_each(|package| package.files = Vec::new());
        }
        Ok(())
    }
}

/// The running containers, and the images that engines hold or containers were made from.
fn known(
    engines: &engine::Endpoints,
    gaps: &mut Vec<NotChecked>,
) -> (Vec<Container>, BTreeMap<Reference, Known>) {
    let mut images: BTreeMap<Reference, Known> = BTreeMap::new();
    let mut listen = false;
    let mut add = |reference: Reference, engine: &str, names: Vec<String>, id: Option<Digest>| {
        let image = images.entry(reference).or_default();
        image.names.extend(names);
        image.known_by.insert(engine.to_owned());
        image.image_id = image.image_id.take().or(id);
    };
    match Docker::connect(engines).and_then(|docker| docker.images()) {
        Ok(list) => {
            listen = true;
            for image in list {
                add(Reference::by_id(&image.id), "docker", image.tags, Some(image.id));
            }
        }
        Err(EngineError::NotThere { .. }) => {}
        Err(error) => {
            listen = true;
            gaps.push(unanswered(&error));
        }
    }
    match Containerd::connect(engines).and_then(|containerd| containerd.images()) {
        Ok(list) => {
            listen = true;
            for image in list {
                let reference = Reference(format!("containerd:{}", image.name));
                add(reference, "containerd", vec![image.name], None);
            }
        }
        Err(EngineError::NotThere { .. }) => {}
        Err(error) => {
            listen = true;
            gaps.push(unanswered(&error));
        }
    }
    let (mut containers, errors) = engine::containers(engines);
    gaps.extend(errors.iter().map(unanswered));
    if !listen && errors.is_empty() {
        let reason = engine::none_listens(engines);
        gaps.push(NotChecked { what: "engines".to_owned(), reason });
    }
    for container in &containers {
        let names = match container.image.starts_with("sha256:") {
            true => Vec::new(),
            false => vec![container.image.clone()],
        };
        let reference = Reference::of(container);
        // A tag may have moved since; the names that an image has now are the engine's to say.
        let engine = container.engine.name();
        if !images.contains_key(&reference) {
            let image = images.entry(reference).or_default();
            image.names.extend(names);
            image.known_by.insert(engine.to_owned());
            image.image_id.clone_from(&container.image_id);
        }
    }
    containers.sort_by(|left, right| (&left.name, &left.id).cmp(&(&right.name, &right.id)));
    gaps.sort();
    gaps.dedup();
    (containers, images)
}

/// One image where several engines hold it, or several names lead to it.
fn merged(images: BTreeMap<Reference, Known>) -> Vec<Known> {
    let mut all: Vec<Known> = Vec::new();
    for image in images.into_values().filter(|image| image.read) {
        let same =
            |known: &&mut Known| known.image_id.is_some() && known.image_id == image.image_id;
        match all.iter_mut().find(same) {
            Some(known) => {
                known.names.extend(image.names);
                known.known_by.extend(image.known_by);
                if known.symlinks.is_empty() && !image.symlinks.is_empty() {
                    known.symlinks = image.symlinks;
                    known.packages = image.packages;
                }
            }
            None => all.push(image),
        }
    }
    all
}

/// Images that are sealed here: known to the seals as well, or to them alone.
fn add_sealed(images: &mut Vec<Known>, seals: &Seals, gaps: &mut Vec<NotChecked>) {
    for (id, seal) in seals.images() {
        let predicate = &seal.statement.predicate;
        if let Some(known) = images.iter_mut().find(|known| known.image_id.as_ref() == Some(&id)) {
            known.known_by.insert("seals".to_owned());
            continue;
        }
        match seals.packages(seal) {
            Ok(mut packages) => images.push(Known {
                names: BTreeSet::from([predicate.name().to_string()]),
                known_by: BTreeSet::from(["seals".to_owned()]),
                image_id: Some(id),
                read: true,
                distribution: packages.iter().find_map(distribution_of),
                packages: {
                    packages.iter_mut().for_each(|package| package.files = Vec::new());
                    packages
                },
                ..Known::default()
            }),
            Err(reason) => gaps.push(NotChecked {
                what: format!(
                    "seal {} of {} (image {})",
                    predicate.counter,
                    predicate.repository,
                    id.short()
                ),
                reason,
            }),
        }
    }
}

/// The distribution that a package's URL names: a seal keeps packages, and no os-release.
fn distribution_of(package: &Package) -> Option<Distribution> {
    if !package.ecosystem.is_distribution() {
        return None;
    }
    advisories::purls::package(&package.purl, None).ok()?.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_image_under_two_names_is_one() {
        let image = |name: &str, id: &[u8]| {
            let reference = Reference(name.to_owned());
            let known = Known {
                names: BTreeSet::from([name.to_owned()]),
                image_id: Some(Digest::of(id)),
                read: true,
                ..Known::default()
            };
            (reference, known)
        };
        let images = BTreeMap::from([image("a", b"1"), image("b", b"1"), image("c", b"2")]);
        let merged = merged(images);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].names.len(), 2);
    }
}
