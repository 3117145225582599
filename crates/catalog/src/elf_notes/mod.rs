//! Programs and libraries whose package note names the package that they were built as.
//!
//! In goes an ELF file as a stream, of which this reads the notes alone and, where they are passed, no
//! more; out comes one package for all files that name the same. A package that the package database
//! holds is that one: `scan` leaves out notes that it explains. What remains was copied out of a
//! package, or its database was removed. A note tells the source package, and the distribution for
//! which it was built: only where that is the image's own are its advisories right, so that all others
//! are listed and counted as not checked.
//!
//! Sources: systemd, "Package Metadata for ELF Files" (`ELF_PACKAGE_METADATA`); System V ABI, "Note
//! Section".

mod note;

use crate::binary::Elf;
use crate::language::{decode, encode};
use crate::os_release::{distro_qualifier, ecosystem, namespace};
use image::{
    Cataloged, Entry, Fact, FactAt, Flow, Interest, ReadError, Reading, Resolution, Resolver, View,
    Want,
};
use note::{Note, Notes};
use std::collections::BTreeMap;
use vocabulary::{
    Confidence, Distribution, Ecosystem, Identified, Location, Package, Purl, SourcePackage,
};

/// By what such a package is told.
pub const BY: &str = "content, a package note";

/// How many files of one package are named; a distribution's whole desktop has some thousands.
const FILES: usize = 10_000;

/// The `elf-notes` cataloger.
#[derive(Debug)]
pub struct ElfNotes;

impl image::Reader for ElfNotes {
    fn id(&self) -> &'static str {
        "elf-notes"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        const { &[Interest::Magic(*b"\x7fELF")] }
    }

    fn wants(&self, _: &Entry<'_>, head: &[u8]) -> Want {
        match Elf::parse(head) {
            Some(_) => Want::Stream(Box::new(Reader(Notes::default()))),
            None => Want::No,
        }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let mut reader = Box::new(Reader(Notes::default()));
        reader.push(bytes);
        reader.finish()
    }
}

impl Resolver for ElfNotes {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut found: BTreeMap<Note, (FactAt<'_>, Vec<String>)> = BTreeMap::new();
        for at in view.staying() {
            let Some(note) = decode::<Note>(&at, &mut resolution.problems) else { continue };
            let (first, files) = found.entry(note).or_insert_with(|| (at, Vec::new()));
            if at.path < first.path {
                *first = at;
            }
            if files.len() < FILES {
                files.push(at.path.to_owned());
            }
        }
        for (note, (at, mut files)) in found {
            files.sort_unstable();
            let package = package(note, &at, files, view.distribution());
            resolution.packages.push(Cataloged::new(package));
        }
        resolution
    }
}

struct Reader(Notes);

impl Reading for Reader {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        match self.0.finish() {
            Some(note) => encode(&note),
            None => Ok(None),
        }
    }
}

fn package(
    note: Note,
    at: &FactAt<'_>,
    files: Vec<String>,
    distribution: Option<&Distribution>,
) -> Package {
    let own = distribution.filter(|distribution| {
        distribution.id == note.os && distribution.version == note.os_version
    });
    let distro = match own {
        Some(_) => distro_qualifier(own),
        None if note.os_version.is_empty() => note.os.clone(),
        None => format!("{}-{}", note.os, note.os_version),
    };
    let namespace = if note.os.is_empty() { namespace(None) } else { &note.os };
    let purl = Purl::new(&note.kind, &note.name)
        .with_namespace(namespace)
        .with_version(&note.version)
        .with_qualifier("arch", &note.architecture)
        .with_qualifier("distro", &distro);
    let ecosystem = own.map_or(Ecosystem::PROGRAM, |own| ecosystem(Some(own)));
    let location = Location::file(at.path, at.layer);
    let mut package = Package::new(purl, ecosystem, &note.name, &note.version, location);
    package.architecture = Some(note.architecture).filter(|text| !text.is_empty());
    package.source = Some(SourcePackage { name: note.name, version: note.version });
    let identified = Identified { by: BY.to_owned(), confidence: Confidence::High };
    package.identified = Some(Box::new(identified));
    package.files = files;
    package
}

#[cfg(test)]
mod tests;
