//! `lazaret explain`: what a rule means, and what the database knows of a vulnerability.

mod show;

use crate::World;
use crate::args::StatusFormat;
use crate::exit::{Exit, Failure};
use crate::output;
use advisories::{KnownRecord, Risks, Searched};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use vocabulary::{Epss, Evidence, Exploited, Report, Rule, Rules, Severity};

#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A rule, such as `end-of-life`, or an id, such as CVE-2021-44228 or GHSA-jfh8-c2jp-5v3q
    /// [default: list the rules]
    #[arg(value_name = "RULE|ID")]
    pub(crate) subject: Option<String>,
    /// Ask the database of one ecosystem alone, such as Debian or npm
    #[arg(long, value_name = "ECOSYSTEM", requires = "subject")]
    pub(crate) ecosystem: Option<String>,
    /// Report that was saved by `lazaret scan … -o json=FILE`, and nothing else: also say which of its
    /// packages the vulnerability was found in
    #[arg(long = "in", value_name = "REPORT", requires = "subject")]
    pub(crate) report: Option<PathBuf>,
    /// Format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
}

/// What is known of a vulnerability.
#[derive(Serialize)]
struct Known<'id> {
    schema: &'static str,
    id: &'id str,
    /// The CVE that the id is another name of.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as: Option<String>,
    records: Vec<KnownRecord>,
    /// Packages that were left out for want of room.
    #[serde(skip_serializing_if = "Option::is_none")]
    packages_left_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exploited: Option<Exploited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss: Option<Epss>,
    /// What was asked.
    searched: Vec<Searched>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found_in: Option<FoundIn>,
}

/// What a saved report found of it.
#[derive(Serialize)]
struct FoundIn {
    subject: String,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    id: String,
    package: Option<vocabulary::Purl>,
    location: String,
    severity: Severity,
    /// Whether nothing rates it alone, and the severity is that of a notice about several.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rated_as_bundle: bool,
    /// The record that the severity is from, where it is another one than those that name the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<String>,
    /// The last version that has it, where none is named that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_affected: Option<String>,
    silenced: bool,
}

pub(crate) fn run(world: &World, args: &ExplainArgs) -> Result<Exit, Failure> {
    let rules = crate::rules::all();
    let Some(id) = args.subject.as_deref() else { return list(&rules, args.format) };
    if let Some(rule) = rules.get(id) {
        return explain_rule(rule, args.format);
    }
    let report = args.report.as_deref().map(crate::diff::load).transpose()?;
    // That of another version, which the report brings.
    if let Some(rule) = report.as_ref().and_then(|report| report.rules.get(id)) {
        return explain_rule(rule, args.format);
    }
    if !id.contains('-')
        || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    {
        return Err(Failure::usage(format!(
            "`{id}` is neither a rule nor the id of a vulnerability; `lazaret explain` lists the rules"
        )));
    }
    vulnerability(world, id, args, report.as_ref())
}

fn list(rules: &Rules, format: StatusFormat) -> Result<Exit, Failure> {
    let mut rules: Vec<&Rule> = rules.iter().collect();
    rules.sort_by(|left, right| left.id.cmp(&right.id));
    if format == StatusFormat::Json {
        output::print_json(&rules)?;
        return Ok(Exit::Clean);
    }
    output::print_lines(|out| {
        rules.iter().try_for_each(|rule| writeln!(out, "{:<28} {}", rule.id, rule.title))
    })?;
    Ok(Exit::Clean)
}

fn explain_rule(rule: &Rule, format: StatusFormat) -> Result<Exit, Failure> {
    if format == StatusFormat::Json {
        output::print_json(rule)?;
        return Ok(Exit::Clean);
    }
    output::print_lines(|out| {
        writeln!(out, "{}: {}\n", rule.id, rule.title)?;
        writeln!(out, "Class       {}", rule.class.name())?;
        writeln!(out, "Severity    {} unless the evidence says otherwise", rule.severity)?;
        writeln!(out, "Why         {}", rule.why)?;
        writeln!(out, "What to do  {}", rule.remedy)?;
        match &rule.reference {
            Some(reference) => writeln!(out, "Reference   {reference}"),
            None => Ok(()),
        }
    })?;
    Ok(Exit::Clean)
}

