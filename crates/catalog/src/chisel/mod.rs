//! Reads the manifest of a chiselled Ubuntu root.
//!
//! Chisel cuts packages into slices, installs some of them without dpkg, and writes what it did into
//! `manifest.wall`; out come the packages with the files of their slices and the SHA-256 that each
//! file was left with. The manifest does not name sources, so packages have none: what that means for
//! matching is said by `scan`. A release may have several manifests, each at any place; packages in
//! two of them are one.
//!
//! Sources: Chisel documentation, "Chisel manifest", "jsonwall", "Slice definitions"; purl-spec, type
//! `deb`.

mod manifest;

use crate::package_database::{self, Kind, Record};
use image::{
    Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, SubjectShape, View, Want,
};
use std::collections::BTreeSet;
use vocabulary::Purl;

/// Where the slice `base-files_chisel` of every release puts it.
pub const PLACE: &str = "var/lib/chisel/manifest.wall";

const NAME: &str = "manifest.wall";

/// Largest packed manifest; a root of 100 packages has about 200 kB.
const SIZE_LIMIT: u64 = 32 << 20;

/// Whether a path is that of a manifest.
#[must_use]
pub fn is_manifest(path: &str) -> bool {
    path.rsplit_once('/').map_or(path, |(_, name)| name) == NAME
}

/// Reads manifests of chisel.
#[derive(Debug)]
pub struct Chisel;

impl Reader for Chisel {
    fn id(&self) -> &'static str {
        "chisel"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name(NAME)]
    }

    fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
        Want::Whole { at_most: SIZE_LIMIT }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        manifest::read(bytes)?.fact()
    }
}

impl Resolver for Chisel {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        // In a source folder it is a sample of somebody's tests.
        if view.shape() != SubjectShape::RootFileSystem {
            return Resolution::default();
        }
        let paths: BTreeSet<&str> = view.staying().map(|at| at.path).collect();
        let paths: Vec<&str> = paths.into_iter().collect();
        package_database::resolve(view, &paths, &Kind { purl, counts: |_, _| Ok(()), needs: None })
    }
}

fn purl(record: &Record<'_>) -> Purl {
    Purl::new("deb", &record.name.to_lowercase()).with_version(&record.version)
}

#[cfg(test)]
mod tests;
