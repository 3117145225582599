//! The packages of a report without its findings, as `sbom` writes them: a view over the same fields
//! under a schema name of its own.

use serde::Serialize;
use vocabulary::{Coverage, Distribution, Finding, Layer, Package, Report, Rules, Subject, Tool};

/// Version of the packages-only form. A change that a reader could trip over raises the number.
pub(crate) const PACKAGES_SCHEMA: &str = "lazaret.packages/1";

#[derive(Serialize)]
pub(crate) struct PackagesView<'report> {
    schema: &'static str,
    tool: &'report Tool,
    subject: &'report Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<&'report Distribution>,
    layers: &'report [Layer],
    packages: &'report [Package],
    coverage: &'report [Coverage],
    /// Content that is not what names it: a list of such packages must not look sound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mismatches: Vec<&'report Finding>,
    /// The rule that they are of.
    #[serde(skip_serializing_if = "Rules::is_empty")]
    rules: Rules,
}

/// What a list of packages keeps of findings: content that is not what names it, which nobody can see
/// again by a list. By the id of the rule, which is a word of the form.
pub(crate) const MISMATCH: &str = "digest-mismatch";

impl<'report> PackagesView<'report> {
    pub(crate) fn of(report: &'report Report) -> Self {
        Self {
            schema: PACKAGES_SCHEMA,
            tool: &report.tool,
            subject: &report.subject,
            distribution: report.distribution.as_ref(),
            layers: &report.layers,
            packages: &report.packages,
            coverage: &report.coverage,
            mismatches: report.findings.iter().filter(|finding| finding.rule == MISMATCH).collect(),
            rules: report.rules.used([MISMATCH]),
        }
    }
}
