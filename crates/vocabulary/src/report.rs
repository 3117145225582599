//! The report of one scan: the public JSON.

use crate::upgrade::Mending;
use crate::{
    Coverage, Decision, Digest, Distribution, FileRecord, Finding, Layer, NotChecked, OriginKind,
    Package, Rules, Severity, Subject,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the JSON form. A change that a reader could trip over raises the number.
pub const SCHEMA: &str = "lazaret.report/2";

/// The program that made the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `lazaret`
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The advisories of one ecosystem that were matched against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseInfo {
    /// Ecosystem name.
    pub ecosystem: String,
    /// Digest of the database file.
    pub digest: Digest,
    /// When it was fetched, RFC 3339, UTC.
    pub fetched: String,
    /// Count of advisory records.
    pub records: u64,
    /// Whether it was older than a day.
    pub stale: bool,
}

/// Counts of findings by severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All findings.
    pub total: BTreeMap<Severity, u64>,
    /// By origin: base image, application, unknown.
    pub by_origin: BTreeMap<OriginKind, BTreeMap<Severity, u64>>,
    /// Findings that can be mended: an advisory names an end above the version that is there, or a step
    /// clears it.
    pub fixable: u64,
    /// Those of them that something is offered for: a step clears them.
    #[serde(default)]
    pub offered: u64,
    /// Count of packages.
    pub packages: u64,
}

/// The seal that a subject was held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealInfo {
    /// The name under which it was sealed, such as `docker.io/library/app:1`.
    pub name: String,
    /// Which seal of its repository it is.
    pub counter: u64,
    /// When it was sealed, RFC 3339, UTC.
    pub time: String,
    /// Fingerprint of the key that signed it.
    pub signer: String,
    /// Digest of its envelope.
    pub digest: Digest,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// What it talks about.
    pub subject: Subject,
    /// The seal that it was held against, where one was, and its signature holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<SealInfo>,
    /// The distribution, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// Packages, sorted by ecosystem, name, version and location.
    pub packages: Vec<Package>,
    /// The rules that its findings are of: by class, then as they are shown.
    #[serde(default)]
    pub rules: Rules,
    /// Findings, sorted worst first, then by id, package and location.
    pub findings: Vec<Finding>,
    /// Coverage, sorted by check.
    pub coverage: Vec<Coverage>,
    /// Advisories used, sorted by ecosystem.
    pub databases: Vec<DatabaseInfo>,
    /// Counts.
    pub summary: Summary,
    /// What policy made of it.
    pub decision: Decision,
    /// What mends it.
    #[serde(default, skip_serializing_if = "Mending::is_empty")]
    pub mending: Mending,
    /// The squashed file record, when asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileRecord>,
}

impl Summary {
    /// Counts findings (those that policy did not silence) and packages.
    #[must_use]
    pub fn count<'findings>(
        findings: impl IntoIterator<Item = &'findings Finding>,
        packages: &[Package],
    ) -> Self {
        let mut summary =
            Self { packages: u64::try_from(packages.len()).unwrap_or(u64::MAX), ..Self::default() };
        for finding in findings {
            *summary.total.entry(finding.severity).or_default() += 1;
            let of_origin = summary.by_origin.entry(finding.origin).or_default();
            *of_origin.entry(finding.severity).or_default() += 1;
            summary.fixable += u64::from(finding.is_mendable());
            summary.offered += u64::from(finding.offered().is_some());
        }
        summary
    }
}

/// Version of the JSON form of [`Reports`].
pub const REPORTS_SCHEMA: &str = "lazaret.reports/2";

/// The reports of several subjects that were scanned together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reports {
    /// [`REPORTS_SCHEMA`].
    pub schema: String,
    /// In the order in which the subjects were named.
    pub reports: Vec<Report>,
    /// Subjects that could not be read at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<NotChecked>,
}
