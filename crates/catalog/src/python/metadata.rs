//! The header of `METADATA` and `PKG-INFO`: name, version and licences.
//!
//! The files are shaped like a mail: fields, an empty line, a description. Only the fields are read.
//! Of licences, `License-Expression` counts before `License`, and that before the classifiers, which
//! is the order in which the core metadata specification deprecates them.

use crate::language::{LICENCE_LIMIT, plain_text};
use image::ReadError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How many lines the header may have; `Requires-Dist` and classifiers make a few hundred.
const LINE_LIMIT: usize = 20_000;
/// A `License` field longer than this is a licence's text rather than its name.
const LICENCE_NAME_LIMIT: usize = 120;

/// What is kept of a header.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metadata<'text> {
    /// As written; normalised when shown.
    #[serde(borrow)]
    pub(super) name: Cow<'text, str>,
    #[serde(borrow)]
    pub(super) version: Cow<'text, str>,
    pub(super) licences: Vec<String>,
}

/// Reads a header.
pub(super) fn parse(bytes: &[u8]) -> Result<Metadata<'_>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut name, mut version) = (None, None);
    let (mut expression, mut licence, mut classified) = (None, None, Vec::new());
    let mut start = 0;
    let mut lines = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = bytes.get(start..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        start = end.saturating_add(1);
        lines += 1;
        if line.is_empty() || lines > LINE_LIMIT {
            break;
        }
        if let Some(value) = field(line, b"name:") {
            name = name.or(Some(value));
        } else if let Some(value) = field(line, b"version:") {
            version = version.or(Some(value));
        } else if let Some(value) = field(line, b"license-expression:") {
            expression = licence_name(&value);
        } else if let Some(value) = field(line, b"license:") {
            licence = licence_name(&value);
        } else if let Some(value) = field(line, b"classifier:") {
            classified.extend(classifier_licence(&value));
        }
    }
    let name = name.and_then(clean).ok_or_else(|| missing("Name"))?;
    if !is_name(&name) {
        return Err(ReadError::new("its `Name` is not the name of a Python package"));
    }
    let version = version.and_then(clean).ok_or_else(|| missing("Version"))?;
    classified.truncate(LICENCE_LIMIT);
    let licences = expression.or(licence).map_or(classified, |one| vec![one]);
    Ok(Metadata { name, version, licences })
}

fn missing(what: &str) -> ReadError {
    ReadError::new(format!("its header has no readable `{what}`; the installation is damaged"))
}

/// The value of a field, whose name is compared without regard to case.
fn field<'line>(line: &'line [u8], name: &[u8]) -> Option<Cow<'line, str>> {
    let (head, value) = line.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then(|| String::from_utf8_lossy(value))
}

fn clean(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => plain_text(text).map(Cow::Borrowed),
        Cow::Owned(text) => plain_text(&text).map(|text| Cow::Owned(text.to_owned())),
    }
}

fn licence_name(value: &str) -> Option<String> {
    let value = plain_text(value).filter(|value| value.len() <= LICENCE_NAME_LIMIT)?;
    (!value.eq_ignore_ascii_case("unknown")).then(|| value.to_owned())
}

/// The last part of `License :: OSI Approved :: MIT License`.
fn classifier_licence(value: &str) -> Option<String> {
    let rest = value.trim().strip_prefix("License ::")?;
    let last = rest.rsplit("::").next().and_then(plain_text)?;
    (last != "OSI Approved").then(|| last.to_owned())
}

/// Whether a text is a name as the core metadata specification defines it.
fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    bytes.iter().all(inner)
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// A name as PEP 503 compares it: lower-case, runs of `-`, `_` and `.` as one `-`.
pub(super) fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if !matches!(letter, '-' | '_' | '.') {
            normal.push(letter.to_ascii_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}
