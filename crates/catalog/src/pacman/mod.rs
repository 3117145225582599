//! Reads the package database of Arch Linux and its derivatives.
//!
//! In go `desc` and `files`, which pacman keeps in one folder a package; out come the packages with
//! their base (what they were built from), licences and files. Both are facts of their own, since a
//! later layer can replace one of them. The digests of files lie in a packed `mtree` beside them and
//! are not read: those of `%BACKUP%` are, and for the others it counts that file and package came with
//! the same layer.
//!
//! Sources: pacman(8), `lib/libalpm/be_local.c`; ALPM, `alpm-db-desc(5)`, `alpm-db-files(5)`;
//! purl-spec, type `alpm`.

mod parse;

use crate::language::{decode, encode};
use crate::os_release::{distro_qualifier, ecosystem, namespace};
use crate::owned::{Blob, Budget};
use image::{
    Cataloged, Entry, Fact, FactAt, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
use parse::Description;
use serde::{Deserialize, Serialize};
use vocabulary::{Location, Package, Problem, Purl, SourcePackage};

const FOLDER: &str = "var/lib/pacman/local/";
/// Largest `desc`; those with hundreds of dependencies have about 20 kB.
const DESC_LIMIT: u64 = 1 << 20;
/// Largest `files`; that of the largest package has about five megabytes.
const FILES_LIMIT: u64 = 64 << 20;

/// Reads the database of pacman.
#[derive(Debug)]
pub struct Pacman;

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
enum PacmanFact<'fact> {
    Description(#[serde(borrow)] Description<'fact>),
    Files(#[serde(borrow)] Blob<'fact>),
}

/// `desc` or `files`, directly in the folder of a package.
fn part_of(path: &str) -> Option<&str> {
    let (package, name) = path.strip_prefix(FOLDER)?.split_once('/')?;
    (!package.is_empty() && matches!(name, "desc" | "files")).then_some(name)
}

impl Reader for Pacman {
    fn id(&self) -> &'static str {
        "pacman"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Under(FOLDER)]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match part_of(entry.path) {
            None => Want::No,
            Some("desc") => Want::Whole { at_most: DESC_LIMIT },
            Some(_) => Want::Whole { at_most: FILES_LIMIT },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match part_of(entry.path) {
            None => Ok(None),
            Some("desc") => encode(&PacmanFact::Description(parse::description(bytes)?)),
            Some(_) => encode(&PacmanFact::Files(parse::files(bytes))),
        }
    }
}

impl Resolver for Pacman {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut budget = Budget::default();
        let distro = distro_qualifier(view.distribution());
        for at in view.staying().filter(|at| part_of(at.path) == Some("desc")) {
            let fact = decode(&at, &mut resolution.problems);
            let Some(PacmanFact::Description(description)) = fact else { continue };
            let package = package(&description, view, &at, &distro);
            let files = at.path.strip_suffix("desc").and_then(|folder| {
                let files = view.at(&format!("{folder}files"))?;
                decode(&files, &mut resolution.problems)
            });
            let owned = match files {
                Some(PacmanFact::Files(files)) => files.unpack(&mut budget),
                _ => Vec::new(),
            };
            resolution.packages.push(Cataloged { owned, ..Cataloged::new(package) });
        }
        for at in view.staying().filter(|at| part_of(at.path) == Some("files")) {
            let folder = at.path.strip_suffix("files").unwrap_or_default();
            if view.at(&format!("{folder}desc")).is_none() {
                resolution.problems.push(Problem {
                    path: at.path.to_owned(),
                    layer: at.layer,
                    reason: "has no readable `desc` beside it: its package is not known".into(),
                });
            }
        }
        if let Some(reason) = budget.problem() {
            resolution.problems.push(Problem { path: FOLDER.to_owned(), layer: None, reason });
        }
        resolution
    }
}

fn package(
    description: &Description<'_>,
    view: &View<'_>,
    at: &FactAt<'_>,
    distro: &str,
) -> Package {
    let Description { name, version, base, architecture, licences } = description;
    let upstream = if base == name { "" } else { base };
    let purl = Purl::new("alpm", name)
        .with_namespace(namespace(view.distribution()))
        .with_version(version)
        .with_qualifier("arch", architecture)
        .with_qualifier("distro", distro)
        .with_qualifier("upstream", upstream);
    let location = Location::file(at.path, at.layer);
    let mut package = Package::new(purl, ecosystem(view.distribution()), *name, *version, location);
    package.source = Some(base)
        .filter(|base| !base.is_empty())
        .map(|base| SourcePackage { name: (*base).to_owned(), version: (*version).to_owned() });
    package.architecture = Some((*architecture).to_owned()).filter(|text| !text.is_empty());
    package.licences = licences.iter().map(|licence| (*licence).to_owned()).collect();
    package
}

#[cfg(test)]
mod tests;
