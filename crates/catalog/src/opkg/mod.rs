//! Reads the package database of OpenWrt up to 24.10, Yocto, Entware and other small systems.
//!
//! In go `status` (all packages in one file) and, in `info/`, the control file and the file list of
//! each package; out come the installed packages with their files. The form is that of dpkg. A control
//! file that `status` does not speak of is a package all the same: an image that lost its `status`
//! still has it installed. Sources and versions of sources are not stated in a form that advisories
//! use. The places are those of opkg and of its elder, ipkg, at the root and below `/opt`.
//!
//! Sources: opkg, `libopkg/opkg_conf.h` for the places, `libopkg/pkg_parse.c` for the fields. Package
//! URLs are of the type `opkg`, which purl-spec names as a candidate.

use crate::dpkg::files::read_list;
use crate::dpkg::status::{self, Record, Status};
use crate::language::{decode, encode};
use crate::os_release::{distro_qualifier, ecosystem, namespace};
use crate::owned::{Blob, Budget};
use image::{
    Cataloged, Entry, Fact, FactAt, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
use std::collections::HashSet;
use vocabulary::{Location, Package, Problem, Purl};

/// Folders of databases.
const FOLDERS: [&str; 6] = [
    "usr/lib/opkg/",
    "var/lib/opkg/",
    "opt/lib/opkg/",
    "opt/var/lib/opkg/",
    "usr/lib/ipkg/",
    "opt/lib/ipkg/",
];

/// Largest `status` or control file; a thousand packages have about 400 kB.
const STATUS_LIMIT: u64 = 16 << 20;
/// Largest list of files of one package.
const LIST_LIMIT: u64 = 16 << 20;

/// Reads the database of opkg.
#[derive(Debug)]
pub struct Opkg;

/// What a file of the database is, told by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Status,
    Control,
    List,
}

fn part_of(path: &str) -> Option<Part> {
    let inner = FOLDERS.iter().find_map(|folder| path.strip_prefix(folder))?;
    if inner == "status" {
        return Some(Part::Status);
    }
    match inner.strip_prefix("info/")?.rsplit_once('.') {
        Some((_, "control")) => Some(Part::Control),
        Some((_, "list")) => Some(Part::List),
        _ => None,
    }
}

impl Reader for Opkg {
    fn id(&self) -> &'static str {
        "opkg"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Under("usr/lib/opkg/"),
            Interest::Under("var/lib/opkg/"),
            Interest::Under("opt/lib/opkg/"),
            Interest::Under("opt/var/lib/opkg/"),
            Interest::Under("usr/lib/ipkg/"),
            Interest::Under("opt/lib/ipkg/"),
        ]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match part_of(entry.path) {
            None => Want::No,
            Some(Part::List) => Want::Whole { at_most: LIST_LIMIT },
            Some(_) => Want::Whole { at_most: STATUS_LIMIT },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match part_of(entry.path) {
            None => Ok(None),
            Some(Part::List) => encode(&read_list(bytes)),
            Some(part) => {
                let status = status::read(bytes);
                let is_named = status.packages.iter().any(|record| !record.name.is_empty());
                if part == Part::Control && !is_named && status.problem.is_none() {
                    return Err(ReadError::new("names no package; the database is damaged"));
                }
                if !is_named && status.problem.is_none() {
                    return Ok(None);
                }
                encode(&status)
            }
        }
    }
}

impl Resolver for Opkg {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut out = Resolution::default();
        let mut budget = Budget::default();
        let mut seen = HashSet::new();
        let distro = distro_qualifier(view.distribution());
        for wanted in [Part::Status, Part::Control] {
            for at in view.staying().filter(|at| part_of(at.path) == Some(wanted)) {
                let Some(status) = decode::<Status<'_>>(&at, &mut out.problems) else { continue };
                if let Some(reason) = &status.problem {
                    out.problems.push(problem(at.path, at.layer, reason.clone()));
                }
                for record in &status.packages {
                    let folder = folder_of(at.path);
                    // Of one package in two architectures there are no two on one router.
                    if !seen.insert((folder, record.name.to_string(), record.version.to_string())) {
                        continue;
                    }
                    let package = package(record, view, &at, &distro);
                    let list = view.at(&format!("{folder}info/{}.list", record.name));
                    let owned = list
                        .and_then(|list| decode::<Blob<'_>>(&list, &mut out.problems))
                        .map(|files| files.unpack(&mut budget));
                    let owned = owned.unwrap_or_default();
                    out.packages.push(Cataloged { owned, ..Cataloged::new(package) });
                }
            }
        }
        if let Some(reason) = budget.problem() {
            out.problems.push(problem("usr/lib/opkg/info/", None, reason));
        }
        out
    }
}

fn problem(path: &str, layer: Option<u32>, reason: String) -> Problem {
    Problem { path: path.to_owned(), layer, reason }
}

fn folder_of(path: &str) -> &'static str {
    FOLDERS.into_iter().find(|folder| path.starts_with(folder)).unwrap_or_default()
}

fn package(record: &Record<'_>, view: &View<'_>, at: &FactAt<'_>, distro: &str) -> Package {
    let purl = Purl::new("opkg", &record.name)
        .with_namespace(namespace(view.distribution()))
        .with_version(&record.version)
        .with_qualifier("arch", &record.architecture)
        .with_qualifier("distro", distro);
    let mut package = Package::new(
        purl,
        ecosystem(view.distribution()),
        record.name.as_ref(),
        record.version.as_ref(),
        Location::file(at.path, at.layer),
    );
    package.architecture =
        Some(record.architecture.to_string()).filter(|architecture| !architecture.is_empty());
    package
}

#[cfg(test)]
mod tests;
