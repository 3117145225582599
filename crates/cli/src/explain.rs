//! `lazaret explain`: what a rule means, and what the database knows of a vulnerability.

use crate::World;
use crate::args::StatusFormat;
use crate::exit::{Exit, Failure};
use crate::output;
use advisories::{KnownRecord, Risks};
use serde::Serialize;
use vocabulary::{Epss, Exploited, Rule, counted};

/// Records that the short form lists.
const SHOWN: usize = 40;

/// What is known of a vulnerability.
#[derive(Serialize)]
struct Known<'id> {
    schema: &'static str,
    id: &'id str,
    records: Vec<KnownRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exploited: Option<Exploited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss: Option<Epss>,
}

pub(crate) fn run(
    world: &World,
    subject: Option<&str>,
    format: StatusFormat,
) -> Result<Exit, Failure> {
    let Some(id) = subject else { return rules(format) };
    if let Some(rule) = Rule::ALL.iter().find(|rule| rule.id == id) {
        return explain_rule(rule, format);
    }
    if !id.contains('-')
        || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    {
        return Err(Failure::usage(format!(
            "`{id}` is neither a rule nor the id of a vulnerability; `lazaret explain` lists the rules"
        )));
    }
    vulnerability(world, id, format)
}

fn rules(format: StatusFormat) -> Result<Exit, Failure> {
    if format == StatusFormat::Json {
        output::print_json(&Rule::ALL)?;
        return Ok(Exit::Clean);
    }
    output::print_lines(|out| {
        Rule::ALL.iter().try_for_each(|rule| writeln!(out, "{:<28} {}", rule.id, rule.title))
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
        writeln!(out, "Severity    {} unless the evidence says otherwise", rule.severity)?;
        writeln!(out, "Why         {}", rule.why)?;
        writeln!(out, "What to do  {}", rule.remedy)
    })?;
    Ok(Exit::Clean)
}

fn vulnerability(world: &World, id: &str, format: StatusFormat) -> Result<Exit, Failure> {
    let folder = world.db()?;
    let (records, asked) = advisories::records_of(&folder, id)
        .map_err(|error| Failure::new(Exit::NoDatabase, error))?;
    if asked == 0 {
        return Err(Failure::new(
            Exit::NoDatabase,
            anyhow::anyhow!("no database in `{}`; run `lazaret db update`", folder.display()),
        ));
    }
    let risks = Risks::open(&folder, World::now());
    let lookup = risks.lookup();
    let aliases = records.iter().flat_map(|record| &record.aliases);
    let ids: Vec<&str> = std::iter::once(id).chain(aliases.map(String::as_str)).collect();
    let known = Known {
        schema: "lazaret.explain/1",
        id,
        exploited: ids.iter().find_map(|id| lookup.exploited(id)),
        epss: ids.iter().find_map(|id| lookup.epss(id)),
        records,
    };
    let found = !known.records.is_empty() || known.exploited.is_some() || known.epss.is_some();
    if format == StatusFormat::Json {
        output::print_json(&known)?;
    } else {
        output::print_lines(|out| show(out, &known, asked))?;
    }
    Ok(if found { Exit::Clean } else { Exit::Incomplete })
}

fn show(out: &mut dyn std::io::Write, known: &Known<'_>, asked: usize) -> std::io::Result<()> {
    writeln!(out, "{}", known.id)?;
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
    for record in known.records.iter().take(SHOWN) {
        let severity = record.severity.map_or("unrated".to_owned(), |level| level.to_string());
        writeln!(out, "\n{:<20} {}  {severity}", plain(&record.record), record.ecosystem)?;
        let lines = [
            ("Title", record.title.clone()),
            ("CVSS", record.cvss.clone()),
            ("Also", Some(record.aliases.join(", ")).filter(|text| !text.is_empty())),
            ("Page", record.url.clone()),
        ];
        for (label, text) in lines {
            if let Some(text) = text {
                writeln!(out, "  {label:<8} {}", plain(&text))?;
            }
        }
    }
    match known.records.len() {
        0 => {
            let databases = counted(u64::try_from(asked).unwrap_or(0), "database", "databases");
            writeln!(out, "\nNo record of {databases} names it.")
        }
        number => match number.saturating_sub(SHOWN) {
            0 => Ok(()),
            left => writeln!(out, "\n… and {left} more (use the json format)"),
        },
    }
}

/// Text of an advisory without what a terminal would act on, cut to a line.
fn plain(text: &str) -> String {
    crate::output::plain(&text.chars().take(300).collect::<String>())
}
