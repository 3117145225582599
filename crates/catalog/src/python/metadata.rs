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

impl Metadata<'_> {
    pub(super) fn into_owned(self) -> Metadata<'static> {
        Metadata {
            name: Cow::Owned(self.name.into_owned()),
            version: Cow::Owned(self.version.into_owned()),
            licences: self.licences,
        }
    }
}

/// How a file of this form begins, wherever it lies.
pub(super) fn is_metadata(head: &[u8]) -> bool {
    const FIRST: &[u8] = b"metadata-version:";
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.get(..FIRST.len()).is_some_and(|start| start.eq_ignore_ascii_case(FIRST))
}

/// The fields that are read.
const FIELDS: [&[u8]; 5] = [b"name", b"version", b"license-expression", b"license", b"classifier"];

/// Reads a header.
pub(super) fn parse(bytes: &[u8]) -> Result<Metadata<'_>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut name, mut version) = (None, None);
    let (mut expression, mut licence, mut classified) = (None, None, Vec::new());
    for (field, value) in header(bytes) {
        match field {
            b"name" => name = name.or(Some(value)),
            b"version" => version = version.or(Some(value)),
            b"license-expression" => expression = licence_name(&value),
            b"license" => licence = licence_name(&value),
            _ => classified.extend(classifier_licence(&value)),
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

/// The fields that are read, up to the first empty line. As in a mail, the case of a field's name does
/// not count, either sign ends a line or both do, and a line that begins with a blank goes on with the
/// field before it (RFC 822, 3.1.1; Python, `email.parser`).
fn header(bytes: &[u8]) -> Vec<(&'static [u8], Cow<'_, str>)> {
    let mut fields: Vec<(&'static [u8], Cow<'_, str>)> = Vec::new();
    let (mut rest, mut goes_on) = (bytes, false);
    for _ in 0..LINE_LIMIT {
        let at = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, end) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        if line.is_empty() {
            break;
        }
        rest = end.strip_prefix(b"\r\n").or_else(|| end.get(1..)).unwrap_or_default();
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some((_, value)) = fields.last_mut().filter(|_| goes_on) {
                let value = value.to_mut();
                value.push(' ');
                value.push_str(String::from_utf8_lossy(line).trim());
            }
            continue;
        }
        let named = memchr::memchr(b':', line).and_then(|at| {
            let (name, value) = line.split_at_checked(at)?;
            let known = FIELDS.into_iter().find(|known| name.eq_ignore_ascii_case(known))?;
            Some((known, String::from_utf8_lossy(value.get(1..)?)))
        });
        goes_on = named.is_some();
        fields.extend(named);
    }
    fields
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

/// Name and version as the name of a folder or file writes them: `NAME-VERSION`, then whatever stands
/// behind a further hyphen.
pub(super) fn from_name(stem: &str) -> Option<Metadata<'static>> {
    let (name, rest) = stem.split_once('-')?;
    let version = plain_text(rest.split('-').next()?)?;
    let fits = is_name(name) && version.starts_with(|letter: char| letter.is_ascii_digit());
    fits.then(|| Metadata {
        name: Cow::Owned(name.to_owned()),
        version: Cow::Owned(version.to_owned()),
        licences: Vec::new(),
    })
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
