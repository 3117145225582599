//! Renders a report: table and Markdown for people, and the JSON and XML forms of [`Format`]. Pure functions.
//!
//! In goes a [`Report`] and a [`Style`], out come bytes on a writer, piece by piece, so that a report
//! of any size costs no second copy in memory. There is no clock, no terminal and no environment in
//! here: the same input gives the same bytes. All text that comes from an image is untrusted; the
//! table shows control characters and direction overrides by their code, the JSON forms escape them.

mod alert;
mod built_in;
mod changes;
mod cyclonedx;
mod difference;
mod edges;
mod ending;
mod execution;
mod github;
mod gitlab;
mod group;
mod json;
mod junit;
mod markdown;
mod sarif;
mod saved;
mod spdx;
mod supplier;
mod table;
mod template;
mod text;

pub use alert::alert_line;
pub use ending::{ENDINGS, of_file};
pub use github::NO_BUILD;
pub use json::{write as write_json, write_line as write_json_line};
pub use saved::{Saved, SavedError, read_saved};
pub use template::{Filling, TEMPLATE_BYTES, TEMPLATE_OUTPUT_BYTES, Template, TemplateError};

pub use text::{escape, one_line};

use std::fmt;
use std::io;
use std::str::FromStr;
use vocabulary::diff::DiffReport;
use vocabulary::{AffectedReport, NotChecked, Report, Reports, RunningReport};

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// The vocabulary's own form.
    Json,
    /// CycloneDX 1.6, JSON.
    CycloneDx,
    /// SARIF 2.1.0.
    Sarif,
    /// SPDX 2.3, JSON: packages alone.
    Spdx,
    /// For pull requests.
    Markdown,
    /// JUnit XML, for CI services.
    Junit,
    /// GitLab's security report: of dependencies for a folder, of a container for the others.
    Gitlab,
    /// GitHub's dependency snapshot: packages alone.
    Github,
    /// A page without scripts, for browsers.
    Html,
    /// A line for each finding, for spreadsheets.
    Csv,
    /// The user's own: what a template makes of the JSON form. Read once, for as long as the program
    /// runs.
    Template(&'static Template),
}

impl Format {
    /// Every format but templates, in the order in which help texts name them.
    pub const ALL: [Self; 11] = [
        Self::Table,
        Self::Json,
        Self::CycloneDx,
        Self::Sarif,
        Self::Spdx,
        Self::Markdown,
        Self::Junit,
        Self::Gitlab,
        Self::Github,
        Self::Html,
        Self::Csv,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::CycloneDx => "cyclonedx",
            Self::Sarif => "sarif",
            Self::Spdx => "spdx",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Gitlab => "gitlab",
            Self::Github => "github",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Template(_) => "template",
        }
    }

    /// Whether it is written as JSON of a standard of its own, which tools call just that.
    #[must_use]
    pub const fn is_json(self) -> bool {
        matches!(self, Self::CycloneDx | Self::Sarif | Self::Spdx | Self::Gitlab | Self::Github)
    }

    /// Whether it can list packages without findings.
    #[must_use]
    pub const fn has_packages(self) -> bool {
        matches!(
            self,
            Self::Table
                | Self::Json
                | Self::CycloneDx
                | Self::Spdx
                | Self::Github
                | Self::Template(_)
        )
    }

    /// Whether it says what was decided; the others are lists for programs.
    #[must_use]
    pub const fn has_verdict(self) -> bool {
        !matches!(self, Self::CycloneDx | Self::Spdx | Self::Github | Self::Csv)
    }

    /// Whether it can tell of several subjects at once: [`render_reports`].
    #[must_use]
    pub const fn has_several(self) -> bool {
        matches!(
            self,
            Self::Table
                | Self::Json
                | Self::Sarif
                | Self::Markdown
                | Self::Junit
                | Self::Html
                | Self::Csv
        ) || matches!(self, Self::Template(template) if !template.is_about_one())
    }

    /// Whether it can tell what changed between two subjects: [`render_diff`].
    #[must_use]
    pub const fn has_differences(self) -> bool {
        matches!(
            self,
            Self::Table
                | Self::Json
                | Self::Sarif
                | Self::Markdown
                | Self::Junit
                | Self::Template(_)
        )
    }

    /// Whether it can tell of running containers: [`render_running`].
    #[must_use]
    pub const fn has_containers(self) -> bool {
        matches!(self, Self::Table | Self::Json | Self::Template(_))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Why a text is not a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an output format; use table, json, cyclonedx, sarif, spdx, markdown, junit, gitlab, github, html, csv or template:FILE"
)]
pub struct FormatError(String);

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| FormatError(text.chars().take(80).collect()))
    }
}

