//! Templates of the user's own: Jinja, filled with what the JSON form says.
//!
//! In goes the text of a template, and a report; out come bytes, or an error that names file, line and
//! reason. The engine is `minijinja`, cut down to what cannot run away: no includes, no macros, no state
//! that outlives a turn of a loop, lists and maps of constants only (`shape`), and a budget for what it
//! does. What is not there is an error, not an empty text: a report that is silently empty looks clean.
//! Texts of a report come from images, so that what a terminal would act on is shown by its code unless
//! the template says `safe`.

mod filters;
mod shape;

use crate::listed::PackagesView;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use vocabulary::diff::DiffReport;
use vocabulary::{AffectedReport, Report, Reports, RunningReport};

/// Bytes of a template: a page with its styles and scripts has some ten thousand.
pub const TEMPLATE_BYTES: u64 = 256 << 10;

/// Bytes of what a template makes; a page of 100,000 findings has some 100 MB.
pub const TEMPLATE_OUTPUT_BYTES: usize = 256 << 20;

/// Steps that a template may take however small the report is. A step is one instruction, or 64 bytes
/// that are made or read, so that this bounds memory too: to 640 MB, when nothing is given back.
const STEPS: u64 = 10_000_000;

/// One more step for so many bytes of the JSON form, so that long reports can be walked some times.
const BYTES_A_STEP: u64 = 4;

/// How deep a template may nest while it runs.
const DEPTH: usize = 200;

/// Characters of the template's own text in an error.
const QUOTED: usize = 120;

/// Filters of the engine that make lists of lists: nested without end they would be compared for ever.
const LEFT_OUT: [&str; 4] = ["batch", "chain", "slice", "zip"];

/// Why a template is none, or could not be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    name: String,
    line: Option<usize>,
    reason: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, reason } = self;
        match line {
            Some(line) => write!(formatter, "template `{name}`, line {line}: {reason}"),
            None => write!(formatter, "template `{name}`: {reason}"),
        }
    }
}

/// A template that was read and can be filled.
#[derive(Clone)]
pub struct Template {
    name: Arc<str>,
    environment: Environment<'static>,
    is_about_one: bool,
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Template").field(&self.name).finish()
    }
}

/// What a template is filled with. It holds a copy of all of it, and can go to another thread.
#[derive(Clone, Debug)]
pub struct Filling {
    variables: BTreeMap<&'static str, Value>,
    bytes: u64,
}

impl Template {
    /// Reads a template. Its name is shown in errors, and its ending says how values are escaped:
    /// `.html`, `.htm`, `.xhtml`, `.xml` and `.svg` as HTML, also before `.j2`, `.jinja`, `.jinja2`,
    /// `.tpl` and `.tmpl`; all others not at all.
    ///
    /// # Errors
    /// Where the text is no template, with the line and the reason.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        let fail = |line, reason| TemplateError { name: name.to_owned(), line, reason };
        if text.len() as u64 > TEMPLATE_BYTES {
            return Err(fail(None, format!("a template has at most {TEMPLATE_BYTES} bytes")));
        }
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .map_err(|error| fail(None, error.to_string()))?;
        shape::check(text, &syntax).map_err(|(line, reason)| fail(line, reason))?;
        environment.set_syntax(syntax);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(escaping);
        environment.set_recursion_limit(DEPTH);
        // Without it errors do not say what is undefined.
        environment.set_debug(true);
        for name in ["debug", "dict", "namespace"] {
            environment.remove_global(name);
        }
        for name in LEFT_OUT {
            environment.remove_filter(name);
        }
        filters::add(&mut environment);
        let explain = |error: Error| explain(name, &error, STEPS);
        environment.add_template_owned(name.to_owned(), text.to_owned()).map_err(explain)?;
        let template = environment.get_template(name).map_err(explain)?;
        let is_about_one = template.undeclared_variables(false).contains("report");
        Ok(Self { name: name.into(), environment, is_about_one })
    }

    /// Whether it asks for `report`, which there is only where there is one subject.
    #[must_use]
    pub const fn is_about_one(&self) -> bool {
        self.is_about_one
    }

    /// What it makes.
    ///
    /// # Errors
    /// Where the template asks for what is not there, does too much, or makes too much.
    pub fn render(&self, filling: &Filling) -> Result<Vec<u8>, TemplateError> {
        let steps = STEPS.saturating_add(filling.bytes / BYTES_A_STEP);
        self.render_within(filling, steps)
    }

    /// What it makes, written.
    pub(crate) fn write(&self, filling: &Filling, out: &mut dyn io::Write) -> io::Result<()> {
        let made = self.render(filling);
        out.write_all(&made.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?)
    }

    fn render_within(&self, filling: &Filling, steps: u64) -> Result<Vec<u8>, TemplateError> {
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(steps));
        let mut out = Bounded(Vec::new());
        let rendered = environment.get_template(&self.name).and_then(|template| {
            template
                .render_captured_to(Value::from(filling.variables.clone()), &mut out)
                .map(|_| ())
        });
        rendered.map_err(|error| explain(&self.name, &error, steps))?;
        Ok(out.0)
    }
}

