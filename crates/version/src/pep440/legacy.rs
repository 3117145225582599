//! Python versions from before PEP 440, such as `0.4m1`.
//!
//! In go two texts, out comes their order by setuptools' old rule, as `packaging` kept it until
//! release 22 (`LegacyVersion`): they come before every version of PEP 440, so that an advisory's
//! bound decides about them as pip would have. Rare, so it may allocate.
//!
//! Source: `packaging` 21, `version.py`, `_legacy_cmpkey`.

use crate::digits;
use std::cmp::Ordering;

/// A part of a legacy version. Texts come before numbers.
#[derive(PartialEq, Eq)]
enum Part<'text> {
    Text(&'text [u8]),
    Number(&'text [u8]),
}

/// The end; also what a hyphen is, which comes right after it.
const FINAL: &[u8] = b"final";
const HYPHEN: &[u8] = b"final-";

/// The order of two legacy versions.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    let (left, right) = (parts(left.as_bytes()), parts(right.as_bytes()));
    left.iter()
        .zip(&right)
        .map(|pair| match pair {
            (Part::Number(l), Part::Number(r)) => digits::compare(l, r),
            (Part::Text(l), Part::Text(r)) => l.cmp(r),
            (Part::Text(_), Part::Number(_)) => Ordering::Less,
            (Part::Number(_), Part::Text(_)) => Ordering::Greater,
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn parts(mut text: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::with_capacity(16);
    while let Some(first) = text.first() {
        let (part, rest) = match first {
            b'.' | b'-' => text.split_at_checked(1).unwrap_or((text, &[])),
            b'0'..=b'9' => digits::split(text),
            b'a'..=b'z' => digits::split_while(text, |byte| byte.is_ascii_lowercase()),
            _ => digits::split_while(text, |byte| {
                !byte.is_ascii_lowercase() && !byte.is_ascii_digit() && !matches!(byte, b'.' | b'-')
            }),
        };
        text = rest;
        match part {
            b"." => {}
            b"-" => push_text(&mut parts, HYPHEN),
            b"pre" | b"preview" | b"rc" => push_text(&mut parts, b"c"),
            b"dev" => push_text(&mut parts, b"@"),
            _ if first.is_ascii_digit() => parts.push(Part::Number(digits::significant(part))),
            _ => push_text(&mut parts, part),
        }
    }
    push_text(&mut parts, FINAL);
    parts
}

/// Adds a text; zeros before it do not count, nor hyphens before a pre-release.
fn push_text<'text>(parts: &mut Vec<Part<'text>>, text: &'text [u8]) {
    while text < FINAL && parts.last() == Some(&Part::Text(HYPHEN)) {
        parts.pop();
    }
    while parts.last() == Some(&Part::Number(&[])) {
        parts.pop();
    }
    parts.push(Part::Text(text));
}