/// How to render. The default is plain, of any width, short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether the table may use ANSI colours.
    pub colour: bool,
    /// Columns of the terminal; none for text that is not cut.
    pub width: Option<usize>,
    /// 0 for the short table, 1 for every vulnerability and check, 2 for places and problems too.
    pub verbose: u8,
    /// The time to name, RFC 3339, in place of that of the run, so that the same input gives the same
    /// bytes.
    pub timestamp: Option<String>,
    /// The time of the run, RFC 3339, for bills of materials and forms that must name one, where
    /// `timestamp` is none.
    pub moment: Option<String>,
    /// Who answers for a bill of materials beside the program, such as `ACME` or `Person: Jane Doe`.
    pub author: Option<String>,
    /// Who supplies what a bill of materials is about, in the same form; where nobody is named, who
    /// answers for the bill does.
    pub supplier: Option<String>,
    /// The run of a CI service that this is, for the form that must name one.
    pub build: Option<Build>,
}

/// A run of a CI service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Digest of the commit, hexadecimal.
    pub commit: String,
    /// Branch or tag, such as `refs/heads/main`.
    pub reference: String,
    /// Its number.
    pub run: String,
    /// What later runs of the same job share, so that each takes the place of the one before.
    pub correlator: String,
}

/// The program's own page, which the workspace's `Cargo.toml` names. It is never that of a project that
/// is scanned: whoever reads a form looks there for what the program is.
pub(crate) const HOME_PAGE: &str = env!("CARGO_PKG_HOMEPAGE");

/// What a form leaves out of the reports of several subjects for the bounds of who reads it, a line for
/// each: it stands in the form too, where only programs look.
#[must_use]
pub fn left_out(reports: &[Report], failed: &[NotChecked], format: Format) -> Vec<String> {
    match format {
        Format::Sarif => sarif::limits::left_out(reports, failed),
        _ => Vec::new(),
    }
}

impl Style {
    /// The time that a form names which must name one.
    pub(crate) fn time(&self) -> Option<&str> {
        self.timestamp.as_deref().or(self.moment.as_deref())
    }

    /// Who supplies what a bill is about: its kind, and its name.
    pub(crate) fn supplier(&self) -> Option<(&'static str, &str)> {
        self.supplier.as_deref().or(self.author.as_deref()).map(cyclonedx::author_name)
    }
}

