//! Running containers in the table: what each has loaded of what is vulnerable, then the rest.
//!
//! One block for each container, in it one for each package to upgrade, those that the container has
//! used first: they are what an attacker can reach today.

use super::{
    BOLD, DIM, GREEN, RED, YELLOW, heading, origin_name, paint_of, paint_of_outcome, put_step,
    verdict,
};
use crate::group::{id_of, mended_in, name_of};
use crate::style::Style;
use crate::text::Page;
use anstyle::Style as Paint;
use std::collections::BTreeMap;
use std::io;
use vocabulary::{
    Container, DatabaseInfo, NotChecked, Outcome, RunningContainer, RunningFinding, RunningReport,
    Severity, Status, Use, Used, Watched, counted,
};

/// Packages that the short table shows of a container, of those that it used and of the others.
const PACKAGES: [usize; 2] = [20, 5];
/// Vulnerabilities that the short table shows of a package.
const ISSUES: usize = 5;
/// Used files that the short table names.
const FILES: usize = 3;

pub(crate) fn render(
    report: &RunningReport,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(out, style.colour, style.width);
    outcome(report, &mut page)?;
    page.end()?;
    page.paint(BOLD, "Running").column(14);
    page.put(&counted(report.containers.len(), "container", "containers")).end()?;
    advisories(&report.databases, &mut page)?;
    for container in &report.containers {
        one(container, style, &mut page)?;
    }
    not_checked(&report.not_checked, "there may be more containers", &mut page)?;
    problems(&report.problems, &mut page)?;
    page.end()?;
    outcome(report, &mut page)
}

fn one(running: &RunningContainer, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    page.end()?;
    container(&running.container, page);
    page.end()?;
    // Not behind the image's name, which can be longer than the line.
    match &running.seal {
        Some(seal) => page.put("  ").paint(GREEN, "sealed ").paint(DIM, &seal.short()),
        None => page.put("  ").paint(YELLOW, "not sealed"),
    };
    watched(running.watched.as_ref(), page)?;
    for (used, title, paint) in [
        (Used::Loaded, "LOADED", RED),
        (Used::Unknown, "USE NOT KNOWN", YELLOW),
        (Used::NotLoaded, "NOT LOADED", DIM),
    ] {
        let findings: Vec<_> =
            running.findings.iter().filter(|finding| finding.usage.used == used).collect();
        if findings.is_empty() {
            continue;
        }
        page.put("  ").paint(paint.bold(), title).put("  ");
        counts(&findings, page);
        page.end()?;
        packages(running, &findings, used, style, page)?;
    }
    gaps(running, page)?;
    let outcome = running.decision.outcome;
    page.put("  ").paint(paint_of_outcome(outcome).bold(), outcome.word()).put("  ");
    page.wrap(Paint::new(), 4, &running.decision.reasons.join("; "))
}

/// `shop (3f4e0c8ab1d2)  shop:1`
pub(super) fn container(container: &Container, page: &mut Page<'_>) {
    page.paint(BOLD, container.shown());
    if !container.name.is_empty() {
        page.paint(DIM, " (").paint(DIM, container.short_id()).paint(DIM, ")");
    }
    page.put("  ").put(&container.image);
}

/// For how long its use of files was watched, where it was.
fn watched(watched: Option<&Watched>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(watched) = watched else {
        let text = "no agent watched it: what it has loaded is not known";
        return page.put("; ").paint(DIM, text).end();
    };
    let from = if watched.complete { "from its start" } else { "not from its start" };
    let text = format!("watched from {} to {}, {from}", watched.since, watched.until);
    page.put("; ").paint(DIM, &text);
    if watched.lost > 0 {
        page.paint(YELLOW, &format!(", {} events lost", watched.lost));
    }
    page.end()
}

fn counts(findings: &[&RunningFinding], page: &mut Page<'_>) {
    let mut first = true;
    for level in Severity::WORST_FIRST {
        let number = findings.iter().filter(|finding| finding.finding.severity == level).count();
        if number > 0 {
            page.put(if first { "" } else { ", " });
            page.paint(paint_of(level), &format!("{number} {level}"));
            first = false;
        }
    }
}

