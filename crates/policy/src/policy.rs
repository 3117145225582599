//! What a policy says: where the line is, and what is not to be counted.

use crate::conditions::{BaseRules, LicenceRules, Override, PackageRule};
use crate::ignore::Ignore;
use crate::vex::VexStatement;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use vocabulary::Severity;
use vocabulary::diff::Likeness;

/// Where the line is, and what is not to be counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Findings of this severity or worse are over the line. None: there is no line for
    /// vulnerabilities. `Unknown` draws it below everything, unknown severities included.
    pub fail_on: Option<Severity>,
    /// Findings of unknown severity are over the line too.
    pub fail_on_unknown: bool,
    /// Vulnerabilities that are known to be exploited are over the line, whatever their severity.
    pub fail_on_exploited: bool,
    /// Checks that could not read some files do not make the outcome incomplete, nor do those that
    /// somebody left out, nor packages that nobody publishes advisories for. Other checks that did not
    /// run, or broke off, still do.
    pub allow_partial: bool,
    /// Which checks run, in words that whoever runs them knows; empty where nobody says.
    pub checks: Vec<String>,
    /// What people chose to silence.
    pub ignores: Vec<Ignore>,
    /// Only vulnerabilities that can be mended are over the line.
    pub only_fixed: bool,
    /// Vulnerabilities are not over the line where the program is shown not to hold what is
    /// vulnerable.
    pub only_linked: bool,
    /// Whose layers count.
    pub layers: Layers,
    /// Severities that count instead of the advisories'.
    pub overrides: Vec<Override>,
    /// Which licences packages may have.
    pub licences: Option<LicenceRules>,
    /// Packages that may not be there.
    pub forbidden_packages: Vec<PackageRule>,
    /// Packages that must be there.
    pub required_packages: Vec<PackageRule>,
    /// On which base images an image may be built.
    pub base_images: Option<BaseRules>,
    /// What publishers say of vulnerabilities in their products.
    pub vex: Vec<VexStatement>,
    /// By key of the policy file: file and line that say it.
    pub places: BTreeMap<String, String>,
    /// Names of the files above that nobody named: they were found. What they take away is said.
    pub found: BTreeSet<String>,
    /// What was found before: such findings are not over the line, unless no line lets them pass
    /// ([`vocabulary::Always`]). None: nothing is compared.
    pub known: Option<HashSet<Likeness>>,
    /// What the decision is about, for its words.
    pub matter: Matter,
}

/// Whose layers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// All.
    #[default]
    All,
    /// Those of the base image.
    Base,
    /// Those that the image's author added; what cannot be told counts.
    Own,
}

/// What a decision is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matter {
    /// The findings of a scan.
    #[default]
    Findings,
    /// What a comparison found to be new.
    NewFindings,
    /// What differs from a seal; the line is fixed, and no option's.
    Differences,
    /// A list of packages, which nothing was matched against: that there is no finding says nothing.
    Packages,
}

impl Matter {
    /// Its noun, for one and for many.
    pub(crate) const fn noun(self) -> (&'static str, &'static str) {
        match self {
            Self::Findings | Self::Packages => ("finding", "findings"),
            Self::NewFindings => ("new finding", "new findings"),
            Self::Differences => ("difference", "differences"),
        }
    }
}

impl Policy {
    /// The policy of a verification, where nobody draws a line. Medium: by then a file is not the one
    /// that was recorded, in content, kind, rights or presence. What comparing rates lower is what
    /// containers do all day, such as writing below `/var/log` and `/tmp`; it is listed, and passes.
    #[must_use]
    pub fn of_verification() -> Self {
        Self { fail_on: Some(Severity::Medium), matter: Matter::Differences, ..Self::default() }
    }
}
