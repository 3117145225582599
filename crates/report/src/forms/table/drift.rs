//! Files that are not as they were recorded: what matters first, then the rest.
//!
//! Comparing rates programs, libraries and what decides who may do what high; by that they come first. One file is one
//! block: what became of it, its package and layer, and each aspect with expected and found.

use super::{BOLD, DIM, RED, YELLOW, heading, left_out, paint_of, put_layer};
use crate::difference;
use crate::group::{name_of, open_findings};
use crate::style::Style;
use crate::text::Page;
use anstyle::Style as Paint;
use std::io;
use vocabulary::{Always, Aspect, Class, Evidence, Finding, Report, Rule, Severity};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Became {
    Changed,
    Added,
    Removed,
}

impl Became {
    const ALL: [Self; 3] = [Self::Changed, Self::Added, Self::Removed];

    const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// As the evidence says: whether it was there before, and whether it is there now.
    fn of(finding: &Finding) -> Self {
        let presence = finding.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Difference { aspect: Aspect::Presence, expected, found } => {
                Some((expected.is_some(), found.is_some()))
            }
            _ => None,
        });
        match presence {
            Some((false, true)) => Self::Added,
            Some((true, false)) => Self::Removed,
            _ => Self::Changed,
        }
    }
}

/// Whether a rule is about files that are not as they were recorded: some of them matter, and others are
/// left to the line.
pub(super) fn is_of(rule: &Rule) -> bool {
    let partly = |always: &Always| always.from > Severity::Unknown;
    rule.class == Class::Integrity && rule.always.as_ref().is_some_and(partly)
}

/// Files that the short table shows of those that matter, and of the rest.
const SHOWN: [usize; 2] = [40, 20];

pub(super) fn list(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let mut files: Vec<(&Finding, Became)> = open_findings(report)
        .filter(|finding| report.rules.get(&finding.rule).is_some_and(is_of))
        .map(|finding| (finding, Became::of(finding)))
        .collect();
    files.sort_by(|(left, of_left), (right, of_right)| {
        right
            .severity
            .cmp(&left.severity)
            .then(of_left.cmp(of_right))
            .then_with(|| left.location.cmp(&right.location))
    });
    let (first, rest): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(finding, _)| finding.severity >= Severity::High);
    let groups = [
        (first, RED, "PROGRAMS, LIBRARIES AND SECURITY SETTINGS"),
        (rest, YELLOW, "OTHER DIFFERENCES"),
    ];
    for ((files, paint, title), shown) in groups.into_iter().zip(SHOWN) {
        group(report, &files, (paint, title), shown, style, page)?;
    }
    Ok(())
}

fn group(
    report: &Report,
    files: &[(&Finding, Became)],
    (paint, title): (Paint, &str),
    shown: usize,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let counts: Vec<String> = Became::ALL
        .iter()
        .filter_map(|became| {
            let number = files.iter().filter(|(_, one)| one == became).count();
            (number > 0).then(|| format!("{number} {}", became.word()))
        })
        .collect();
    heading(page, paint, &format!("{title} ({})", files.len()), &counts.join(", "))?;
    let limit = if style.verbose == 0 { shown } else { usize::MAX };
    for (finding, became) in files.iter().take(limit) {
        file(report, finding, became.word(), style, page)?;
    }
    left_out(page, 2, files.len(), shown, "file", style)
}

fn file(
    report: &Report,
    finding: &Finding,
    word: &str,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    page.put("  ").paint(paint_of(finding.severity), &format!("{word:<7}"));
    page.put("  ").paint(BOLD, finding.location.path().unwrap_or("")).end()?;
    page.column(11).paint(DIM, finding.severity.name());
    if report.rules.iter().all(|rule| rule.title != finding.title) {
        page.paint(DIM, " · ").put(&finding.title);
    }
    if let Some(purl) = &finding.package {
        let version = purl.version().unwrap_or("");
        page.paint(DIM, " · ").paint(DIM, &name_of(purl)).paint(DIM, " ").paint(DIM, version);
    }
    if finding.layer.is_some() {
        page.paint(DIM, " · ");
        put_layer(report, finding.layer, page);
    }
    page.end()?;
    for evidence in &finding.evidence {
        let Evidence::Difference { aspect, expected, found } = evidence else { continue };
        let value = |value: &Option<String>| difference::value(value.as_deref(), style);
        let text = format!(
            "{}: expected {}, found {}",
            difference::name(*aspect),
            value(expected),
            value(found)
        );
        page.column(11);
        page.wrap(Paint::new(), 11, &text)?;
    }
    Ok(())
}
