//! Several subjects in one scan: where their results go.
//!
//! Without a placeholder a file or standard output holds all of them; with `{name}` each subject gets
//! a file of its own, under a name that cannot leave the folder.

use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::output::{PLACEHOLDER, has_place, placed};
use crate::world::World;
use crate::{output, verdict};
use report::Format;
use std::collections::BTreeSet;
use vocabulary::{Report, Reports};

/// How many subjects are read side by side: the layers of each go in parallel already, and the second
/// keeps the processors busy while the first waits for a registry or its last layer.
pub(crate) const AT_ONCE: usize = 2;

/// Refuses early what could not be written at the end: forms of one subject need a file for each.
pub(crate) fn refuse_single_forms(args: &OutputArgs) -> Result<(), Failure> {
    let single = args
        .output
        .iter()
        .find_map(|output| {
            let format = output.format?;
            (!format.has_several() && !has_place(&output.file)).then_some(format)
        })
        .or(args.format.filter(|format| !format.has_several()));
    match single {
        None => Ok(()),
        Some(format) => Err(Failure::usage(format!(
            "`{format}` is about one subject; write a file for each, as in -o {format}={PLACEHOLDER}.json"
        ))),
    }
}

/// Renders to everywhere that was asked for.
pub(crate) fn deliver(
    world: &World,
    args: &OutputArgs,
    default: Format,
    reports: &Reports,
) -> Result<(), Failure> {
    let (each, together): (Vec<_>, Vec<_>) =
        args.output.iter().cloned().partition(|output| has_place(&output.file));
    for output in &each {
        let mut taken = BTreeSet::new();
        for report in &reports.reports {
            let file = placed(&output.file, &unique_name(report, &mut taken));
            let one = OutputArgs {
                format: None,
                output: vec![crate::args::Output { format: output.format, file }],
                ..args.clone()
            };
            output::deliver(&world.printing, &one, default, |format, style, out| {
                report::render(report, format, style, out)
            })?;
            let formats = output::formats(&one, default);
            output::say_left_out(&world.printing, formats, std::slice::from_ref(report), &[]);
        }
    }
    let to_each_alone = !each.is_empty() && together.is_empty() && args.format.is_none();
    let rest = OutputArgs { output: together, ..args.clone() };
    if to_each_alone || !output::is_printed(&world.printing, &rest) {
        reports.reports.iter().for_each(|report| verdict::say_gaps(world, report));
    }
    if to_each_alone {
        return Ok(());
    }
    // A configured form of one subject is meant for scans of one.
    let default = if default.has_several() { default } else { Format::TABLE };
    output::deliver(&world.printing, &rest, default, |format, style, out| {
        report::render_reports(reports, format, style, out)
    })?;
    let formats = output::formats(&rest, default);
    output::say_left_out(&world.printing, formats, &reports.reports, &reports.failed);
    Ok(())
}

/// A subject's name as a file name, not the same twice.
fn unique_name(report: &Report, taken: &mut BTreeSet<String>) -> String {
    let name = output::file_name(&report.subject.name);
    let mut unique = name.clone();
    let mut number = 1;
    while !taken.insert(unique.clone()) {
        number += 1;
        unique = format!("{name}-{number}");
    }
    unique
}
