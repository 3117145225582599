//! The templates that come with the program: a page for browsers and lines for spreadsheets.
//!
//! They are the files of `docs/templates`, which whoever wants another page begins with, and go through
//! the same engine under the same bounds as anybody's own.

use crate::form::{Form, Format};
use crate::template::{Filling, Template, TemplateError};
use std::io;
use std::sync::LazyLock;

/// A page without scripts, for browsers.
pub(crate) const PAGE_FORMAT: Format = Format::of(&PAGE_FORM);
static PAGE_FORM: Form = Form {
    endings: &[".html", ".htm"],
    names: "`.html`",
    reports: Some(|reports, _, out| of(&PAGE)?.write(&Filling::reports(reports), out)),
    ..Form::new("html", |report, _, out| of(&PAGE)?.write(&Filling::report(report), out))
};

/// A line for each finding, for spreadsheets.
pub(crate) const SPREADSHEET_FORMAT: Format = Format::of(&SPREADSHEET_FORM);
static SPREADSHEET_FORM: Form = Form {
    endings: &[".csv"],
    names: "`.csv`",
    has_verdict: false,
    reports: Some(|reports, _, out| of(&SPREADSHEET)?.write(&Filling::reports(reports), out)),
    ..Form::new("csv", |report, _, out| of(&SPREADSHEET)?.write(&Filling::report(report), out))
};

type Read = Result<Template, TemplateError>;

static PAGE: LazyLock<Read> = LazyLock::new(|| {
    Template::parse("report.html.j2", include_str!("../../../../docs/templates/report.html.j2"))
});

static SPREADSHEET: LazyLock<Read> = LazyLock::new(|| {
    Template::parse("findings.csv.j2", include_str!("../../../../docs/templates/findings.csv.j2"))
});

fn of(read: &'static Read) -> io::Result<&'static Template> {
    read.as_ref().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.clone()))
}
