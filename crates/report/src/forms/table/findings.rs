//! Vulnerabilities in the table: what to upgrade, then what no upgrade is known to help against, then
//! what has no fix; last what has no section of
//! its own.

use super::{BOLD, DIM, GREEN, YELLOW, drift, heading, left_out, origin_name, paint_of, put_layer};
use crate::group::{self, Block, Issue, open_findings};
use crate::style::Style;
use crate::text::{Page, escape, width};
use std::io;
use vocabulary::{Ecosystem, Evidence, Finding, Report, Severity, VulnerableCode, counted};

/// Blocks that the short table shows of each kind.
const BLOCKS: usize = 20;
/// Vulnerabilities that the short table shows of a block.
const ISSUES: usize = 5;
/// The widest that the columns for ids and fixed versions grow.
const COLUMN: usize = 28;

/// Vulnerable packages: those that an upgrade mends, then the others.
pub(super) fn upgrades(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let blocks = group::blocks(report);
    let (fixable, others): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| block.is_offered());
    let (unhelped, unfixable): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|block| block.has_fix());
    if !fixable.is_empty() {
        let title = format!("UPGRADE ({})", counted(fixable.len(), "package", "packages"));
        heading(page, GREEN, &title, "worst first")?;
        for block in some(&fixable, BLOCKS, style) {
            full_block(report, block, style, page)?;
        }
        left_out(page, 2, fixable.len(), BLOCKS, "package", style)?;
    }
    if !unhelped.is_empty() {
        let number = counted(unhelped.len(), "package", "packages");
        let title = format!("NO UPGRADE KNOWN TO HELP ({number})");
        heading(
            page,
            YELLOW,
            &title,
            "what is said to mend it is as bad, a pre-release, or not to be had",
        )?;
        for block in some(&unhelped, BLOCKS, style) {
            full_block(report, block, style, page)?;
        }
        left_out(page, 2, unhelped.len(), BLOCKS, "package", style)?;
    }
    if !unfixable.is_empty() {
        let title = format!("NO FIX KNOWN ({})", counted(unfixable.len(), "package", "packages"));
        heading(page, YELLOW, &title, "worst first")?;
        for block in some(&unfixable, BLOCKS, style) {
            match style.verbose {
                0 => short_block(block, page)?,
                _ => full_block(report, block, style, page)?,
            }
        }
        left_out(page, 2, unfixable.len(), BLOCKS, "package", style)?;
    }
    Ok(())
}

fn some<'list, T>(list: &'list [T], limit: usize, style: &Style) -> impl Iterator<Item = &'list T> {
    list.iter().take(if style.verbose == 0 { limit } else { usize::MAX })
}

fn full_block(
    report: &Report,
    block: &Block<'_>,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    block_title(block, page);
    page.end()?;
    block_place(report, block, page)?;
    if style.verbose > 1 {
        for place in &block.places {
            page.column(4).paint(DIM, "at ").paint(DIM, place).end()?;
        }
        if block.more_places > 0 {
            let more = format!("at {} more places, which are not listed", block.more_places);
            page.column(4).paint(DIM, &more).end()?;
        }
    }
    let shown: Vec<_> = some(&block.issues, ISSUES, style).collect();
    let widest = |text: fn(&Issue<'_>) -> String| {
        shown.iter().map(|issue| width(&escape(&text(issue)))).max().unwrap_or(0).min(COLUMN)
    };
    let ids = 4 + widest(|issue| issue.id.to_owned()) + 2;
    let fixes = ids + width(Severity::Negligible.name()) + 2;
    let titles = fixes + widest(|issue| fix_text(issue.finding)) + 2;
    for issue in &shown {
        page.column(4).put(issue.id).column(ids);
        page.paint(paint_of(issue.severity), issue.severity.name()).column(fixes);
        let paint = if issue.offered { GREEN } else { DIM };
        page.paint(paint, &fix_text(issue.finding)).column(titles);
        page.put(own_title(issue));
        if style.verbose > 0 && issue.finding.is_rated_as_bundle() {
            page.paint(DIM, "  rated as a bundle");
        }
        if let Some(code) = issue.code {
            let paint = if code == VulnerableCode::Absent { GREEN } else { YELLOW };
            page.paint(paint, &format!("  vulnerable function {}", code.name()));
        }
        page.end()?;
    }
    left_out(page, 4, block.issues.len(), ISSUES, "vulnerability", style)
}

