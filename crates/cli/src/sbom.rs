//! `lazaret sbom`: the packages of a subject.

use crate::args::SbomArgs;
use crate::exit::{self, Exit, Failure};
use crate::world::World;
use crate::{clock, output, reading, verdict};
use report::Format;
use scan::{Assessment, Elsewhere, Judging};

pub(crate) fn run(world: &World, args: &SbomArgs) -> Result<Exit, Failure> {
    if !args.more.is_empty() {
        return Err(Failure::usage(
            "`lazaret sbom` takes one subject; run it for each, or give them all to `lazaret scan`, with -o cyclonedx={name}.cdx.json",
        ));
    }
    output::refuse_snapshot_of_nothing(&args.output)?;
    let named = args.output.output.iter().filter_map(|output| output.format);
    if let Some(format) =
        args.output.format.into_iter().chain(named).find(|own| !own.has_packages())
    {
        return Err(Failure::usage(report::no_packages(format)));
    }
    let inventory = reading::read(world, &args.subject.reference, &args.subject.read, args.record)?;
    let policy = policy::Policy {
        allow_partial: args.allow_partial,
        matter: policy::Matter::Packages,
        ..policy::Policy::default()
    };
    let assessment = Assessment {
        tool: World::tool(),
        matching: None,
        elsewhere: Elsewhere::default(),
        judging: Judging { policy: &policy, today: clock::today(clock::now())? },
    };
    let report = scan::assess(inventory, &assessment);
    // A configured format that has no form for packages is meant for scans.
    let configured = world.default_format()?.filter(|format| format.has_packages());
    output::deliver(
        &world.printing,
        &output::of_subject(&args.output, &report.subject.name)?,
        configured.unwrap_or(Format::TABLE),
        |format, style, out| report::render_packages(&report, format, style, out),
    )?;
    verdict::say_gaps(world, &report);
    Ok(exit::of_report(&report))
}
