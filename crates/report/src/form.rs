//! What an output form is: a name, the files that are called so, and what it can tell of.
//!
//! Each form declares itself beside its code as a [`Form`]; [`crate::forms`] lists them. What a form can do,
//! the help, the errors and the endings of files follow from that, so that nothing about one form is said
//! in two places.

use crate::style::Style;
use crate::template::{Filling, Template};
use std::fmt;
use std::io::{self, Write};
use vocabulary::diff::DiffReport;
use vocabulary::{AffectedReport, NotChecked, Report, Reports, RunningReport};

/// Writes a value in a form.
pub(crate) type Render<Value> = fn(&Value, &Style, &mut dyn Write) -> io::Result<()>;

/// A form that comes with the program.
#[derive(Debug)]
pub(crate) struct Form {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The ends of the names of its files, in lower case; the longest that fits decides.
    pub(crate) endings: &'static [&'static str],
    /// Other names of its files, by their last part in lower case.
    pub(crate) is_name: fn(&str) -> bool,
    /// These names for people; nothing where no name of a file asks for it.
    pub(crate) names: &'static str,
    /// Whether it is written as JSON of a standard of its own, which tools call just that.
    pub(crate) is_json: bool,
    /// Whether it says what was decided; the others are lists for programs.
    pub(crate) has_verdict: bool,
    /// Whether it must name the run of a CI service.
    pub(crate) needs_build: bool,
    /// One subject.
    pub(crate) report: Render<Report>,
    /// Several subjects, and why others have no report.
    pub(crate) reports: Option<Render<Reports>>,
    /// Packages without findings: a bill of materials.
    pub(crate) packages: Option<Render<Report>>,
    /// What changed between two subjects.
    pub(crate) diff: Option<Render<DiffReport>>,
    /// What runs, and what of it is vulnerable.
    pub(crate) running: Option<Render<RunningReport>>,
    /// Whom a vulnerability concerns.
    pub(crate) affected: Option<Render<AffectedReport>>,
    /// What it leaves out for the bounds of who reads it, a line for each: it stands in the form too,
    /// where only programs look.
    pub(crate) left_out: fn(&[Report], &[NotChecked]) -> Vec<String>,
}

impl Form {
    /// A form of one subject that says what was decided: the base that others are declared from.
    pub(crate) const fn new(name: &'static str, report: Render<Report>) -> Self {
        Self {
            name,
            endings: &[],
            is_name: |_| false,
            names: "",
            is_json: false,
            has_verdict: true,
            needs_build: false,
            report,
            reports: None,
            packages: None,
            diff: None,
            running: None,
            affected: None,
            left_out: |_, _| Vec::new(),
        }
    }
}

/// The form of an output.
#[derive(Clone, Copy, Debug)]
pub struct Format(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    BuiltIn(&'static Form),
    /// The user's own: what a template makes of the JSON form. Read once, for as long as the program
    /// runs.
    Template(&'static Template),
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Kind::BuiltIn(one), Kind::BuiltIn(other)) => one.name == other.name,
            (Kind::Template(one), Kind::Template(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Format {}

impl Format {
    pub(crate) const fn of(form: &'static Form) -> Self {
        Self(Kind::BuiltIn(form))
    }

    /// What a template makes of the JSON form.
    #[must_use]
    pub const fn template(template: &'static Template) -> Self {
        Self(Kind::Template(template))
    }

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::BuiltIn(form) => form.name,
            Kind::Template(_) => "template",
        }
    }

    pub(crate) const fn form(self) -> Option<&'static Form> {
        match self.0 {
            Kind::BuiltIn(form) => Some(form),
            Kind::Template(_) => None,
        }
    }

    /// Whether it is written as JSON of a standard of its own, which tools call just that.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.form().is_some_and(|form| form.is_json)
    }

    /// Whether it can list packages without findings.
    #[must_use]
    pub fn has_packages(self) -> bool {
        self.form().is_none_or(|form| form.packages.is_some())
    }

    /// Whether it says what was decided; the others are lists for programs.
    #[must_use]
    pub fn has_verdict(self) -> bool {
        self.form().is_none_or(|form| form.has_verdict)
    }

    /// Whether it must name the run of a CI service.
    #[must_use]
    pub fn needs_build(self) -> bool {
        self.form().is_some_and(|form| form.needs_build)
    }

    /// Whether it can tell of several subjects at once: [`crate::render_reports`].
    #[must_use]
    pub fn has_several(self) -> bool {
        match self.0 {
            Kind::BuiltIn(form) => form.reports.is_some(),
            Kind::Template(template) => !template.is_about_one(),
        }
    }

    /// Whether it can tell what changed between two subjects: [`crate::render_diff`].
    #[must_use]
    pub fn has_differences(self) -> bool {
        self.form().is_none_or(|form| form.diff.is_some())
    }

    /// Whether it can tell of running containers: [`crate::render_running`].
    #[must_use]
    pub fn has_containers(self) -> bool {
        self.form().is_none_or(|form| form.running.is_some())
    }

    /// Renders a value by what a form has for it, or by a template.
    pub(crate) fn write<Value>(
        self,
        value: &Value,
        by: impl Fn(&'static Form) -> Result<Render<Value>, String>,
        filling: fn(&Value) -> Filling,
        style: &Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self.0 {
            Kind::BuiltIn(form) => {
                let render = by(form)
                    .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
                render(value, style, out)
            }
            Kind::Template(template) => template.write(&filling(value), out),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