/// `openssl 3.0.9-1 → 3.0.11-1    1 critical, 2 high`
fn block_title(block: &Block<'_>, page: &mut Page<'_>) {
    page.put("  ").paint(BOLD, block.name).put(" ").put(block.version);
    if !block.upgrade.is_empty() {
        page.put(" → ").paint(GREEN.bold(), &block.upgrade.join(" or "));
        if let Some(subscription) = block.subscription {
            page.paint(YELLOW, &format!(" (with {subscription})"));
        }
    }
    page.column(40);
    for (index, level) in
        Severity::WORST_FIRST.iter().filter(|level| block.counts.contains_key(level)).enumerate()
    {
        if index > 0 {
            page.put(", ");
        }
        let number = block.counts.get(level).copied().unwrap_or(0);
        page.paint(paint_of(*level), &format!("{number} {level}"));
    }
    if block.mended > 0 && block.mended < block.issues.len() {
        page.paint(DIM, &format!("; mends {} of {}", block.mended, block.issues.len()));
    }
    if let Some((more, subscription)) = block.paid {
        page.paint(YELLOW, &format!(", {more} more need {subscription}"));
    }
}

/// Packages, ecosystem, place, origin and layer: what tells where the upgrade is to be made.
fn block_place(report: &Report, block: &Block<'_>, page: &mut Page<'_>) -> io::Result<()> {
    page.column(4).paint(DIM, block.ecosystem);
    let names: Vec<_> = block.packages.iter().copied().collect();
    if names != [block.name] {
        page.paint(DIM, ": ").paint(DIM, &names.join(", "));
    }
    if !report.layers.is_empty() {
        page.paint(DIM, " · ").paint(DIM, origin_name(block.origin));
    }
    if let Some(first) =
        block.places.first().filter(|_| !Ecosystem::new(block.ecosystem).is_distribution())
    {
        page.paint(DIM, " · ").paint(DIM, first);
        let listed = block.places.len().saturating_sub(1) as u64;
        let left = listed.saturating_add(block.more_places);
        if left > 0 {
            page.paint(DIM, &format!(" and {left} more"));
        }
    }
    if block.layer.is_some() {
        page.paint(DIM, " · ");
        put_layer(report, block.layer, page);
    }
    page.end()
}

fn short_block(block: &Block<'_>, page: &mut Page<'_>) -> io::Result<()> {
    block_title(block, page);
    page.paint(DIM, "  ");
    let ids: Vec<_> = block.issues.iter().take(ISSUES).map(|issue| issue.id).collect();
    page.paint(DIM, &ids.join(" "));
    let left = block.issues.len().saturating_sub(ISSUES);
    if left > 0 {
        page.paint(DIM, &format!(" and {left} more"));
    }
    page.end()
}

fn fix_text(finding: &Finding) -> String {
    let Some(fix) = finding.upgrade() else {
        return finding.fix.as_ref().map_or("no fix", vocabulary::Fix::title).to_owned();
    };
    let fact = fix.fact().or_else(|| Some(format!("not in {}", fix.to.as_deref()?)));
    match (fact, &fix.subscription) {
        (Some(fact), Some(subscription)) => format!("{fact} ({subscription})"),
        (Some(fact), None) => fact,
        (None, _) => fix.title.clone(),
    }
}

/// The title, unless it only says the id again.
fn own_title<'report>(issue: &Issue<'report>) -> &'report str {
    let title = issue.finding.title.as_str();
    let rest = title.strip_prefix(issue.id).unwrap_or(title);
    rest.trim_start_matches([':', ' '])
}

/// Findings of rules that have no section of their own.
pub(super) fn others(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let is_elsewhere = |finding: &&Finding| {
        let rule = report.rules.get(&finding.rule);
        finding.is_vulnerability() || rule.is_some_and(|rule| rule.is_alarm() || drift::is_of(rule))
    };
    let findings: Vec<_> = open_findings(report).filter(|finding| !is_elsewhere(finding)).collect();
    if findings.is_empty() {
        return Ok(());
    }
    heading(page, YELLOW, &format!("ALSO ({})", findings.len()), "")?;
    for finding in findings {
        page.put("  ").paint(paint_of(finding.severity), finding.severity.name()).column(14);
        let name = match finding.evidence.first() {
            Some(Evidence::Imported { tool, rule }) => format!("{tool} {rule}"),
            _ => finding.rule.clone(),
        };
        page.put(&name).put(": ").put(&finding.title);
        if finding.package.is_none() && finding.location.path().is_some() {
            page.paint(DIM, &format!("  {}", finding.location));
        }
        page.end()?;
        part(finding, 14, page)?;
    }
    Ok(())
}

/// What a rule matched, as far as it may be shown, and what is to be done about it.
pub(super) fn part(finding: &Finding, column: usize, page: &mut Page<'_>) -> io::Result<()> {
    for evidence in &finding.evidence {
        let Evidence::Match(part) = evidence else { continue };
        let place = part.span.map_or_else(String::new, |span| format!(":{span}"));
        page.column(column)
            .paint(DIM, &format!("{}{place}  {}", part.file, part.redacted))
            .end()?;
    }
    match group::change_of(finding) {
        Some(change) => page.column(column).paint(GREEN, change).end(),
        None => Ok(()),
    }
}
