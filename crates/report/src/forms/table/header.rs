//! The head of the table: subject, advisories used, and the counts of findings.

use super::{BOLD, DIM, YELLOW, origin_name, paint_of};
use crate::group::open_findings;
use crate::style::Style;
use crate::text::{Page, width};
use std::collections::BTreeMap;
use std::io;
use vocabulary::{Count, OriginKind, Report, Severity, SubjectKind, counted};

/// The column behind the labels.
const VALUES: usize = 14;
/// The column of the counts, behind the longest origin.
const COUNTS: usize = 18;

pub(super) fn subject(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let subject = &report.subject;
    let kind = match subject.kind {
        SubjectKind::Image => "Image",
        SubjectKind::RootDirectory => "Root directory",
        SubjectKind::SourceDirectory => "Folder",
        SubjectKind::Sbom => "SBOM",
        SubjectKind::Host => "Host",
        SubjectKind::Container => "Container",
    };
    let tags = subject.tags.join(", ");
    page.paint(DIM, kind).column(VALUES).paint(BOLD, &subject.name);
    if subject.kind == SubjectKind::Container {
        page.end()?;
        labelled(page, "Image", &tags)?;
    } else {
        if let Some(source) = &subject.source {
            page.paint(DIM, &format!(" from {source}"));
        }
        if !tags.is_empty() && tags != subject.name {
            page.put(" (").put(&tags).put(")");
        }
        page.end()?;
    }
    let digests = [("manifest", &subject.manifest_digest), ("config", &subject.config_digest)];
    let digests: Vec<_> = digests
        .iter()
        .filter_map(|(name, digest)| Some(format!("{} ({name})", digest.as_ref()?.short())))
        .collect();
    labelled(page, "Digest", &digests.join(", "))?;
    let platform = subject.platform.as_ref().map(ToString::to_string);
    labelled(page, "Platform", &platform.unwrap_or_default())?;
    let seal = report.seal.as_ref().map(|seal| {
        format!("{}, seal {} of {}, by {}", seal.name, seal.counter, seal.time, seal.signer)
    });
    labelled(page, "Sealed as", &seal.unwrap_or_default())?;
    labelled(page, "Distribution", &distribution(report))?;
    labelled(page, "Layers", &layers(report))?;
    labelled(page, "Packages", &packages(report))
}

fn labelled(page: &mut Page<'_>, label: &str, value: &str) -> io::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    page.paint(DIM, label).column(VALUES).put(value).end()
}

fn distribution(report: &Report) -> String {
    report.distribution.as_ref().map_or_else(String::new, |distribution| {
        let release = match (distribution.version.as_str(), distribution.codename.as_deref()) {
            ("", codename) => codename.unwrap_or_default().to_owned(),
            (version, Some(codename)) if !codename.is_empty() => format!("{version} ({codename})"),
            (version, _) => version.to_owned(),
        };
        let plain = format!("{} {release}", distribution.id);
        distribution.pretty_name.clone().unwrap_or_else(|| plain.trim_end().to_owned())
    })
}

fn layers(report: &Report) -> String {
    if report.layers.is_empty() {
        return String::new();
    }
    let mut text = report.layers.len().to_string();
    let mut parts = Vec::new();
    for kind in [OriginKind::Base, OriginKind::Application, OriginKind::Unknown] {
        let of_kind = report.layers.iter().filter(|layer| layer.origin.kind == kind).count();
        if of_kind > 0 {
            parts.push(match kind {
                OriginKind::Base => format!("{of_kind} base image"),
                OriginKind::Application => format!("{of_kind} yours"),
                OriginKind::Unknown => format!("{of_kind} of unknown origin"),
            });
        }
    }
    let cached = report.layers.iter().filter(|layer| layer.from_cache).count();
    if cached > 0 {
        parts.push(format!("{cached} from cache, not hashed again"));
    }
    text.push_str(": ");
    text.push_str(&parts.join(", "));
    text
}

fn packages(report: &Report) -> String {
    let mut by_ecosystem: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &report.packages {
        *by_ecosystem.entry(package.ecosystem.as_str()).or_default() += 1;
    }
    let mut parts: Vec<_> = by_ecosystem.into_iter().collect();
    parts.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    let parts: Vec<_> =
        parts.into_iter().map(|(name, number)| format!("{number} {name}")).collect();
    match report.packages.len() {
        0 => "none found".to_owned(),
        number => format!("{number}: {}", parts.join(", ")),
    }
}

