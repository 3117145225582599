//! Python packages that are installed (`*.dist-info`, `*.egg-info`) and those inside archives (eggs, wheels,
//! zipapp, pex, shiv).
//!
//! In go `METADATA` or `PKG-INFO`, of which only the header is read, the lists of installed files, `RECORD`
//! or `installed-files.txt`, and archives whole; out comes a package for each. Lists and metadata are
//! facts apart, since they are files apart that a later layer can replace one by one. A folder with a list
//! and without metadata is named by its own name, as Python's `importlib.metadata` does.
//!
//! A wheel that lies in an image is listed, and said to be one: Python runs it where it lies once it is on
//! the path, as `ensurepip` does with the wheel of pip. An `.egg-link` and the files of an editable
//! installation point to where a package lies, and are named after it: it is listed by that name where the
//! `.egg-info` or `.dist-info` is missing that should be there.
//! Source: PyPA, "Recording installed projects", "Core metadata specifications" 2.4; PEP 503.

mod metadata;
mod pointer;
mod record;
mod zipped;

use crate::language::{Installed, decode, encode, proof};
use crate::owned::{Blob, Budget};
use image::{
    Cataloged, ContentDigests, Entry, Fact, FactAt, Flow, Interest, ReadError, Reader, Reading,
    Resolution, Resolver, SubjectShape, View, Want,
};
use metadata::Metadata;
use pointer::Pointer;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use vocabulary::{Confidence, Ecosystem, Identified, Problem, Purl};
use zipped::Carried;

/// Largest metadata file: the description behind the header can hold a whole change log.
const METADATA_LIMIT: u64 = 8 << 20;
/// Largest list of files; that of a package with 100,000 files has about 12 MB.
const RECORD_LIMIT: u64 = 16 << 20;
/// Largest file that points to a package; that of an editable installation holds a program of some 10 KB.
const POINTER_LIMIT: u64 = 1 << 20;
/// Largest archive that is held in memory; the whole scan has 100 MB. A larger wheel is known by its name,
/// other archives are a problem in coverage.
const ARCHIVE_LIMIT: u64 = 64 << 20;

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
    Carried {
        #[serde(borrow)]
        carried: Carried<'fact>,
        proof: Option<ContentDigests>,
    },
    Pointer(Pointer),
}

/// Which part of an installation a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Metadata,
    /// Metadata by its name, in a folder of any name.
    Stray,
    Record,
    InstalledFiles,
    Archive,
    Pointer,
}

fn part_of(path: &str) -> Option<Part> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit_once('/').map_or(folder, |(_, folder)| folder);
    let is_info =
        folder.ends_with(".dist-info") || folder.ends_with(".egg-info") || folder == "EGG-INFO";
    match name {
        "METADATA" | "PKG-INFO" if is_info => Some(Part::Metadata),
        "METADATA" | "PKG-INFO" => Some(Part::Stray),
        "RECORD" if folder.ends_with(".dist-info") => Some(Part::Record),
        "installed-files.txt" if folder.ends_with(".egg-info") => Some(Part::InstalledFiles),
        // CPython 2 lists itself this way; it is not the package of that name.
        _ if folder == "lib-dynload" => None,
        _ if name.ends_with(".egg-info") => Some(Part::Metadata),
        _ if pointer::is_one(name) => Some(Part::Pointer),
        _ if zipped::is_on_the_path(name) => Some(Part::Archive),
        _ => {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            zipped::ENDINGS.contains(&ending).then_some(Part::Archive)
        }
    }
}

/// Whether a script is a program of Python with its archive behind the first line (PEP 441).
fn is_packed_script(head: &[u8]) -> bool {
    let end = memchr::memchr(b'\n', head).filter(|_| head.starts_with(b"#!"));
    let Some((line, rest)) = end.and_then(|end| head.split_at_checked(end + 1)) else {
        return false;
    };
    memchr::memmem::find(line, b"py").is_some() && rest.starts_with(b"PK\x03\x04")
}

