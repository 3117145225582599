//! TOML 1.1: as nodes, or straight into a type whose errors are told by place.

use crate::comment;
use crate::error::{DocumentError, Wrong};
use crate::node::{Bounds, Builder, Document, Node, Value};
use crate::place::{Place, Span};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// A date as TOML writes it.
pub use toml::value::Datetime;

/// Reads a text. Tables come in the order of their keys.
///
/// # Errors
/// Where it is no TOML, or is over a bound.
pub fn parse(text: &str, bounds: &Bounds) -> Result<Document, DocumentError> {
    if text.len() > bounds.bytes {
        return Err(DocumentError { place: Place::START, wrong: Wrong::Large });
    }
    let table = DeTable::parse(text).map_err(|error| of_library(text, &error))?;
    let mut builder = Builder::new(*bounds);
    let root = Span { start: 0, end: text.len() };
    let value = DeValue::Table(table.into_inner());
    // The library itself ends at 80 levels: what is left here calls itself no more often.
    let lines = Lines::of(text);
    put(&mut builder, &lines, root, &value)
        .map_err(|(at, wrong)| DocumentError { place: Place::of(text, at), wrong })?;
    let empty = Node { line: 1, span: root, value: Value::Map(Vec::new()) };
    let comments = comment::all(text, builder.scalars, false);
    Ok(Document { root: builder.done.unwrap_or(empty), comments })
}

fn put(
    builder: &mut Builder,
    lines: &Lines,
    span: Span,
    value: &DeValue<'_>,
) -> Result<(), (usize, Wrong)> {
    let here = |wrong| (span.start, wrong);
    let line = lines.at(span.start);
    let (text, quoted) = match value {
        DeValue::Array(list) => {
            builder.list(span, line).map_err(here)?;
            for one in list.iter() {
                put(builder, lines, span_of(&one.span()), one.get_ref())?;
            }
            return builder.close(span.end).map_err(|(_, wrong)| here(wrong));
        }
        DeValue::Table(table) => {
            builder.map(span, line).map_err(here)?;
            for (key, one) in table.iter() {
                let at = span_of(&key.span());
                let name = Value::Scalar(key.get_ref().clone().into_owned(), true);
                builder.scalar(at, lines.at(at.start), name).map_err(|wrong| (at.start, wrong))?;
                put(builder, lines, span_of(&one.span()), one.get_ref())?;
            }
            return builder.close(span.end).map_err(|(_, wrong)| here(wrong));
        }
        DeValue::String(text) => (text.clone().into_owned(), true),
        DeValue::Integer(number) => (number.to_string(), false),
        DeValue::Float(number) => (number.to_string(), false),
        DeValue::Boolean(mark) => (mark.to_string(), false),
        DeValue::Datetime(date) => (date.to_string(), false),
    };
    builder.scalar(span, line, Value::Scalar(text, quoted)).map_err(here)
}

fn span_of(range: &std::ops::Range<usize>) -> Span {
    Span { start: range.start, end: range.end }
}

/// Where lines begin, so that each of many places is found fast.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|end| *end < byte) + 1
    }
}

/// Reads a text into a type.
///
/// # Errors
/// Where it is no TOML, or not of that type; the words are the library's and may quote the text.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    toml::from_str(text).map_err(|error| of_library(text, &error))
}

/// The keys of a text, sorted; none where it is no TOML.
#[must_use]
pub fn keys(text: &str) -> Option<Vec<String>> {
    let table = toml::from_str::<toml::Table>(text).ok()?;
    Some(table.keys().cloned().collect())
}

/// The first key, of all sorted, whose value alone a type refuses.
#[must_use]
pub fn refused<T: DeserializeOwned>(text: &str) -> Option<String> {
    let table = toml::from_str::<toml::Table>(text).ok()?;
    let is_refused = |(name, value): &(String, toml::Value)| {
        T::deserialize(toml::Table::from_iter([(name.clone(), value.clone())])).is_err()
    };
    table.into_iter().find(is_refused).map(|(name, _)| name)
}

/// What the library says of a text without what it quotes of it: the file may be a link to something
/// that is nobody's business. What it expected is a word of ours or of its own.
#[must_use]
pub fn reason(message: &str) -> String {
    // The names of fields that are missing are ours, too.
    if message.starts_with("missing field ") && !message.contains('\n') {
        return message.to_owned();
    }
    match message.rsplit_once("expected ") {
        Some((_, expected)) if !expected.is_empty() => {
            format!("here is not what was expected: {}", expected.replace('\n', " "))
        }
        _ => "it is not TOML of this form".to_owned(),
    }
}

fn of_library(text: &str, error: &toml::de::Error) -> DocumentError {
    let place = error.span().map_or(Place::START, |span| Place::of(text, span.start));
    DocumentError { place, wrong: Wrong::Form(error.message().to_owned()) }
}