/// The advisories used, and a warning where they are old.
pub(super) fn databases(report: &Report, style: &Style, page: &mut Page<'_>) -> io::Result<()> {
    let day = |fetched: &str| fetched.split('T').next().unwrap_or(fetched).to_owned();
    let parts: Vec<_> = report
        .databases
        .iter()
        .map(|database| match style.verbose {
            0 => format!("{} {}", database.ecosystem, day(&database.fetched)),
            _ => format!(
                "{} {} ({}, {})",
                database.ecosystem,
                database.fetched,
                counted(
                    usize::try_from(database.records).unwrap_or(usize::MAX),
                    "record",
                    "records"
                ),
                database.digest.short()
            ),
        })
        .collect();
    if !parts.is_empty() {
        page.paint(DIM, "Advisories");
        page.wrap(anstyle::Style::new(), VALUES, &parts.join(", "))?;
    }
    if let Some(text) = super::urgent::feeds(report) {
        page.paint(DIM, "Ranking");
        page.wrap(DIM, VALUES, &text)?;
    }
    let stale: Vec<_> = report
        .databases
        .iter()
        .filter(|database| database.stale)
        .map(|database| database.ecosystem.as_str())
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Warning: advisories older than a day: {}. Newer ones may exist; run `lazaret db update`.",
        stale.join(", ")
    );
    page.wrap(YELLOW, 0, &text)
}

/// The counts by origin and severity.
pub(super) fn summary(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let summary = &report.summary;
    let total: u64 = summary.total.values().sum();
    page.end()?;
    if total == 0 {
        return page.paint(BOLD, "No findings").put(" in what was checked.").end();
    }
    page.paint(BOLD, "Findings").column(COUNTS).paint(DIM, " total");
    for level in Severity::WORST_FIRST {
        page.put("  ").paint(DIM, level.name());
    }
    page.end()?;
    let known = summary.by_origin.keys().any(|kind| *kind != OriginKind::Unknown);
    for (kind, counts) in summary.by_origin.iter().filter(|_| known) {
        row(page, origin_name(*kind), counts)?;
    }
    row(page, "all", &summary.total)?;
    // An upgrade mends vulnerabilities, and nothing that was tampered with.
    if report.findings.iter().all(|finding| !finding.is_vulnerability()) {
        return Ok(());
    }
    let all = Count::of(open_findings(report));
    let mendable = Count::of(open_findings(report).filter(|one| one.offered().is_some()));
    let named = open_findings(report).filter(|one| {
        one.offered().is_none() && one.upgrade().is_some_and(|fix| fix.fact().is_some())
    });
    let named = Count::of(named);
    let bundled = open_findings(report).filter(|finding| finding.is_rated_as_bundle());
    let text = match all.is_shared() {
        true => format!("{}; {} can be mended by an upgrade", all.phrase(), mendable.phrase()),
        false => format!("{} of {total} can be mended by an upgrade", mendable.findings()),
    };
    let named = match named.findings() {
        0 => String::new(),
        _ => format!(
            "; no upgrade is known to help against {}, of which advisories name a fix",
            named.phrase()
        ),
    };
    page.wrap(anstyle::Style::new(), 2, &format!("{text}{named}"))?;
    let bundled = Count::of(bundled);
    if bundled.findings() > 0 {
        let text = format!(
            "{} rated as a bundle: nothing rates them alone, only notices as the worst of theirs",
            bundled.phrase()
        );
        page.wrap(DIM, 2, &text)?;
    }
    Ok(())
}

fn row(page: &mut Page<'_>, label: &str, counts: &BTreeMap<Severity, u64>) -> io::Result<()> {
    let total: u64 = counts.values().sum();
    page.put("  ").put(label).column(COUNTS).paint(BOLD, &format!("{total:>6}"));
    for level in Severity::WORST_FIRST {
        let number = counts.get(&level).copied().unwrap_or(0);
        let text = format!("{number:>columns$}", columns = width(level.name()));
        let paint = if number == 0 { DIM } else { paint_of(level) };
        page.put("  ").paint(paint, &text);
    }
    page.end()
}