impl Reader for Python {
    fn id(&self) -> &'static str {
        "python"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        const {
            &[
                Interest::Name("METADATA"),
                Interest::Name("PKG-INFO"),
                Interest::Name("RECORD"),
                Interest::Name("installed-files.txt"),
                Interest::Extension("egg"),
                Interest::Extension("egg-info"),
                Interest::Extension("egg-link"),
                Interest::Extension("pex"),
                Interest::Extension("pth"),
                Interest::Extension("py"),
                Interest::Extension("pyz"),
                Interest::Extension("whl"),
                Interest::Extension("zip"),
                Interest::Magic(*b"#!/b"),
                Interest::Magic(*b"#!/u"),
            ]
        }
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        let archive = Want::Whole { at_most: ARCHIVE_LIMIT };
        match part_of(entry.path) {
            Some(Part::Metadata) => Want::Whole { at_most: METADATA_LIMIT },
            Some(Part::Stray) if metadata::is_metadata(head) => {
                Want::Whole { at_most: METADATA_LIMIT }
            }
            Some(Part::Pointer) => Want::Whole { at_most: POINTER_LIMIT },
            Some(Part::Record | Part::InstalledFiles) => Want::Whole { at_most: RECORD_LIMIT },
            Some(Part::Archive) if head.starts_with(b"PK") => {
                match zipped::by_name(entry.path).filter(|_| entry.size > ARCHIVE_LIMIT) {
                    Some(metadata) => Want::Stream(Box::new(ByName(metadata))),
                    None => archive,
                }
            }
            _ if is_packed_script(head) => archive,
            _ => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
        match part_of(entry.path) {
            Some(Part::Metadata | Part::Stray) => {
                let metadata = metadata::parse(bytes)?;
                encode(&PythonFact::Metadata { metadata, proof: proof(entry.path, bytes) })
            }
            Some(Part::Record) => encode(&PythonFact::Files(record::from_record(above, bytes)?)),
            Some(Part::InstalledFiles) => {
                encode(&PythonFact::Files(record::from_installed_files(folder, bytes)?))
            }
            Some(Part::Pointer) => match pointer::read(entry.path, bytes)? {
                Some(pointer) => encode(&PythonFact::Pointer(pointer)),
                None => Ok(None),
            },
            Some(Part::Archive) | None => {
                let carried = zipped::read(entry.path, bytes)?;
                if carried == Carried::default() {
                    return Ok(None);
                }
                encode(&PythonFact::Carried { carried, proof: proof(entry.path, bytes) })
            }
        }
    }
}

impl Resolver for Python {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut budget = Budget::default();
        let mut found = Found::default();
        for at in view.staying() {
            match part_of(at.path) {
                Some(Part::Metadata | Part::Stray) => {
                    found.metadata(view, &at, &mut budget, &mut resolution);
                }
                Some(Part::Record) => found.record(view, &at, &mut budget, &mut resolution),
                Some(Part::InstalledFiles) => {}
                Some(Part::Pointer) => found.pointers.push(at),
                Some(Part::Archive) | None => carried(&at, &mut resolution),
            }
        }
        found.pointers(&mut resolution);
        found.strays(&mut resolution);
        if let Some(reason) = budget.problem() {
            let path = "Python packages".to_owned();
            resolution.problems.push(Problem { path, layer: None, reason });
        }
        resolution
    }
}

/// A wheel that is too large to be opened.
struct ByName(metadata::Metadata<'static>);

impl Reading for ByName {
    fn push(&mut self, _: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        let carried = Carried { packages: vec![(String::new(), self.0)], ..Carried::default() };
        encode(&PythonFact::Carried { carried, proof: None })
    }
}

/// What metadata was found while the view is gone through.
#[derive(Default)]
struct Found<'view> {
    /// Paths of metadata in folders of installed packages, by name and version.
    installed: HashMap<(String, String), Vec<String>>,
    strays: Vec<Cataloged>,
    pointers: Vec<FactAt<'view>>,
}

