//! Several subjects in one scan: where their results go.
//!
//! Without a placeholder a file or standard output holds all of them; with `{name}` each subject gets
//! a file of its own, under a name that cannot leave the folder.

use crate::World;
use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::{output, verdict};
use report::Format;
use std::collections::BTreeSet;
use std::path::PathBuf;
use vocabulary::{Report, Reports};

/// How many subjects are read side by side: the layers of each go in parallel already, and the second
/// keeps the processors busy while the first waits for a registry or its last layer.
pub(crate) const AT_ONCE: usize = 2;

/// What stands for the subject in the name of a file.
const PLACEHOLDER: &str = "{name}";
/// Characters of a subject's name in the name of a file.
const NAME_CHARACTERS: usize = 100;

/// Refuses early what could not be written at the end: forms of one subject need a file for each.
pub(crate) fn refuse_single_forms(args: &OutputArgs) -> Result<(), Failure> {
    let has_place = |file: &PathBuf| file.to_string_lossy().contains(PLACEHOLDER);
    let single = args
        .output
        .iter()
        .find_map(|output| {
            let format = output.format.or(args.format)?;
            (!format.has_several() && !has_place(&output.file)).then_some(format)
        })
        .or(args.format.filter(|format| !format.has_several() && args.output.is_empty()));
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
    let (each, together): (Vec<_>, Vec<_>) = args
        .output
        .iter()
        .cloned()
        .partition(|output| output.file.to_string_lossy().contains(PLACEHOLDER));
    for output in &each {
        let mut taken = BTreeSet::new();
        for report in &reports.reports {
            let name = file_name(report, &mut taken);
            let file = output.file.to_string_lossy().replace(PLACEHOLDER, &name);
            let one = OutputArgs {
                format: None,
                author: args.author.clone(),
                output: vec![crate::args::Output {
                    format: output.format.or(args.format),
                    file: PathBuf::from(file),
                }],
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
    let default = if default.has_several() { default } else { Format::Table };
    output::deliver(&world.printing, &rest, default, |format, style, out| {
        report::render_reports(reports, format, style, out)
    })?;
    let formats = output::formats(&rest, default);
    output::say_left_out(&world.printing, formats, &reports.reports, &reports.failed);
    Ok(())
}

/// A subject's name as a file name: letters, digits, dots and dashes, not the same twice.
fn file_name(report: &Report, taken: &mut BTreeSet<String>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    let name: String = report.subject.name.chars().map(plain).take(NAME_CHARACTERS).collect();
    let name = name.trim_matches(['.', '-']).to_owned();
    let name = if name.is_empty() { "subject".to_owned() } else { name };
    let mut unique = name.clone();
    let mut number = 1;
    while !taken.insert(unique.clone()) {
        number += 1;
        unique = format!("{name}-{number}");
    }
    unique
}
