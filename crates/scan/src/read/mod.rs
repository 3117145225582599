//! Reads a subject: from the cache what is known, from the source what is not.

mod follow;
mod layers;
mod stack;

pub use stack::{read_container, read_folders};

use crate::bill;
use crate::checks::Chosen;
use crate::error::ScanError;
use crate::host;
use crate::inventory::{ATTACHED, Inventory};
use crate::options::ReadOptions;
use crate::resolve::{self, Tree};
use follow::follow_folders;
use image::source::attached::Wanted;
use image::{
    Dispatch, FactCache, OpenOptions, Opened, PathHasher, Place, Progress, Reader, Walker,
};
use std::path::Path;
use vocabulary::{Coverage, Problem};

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
    let places: &[Place] = match &opened {
        Opened::Image(_) => &[Place::Image],
        Opened::Directory(_) => &[Place::RootFolder, Place::SourceFolder],
    };
    let chosen = Chosen::of(&options.checks, places);
    let (cache, remark) = open_cache(options.cache.as_deref())?;
    let hasher = cache
        .as_ref()
        .map_or_else(|| PathHasher::new(image::cache::random_key()), |cache| *cache.hasher());
    let readers = chosen.readers();
    let reading =
        Reading { chosen: &chosen, readers, cache: cache.as_ref(), hasher, options, progress };
    let mut inventory = match opened {
        Opened::Image(image) => reading.image(&image),
        Opened::Directory(folder) => reading.directory(reference, &folder, None)?,
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
    let chosen = Chosen::of(&options.checks, &[Place::Host]);
    let hasher = PathHasher::new(image::cache::random_key());
    let readers = chosen.readers();
    let reading = Reading { chosen: &chosen, readers, cache: None, hasher, options, progress };
    let inventory = reading.directory(reference, root, Some(host::is_place))?;
    Ok(host::settle(inventory, root, options.kernel.as_deref()))
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

/// What it takes to read a subject.
struct Reading<'read> {
    chosen: &'read Chosen,
    /// The readers of all that was chosen.
    readers: Vec<&'read dyn Reader>,
    cache: Option<&'read FactCache>,
    hasher: PathHasher,
    options: &'read ReadOptions,
    progress: &'read Progress,
}

impl Reading<'_> {
    fn directory(
        &self,
        reference: &str,
        folder: &Path,
        takes: Option<fn(&str) -> bool>,
    ) -> Result<Inventory, ScanError> {
        let dispatch = Dispatch::new(&self.readers);
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
        let tree = Tree {
            facts: vec![facts],
            records: vec![record],
            followed,
            directory: true,
            configuration: None,
        };
        Ok(resolve::inventory(subject, Vec::new(), tree, self.chosen, &self.hasher))
    }
}