impl Found<'_> {
    fn metadata(
        &mut self,
        view: &View<'_>,
        at: &FactAt<'_>,
        budget: &mut Budget,
        resolution: &mut Resolution,
    ) {
        // Of both names in one folder, Python reads this one.
        let other = at.path.strip_suffix("/PKG-INFO").map(|folder| format!("{folder}/METADATA"));
        if other.is_some_and(|other| view.at(&other).is_some()) {
            return;
        }
        let fact = decode(at, &mut resolution.problems);
        let Some(PythonFact::Metadata { metadata, proof }) = fact else { return };
        let files = files_of(view, at, budget, &mut resolution.problems);
        let one = installed(metadata, at.path.to_owned(), at, files, proof);
        if part_of(at.path) == Some(Part::Metadata) {
            let key = (one.package.name.clone(), one.package.version.clone());
            self.installed.entry(key).or_default().push(at.path.to_owned());
            resolution.packages.push(one);
        } else if view.shape() != SubjectShape::Source {
            self.strays.push(one);
        }
    }

    /// A folder whose metadata was removed, as some do to make images small.
    fn record(
        &mut self,
        view: &View<'_>,
        at: &FactAt<'_>,
        budget: &mut Budget,
        resolution: &mut Resolution,
    ) {
        let folder = at.path.strip_suffix("/RECORD").unwrap_or_default();
        let names = ["METADATA", "PKG-INFO"];
        if names.iter().any(|name| view.at(&format!("{folder}/{name}")).is_some()) {
            return;
        }
        let name = folder.rsplit_once('/').map_or(folder, |(_, name)| name);
        let stem = name.strip_suffix(".dist-info").unwrap_or_default();
        let Some(metadata) = metadata::from_name(stem) else {
            let reason = "it has no METADATA beside it; the installation is damaged".to_owned();
            let path = at.path.to_owned();
            resolution.problems.push(Problem { path, layer: at.layer, reason });
            return;
        };
        let files = unpacked(at, budget, &mut resolution.problems);
        let mut one = installed(metadata, at.path.to_owned(), at, files, None);
        one.package.identified = identified("folder name, METADATA is missing", Confidence::Medium);
        resolution.packages.push(one);
    }

    /// What is pointed to, and has no metadata where it should lie.
    fn pointers(&mut self, resolution: &mut Resolution) {
        let mut listed = std::collections::HashSet::new();
        for at in &self.pointers {
            let fact = decode(at, &mut resolution.problems);
            let Some(PythonFact::Pointer(pointer)) = fact else { continue };
            let name = metadata::normalise(&pointer.name);
            let in_target = |path: &String| {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let beside = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
                folder == pointer.folder || beside == pointer.folder
            };
            let mut known = self.installed.iter().filter(|((other, _), _)| *other == name);
            if known.any(|(_, paths)| paths.iter().any(in_target))
                || !listed.insert((name, pointer.folder.clone()))
            {
                continue;
            }
            let metadata = Metadata {
                name: pointer.name.into(),
                version: pointer.version.into(),
                licences: Vec::new(),
            };
            let mut one = installed(metadata, at.path.to_owned(), at, Vec::new(), None);
            let by = "file that points to it, its metadata is missing";
            one.package.identified = identified(by, Confidence::Medium);
            resolution.packages.push(one);
        }
    }

    /// Metadata in other folders: what was unpacked and not installed. A source release has the same twice.
    fn strays(self, resolution: &mut Resolution) {
        for stray in self.strays {
            let path = stray.package.location.path().unwrap_or_default();
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let key = (stray.package.name.clone(), stray.package.version.clone());
            let is_below = |other: &String| {
                let rest = other.strip_prefix(folder);
                rest.is_some_and(|rest| folder.is_empty() || rest.starts_with('/'))
            };
            if !self.installed.get(&key).is_some_and(|others| others.iter().any(is_below)) {
                resolution.packages.push(stray);
            }
        }
    }
}

/// The packages of an archive.
fn carried(at: &FactAt<'_>, resolution: &mut Resolution) {
    let fact = decode(at, &mut resolution.problems);
    let Some(PythonFact::Carried { carried, proof }) = fact else { return };
    let place = |inner: &str| match inner {
        "" => at.path.to_owned(),
        _ => format!("{}!/{inner}", at.path),
    };
    let mut problems = carried.problems;
    if carried.left_out > 0 {
        let reason = format!("it has {} more problems, which are not named", carried.left_out);
        problems.push((String::new(), reason));
    }
    for (inner, reason) in problems {
        resolution.problems.push(Problem { path: place(&inner), layer: at.layer, reason });
    }
    for (inner, metadata) in carried.packages {
        let mut one = installed(metadata, place(&inner), at, Vec::new(), proof);
        if at.path.ends_with(".whl") {
            one.package.identified = identified("wheel that is not installed", Confidence::High);
        }
        resolution.packages.push(one);
    }
}

fn identified(by: &str, confidence: Confidence) -> Option<Box<Identified>> {
    Some(Box::new(Identified { by: by.to_owned(), confidence }))
}

fn installed(
    metadata: Metadata<'_>,
    path: String,
    at: &FactAt<'_>,
    files: Vec<String>,
    proof: Option<ContentDigests>,
) -> Cataloged {
    let name = metadata::normalise(&metadata.name);
    let installed = Installed {
        purl: Purl::new("pypi", &name).with_version(&metadata.version),
        ecosystem: Ecosystem::PYPI,
        name,
        version: metadata.version.into_owned(),
        licences: metadata.licences,
        path,
        layer: at.layer,
        files,
        proof,
    };
    installed.cataloged()
}

/// The files of the installation whose metadata lies there.
fn files_of(
    view: &View<'_>,
    at: &FactAt<'_>,
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let Some((folder, _)) = at.path.rsplit_once('/') else { return Vec::new() };
    let list = ["RECORD", "installed-files.txt"]
        .iter()
        .find_map(|list| view.at(&format!("{folder}/{list}")));
    list.map(|list| unpacked(&list, budget, problems)).unwrap_or_default()
}

fn unpacked(list: &FactAt<'_>, budget: &mut Budget, problems: &mut Vec<Problem>) -> Vec<String> {
    let Some(PythonFact::Files(packed)) = decode(list, problems) else { return Vec::new() };
    let mut all = Vec::new();
    let mut files = packed.files();
    while files.advance() && budget.take(files.path().len()) {
        all.push(files.path().to_owned());
    }
    all
}

#[cfg(test)]
mod tests;
