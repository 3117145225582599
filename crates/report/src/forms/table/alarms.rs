//! What no line lets pass, at the head of the table: seals, digests, what ran, malicious packages.
//!
//! One block for each rule that fired, each finding with what was expected and what was found, and
//! under them why it matters and what to do, because this is read by somebody in a hurry.

use super::{BOLD, DIM, RED, heading, put_layer};
use crate::difference;
use crate::event::{act_of, execution_of, happened, input_of, program_of, side_name, tree_of};
use crate::group::{id_of, name_of, open_findings};
use crate::style::Style;
use crate::text::{Page, escape, width};
use anstyle::Style as Paint;
use std::io;
use vocabulary::{EventEvidence, Evidence, Finding, Location, Report, SubjectKind};

/// Findings of one rule that the short table shows.
const SHOWN: usize = 50;
/// The column behind the labels of an execution.
const VALUES: usize = 15;

pub(super) fn list(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    for rule in report.rules.iter().filter(|rule| rule.is_alarm()) {
        let findings: Vec<_> =
            open_findings(report).filter(|finding| finding.rule == rule.id).collect();
        if findings.is_empty() {
            continue;
        }
        let title = format!("{} ({})", rule.title.to_uppercase(), findings.len());
        heading(page, RED, &title, "")?;
        let shown = if style.verbose == 0 { SHOWN } else { usize::MAX };
        for finding in findings.iter().take(shown) {
            match happened(finding) {
                Some(happened) => event(report, finding, happened, style, page)?,
                None => alarm(report, finding, style, page)?,
            }
        }
        super::left_out(page, 2, findings.len(), SHOWN, "finding", style)?;
        page.wrap(Paint::new(), 2, &rule.why)?;
        page.wrap(BOLD, 2, &rule.remedy)?;
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
    evidence(finding, style, page)?;
    super::findings::part(finding, 4, page)
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
            | Evidence::Event(_)
            | Evidence::Match(_)
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

/// What happened: a program that ran, or another event; who started it, as whom, and what it was held
/// against.
fn event(
    report: &Report,
    finding: &Finding,
    happened: &EventEvidence,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let EventEvidence { event, reason, expected, seal } = happened;
    let execution = execution_of(event);
    page.put("  ").paint(RED, "! ");
    match execution {
        Some(ran) => page.paint(BOLD, &program_of(ran)),
        None => page.paint(BOLD, &act_of(&event.act)),
    };
    page.put("  ").put(reason);
    if let Some(ran) = execution {
        page.put(", ").put(side_name(ran.side));
    }
    page.end()?;
    let digest = |digest: &vocabulary::Digest| difference::digest(digest, style);
    row(page, "process", &tree_of(event))?;
    row(page, "user", &format!("{}, group {}", event.uid, event.gid))?;
    if let Some(input) = execution.and_then(input_of) {
        row(page, "input", &input)?;
    }
    match (execution.and_then(|ran| ran.digest.as_ref()), expected) {
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
    let seal = seal.as_ref().map_or_else(|| "none".to_owned(), digest);
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
