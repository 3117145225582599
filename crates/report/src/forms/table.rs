//! The table for people: what it is, how bad, what to upgrade, what was not checked, the decision.
//!
//! Ordered by what a person must act on first. The decision is the first line, for who reads from the
//! top or cuts what is long, and the last, where a terminal leaves the eye. Short by default, everything
//! with `verbose`.

pub(crate) mod affected;
mod alarms;
pub(crate) mod containers;
mod coverage;
pub(crate) mod diff;
mod drift;
mod findings;
mod header;
mod packages;
mod urgent;

use crate::form::{Form, Format};
use crate::group::open_findings;
use crate::style::Style;
use crate::text::Page;
use anstyle::{AnsiColor, Style as Paint};
use std::io;
use vocabulary::{OriginKind, Outcome, Report, Reports, Severity};

/// For people.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".txt"],
    names: "`.txt` (table)",
    reports: Some(render_reports),
    packages: Some(render_packages),
    diff: Some(diff::render),
    running: Some(containers::render),
    affected: Some(affected::render),
    ..Form::new("table", render)
};

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(out, style.colour, style.width);
    verdict_first(report.decision.outcome, &report.decision.reasons, &mut page)?;
    header::subject(report, &mut page)?;
    header::databases(report, style, &mut page)?;
    alarms::list(report, style, &mut page)?;
    urgent::list(report, style, &mut page)?;
    urgent::mending(report, style, &mut page)?;
    header::summary(report, &mut page)?;
    drift::list(report, style, &mut page)?;
    findings::upgrades(report, style, &mut page)?;
    findings::others(report, &mut page)?;
    coverage::overridden(report, style, &mut page)?;
    coverage::suppressed(report, style, &mut page)?;
    coverage::gaps(report, style, &mut page)?;
    decision(report, &mut page)
}

/// One table after the other; before and after them a line for each subject.
pub(crate) fn render_reports(
    reports: &Reports,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    subjects(reports, style, out)?;
    writeln!(out)?;
    for report in &reports.reports {
        render(report, style, out)?;
        writeln!(out)?;
    }
    subjects(reports, style, out)
}

/// How each subject came off.
fn subjects(reports: &Reports, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(out, style.colour, style.width);
    let all = reports.reports.len() + reports.failed.len();
    page.paint(BOLD, &format!("SUBJECTS ({all})")).end()?;
    for report in &reports.reports {
        let outcome = report.decision.outcome;
        page.put("  ").paint(paint_of_outcome(outcome).bold(), outcome.word()).column(14);
        page.put(&report.subject.name).column(50);
        page.put(&vocabulary::Count::of(open_findings(report)).phrase());
        for level in [Severity::Critical, Severity::High] {
            if let Some(number) = report.summary.total.get(&level) {
                page.put(", ").paint(paint_of(level), &format!("{number} {level}"));
            }
        }
        if outcome == Outcome::NoLine {
            page.put("; no --fail-on was given");
        }
        page.end()?;
    }
    for failed in &reports.failed {
        page.put("  ").paint(RED.bold(), "FAILED").column(14);
        page.wrap(Paint::new(), 14, &format!("{}: {}", failed.what, failed.reason))?;
    }
    Ok(())
}

pub(crate) fn render_packages(
    report: &Report,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(out, style.colour, style.width);
    // A list passes no test: a word stands here only where it is not whole, or not what it says.
    let whole = report.decision.outcome == Outcome::Pass;
    if !whole {
        verdict_first(report.decision.outcome, &report.decision.reasons, &mut page)?;
    }
    header::subject(report, &mut page)?;
    packages::list(report, &mut page)?;
    coverage::gaps(report, style, &mut page)?;
    if whole { Ok(()) } else { decision(report, &mut page) }
}

fn decision(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    decision_line(report.decision.outcome, &report.decision.reasons, page)
}

/// The decision as the last line.
fn decision_line(outcome: Outcome, reasons: &[String], page: &mut Page<'_>) -> io::Result<()> {
    page.end()?;
    verdict(outcome.word(), paint_of_outcome(outcome), &reasons.join("; "), page)
}

