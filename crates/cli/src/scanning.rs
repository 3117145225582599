//! `lazaret scan`: read, fetch the advisories that are needed, match, decide, print.

use crate::World;
use crate::args::{PolicyArgs, ScanArgs};
use crate::exit::{Exit, Failure};
use crate::sbom::{exit_of, read, today};
use crate::{database, output, running, settings};
use policy::{Ignore, Policy};
use report::Format;
use scan::Assessment;
use std::path::{Path, PathBuf};

/// Looked for where no ignore file is named.
const IGNORE_FILE: &str = ".lazaret-ignore.toml";

/// Bytes of a VEX document.
const VEX_BYTES: u64 = 64 << 20;

/// Bytes of an ignore file.
const IGNORE_BYTES: u64 = 8 << 20;

pub(crate) fn run(world: &World, args: &ScanArgs) -> Result<Exit, Failure> {
    let mut policy = policy(world, &args.policy)?;
    policy.known = args.new_since.as_deref().map(crate::diff::known).transpose()?;
    if args.running {
        return running::run(world, args, &policy);
    }
    let Some(reference) = &args.reference else {
        return Err(Failure::usage(
            "nothing is named to be scanned; give an image or a folder, or --running for the running containers",
        ));
    };
    let inventory = read(world, reference, &args.read, args.record)?;
    let now = World::now();
    let needed = advisories::ecosystems_of(&inventory.packages);
    let (databases, risks) = database::for_scan(world, &args.database, &needed, now)?;
    let usage = inventory.subject.config_digest.as_ref().and_then(|image| {
        // Without a folder for state nobody watched.
        running::usage_of_image(&world.state().ok()?, image, now)
    });
    let assessment = Assessment {
        tool: World::tool(),
        databases: Some(&databases),
        risks: Some(&risks),
        usage: usage.as_ref(),
        policy: &policy,
        today: today(now)?,
    };
    let report = scan::assess(inventory, &assessment);
    let format = default_format(world)?.unwrap_or(Format::Table);
    output::deliver(&world.printing, &args.output, format, |format, style, out| {
        report::render(&report, format, style, out)
    })?;
    Ok(exit_of(report.decision.outcome))
}

/// The format that the configuration file names.
pub(crate) fn default_format(world: &World) -> Result<Option<Format>, Failure> {
    let named = world.settings.format.as_deref().map(str::parse::<Format>).transpose();
    named.map_err(|error| Failure::new(Exit::Usage, error))
}

/// What counts: flags before the policy file, and that before the configuration file.
pub(crate) fn policy(world: &World, args: &PolicyArgs) -> Result<Policy, Failure> {
    let settings = &world.settings;
    let mut policy = crate::policies::load(world, args.policy.as_deref())?;
    if let Some(severity) = args.fail_on {
        policy.fail_on = Some(severity);
        policy.places.insert("fail-on".to_owned(), "--fail-on".to_owned());
    } else if let (None, Some(text)) = (policy.fail_on, &settings.fail_on) {
        policy.fail_on = Some(text.parse().map_err(|error: String| Failure::usage(error))?);
    }
    policy.fail_on_unknown |= args.fail_on_unknown || settings.fail_on_unknown.unwrap_or(false);
    policy.fail_on_exploited |=
        args.fail_on_exploited || settings.fail_on_exploited.unwrap_or(false);
    policy.only_fixed |= args.only_fixed;
    policy.allow_partial |= args.allow_partial || settings.allow_partial.unwrap_or(false);
    for file in &args.vex {
        let text = settings::read_text(file, VEX_BYTES)?;
        let statements = policy::parse_vex(&file.display().to_string(), text.as_bytes());
        policy.vex.extend(
            statements.map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))?,
        );
    }
    policy.ignores.extend(ignores(args.ignore_file.as_ref().or(settings.ignore_file.as_ref()))?);
    Ok(policy)
}

fn ignores(named: Option<&PathBuf>) -> Result<Vec<Ignore>, Failure> {
    let file = match named {
        Some(file) => file.as_path(),
        None if Path::new(IGNORE_FILE).is_file() => Path::new(IGNORE_FILE),
        None => return Ok(Vec::new()),
    };
    let text = settings::read_text(file, IGNORE_BYTES)?;
    policy::parse_ignores(&text)
        .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))
}
