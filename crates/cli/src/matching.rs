//! `lazaret db match`: which advisories name one package.

use crate::World;
use crate::args::StatusFormat;
use crate::exit::{Exit, Failure};
use crate::output;
use advisories::{Databases, Matched};
use std::io::{self, Write};
use std::path::Path;
use vocabulary::{Evidence, Finding, Purl, Status};

pub(crate) fn run(
    folder: &Path,
    purl: &str,
    distribution: Option<&str>,
    format: StatusFormat,
) -> Result<Exit, Failure> {
    let purl: Purl = purl.parse().map_err(|error| {
        Failure::new(Exit::Usage, anyhow::Error::new::<vocabulary::PurlError>(error))
    })?;
    let distribution = distribution.map(advisories::purls::distribution).transpose();
    let distribution = distribution.map_err(|error| Failure::new(Exit::Usage, error))?;
    let (package, distribution) = advisories::purls::package(&purl, distribution.as_ref())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let databases = Databases::open(folder, [package.ecosystem.clone()], World::now());
    let matched = databases.matches(&[package], distribution.as_ref());
    match format {
        StatusFormat::Json => output::print_json(&Answer::of(&matched))?,
        StatusFormat::Table => output::print(|out| table(&matched, out))?,
    }
    let unchecked = matched.coverage.iter().find(|coverage| coverage.status != Status::Ran);
    match unchecked {
        Some(coverage) if matched.findings.is_empty() => {
            let reason = coverage
                .reason
                .clone()
                .or_else(|| coverage.problems.first().map(|problem| problem.reason.clone()))
                .unwrap_or_default();
            let exit = if databases.is_empty() { Exit::NoDatabase } else { Exit::Incomplete };
            Err(Failure::new(exit, anyhow::Error::msg(reason)))
        }
        _ if matched.findings.is_empty() => Ok(Exit::Clean),
        _ => Ok(Exit::Findings),
    }
}

/// The JSON form.
#[derive(serde::Serialize)]
struct Answer<'matched> {
    findings: &'matched [Finding],
    coverage: &'matched [vocabulary::Coverage],
}

impl<'matched> Answer<'matched> {
    fn of(matched: &'matched Matched) -> Self {
        Self { findings: &matched.findings, coverage: &matched.coverage }
    }
}

fn table(matched: &Matched, out: &mut dyn Write) -> io::Result<()> {
    for finding in &matched.findings {
        let id = finding.id.as_deref().unwrap_or(&finding.rule);
        let fix = finding.fix.as_ref().map_or("no fix known", |fix| &fix.title);
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
