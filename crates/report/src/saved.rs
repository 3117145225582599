//! Reads back what the JSON form wrote: a report, the reports of several subjects, a difference, or a
//! list of packages.
//!
//! In go bytes, out comes what they are by their own schema, or why they are nothing of ours. What other
//! tools write is refused by name, so that nothing that was not decided here is rendered as if it had
//! been. Packages have a variant of their own, since nothing was matched: no form that has findings may
//! show them as if there were none.

use crate::listed::PACKAGES_SCHEMA;
use serde::Deserialize;
use vocabulary::diff::{DIFF_SCHEMA, DiffReport};
use vocabulary::report::{REPORTS_SCHEMA, SCHEMA};
use vocabulary::upgrade::Mending;
use vocabulary::{
    Coverage, Decision, Distribution, Finding, Layer, Nullable, Outcome, Package, Report, Reports,
    Rule, Subject, Summary, Tool,
};

/// What the elements of a saved report may take while it is read: one of 100,000 packages and as many
/// findings takes a fifth of it.
const ELEMENT_BYTES: usize = 1 << 30;

/// What was saved.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// Of one subject.
    Report(Box<Report>),
    /// Of several.
    Reports(Box<Reports>),
    /// Of what changed between two.
    Difference(Box<DiffReport>),
    /// The packages of one subject, which nobody matched: a report for [`crate::render_packages`] alone.
    /// Its decision is left to the caller.
    Packages(Box<Report>),
}

/// Why something is no saved report.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is not JSON, or not of the shape that it claims.
    #[error("it is no saved report: {0}; make it with `lazaret scan … -o json=FILE`")]
    Shape(#[from] serde_json::Error),
    /// It is something else.
    #[error(
        "it is of the form `{0}`, not `{SCHEMA}`, `{REPORTS_SCHEMA}`, `{DIFF_SCHEMA}` or `{PACKAGES_SCHEMA}`; make it anew"
    )]
    Schema(String),
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Option<serde_json::Value>,
}

/// What a list of packages says.
#[derive(Deserialize)]
struct Packages {
    tool: Tool,
    subject: Subject,
    #[serde(default)]
    distribution: Option<Distribution>,
    #[serde(default)]
    layers: Vec<Layer>,
    packages: Vec<Package>,
    #[serde(default)]
    coverage: Vec<Coverage>,
    #[serde(default)]
    mismatches: Vec<Finding>,
}

impl Packages {
    fn report(self) -> Report {
        let Self { tool, subject, distribution, layers, packages, coverage, mut mismatches } = self;
        // Such a list has no other findings, and where it has, they are none of ours.
        mismatches.retain(|finding| finding.rule == Rule::DIGEST_MISMATCH.id);
        Report {
            schema: SCHEMA.to_owned(),
            tool,
            subject,
            seal: None,
            distribution,
            layers,
            summary: Summary::count(&mismatches, &packages),
            packages,
            findings: mismatches,
            coverage,
            databases: Vec::new(),
            decision: Decision {
                outcome: Outcome::Incomplete,
                line: None,
                reasons: vec!["nothing was matched".to_owned()],
                over_the_line: Vec::new(),
                suppressed: Vec::new(),
                overridden: Vec::new(),
                found: Vec::new(),
            },
            mending: Mending::default(),
            files: Vec::new(),
        }
    }
}

/// Reads a saved report of any of the four forms.
///
/// # Errors
/// Where it is nothing that this program wrote, or is damaged.
pub fn read_saved(bytes: &[u8]) -> Result<Saved, SavedError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head: Head = read(bytes)?;
    let schema = match &head.schema {
        Some(serde_json::Value::String(text)) => text.as_str(),
        _ => "",
    };
    match schema {
        SCHEMA => Ok(Saved::Report(read(bytes)?)),
        REPORTS_SCHEMA => Ok(Saved::Reports(read(bytes)?)),
        DIFF_SCHEMA => Ok(Saved::Difference(read(bytes)?)),
        PACKAGES_SCHEMA => {
            let packages: Packages = read(bytes)?;
            Ok(Saved::Packages(Box::new(packages.report())))
        }
        "" => Err(SavedError::Schema("JSON without a schema".to_owned())),
        other => {
            let short: String = other.chars().take(100).collect();
            Err(SavedError::Schema(short.escape_debug().to_string()))
        }
    }
}

fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = vocabulary::within(ELEMENT_BYTES, || T::deserialize(Nullable(&mut json)))?;
    json.end()?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nothing_of_ours_is_refused_by_its_name() {
        for (text, part) in [
            ("{}", "JSON without a schema"),
            (r#"{"schema":"lazaret.packages/1"}"#, "missing field"),
            (r#"{"schema":"lazaret.packages/2"}"#, "`lazaret.packages/2`"),
            (r#"{"schema":"lazaret.report/2"}"#, "`lazaret.report/2`"),
            (r#"{"schema":["lazaret.report/1"]}"#, "JSON without a schema"),
            (r#"{"schema":"lazaret.report/1"}"#, "missing field"),
            ("", "EOF"),
            ("[]", "JSON without a schema"),
            ("7", "no saved report"),
            (r#"{"version":"2.1.0","runs":[]}"#, "JSON without a schema"),
        ] {
            let error = read_saved(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
