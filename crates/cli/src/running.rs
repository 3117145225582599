//! `lazaret scan --running`: the images of running containers, scanned once each, and what each
//! container has used of what is vulnerable.

use crate::args::ScanArgs;
use crate::exit::{self, Exit, Failure};
use crate::world::World;
use crate::{clock, database, output, progress, reading, selecting, verdict};
use fleet::Running;
use policy::Policy;
use report::Format;
use scan::{Assessment, Elsewhere, Judging, Matching, ReadOptions};

pub(crate) fn run(world: &World, args: &ScanArgs, policy: &Policy) -> Result<Exit, Failure> {
    let format = format(world, args)?;
    let checks = selecting::selection(args.checks.as_deref(), policy)?;
    let options = ReadOptions { checks, ..reading::options(world, &args.read)? };
    let running =
        progress::while_reading(&world.printing, |progress| Running::read(&options, progress))
            .map_err(|error| Failure::new(Exit::Incomplete, error))?;
    let now = clock::now();
    let needed = database::Needed::of(running.packages());
    let (databases, risks) = database::for_scan(world, &args.database, &needed, now)?;
    let assessment = Assessment {
        tool: World::tool(),
        matching: Some(Matching { databases: &databases, risks: Some(&risks), usage: None }),
        elsewhere: Elsewhere::default(),
        judging: Judging { policy, today: clock::today(now)? },
    };
    let report = running.report(&assessment, &world.state()?, now);
    output::deliver(&world.printing, &args.output, format, |format, style, out| {
        report::render_running(&report, format, style, out)
    })?;
    verdict::say_of_running(world, &args.output, &report);
    Ok(exit::of_outcome(report.outcome))
}

/// The format where none is given on the command line; an error where one is that has no form for
/// several containers.
fn format(world: &World, args: &ScanArgs) -> Result<Format, Failure> {
    let has_form = |format: &Format| format.has_containers();
    let named = args.output.output.iter().filter_map(|output| output.format);
    if let Some(format) = args.output.format.into_iter().chain(named).find(|own| !has_form(own)) {
        return Err(Failure::usage(format!(
            "`{format}` has no form for several containers; use table or json, or scan one image"
        )));
    }
    output::refuse_place(&args.output, "all running containers")?;
    // A configured format that has no form for several containers is meant for scans of one.
    Ok(world.default_format()?.filter(has_form).unwrap_or(Format::TABLE))
}
