//! JUnit XML: a test suite for each subject, a test case for each finding and each check.
//!
//! A finding over the line is a failure, another one passes, a silenced one is skipped; a check that
//! did not run in full is an error, so that no CI shows green where something was not looked at.
//! Source: the schema of Apache Ant's JUnit task, as CI services read it.

use crate::group::{fixed_in, id_of, name_of};
use crate::text::{cut, escape};
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use vocabulary::{Finding, Report, Status};

/// Characters of one text.
const TEXT: usize = 2_000;

pub(crate) fn render(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"lazaret\">")?;
    reports.iter().try_for_each(|report| suite(report, out))?;
    writeln!(out, "</testsuites>")
}

fn suite(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let over: HashSet<_> = report.decision.over_the_line.iter().collect();
    let silenced: HashMap<_, _> =
        report.decision.suppressed.iter().map(|rule| (&rule.fingerprint, rule)).collect();
    let gaps = report.coverage.iter().filter(|one| one.status != Status::Ran).count();
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{gaps}\" skipped=\"{}\">",
        xml(&report.subject.name),
        report.findings.len() + report.coverage.len(),
        over.len(),
        silenced.len()
    )?;
    for finding in &report.findings {
        case(report, finding, out)?;
        if let Some(rule) = silenced.get(&finding.fingerprint) {
            writeln!(
                out,
                ">\n      <skipped message=\"{}\"/>\n    </testcase>",
                xml(&rule.reason)
            )?;
        } else if over.contains(&finding.fingerprint) {
            let fix = fixed_in(finding).map_or_else(
                || "no fix is known".to_owned(),
                |version| format!("mended in {version}"),
            );
            writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
                finding.severity,
                xml(&finding.title),
                xml(&format!("{} at {}; {fix}", finding.title, finding.location))
            )?;
        } else {
            writeln!(out, "/>")?;
        }
    }
    for coverage in &report.coverage {
        let check = xml(&coverage.check);
        write!(out, "    <testcase classname=\"checks\" name=\"{check}\"")?;
        if coverage.status == Status::Ran {
            writeln!(out, "/>")?;
        } else {
            let reason = coverage.reason.as_deref().unwrap_or("could not read all files");
            writeln!(
                out,
                ">\n      <error type=\"not-checked\" message=\"{}\"/>\n    </testcase>",
                xml(reason)
            )?;
        }
    }
    writeln!(out, "  </testsuite>")
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
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_its_attribute_or_hold_what_xml_has_not() {
        assert_eq!(xml("a\"><b>&\u{0}\u{1b}"), "a&quot;&gt;&lt;b&gt;&amp;\\x00\\x1b");
    }
}
