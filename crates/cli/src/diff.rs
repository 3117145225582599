//! `lazaret diff A B`: what is new, gone and changed, and why.
//!
//! Each side is a saved report (`lazaret.report/2`), taken as it is, or anything that can be scanned,
//! which is then scanned by the same advisories, and ranked by what containers of it used, as `scan` does.

use crate::World;
use crate::args::{DatabaseArgs, OutputArgs, PolicyArgs, ReadArgs, RecordArgs};
use crate::exit::{Exit, Failure};
use crate::sbom::{exit_of, read, today};
use crate::scanning::{default_format, policy};
use crate::{database, output, running, settings, verdict};
use clap::Args;
use report::{Format, Saved};
use scan::Assessment;
use std::collections::HashSet;
use std::path::Path;
use vocabulary::Report;
use vocabulary::diff::Likeness;
use vocabulary::report::SCHEMA;

/// The formats that there are here.
const FORMATS: &str = "Format on standard output: table, json, markdown (for pull requests), sarif and junit (what is new), or template:FILE";

/// Bytes of a saved report: one of 100,000 findings has some 200 MB.
pub(crate) const REPORT_BYTES: u64 = 1 << 30;

#[derive(Clone, Debug, Args)]
#[command(mut_arg("format", |arg| arg.help(FORMATS)))]
pub(crate) struct DiffArgs {
    /// The earlier side: a saved report (json), or anything that `scan` takes
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,
    /// The later side
    #[arg(value_name = "AFTER")]
    pub(crate) after: String,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

pub(crate) fn run(world: &World, args: &DiffArgs) -> Result<Exit, Failure> {
    let named = args.output.output.iter().filter_map(|output| output.format);
    if let Some(format) =
        args.output.format.into_iter().chain(named).find(|own| !own.has_differences())
    {
        return Err(Failure::usage(report::no_differences(format)));
    }
    crate::scanning::refuse_attached(&args.policy, "`diff`")?;
    let policy = policy(world, &args.policy)?;
    let before = side(world, args, &args.before, &policy)?;
    let after = side(world, args, &args.after, &policy)?;
    let today = today(World::now())?;
    let report = scan::difference(&before, &after, &policy, World::tool(), today);
    let format = default_format(world)?.filter(|format| format.has_differences());
    let to = output::of_subject(&args.output, &report.after.subject.name)?;
    output::deliver(
        &world.printing,
        &to,
        format.unwrap_or(Format::TABLE),
        |format, style, out| report::render_diff(&report, format, style, out),
    )?;
    if !output::is_printed(&world.printing, &to) {
        let name = &report.after.subject.name;
        verdict::say(world, name, report.outcome, &report.reasons);
    }
    Ok(exit_of(report.outcome))
}

fn side(
    world: &World,
    args: &DiffArgs,
    reference: &str,
    policy: &policy::Policy,
) -> Result<Report, Failure> {
    saved_or_scanned(world, reference, &args.read, &args.database, policy)
}

/// A saved report as it is, or a scan of whatever else is named.
pub(crate) fn saved_or_scanned(
    world: &World,
    reference: &str,
    read_args: &ReadArgs,
    database_args: &DatabaseArgs,
    policy: &policy::Policy,
) -> Result<Report, Failure> {
    if let Some(report) = saved(reference)? {
        return Ok(report);
    }
    let record = RecordArgs { files: false, file_digests: false };
    let inventory = read(world, reference, read_args, record)?;
    let now = World::now();
    let needed = database::Needed::of(&inventory.packages);
    let (databases, risks) = database::for_scan(world, database_args, &needed, now)?;
    let usage = running::usage_of(world, &inventory.subject, now)?;
    let assessment = Assessment {
        tool: World::tool(),
        databases: Some(&databases),
        risks: Some(&risks),
        usage: usage.as_ref(),
        freshness: None,
        imported: &scan::Imported::default(),
        policy,
        today: today(now)?,
    };
    Ok(scan::assess(inventory, &assessment))
}

/// A saved report, if the reference names one; none for whatever else it may be.
fn saved(reference: &str) -> Result<Option<Report>, Failure> {
    let path = Path::new(reference);
    let opens_json = || {
        use std::io::Read as _;
        let mut head = [0_u8; 256];
        let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut head)).ok()?;
        let head = String::from_utf8_lossy(head.get(..read)?).into_owned();
        Some(head.trim_start().starts_with('{') && head.contains("\"lazaret.report/"))
    };
    if !path.is_file() || !opens_json().unwrap_or(false) {
        return Ok(None);
    }
    load(path).map(Some)
}

/// Reads a saved report.
pub(crate) fn load(path: &Path) -> Result<Report, Failure> {
    let refused = |reason: String| Failure::usage(format!("`{}`: {reason}", path.display()));
    let text = settings::read_text(path, REPORT_BYTES)?;
    let saved = report::read_saved(text.as_bytes(), &crate::rules::all());
    match saved.map_err(|error| refused(error.to_string()))? {
        Saved::Report(report) => Ok(*report),
        Saved::Packages(_) => Err(refused(format!(
            "nothing was matched against its packages; make a report of it with `lazaret scan sbom:{} -o json=FILE`",
            path.display()
        ))),
        Saved::Reports(_) | Saved::Difference(_) => Err(refused(format!(
            "it is no report of one subject (`{SCHEMA}`); make it with `lazaret scan … -o json=FILE`"
        ))),
    }
}

/// What a saved report found, for `--new-since`. What was silenced there was not accepted for ever.
pub(crate) fn known(path: &Path) -> Result<HashSet<Likeness>, Failure> {
    let report = load(path)?;
    let silenced: HashSet<_> =
        report.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
    let open = report.findings.iter().filter(|finding| !silenced.contains(&finding.fingerprint));
    Ok(open.map(vocabulary::Finding::likeness).collect())
}
