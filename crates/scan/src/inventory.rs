//! What a scan read, before it is matched against advisories.
//!
//! Each room's share is a part of its own: what the catalogers found, what seals hold on to, what
//! findings are ranked by, what an archive is asked by, and what the source brings along. Who adds a
//! room adds a part, and who uses one names no other.

use crate::asked::Asked;
use image::source::Entry;
use image::source::attached::Attached;
use std::collections::{BTreeSet, HashMap};
use vocabulary::{
    Coverage, Distribution, Ecosystem, FileRecord, Finding, Layer, Package, Programs, Subject,
};

/// The check of what is attached to an image, in the coverage.
pub(crate) const ATTACHED: &str = "attached-vex";

/// All that was read of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// What was read.
    pub subject: Subject,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// What is installed, which is matched.
    pub software: Software,
    /// The files, which are sealed and verified.
    pub files: Files,
    /// What of it runs, by which findings are ranked.
    pub runs: Runs,
    /// What apt is told in it, by which its archive is asked how fresh it is.
    pub apt: catalog::apt::Settings,
    /// What its source is, and brings along.
    pub source: Source,
    /// Findings that need no advisories: digests that differ.
    pub findings: Vec<Finding>,
    /// How far each check came.
    pub coverage: Vec<Coverage>,
}

/// What the catalogers found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Software {
    /// The distribution, where os-release names one.
    pub distribution: Option<Distribution>,
    /// Packages, sorted by ecosystem, name, version and location.
    pub packages: Vec<Package>,
    /// Who asks for what, as lock files say.
    pub asked: Asked,
    /// What programs say of themselves beyond their packages.
    pub programs: Programs,
}

/// The files of a subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// The squashed file record, as far as it was asked for, sorted by path.
    pub record: Vec<FileRecord>,
    /// The symbolic links that stay: path and target.
    pub symlinks: HashMap<String, String>,
}

/// What of a subject runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs {
    /// By what an image starts.
    pub entry: Option<Entry>,
    /// The kernel, where this is the machine itself.
    pub kernel: Option<String>,
}

/// What the source of a subject is, and brings along.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// How the archive that it was read from is packed, where it is.
    pub packed: Option<&'static str>,
    /// VEX documents that are attached to it, where they were asked for.
    pub attached: Vec<Attached>,
}

impl Software {
    /// The ecosystems whose advisories concern it.
    #[must_use]
    pub fn ecosystems(&self) -> BTreeSet<Ecosystem> {
        self.packages.iter().map(|package| package.ecosystem.clone()).collect()
    }
}
