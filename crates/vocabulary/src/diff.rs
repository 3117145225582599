//! What two subjects, or two scans of one subject, do not have in common: the public JSON of `diff`.
//!
//! In go two reports, out comes what is new, gone and changed, each with why. Findings are compared by
//! [`Finding::likeness`], not by fingerprint: a vulnerability that stays through an upgrade is the same
//! one, and a package that moved to another folder is no news.

use crate::{
    Coverage, DatabaseInfo, Distribution, Ecosystem, Finding, Fingerprint, OriginKind, Outcome,
    Purl, Rules, Subject, Suppressed, Tool,
};
use serde::{Deserialize, Serialize};

/// Version of the JSON form of [`DiffReport`].
pub const DIFF_SCHEMA: &str = "lazaret.diff/2";

/// What tells whether two findings of different reports are the same fault: the rule, the id, and the
/// package without its version; where there is no package, the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Likeness {
    rule: String,
    id: String,
    package: String,
    path: String,
}

impl Finding {
    /// See [`Likeness`].
    #[must_use]
    pub fn likeness(&self) -> Likeness {
        let package = self.package.as_ref().map(|purl| {
            format!("{}/{}/{}", purl.kind(), purl.namespace().unwrap_or_default(), purl.name())
        });
        let path = match &package {
            None => self.location.path().unwrap_or_default().to_owned(),
            Some(_) => String::new(),
        };
        Likeness {
            rule: self.rule.clone(),
            id: self.id.clone().unwrap_or_default(),
            package: package.unwrap_or_default(),
            path,
        }
    }
}

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not there before.
    New,
    /// It is there, but differs.
    Changed,
    /// It is not there any more.
    Gone,
}

/// One of the two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// What it is.
    pub subject: Subject,
    /// Its distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Count of its packages.
    pub packages: u64,
    /// Count of its findings that nobody silenced.
    pub findings: u64,
    /// The advisories that it was matched against.
    pub databases: Vec<DatabaseInfo>,
    /// Checks that did not run in full: what they would have found is not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
}

/// A package that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// New, gone, or of another version.
    pub change: Change,
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Its name.
    pub name: String,
    /// The version before; none where it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The version after; none where it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether the version after is the lower one; none where the two have no order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<bool>,
    /// Base image or application, of the later side where it is there.
    #[serde(default)]
    pub origin: OriginKind,
    /// Its package URL, of the later side where it is there.
    pub purl: Purl,
}

/// A finding that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingChange {
    /// New, gone or changed.
    pub change: Change,
    /// Why, as far as the two reports tell.
    pub why: String,
    /// The finding, of the later side where it is there.
    pub finding: Finding,
    /// Versions of the package that have it: of the later side, or of the earlier one where it is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<String>,
    /// Versions of the package on the other side, which have it not; none where the package is not
    /// there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unaffected: Vec<String>,
    /// How it was, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Finding>>,
}

/// What changed from one report to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffReport {
    /// [`DIFF_SCHEMA`].
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The earlier side.
    pub before: Side,
    /// The later side.
    pub after: Side,
    /// Packages: new, changed, gone; within each by ecosystem and name.
    pub packages: Vec<PackageChange>,
    /// The rules that its findings are of.
    #[serde(default)]
    pub rules: Rules,
    /// Findings: new, changed, gone; within each in the order of a report.
    pub findings: Vec<FindingChange>,
    /// What policy makes of the new findings.
    pub outcome: Outcome,
    /// One line each: what led there.
    pub reasons: Vec<String>,
    /// Which line was drawn for what is new; none where nobody drew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Fingerprints of the new findings over the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_the_line: Vec<Fingerprint>,
    /// New findings that policy silenced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
    /// Checks that did not run in full on a side, which their names say: what they would have found is
    /// not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Coverage>,
}