/// Findings of one package in one layer.
struct Group<'report> {
    findings: Vec<&'report RunningFinding>,
    /// Its place among the findings, which are sorted.
    place: usize,
}

fn packages(
    running: &RunningContainer,
    findings: &[&RunningFinding],
    used: Used,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let mut groups: BTreeMap<_, Group<'_>> = BTreeMap::new();
    for (place, finding) in findings.iter().enumerate() {
        let purl = finding.finding.package.as_ref();
        let name = finding.source.as_deref().or(purl.map(vocabulary::Purl::name));
        let version = purl.and_then(vocabulary::Purl::version);
        let path = match used {
            // Packages without files are told apart by where they lie.
            Used::Unknown => finding.finding.location.path(),
            Used::Loaded | Used::NotLoaded => None,
        };
        let group = groups
            .entry((name, version, finding.finding.layer, path))
            .or_insert_with(|| Group { findings: Vec::new(), place });
        group.findings.push(finding);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| group.place);
    let [loaded, rest] = PACKAGES;
    let limit = if used == Used::Loaded { loaded } else { rest };
    let shown = if style.verbose == 0 { limit } else { usize::MAX };
    for group in groups.iter().take(shown) {
        package(running, group, style, page)?;
    }
    super::left_out(page, 4, groups.len(), limit, "package", style)
}

fn package(
    running: &RunningContainer,
    group: &Group<'_>,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let Some(first) = group.findings.first() else { return Ok(()) };
    let finding = &first.finding;
    page.put("    ");
    match &finding.package {
        Some(purl) => {
            let own = name_of(purl);
            let name = first.source.as_deref().unwrap_or(&own);
            page.paint(BOLD, name).put(" ").put(purl.version().unwrap_or(""));
        }
        None => {
            page.paint(BOLD, &finding.title);
        }
    }
    if finding.layer.is_some() {
        let command = running
            .layers
            .iter()
            .find(|layer| Some(layer.index) == finding.layer)
            .and_then(|layer| layer.command.as_deref());
        page.paint(DIM, "  ").paint(DIM, origin_name(finding.origin)).paint(DIM, " · ");
        put_step(finding.layer, command, page);
    }
    let language = finding.ecosystem.as_ref().is_some_and(|own| !own.is_distribution());
    if let Some(path) = finding.location.path().filter(|_| language) {
        page.paint(DIM, " · ").paint(DIM, path);
    }
    page.end()?;
    let usages: Vec<&Use> = group.findings.iter().map(|finding| &finding.usage).collect();
    used_files(&usages, 6, style, page)?;
    let mut ids: Vec<&RunningFinding> = Vec::new();
    for finding in &group.findings {
        if ids.iter().all(|known| id_of(&known.finding) != id_of(&finding.finding)) {
            ids.push(finding);
        }
    }
    let shown = if style.verbose == 0 { ISSUES } else { usize::MAX };
    for RunningFinding { finding, .. } in ids.iter().take(shown) {
        page.column(6).put(id_of(finding)).column(26);
        page.paint(paint_of(finding.severity), finding.severity.name()).column(38);
        fix(mended_in(finding).as_deref(), page);
        page.put("  ").put(title_of(id_of(finding), &finding.title)).end()?;
    }
    super::left_out(page, 6, ids.len(), ISSUES, "vulnerability", style)
}

/// The version that mends it, or `after` the last one that has it, or that none is known.
pub(super) fn fix(version: Option<&str>, page: &mut Page<'_>) {
    match version.map(|version| (version, version.starts_with("after "))) {
        Some((version, true)) => page.paint(GREEN, "fixed ").paint(GREEN, version),
        Some((version, false)) => page.paint(GREEN, "fixed in ").paint(GREEN, version),
        None => page.paint(DIM, "no fix"),
    };
}

/// The title, unless it only says the id again.
fn title_of<'text>(id: &str, title: &'text str) -> &'text str {
    title.strip_prefix(id).unwrap_or(title).trim_start_matches([':', ' '])
}

