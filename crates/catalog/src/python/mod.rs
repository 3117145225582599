//! Python packages that are installed: `*.dist-info` and `*.egg-info`.
//!
//! In go `METADATA` or `PKG-INFO`, of which only the header is read, and the lists of installed
//! files, `RECORD` or `installed-files.txt`; out comes a package for each. Lists and metadata are
//! facts apart, since they are files apart that a later layer can replace one by one.
//! Source: PyPA, "Recording installed projects", "Core metadata specifications" 2.4; PEP 503.

mod metadata;
mod record;

use crate::language::{Installed, decode, encode, proof};
use crate::owned::{Blob, Budget};
use image::{
    Check, ContentDigests, Entry, Fact, FactAt, Interest, ReadError, Resolution, View, Want,
};
use metadata::Metadata;
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Problem, Purl};

/// Largest metadata file: the description behind the header can hold a whole change log.
const METADATA_LIMIT: u64 = 8 << 20;
/// Largest list of files; that of a package with 100,000 files has about 12 MB.
const RECORD_LIMIT: u64 = 16 << 20;

/// The `python` cataloger.
#[derive(Debug)]
pub struct Python;

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
enum PythonFact<'fact> {
    Metadata {
        #[serde(borrow)]
        metadata: Metadata<'fact>,
        proof: Option<ContentDigests>,
    },
    /// Paths relative to the root of the subject.
    Files(#[serde(borrow)] Blob<'fact>),
}

/// Which part of an installation a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Metadata,
    Record,
    InstalledFiles,
}

fn part_of(path: &str) -> Option<Part> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit_once('/').map_or(folder, |(_, folder)| folder);
    match name {
        "METADATA" if folder.ends_with(".dist-info") => Some(Part::Metadata),
        "PKG-INFO" if folder.ends_with(".egg-info") || folder == "EGG-INFO" => Some(Part::Metadata),
        "RECORD" if folder.ends_with(".dist-info") => Some(Part::Record),
        "installed-files.txt" if folder.ends_with(".egg-info") => Some(Part::InstalledFiles),
        // CPython 2 lists itself this way; it is not the package of that name.
        _ if folder == "lib-dynload" => None,
        _ if name.ends_with(".egg-info") => Some(Part::Metadata),
        _ => None,
    }
}

impl Check for Python {
    fn id(&self) -> &'static str {
        "python"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Name("METADATA"),
            Interest::Name("PKG-INFO"),
            Interest::Name("RECORD"),
            Interest::Name("installed-files.txt"),
            Interest::Extension("egg-info"),
        ]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match part_of(entry.path) {
            None => Want::No,
            Some(Part::Metadata) => Want::Whole { at_most: METADATA_LIMIT },
            Some(Part::Record | Part::InstalledFiles) => Want::Whole { at_most: RECORD_LIMIT },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
        match part_of(entry.path) {
            None => Ok(None),
            Some(Part::Metadata) => {
                let metadata = metadata::parse(bytes)?;
                encode(&PythonFact::Metadata { metadata, proof: proof(entry.path, bytes) })
            }
            Some(Part::Record) => encode(&PythonFact::Files(record::from_record(above, bytes)?)),
            Some(Part::InstalledFiles) => {
                encode(&PythonFact::Files(record::from_installed_files(folder, bytes)?))
            }
        }
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut budget = Budget::default();
        for at in view.staying() {
            if !part_of(at.path).is_some_and(|part| part == Part::Metadata) {
                continue;
            }
            let fact = decode(&at, &mut resolution.problems);
            let Some(PythonFact::Metadata { metadata, proof }) = fact else { continue };
            let files = files_of(view, &at, &mut budget, &mut resolution.problems);
            let name = metadata::normalise(&metadata.name);
            let installed = Installed {
                purl: Purl::new("pypi", &name).with_version(&metadata.version),
                ecosystem: Ecosystem::PYPI,
                name,
                version: metadata.version.into_owned(),
                licences: metadata.licences,
                path: at.path.to_owned(),
                layer: at.layer,
                files,
                proof,
            };
            resolution.packages.push(installed.cataloged());
        }
        if let Some(reason) = budget.problem() {
            let path = "Python packages".to_owned();
            resolution.problems.push(Problem { path, layer: None, reason });
        }
        resolution
    }
}

/// The files of the installation whose metadata lies there.
fn files_of(
    view: &View<'_>,
    at: &FactAt<'_>,
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let Some((folder, name)) = at.path.rsplit_once('/') else { return Vec::new() };
    let list = if name == "METADATA" { "RECORD" } else { "installed-files.txt" };
    let Some(list) = view.at(&format!("{folder}/{list}")) else { return Vec::new() };
    match decode(&list, problems) {
        Some(PythonFact::Files(packed)) => {
            let mut all = Vec::new();
            let mut files = packed.files();
            while files.advance() && budget.take(files.path().len()) {
                all.push(files.path().to_owned());
            }
            all
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