impl Filling {
    /// One report: `report`, and it alone in `reports`.
    #[must_use]
    pub fn report(report: &Report) -> Self {
        Self::one(report)
    }

    /// Several reports: `reports`, and `failed` for those that there are none of.
    #[must_use]
    pub fn reports(reports: &Reports) -> Self {
        let failed = Value::from(Serde(&reports.failed));
        let all = Value::from(Serde(&reports.reports));
        Self { variables: [("reports", all), ("failed", failed)].into(), bytes: size(reports) }
    }

    /// The packages of a report, as `sbom` has them.
    #[must_use]
    pub fn packages(report: &Report) -> Self {
        Self::one(&PackagesView::of(report))
    }

    /// What changed between two subjects.
    #[must_use]
    pub fn diff(report: &DiffReport) -> Self {
        Self::one(report)
    }

    /// What runs.
    #[must_use]
    pub fn running(report: &RunningReport) -> Self {
        Self::one(report)
    }

    /// Whom a vulnerability concerns.
    #[must_use]
    pub fn affected(report: &AffectedReport) -> Self {
        Self::one(report)
    }

    fn one<T: Serialize>(report: &T) -> Self {
        let value = Value::from(Serde(report));
        let reports = Value::from(vec![value.clone()]);
        let failed = Value::from(Vec::<Value>::new());
        Self {
            variables: [("report", value), ("reports", reports), ("failed", failed)].into(),
            bytes: size(report),
        }
    }
}

/// Bytes of the JSON form.
fn size<T: Serialize>(value: &T) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len() as u64);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What has no JSON form is not counted further.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// Takes so many bytes and no more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > TEMPLATE_OUTPUT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How values are escaped, by the ending of the template's name.
fn escaping(name: &str) -> AutoEscape {
    let name = name.to_ascii_lowercase();
    let stem = [".j2", ".jinja", ".jinja2", ".tpl", ".tmpl"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(&name);
    let markup = [".html", ".htm", ".xhtml", ".xml", ".svg"];
    if markup.iter().any(|ending| stem.ends_with(ending)) {
        AutoEscape::Html
    } else {
        AutoEscape::None
    }
}

/// An error of the engine in our words.
fn explain(name: &str, error: &Error, steps: u64) -> TemplateError {
    let detail = error.detail().unwrap_or_default();
    let cut: String = crate::text::escape(detail).chars().take(QUOTED).collect();
    let reason = match error.kind() {
        ErrorKind::OutOfFuel => format!(
            "it does too much: over {steps} steps; walk over less, or choose first with `selectattr`"
        ),
        ErrorKind::WriteFailure => {
            format!("it makes more than {TEMPLATE_OUTPUT_BYTES} bytes; walk over less")
        }
        ErrorKind::UndefinedError if cut.is_empty() => {
            "a value is undefined; give what may be missing a `| default(\"\")`".to_owned()
        }
        ErrorKind::UndefinedError => format!(
            "{cut}; where it may be missing, ask `is defined` first, or give it a `| default(\"\")`"
        ),
        ErrorKind::SyntaxError if detail.starts_with("unknown statement") => {
            format!("{cut}: there are `for`, `if`, `set`, `with`, `filter`, `autoescape` and `raw`")
        }
        kind if cut.is_empty() => kind.to_string(),
        _ => cut,
    };
    TemplateError { name: name.to_owned(), line: error.line(), reason }
}

#[cfg(test)]
mod tests;
