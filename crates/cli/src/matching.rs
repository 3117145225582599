//! `lazaret db match`: which advisories name a package.

use crate::args::StatusFormat;
use crate::exit::{Exit, Failure};
use crate::world::World;
use crate::{clock, output};
use advisories::{Databases, Matched};
use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::Path;
use vocabulary::{
    Coverage, Distribution, Ecosystem, Evidence, Finding, Package, Purl, Status, counted,
};

/// Package URLs that are read from standard input.
const LINES: usize = 1_000_000;

pub(crate) fn run(
    world: &World,
    folder: &Path,
    purl: &str,
    distribution: Option<&str>,
    format: StatusFormat,
) -> Result<Exit, Failure> {
    let distribution = distribution.map(advisories::purls::distribution).transpose();
    let distribution = distribution.map_err(|error| Failure::new(Exit::Usage, error))?;
    let asked = match purl {
        "-" => match lines(distribution.as_ref())? {
            asked if asked.is_empty() => {
                return Err(Failure::usage(
                    "standard input names no package URL; give one a line, such as pkg:npm/left-pad@1.0.0",
                ));
            }
            asked => asked,
        },
        purl => vec![package(purl, distribution.as_ref()).map_err(Failure::usage)?],
    };
    let packages = asked.len();
    let ecosystems: BTreeSet<Ecosystem> =
        asked.iter().map(|(package, _)| package.ecosystem.clone()).collect();
    let databases = Databases::open(folder, ecosystems, clock::now());
    let matched = matches(&databases, asked);
    match format {
        StatusFormat::Json => output::print_json(&Answer::of(&matched))?,
        StatusFormat::Table => output::print_lines(|out| table(&matched, purl == "-", out))?,
    }
    let mut unchecked = matched.coverage.iter().filter(|coverage| coverage.status != Status::Ran);
    if !matched.findings.is_empty() {
        // What was found counts; what was not looked up is said beside it.
        for coverage in unchecked {
            let reason = reason(coverage);
            world.printing.remark(&format!("lazaret: not checked: {}: {reason}", coverage.check));
        }
        return Ok(Exit::Findings);
    }
    if let Some(coverage) = unchecked.next() {
        let exit = if databases.is_empty() { Exit::NoDatabase } else { Exit::Incomplete };
        return Err(Failure::new(exit, anyhow::Error::msg(reason(coverage))));
    }
    if format == StatusFormat::Table {
        let packages = counted(packages, "package", "packages");
        output::print_lines(|out| {
            writeln!(out, "no advisory names a version that is here ({packages})")
        })?;
    }
    Ok(Exit::Clean)
}

/// Why a check did not run in full.
fn reason(coverage: &Coverage) -> String {
    let problem = || coverage.problems.first().map(|problem| problem.reason.clone());
    coverage.reason.clone().or_else(problem).unwrap_or_default()
}

type Asked = (Package, Option<Distribution>);

fn package(purl: &str, distribution: Option<&Distribution>) -> Result<Asked, String> {
    let purl: Purl = purl.parse().map_err(|error: vocabulary::PurlError| error.to_string())?;
    advisories::purls::package(&purl, distribution).map_err(|error| error.to_string())
}

fn lines(distribution: Option<&Distribution>) -> Result<Vec<Asked>, Failure> {
    let mut asked = Vec::new();
    for (number, line) in (1_usize..).zip(io::stdin().lock().lines()) {
        let at = |reason: &dyn std::fmt::Display| {
            Failure::usage(format!("standard input, line {number}: {reason}"))
        };
        let line = line.map_err(|error| at(&error))?;
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if asked.len() >= LINES {
            return Err(at(&"more than 1,000,000 package URLs"));
        }
        asked.push(package(text, distribution).map_err(|error| at(&error))?);
    }
    Ok(asked)
}

/// Matches the packages of each distribution together.
fn matches(databases: &Databases, asked: Vec<Asked>) -> Matched {
    let mut groups: Vec<(Option<Distribution>, Vec<Package>)> = Vec::new();
    for (package, distribution) in asked {
        match groups.iter_mut().find(|(known, _)| *known == distribution) {
            Some((_, packages)) => packages.push(package),
            None => groups.push((distribution, vec![package])),
        }
    }
    let mut all = Matched::default();
    for (distribution, packages) in groups {
        let matched = databases.matches(&packages, distribution.as_ref());
        all.findings.extend(matched.findings);
        all.coverage.extend(matched.coverage);
    }
    all
}

/// The JSON form.
#[derive(serde::Serialize)]
struct Answer<'matched> {
    findings: &'matched [Finding],
    coverage: &'matched [Coverage],
}

impl<'matched> Answer<'matched> {
    fn of(matched: &'matched Matched) -> Self {
        Self { findings: &matched.findings, coverage: &matched.coverage }
    }
}

fn table(matched: &Matched, several: bool, out: &mut dyn Write) -> io::Result<()> {
    for finding in &matched.findings {
        let id = finding.id.as_deref().unwrap_or(&finding.rule);
        let fix = finding.fix.as_ref().map_or("no fix known", vocabulary::Fix::title);
        if let Some(package) = finding.package.as_ref().filter(|_| several) {
            writeln!(out, "{}", package.bare())?;
        }
        writeln!(out, "{id:<22} {:<10} {fix}", finding.severity)?;
        for evidence in &finding.evidence {
            let Evidence::Advisory(advisory) = evidence else { continue };
            let range = &advisory.range;
            let part = |name: &str, version: &Option<String>| {
                version.as_ref().map(|version| format!("{name} {version}"))
            };
            let parts: Vec<String> = [
                part("from", &range.introduced),
                part("fixed in", &range.fixed),
                part("last affected", &range.last_affected),
                range.listed.then(|| "listed by version".to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect();
            writeln!(
                out,
                "    {} ({}): {} {}, {}",
                advisory.record,
                advisory.ecosystem,
                advisory.matched_name,
                advisory.matched_version,
                parts.join(", ")
            )?;
        }
    }
    Ok(())
}
