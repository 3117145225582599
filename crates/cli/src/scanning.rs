//! `lazaret scan`: read, fetch the advisories that are needed, match, decide, print.

use crate::World;
use crate::args::{PolicyArgs, ScanArgs};
use crate::config::{FormatSetting, Line};
use crate::database::Needed;
use crate::exit::{Exit, Failure};
use crate::freshness::Archives;
use crate::sbom::{failure, read_by, read_options_of, say_source, today};
use crate::{
    database, exit, found, output, policies, progress, running, settings, several, verdict,
};
use policy::Policy;
use report::Format;
use scan::{Assessment, Imported, Inventory};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vocabulary::report::REPORTS_SCHEMA;
use vocabulary::{NotChecked, Report, Reports};

/// Looked for where no ignore file is named.
pub(crate) const IGNORE_FILE: &str = ".lazaret-ignore.toml";

/// Bytes of a VEX document.
const VEX_BYTES: u64 = 64 << 20;

/// Bytes of an ignore file.
const IGNORE_BYTES: u64 = 8 << 20;

pub(crate) fn run(world: &World, args: &ScanArgs) -> Result<Exit, Failure> {
    output::refuse_snapshot_of_nothing(&args.output)?;
    let mut policy = policy(world, &args.policy)?;
    policy.known = args.new_since.as_deref().map(crate::diff::known).transpose()?;
    if args.running {
        refuse_attached(&args.policy, "--running")?;
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
    let (inventories, mut failed) = read_all(world, args)?;
    let now = World::now();
    let needed = Needed::of(inventories.iter().flat_map(|(_, inventory)| &inventory.packages));
    let (databases, risks) = database::for_scan(world, &args.database, &needed, now)?;
    let mut reports = Vec::with_capacity(inventories.len());
    let mut findings = 0;
    for (reference, inventory) in inventories {
        let usage = running::usage_of(world, &inventory.subject, now)?;
        let freshness = archives.as_ref().map(|archives| archives.ask(&inventory, now));
        let assessment = Assessment {
            tool: World::tool(),
            databases: Some(&databases),
            risks: Some(&risks),
            usage: usage.as_ref(),
            freshness: freshness.as_ref(),
            imported: &imported,
            policy: &policy,
            today: today(now)?,
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
    let format = default_format(world)?.unwrap_or(Format::TABLE);
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
fn read_all(world: &World, args: &ScanArgs) -> Result<(Vec<Read>, Vec<Failed>), Failure> {
    let mut options = read_options_of(world, &args.read, args.record)?;
    options.attached = args.policy.vex.iter().any(|file| is_attached(file));
    if let [reference] = args.references.as_slice() {
        let inventory = read_by(world, reference, &options)?;
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
                let read = scan::read(reference, &options, progress).map_err(failure);
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
                say_source(world, &inventory);
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
        let packages = read.as_ref().map_or(0, |inventory| inventory.packages.len());
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

/// The format that the configuration names: `LAZARET_FORMAT`, else its file.
pub(crate) fn default_format(world: &World) -> Result<Option<Format>, Failure> {
    match &world.settings.format {
        None => Ok(None),
        Some(FormatSetting::BuiltIn(format)) => Ok(Some(*format)),
        Some(FormatSetting::Named(text)) => output::format(text).map(Some).map_err(Failure::usage),
    }
}

/// What counts: flags before the policy file, and that before the configuration file; but of a policy
/// file that was found and the configuration, whichever is stricter.
pub(crate) fn policy(world: &World, args: &PolicyArgs) -> Result<Policy, Failure> {
    let settings = &world.settings;
    let mut policy = crate::policies::load(world, args)?;
    if let Some(severity) = args.fail_on {
        policy.fail_on = Some(severity);
        policy.places.insert("fail-on".to_owned(), "--fail-on".to_owned());
    } else if let Some(Line(line)) = settings.fail_on
        && policy.fail_on.is_none_or(|given| !policy.found.is_empty() && line < given)
    {
        policy.fail_on = Some(line);
        policy.places.remove("fail-on");
        if let Some(file) = settings.line_found_in {
            policy.places.insert("fail-on".to_owned(), file.to_owned());
        }
    }
    policy.fail_on_unknown |= args.fail_on_unknown || settings.fail_on_unknown.unwrap_or(false);
    policy.fail_on_exploited |=
        args.fail_on_exploited || settings.fail_on_exploited.unwrap_or(false);
    policy.only_fixed |= args.only_fixed;
    policy.only_linked |= args.only_linked;
    if settings.allow_partial == Some(false) && !policy.found.is_empty() {
        policy.allow_partial = false;
    }
    if args.allow_partial || settings.allow_partial == Some(true) {
        policy.allow_partial = true;
        policy.places.remove("allow-partial");
    }
    for (given, key) in [(args.only_fixed, "only-fixed"), (args.only_linked, "only-linked")] {
        if given {
            policy.places.insert(key.to_owned(), format!("--{key}"));
        }
    }
    for file in args.vex.iter().filter(|file| !is_attached(file)) {
        let text = settings::read_text(file, VEX_BYTES)?;
        let shown = file.display().to_string();
        let statements = policy::parse_vex(&shown, text.as_bytes())
            .map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
        if statements.is_empty() {
            world.printing.remark(&format!("lazaret: `{shown}` holds no statements"));
        }
        policy.vex.extend(statements);
    }
    add_ignores(world, args, &mut policy)?;
    Ok(policy)
}

/// Whether `--vex` asks for what is attached to the image, also in Trivy's word for it. A file of that
/// name is `./attached`.
fn is_attached(file: &Path) -> bool {
    ["attached", "oci"].iter().any(|word| file == Path::new(word))
}

/// For commands whose subjects were read before, or come from an engine.
pub(crate) fn refuse_attached(args: &PolicyArgs, command: &str) -> Result<(), Failure> {
    if args.vex.iter().any(|file| is_attached(file)) {
        return Err(Failure::usage(format!(
            "`--vex attached` goes with `lazaret scan` of named images, not with {command}"
        )));
    }
    Ok(())
}

fn add_ignores(world: &World, args: &PolicyArgs, policy: &mut Policy) -> Result<(), Failure> {
    let named = args.ignore_file.as_deref().or(world.settings.ignore_file.as_deref());
    let found = Path::new(IGNORE_FILE);
    let (file, text) = match named {
        Some(file) => (file, Some(settings::read_text(file, IGNORE_BYTES)?)),
        None if policies::without_found(world, args) => return Ok(()),
        None => {
            let read = found::read(
                found,
                IGNORE_BYTES,
                "name it with --ignore-file, or leave it out with --no-project-policy",
            )?;
            (found, read.map(|read| read.text))
        }
    };
    let Some(text) = text else { return Ok(()) };
    let shown = file.display().to_string();
    let mut ignores = policy::parse_ignores(&text, &crate::rules::all())
        .map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
    if named.is_none() {
        ignores.iter_mut().for_each(|rule| rule.by = Some(shown.clone()));
        policy.found.insert(shown);
    }
    policy.ignores.extend(ignores);
    Ok(())
}
