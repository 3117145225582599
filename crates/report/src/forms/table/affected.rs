//! Whom a vulnerability concerns, in the table: running containers first, then images.
//!
//! The first line and the last are the answer. It says `NOT AFFECTED` only where everything that is there was looked
//! at, and an advisory knows the id.

use super::containers::{advisories, container, fix, not_checked, problems, used_files};
use super::{BOLD, DIM, GREEN, RED, YELLOW, heading, origin_name, paint_of, put_step, verdict};
use crate::group::name_of;
use crate::style::Style;
use crate::text::Page;
use anstyle::Style as Paint;
use std::io;
use vocabulary::{AffectedImage, AffectedPackage, AffectedReport, Outcome, Used, counted};

/// Other ids that the head names.
const IDS: usize = 12;

pub(crate) fn render(
    report: &AffectedReport,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(out, style.colour, style.width);
    answer(report, &mut page)?;
    page.end()?;
    head(report, &mut page)?;
    if !report.running.is_empty() {
        let title = format!("AFFECTED AND RUNNING ({})", report.running.len());
        heading(&mut page, RED, &title, "loaded first")?;
        for affected in &report.running {
            page.put("  ").paint(RED, "! ");
            container(&affected.container, &mut page);
            if affected.watched.is_none() {
                page.paint(DIM, "  not watched");
            }
            page.end()?;
            for of_container in &affected.packages {
                package(of_container, true, style, &mut page)?;
            }
        }
    }
    if !report.images.is_empty() {
        let title = format!("AFFECTED IMAGES ({})", report.images.len());
        heading(&mut page, RED, &title, "")?;
        for of_report in &report.images {
            image(of_report, &mut page)?;
            for of_image in &of_report.packages {
                package(of_image, false, style, &mut page)?;
            }
        }
    }
    not_checked(&report.not_checked, "may be affected all the same", &mut page)?;
    problems(&report.problems, &mut page)?;
    page.end()?;
    answer(report, &mut page)
}

fn head(report: &AffectedReport, page: &mut Page<'_>) -> io::Result<()> {
    page.paint(BOLD, &report.id).end()?;
    for (label, ids) in [("Also", &report.aliases), ("Named by", &report.advisories)] {
        let others: Vec<&str> =
            ids.iter().filter(|id| **id != report.id).map(String::as_str).collect();
        if others.is_empty() {
            continue;
        }
        let mut text = others.iter().take(IDS).copied().collect::<Vec<_>>().join(", ");
        if let Some(left) = others.len().checked_sub(IDS).filter(|left| *left > 0) {
            text = format!("{text} and {left} more");
        }
        page.paint(DIM, label).column(14);
        page.wrap(Paint::new(), 14, &text)?;
    }
    advisories(&report.databases, page)
}

fn image(image: &AffectedImage, page: &mut Page<'_>) -> io::Result<()> {
    let id = image.image_id.as_ref().map(vocabulary::Digest::short);
    let name = match (image.names.is_empty(), &id) {
        (true, Some(id)) => id.clone(),
        (true, None) => "an image without a name".to_owned(),
        (false, _) => image.names.join(", "),
    };
    page.put("  ").paint(RED, "! ").paint(BOLD, &name);
    if let Some(id) = id.filter(|_| !image.names.is_empty()) {
        page.paint(DIM, " (").paint(DIM, &id).paint(DIM, ")");
    }
    page.paint(DIM, "  ").paint(DIM, &image.known_by.join(", "));
    if image.running > 0 {
        let running = usize::try_from(image.running).unwrap_or(usize::MAX);
        page.paint(RED, &format!("  {} running", counted(running, "container", "containers")));
    }
    page.end()
}

/// Package, fix, layer and its command; of a container whether it was used.
fn package(
    package: &AffectedPackage,
    running: bool,
    style: &Style,
    page: &mut Page<'_>,
) -> io::Result<()> {
    page.column(4).paint(BOLD, &name_of(&package.package)).put(" ").put(&package.version);
    page.put("  ").paint(paint_of(package.severity), package.severity.name()).put("  ");
    fix(package.fix.as_ref().and_then(|fix| fix.upgrade()?.named()).as_deref(), page);
    if running {
        let (word, paint) = match package.usage.used {
            Used::Loaded => ("loaded", RED.bold()),
            Used::NotLoaded => ("not loaded", GREEN),
            Used::Unknown => ("use not known", YELLOW),
        };
        page.put("  ").paint(paint, word);
    }
    page.end()?;
    page.column(6).paint(DIM, &package.id).paint(DIM, " · ");
    page.paint(DIM, origin_name(package.origin));
    if package.layer.is_some() {
        page.paint(DIM, " · ");
        put_step(package.layer, package.command.as_deref(), page);
    }
    page.paint(DIM, " · ").paint(DIM, package.location.path().unwrap_or("")).end()?;
    used_files(&[&package.usage], 6, style, page)
}

fn answer(report: &AffectedReport, page: &mut Page<'_>) -> io::Result<()> {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let looked_at = format!(
        "{} and {}",
        counted(number(report.containers_checked), "running container", "running containers"),
        counted(number(report.images_checked), "image", "images")
    );
    let (word, paint, text) = match report.outcome {
        Outcome::Findings => ("AFFECTED", RED, affected(report)),
        Outcome::Pass => {
            ("NOT AFFECTED", GREEN, format!("{looked_at} were looked at, and nothing is affected"))
        }
        Outcome::Incomplete if report.advisories.is_empty() => {
            let names: Vec<&str> =
                report.databases.iter().map(|info| info.ecosystem.as_str()).collect();
            let of = if names.is_empty() {
                "no database was needed".to_owned()
            } else {
                format!("advisories of {} were looked through", names.join(", "))
            };
            let text = format!(
                "no advisory names `{}` ({of}): that nothing was found says nothing",
                report.id
            );
            ("UNKNOWN ID", YELLOW, text)
        }
        Outcome::Incomplete if report.images_checked + report.containers_checked == 0 => {
            let text = "nothing was looked at: there is no image, container or seal that could be";
            ("INCOMPLETE", YELLOW, text.to_owned())
        }
        // No line has a say in what is affected.
        Outcome::NoLine | Outcome::Incomplete => {
            let text =
                format!("nothing affected was found in {looked_at}, but not all was checked");
            ("INCOMPLETE", YELLOW, text)
        }
    };
    verdict(word, paint, &text, page)
}

fn affected(report: &AffectedReport) -> String {
    let mut text = format!(
        "{} and {}",
        counted(report.running.len(), "running container", "running containers"),
        counted(report.images.len(), "image", "images")
    );
    let loaded = report
        .running
        .iter()
        .filter(|affected| affected.packages.iter().any(|own| own.usage.used == Used::Loaded))
        .count();
    if loaded > 0 {
        let containers = counted(loaded, "container has", "containers have");
        text = format!("{text}; {containers} loaded it");
    }
    if !report.not_checked.is_empty() {
        text.push_str("; not all was checked");
    }
    text
}