/// Which files show that it was used.
pub(super) fn used_files(
    usages: &[&Use],
    indent: usize,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let mut files: Vec<&str> =
        usages.iter().flat_map(|usage| &usage.used_files).map(String::as_str).collect();
    files.sort_unstable();
    files.dedup();
    if files.is_empty() {
        return Ok(());
    }
    let limit = if style.verbose == 0 { FILES } else { usize::MAX };
    let left = files.len().saturating_sub(limit);
    let unnamed = usages.iter().map(|usage| usage.used_files_left_out).max().unwrap_or(0);
    let left = usize::try_from(unnamed).unwrap_or(usize::MAX).saturating_add(left);
    files.truncate(limit);
    page.column(indent).paint(RED, "used ").put(&files.join(", "));
    if left > 0 {
        page.paint(DIM, &format!(" and {left} more"));
    }
    page.end()
}

/// Checks of the image that did not run in full.
fn gaps(running: &RunningContainer, page: &mut Page<'_>) -> io::Result<()> {
    for coverage in running.coverage.iter().filter(|coverage| coverage.status != Status::Ran) {
        let reason = coverage
            .reason
            .as_deref()
            .or_else(|| coverage.problems.first().map(|problem| problem.reason.as_str()));
        page.put("  ").paint(YELLOW, "not checked").put("  ").put(&coverage.check).put(": ");
        page.wrap(Paint::new(), 15, reason.unwrap_or("some files could not be read"))?;
    }
    Ok(())
}

pub(super) fn not_checked(
    list: &[NotChecked],
    remark: &str,
    page: &mut Page<'_>,
) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    heading(page, YELLOW, &format!("NOT CHECKED ({})", list.len()), remark)?;
    for NotChecked { what, reason } in list {
        page.put("  ").put(what).put(": ");
        page.wrap(Paint::new(), 4, reason)?;
    }
    Ok(())
}

pub(super) fn problems(list: &[NotChecked], page: &mut Page<'_>) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    heading(page, Paint::new(), &format!("LEFT ASIDE ({})", list.len()), "")?;
    for NotChecked { what, reason } in list {
        page.put("  ").put(what).put(": ");
        page.wrap(Paint::new(), 4, reason)?;
    }
    Ok(())
}

pub(super) fn advisories(databases: &[DatabaseInfo], page: &mut Page<'_>) -> io::Result<()> {
    let parts: Vec<String> = databases
        .iter()
        .map(|database| {
            let day = database.fetched.split('T').next().unwrap_or(&database.fetched);
            let old = if database.stale { " (older than a day)" } else { "" };
            format!("{} {day}{old}", database.ecosystem)
        })
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    page.paint(DIM, "Advisories").column(14);
    page.wrap(Paint::new(), 14, &parts.join(", "))
}

/// The decision about all containers.
fn outcome(report: &RunningReport, page: &mut Page<'_>) -> io::Result<()> {
    let of = |outcome: Outcome| {
        let is = |running: &&RunningContainer| running.decision.outcome == outcome;
        report.containers.iter().filter(is).count()
    };
    let line = report.containers.iter().find_map(|running| running.decision.line.as_deref());
    let over = line.map_or_else(
        || "with findings that no line lets pass".to_owned(),
        |line| format!("with findings over {line}, or that no line lets pass"),
    );
    let under = line
        .map_or_else(|| "without findings".to_owned(), |line| format!("with nothing over {line}"));
    let mut parts = Vec::new();
    for (outcome, what) in [
        (Outcome::Findings, over.as_str()),
        (Outcome::Incomplete, "not checked in full"),
        (Outcome::NoLine, "with findings; no --fail-on was given"),
        (Outcome::Pass, under.as_str()),
    ] {
        let number = of(outcome);
        if number > 0 {
            parts.push(format!("{} {what}", counted(number, "container", "containers")));
        }
    }
    let nothing = parts.is_empty();
    if nothing {
        parts.push("no container runs in the engines that answer".to_owned());
    }
    if !report.not_checked.is_empty() {
        parts.push(format!(
            "{} did not answer",
            counted(report.not_checked.len(), "engine", "engines")
        ));
    }
    // Where nothing runs nothing has passed either.
    let word = match report.outcome {
        Outcome::Pass if nothing => "NOTHING RUNS",
        outcome => outcome.word(),
    };
    let paint = if nothing { YELLOW } else { paint_of_outcome(report.outcome) };
    verdict(word, paint, &parts.join("; "), page)
}
