//! Markdown for pull requests: the decision, what to act on first, what mends it, what was not checked,
//! and the decision again.
//!
//! Short on purpose: it is read beside a change, and the host cuts what is long. All text of an image
//! is escaped, so that no package name can make a link, an image, a mention or a table of its own.
//! Source: GitHub Flavored Markdown specification, "Backslash escapes", "Tables".

mod changes;

use crate::form::{Form, Format};
use crate::group::{advised, id_of, name_of, open_findings};
use crate::style::Style;
use crate::text::{cut, escape};
use std::io::{self, Write};
use vocabulary::{Count, Coverage, Finding, Outcome, Report, Reports, Severity, Status, counted};

/// For pull requests.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".md", ".markdown"],
    names: "`.md`",
    reports: Some(render_reports),
    diff: Some(changes::render),
    ..Form::new("markdown", render)
};

/// Findings that are listed.
const FINDINGS: usize = 25;
/// Steps that are listed.
const STEPS: usize = 10;
/// Characters of one text.
const TEXT: usize = 200;

pub(crate) fn render_reports(
    reports: &Reports,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for report in &reports.reports {
        render(report, style, out)?;
        writeln!(out)?;
    }
    for failed in &reports.failed {
        writeln!(out, "**Not read:** {}: {}", plain(&failed.what), plain(&failed.reason))?;
    }
    Ok(())
}

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let (mark, word) = verdict(report.decision.outcome);
    let reasons = plain(&report.decision.reasons.join("; "));
    writeln!(out, "### {mark} {word}: {}\n", plain(&report.subject.name))?;
    writeln!(out, "{reasons}\n")?;
    counts(report, out)?;
    findings(report, style, out)?;
    mending(report, out)?;
    gaps(&report.coverage, out)?;
    writeln!(out, "{mark} **{word}**: {reasons}")
}

/// The sign of a verdict, and what it says.
pub(crate) const fn verdict(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Pass => (":white_check_mark:", "Pass"),
        Outcome::NoLine => (":grey_question:", "No verdict"),
        Outcome::Findings => (":x:", "Findings"),
        Outcome::Incomplete => (":warning:", "Not all could be checked"),
    }
}

fn counts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let total = &report.summary.total;
    if total.is_empty() {
        return Ok(());
    }
    let titles: Vec<&str> = Severity::WORST_FIRST.iter().map(|level| level.name()).collect();
    writeln!(out, "| {} |", titles.join(" | "))?;
    writeln!(out, "|{}", "---:|".repeat(titles.len()))?;
    let numbers: Vec<String> = Severity::WORST_FIRST
        .iter()
        .map(|level| total.get(level).copied().unwrap_or(0).to_string())
        .collect();
    writeln!(out, "| {} |\n", numbers.join(" | "))?;
    let count = Count::of(open_findings(report)).phrase();
    writeln!(out, "{count}\n")
}

fn findings(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<&Finding> = open_findings(report).collect();
    if all.is_empty() {
        return Ok(());
    }
    let limit = if style.verbose > 0 { usize::MAX } else { FINDINGS };
    writeln!(out, "| | finding | package | severity | upgrade to |\n|---|---|---|---|---|")?;
    let over: std::collections::HashSet<_> = report.decision.over_the_line.iter().collect();
    for finding in all.iter().take(limit) {
        let package = finding
            .package
            .as_ref()
            .map(|purl| format!("{} {}", name_of(purl), purl.version().unwrap_or_default()));
        let place = package.unwrap_or_else(|| finding.location.to_string());
        let exploited = finding.risk.as_ref().is_some_and(|risk| risk.exploited.is_some());
        let mark = match (exploited, over.contains(&finding.fingerprint)) {
            (true, _) => ":fire:",
            (false, true) => ":x:",
            (false, false) => "",
        };
        let id = link(finding);
        let fixed = plain(&advised(finding));
        let paid = finding.upgrade().and_then(|fix| fix.subscription.as_deref());
        let paid = paid.map_or_else(String::new, |paid| format!(" ({})", plain(paid)));
        let bundle = if finding.is_rated_as_bundle() { ", rated as a bundle" } else { "" };
        let severity = finding.severity;
        let place = plain(&place);
        writeln!(out, "| {mark} | {id} | {place} | {severity}{bundle} | {fixed}{paid} |")?;
    }
    match all.len().saturating_sub(limit) {
        0 => writeln!(out),
        left => writeln!(out, "\n… and {left} more\n"),
    }
}

/// The id, linked to its page where that has a plain address.
pub(crate) fn link(finding: &Finding) -> String {
    let id = plain(id_of(finding));
    let page = finding.evidence.iter().find_map(|evidence| match evidence {
        vocabulary::Evidence::Advisory(advisory) => advisory.url.as_deref(),
        _ => None,
    });
    match page.filter(|url| crate::text::is_web_address(url) && !url.contains(['(', ')'])) {
        Some(url) => format!("[{id}]({url})"),
        None => id,
    }
}

fn mending(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let steps = &report.mending.upgrades;
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "**What mends it**\n")?;
    for step in steps.iter().take(STEPS) {
        writeln!(out, "1. {}: {}", plain(&step.title), step.effect())?;
        for brought in &step.packages {
            for way in brought.ways() {
                writeln!(out, "   - {}", plain(&way))?;
            }
        }
    }
    match steps.len().saturating_sub(STEPS) {
        0 => writeln!(out),
        left => writeln!(out, "\n… and {left} more\n"),
    }
}

/// The checks that did not run in full.
pub(crate) fn gaps(coverage: &[Coverage], out: &mut dyn Write) -> io::Result<()> {
    let gaps: Vec<_> = coverage.iter().filter(|one| one.status != Status::Ran).collect();
    if gaps.is_empty() {
        return Ok(());
    }
    let number = counted(gaps.len(), "check", "checks");
    writeln!(out, "<details><summary>{number} not in full</summary>\n")?;
    for gap in gaps.iter().take(FINDINGS) {
        let reason = gap.reason.as_deref().or_else(|| gap.general_problem());
        let reason = reason.unwrap_or("could not read all files");
        let problems = u64::try_from(gap.problems.len()).unwrap_or(u64::MAX);
        let problems = problems.saturating_add(gap.problems_left_out);
        let unread = match problems {
            0 => String::new(),
            number => format!(" ({})", counted(number, "problem", "problems")),
        };
        writeln!(out, "- {}: {}{unread}", plain(&gap.check), plain(reason))?;
    }
    if let left @ 1.. = gaps.len().saturating_sub(FINDINGS) {
        writeln!(out, "\n… and {left} more")?;
    }
    writeln!(out, "\n</details>\n")
}

/// Text that means nothing to Markdown: punctuation is escaped, mentions are broken, lines joined.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in cut(&escape(text), TEXT) {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~'
            | '$' => {
                safe.extend(['\\', character]);
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_shows_it() {
        assert!(plain(&"a".repeat(TEXT)).ends_with('a'));
        let long = plain(&"a".repeat(TEXT + 1));
        assert!(long.ends_with("a…") && long.chars().count() == TEXT + 1, "{long}");
    }

    #[test]
    fn no_text_of_an_image_is_markdown() {
        assert_eq!(
            plain("[x](https://evil.example) @team |a| <b>\n# c"),
            "\\[x\\]\\(https://evil.example\\) &#64;team \\|a\\| &lt;b&gt;\\\\n\\# c"
        );
    }
}
