//! What a scan read, before it is matched against advisories.

use crate::asked::Asked;
use std::collections::{BTreeSet, HashMap};
use vocabulary::{Coverage, Distribution, Ecosystem, FileRecord, Finding, Layer, Package, Subject};

/// All that was read of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// What was read.
    pub subject: Subject,
    /// The distribution, where os-release names one.
    pub distribution: Option<Distribution>,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// Packages, sorted by ecosystem, name, version and location.
    pub packages: Vec<Package>,
    /// Who asks for what, as lock files say.
    pub asked: Asked,
    /// Findings that need no advisories: digests that differ.
    pub findings: Vec<Finding>,
    /// How far each check came.
    pub coverage: Vec<Coverage>,
    /// The squashed file record, as far as it was asked for, sorted by path.
    pub files: Vec<FileRecord>,
    /// The symbolic links that stay: path and target.
    pub symlinks: HashMap<String, String>,
    /// By what an image starts.
    pub entry: Option<image::source::Entry>,
    /// What apt is told in it.
    pub apt: catalog::apt::Settings,
    /// The kernel that runs, where this is the machine itself.
    pub kernel: Option<String>,
    /// What programs say of themselves beyond their packages.
    pub programs: vocabulary::Programs,
    /// How the archive that it was read from is packed, where it is.
    pub packed: Option<&'static str>,
    /// VEX documents that are attached to it, where they were asked for.
    pub attached: Vec<image::source::attached::Attached>,
}

impl Inventory {
    /// The ecosystems whose advisories concern it.
    #[must_use]
    pub fn ecosystems(&self) -> BTreeSet<Ecosystem> {
        self.packages.iter().map(|package| package.ecosystem.clone()).collect()
    }
}
