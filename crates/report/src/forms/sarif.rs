//! SARIF 2.1.0, in the shape that code scanning services show best.
//!
//! A run for each subject, each of a category of its own (`category`). A vulnerability is a rule of its
//! own (its id is what people look for and silence), other findings are results of their static rule.
//! What was not checked is a notification, and makes the invocation unsuccessful, so that an empty list
//! of results is never taken for a pass; so is what the limits of who reads it leave out (`limits`).
//! Files of a folder that lies in a checkout are named from the root of the checkout, as code scanning
//! services look for them. Sources: OASIS SARIF 2.1.0; GitHub, "SARIF support for code scanning".

mod category;
pub(crate) mod limits;
mod results;
mod rules;

use crate::form::{Form, Format};
use crate::forms::json::{Stream, write};
use crate::fresh::fresh;
use crate::style::{HOME_PAGE, Style};
use crate::text::escape;
use limits::{Chosen, Subject};
use results::{ArtifactLocation, Location, PhysicalLocation};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io;
use vocabulary::{Coverage, NotChecked, Report, Severity, Status};

/// SARIF 2.1.0, under the names that its 3.2 recommends.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".sarif", ".sarif.json"],
    names: "`.sarif`",
    is_json: true,
    reports: Some(|reports, style, out| render(&reports.reports, &reports.failed, style, out)),
    diff: Some(|report, style, out| render_new(&fresh(report), style, out)),
    left_out: limits::left_out,
    ..Form::new("sarif", |report, style, out| render(std::slice::from_ref(report), &[], style, out))
};

/// Where the paths of a folder begin: the root of the checkout that it lies in. Whoever reads the log
/// knows where that is (SARIF 2.1.0, 3.14.14, and the name that GitHub's own scanner gives it).
const ROOT: &str = "%SRCROOT%";

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
    automation_details: Automation<'report>,
    tool: Tool<'report, T>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    original_uri_base_ids: BTreeMap<&'static str, Base>,
    invocations: [Invocation<'report>; 1],
    results: R,
    column_kind: &'static str,
    properties: RunProperties<'report>,
}

#[derive(Serialize)]
struct Automation<'report> {
    id: &'report str,
}

/// What paths begin at, in words: where it lies is known to whoever reads the log.
#[derive(Serialize)]
struct Base {
    description: Message,
}

#[derive(Serialize)]
struct Tool<'report, T> {
    driver: Driver<'report, T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'report, T> {
    name: &'report str,
    version: &'report str,
    semantic_version: &'report str,
    information_uri: &'static str,
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
    /// Counts of results: all, those in the log, and those of them that GitHub shows.
    results: Counts,
    /// Subjects that the log has no run of.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    subjects_left_out: &'report [&'report str],
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    found: usize,
    written: usize,
    left_out: usize,
    shown_by_github: usize,
}

impl Counts {
    fn of(found: usize, written: usize) -> Self {
        let left_out = found.saturating_sub(written);
        Self { found, written, left_out, shown_by_github: written.min(limits::SHOWN) }
    }
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
    render_of("", reports, failed, style, out)
}

/// The same of what is new in a subject: in a category apart, or these few results would stand for all
/// of the subject and close the alerts of the rest.
pub(crate) fn render_new(
    report: &Report,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    render_of("new/", std::slice::from_ref(report), &[], style, out)
}

fn render_of(
    kind: &str,
    reports: &[Report],
    failed: &[NotChecked],
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let Chosen { subjects, left_out, room } = limits::choose(reports, failed);
    let categories: Vec<String> =
        category::of_all(&subjects).into_iter().map(|of| format!("{of}{kind}")).collect();
    let runs = Stream(|| {
        let all = subjects.iter().zip(&categories).enumerate();
        all.map(|(index, (subject, category))| {
            // What the log leaves out is said where it begins.
            let left_out = if index == 0 { left_out.as_slice() } else { &[] };
            let run = RunOf { category, style, left_out, room };
            match *subject {
                Subject::Read(report) => AnyRun::Read(ReadRun { report, run }),
                Subject::Failed(failed) => AnyRun::Failed(Box::new(failed_run(failed, run))),
            }
        })
    });
    write(&Log { schema: SCHEMA, version: "2.1.0", runs }, out)
}

#[derive(Serialize)]
#[serde(untagged)]
enum AnyRun<'report> {
    Read(ReadRun<'report>),
    Failed(Box<Run<'report, [(); 0], [(); 0]>>),
}

/// What every run has.
#[derive(Clone, Copy)]
struct RunOf<'report> {
    category: &'report str,
    style: &'report Style,
    left_out: &'report [&'report str],
    room: usize,
}

