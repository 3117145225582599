//! `lazaret scan`: read, fetch the advisories that are needed, match, decide, print.

use crate::args::ScanArgs;
use crate::exit::{self, Exit, Failure};
use crate::freshness::Archives;
use crate::world::World;
use crate::{
    assessing, clock, database, deciding, failures, output, progress, reading, running, saved,
    selecting, settings, several, verdict,
};
use policy::Policy;
use report::Format;
use scan::{Assessment, Elsewhere, Imported, Inventory, Judging, Matching};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vocabulary::report::REPORTS_SCHEMA;
use vocabulary::{NotChecked, Report, Reports};

pub(crate) fn run(world: &World, args: &ScanArgs) -> Result<Exit, Failure> {
    output::refuse_snapshot_of_nothing(&args.output)?;
    let mut policy = deciding::policy(world, &args.policy)?;
    policy.known = args.new_since.as_deref().map(saved::known).transpose()?;
    if args.running {
        deciding::refuse_attached(&args.policy, "--running")?;
        if !args.import.is_empty() {
            return Err(Failure::usage(
                "`--import` goes with one named subject, not with --running",
            ));
        }
        return running::run(world, args, &policy);
    }
    if args.references.is_empty() {
        return Err(Failure::usage(
            "nothing is named to be scanned; give an image or a folder, or --running for the running containers",
        ));
    }
    let imported = imported(world, args)?;
    let archives = Archives::of(world, args)?;
    let (inventories, mut failed) = read_all(world, args, &policy)?;
    let now = clock::now();
    let needed = database::Needed::of(
        inventories.iter().flat_map(|(_, inventory)| &inventory.software.packages),
    );
    let (databases, risks) = database::for_scan(world, &args.database, &needed, now)?;
    let mut reports = Vec::with_capacity(inventories.len());
    let mut findings = 0;
    for (reference, inventory) in inventories {
        let usage = assessing::usage_of(world, &inventory.subject, now)?;
        let freshness = archives.as_ref().map(|archives| archives.ask(&inventory, now));
        let assessment = Assessment {
            tool: World::tool(),
            matching: Some(Matching {
                databases: &databases,
                risks: Some(&risks),
                usage: usage.as_ref(),
            }),
            elsewhere: Elsewhere { freshness: freshness.as_ref(), imported: Some(&imported) },
            judging: Judging { policy: &policy, today: clock::today(now)? },
        };
        let report = scan::assess(inventory, &assessment);
        findings += report.findings.len();
        if findings > FINDINGS && args.references.len() > 1 {
            failed.push((reference, beyond("findings", FINDINGS)));
        } else {
            reports.push(report);
        }
    }
    let exit = exit_of_all(&reports, &failed);
    let format = world.default_format()?.unwrap_or(Format::TABLE);
    match reports.as_slice() {
        [report] if args.references.len() == 1 => {
            let to = output::of_subject(&args.output, &report.subject.name)?;
            output::deliver(&world.printing, &to, format, |format, style, out| {
                report::render(report, format, style, out)
            })?;
            let formats = output::formats(&to, format);
            output::say_left_out(&world.printing, formats, std::slice::from_ref(report), &[]);
            if output::formats(&to, format).any(Format::has_verdict) {
                verdict::say_unprinted(world, &to, report);
            } else {
                verdict::say_gaps(world, report);
            }
        }
        _ => {
            let failed = failed.into_iter().map(|(reference, failure)| NotChecked {
                what: reference,
                reason: failure.error.to_string(),
            });
            let reports =
                Reports { schema: REPORTS_SCHEMA.to_owned(), reports, failed: failed.collect() };
            several::deliver(world, &args.output, format, &reports)?;
        }
    }
    Ok(exit)
}

/// Findings of other tools. They are about one subject, which must be the only one.
fn imported(world: &World, args: &ScanArgs) -> Result<Imported, Failure> {
    if !args.import.is_empty() && args.references.len() > 1 {
        return Err(Failure::usage("`--import` goes with one subject; scan them one by one"));
    }
    let mut all = Imported::default();
    for file in &args.import {
        let text = settings::read_text(file, scan::SARIF_BYTES)?;
        let imported = scan::import(text.as_bytes())
            .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))?;
        if imported.suppressed > 0 {
            let results = vocabulary::counted(imported.suppressed, "result", "results");
            let text = format!("lazaret: `{}` suppresses {results} itself", file.display());
            world.printing.remark(&text);
        }
        all.extend(imported);
    }
    Ok(all)
}

