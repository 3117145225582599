//! SARIF 2.1.0, in the shape that code scanning services show best.
//!
//! One run. A vulnerability is a rule of its own (its id is what people look for and silence), other
//! findings are results of their static rule. What was not checked is a notification, and makes the
//! invocation unsuccessful, so that an empty list of results is never taken for a pass. A run has at
//! most [`RESULTS`] results, the worst of them; how many were left out is a notification, too.
//! Sources: OASIS SARIF 2.1.0; GitHub, "SARIF support for code scanning" and "SARIF results exceed one
//! or more limits".

mod results;
mod rules;

use crate::Style;
use crate::json::{Stream, write};
use crate::text::escape;
use results::{ArtifactLocation, Location, PhysicalLocation};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io;
use vocabulary::{Coverage, Finding, Fingerprint, NotChecked, Report, Severity, Status, counted};

/// Most results of a run: GitHub refuses a file with more. It shows the 5,000 most severe of them.
const RESULTS: usize = 25_000;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'report, T, R> {
    tool: Tool<'report, T>,
    invocations: [Invocation<'report>; 1],
    results: R,
    column_kind: &'static str,
    properties: RunProperties<'report>,
}

#[derive(Serialize)]
struct Tool<'report, T> {
    driver: Driver<'report, T>,
}

#[derive(Serialize)]
struct Driver<'report, T> {
    name: &'report str,
    version: &'report str,
    rules: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'report> {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time_utc: Option<&'report str>,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunProperties<'report> {
    subject: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_digest: Option<String>,
    outcome: vocabulary::Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'report str>,
    reasons: &'report [String],
}

/// A message in plain text.
#[derive(Serialize)]
struct Message {
    text: String,
}

impl Message {
    /// A message of text that may come from an image: what would be a placeholder or a link is
    /// escaped (SARIF 3.11.5 and 3.11.6), invisible characters are shown by code.
    fn new(text: &str) -> Self {
        let mut safe = String::with_capacity(text.len());
        for character in escape(text).chars() {
            match character {
                '{' | '}' => safe.extend([character, character]),
                '[' | ']' => safe.extend(['\\', character]),
                plain => safe.push(plain),
            }
        }
        Self { text: safe }
    }
}

/// A log with a run for each report, and one for each subject that there is no report of: where it was
/// left out, the log would read as if nobody had asked for it.
pub(crate) fn render(
    reports: &[Report],
    failed: &[NotChecked],
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let runs = Stream(|| {
        let read = reports.iter().map(|report| AnyRun::Read(RunOf { report, style }));
        read.chain(failed.iter().map(|failed| AnyRun::Failed(failed_run(failed, style))))
    });
    write(&Log { schema: SCHEMA, version: "2.1.0", runs }, out)
}

#[derive(Serialize)]
#[serde(untagged)]
enum AnyRun<'report> {
    Read(RunOf<'report>),
    Failed(FailedRun<'report>),
}

/// The run of a subject that could not be read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedRun<'report> {
    tool: Tool<'report, [(); 0]>,
    invocations: [Invocation<'report>; 1],
    results: [(); 0],
    column_kind: &'static str,
    properties: RunProperties<'report>,
}

fn failed_run<'report>(failed: &'report NotChecked, style: &'report Style) -> FailedRun<'report> {
    let text = format!("`{}` could not be read: {}", failed.what, failed.reason);
    FailedRun {
        tool: Tool {
            driver: Driver { name: "lazaret", version: env!("CARGO_PKG_VERSION"), rules: [] },
        },
        invocations: [Invocation {
            execution_successful: false,
            end_time_utc: style.timestamp.as_deref(),
            tool_execution_notifications: vec![Notification {
                level: "error",
                message: Message::new(&text),
                locations: Vec::new(),
            }],
        }],
        results: [],
        column_kind: "unicodeCodePoints",
        properties: RunProperties {
            subject: &failed.what,
            manifest_digest: None,
            config_digest: None,
            outcome: vocabulary::Outcome::Incomplete,
            line: None,
            reasons: std::slice::from_ref(&failed.reason),
        },
    }
}

/// The run of one report, made when it is written.
struct RunOf<'report> {
    report: &'report Report,
    style: &'report Style,
}