fn vulnerability(
    world: &World,
    id: &str,
    args: &ExplainArgs,
    report: Option<&Report>,
) -> Result<Exit, Failure> {
    let folder = world.db()?;
    let only = args.ecosystem.as_deref();
    let found = advisories::known_of(&folder, id, only)
        .map_err(|error| Failure::new(Exit::NoDatabase, error))?;
    if found.searched.is_empty() {
        return Err(nothing_searched(&folder, only));
    }
    let risks = Risks::open(&folder, World::now());
    let lookup = risks.lookup();
    let ids: Vec<&str> = std::iter::once(id).chain(names(&found, id)).collect();
    let known = Known {
        schema: "lazaret.explain/1",
        id,
        exploited: ids.iter().find_map(|id| lookup.exploited(id)),
        epss: ids.iter().find_map(|id| lookup.epss(id)),
        found_in: report.map(|report| found_in(report, &ids)),
        same_as: found.same_as.clone(),
        packages_left_out: Some(found.left_out).filter(|left| *left > 0),
        searched: found.searched,
        records: found.records,
    };
    let found = !known.records.is_empty() || known.exploited.is_some() || known.epss.is_some();
    if args.format == StatusFormat::Json {
        output::print_json(&known)?;
    } else {
        output::print_lines(|out| show::vulnerability(out, &known, world.printing.verbose > 0))?;
    }
    Ok(if found { Exit::Clean } else { Exit::Incomplete })
}

/// Other names of the same vulnerability: those of records that are about it alone. What a notice about
/// several names beside it is another one.
fn names<'known>(
    found: &'known advisories::Known,
    id: &'known str,
) -> impl Iterator<Item = &'known str> {
    let cve = |text: &str| text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("CVE-"));
    let of_one = move |record: &&KnownRecord| {
        let all = record.aliases.iter().map(String::as_str).chain([record.record.as_str(), id]);
        let mut cves: Vec<String> =
            all.filter(|text| cve(text)).map(str::to_ascii_uppercase).collect();
        cves.sort_unstable();
        cves.dedup();
        cves.len() <= 1
    };
    let records = found.records.iter().filter(of_one);
    let own = records.flat_map(|record| {
        record.aliases.iter().map(String::as_str).chain([record.record.as_str()])
    });
    found.same_as.as_deref().into_iter().chain(own)
}

fn nothing_searched(folder: &std::path::Path, only: Option<&str>) -> Failure {
    let folder = folder.display();
    let error = match only {
        Some(name) => anyhow::anyhow!(
            "no database of `{name}` in `{folder}`; `lazaret db status` lists them, `lazaret db update` fetches more"
        ),
        None => anyhow::anyhow!("no database in `{folder}`; run `lazaret db update`"),
    };
    Failure::new(Exit::NoDatabase, error)
}

fn found_in(report: &Report, ids: &[&str]) -> FoundIn {
    let is_one = |text: &String| ids.iter().any(|id| id.eq_ignore_ascii_case(text));
    let about = report.findings.iter().filter(|one| one.id.iter().chain(&one.aliases).any(is_one));
    let findings = about.map(|finding| Found {
        id: finding.id.clone().unwrap_or_else(|| finding.rule.clone()),
        package: finding.package.clone(),
        location: finding.location.to_string(),
        severity: finding.severity,
        rated_as_bundle: finding.is_rated_as_bundle(),
        severity_from: finding.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Advisory(advisory) => advisory.severity_from.clone(),
            _ => None,
        }),
        fixed: finding.upgrade().and_then(|fix| fix.version.clone()),
        last_affected: finding
            .upgrade()
            .filter(|fix| fix.version.is_none())
            .and_then(|fix| fix.after.clone()),
        silenced: report
            .decision
            .suppressed
            .iter()
            .any(|one| one.fingerprint == finding.fingerprint),
    });
    FoundIn { subject: report.subject.name.clone(), findings: findings.collect() }
}
