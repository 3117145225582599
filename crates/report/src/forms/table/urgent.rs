//! What to act on now, at the head of the table: what is exploited, then what ranks highest and can be
//! mended.
//!
//! A person who reads no further has seen what matters. So the list is short, but never too short for
//! a vulnerability that is known to be exploited: all of those are in it.

use super::{BOLD, DIM, GREEN, RED, YELLOW, heading, paint_of};
use crate::group::{mended_in, name_of, open_findings};
use crate::style::Style;
use crate::text::Page;
use std::collections::BTreeMap;
use std::io;
use vocabulary::{Finding, Purl, Report, Risk, Severity, Used, counted_ids};

/// Lines beside those of exploited vulnerabilities.
const SHOWN: usize = 5;
/// From this rank on a vulnerability that can be mended is worth a line here: critical, or high and
/// likelier to be exploited, in use, or within reach.
const FROM: u32 = 400;

/// One vulnerability, with all the packages that have it.
struct Line<'report> {
    finding: &'report Finding,
    risk: &'report Risk,
    packages: Vec<String>,
}

pub(super) fn list(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let lines = lines(report);
    let exploited = lines.iter().take_while(|line| line.risk.exploited.is_some()).count();
    let others = lines
        .iter()
        .skip(exploited)
        .filter(|line| line.risk.rank >= FROM && line.finding.offered().is_some());
    let shown: Vec<&Line<'_>> = lines.iter().take(exploited).chain(others.take(SHOWN)).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let remark = match exploited {
        0 => String::new(),
        number => format!("{number} known to be exploited"),
    };
    heading(page, RED, "ACT ON THESE FIRST", &remark)?;
    shown.into_iter().try_for_each(|line| put(line, style, page))
}

/// Steps that the short table shows.
const STEPS: usize = 8;

/// What mends it: the shortest list of steps that clears the most.
pub(super) fn mending(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let mending = &report.mending;
    if mending.upgrades.is_empty() {
        return Ok(());
    }
    heading(page, GREEN, "WHAT MENDS IT", "the step that clears most first")?;
    let limit = if style.verbose == 0 { STEPS } else { usize::MAX };
    for step in mending.upgrades.iter().take(limit) {
        page.put("  ").put(&step.title).column(60);
        page.paint(GREEN, &step.effect());
        if step.exploited > 0 {
            page.paint(RED, &format!(", {} exploited", step.exploited));
        }
        page.end()?;
        for brought in &step.packages {
            for way in brought.ways() {
                page.wrap(DIM, 4, &way)?;
            }
        }
    }
    super::left_out(page, 2, mending.upgrades.len(), STEPS, "step", style)?;
    let left = mending.only_another_base.len();
    if left > 0 {
        let number = counted_ids(&mending.only_another_base);
        page.put("  ").put("another base image, of a newer release or another maker");
        page.column(60).paint(DIM, &format!("for {number} without a fix in this one")).end()?;
    }
    Ok(())
}

/// Vulnerabilities by id, most urgent first.
fn lines(report: &Report) -> Vec<Line<'_>> {
    let mut by_id: BTreeMap<&str, Line<'_>> = BTreeMap::new();
    let of_rule = open_findings(report).filter(|finding| finding.is_vulnerability());
    for finding in of_rule {
        let (Some(risk), Some(id)) = (&finding.risk, finding.id.as_deref()) else { continue };
        let line = by_id.entry(id).or_insert_with(|| Line { finding, risk, packages: Vec::new() });
        if line.risk.rank < risk.rank {
            (line.finding, line.risk) = (finding, risk);
        }
        if let Some(purl) = &finding.package {
            let name = name_of(purl).into_owned();
            if !line.packages.contains(&name) {
                line.packages.push(name);
            }
        }
    }
    let mut lines: Vec<_> = by_id.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.risk.rank));
    lines
}

fn put(line: &Line<'_>, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let finding = line.finding;
    page.put("  ").paint(RED, "! ").paint(BOLD, finding.id.as_deref().unwrap_or_default());
    page.put("  ").paint(paint_of(finding.severity), finding.severity.name());
    let (first, rest) =
        line.packages.split_first().map_or(("", 0), |(first, rest)| (first.as_str(), rest.len()));
    page.put("  ").put(first);
    let installed = finding.package.as_ref().and_then(Purl::version);
    if let Some(installed) = installed {
        page.put(" ").put(installed);
    }
    let paid = finding.upgrade().and_then(|fix| fix.subscription.as_deref());
    match (finding.offered(), mended_in(finding)) {
        (Some(version), _) => page.put(" → ").paint(GREEN, version),
        (None, Some(_)) => page.paint(DIM, "  no upgrade known to help"),
        (None, None) => page.paint(DIM, "  no fix known"),
    };
    if let Some(subscription) = paid {
        page.paint(YELLOW, &format!(" (with {subscription})"));
    }
    if rest > 0 {
        page.paint(DIM, &format!(" and {rest} more"));
    }
    if let Some(path) = finding.location.path() {
        page.paint(DIM, &format!("  {path}"));
    }
    page.end()?;
    let mut why = why(line.risk);
    if style.verbose > 0 {
        why.push(format!("rank {}", line.risk.rank));
    }
    if why.is_empty() {
        return Ok(());
    }
    page.wrap(DIM, 4, &why.join(" · "))
}

/// What makes it urgent, in words.
fn why(risk: &Risk) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(exploited) = &risk.exploited {
        let ransomware = if exploited.ransomware { ", also by ransomware" } else { "" };
        words.push(format!("exploited, on CISA's list since {}{ransomware}", exploited.added));
    }
    if let Some(epss) = &risk.epss {
        words.push(format!("EPSS {:.1} %", epss.probability * 100.0));
    }
    match risk.used {
        Some(Used::Loaded) => words.push("in use by a running container".to_owned()),
        Some(Used::NotLoaded) => words.push("not in use".to_owned()),
        Some(Used::Unknown) | None => {}
    }
    words.extend(risk.exposed.clone());
    words.extend(risk.code.map(|code| format!("vulnerable function {}", code.name())));
    words
}

/// Which of the feeds that rank findings was not there, where that matters.
pub(super) fn feeds(report: &Report) -> Option<String> {
    let has = |name: &str| report.databases.iter().any(|info| info.ecosystem == name);
    let vulnerable = report
        .findings
        .iter()
        .any(|finding| finding.is_vulnerability() && finding.severity != Severity::Negligible);
    let missing: Vec<&str> = ["KEV", "EPSS"].into_iter().filter(|name| !has(name)).collect();
    (vulnerable && !report.databases.is_empty() && !missing.is_empty()).then(|| {
        format!("{} not here: what is exploited is not known in full", missing.join(" and "))
    })
}
