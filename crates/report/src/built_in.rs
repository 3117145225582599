//! The templates that come with the program: a page for browsers and lines for spreadsheets.
//!
//! They are the files of `docs/templates`, which whoever wants another page begins with, and go through
//! the same engine under the same bounds as anybody's own.

use crate::{Template, TemplateError};
use std::io;
use std::sync::LazyLock;

type Read = Result<Template, TemplateError>;

static PAGE: LazyLock<Read> = LazyLock::new(|| {
    Template::parse("report.html.j2", include_str!("../../../docs/templates/report.html.j2"))
});

static SPREADSHEET: LazyLock<Read> = LazyLock::new(|| {
    Template::parse("findings.csv.j2", include_str!("../../../docs/templates/findings.csv.j2"))
});

/// The page of [`crate::Format::Html`].
pub(crate) fn page() -> io::Result<&'static Template> {
    of(&PAGE)
}

/// The lines of [`crate::Format::Csv`].
pub(crate) fn spreadsheet() -> io::Result<&'static Template> {
    of(&SPREADSHEET)
}

fn of(read: &'static Read) -> io::Result<&'static Template> {
    read.as_ref().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.clone()))
}