/// The decision as the first line.
fn verdict_first(outcome: Outcome, reasons: &[String], page: &mut Page<'_>) -> io::Result<()> {
    verdict(outcome.word(), paint_of_outcome(outcome), &reasons.join("; "), page)?;
    page.end()
}

/// The word, and why.
fn verdict(word: &str, paint: Paint, why: &str, page: &mut Page<'_>) -> io::Result<()> {
    page.paint(paint.bold(), word);
    if why.is_empty() {
        return page.end();
    }
    page.put("  ");
    page.wrap(Paint::new(), 0, why)
}

const fn paint_of_outcome(outcome: Outcome) -> Paint {
    match outcome {
        Outcome::Pass => GREEN,
        Outcome::Findings => RED,
        Outcome::NoLine | Outcome::Incomplete => YELLOW,
    }
}

/// A section's title, behind an empty line.
fn heading(page: &mut Page<'_>, paint: Paint, title: &str, remark: &str) -> io::Result<()> {
    page.end()?;
    page.paint(paint.bold(), title);
    if !remark.is_empty() {
        page.put("  ").paint(DIM, remark);
    }
    page.end()
}

const MORE: &str = "(use -v, or the json format)";

/// Says how many the short table leaves out.
fn left_out(
    page: &mut Page<'_>,
    indent: usize,
    all: usize,
    limit: usize,
    what: &str,
    style: &Style,
) -> io::Result<()> {
    let left = all.saturating_sub(limit);
    if left == 0 || style.verbose > 0 {
        return Ok(());
    }
    let what = if left == 1 { what.to_owned() } else { plural(what) };
    page.column(indent).paint(DIM, &format!("… and {left} more {what} {MORE}")).end()
}

fn plural(word: &str) -> String {
    word.strip_suffix('y').map_or_else(|| format!("{word}s"), |stem| format!("{stem}ies"))
}

const BOLD: Paint = Paint::new().bold();
pub(crate) const DIM: Paint = Paint::new().dimmed();
const RED: Paint = Paint::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const YELLOW: Paint = Paint::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const GREEN: Paint = Paint::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

pub(crate) fn paint_of(severity: Severity) -> Paint {
    let colour = match severity {
        Severity::Critical => return RED.bold(),
        Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low => AnsiColor::Cyan,
        Severity::Negligible => return DIM,
        Severity::Unknown => AnsiColor::Magenta,
    };
    Paint::new().fg_color(Some(colour.into()))
}

const fn origin_name(origin: OriginKind) -> &'static str {
    match origin {
        OriginKind::Base => "base image",
        OriginKind::Application => "your layers",
        OriginKind::Unknown => "unknown origin",
    }
}

/// A layer's place and the command that made it.
fn put_layer(report: &Report, layer: Option<u32>, page: &mut Page<'_>) {
    let Some(index) = layer else { return };
    let command = report
        .layers
        .iter()
        .find(|layer| layer.index == index)
        .and_then(|layer| layer.command.as_deref());
    put_step(Some(index), command, page);
}

fn put_step(layer: Option<u32>, command: Option<&str>, page: &mut Page<'_>) {
    let Some(index) = layer else { return };
    page.paint(DIM, &format!("layer {index}"));
    if let Some(command) = command {
        // A history step can hold a whole script; the JSON form has all of it.
        let command = short_command(command);
        let shown: String = command.chars().take(COMMAND_CHARACTERS).collect();
        let rest = if shown.len() < command.len() { "…" } else { "" };
        page.paint(DIM, ": ").paint(DIM, &shown).paint(DIM, rest);
    }
}

/// Characters of a layer's command that the table shows: enough to know which step it was.
const COMMAND_CHARACTERS: usize = 60;

/// The command without the shell that history puts in front of it, and without the builder's mark.
fn short_command(command: &str) -> &str {
    let command = command.trim();
    let command = command.strip_suffix("# buildkit").unwrap_or(command).trim_end();
    let command = command.strip_prefix("RUN ").unwrap_or(command).trim_start();
    let command = command.strip_prefix("/bin/sh -c ").unwrap_or(command).trim_start();
    command.strip_prefix("#(nop)").unwrap_or(command).trim_start()
}
