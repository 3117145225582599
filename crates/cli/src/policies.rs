//! `lazaret policy …`: checks and tries policy files.

use crate::args::{PolicyCommand, StatusFormat, TestArgs};
use crate::exit::{self, Exit, Failure};
use crate::output::plain;
use crate::world::World;
use crate::{assessing, clock, deciding, output, policy_files};
use policy::{About, Judgement, Policy, Verdict};
use serde::Serialize;
use std::path::PathBuf;
use vocabulary::{Fingerprint, Outcome, Severity, counted};

pub(crate) fn run(world: &World, command: PolicyCommand) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Schema => {
            output::print_json(&policy::schema())?;
            Ok(Exit::Clean)
        }
        PolicyCommand::Check { file } => check(world, file),
        PolicyCommand::Test(args) => test(world, &args),
    }
}

fn check(world: &World, file: Option<PathBuf>) -> Result<Exit, Failure> {
    let (file, policy) = match file.or(world.settings.policy.clone()) {
        Some(file) => {
            let policy = policy_files::read(&file)?;
            (file, policy)
        }
        None => {
            let none = || {
                Failure::usage(format!(
                    "there is no `{}` here or above; name a file",
                    policy_files::FILE
                ))
            };
            let found = policy_files::find()?.ok_or_else(none)?;
            let policy = found.read()?;
            (found.name, policy)
        }
    };
    let ignores =
        counted(u64::try_from(policy.ignores.len()).unwrap_or(u64::MAX), "ignore", "ignores");
    // A file that draws no line lets every scan end without a verdict.
    let line = policy.line().map_or_else(
        || "no line (`fail-on`, `fail-on-unknown`, `fail-on-exploited`)".to_owned(),
        |line| format!("a line at {line}"),
    );
    world.printing.remark(&format!("`{}` is right: {line}, {ignores}", file.display()));
    Ok(Exit::Clean)
}

/// One finding with what was decided of it.
#[derive(Serialize)]
struct Line<'report> {
    id: &'report str,
    package: Option<String>,
    severity: Severity,
    title: &'report str,
    #[serde(flatten)]
    verdict: &'report Verdict,
}

#[derive(Serialize)]
struct Tested<'report> {
    schema: &'static str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'report str>,
    reasons: &'report [String],
    findings: Vec<Line<'report>>,
    unused: &'report [String],
}

fn test(world: &World, args: &TestArgs) -> Result<Exit, Failure> {
    deciding::refuse_attached(&args.policy, "`policy test`")?;
    let policy = deciding::policy(world, &args.policy)?;
    let day = clock::today(clock::now())?;
    let (checks, places) = (policy.checks.clone(), policy.places.clone());
    let found = policy.found.clone();
    // Which checks run is the one thing that is decided before there is a report.
    let reading = Policy { checks, places, found, ..Policy::default() };
    let report =
        assessing::saved_or_scanned(world, &args.reference, &args.read, &args.database, &reading)?;
    // What another policy added or changed falls away; this one is applied to what was found.
    let before: std::collections::HashMap<&Fingerprint, Severity> =
        report.decision.overridden.iter().map(|one| (&one.fingerprint, one.severity)).collect();
    let mut findings = report.findings.clone();
    findings.retain(|finding| finding.class != vocabulary::Class::Policy);
    for finding in &mut findings {
        if let Some(severity) = before.get(&finding.fingerprint) {
            finding.severity = *severity;
        }
    }
    let (asked, unknown) = policy::conditions(&policy, &report.subject, &report.packages);
    findings.extend(asked);
    let mut coverage = report.coverage.clone();
    coverage.retain(|one| !matches!(one.check.as_str(), "base-image" | "risk:KEV" | "vex"));
    coverage.extend(unknown);
    coverage.extend(policy::gates(&policy, &report.databases));
    let about = About { subject: &report.subject, packages: &report.packages, programs: None };
    let judgement =
        policy::decide_for(&policy, &report.rules, Some(&about), findings, &coverage, day);
    let (verdicts, unused) = policy::verdicts(&policy, &judgement, day);
    show(&judgement, &verdicts, &unused, args.format)?;
    Ok(exit::of_outcome(judgement.decision.outcome))
}

fn show(
    judgement: &Judgement,
    verdicts: &[Verdict],
    unused: &[String],
    format: StatusFormat,
) -> Result<(), Failure> {
    let lines: Vec<Line<'_>> = judgement
        .findings
        .iter()
        .zip(verdicts)
        .map(|(finding, verdict)| Line {
            id: finding.id.as_deref().unwrap_or(&finding.rule),
            package: finding.package.as_ref().map(|purl| purl.bare().to_string()),
            severity: finding.severity,
            title: &finding.title,
            verdict,
        })
        .collect();
    let decision = &judgement.decision;
    if format == StatusFormat::Json {
        return output::print_json(&Tested {
            schema: "lazaret.policy-test/1",
            outcome: decision.outcome,
            line: decision.line.as_deref(),
            reasons: &decision.reasons,
            findings: lines,
            unused,
        });
    }
    let verdict = format!("{}  {}", decision.outcome.word(), plain(&decision.reasons.join("; ")));
    output::print_lines(|out| {
        writeln!(out, "{verdict}\n")?;
        for line in &lines {
            let mark = if line.verdict.over { "over " } else { "     " };
            let package = line.package.as_deref().unwrap_or("-");
            let by = line.verdict.by.as_deref().unwrap_or("no line of a file");
            // Texts of an image may hold anything; package URLs and ids are encoded, titles left out.
            writeln!(
                out,
                "{mark} {}  {package}\n      {}  [{by}]",
                plain(line.id),
                plain(&line.verdict.why)
            )?;
        }
        for rule in unused {
            writeln!(out, "unused  the ignore of {} silences nothing here", plain(rule))?;
        }
        writeln!(out, "\n{verdict}")
    })
}