/// Renders a whole report.
///
/// # Errors
/// Where `out` cannot be written.
pub fn render(
    report: &Report,
    format: Format,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::render(report, style, out),
        Format::Json => json::render(report, out),
        Format::CycloneDx => cyclonedx::render(report, style, cyclonedx::Content::All, out),
        Format::Sarif => sarif::render(std::slice::from_ref(report), &[], style, out),
        Format::Spdx => spdx::render(report, style, out),
        Format::Markdown => markdown::render(report, style, out),
        Format::Junit => junit::render(std::slice::from_ref(report), &[], out),
        Format::Gitlab => gitlab::render(report, style, out),
        Format::Github => github::render(report, style, out),
        Format::Html => built_in::page()?.write(&Filling::report(report), out),
        Format::Csv => built_in::spreadsheet()?.write(&Filling::report(report), out),
        Format::Template(template) => template.write(&Filling::report(report), out),
    }
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
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::render_reports(reports, style, out),
        Format::Json => json::write(reports, out),
        Format::Sarif => sarif::render(&reports.reports, &reports.failed, style, out),
        Format::Markdown => markdown::render_reports(reports, style, out),
        Format::Junit => junit::render(&reports.reports, &reports.failed, out),
        Format::Html => built_in::page()?.write(&Filling::reports(reports), out),
        Format::Csv => built_in::spreadsheet()?.write(&Filling::reports(reports), out),
        Format::Template(template) => template.write(&Filling::reports(reports), out),
        Format::CycloneDx | Format::Spdx | Format::Gitlab | Format::Github => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "`{format}` is about one subject; write one file for each, as in -o {format}={{name}}.json"
            ),
        )),
    }
}

/// Why a form cannot tell of packages alone, and which can.
#[must_use]
pub fn no_packages(format: Format) -> String {
    format!(
        "`{format}` has no form for packages; use table, json, cyclonedx, spdx, github or template:FILE"
    )
}

/// Renders the packages of a report without its findings: a bill of materials.
///
/// # Errors
/// Where `out` cannot be written, and for SARIF, which has no form for packages.
pub fn render_packages(
    report: &Report,
    format: Format,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::render_packages(report, style, out),
        Format::Json => json::render_packages(report, out),
        Format::Template(template) => template.write(&Filling::packages(report), out),
        Format::CycloneDx => cyclonedx::render(report, style, cyclonedx::Content::Packages, out),
        Format::Spdx => spdx::render(report, style, out),
        Format::Github => github::render(report, style, out),
        Format::Sarif
        | Format::Markdown
        | Format::Junit
        | Format::Gitlab
        | Format::Html
        | Format::Csv => Err(io::Error::new(io::ErrorKind::InvalidInput, no_packages(format))),
    }
}

/// Renders what runs and what of it is vulnerable.
///
/// # Errors
/// Where `out` cannot be written, and for the forms of one subject: this is about several.
pub fn render_running(
    report: &RunningReport,
    format: Format,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::containers::render(report, style, out),
        Format::Json => json::write(report, out),
        Format::Template(template) => template.write(&Filling::running(report), out),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{format}` has no form for several containers; use table or json"),
        )),
    }
}

/// Renders whom a vulnerability concerns.
///
/// # Errors
/// Where `out` cannot be written, and for the forms of one subject: this is about several.
pub fn render_affected(
    report: &AffectedReport,
    format: Format,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::affected::render(report, style, out),
        Format::Json => json::write(report, out),
        Format::Template(template) => template.write(&Filling::affected(report), out),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{format}` has no form for several images; use table or json"),
        )),
    }
}

/// Why a form cannot tell of differences, and which can.
#[must_use]
pub fn no_differences(format: Format) -> String {
    format!(
        "`{format}` has no form for differences; use table, json, markdown, sarif, junit or template:FILE"
    )
}

/// Renders what changed between two subjects: in SARIF and JUnit what is new, else also what is gone.
///
/// # Errors
/// Where `out` cannot be written, and for lists of packages: this is about two of them.
pub fn render_diff(
    report: &DiffReport,
    format: Format,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::diff::render(report, style, out),
        Format::Json => json::write(report, out),
        Format::Template(template) => template.write(&Filling::diff(report), out),
        Format::Markdown => changes::render(report, style, out),
        Format::Sarif => sarif::render_new(&changes::fresh(report), style, out),
        Format::Junit => junit::render(&[changes::fresh(report)], &[], out),
        Format::CycloneDx
        | Format::Spdx
        | Format::Gitlab
        | Format::Github
        | Format::Html
        | Format::Csv => Err(io::Error::new(io::ErrorKind::InvalidInput, no_differences(format))),
    }
}
