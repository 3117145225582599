//! Reads back what the JSON form wrote: a report, the reports of several subjects, a difference, or a
//! list of packages.
//!
//! In go bytes, out comes what they are by their own schema, or why they are nothing of ours. What other
//! tools write is refused by name, so that nothing that was not decided here is rendered as if it had
//! been. Packages have a variant of their own, since nothing was matched: no form that has findings may
//! show them as if there were none.

use crate::listed::{MISMATCH, PACKAGES_SCHEMA};
use serde::Deserialize;
use std::collections::BTreeSet;
use vocabulary::diff::{DIFF_SCHEMA, DiffReport, FindingChange};
use vocabulary::report::{REPORTS_SCHEMA, SCHEMA};
use vocabulary::upgrade::Mending;
use vocabulary::{
    Coverage, Decision, Distribution, Finding, Layer, Nullable, Outcome, Package, Report, Reports,
    Rules, Subject, Summary, Tool,
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
    /// It has findings of a rule that it does not carry.
    #[error(
        "it has findings of the rule `{0}`, which it does not carry, and this version does not know; make it anew"
    )]
    Rule(String),
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
    #[serde(default)]
    rules: Rules,
}

impl Packages {
    fn report(self) -> Report {
        let Self { tool, subject, distribution, layers, packages, coverage, mut mismatches, rules } =
            self;
        // Such a list has no other findings, and where it has, they are none of ours.
        mismatches.retain(|finding| finding.rule == MISMATCH);
        Report {
            schema: SCHEMA.to_owned(),
            tool,
            subject,
            seal: None,
            distribution,
            layers,
            summary: Summary::count(&mismatches, &packages),
            packages,
            rules,
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

/// The forms of versions before rules were carried. They are read as the ones of today, with the rules
/// that this version has under the same ids: findings that were saved are what later scans are compared
/// with, and must not be lost by an update.
const BEFORE: [(&str, &str); 3] = [
    ("lazaret.report/1", SCHEMA),
    ("lazaret.reports/1", REPORTS_SCHEMA),
    ("lazaret.diff/1", DIFF_SCHEMA),
];

/// Reads a saved report of any of the four forms. `own` are the rules of this version: a report of
/// one that carried none is read by them.
///
/// # Errors
/// Where it is nothing that this program wrote, is damaged, or has findings of rules that it neither
/// carries nor this version knows.
pub fn read_saved(bytes: &[u8], own: &Rules) -> Result<Saved, SavedError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head: Head = read(bytes)?;
    let schema = match &head.schema {
        Some(serde_json::Value::String(text)) => text.as_str(),
        _ => "",
    };
    let before = BEFORE.iter().find(|(old, _)| *old == schema);
    let by = By { own, before: before.is_some() };
    match before.map_or(schema, |(_, now)| *now) {
        SCHEMA => {
            let mut report: Box<Report> = read(bytes)?;
            complete(&mut report, by)?;
            Ok(Saved::Report(report))
        }
        REPORTS_SCHEMA => {
            let mut reports: Box<Reports> = read(bytes)?;
            REPORTS_SCHEMA.clone_into(&mut reports.schema);
            reports.reports.iter_mut().try_for_each(|report| complete(report, by))?;
            Ok(Saved::Reports(reports))
        }
        DIFF_SCHEMA => {
            let mut difference: Box<DiffReport> = read(bytes)?;
            DIFF_SCHEMA.clone_into(&mut difference.schema);
            let findings = difference.findings.iter_mut().flat_map(of_change);
            rule(&mut difference.rules, findings, by)?;
            Ok(Saved::Difference(difference))
        }
        PACKAGES_SCHEMA => {
            let packages: Packages = read(bytes)?;
            let mut report = packages.report();
            // Lists of versions before carry no rules either.
            let before = report.rules.is_empty();
            complete(&mut report, By { own, before })?;
            Ok(Saved::Packages(Box::new(report)))
        }
        "" => Err(SavedError::Schema("JSON without a schema".to_owned())),
        other => {
            let short: String = other.chars().take(100).collect();
            Err(SavedError::Schema(short.escape_debug().to_string()))
        }
    }
}

/// A finding of a difference, and how it was.
fn of_change(change: &mut FindingChange) -> impl Iterator<Item = &mut Finding> {
    std::iter::once(&mut change.finding).chain(change.before.as_deref_mut())
}

fn complete(report: &mut Report, by: By<'_>) -> Result<(), SavedError> {
    SCHEMA.clone_into(&mut report.schema);
    rule(&mut report.rules, report.findings.iter_mut(), by)
}

/// By which rules a document is read.
#[derive(Clone, Copy)]
struct By<'rules> {
    /// Those of this version.
    own: &'rules Rules,
    /// Whether it carries none itself, being of a version that did not.
    before: bool,
}

/// Gives findings the class of their rule, and a report the rules of its findings. A rule that this version
/// has is taken as it has it: a file must not loosen what no line lets pass. A finding whose rule nobody
/// has could be shown as what it is not.
fn rule<'findings>(
    rules: &mut Rules,
    findings: impl Iterator<Item = &'findings mut Finding>,
    by: By<'_>,
) -> Result<(), SavedError> {
    let carried = std::mem::take(rules);
    let all = by.own.and(&carried);
    let mut used = BTreeSet::new();
    for finding in findings {
        let Some(rule) =
            all.get(&finding.rule).filter(|rule| by.before || carried.get(&rule.id).is_some())
        else {
            let short: String = finding.rule.chars().take(100).collect();
            return Err(SavedError::Rule(short.escape_debug().to_string()));
        };
        finding.class = rule.class;
        used.insert(rule.id.as_ref());
    }
    *rules = all.used(used);
    Ok(())
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
    use vocabulary::{Always, Class, Location, Rule, Severity};

    fn own() -> Rules {
        let rule = Rule {
            id: "file-changed".into(),
            class: Class::Integrity,
            title: "File changed".into(),
            why: "It is not the one on record.".into(),
            severity: Severity::Medium,
            remedy: "Find out who changed it.".into(),
            reference: None,
            always: Some(Always::from(Severity::High, "file was changed", "files were changed")),
        };
        [rule].into_iter().collect()
    }

    #[test]
    fn the_page_about_json_names_every_form_class_and_kind() {
        let page = include_str!("../../../docs/json.md");
        let alert = vocabulary::alert::ALERT_SCHEMA;
        let running = vocabulary::running::RUNNING_SCHEMA;
        for schema in [SCHEMA, REPORTS_SCHEMA, DIFF_SCHEMA, PACKAGES_SCHEMA, alert, running] {
            assert!(page.contains(&format!("`{schema}`")), "{schema}");
        }
        for (before, _) in BEFORE {
            assert!(page.contains(&format!("`{before}`")), "{before}");
        }
        let classes = [
            Class::Integrity,
            Class::Runtime,
            Class::Malware,
            Class::Secret,
            Class::Vulnerability,
            Class::Configuration,
            Class::Access,
            Class::Policy,
            Class::Code,
            Class::Other,
        ];
        for class in classes {
            assert!(page.contains(&format!("`{}`", class.name())), "{}", class.name());
        }
        let rule = own().get("file-changed").unwrap().clone();
        let finding = Finding::of(&rule, None, String::new(), Location::Subject, Vec::new());
        for value in [serde_json::to_value(&rule).unwrap(), serde_json::to_value(finding).unwrap()]
        {
            for field in value.as_object().unwrap().keys() {
                assert!(page.contains(&format!("`{field}`")), "{field}");
            }
        }
    }

    /// A report as version 1 wrote it: no rules, no class, a fix without a kind.
    fn before(rule: &str) -> String {
        let finding = Finding::of(
            own().get("file-changed").unwrap(),
            None,
            "etc/passwd".to_owned(),
            Location::file("etc/passwd", Some(0)),
            Vec::new(),
        );
        let mut finding = serde_json::to_value(finding).unwrap();
        finding["rule"] = rule.into();
        finding["fix"] = serde_json::json!({"title": "restore it", "safety": "review"});
        finding.as_object_mut().unwrap().remove("class");
        serde_json::json!({
            "schema": "lazaret.report/1",
            "tool": {"name": "lazaret", "version": "0.1.0"},
            "subject": {"kind": "image", "name": "app"},
            "layers": [], "packages": [], "findings": [finding], "coverage": [], "databases": [],
            "summary": {"total": {}, "by_origin": {}, "fixable": 0, "packages": 0},
            "decision": {"outcome": "findings", "reasons": []}
        })
        .to_string()
    }

    #[test]
    fn a_report_of_before_is_read_with_the_rules_of_today_and_written_as_one_of_today() {
        let own = own();
        let read = read_saved(before("file-changed").as_bytes(), &own).unwrap();
        let Saved::Report(report) = &read else { panic!("{read:?}") };
        assert_eq!((report.schema.as_str(), &report.rules), (SCHEMA, &own));
        assert_eq!(report.findings[0].class, Class::Integrity);
        assert!(report.findings[0].upgrade().is_some());
        let written = serde_json::to_string(report).unwrap();
        assert_eq!(read_saved(written.as_bytes(), &Rules::default()).unwrap(), read);
        let several =
            format!(r#"{{"schema":"lazaret.reports/1","reports":[{}]}}"#, before("file-changed"));
        let Saved::Reports(several) = read_saved(several.as_bytes(), &own).unwrap() else {
            panic!()
        };
        assert_eq!(&several.reports[0], report.as_ref());
    }

    #[test]
    fn a_finding_of_a_rule_that_nobody_has_is_refused() {
        let own = own();
        let error = read_saved(before("of-another").as_bytes(), &own).unwrap_err().to_string();
        assert!(error.contains("`of-another`") && !error.contains('\n'), "{error}");
        // One of today has to bring its rules, whatever this version knows.
        let today = before("file-changed").replace("report/1", "report/2");
        assert!(read_saved(today.as_bytes(), &own).is_err());
    }

    #[test]
    fn a_report_cannot_loosen_a_rule_that_this_version_has() {
        let read = read_saved(before("file-changed").as_bytes(), &own()).unwrap();
        let Saved::Report(mut report) = read else { panic!() };
        let loose = Rule { always: None, ..own().get("file-changed").unwrap().clone() };
        report.rules = [loose].into_iter().collect();
        let text = serde_json::to_string(&report).unwrap();
        let Saved::Report(read) = read_saved(text.as_bytes(), &own()).unwrap() else { panic!() };
        assert_eq!(read.rules, own());
    }

    #[test]
    fn what_is_nothing_of_ours_is_refused_by_its_name() {
        for (text, part) in [
            ("{}", "JSON without a schema"),
            (r#"{"schema":"lazaret.packages/1"}"#, "missing field"),
            (r#"{"schema":"lazaret.packages/2"}"#, "`lazaret.packages/2`"),
            (r#"{"schema":"lazaret.report/3"}"#, "`lazaret.report/3`"),
            (r#"{"schema":"lazaret.report/2"}"#, "missing field"),
            (r#"{"schema":["lazaret.report/1"]}"#, "JSON without a schema"),
            (r#"{"schema":"lazaret.report/1"}"#, "missing field"),
            ("", "EOF"),
            ("[]", "JSON without a schema"),
            ("7", "no saved report"),
            (r#"{"version":"2.1.0","runs":[]}"#, "JSON without a schema"),
        ] {
            let error = read_saved(text.as_bytes(), &Rules::default()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
