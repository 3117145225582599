//! The JSON form: the vocabulary's own serde form, pretty, with a newline at the end.
//!
//! No second set of types: a report read back gives the same report. The packages-only form is a
//! view over the same fields under a schema name of its own.

use serde::Serialize;
use std::io;
use vocabulary::{Coverage, Distribution, Layer, Package, Report, Subject, Tool};

/// Version of the packages-only form. A change that a reader could trip over raises the number.
const PACKAGES_SCHEMA: &str = "lazaret.packages/1";

#[derive(Serialize)]
pub(crate) struct PackagesView<'report> {
    schema: &'static str,
    tool: &'report Tool,
    subject: &'report Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<&'report Distribution>,
    layers: &'report [Layer],
    packages: &'report [Package],
    coverage: &'report [Coverage],
}

pub(crate) fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write(report, out)
}

pub(crate) fn render_packages(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write(&PackagesView::of(report), out)
}

impl<'report> PackagesView<'report> {
    pub(crate) fn of(report: &'report Report) -> Self {
        Self {
            schema: PACKAGES_SCHEMA,
            tool: &report.tool,
            subject: &report.subject,
            distribution: report.distribution.as_ref(),
            layers: &report.layers,
            packages: &report.packages,
            coverage: &report.coverage,
        }
    }
}

/// Writes any value as pretty JSON with a newline at the end.
pub(crate) fn write<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// A list whose items are made while it is written, so that no second copy of a report builds up.
pub(crate) struct Stream<F>(pub(crate) F);

impl<F, I> Serialize for Stream<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
