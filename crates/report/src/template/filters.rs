//! What templates can say beyond Jinja's own words, and how values come out of them.
//!
//! `open` and `groupby` choose findings, `csv` writes a cell, `line` keeps to one line, `e`, `escape`
//! and `xml` escape. A text
//! that is printed has control characters, line breaks and direction overrides shown by code, in markup
//! all but breaks and tabs: it was somebody else's, and may end up on a terminal.

use crate::text::is_hostile;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Value, escape_formatter,
};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("open", open);
    environment.add_filter("groupby", group_by);
    environment.add_filter("csv", csv);
    environment.add_filter("line", line);
    for name in ["e", "escape", "xml"] {
        environment.add_filter(name, escape);
    }
    environment.set_formatter(print);
}

/// Prints a value, as the escaping of the template asks.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let Some(text) = value.as_str().filter(|_| !value.is_safe()) else {
        return escape_formatter(out, state, value);
    };
    match state.auto_escape() {
        AutoEscape::Html => out.write_str(&markup(text))?,
        // Breaks too, so that no text can pretend to be a line of its own.
        _ => out.write_str(&crate::text::one_line(&shown(text)))?,
    }
    Ok(())
}

/// Whether a character is shown by its code. XML 1.0 has no U+FFFE and U+FFFF.
fn is_unfit(character: char) -> bool {
    !matches!(character, '\n' | '\t')
        && (is_hostile(character) || matches!(character, '\u{fffe}' | '\u{ffff}'))
}

/// A text in which nothing acts on a terminal, but for line breaks and tabs.
fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unfit(character) {
            let _ = match u32::from(character) {
                code @ 0..=0xff => write!(shown, "\\x{code:02x}"),
                code => write!(shown, "\\u{{{code:x}}}"),
            };
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// A text for HTML and XML, inside and outside of attributes.
fn markup(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in shown(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// The text of a plain value; what is undefined or has parts is none.
fn plain<'value>(filter: &str, value: &'value Value) -> Result<Cow<'value, str>, Error> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().into()),
        ValueKind::Number | ValueKind::Bool => Ok(value.to_string().into()),
        ValueKind::None => Ok("".into()),
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "`{filter}` takes a text or a number, not a {kind}; `join` or `tojson` make one"
            ),
        )),
    }
}

/// `{{ value | csv }}`: one cell (RFC 4180). What a spreadsheet would take for a formula begins with `'`.
fn csv(value: &Value) -> Result<String, Error> {
    let text = plain("csv", value)?;
    let is_text = value.kind() == ValueKind::String;
    let is_formula = is_text && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r', ';']) {
        return Ok(format!("\"{guard}{}\"", text.replace('"', "\"\"")));
    }
    Ok(format!("{guard}{text}"))
}

/// `{{ value | line }}`: on one line, with breaks and tabs shown by their code too.
fn line(value: &Value) -> Result<String, Error> {
    Ok(crate::text::escape(&plain("line", value)?).into_owned())
}

/// `{{ value | e }}`: escaped for HTML and XML, whatever the template's name is.
fn escape(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    let text = plain("e", value)?;
    state.consume_fuel((text.len() / 64) as u64)?;
    let safe = markup(&text);
    Ok(match state.auto_escape() {
        AutoEscape::None => Value::from(safe),
        _ => Value::from_safe_string(safe),
    })
}

/// `{{ report | open }}`: the findings that policy did not silence.
fn open(state: &State<'_, '_>, report: &Value) -> Result<Vec<Value>, Error> {
    let findings = report.get_attr("findings")?;
    if findings.kind() != ValueKind::Seq {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "`open` takes a report that has findings",
        ));
    }
    let decision = report.get_attr("decision")?;
    // What policy did not silence has no `suppressed`.
    let suppressed =
        if decision.is_undefined() { decision } else { decision.get_attr("suppressed")? };
    let mut silenced = HashSet::new();
    if !suppressed.is_undefined() {
        for rule in suppressed.try_iter()? {
            state.consume_fuel(1)?;
            silenced.insert(rule.get_attr("fingerprint")?.to_string());
        }
    }
    let mut open = Vec::new();
    for finding in findings.try_iter()? {
        state.consume_fuel(1)?;
        if !silenced.contains(&finding.get_attr("fingerprint")?.to_string()) {
            open.push(finding);
        }
    }
    Ok(open)
}

/// `{{ list | groupby("severity") }}`: pairs of a value and those that have it, in the order in which
/// the values first come, which for findings is the worst first. What has none is left out unless
/// `default` gives it one.
#[expect(clippy::needless_pass_by_value, reason = "the engine passes named arguments by value")]
fn group_by(
    state: &State<'_, '_>,
    list: &Value,
    attribute: &str,
    options: Kwargs,
) -> Result<Vec<Value>, Error> {
    let default: Option<Value> = options.get("default")?;
    options.assert_all_used()?;
    let mut order: Vec<(Value, Vec<Value>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for item in list.try_iter()? {
        state.consume_fuel(2)?;
        let mut key = item.clone();
        for part in attribute.split('.') {
            key = if key.is_undefined() { key } else { key.get_attr(part)? };
        }
        let key = match &default {
            Some(default) if key.is_undefined() => default.clone(),
            _ => key,
        };
        if key.is_undefined() {
            continue;
        }
        let name = plain("groupby", &key)?.into_owned();
        let place = *places.entry(name).or_insert(order.len());
        match order.get_mut(place) {
            Some((_, items)) => items.push(item),
            None => order.push((key, vec![item])),
        }
    }
    Ok(order.into_iter().map(|(key, items)| Value::from(vec![key, Value::from(items)])).collect())
}
