//! Reads the package database of Gentoo and its derivatives.
//!
//! In go the files that portage keeps in one folder a package, `var/db/pkg/CATEGORY/NAME-VERSION`; out
//! come the packages with their licence and files. The folder itself names the package, so that any of
//! these files proves it: some images keep but a few of them. Name and version are divided by the
//! grammar of versions, as portage does it.
//!
//! Sources: portage, `vartree.py`; Gentoo, Package Manager Specification 8, "Package Names", "Version
//! Specifications". Package URLs are of the type `ebuild`, which other tools write; purl-spec has none.

use crate::language::{decode, encode, plain_text};
use crate::os_release::{distro_qualifier, ecosystem};
use crate::owned::{Blob, Budget, Packer, digest_of_hex};
use crate::text::{lines, path};
use image::{
    Cataloged, Entry, Fact, FactAt, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use version::Scheme;
use vocabulary::{Location, Package, Problem, Purl};

const FOLDER: &str = "var/db/pkg/";
/// Largest small file; a licence expression has some hundred bytes.
const SMALL_LIMIT: u64 = 64 << 10;
/// Largest `CONTENTS`; that of the kernel's sources has about ten megabytes.
const CONTENTS_LIMIT: u64 = 64 << 20;

/// Reads the database of portage.
#[derive(Debug)]
pub struct Portage;

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
enum PortageFact<'fact> {
    /// `PF` and `SLOT`: that it is there.
    There,
    Licence(&'fact str),
    Contents(#[serde(borrow)] Blob<'fact>),
}

/// A file of the database, told by its path.
#[derive(Clone, Copy)]
struct Part<'path> {
    category: &'path str,
    name: &'path str,
    version: &'path str,
    file: &'path str,
}

fn part_of(path: &str) -> Option<Part<'_>> {
    let mut parts = path.strip_prefix(FOLDER)?.split('/');
    let (category, package, file) = (parts.next()?, parts.next()?, parts.next()?);
    let is_known = matches!(file, "PF" | "SLOT" | "LICENSE" | "CONTENTS");
    if parts.next().is_some() || !is_known || plain_text(category) != Some(category) {
        return None;
    }
    let hyphens = package.match_indices('-').filter_map(|(at, _)| package.split_at_checked(at));
    let mut divided = hyphens.filter_map(|(name, rest)| Some((name, rest.strip_prefix('-')?)));
    let (name, version) = divided.find(|(_, version)| Scheme::Portage.check(version).is_ok())?;
    // `-MERGING-name-1.0` is not there yet.
    let fits = plain_text(name) == Some(name) && !name.starts_with('-') && !category.is_empty();
    fits.then_some(Part { category, name, version, file })
}

/// Whether it is the file that proves a package, in a folder that does not name one. What is just
/// being merged is not there yet.
fn is_nameless(path: &str) -> bool {
    let mut parts = path.strip_prefix(FOLDER).unwrap_or_default().split('/');
    let (category, package, file) = (parts.next(), parts.next(), parts.next());
    let is_merging = package.is_some_and(|package| package.starts_with("-MERGING-"));
    category.is_some() && file == Some("PF") && parts.next().is_none() && !is_merging
}

impl Reader for Portage {
    fn id(&self) -> &'static str {
        "portage"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Under(FOLDER)]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match part_of(entry.path).map(|part| part.file) {
            None if is_nameless(entry.path) => Want::Whole { at_most: SMALL_LIMIT },
            None => Want::No,
            Some("CONTENTS") => Want::Whole { at_most: CONTENTS_LIMIT },
            Some(_) => Want::Whole { at_most: SMALL_LIMIT },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match part_of(entry.path).map(|part| part.file) {
            None if is_nameless(entry.path) => {
                Err(ReadError::new("its folder is not named as a package: category/name-version"))
            }
            None => Ok(None),
            Some("CONTENTS") => encode(&PortageFact::Contents(contents(bytes))),
            Some("LICENSE") => {
                let text = std::str::from_utf8(bytes).ok().and_then(plain_text);
                encode(&PortageFact::Licence(text.unwrap_or_default()))
            }
            Some(_) => encode(&PortageFact::There),
        }
    }
}

impl Resolver for Portage {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut budget = Budget::default();
        let mut folders: BTreeMap<&str, Vec<FactAt<'_>>> = BTreeMap::new();
        for at in view.staying() {
            let folder = at.path.rsplit_once('/').map_or(at.path, |(folder, _)| folder);
            folders.entry(folder).or_default().push(at);
        }
        for facts in folders.values() {
            resolution.packages.extend(package(view, facts, &mut budget, &mut resolution.problems));
        }
        if let Some(reason) = budget.problem() {
            resolution.problems.push(Problem { path: FOLDER.to_owned(), layer: None, reason });
        }
        resolution
    }
}

fn package(
    view: &View<'_>,
    facts: &[FactAt<'_>],
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) -> Option<Cataloged> {
    let proving = facts.iter().min_by_key(|at| (!at.path.ends_with("/PF"), at.path))?;
    let part = part_of(proving.path)?;
    let purl = Purl::new("ebuild", part.name)
        .with_namespace(part.category)
        .with_version(part.version)
        .with_qualifier("distro", &distro_qualifier(view.distribution()));
    let name = format!("{}/{}", part.category, part.name);
    let location = Location::file(proving.path, proving.layer);
    let mut package =
        Package::new(purl, ecosystem(view.distribution()), name, part.version, location);
    let mut owned = Vec::new();
    for at in facts {
        match decode(at, problems) {
            Some(PortageFact::Licence(text)) if !text.is_empty() => {
                package.licences.push(text.to_owned());
            }
            Some(PortageFact::Contents(files)) => owned = files.unpack(budget),
            _ => {}
        }
    }
    Some(Cataloged { owned, ..Cataloged::new(package) })
}

/// `obj PATH MD5 TIME` and `sym PATH -> TARGET TIME`; folders and devices are left out.
fn contents(bytes: &[u8]) -> Blob<'static> {
    let mut packer = Packer::default();
    for line in lines(bytes) {
        if let Some(rest) = line.strip_prefix(b"obj ") {
            let mut parts = rest.rsplitn(3, |byte| *byte == b' ');
            let (_time, digest, file) = (parts.next(), parts.next(), parts.next());
            if let (Some(digest), Some(file)) = (digest, file) {
                packer.push(&path(file), digest_of_hex(digest).as_ref());
            }
        } else if let Some(rest) = line.strip_prefix(b"sym ") {
            let arrow = memchr::memmem::find(rest, b" -> ");
            let file = arrow.and_then(|at| rest.get(..at));
            file.into_iter().for_each(|file| packer.push(&path(file), None));
        }
    }
    packer.finish()
}

#[cfg(test)]
mod tests;
