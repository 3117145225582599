//! What is known of a vulnerability, for people.

use super::known::{Found, FoundIn, Known};
use advisories::{KnownPackage, KnownRange, KnownRecord};
use std::io::{self, Write};
use vocabulary::counted;

/// Records that the short form lists.
const RECORDS: usize = 40;
/// Packages of a record, and findings of a report.
const PACKAGES: usize = 12;
/// Names of a package, and versions that are listed one by one.
const NAMES: usize = 4;

pub(super) fn vulnerability(
    out: &mut dyn Write,
    known: &Known<'_>,
    verbose: bool,
) -> io::Result<()> {
    writeln!(out, "{}", known.id)?;
    if let Some(cve) = &known.same_as {
        writeln!(out, "The same as {}", plain(cve))?;
    }
    risk(out, known)?;
    if let Some(found) = &known.found_in {
        found_in(out, found, verbose)?;
    }
    let limit = if verbose { usize::MAX } else { RECORDS };
    known.records.iter().take(limit).try_for_each(|one| record(out, one, verbose))?;
    if let Some(left) = known.packages_left_out {
        writeln!(out, "\n{} left out for want of room", counted(left, "package", "packages"))?;
    }
    match known.records.len() {
        0 => searched(out, known),
        number => match number.saturating_sub(limit) {
            0 => Ok(()),
            left => writeln!(out, "\n… and {left} more (use -v or the json format)"),
        },
    }
}

fn risk(out: &mut dyn Write, known: &Known<'_>) -> io::Result<()> {
    if let Some(exploited) = &known.exploited {
        let ransomware = if exploited.ransomware { ", also by ransomware" } else { "" };
        writeln!(out, "Exploited   on CISA's list since {}{ransomware}", exploited.added)?;
    }
    if let Some(epss) = &known.epss {
        let percent = |share: f64| share * 100.0;
        writeln!(
            out,
            "EPSS        {:.2} % within 30 days, more than {:.1} % of all ({})",
            percent(epss.probability),
            percent(epss.percentile),
            epss.date
        )?;
    }
    Ok(())
}

fn found_in(out: &mut dyn Write, found: &FoundIn, verbose: bool) -> io::Result<()> {
    let name = plain(&found.subject);
    if found.findings.is_empty() {
        return writeln!(out, "\nIn {name} it was not found.");
    }
    writeln!(out, "\nIn {name}:")?;
    let limit = if verbose { usize::MAX } else { PACKAGES };
    for finding in found.findings.iter().take(limit) {
        let Found { package, location, severity, fixed, silenced, last_affected, .. } = finding;
        let what = match package {
            Some(purl) => format!("{} {}", purl.name(), purl.version().unwrap_or_default()),
            None => String::new(),
        };
        let fixed = fixed.as_ref().map(|version| format!(", mended in {version}"));
        let after = || last_affected.as_ref().map(|last| format!(", mended after {last}"));
        let from = match (&finding.severity_from, finding.rated_as_bundle) {
            (Some(record), true) => format!(" (rated as a bundle by {record})"),
            (Some(record), false) => format!(" (by {record})"),
            (None, true) => " (rated as a bundle)".to_owned(),
            (None, false) => String::new(),
        };
        let silenced = if *silenced { ", silenced" } else { "" };
        let line = format!(
            "  {what}  {severity}{from}{}{silenced}  at {location}",
            fixed.or_else(after).unwrap_or_default()
        );
        writeln!(out, "{}", plain(&line))?;
    }
    left(out, found.findings.len(), limit, "  ")
}

fn record(out: &mut dyn Write, record: &KnownRecord, verbose: bool) -> io::Result<()> {
    let severity = record.severity.map_or("unrated".to_owned(), |level| level.to_string());
    let bundle = if record.rated_as_bundle { ", rated as a bundle" } else { "" };
    writeln!(out, "\n{:<20} {}  {severity}{bundle}", plain(&record.record), record.ecosystem)?;
    let lines = [
        ("Title", record.title.clone()),
        ("CVSS", record.cvss.clone()),
        ("Also", Some(record.aliases.join(", ")).filter(|text| !text.is_empty())),
        ("Stream", record.stream.clone()),
        ("Changed", record.modified.clone()),
        ("Page", record.url.clone()),
    ];
    for (label, text) in lines {
        if let Some(text) = text {
            writeln!(out, "  {label:<8} {}", plain(&text))?;
        }
    }
    let limit = if verbose { usize::MAX } else { PACKAGES };
    for package in record.packages.iter().take(limit) {
        writeln!(out, "  {:<8} {}", "Affects", plain(&package_line(package, record)))?;
    }
    left(out, record.packages.len(), limit, "           ")
}

fn left(out: &mut dyn Write, count: usize, limit: usize, indent: &str) -> io::Result<()> {
    match count.saturating_sub(limit) {
        0 => Ok(()),
        left => writeln!(out, "{indent}… and {left} more (use -v or the json format)"),
    }
}

/// `openssl, libssl3 (Debian:12): before 3.0.2-1`
fn package_line(package: &KnownPackage, record: &KnownRecord) -> String {
    let mut ranges: Vec<String> = package.ranges.iter().map(range).collect();
    if !package.versions.is_empty() {
        let more = package.more_versions + over(package.versions.len());
        ranges.push(some(&package.versions, more));
    }
    if ranges.is_empty() {
        ranges.push("no version".to_owned());
    }
    let names = some(&package.names, over(package.names.len()));
    let mut text = format!("{names} ({}): {}", package.ecosystem, ranges.join("; "));
    if package.subscription {
        text.push_str(" (by subscription)");
    }
    if let Some(severity) = package.severity.filter(|own| record.severity != Some(*own)) {
        text.push_str(&format!(", {severity}"));
    }
    text
}

fn over(count: usize) -> u64 {
    u64::try_from(count.saturating_sub(NAMES)).unwrap_or(u64::MAX)
}

fn some(texts: &[String], more: u64) -> String {
    let shown: Vec<&str> = texts.iter().map(String::as_str).take(NAMES).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn range(range: &KnownRange) -> String {
    let start = range.introduced.as_ref().map(|start| format!("from {start}"));
    let end = match range {
        KnownRange { fixed: Some(fixed), .. } => Some(format!("before {fixed}, which mends it")),
        KnownRange { last_affected: Some(last), .. } => Some(format!("up to {last}")),
        KnownRange { limit: Some(limit), .. } => Some(format!("before {limit}")),
        KnownRange { .. } => None,
    };
    match (start, end) {
        (None, None) => "all versions, not mended".to_owned(),
        (Some(start), None) => format!("{start}, not mended"),
        (None, Some(end)) => end,
        (Some(start), Some(end)) => format!("{start}, {end}"),
    }
}

fn searched(out: &mut dyn Write, known: &Known<'_>) -> io::Result<()> {
    let databases = counted(known.searched.len(), "database", "databases");
    writeln!(out, "\nNo record of {databases} names it. Searched were:")?;
    for one in &known.searched {
        let records = counted(one.records, "record", "records");
        writeln!(
            out,
            "  {:<12} {records}, fetched {}",
            plain(&one.ecosystem),
            plain(&one.fetched)
        )?;
    }
    writeln!(out, "`lazaret db update` fetches what is newer, and other ecosystems.")
}

/// Text of an advisory without what a terminal would act on, cut to a line.
fn plain(text: &str) -> String {
    crate::output::plain(&text.chars().take(300).collect::<String>())
}
