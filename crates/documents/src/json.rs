//! JSON (RFC 8259); keys stand once in an object.

use crate::error::{DocumentError, Wrong};
use crate::node::{Bounds, Builder, Document, Value};
use crate::place::{Place, Span};

/// What is wrong where something else had to stand.
const FORM: &str = "it is not JSON";

/// Reads a text of one value.
///
/// # Errors
/// Where it is none, or is over a bound.
pub fn parse(text: &str, bounds: &Bounds) -> Result<Document, DocumentError> {
    if text.len() > bounds.bytes {
        return Err(DocumentError { place: Place::START, wrong: Wrong::Large });
    }
    let mut reader =
        Reader { text, at: 0, line: 1, builder: Builder::new(*bounds), open: Vec::new() };
    match reader.document() {
        Ok(()) => {}
        Err(wrong) => return Err(DocumentError { place: Place::of(text, reader.at), wrong }),
    }
    let form = || Wrong::Form(FORM.to_owned());
    let root = reader.builder.done;
    let root = root.ok_or_else(|| DocumentError { place: Place::START, wrong: form() })?;
    Ok(Document { root, comments: Vec::new() })
}

/// A collection that is not yet closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

struct Reader<'text> {
    text: &'text str,
    at: usize,
    line: usize,
    builder: Builder,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), Wrong> {
        self.value()?;
        while let Some(open) = self.open.last().copied() {
            match (self.next_letter(), open) {
                (Some(b','), Open::Array) => {
                    self.at += 1;
                    self.value()?;
                }
                (Some(b','), Open::Object) => {
                    self.at += 1;
                    self.entry()?;
                }
                (Some(b']'), Open::Array) | (Some(b'}'), Open::Object) => self.close()?,
                _ => return Err(Wrong::Form(FORM.to_owned())),
            }
        }
        match self.next_letter() {
            None => Ok(()),
            Some(_) => Err(Wrong::Form("something follows the value".to_owned())),
        }
    }

    /// A value, or the beginning of one that holds others: then it is open, and its first is read.
    fn value(&mut self) -> Result<(), Wrong> {
        loop {
            match self.next_letter() {
                Some(b'[') => {
                    self.builder.list(self.here(), self.line)?;
                    self.open.push(Open::Array);
                    self.at += 1;
                    if self.next_letter() == Some(b']') {
                        return self.close();
                    }
                }
                Some(b'{') => {
                    self.builder.map(self.here(), self.line)?;
                    self.open.push(Open::Object);
                    self.at += 1;
                    if self.next_letter() == Some(b'}') {
                        return self.close();
                    }
                    self.key()?;
                }
                _ => return self.scalar(),
            }
        }
    }

    fn entry(&mut self) -> Result<(), Wrong> {
        self.key()?;
        self.value()
    }

    fn key(&mut self) -> Result<(), Wrong> {
        if self.next_letter() != Some(b'"') {
            return Err(Wrong::Form("a key is a text in quotes".to_owned()));
        }
        self.scalar()?;
        match self.next_letter() {
            Some(b':') => {
                self.at += 1;
                Ok(())
            }
            _ => Err(Wrong::Form("behind a key stands `:`".to_owned())),
        }
    }

    fn scalar(&mut self) -> Result<(), Wrong> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let form = |_| Wrong::Form(FORM.to_owned());
        let (length, value) = if rest.starts_with('"') {
            let length = length_of_text(rest)
                .ok_or_else(|| Wrong::Form("a text is not ended by a quote".to_owned()))?;
            let written = rest.get(..length).unwrap_or_default();
            (length, Value::Scalar(serde_json::from_str::<String>(written).map_err(form)?, true))
        } else {
            let of_word = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
            let length = rest.find(|letter| !of_word(letter)).unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            match word {
                "null" => (length, Value::Empty),
                "true" | "false" => (length, Value::Scalar(word.to_owned(), false)),
                _ => {
                    serde_json::from_str::<serde_json::Number>(word).map_err(form)?;
                    (length, Value::Scalar(word.to_owned(), false))
                }
            }
        };
        let span = Span { start: self.at, end: self.at + length };
        self.builder.scalar(span, self.line, value)?;
        self.at = span.end;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        self.open.pop();
        self.builder.close(self.at).map_err(|(_, wrong)| wrong)
    }

    fn here(&self) -> Span {
        Span { start: self.at, end: self.at + 1 }
    }

    /// The next byte that is no blank.
    fn next_letter(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                other => return Some(*other),
            }
            self.at += 1;
        }
    }
}

/// How long a text is with both its quotes.
fn length_of_text(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
