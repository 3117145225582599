//! What policy makes of a report.

use crate::Fingerprint;
use serde::{Deserialize, Serialize};

/// The outcome of a scan for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All was looked at, and there is nothing over the line; or there is no line, and no finding.
    Pass,
    /// All was looked at and there are findings, but nobody said which of them count: that is no pass.
    NoLine,
    /// Findings over the line.
    Findings,
    /// Nothing over the line, but not all was looked at.
    Incomplete,
}

impl Outcome {
    /// What people read. Nothing but [`Self::Pass`] has the word "pass" in it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::NoLine => "NO VERDICT",
            Self::Findings => "FINDINGS",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

/// A finding that an ignore rule or a VEX statement silenced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The finding.
    pub fingerprint: Fingerprint,
    /// The id that the rule named.
    pub id: String,
    /// The reason given.
    pub reason: String,
    /// Who answers for it, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where it was said: a file with its line, or a VEX document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What a VEX statement says, where one silenced it and no ignore rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vex: Option<Stated>,
    /// The justification of a VEX statement, in its own term, such as `component_not_present`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Last day on which it holds, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What a VEX statement says that silences a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stated {
    /// The fault does not matter in the product.
    NotAffected,
    /// It is mended in it.
    Fixed,
}

/// A finding whose severity policy changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    /// The finding, which has the severity that counts.
    pub fingerprint: Fingerprint,
    /// The severity that it had.
    pub severity: crate::Severity,
    /// The reason given.
    pub reason: String,
    /// Where it was said: a file with its line.
    pub by: String,
}

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Pass, no line, findings or incomplete.
    pub outcome: Outcome,
    /// Which line was drawn, in the words of the options, such as `--fail-on high`; none where nobody
    /// drew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// One line each: what led there.
    pub reasons: Vec<String>,
    /// Fingerprints of the findings over the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_the_line: Vec<Fingerprint>,
    /// What ignore rules silenced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
    /// What has another severity than its advisory gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<Overridden>,
    /// What policy and ignore files that were found, not named, took away; a line each, which stand
    /// among the reasons too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
}