/// The run of a subject that could not be read.
fn failed_run<'report>(
    failed: &'report NotChecked,
    run: RunOf<'report>,
) -> Run<'report, [(); 0], [(); 0]> {
    let text = format!("`{}` could not be read: {}", failed.what, failed.reason);
    let notifications = std::iter::once(said("error", &text)).chain(beside(run));
    Run {
        automation_details: Automation { id: run.category },
        tool: Tool { driver: driver(("lazaret", env!("CARGO_PKG_VERSION")), []) },
        original_uri_base_ids: BTreeMap::new(),
        invocations: [Invocation {
            execution_successful: false,
            end_time_utc: run.style.timestamp.as_deref(),
            tool_execution_notifications: notifications.collect(),
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
            results: Counts::of(0, 0),
            subjects_left_out: run.left_out,
        },
    }
}

/// The program, with its rules.
fn driver<'report, T>(
    (name, version): (&'report str, &'report str),
    rules: T,
) -> Driver<'report, T> {
    Driver { name, version, semantic_version: version, information_uri: HOME_PAGE, rules }
}

/// The run of one report, made when it is written.
struct ReadRun<'report> {
    report: &'report Report,
    run: RunOf<'report>,
}

impl Serialize for ReadRun<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, run } = *self;
        let shown = limits::findings(report, run.room);
        let rules = rules::of(&report.rules, &shown);
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
        let descriptors = Stream(|| rules.iter().map(rules::Group::descriptor));
        let subject = &report.subject;
        let tool = (report.tool.name.as_str(), report.tool.version.as_str());
        let run = Run {
            automation_details: Automation { id: run.category },
            tool: Tool { driver: driver(tool, descriptors) },
            original_uri_base_ids: bases(report),
            invocations: [invocation(report, run)],
            results,
            column_kind: "unicodeCodePoints",
            properties: RunProperties {
                subject: &subject.name,
                manifest_digest: subject.manifest_digest.as_ref().map(ToString::to_string),
                config_digest: subject.config_digest.as_ref().map(ToString::to_string),
                outcome: report.decision.outcome,
                line: report.decision.line.as_deref(),
                reasons: &report.decision.reasons,
                results: Counts::of(report.findings.len(), shown.len()),
                subjects_left_out: run.left_out,
            },
        };
        run.serialize(serializer)
    }
}

/// Where the paths of a run begin; those of an image begin in the image, which has no address.
fn bases(report: &Report) -> BTreeMap<&'static str, Base> {
    let words = match &report.subject.checkout {
        Some(_) => "the root of the checkout that the scanned folder lies in",
        None => "the folder that was scanned",
    };
    let base = Base { description: Message::new(words) };
    report.subject.is_folder().then_some((ROOT, base)).into_iter().collect()
}

fn invocation<'report>(report: &Report, run: RunOf<'report>) -> Invocation<'report> {
    let gaps = || report.coverage.iter().filter(|coverage| coverage.status != Status::Ran);
    let cut = limits::results_left_out(report, run.room).map(|text| said("warning", &text));
    let notifications = beside(run).chain(cut);
    Invocation {
        // Whoever is missing from the log is not to be taken for a subject that passed.
        execution_successful: gaps().next().is_none()
            && !report.coverage.is_empty()
            && run.left_out.is_empty(),
        end_time_utc: run.style.timestamp.as_deref(),
        tool_execution_notifications: notifications
            .chain(gaps().map(|coverage| notification(report, coverage)))
            .collect(),
    }
}

/// What is said of the whole log.
fn beside(run: RunOf<'_>) -> impl Iterator<Item = Notification> {
    limits::subjects_left_out(run.left_out).map(|text| said("error", &text)).into_iter()
}

fn said(level: &'static str, text: &str) -> Notification {
    Notification { level, message: Message::new(text), locations: Vec::new() }
}

fn notification(report: &Report, coverage: &Coverage) -> Notification {
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
            artifact_location: ArtifactLocation::of(report, path),
            region: None,
        },
        logical_locations: Vec::new(),
    };
    // SARIF 2.1.0, 3.58.4: each location once, however many problems a file has.
    let paths = coverage.problems.iter().map(|problem| problem.path.as_str());
    let places = paths.map(file).map(|place| (place.uri().to_owned(), place));
    let mut seen = BTreeSet::new();
    let locations = places.filter(|(uri, _)| seen.insert(uri.clone())).map(|(_, place)| place);
    Notification { level, message: Message::new(&text), locations: locations.collect() }
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
