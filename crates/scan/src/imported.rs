//! Findings of other tools, from SARIF: so that those in people's own code stand under the same policy
//! and the same verdict.
//!
//! In go the bytes of a SARIF 2.1.0 log, out come findings of the rule `imported`, each with the tool
//! and its rule as evidence, and what the log itself suppresses left out with a count. Nothing of the
//! text is believed beyond what it says: paths are relative, lengths are bounded, and a result without
//! a rule is named by its tool. A log that says that nothing was looked at, or that its tool broke off,
//! is coverage of the import, and never passes. Source: OASIS SARIF 2.1.0, sections 3.14, 3.19, 3.20, 3.27, 3.49; GitHub,
//! "SARIF support for code scanning", `security-severity`.

use serde::Deserialize;
use std::borrow::Cow::Borrowed;
use std::collections::BTreeMap;
use vocabulary::{
    Class, Confidence, Coverage, Evidence, Finding, Location, Nullable, Problem, Rule, Severity,
    Status,
};

/// A result of another tool.
pub static IMPORTED: Rule = Rule {
    id: Borrowed("imported"),
    class: Class::Code,
    title: Borrowed("Finding of another tool"),
    why: Borrowed("Another tool found it; its own documentation says why it matters."),
    severity: Severity::Medium,
    remedy: Borrowed("See the tool's rule, which the evidence names."),
    reference: None,
    always: None,
};

/// Largest log.
pub const SARIF_BYTES: u64 = 256 << 20;
/// Most results that are taken.
const RESULTS: usize = 500_000;
/// Longest text that is kept, in characters.
const TEXT: usize = 1_000;

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not SARIF 2.1.0.
    #[error("it is not SARIF 2.1.0: {0}")]
    Shape(String),
    /// It has too many results.
    #[error("it has more than {RESULTS} results; divide it")]
    TooMany,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    version: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    /// Null, or not there, where nothing was looked for. SARIF 3.14.23.
    #[serde(default)]
    results: Option<Vec<Outcome>>,
    #[serde(default)]
    invocations: Vec<Invocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    /// SARIF 3.20.14 demands it.
    #[serde(default)]
    execution_successful: Option<bool>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Component,
    #[serde(default)]
    extensions: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rules: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: String,
    #[serde(default)]
    short_description: Option<Message>,
    #[serde(default)]
    default_configuration: Configuration,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    level: Option<String>,
}

#[derive(Default, Deserialize)]
struct Properties {
    /// A number, written as a text.
    #[serde(default, rename = "security-severity")]
    security_severity: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(default)]
    rule_id: Option<String>,
    #[serde(default)]
    rule_index: Option<usize>,
    #[serde(default)]
    rule: Option<RuleReference>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    locations: Vec<Place>,
    #[serde(default)]
    suppressions: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct RuleReference {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(default)]
    physical_location: Option<Physical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    #[serde(default)]
    artifact_location: Option<Artifact>,
    #[serde(default)]
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(default)]
    uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    #[serde(default)]
    start_line: Option<u32>,
}

/// What a log holds.
#[derive(Debug, Default)]
pub struct Imported {
    /// Its findings.
    pub findings: Vec<Finding>,
    /// How many results it suppresses itself.
    pub suppressed: u64,
    /// What it says of its own completeness, by tool.
    pub coverage: Vec<Coverage>,
}

impl Imported {
    /// Adds another log.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.suppressed += other.suppressed;
        self.coverage.extend(other.coverage);
    }
}

/// What the elements of a log may take while it is read.
const ELEMENT_BYTES: usize = 192 << 20;

