//! `lazaret policy …`, and the policy file of every command that decides.
//!
//! A file is looked for upward from the working folder, to the root of the repository, the user's
//! folder or the file system. One that others may write is refused and named: it could silence
//! whatever it likes. What one that was found includes lies below its folder.

use crate::World;
use crate::args::{DatabaseArgs, PolicyArgs, ReadArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::output::plain;
use crate::sbom::{exit_of, today};
use crate::{diff, found, output, scanning, settings};
use clap::{Args, Subcommand};
use policy::{About, Judgement, Policy, Verdict};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use vocabulary::{Fingerprint, Outcome, Severity, counted};

/// The name of a policy file.
const FILE: &str = "lazaret.yaml";
/// Bytes of a policy file.
pub(crate) const BYTES: u64 = 4 << 20;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say what is wrong with a policy file, if anything
    Check {
        /// The file [default: lazaret.yaml here, or in the nearest folder above that has one]
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of policy files, for editors
    Schema,
    /// Say of each finding of a report or scan which line of the policy decides what
    Test(Box<TestArgs>),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TestArgs {
    /// A saved report (json), or anything that `scan` takes
    #[arg(value_name = "REPORT|REFERENCE")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

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

/// The policy of a file that is named, else of one that is found; the empty one where there is none.
pub(crate) fn load(world: &World, args: &PolicyArgs) -> Result<Policy, Failure> {
    match args.policy.as_ref().or(world.settings.policy.as_ref()) {
        Some(file) => read(file),
        None if without_found(world, args) => Ok(Policy::default()),
        None => find()?.map_or_else(|| Ok(Policy::default()), |found| found.read()),
    }
}

/// Whether files that nobody named are left out.
pub(crate) fn without_found(world: &World, args: &PolicyArgs) -> bool {
    args.no_project_policy || world.settings.no_project_policy.unwrap_or(false)
}

/// A policy that nobody named.
pub(crate) struct Found {
    pub(crate) name: PathBuf,
    pub(crate) text: String,
    folder: files::Folder,
}

/// The nearest file upward.
pub(crate) fn find() -> Result<Option<Found>, Failure> {
    for name in places()? {
        let otherwise = "name it with --policy, or leave it out with --no-project-policy";
        if let Some(found) = found::read(&name, BYTES, otherwise)? {
            return Ok(Some(Found { name, text: found.text, folder: found.folder }));
        }
    }
    Ok(None)
}

/// Where a file is looked for: here and upward, to the root of the repository or the user's folder.
pub(crate) fn places() -> Result<Vec<PathBuf>, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the working folder cannot be told: {error}")))?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut places = Vec::new();
    for (steps, folder) in here.ancestors().enumerate() {
        // As people would write it, where it lies here.
        places.push(if steps == 0 { PathBuf::from(FILE) } else { folder.join(FILE) });
        if is_root_of_repository(folder) || home.as_deref() == Some(folder) {
            break;
        }
    }
    Ok(places)
}

/// Whether a repository begins here. A mark that somebody else made hides no policy further up.
fn is_root_of_repository(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder.join(".git"))
        .is_ok_and(|mark| files::may_write(mark.uid(), mark.gid(), 0).is_none())
}

impl Found {
    /// Reads it with what it includes, which lies below its folder.
    fn read(&self) -> Result<Policy, Failure> {
        let top = self.name.parent().unwrap_or(Path::new(""));
        let name = self.name.display().to_string();
        let names = RefCell::new(BTreeSet::from([name.clone()]));
        let include = |from: &str, path: &str| {
            let inner = Path::new(path).components().collect::<PathBuf>();
            let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
            if !inner.components().all(plain) {
                return Err("it leads out of the folder of a policy that was found; name the policy with --policy".to_owned());
            }
            let file = Path::new(from).parent().unwrap_or(Path::new("")).join(inner);
            let below = file.strip_prefix(top).map_err(|error| error.to_string())?;
            let content =
                self.folder.read_found(below, BYTES).map_err(|error| error.to_string())?;
            let text = String::from_utf8(content).map_err(|_| "it is no text".to_owned())?;
            let name = file.display().to_string();
            names.borrow_mut().insert(name.clone());
            Ok((name, text))
        };
        let read = policy::parse_policy(&name, &self.text, &crate::rules::all(), &include);
        let mut policy =
            read.map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))?;
        policy.found = names.into_inner();
        Ok(policy)
    }
}

fn read(file: &Path) -> Result<Policy, Failure> {
    let text = settings::read_text(file, BYTES)?;
    let name = file.display().to_string();
    policy::parse_policy(&name, &text, &crate::rules::all(), &include)
        .map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))
}

/// A file that a named one includes, by a path that stays a path.
pub(crate) fn include(from: &str, path: &str) -> Result<(String, String), String> {
    if path.contains("://") {
        return Err("only files are included; fetch it first".to_owned());
    }
    let file = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
    let text = settings::read_text(&file, BYTES).map_err(|failure| failure.error.to_string())?;
    Ok((file.display().to_string(), text))
}

fn check(world: &World, file: Option<PathBuf>) -> Result<Exit, Failure> {
    let (file, policy) = match file.or(world.settings.policy.clone()) {
        Some(file) => {
            let policy = read(&file)?;
            (file, policy)
        }
        None => {
            let none =
                || Failure::usage(format!("there is no `{FILE}` here or above; name a file"));
            let found = find()?.ok_or_else(none)?;
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
    scanning::refuse_attached(&args.policy, "`policy test`")?;
    let policy = scanning::policy(world, &args.policy)?;
    let day = today(World::now())?;
    let report = diff::saved_or_scanned(
        world,
        &args.reference,
        &args.read,
        &args.database,
        &Policy::default(),
    )?;
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
    Ok(exit_of(judgement.decision.outcome))
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