impl Serialize for RunOf<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, style } = self;
        let shown = shown(report);
        let rules = rules::of(&shown);
        let indexes: HashMap<&str, usize> =
            rules.iter().enumerate().map(|(index, rule)| (rule.id(), index)).collect();
        let suppressed = report
            .decision
            .suppressed
            .iter()
            .map(|suppressed| (&suppressed.fingerprint, suppressed))
            .collect();
        let results = Stream(|| {
            let findings = shown.iter();
            findings.map(|finding| results::of(report, finding, &indexes, &suppressed))
        });
        let subject = &report.subject;
        let run = Run {
            tool: Tool {
                driver: Driver {
                    name: &report.tool.name,
                    version: &report.tool.version,
                    rules: Stream(|| rules.iter().map(rules::Group::descriptor)),
                },
            },
            invocations: [invocation(report, style, shown.len())],
            results,
            column_kind: "unicodeCodePoints",
            properties: RunProperties {
                subject: &subject.name,
                manifest_digest: subject.manifest_digest.as_ref().map(ToString::to_string),
                config_digest: subject.config_digest.as_ref().map(ToString::to_string),
                outcome: report.decision.outcome,
                line: report.decision.line.as_deref(),
                reasons: &report.decision.reasons,
            },
        };
        run.serialize(serializer)
    }
}

/// The findings that become results, in the order of the report, worst first. Where they are too many,
/// those that nobody silenced come before the others.
fn shown(report: &Report) -> Vec<&Finding> {
    if report.findings.len() <= RESULTS {
        return report.findings.iter().collect();
    }
    let silenced: HashSet<&Fingerprint> =
        report.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
    let (open, others): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|finding| !silenced.contains(&finding.fingerprint));
    open.into_iter().chain(others).take(RESULTS).collect()
}

fn invocation<'report>(
    report: &Report,
    style: &'report Style,
    shown: usize,
) -> Invocation<'report> {
    let gaps = || report.coverage.iter().filter(|coverage| coverage.status != Status::Ran);
    let left_out = match report.findings.len().saturating_sub(shown) {
        0 => None,
        left => Some(Notification {
            level: "warning",
            message: Message::new(&format!(
                "{} left out: a run has at most {RESULTS} results, the most urgent of them; write the report as JSON for all {}",
                counted(left, "result", "results"),
                report.findings.len()
            )),
            locations: Vec::new(),
        }),
    };
    Invocation {
        execution_successful: gaps().next().is_none() && !report.coverage.is_empty(),
        end_time_utc: style.timestamp.as_deref(),
        tool_execution_notifications: left_out
            .into_iter()
            .chain(gaps().map(notification))
            .collect(),
    }
}

fn notification(coverage: &Coverage) -> Notification {
    let (level, word) = match coverage.status {
        Status::Ran => ("note", "ran"),
        Status::Partial => ("warning", "ran in part only"),
        Status::Skipped => ("warning", "did not run"),
        Status::Failed => ("error", "broke off"),
    };
    let mut text = format!("check `{}` {word}", coverage.check);
    if let Some(reason) = &coverage.reason {
        let _ = write!(text, ": {reason}");
    }
    for problem in &coverage.problems {
        let _ = write!(text, "; {}: {}", problem.path, problem.reason);
    }
    if coverage.problems_left_out > 0 {
        let _ = write!(text, "; and {} more", coverage.problems_left_out);
    }
    let file = |path: &str| Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: relative_uri(path) },
            region: None,
        },
        logical_locations: Vec::new(),
    };
    Notification {
        level,
        message: Message::new(&text),
        locations: coverage.problems.iter().map(|problem| file(&problem.path)).collect(),
    }
}

/// How loud a result is.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low | Severity::Negligible => "note",
    }
}

/// A path as a relative URI reference (RFC 3986, 4.2): everything but unreserved characters, `/` and
/// the `!` of archives is percent-encoded, so a colon can never look like a scheme.
fn relative_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'!' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_turn_into_a_scheme_or_leave_the_root() {
        assert_eq!(relative_uri("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(relative_uri("//host/x y"), "host/x%20y");
        assert_eq!(relative_uri("app/a.jar!/lib/b.jar"), "app/a.jar!/lib/b.jar");
        assert_eq!(relative_uri("é#?"), "%C3%A9%23%3F");
    }

    #[test]
    fn a_message_cannot_hold_a_link_or_a_placeholder() {
        let message = Message::new("[click](https://evil.example) {0}\u{202e}");
        assert_eq!(message.text, "\\[click\\](https://evil.example) {{0}}\\u{{202e}}");
    }
}
