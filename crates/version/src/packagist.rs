//! Packagist versions, as Composer normalises them and PHP's `version_compare` orders them.
//!
//! In goes a text, out come its numbers and what follows them: `dev` before `alpha`, `beta`, `RC`,
//! the release, and `patch`. Missing numbers are 0; build metadata does not count. A branch of numbers,
//! `1.2.x-dev`, stands behind all that it can release; others, such as `dev-main`, have no order.
//!
//! Source: composer/semver, `VersionParser::normalize` and `normalizeBranch`; PHP manual, `version_compare`.

use crate::digits;
use crate::order::Version;
use std::cmp::Ordering;

/// How many numbers a normalised version has.
const NUMBERS: usize = 4;
/// What Composer puts for each number that a branch leaves open.
const OPEN: &[u8] = b"9999999";

/// A Packagist version.
pub(crate) struct Packagist<'text> {
    numbers: &'text [u8],
    suffix: &'text [u8],
    is_branch: bool,
}

impl<'text> Version<'text> for Packagist<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text).as_bytes();
        if !text.first().is_some_and(u8::is_ascii_digit) {
            return Err("it does not begin with a number");
        }
        let (text, _build) = digits::split_while(text, |byte| byte != b'+');
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let (numbers, suffix) = digits::split_while(text, is_number);
        let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || is_divider(byte);
        if !suffix.iter().all(is_known) {
            return Err("letters and digits divided by `.`, `-` or `_` are expected");
        }
        let is_branch = numbers.ends_with(b".") && is_open(suffix);
        let suffix = if is_branch { b"dev" } else { suffix };
        Ok(Self { numbers: numbers.strip_suffix(b".").unwrap_or(numbers), suffix, is_branch })
    }

    fn order(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (Parts(self.suffix), Parts(other.suffix));
        let mut order = self.compare_numbers(other);
        while order.is_eq() {
            order = match (left.next(), right.next()) {
                (None, None) => break,
                (l, r) => compare(l.unwrap_or_default(), r.unwrap_or_default()),
            };
        }
        order
    }
}

impl<'text> Packagist<'text> {
    fn compare_numbers(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.parts_of_number(), other.parts_of_number());
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (l, r) => digits::compare(l.unwrap_or_default(), r.unwrap_or_default()),
            };
            if order.is_ne() {
                return order;
            }
        }
    }

    fn parts_of_number(&self) -> impl Iterator<Item = &'text [u8]> {
        let written = self.numbers.split(|byte| *byte == b'.');
        let open = if self.is_branch { NUMBERS.saturating_sub(written.clone().count()) } else { 0 };
        written.chain(std::iter::repeat_n(OPEN, open))
    }
}

/// `x-dev`, `x.x-dev`: what follows the numbers of a branch.
fn is_open(suffix: &[u8]) -> bool {
    let Some((rest, word)) = suffix.split_last_chunk::<3>() else { return false };
    let rest = rest.strip_suffix(b"-").or_else(|| rest.strip_suffix(b".")).unwrap_or(rest);
    word.eq_ignore_ascii_case(b"dev")
        && rest.split(|byte| *byte == b'.').all(|part| matches!(part, [b'x' | b'X']))
}

/// The order of two parts; an empty one is the end of a version.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    rank(left).cmp(&rank(right)).then_with(|| match left {
        [b'0'..=b'9', ..] => digits::compare(left, right),
        _ => Ordering::Equal,
    })
}

/// `version_compare` goes by how a word begins; words that it does not know come first.
fn rank(part: &[u8]) -> u8 {
    let begins =
        |word: &[u8]| part.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    match part {
        [] => 5,
        [b'0'..=b'9', ..] => 6,
        _ if part.eq_ignore_ascii_case(b"stable") => 5,
        [b'p' | b'P', ..] => 7,
        [b'b' | b'B', ..] => 3,
        [b'a' | b'A', ..] => 2,
        _ if begins(b"rc") => 4,
        _ if begins(b"dev") => 1,
        _ => 0,
    }
}

fn is_divider(byte: &u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

/// Runs of letters and of digits.
struct Parts<'text>(&'text [u8]);

impl<'text> Iterator for Parts<'text> {
    type Item = &'text [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let text = digits::split_while(self.0, |byte| is_divider(&byte)).1;
        let is_number = text.first()?.is_ascii_digit();
        let (part, rest) = digits::split_while(text, |byte| {
            byte.is_ascii_digit() == is_number && !is_divider(&byte)
        });
        self.0 = rest;
        Some(part)
    }
}
