//! The user's own form: a template that is given the report's JSON as its variables.
//!
//! The language is Jinja's, by `minijinja`: variables are the keys of the JSON form (`findings`,
//! `packages`, `decision`, …). A template reads no files, includes none, and knows no time and no
//! environment; how much it may do is bounded, so that one that loops ends with an error. What is not
//! there is an error where it is printed, and false in a condition, so that a misspelt name does not
//! leave a blank.
//!
//! Text of an image is untrusted: in templates named `.html`, `.htm` or `.xml` it is escaped for
//! these, in `.json` and `.yaml` it is written as JSON, and in all others what a terminal would act on
//! is shown by its code, unless the template says `safe`. The filter `csv` writes a cell.

use crate::text::escape;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};
use serde::Serialize;
use std::fmt;
use std::io;

/// Longest template.
pub const TEMPLATE_BYTES: usize = 4 << 20;
/// How many steps a template may take; a report of 100,000 findings needs some millions.
const FUEL: u64 = 50_000_000;

/// A template that was read.
pub struct Template {
    name: String,
    environment: Environment<'static>,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template `{name}`{}: {reason}", .line.map_or_else(String::new, |line| format!(", line {line}")))]
pub struct TemplateError {
    name: String,
    line: Option<usize>,
    reason: String,
}

impl Template {
    /// Reads a template. Its name is shown in errors, and its ending decides what is escaped.
    ///
    /// # Errors
    /// Where it is too long or is no template.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES {
            return Err(TemplateError {
                name: name.to_owned(),
                line: None,
                reason: format!("it has more than {TEMPLATE_BYTES} bytes"),
            });
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        // A tag takes the line break behind it, so that one alone in a line leaves none.
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
        environment.set_syntax(syntax.build().map_err(|error| told(name, &error))?);
        environment.set_formatter(write_value);
        environment.add_filter("csv", csv);
        environment
            .add_template_owned(name.to_owned(), text.to_owned())
            .map_err(|error| told(name, &error))?;
        Ok(Self { name: name.to_owned(), environment })
    }

    /// Renders a value.
    pub(crate) fn render(&self, value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
        let failed =
            |error: &Error| io::Error::new(io::ErrorKind::InvalidInput, told(&self.name, error));
        let template = self.environment.get_template(&self.name).map_err(|error| failed(&error))?;
        let mut kept = Keeping { out, error: None };
        let rendered = template.render_captured_to(Value::from(Serde(value)), &mut kept);
        match (kept.error, rendered) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(failed(&error)),
            (None, Ok(_)) => Ok(()),
        }
    }
}

/// What the engine says, in one line.
fn told(name: &str, error: &Error) -> TemplateError {
    let mut reason = match error.kind() {
        ErrorKind::OutOfFuel => "it takes too many steps; does a loop never end?".to_owned(),
        ErrorKind::UndefinedError => {
            "something is printed or asked that is not there; ask `{% if … %}` first, or look at \
             the JSON form for its name"
                .to_owned()
        }
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    let of_text = error.range().and_then(|range| error.template_source()?.get(range));
    if let Some(text) = of_text.and_then(|text| text.lines().next()).filter(|text| !text.is_empty())
    {
        let text: String = text.chars().take(80).collect();
        reason.push_str(&format!(" (at `{text}`)"));
    }
    TemplateError { name: name.to_owned(), line: error.line(), reason }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "template:{}", self.name)
    }
}

/// Keeps the error of what is written to: the engine's own does not say its kind.
struct Keeping<'out> {
    out: &'out mut dyn io::Write,
    error: Option<io::Error>,
}

impl io::Write for Keeping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.error = Some(io::Error::new(error.kind(), error.to_string()));
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes what stands in `{{ … }}`. Line breaks of an image's text too are shown by their code, so that
/// no text can pretend to be a line of its own; `| safe` writes as it is.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let plain = matches!(state.auto_escape(), AutoEscape::None) && !value.is_safe();
    match value.as_str().filter(|_| plain) {
        Some(text) => out.write_str(&escape(text)).map_err(Error::from),
        None => minijinja::escape_formatter(out, state, value),
    }
}

/// A cell of RFC 4180: in quotes where it must be. What a spreadsheet would take for a formula gets an
/// apostrophe before it. Source: OWASP, "CSV Injection".
fn csv(value: &Value) -> Result<String, Error> {
    let text = match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::Seq => {
            let parts: Vec<String> = value.try_iter()?.map(|one| one.to_string()).collect();
            parts.join(" ")
        }
        _ => value.to_string(),
    };
    let is_number = matches!(value.kind(), ValueKind::Number);
    let formula = !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text };
    Ok(if text.contains(['"', ',', '\n', '\r', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(name: &str, text: &str) -> Result<String, String> {
        let template = Template::parse(name, text).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        let value = json!({
            "findings": [
                {"id": "CVE-2099-1", "title": "<b>\u{1b}[31m \"x\", y", "fix": {"version": "2"}},
                {"id": "CVE-2099-2", "title": "=1+1"},
            ],
            "count": -2,
        });
        template.render(&value, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_variables_are_those_of_the_json_form() {
        let text = "{% for one in findings %}{{ one.id }}{% if one.fix %} → {{ one.fix.version }}{% endif %}\n\n{% endfor %}{{ findings | length }}\n";
        assert_eq!(rendered("a.txt", text).unwrap(), "CVE-2099-1 → 2\nCVE-2099-2\n2\n");
    }

    #[test]
    fn untrusted_text_is_escaped_as_the_ending_says() {
        let text = "{{ findings[0].title }}";
        assert_eq!(rendered("a.txt", text).unwrap(), "<b>\\x1b[31m \"x\", y");
        assert_eq!(rendered("a.html.j2", text).unwrap(), "&lt;b&gt;\u{1b}[31m &quot;x&quot;, y");
        assert_eq!(rendered("a.json", text).unwrap(), r#""<b>\u001b[31m \"x\", y""#);
        assert_eq!(rendered("a.txt", "{{ \"a\\nb\" }}").unwrap(), "a\\nb");
        assert_eq!(rendered("a.txt", "{{ \"a\\nb\" | safe }}").unwrap(), "a\nb");
    }

    #[test]
    fn cells_of_csv_are_quoted_and_no_formulas() {
        let text = "{% for one in findings %}{{ one.title | csv }},{% endfor %}{{ count | csv }},{{ findings[1].fix | csv }}|";
        assert_eq!(rendered("a.csv", text).unwrap(), "\"<b>\\x1b[31m \"\"x\"\", y\",'=1+1,-2,|");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        insta::assert_snapshot!(
            [
                "a\n{% for x in findings %}",
                "a\n{{ finding.id }}",
                "{% for one in findings %}\n{{ one.fix }}{% endfor %}",
                "{{ findings | nothing }}",
                "{% include 'other' %}",
                "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{{ 'x' * 999999999 }}",
            ]
            .map(|text| rendered("my.j2", text).unwrap_err())
            .join("\n")
        );
        assert!(Template::parse("a", &"x".repeat(TEMPLATE_BYTES + 1)).is_err());
    }

    #[test]
    fn a_reader_that_has_gone_is_told_as_such() {
        struct Gone;
        impl io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let template = Template::parse("a", "x").unwrap();
        let error = template.render(&json!({}), &mut Gone).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
