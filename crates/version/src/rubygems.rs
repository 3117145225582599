//! RubyGems versions.
//!
//! In goes a text, out come its segments of digits and of letters, ordered as `Gem::Version` orders
//! them: letters before numbers, and zeros at the end, or right before the first letters, do not
//! count. A hyphen is `.pre.`.
//!
//! Source: RubyGems, `lib/rubygems/version.rb`.

use crate::digits;
use crate::order::Version;
use std::cmp::Ordering;

/// A version of a gem, in the two stretches of text that hold its canonical segments.
pub(crate) struct RubyGems<'text> {
    /// Numbers before the first letters, without the zeros at their end.
    numbers: &'text [u8],
    /// From the first letters on, without the zeros at their end.
    rest: &'text [u8],
}

impl<'text> Version<'text> for RubyGems<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.trim().as_bytes();
        is_correct(text)?;
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let (numbers, rest) = digits::split_while(text, is_number);
        Ok(Self { numbers: without_zeros(numbers), rest: without_zeros(rest) })
    }

    fn order(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.segments(), other.segments());
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (l, r) => compare(l.unwrap_or(b"0"), r.unwrap_or(b"0")),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl<'text> RubyGems<'text> {
    fn segments(&self) -> impl Iterator<Item = &'text [u8]> {
        Segments(self.numbers).chain(Segments(self.rest))
    }
}

/// Holds a text against `Gem::Version::VERSION_PATTERN`; an empty one is version 0.
fn is_correct(text: &[u8]) -> Result<(), &'static str> {
    let is_wrong = |part: &[u8]| part.is_empty() || !part.iter().all(u8::is_ascii_alphanumeric);
    let end = text.iter().position(|byte| *byte == b'-').unwrap_or(text.len());
    let (release, pre_release) = text.split_at_checked(end).unwrap_or((text, &[]));
    if text.is_empty() {
        return Ok(());
    }
    let mut parts = release.split(|byte| *byte == b'.');
    if !parts.next().is_some_and(|first| !first.is_empty() && first.iter().all(u8::is_ascii_digit))
    {
        return Err("it does not begin with a number");
    }
    let wrong_pre_release = pre_release.split_first().is_some_and(|(_, parts)| {
        let is_empty = |part: &[u8]| part.is_empty();
        let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        parts.split(|byte| *byte == b'.').any(|part| is_empty(part) || !part.iter().all(is_known))
    });
    if parts.any(is_wrong) || wrong_pre_release {
        return Err("letters and digits divided by dots are expected");
    }
    Ok(())
}

/// Cuts segments that are zero from the end.
fn without_zeros(mut text: &[u8]) -> &[u8] {
    loop {
        while let [rest @ .., b'.'] = text {
            text = rest;
        }
        let mut before = text;
        while let [rest @ .., b'0'] = before {
            before = rest;
        }
        let is_zero = before.len() < text.len() && !before.last().is_some_and(u8::is_ascii_digit);
        if !is_zero {
            return text;
        }
        text = before;
    }
}

/// Numbers by value, letters by their bytes, letters before numbers.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let is_number = |segment: &[u8]| segment.first().is_some_and(u8::is_ascii_digit);
    match (is_number(left), is_number(right)) {
        (true, true) => digits::compare(left, right),
        (false, false) => left.cmp(right),
        (left_is_number, right_is_number) => left_is_number.cmp(&right_is_number),
    }
}

/// Runs of digits and of letters; a hyphen gives `pre`.
struct Segments<'text>(&'text [u8]);

impl<'text> Iterator for Segments<'text> {
    type Item = &'text [u8];

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (segment, rest) = match self.0 {
                [] => return None,
                [b'-', rest @ ..] => (&b"pre"[..], rest),
                [b'0'..=b'9', ..] => digits::split(self.0),
                [first, ..] if first.is_ascii_alphabetic() => {
                    digits::split_while(self.0, |byte| byte.is_ascii_alphabetic())
                }
                [_, rest @ ..] => (&b""[..], rest),
            };
            self.0 = rest;
            if !segment.is_empty() {
                return Some(segment);
            }
        }
    }
}
