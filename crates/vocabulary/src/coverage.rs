//! What was looked at, and what was not.
//!
//! What could not run has not passed: a report without findings is a pass only where every check
//! ran in full.

use serde::{Deserialize, Serialize};

/// How far a check came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It ran over all that it wanted.
    Ran,
    /// It ran, but some files could not be read; `problems` names them.
    Partial,
    /// It did not run; `reason` says why. Counts as not checked.
    Skipped,
    /// It broke off; `reason` says why. Counts as not checked.
    Failed,
}

/// One thing that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Path in the subject.
    pub path: String,
    /// Layer, counted from 0 at the bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// Why, in a few words.
    pub reason: String,
}

/// Coverage of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The check, such as `dpkg` or `vulnerabilities:Debian:12`.
    pub check: String,
    /// How far it came.
    pub status: Status,
    /// Why it did not run, or a remark such as `from cache, not re-hashed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What could not be read: at most [`Coverage::PROBLEMS`] of them, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// How many more problems there were.
    #[serde(default)]
    pub problems_left_out: u64,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotChecked {
    /// An engine, a container, an image, or a file.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Coverage {
    /// How the checks begin that tell of packages which no advisories exist for.
    pub const UNMATCHED: &'static str = "unmatched:";

    /// Why a check did not run that would by default, and that somebody left out.
    pub const NOT_SELECTED: &'static str = "not selected";

    /// How many problems one check lists, so that a hostile image cannot flood a report.
    pub const PROBLEMS: usize = 100;

    /// A check that ran in full.
    #[must_use]
    pub fn ran(check: impl Into<String>) -> Self {
        Self::with(check, Status::Ran, None)
    }

    /// A check that did not run.
    #[must_use]
    pub fn skipped(check: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::with(check, Status::Skipped, Some(reason.into()))
    }

    /// A check that broke off.
    #[must_use]
    pub fn failed(check: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::with(check, Status::Failed, Some(reason.into()))
    }

    /// Coverage of a check that met `problems`: `Ran` without any, else `Partial`.
    #[must_use]
    pub fn with_problems(check: impl Into<String>, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        let status = if problems.is_empty() { Status::Ran } else { Status::Partial };
        let left_out = problems.len().saturating_sub(Self::PROBLEMS);
        problems.truncate(Self::PROBLEMS);
        Self {
            problems,
            problems_left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            ..Self::with(check, status, None)
        }
    }

    /// What keeps the whole of a check from being complete, in place of single files: advisories that are
    /// old, or not all there.
    #[must_use]
    pub fn general_problem(&self) -> Option<&str> {
        let mut problems = self.problems.iter();
        let general =
            problems.find(|problem| problem.path.is_empty() && !problem.reason.is_empty());
        general.map(|problem| problem.reason.as_str())
    }

    fn with(check: impl Into<String>, status: Status, reason: Option<String>) -> Self {
        Self { check: check.into(), status, reason, problems: Vec::new(), problems_left_out: 0 }
    }
}
