//! `lazaret diff A B`: what is new, gone and changed, and why.
//!
//! Each side is a saved report (`lazaret.report/2`), taken as it is, or anything that can be scanned,
//! which is then scanned by the same advisories, and ranked by what containers of it used, as `scan` does.

use crate::args::DiffArgs;
use crate::exit::{self, Exit, Failure};
use crate::world::World;
use crate::{assessing, clock, deciding, output, verdict};
use report::Format;
use vocabulary::Report;

pub(crate) fn run(world: &World, args: &DiffArgs) -> Result<Exit, Failure> {
    let named = args.output.output.iter().filter_map(|output| output.format);
    if let Some(format) =
        args.output.format.into_iter().chain(named).find(|own| !own.has_differences())
    {
        return Err(Failure::usage(report::no_differences(format)));
    }
    deciding::refuse_attached(&args.policy, "`diff`")?;
    let policy = deciding::policy(world, &args.policy)?;
    let before = side(world, args, &args.before, &policy)?;
    let after = side(world, args, &args.after, &policy)?;
    let today = clock::today(clock::now())?;
    let report = scan::difference(&before, &after, &policy, World::tool(), today);
    let format = world.default_format()?.filter(|format| format.has_differences());
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
    Ok(exit::of_outcome(report.outcome))
}

fn side(
    world: &World,
    args: &DiffArgs,
    reference: &str,
    policy: &policy::Policy,
) -> Result<Report, Failure> {
    assessing::saved_or_scanned(world, reference, &args.read, &args.database, policy)
}