/// Reads a log.
///
/// # Errors
/// Where it is not SARIF 2.1.0.
pub fn import(bytes: &[u8]) -> Result<Imported, ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let log = vocabulary::within(ELEMENT_BYTES, || Log::deserialize(Nullable(&mut json)));
    let log = log.and_then(|log| json.end().map(|()| log));
    let log: Log = log.map_err(|error| ImportError::Shape(error.to_string()))?;
    if log.version != "2.1.0" {
        let version: String = log.version.chars().take(20).collect();
        return Err(ImportError::Shape(format!("its version is `{version}`")));
    }
    let mut imported = Imported::default();
    let mut unlooked: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    if log.runs.is_empty() {
        let reason = "the log holds no run of a tool: nothing was looked at";
        imported.coverage.push(Coverage::skipped("imported", reason));
    }
    for (index, run) in log.runs.into_iter().enumerate() {
        let Run { tool, results, invocations } = run;
        let problems = unlooked.entry(name_of(&tool)).or_default();
        let mut problem = |reason: &str| {
            let path = format!("run {}", index + 1);
            problems.push(Problem { path, layer: None, reason: reason.to_owned() });
        };
        if results.is_none() {
            problem("it holds no list of results: the tool looked at nothing");
        }
        if invocations.iter().any(|one| one.execution_successful == Some(false)) {
            problem("the tool says that it did not succeed: it may not have looked at everything");
        }
        for outcome in results.unwrap_or_default() {
            if imported.findings.len() >= RESULTS {
                return Err(ImportError::TooMany);
            }
            // What passed, or is only told of, is no fault. SARIF 3.27.9.
            if !matches!(outcome.kind.as_deref(), None | Some("fail" | "open" | "review")) {
                continue;
            }
            if outcome.suppressions.as_ref().is_some_and(|list| !list.is_empty()) {
                imported.suppressed += 1;
                continue;
            }
            imported.findings.push(finding(&tool, &outcome));
        }
    }
    imported.coverage.extend(unlooked.into_iter().map(|(tool, problems)| {
        let reason = (!problems.is_empty()).then(|| "by what its log says of itself".to_owned());
        // Not a file that was left out, but a tool that did not do its work.
        let status = if problems.is_empty() { Status::Ran } else { Status::Failed };
        let coverage = Coverage::with_problems(format!("imported:{tool}"), problems);
        Coverage { status, reason, ..coverage }
    }));
    Ok(imported)
}

fn name_of(tool: &Tool) -> String {
    kept(if tool.driver.name.is_empty() { "unknown tool" } else { &tool.driver.name })
}

fn finding(tool: &Tool, outcome: &Outcome) -> Finding {
    let by_index = outcome.rule_index.and_then(|index| tool.driver.rules.get(index));
    let own = || outcome.rule.as_ref().and_then(|rule| rule.id.clone());
    let id = outcome.rule_id.clone().or_else(own).or_else(|| by_index.map(|rule| rule.id.clone()));
    let components = || std::iter::once(&tool.driver).chain(&tool.extensions);
    let descriptor = by_index.or_else(|| {
        let all = components().flat_map(|component| &component.rules);
        all.into_iter().find(|rule| Some(&rule.id) == id.as_ref())
    });
    let name = name_of(tool);
    let id = kept(id.as_deref().unwrap_or("result"));
    let title = match outcome.message.text.as_str() {
        "" => descriptor
            .and_then(|rule| rule.short_description.as_ref())
            .map_or_else(|| id.clone(), |message| kept(&message.text)),
        text => kept(text),
    };
    let location = location(outcome);
    let line = match &location {
        Location::File { line: Some(line), .. } => line.to_string(),
        _ => String::new(),
    };
    let identity = format!("{name}/{id}/{line}");
    let evidence = vec![Evidence::Imported { tool: name, rule: id.clone() }];
    Finding {
        id: Some(id),
        severity: severity(outcome, descriptor),
        // How sure the tool is, is its own word; nobody here has looked.
        confidence: Confidence::Medium,
        ..Finding::of(&IMPORTED, Some(&identity), title, location, evidence)
    }
}

/// The score where the rule has one, else by level.
fn severity(outcome: &Outcome, descriptor: Option<&Descriptor>) -> Severity {
    let score = descriptor.and_then(|rule| rule.properties.security_severity.as_ref());
    let score = score.and_then(|value| match value {
        serde_json::Value::String(text) => text.parse::<f64>().ok(),
        value => value.as_f64(),
    });
    if let Some(score) = score.filter(|score| (0.0..=10.0).contains(score)) {
        return Severity::from_score(score);
    }
    let of_rule = || descriptor.and_then(|rule| rule.default_configuration.level.clone());
    match outcome.level.clone().or_else(of_rule).as_deref() {
        Some("error") => Severity::High,
        Some("note") => Severity::Low,
        Some("none") => Severity::Negligible,
        // SARIF 3.27.10: warning is what is meant where nothing is said.
        _ => Severity::Medium,
    }
}

