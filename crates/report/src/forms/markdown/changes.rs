//! What changed between two subjects, for pull requests and CI services.
//!
//! In Markdown stands what a reviewer asks: what comes with the change, what it mends, and in which
//! versions; SARIF and JUnit are lists of faults, and tell of what is new alone, as if it were all that
//! the later subject has. What either side did not look at is in all of them, since what nobody looked
//! at is no difference.

use super::{gaps, link, plain, verdict};
use crate::group::{advised, name_of};
use crate::style::Style;
use std::io::{self, Write};
use vocabulary::counted;
use vocabulary::diff::{Change, DiffReport, FindingChange, PackageChange};

/// Lines of one section: GitHub refuses a comment of more than 65,536 characters.
const SHOWN: usize = 25;
/// Versions that are named of one package.
const VERSIONS: usize = 5;

/// For a pull request.
pub(crate) fn render(report: &DiffReport, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let (mark, word) = verdict(report.outcome);
    let reasons = plain(&report.reasons.join("; "));
    let (before, after) = (plain(&report.before.subject.name), plain(&report.after.subject.name));
    writeln!(out, "### {mark} {word}: {before} → {after}\n\n{reasons}\n")?;
    let limit = if style.verbose > 0 { usize::MAX } else { SHOWN };
    new_findings(report, limit, out)?;
    let of = |change| report.findings.iter().filter(move |one| one.change == change);
    let gone: Vec<String> = of(Change::Gone).map(gone_line).collect();
    list("Gone", "finding", &gone, limit, out)?;
    let changed: Vec<String> = of(Change::Changed).map(changed_line).collect();
    list("Changed", "finding", &changed, limit, out)?;
    packages(&report.packages, limit, out)?;
    gaps(&report.gaps, out)?;
    if report.findings.is_empty() && report.packages.is_empty() {
        writeln!(out, "No difference in packages or findings.\n")?;
    }
    writeln!(out, "{mark} **{word}**: {reasons}")
}

fn new_findings(report: &DiffReport, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    let new: Vec<_> = report.findings.iter().filter(|one| one.change == Change::New).collect();
    if new.is_empty() {
        return Ok(());
    }
    writeln!(out, "**New ({})**\n", counted(new.len(), "finding", "findings"))?;
    writeln!(
        out,
        "| | finding | package | severity | upgrade to | why |\n|---|---|---|---|---|---|"
    )?;
    for change in new.iter().take(limit) {
        let finding = &change.finding;
        let exploited = finding.risk.as_ref().is_some_and(|risk| risk.exploited.is_some());
        let silenced = report.suppressed.iter().any(|one| one.fingerprint == finding.fingerprint);
        let over = report.over_the_line.contains(&finding.fingerprint);
        let mark = match (silenced, exploited, over) {
            (true, ..) => "silenced",
            (_, true, _) => ":fire:",
            (_, _, true) => ":x:",
            _ => "",
        };
        let fixed = plain(&advised(finding));
        writeln!(
            out,
            "| {mark} | {} | {} | {} | {fixed} | {} |",
            link(finding),
            affected(change),
            finding.severity,
            plain(&change.why)
        )?;
    }
    more(new.len(), limit, out)
}

/// The package with the versions that have the finding, or its place.
fn affected(change: &FindingChange) -> String {
    match &change.finding.package {
        Some(purl) => {
            let name = plain(&name_of(purl));
            format!("{name} {}", some(&change.affected)).trim_end().to_owned()
        }
        None => plain(&change.finding.location.to_string()),
    }
}

fn some(versions: &[String]) -> String {
    let shown: Vec<&str> = versions.iter().map(String::as_str).take(VERSIONS).collect();
    let more = if versions.len() > VERSIONS { ", …" } else { "" };
    format!("{}{more}", plain(&shown.join(", ")))
}

/// Which version had it, and which has it not.
fn gone_line(change: &FindingChange) -> String {
    let now = match change.unaffected.as_slice() {
        [] => String::new(),
        versions => format!("; {} has it not", some(versions)),
    };
    let severity = change.finding.severity;
    format!(
        "{} ({severity}): {} had it{now}: {}",
        link(&change.finding),
        affected(change),
        plain(&change.why)
    )
}

fn changed_line(change: &FindingChange) -> String {
    format!("{}: {}: {}", link(&change.finding), affected(change), plain(&change.why))
}

fn list(
    title: &str,
    what: &str,
    lines: &[String],
    limit: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let plural = format!("{what}s");
    writeln!(out, "**{title} ({})**\n", counted(lines.len(), what, &plural))?;
    lines.iter().take(limit).try_for_each(|line| writeln!(out, "- {line}"))?;
    more(lines.len(), limit, out)
}

fn more(count: usize, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    match count.saturating_sub(limit) {
        0 => writeln!(out),
        left => writeln!(out, "\n… and {left} more\n"),
    }
}

fn packages(changes: &[PackageChange], limit: usize, out: &mut dyn Write) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let number = counted(changes.len(), "package", "packages");
    writeln!(out, "<details><summary>{number} changed</summary>\n")?;
    writeln!(out, "| package | before | after | |\n|---|---|---|---|")?;
    for change in changes.iter().take(limit) {
        let version = |version: &Option<String>| version.as_deref().map(plain).unwrap_or_default();
        let downgrade = if change.downgrade == Some(true) { "downgrade" } else { "" };
        writeln!(
            out,
            "| {} ({}) | {} | {} | {downgrade} |",
            plain(&change.name),
            plain(change.ecosystem.as_str()),
            version(&change.before),
            version(&change.after)
        )?;
    }
    more(changes.len(), limit, out)?;
    writeln!(out, "</details>\n")
}
