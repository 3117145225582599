//! Renders what there is in the form that is asked for, or says that the form cannot tell of it.

use crate::form::{Form, Format};
use crate::forms::{no_differences, no_packages};
use crate::style::Style;
use crate::template::Filling;
use std::io::{self, Write};
use vocabulary::diff::DiffReport;
use vocabulary::{AffectedReport, NotChecked, Report, Reports, RunningReport};

/// Renders a whole report.
///
/// # Errors
/// Where `out` cannot be written.
pub fn render(
    report: &Report,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    format.write(report, |form| Ok(form.report), Filling::report, style, out)
}

/// Renders the reports of several subjects, and why others have none: tables one after the other with
/// a summary, one JSON object, one SARIF log with a run for each; a subject without a report is a run
/// that did not succeed.
///
/// # Errors
/// Where `out` cannot be written, and for forms that are about one subject each.
pub fn render_reports(
    reports: &Reports,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let by = |form: &'static Form| {
        form.reports.ok_or_else(|| {
            format!(
                "`{format}` is about one subject; write one file for each, as in -o {format}={{name}}.json"
            )
        })
    };
    format.write(reports, by, Filling::reports, style, out)
}

/// Renders the packages of a report without its findings: a bill of materials.
///
/// # Errors
/// Where `out` cannot be written, and for forms that cannot tell of packages alone.
pub fn render_packages(
    report: &Report,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let by = |form: &'static Form| form.packages.ok_or_else(|| no_packages(format));
    format.write(report, by, Filling::packages, style, out)
}

/// Renders what runs and what of it is vulnerable.
///
/// # Errors
/// Where `out` cannot be written, and for the forms of one subject: this is about several.
pub fn render_running(
    report: &RunningReport,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let by = |form: &'static Form| {
        form.running.ok_or_else(|| {
            format!("`{format}` has no form for several containers; use table or json")
        })
    };
    format.write(report, by, Filling::running, style, out)
}

/// Renders whom a vulnerability concerns.
///
/// # Errors
/// Where `out` cannot be written, and for the forms of one subject: this is about several.
pub fn render_affected(
    report: &AffectedReport,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let by = |form: &'static Form| {
        form.affected
            .ok_or_else(|| format!("`{format}` has no form for several images; use table or json"))
    };
    format.write(report, by, Filling::affected, style, out)
}

/// Renders what changed between two subjects: in SARIF and JUnit what is new, else also what is gone.
///
/// # Errors
/// Where `out` cannot be written, and for lists of packages: this is about two of them.
pub fn render_diff(
    report: &DiffReport,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let by = |form: &'static Form| form.diff.ok_or_else(|| no_differences(format));
    format.write(report, by, Filling::diff, style, out)
}

/// What a form leaves out of the reports of several subjects for the bounds of who reads it, a line for
/// each: it stands in the form too, where only programs look.
#[must_use]
pub fn left_out(reports: &[Report], failed: &[NotChecked], format: Format) -> Vec<String> {
    format.form().map(|form| (form.left_out)(reports, failed)).unwrap_or_default()
}