fn location(outcome: &Outcome) -> Location {
    let physical = outcome.locations.first().and_then(|place| place.physical_location.as_ref());
    let uri = physical.and_then(|physical| physical.artifact_location.as_ref());
    let Some(uri) = uri.map(|artifact| artifact.uri.as_str()).filter(|uri| !uri.is_empty()) else {
        return Location::Subject;
    };
    let path = uri.strip_prefix("file://").unwrap_or(uri);
    let region = physical.and_then(|physical| physical.region.as_ref());
    Location::File {
        path: kept(path.trim_start_matches("./").trim_start_matches('/')),
        layer: None,
        line: region.and_then(|region| region.start_line).filter(|line| *line > 0),
    }
}

fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"CodeTool","rules":[
        {"id":"py/sql-injection","shortDescription":{"text":"SQL injection"},"properties":{"security-severity":"8.8"}},
        {"id":"py/style","defaultConfiguration":{"level":"note"}}]}},"results":[
        {"ruleId":"py/sql-injection","message":{"text":"user input in a query"},"locations":[{"physicalLocation":
          {"artifactLocation":{"uri":"src/app.py"},"region":{"startLine":12}}}]},
        {"ruleIndex":1,"message":{"text":""}},
        {"ruleId":"py/style","kind":"pass","message":{"text":"fine"}},
        {"ruleId":"py/style","message":{"text":"x"},"suppressions":[{"kind":"inSource"}]},
        {"ruleId":"other","level":"error","message":{"text":"y"}}]}]}"#;

    #[test]
    fn results_become_findings_with_tool_rule_and_place() {
        let imported = import(LOG.as_bytes()).unwrap();
        assert_eq!(imported.suppressed, 1);
        let [sql, style, other] = imported.findings.as_slice() else { panic!("{imported:?}") };
        assert_eq!(sql.severity, Severity::High);
        assert_eq!(sql.id.as_deref(), Some("py/sql-injection"));
        assert_eq!(sql.location.to_string(), "src/app.py:12");
        let tool =
            Evidence::Imported { tool: "CodeTool".to_owned(), rule: "py/sql-injection".to_owned() };
        assert_eq!(sql.evidence, [tool]);
        assert_eq!((style.severity, style.title.as_str()), (Severity::Low, "py/style"));
        assert_eq!((other.severity, &other.location), (Severity::High, &Location::Subject));
    }

    #[test]
    fn a_log_of_which_nothing_was_looked_at_has_not_passed() {
        let status = |text: &str| {
            let coverage = import(text.as_bytes()).unwrap().coverage;
            let [one] = coverage.as_slice() else { panic!("{coverage:?}") };
            (one.check.clone(), one.status)
        };
        let run = |members: &str| {
            format!(
                r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T"}}}}{members}}}]}}"#
            )
        };
        let named = "imported:T".to_owned();
        assert_eq!(status(&run(r#","results":[]"#)), (named.clone(), Status::Ran));
        assert_eq!(status(&run(r#","results":null"#)), (named.clone(), Status::Failed));
        assert_eq!(status(&run("")), (named.clone(), Status::Failed));
        let broken = r#","results":[],"invocations":[{"executionSuccessful":false}]"#;
        assert_eq!(status(&run(broken)), (named, Status::Failed));
        let none = r#"{"version":"2.1.0","runs":[]}"#;
        assert_eq!(status(none), ("imported".to_owned(), Status::Skipped));
        let null = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T","rules":null},"extensions":null},
            "results":[{"ruleId":"a","message":null,"locations":null}],"invocations":null}]}"#;
        assert_eq!(import(null.as_bytes()).unwrap().findings.len(), 1);
    }

    #[test]
    fn damaged_logs_are_errors_and_no_panics() {
        for text in ["", "{}", "[]", r#"{"version":"2.0.0","runs":[]}"#, r#"{"version":"2.1.0"}"#] {
            assert!(import(text.as_bytes()).is_err(), "{text}");
        }
        for end in 0..LOG.len() {
            let _ = import(&LOG.as_bytes()[..end]);
        }
        assert!(
            import(br#"{"version":"2.1.0","runs":[{"tool":{"driver":{}},"results":null}]}"#)
                .is_ok()
        );
    }
}