/// A subject that could not be read, and why.
type Failed = (String, Failure);

/// A subject, by its reference.
type Read = (String, Inventory);

/// What could be read, in the order of the arguments, and what could not. One alone that cannot be
/// read ends the command.
fn read_all(
    world: &World,
    args: &ScanArgs,
    policy: &Policy,
) -> Result<(Vec<Read>, Vec<Failed>), Failure> {
    let mut options = reading::options_with_record(world, &args.read, args.record)?;
    options.checks = selecting::selection(args.checks.as_deref(), policy)?;
    options.attached = args.policy.vex.iter().any(|file| deciding::is_attached(file));
    if let [reference] = args.references.as_slice() {
        let inventory = reading::read_by(world, reference, &options)?;
        return Ok((vec![(reference.clone(), inventory)], Vec::new()));
    }
    several::refuse_single_forms(&args.output)?;
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, Held>> = Mutex::default();
    progress::while_reading(&world.printing, |progress| {
        let read_on = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(reference) = args.references.get(index) else { return };
                let read = scan::read(reference, &options, progress).map_err(failures::scan);
                let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let held = Held::of(read, results.range(..index).map(|(_, one)| one));
                results.insert(index, held);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..several::AT_ONCE.min(args.references.len()) {
                // Without a second thread this one reads them all.
                let _ = std::thread::Builder::new().spawn_scoped(scope, read_on);
            }
            read_on();
        });
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (mut inventories, mut failed) = (Vec::new(), Vec::new());
    let mut packages = 0;
    for ((_, held), reference) in results.into_iter().zip(&args.references) {
        packages += held.packages;
        match held.read {
            Ok(_) if packages > PACKAGES && args.references.len() > 1 => {
                failed.push((reference.clone(), beyond("packages", PACKAGES)));
            }
            Ok(inventory) => {
                reading::say_source(world, &inventory);
                inventories.push((reference.clone(), inventory));
            }
            Err(failure) => {
                world.printing.remark(&format!("lazaret: {}", failure.error));
                failed.push((reference.clone(), failure));
            }
        }
    }
    Ok((inventories, failed))
}

/// Packages of all subjects together, and findings: all reports are held until they are shown. One
/// subject alone has bounds of its own.
const PACKAGES: usize = 400_000;
const FINDINGS: usize = 100_000;

/// What was read of a subject, and how many packages it has.
struct Held {
    packages: usize,
    read: Result<Inventory, Failure>,
}

impl Held {
    /// What does not fit with the subjects before it is let go at once: sums only grow, so that which
    /// ones stay does not depend on who was faster.
    fn of<'held>(
        read: Result<Inventory, Failure>,
        before: impl Iterator<Item = &'held Self>,
    ) -> Self {
        let packages = read.as_ref().map_or(0, |inventory| inventory.software.packages.len());
        let before: usize = before.map(|held| held.packages).sum();
        let first = before == 0;
        match first || before.saturating_add(packages) <= PACKAGES {
            true => Self { packages, read },
            false => Self { packages, read: Err(beyond("packages", PACKAGES)) },
        }
    }
}

fn beyond(what: &str, bound: usize) -> Failure {
    let error = anyhow::anyhow!(
        "with the subjects before it there are more than {bound} {what}, which are held until all are shown; scan it alone"
    );
    Failure::new(Exit::Exhausted, error)
}

/// One exit code for all: findings, then subjects that are not there, then what could not be looked at
/// in full.
fn exit_of_all(reports: &[Report], failed: &[Failed]) -> Exit {
    let of_reports = reports.iter().map(exit::of_report);
    let of_failed = failed.iter().map(|(_, failure)| failure.exit());
    let all: Vec<Exit> = of_reports.chain(of_failed).collect();
    let order = [
        Exit::Internal,
        Exit::Findings,
        Exit::Exhausted,
        Exit::Usage,
        Exit::NoDatabase,
        Exit::Incomplete,
    ];
    order.into_iter().find(|exit| all.contains(exit)).unwrap_or(Exit::Clean)
}
