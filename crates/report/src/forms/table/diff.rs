//! What changed between two subjects, in the table: findings first, since they are what people act on,
//! then packages; the first line and the last are the decision about what is new.

use super::{
    BOLD, DIM, GREEN, RED, YELLOW, decision_line, heading, left_out, origin_name, paint_of,
    verdict_first,
};
use crate::group::{change_of, name_of};
use crate::style::Style;
use crate::text::Page;
use anstyle::Style as Paint;
use std::io;
use vocabulary::diff::{Change, DiffReport, FindingChange, PackageChange, Side};
use vocabulary::{OriginKind, counted};

/// Lines of one section of the short table.
const SHOWN: usize = 20;
/// The column behind the labels.
const VALUES: usize = 10;

pub(crate) fn render(
    report: &DiffReport,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(out, style.colour, style.width);
    verdict_first(report.outcome, &report.reasons, &mut page)?;
    side("Before", &report.before, &mut page)?;
    side("After", &report.after, &mut page)?;
    for (change, title, paint) in [
        (Change::New, "NEW FINDINGS", RED),
        (Change::Changed, "CHANGED FINDINGS", YELLOW),
        (Change::Gone, "FINDINGS THAT ARE GONE", GREEN),
    ] {
        let of: Vec<_> = report.findings.iter().filter(|one| one.change == change).collect();
        findings(title, paint, &of, style, &mut page)?;
    }
    for (change, title) in [
        (Change::New, "NEW PACKAGES"),
        (Change::Changed, "CHANGED PACKAGES"),
        (Change::Gone, "PACKAGES THAT ARE GONE"),
    ] {
        let of: Vec<_> = report.packages.iter().filter(|one| one.change == change).collect();
        packages(title, &of, style, &mut page)?;
    }
    if report.findings.is_empty() && report.packages.is_empty() {
        page.end()?;
        page.put("No difference in packages or findings.").end()?;
    }
    decision_line(report.outcome, &report.reasons, &mut page)
}

fn side(label: &str, side: &Side, page: &mut Page<'_>) -> io::Result<()> {
    page.paint(DIM, label).column(VALUES).paint(BOLD, &side.subject.name);
    let packages = counted(side.packages, "package", "packages");
    let findings = counted(side.findings, "finding", "findings");
    page.put(&format!("  {packages}, {findings}")).end()?;
    if let Some(distribution) = &side.distribution {
        let shown = distribution.pretty_name.as_deref().unwrap_or(&distribution.id);
        page.column(VALUES).paint(DIM, shown).end()?;
    }
    if !side.incomplete.is_empty() {
        let text = format!("not compared in full: {}", side.incomplete.join(", "));
        page.wrap(YELLOW, VALUES, &text)?;
    }
    Ok(())
}

fn findings(
    title: &str,
    paint: Paint,
    changes: &[&FindingChange],
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    heading(page, paint, &format!("{title} ({})", changes.len()), "")?;
    let limit = if style.verbose > 0 { usize::MAX } else { SHOWN };
    for change in changes.iter().take(limit) {
        let finding = &change.finding;
        page.put("  ").paint(paint_of(finding.severity), &format!("{:<10}", finding.severity));
        page.put("  ").paint(BOLD, finding.id.as_deref().unwrap_or(&finding.rule));
        match &finding.package {
            Some(purl) => page.put("  ").put(&name_of(purl)),
            None => page.put("  ").put(&finding.location.to_string()),
        };
        if !change.affected.is_empty() {
            page.put(" ").put(&change.affected.join(", "));
        }
        page.paint(DIM, "  ").paint(DIM, &change.why);
        if change.change == Change::New {
            put_fix(finding, page);
        }
        page.end()?;
    }
    left_out(page, 2, changes.len(), SHOWN, "finding", style)
}

/// Where to go; where nowhere, what advisories say.
fn put_fix(finding: &vocabulary::Finding, page: &mut Page<'_>) {
    if let Some(change) = change_of(finding) {
        page.paint(GREEN, &format!("  {change}"));
        return;
    }
    match (finding.offered(), finding.upgrade().and_then(vocabulary::fix::Upgrade::fact)) {
        (Some(to), _) => page.paint(GREEN, &format!("  upgrade to {to}")),
        (None, Some(fact)) => page.paint(DIM, &format!("  {fact}")),
        (None, None) => page,
    };
}

fn packages(
    title: &str,
    changes: &[&PackageChange],
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    heading(page, Paint::new(), &format!("{title} ({})", changes.len()), "")?;
    let limit = if style.verbose > 0 { usize::MAX } else { SHOWN };
    for change in changes.iter().take(limit) {
        page.put("  ").put(&change.name).put("  ");
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                page.paint(DIM, before).put(" -> ").put(after);
            }
            (None, Some(version)) | (Some(version), None) => {
                page.put(version);
            }
            (None, None) => {}
        }
        page.paint(DIM, &format!("  {}", change.ecosystem));
        if change.downgrade == Some(true) {
            page.paint(YELLOW, "  downgrade");
        }
        if change.origin != OriginKind::Unknown {
            page.paint(DIM, &format!("  {}", origin_name(change.origin)));
        }
        page.end()?;
    }
    left_out(page, 2, changes.len(), SHOWN, "package", style)
}
