//! `lazaret convert`: a saved report, or a list of packages, in another form, as it was decided.
//!
//! Nothing is matched and nothing is decided again: the verdict is the one that was saved, and the exit
//! code says only whether the report could be read and written.

use crate::args::ConvertArgs;
use crate::exit::{Exit, Failure};
use crate::saved::REPORT_BYTES;
use crate::world::World;
use crate::{clock, output, settings, several, verdict};
use report::{Format, Saved};
use std::io::Read as _;
use std::path::Path;
use vocabulary::Report;

pub(crate) fn run(world: &World, args: &ConvertArgs) -> Result<Exit, Failure> {
    output::refuse_snapshot_of_nothing(&args.output)?;
    let text = text_of(&args.report)?;
    let saved = report::read_saved(text.as_bytes(), &crate::rules::all())
        .map_err(|error| Failure::usage(format!("`{}`: {error}", args.report.display())))?;
    let format = world.default_format()?;
    let any = format.unwrap_or(Format::TABLE);
    match saved {
        Saved::Report(report) => {
            let to = output::of_subject(&args.output, &report.subject.name)?;
            output::deliver(&world.printing, &to, any, |format, style, out| {
                report::render(&report, format, style, out)
            })?;
            let formats = output::formats(&to, any);
            output::say_left_out(&world.printing, formats, std::slice::from_ref(&report), &[]);
            if output::formats(&to, any).any(Format::has_verdict) {
                verdict::say_unprinted(world, &to, &report);
            } else {
                verdict::say_gaps(world, &report);
            }
        }
        Saved::Packages(report) => packages(world, args, *report, format)?,
        Saved::Reports(reports) => {
            several::refuse_single_forms(&args.output)?;
            several::deliver(world, &args.output, any, &reports)?;
        }
        Saved::Difference(difference) => {
            let mut asked = output::formats(&args.output, Format::TABLE);
            if let Some(format) = asked.find(|format| !format.has_differences()) {
                return Err(Failure::usage(report::no_differences(format)));
            }
            let format = format.filter(|format| format.has_differences());
            let format = format.unwrap_or(Format::TABLE);
            let name = &difference.after.subject.name;
            let to = output::of_subject(&args.output, name)?;
            output::deliver(&world.printing, &to, format, |format, style, out| {
                report::render_diff(&difference, format, style, out)
            })?;
            if !output::is_printed(&world.printing, &to) {
                verdict::say(world, name, difference.outcome, &difference.reasons);
            }
        }
    }
    Ok(Exit::Clean)
}

/// A list of packages in another form, with the verdict of `lazaret sbom`: whether all was looked at.
fn packages(
    world: &World,
    args: &ConvertArgs,
    mut report: Report,
    configured: Option<Format>,
) -> Result<(), Failure> {
    let mut asked = output::formats(&args.output, Format::TABLE);
    if let Some(format) = asked.find(|format| !format.has_packages()) {
        return Err(Failure::usage(format!(
            "{}: `{}` lists packages, and nothing was matched; `lazaret scan sbom:{}` does that",
            report::no_packages(format),
            args.report.display(),
            args.report.display()
        )));
    }
    let policy = policy::Policy { matter: policy::Matter::Packages, ..policy::Policy::default() };
    let findings = std::mem::take(&mut report.findings);
    let today = clock::today(clock::now())?;
    let judgement = policy::decide(&policy, &report.rules, findings, &report.coverage, today);
    (report.findings, report.decision) = (judgement.findings, judgement.decision);
    let format = configured.filter(|format| format.has_packages()).unwrap_or(Format::TABLE);
    let to = output::of_subject(&args.output, &report.subject.name)?;
    output::deliver(&world.printing, &to, format, |format, style, out| {
        report::render_packages(&report, format, style, out)
    })?;
    verdict::say_gaps(world, &report);
    Ok(())
}

fn text_of(file: &Path) -> Result<String, Failure> {
    if file != Path::new("-") {
        return settings::read_text(file, REPORT_BYTES);
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(REPORT_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    if text.len() as u64 > REPORT_BYTES {
        return Err(Failure::usage(format!("standard input is larger than {REPORT_BYTES} bytes")));
    }
    Ok(text)
}
