//! JUnit XML: a test suite for each subject, a test case for each finding and each check.
//!
//! A finding over the line is a failure, one below it passes, a silenced one is skipped; where no line
//! was drawn all are skipped, because none has passed. A check that did not run in full is an error, as
//! is a subject that could not be read, so that no CI shows green where something was not looked at.
//! The verdict and its reasons are properties of the suite.
//! Source: the schema of Apache Ant's JUnit task, as CI services read it.

use crate::form::{Form, Format};
use crate::fresh::fresh;
use crate::group::{id_of, name_of, open_findings};
use crate::text::{command_in, cut, escape};
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use vocabulary::{Finding, NotChecked, Outcome, Report, Status};

/// JUnit XML, for CI services.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".xml"],
    names: "`.xml` (JUnit)",
    reports: Some(|reports, _, out| render(&reports.reports, &reports.failed, out)),
    diff: Some(|report, _, out| render(&[fresh(report)], &[], out)),
    ..Form::new("junit", |report, _, out| render(std::slice::from_ref(report), &[], out))
};

/// Characters of one text.
const TEXT: usize = 2_000;

/// Why findings without a line are skipped.
const NO_LINE: &str = "no --fail-on was given";

pub(crate) fn render(
    reports: &[Report],
    failed: &[NotChecked],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"lazaret\">")?;
    reports.iter().try_for_each(|report| suite(report, out))?;
    failed.iter().try_for_each(|failed| not_read(&failed.what, &failed.reason, out))?;
    writeln!(out, "</testsuites>")
}

/// A suite of one error.
fn not_read(name: &str, reason: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">",
        xml(name)
    )?;
    error_case("subject", reason, out)?;
    writeln!(out, "  </testsuite>")
}

fn error_case(check: &str, reason: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "    <testcase classname=\"checks\" name=\"{}\">\n      <error type=\"not-checked\" message=\"{}\"/>\n    </testcase>",
        xml(check),
        xml(reason)
    )
}

/// What was decided, and why.
fn properties(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let decision = &report.decision;
    writeln!(out, "    <properties>")?;
    let count = vocabulary::Count::of(open_findings(report)).phrase();
    for (name, value) in [
        ("verdict", decision.outcome.word()),
        ("reasons", &decision.reasons.join("; ")),
        ("findings", &count),
    ] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", xml(value))?;
    }
    writeln!(out, "    </properties>")
}

fn suite(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let over: HashSet<_> = report.decision.over_the_line.iter().collect();
    let silenced: HashMap<_, _> =
        report.decision.suppressed.iter().map(|rule| (&rule.fingerprint, rule)).collect();
    let nothing = report.coverage.is_empty();
    let gaps = report.coverage.iter().filter(|one| one.status != Status::Ran).count();
    // Neither a pass nor a failure where nobody said which it is.
    let undecided = report.decision.line.is_none() && report.decision.outcome != Outcome::Pass;
    let left = report.findings.iter().filter(|finding| {
        !over.contains(&finding.fingerprint) && !silenced.contains_key(&finding.fingerprint)
    });
    let skipped = silenced.len() + if undecided { left.count() } else { 0 };
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{skipped}\">",
        xml(&report.subject.name),
        report.findings.len() + report.coverage.len() + usize::from(nothing),
        over.len(),
        gaps + usize::from(nothing),
    )?;
    properties(report, out)?;
    for finding in &report.findings {
        case(report, finding, out)?;
        if let Some(rule) = silenced.get(&finding.fingerprint) {
            skip(&rule.reason, out)?;
        } else if over.contains(&finding.fingerprint) {
            let fix = finding.fix.as_ref().map_or("no fix is known", vocabulary::Fix::title);
            writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
                finding.severity,
                xml(&finding.title),
                xml(&format!("{} at {}; {fix}", finding.title, finding.location))
            )?;
        } else if undecided {
            skip(NO_LINE, out)?;
        } else {
            writeln!(out, "/>")?;
        }
    }
    if nothing {
        error_case("any", "nothing was checked", out)?;
    }
    for coverage in &report.coverage {
        if coverage.status == Status::Ran {
            let check = xml(&coverage.check);
            writeln!(out, "    <testcase classname=\"checks\" name=\"{check}\"/>")?;
        } else {
            let reason = coverage.reason.as_deref().or_else(|| coverage.general_problem());
            let reason = reason.unwrap_or("could not read all files");
            error_case(&coverage.check, reason, out)?;
        }
    }
    writeln!(out, "  </testsuite>")
}

/// Ends a case that was not decided, or not counted.
fn skip(reason: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", xml(reason))
}

fn case(report: &Report, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let package = finding
        .package
        .as_ref()
        .map(|purl| format!(" {} {}", name_of(purl), purl.version().unwrap_or_default()));
    let name = format!("{}{}", id_of(finding), package.unwrap_or_default());
    let class = format!("{}.{}", report.subject.name, finding.rule);
    write!(out, "    <testcase classname=\"{}\" name=\"{}\"", xml(&class), xml(&name))
}

/// Text as XML takes it; control characters, which XML 1.0 does not have, are shown by code.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in cut(&escape(text), TEXT) {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    // What a CI service takes for a command wherever it stands in a line.
    if command_in(&safe).is_some() { safe.replace('#', "&#35;") } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_its_attribute_or_hold_what_xml_has_not() {
        assert_eq!(xml("a\"><b>&\u{0}\u{1b}"), "a&quot;&gt;&lt;b&gt;&amp;\\x00\\x1b");
        assert_eq!(xml("#1 ##[error]x"), "&#35;1 &#35;&#35;[error]x");
    }
}
