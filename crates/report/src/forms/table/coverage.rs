//! What was not looked at, and what was silenced: the parts that keep a table honest.

use super::{DIM, RED, YELLOW, heading};
use crate::group::{id_of, name_of};
use crate::style::Style;
use crate::text::Page;
use anstyle::Style as Paint;
use std::collections::HashMap;
use std::io;
use vocabulary::{Coverage, Finding, Fingerprint, Report, Status, counted};

/// Problems that the short table shows of a check.
const PROBLEMS: usize = 3;
/// Silenced findings that the short table shows.
const SILENCED: usize = 10;

/// Findings that ignore rules silenced, each with its reason.
pub(super) fn suppressed(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let silenced = &report.decision.suppressed;
    if silenced.is_empty() {
        return Ok(());
    }
    let findings: HashMap<&Fingerprint, &Finding> =
        report.findings.iter().map(|finding| (&finding.fingerprint, finding)).collect();
    heading(page, Paint::new(), &format!("IGNORED ({})", silenced.len()), "not counted above")?;
    let limit = if style.verbose == 0 { SILENCED } else { usize::MAX };
    for rule in silenced.iter().take(limit) {
        let finding = findings.get(&rule.fingerprint);
        page.put("  ").put(finding.map_or(rule.id.as_str(), |finding| id_of(finding))).column(20);
        if let Some(finding) = finding {
            page.put(finding.severity.name()).column(32);
            if let Some(purl) = &finding.package {
                page.put(&name_of(purl)).put(" ").put(purl.version().unwrap_or("")).put("  ");
            }
        }
        page.put(&rule.reason);
        if let Some(justification) = &rule.justification {
            page.paint(DIM, ", ").paint(DIM, justification);
        }
        if let Some(by) = &rule.by {
            page.paint(DIM, " [").paint(DIM, by).paint(DIM, "]");
        }
        if let Some(owner) = &rule.owner {
            page.paint(DIM, ", says ").paint(DIM, owner);
        }
        if let Some(expires) = &rule.expires {
            page.paint(DIM, " (until ").paint(DIM, expires).paint(DIM, ")");
        }
        page.end()?;
    }
    match silenced.len().saturating_sub(limit) {
        0 => Ok(()),
        left => page.put("  ").paint(DIM, &format!("… and {left} more (use -v)")).end(),
    }
}

/// What policy gave another severity.
pub(super) fn overridden(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let changed = &report.decision.overridden;
    if changed.is_empty() {
        return Ok(());
    }
    let findings: HashMap<&Fingerprint, &Finding> =
        report.findings.iter().map(|finding| (&finding.fingerprint, finding)).collect();
    heading(page, Paint::new(), &format!("SEVERITY BY POLICY ({})", changed.len()), "")?;
    let limit = if style.verbose == 0 { SILENCED } else { usize::MAX };
    for change in changed.iter().take(limit) {
        let Some(finding) = findings.get(&change.fingerprint) else { continue };
        page.put("  ").put(id_of(finding)).column(20);
        page.put(&format!("{}, was {}", finding.severity, change.severity)).column(40);
        page.put(&change.reason).paint(DIM, " [").paint(DIM, &change.by).paint(DIM, "]").end()?;
    }
    super::left_out(page, 2, changed.len(), limit, "finding", style)
}

/// Checks that did not run, or not in full; with `verbose` also those that ran.
pub(super) fn gaps(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let (ran, gaps): (Vec<&Coverage>, Vec<&Coverage>) =
        report.coverage.iter().partition(|coverage| coverage.status == Status::Ran);
    if report.coverage.is_empty() {
        heading(page, YELLOW, "NOTHING WAS CHECKED", "")?;
    }
    if !gaps.is_empty() {
        heading(
            page,
            YELLOW,
            &format!("NOT CHECKED ({})", gaps.len()),
            "what was not looked at may hold more",
        )?;
    }
    for coverage in gaps {
        gap(coverage, style, page)?;
    }
    remarks(&ran, page)?;
    if style.verbose > 0 && !ran.is_empty() {
        heading(page, Paint::new(), &format!("CHECKED ({})", ran.len()), "")?;
        for coverage in ran {
            page.put("  ").put(&coverage.check);
            if let Some(reason) = &coverage.reason {
                page.paint(DIM, "  ").paint(DIM, reason);
            }
            page.end()?;
        }
    }
    Ok(())
}

/// What was looked at in full and could not be matched in full: packages without a version or a group
/// that no advisory names, statements that met nothing; and on whose word a bill is believed.
fn remarks(ran: &[&Coverage], page: &mut Page<'_>) -> io::Result<()> {
    let told = |coverage: &&&Coverage| {
        coverage.check.starts_with("vulnerabilities:")
            || ["vex", "sbom"].contains(&coverage.check.as_str())
    };
    let remarks: Vec<(&str, &str)> = ran
        .iter()
        .filter(told)
        .filter_map(|coverage| Some((coverage.check.as_str(), coverage.reason.as_deref()?)))
        .collect();
    if remarks.is_empty() {
        return Ok(());
    }
    heading(page, Paint::new(), "TO KNOW", "")?;
    for (check, reason) in remarks {
        page.put("  ").put(check).put("  ");
        page.wrap(Paint::new(), 13, reason)?;
    }
    Ok(())
}

fn gap(coverage: &Coverage, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let (word, paint) = match coverage.status {
        Status::Ran => ("ran", Paint::new()),
        Status::Partial => ("partial", YELLOW),
        Status::Skipped => ("skipped", YELLOW),
        Status::Failed => ("failed", RED),
    };
    page.put("  ").paint(paint, word).column(11).put(&coverage.check).put("  ");
    let listed = u64::try_from(coverage.problems.len()).unwrap_or(u64::MAX);
    let all = listed.saturating_add(coverage.problems_left_out);
    let problems = match usize::try_from(all).unwrap_or(usize::MAX) {
        0 => String::new(),
        number => format!("{} not read", counted(number, "file", "files")),
    };
    let reasons = coverage.reason.iter().map(String::as_str).chain([problems.as_str()]);
    let reasons: Vec<_> = reasons.filter(|reason| !reason.is_empty()).collect();
    page.wrap(Paint::new(), 13, &reasons.join("; "))?;
    let limit = if style.verbose == 0 { PROBLEMS } else { usize::MAX };
    for problem in coverage.problems.iter().take(limit) {
        page.column(13).put(&problem.path);
        if let Some(layer) = problem.layer {
            page.paint(DIM, &format!(" (layer {layer})"));
        }
        page.put(": ").put(&problem.reason).end()?;
    }
    let shown = u64::try_from(coverage.problems.len().min(limit)).unwrap_or(u64::MAX);
    match all.saturating_sub(shown) {
        0 => Ok(()),
        left => page.column(13).paint(DIM, &format!("… and {left} more")).end(),
    }
}
