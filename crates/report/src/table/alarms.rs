//! What no line lets pass, at the head of the table: seals, digests, what ran, malicious packages.
//!
//! One block for each rule that fired, each finding with what was expected and what was found, and
//! under them why it matters and what to do, because this is read by somebody in a hurry.

use super::{BOLD, DIM, RED, heading, put_layer};
use crate::difference;
use crate::execution::{input_of, program_of, ran, side_name, tree_of};
use crate::group::{id_of, name_of, open_findings};
use crate::style::Style;
use crate::text::{Page, escape, width};
use anstyle::Style as Paint;
use std::io;
use vocabulary::{Evidence, ExecutionEvidence, Finding, Location, Report, Rule, SubjectKind};

/// The rules, in the order of their blocks: whether the evidence holds, whether the image is the one,
/// who else is in it.
pub(super) const RULES: [Rule; 7] = [
    Rule::BROKEN_SEAL,
    Rule::SEAL_MISMATCH,
    Rule::ROLLED_BACK_IMAGE,
    Rule::DIGEST_MISMATCH,
    Rule::PROGRAM_NOT_IN_IMAGE,
    Rule::REVERSE_SHELL,
    Rule::MALICIOUS_PACKAGE,
];

/// Findings of one rule that the short table shows.
const SHOWN: usize = 50;
/// The column behind the labels of an execution.
const VALUES: usize = 15;

pub(super) fn list(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    for rule in RULES {
        let findings: Vec<_> =
            open_findings(report).filter(|finding| finding.rule == rule.id).collect();
        if findings.is_empty() {
            continue;
        }
        let title = format!("{} ({})", rule.title.to_uppercase(), findings.len());
        heading(page, RED, &title, "")?;
        let shown = if style.verbose == 0 { SHOWN } else { usize::MAX };
        for finding in findings.iter().take(shown) {
            match ran(finding) {
                Some(ran) => execution(report, finding, ran, style, page)?,
                None => alarm(report, finding, style, page)?,
            }
        }
        super::left_out(page, 2, findings.len(), SHOWN, "finding", style)?;
        page.wrap(Paint::new(), 2, rule.why)?;
        page.wrap(BOLD, 2, rule.remedy)?;
    }
    Ok(())
}

fn alarm(report: &Report, finding: &Finding, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    page.put("  ").paint(RED, "! ");
    if let Some(purl) = &finding.package {
        page.paint(BOLD, &name_of(purl)).put(" ").put(purl.version().unwrap_or("")).put("  ");
    }
    page.put(id_of(finding)).put("  ").put(&finding.title).end()?;
    if finding.location != Location::Subject {
        page.column(4).paint(DIM, &finding.location.to_string());
        if let Some(layer) = finding.layer {
            page.paint(DIM, " · ");
            put_layer(report, Some(layer), page);
        }
        page.end()?;
    }
    evidence(finding, style, page)
}

/// Expected and found, one below the other.
fn evidence(finding: &Finding, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    for evidence in &finding.evidence {
        match evidence {
            Evidence::Digest { what, expected, found } => {
                pair(what, &expected.to_string(), &found.to_string(), page)?;
            }
            Evidence::Difference { aspect, expected, found } => {
                let value = |value: &Option<String>| difference::value(value.as_deref(), style);
                pair(difference::name(*aspect), &value(expected), &value(found), page)?;
            }
            Evidence::Advisory(_)
            | Evidence::Archive(_)
            | Evidence::Execution(_)
            | Evidence::Imported { .. } => {}
        }
    }
    Ok(())
}

fn pair(what: &str, expected: &str, found: &str, page: &mut Page<'_>) -> io::Result<()> {
    let behind = 4 + width(&escape(what)) + 2;
    page.column(4).put(what).put(": expected ");
    page.wrap(Paint::new(), behind + 9, expected)?;
    page.column(behind).put("found    ");
    page.wrap(RED, behind + 9, found)
}

/// A program that ran: what, who started it, as whom, and what it was held against.
fn execution(
    report: &Report,
    finding: &Finding,
    ran: &ExecutionEvidence,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let execution = &ran.execution;
    page.put("  ").paint(RED, "! ").paint(BOLD, &program_of(execution));
    page.put("  ").put(&ran.reason).put(", ").put(side_name(execution.side)).end()?;
    let digest = |digest: &vocabulary::Digest| difference::digest(digest, style);
    row(page, "process", &tree_of(execution))?;
    row(page, "user", &format!("{}, group {}", execution.uid, execution.gid))?;
    if let Some(input) = input_of(execution) {
        row(page, "input", &input)?;
    }
    match (&execution.digest, &ran.expected) {
        (Some(found), Some(expected)) => {
            row(page, "digest", &format!("{}, recorded {}", digest(found), digest(expected)))?;
        }
        (Some(found), None) => row(page, "digest", &digest(found))?,
        (None, Some(expected)) => {
            row(page, "digest", &format!("not known, recorded {}", digest(expected)))?;
        }
        (None, None) => {}
    }
    if let Location::Process { container, .. } = &finding.location {
        row(page, "container", container.get(..12).unwrap_or(container))?;
    }
    row(page, "image", &image_of(report))?;
    let seal = ran.seal.as_ref().map_or_else(|| "none".to_owned(), digest);
    row(page, "seal", &seal)
}

fn row(page: &mut Page<'_>, label: &str, value: &str) -> io::Result<()> {
    page.column(4).paint(DIM, label).column(VALUES);
    page.wrap(Paint::new(), VALUES, value)
}

/// The image that a report is about, by the name that people know.
fn image_of(report: &Report) -> String {
    let subject = &report.subject;
    let id = subject.config_digest.as_ref().map(|digest| digest.short());
    let name = match subject.kind {
        SubjectKind::Container => subject.tags.join(", "),
        _ => subject.name.clone(),
    };
    match (name.is_empty(), id) {
        (true, id) => id.unwrap_or_else(|| "not known".to_owned()),
        (false, None) => name,
        (false, Some(id)) => format!("{name} ({id})"),
    }
}
