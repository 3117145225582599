//! YAML 1.2, as people write it for a program: anchors, aliases and tags are refused, keys are texts
//! and none stands twice.

use crate::comment;
use crate::error::{DocumentError, Wrong};
use crate::node::{Bounds, Builder, Document, Node, Value, at_line};
use crate::place::{Place, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Reads a text of one document.
///
/// # Errors
/// Where it is none, is over a bound, or holds what is refused.
pub fn parse(text: &str, bounds: &Bounds) -> Result<Document, DocumentError> {
    if text.len() > bounds.bytes {
        return Err(DocumentError { place: Place::START, wrong: Wrong::Large });
    }
    let bytes = Bytes::of(text);
    let mut builder = Builder::new(*bounds);
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            let place = Place { line: mark.line(), column: mark.col() + 1 };
            DocumentError { place, wrong: Wrong::Form(shown(error.info())) }
        })?;
        let line = span.start.line();
        let place = Span { start: bytes.at(span.start.index()), end: bytes.at(span.end.index()) };
        let place = match &event {
            Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => {
                Span { end: end_of(text, place), ..place }
            }
            _ => place,
        };
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
        }
        take(&mut builder, event, place, line).map_err(|(line, wrong)| at_line(line, wrong))?;
    }
    if documents > 1 {
        return Err(DocumentError { place: Place::START, wrong: Wrong::Several });
    }
    let empty = Node { line: 1, span: Span::default(), value: Value::Empty };
    let comments = comment::all(text, builder.scalars, true);
    Ok(Document { root: builder.done.unwrap_or(empty), comments })
}

fn take(
    builder: &mut Builder,
    event: Event<'_>,
    span: Span,
    line: usize,
) -> Result<(), (usize, Wrong)> {
    let here = |wrong| (line, wrong);
    let plain = |anchor: usize, has_tag: bool| match anchor > 0 || has_tag {
        true => Err((line, Wrong::AnchorOrTag)),
        false => Ok(()),
    };
    match event {
        Event::Alias(_) => Err(here(Wrong::Alias)),
        Event::Scalar(text, style, anchor, tag) => {
            plain(anchor, tag.is_some())?;
            let quoted = style != ScalarStyle::Plain;
            let empty = !quoted && matches!(&*text, "" | "~" | "null");
            let value = if empty { Value::Empty } else { Value::Scalar(text.into_owned(), quoted) };
            builder.scalar(span, line, value).map_err(here)
        }
        Event::SequenceStart(anchor, tag) => {
            plain(anchor, tag.is_some())?;
            builder.list(span, line).map_err(here)
        }
        Event::MappingStart(anchor, tag) => {
            plain(anchor, tag.is_some())?;
            builder.map(span, line).map_err(here)
        }
        Event::SequenceEnd | Event::MappingEnd => builder.close(span.end),
        Event::Nothing
        | Event::StreamStart
        | Event::StreamEnd
        | Event::DocumentStart(_)
        | Event::DocumentEnd => Ok(()),
    }
}

/// The parser's words, but for the one that quotes what it read.
fn shown(reason: &str) -> String {
    match reason.split_once('`') {
        Some((before, _)) => before.trim_end().trim_end_matches(':').to_owned(),
        None => reason.to_owned(),
    }
}

/// Where a value ends. The parser counts what follows a closing quote in its line, comments too.
fn end_of(text: &str, span: Span) -> usize {
    let written = span.of(text);
    let Some(quote) = written.bytes().next().filter(|first| b"'\"".contains(first)) else {
        return span.end;
    };
    let mut letters = written.bytes().enumerate().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        let is_escape = letter == b'\\' && quote == b'"';
        let is_doubled = letter == quote
            && quote == b'\''
            && letters.peek().is_some_and(|(_, next)| *next == quote);
        if is_escape || is_doubled {
            letters.next();
        } else if letter == quote {
            return span.start + at + 1;
        }
    }
    span.end
}

/// The byte at which each character begins: the parser counts those.
enum Bytes {
    /// They are the same.
    Same(usize),
    Each(Vec<usize>, usize),
}

impl Bytes {
    fn of(text: &str) -> Self {
        match text.is_ascii() {
            true => Self::Same(text.len()),
            false => Self::Each(text.char_indices().map(|(at, _)| at).collect(), text.len()),
        }
    }

    fn at(&self, character: usize) -> usize {
        match self {
            Self::Same(length) => character.min(*length),
            Self::Each(starts, length) => starts.get(character).copied().unwrap_or(*length),
        }
    }
}
