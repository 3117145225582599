//! `lazaret explain`: what a rule means, and what the database knows of a vulnerability.

mod known;
mod show;

use crate::args::{ExplainArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::world::World;
use crate::{clock, output, saved};
use advisories::{KnownRecord, Risks};
use known::{Found, FoundIn, Known};
use vocabulary::{Evidence, Report, Rule, Rules};

pub(crate) fn run(world: &World, args: &ExplainArgs) -> Result<Exit, Failure> {
    let rules = crate::rules::all();
    let Some(id) = args.subject.as_deref() else { return list(&rules, args.format) };
    if let Some(rule) = rules.get(id) {
        return explain_rule(rule, args.format);
    }
    let report = args.report.as_deref().map(saved::load).transpose()?;
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
    let risks = Risks::open(&folder, clock::now());
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
