//! The list of packages for `lazaret sbom`.

use super::{BOLD, DIM};
use crate::text::{Page, escape, width};
use std::io;
use vocabulary::{Confidence, Package, Presence, Report};

/// The widest that a column grows, so that one absurd name does not push out all others.
const COLUMN: usize = 48;

pub(super) fn list(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.packages.is_empty() {
        return Ok(());
    }
    let widest = |text: fn(&Package) -> &str| {
        report.packages.iter().map(|package| width(&escape(text(package)))).max().unwrap_or(0)
    };
    let versions = widest(|package| &package.name).clamp(4, COLUMN) + 2;
    let ecosystems = versions + widest(|package| &package.version).clamp(7, COLUMN) + 2;
    let places = ecosystems + widest(|package| package.ecosystem.as_str()).clamp(9, COLUMN) + 2;
    page.end()?;
    page.paint(BOLD, "NAME").column(versions).paint(BOLD, "VERSION");
    page.column(ecosystems).paint(BOLD, "ECOSYSTEM").column(places).paint(BOLD, "PLACE");
    page.end()?;
    for package in &report.packages {
        page.put(&package.name).column(versions).put(&package.version);
        page.column(ecosystems).put(package.ecosystem.as_str()).column(places);
        page.paint(DIM, &package.location.to_string());
        if let Some(layer) = package.layer {
            page.paint(DIM, &format!(" (layer {layer})"));
        }
        if package.presence == Presence::Declared {
            page.paint(DIM, " (declared)");
        }
        if let Some(identified) = &package.identified {
            let how = match identified.confidence {
                Confidence::Confirmed | Confidence::High => "surely",
                Confidence::Medium => "likely",
                Confidence::Low | Confidence::None => "unsurely",
            };
            page.paint(DIM, &format!(" ({how}, by {})", identified.by));
        }
        if let Some(owner) = &package.owned_by {
            page.paint(DIM, &format!(" (part of {})", owner.name()));
        }
        page.end()?;
    }
    Ok(())
}
