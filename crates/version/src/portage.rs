//! Gentoo versions: `digits{.digits}[letter]{_suffix[digits]}[-rN]`.
//!
//! In goes a text, out come its parts, ordered as the Package Manager Specification says. Unlike other
//! schemes it is strict: a package's version is a part of a folder's name, which portage itself divides
//! by this very grammar. Numbers have any length.
//!
//! Source: Gentoo, Package Manager Specification 8, "Version Specifications" and "Version Comparison".

use crate::digits;
use crate::order::Version;
use std::cmp::Ordering;

/// A Gentoo version.
pub(crate) struct Portage<'text> {
    /// `1.2.03`
    numbers: &'text [u8],
    letter: Option<u8>,
    /// `_rc1_p2`
    suffixes: &'text [u8],
    revision: &'text [u8],
}

/// Suffixes in their order; the plain version comes before `p` and after the others.
const SUFFIXES: [&[u8]; 5] = [b"alpha", b"beta", b"pre", b"rc", b"p"];
/// Place of `p` among [`SUFFIXES`].
const PATCH: usize = 4;

impl<'text> Version<'text> for Portage<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.as_bytes();
        if text.is_empty() {
            return Err("it is empty");
        }
        let end = length_of_numbers(text).ok_or("numbers divided by dots are expected")?;
        let (numbers, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
        let (letter, rest) = match rest {
            [letter @ b'a'..=b'z', rest @ ..] => (Some(*letter), rest),
            _ => (None, rest),
        };
        let (suffixes, revision) = match rest.iter().position(|byte| *byte == b'-') {
            Some(at) => rest.split_at_checked(at).unwrap_or((rest, &[])),
            None => (rest, &b""[..]),
        };
        let mut left = suffixes;
        while !left.is_empty() {
            (_, left) = suffix(left)
                .ok_or("only `_alpha`, `_beta`, `_pre`, `_rc` and `_p` may follow the numbers")?;
        }
        let revision = match revision {
            [] => revision,
            [b'-', b'r', number @ ..]
                if !number.is_empty() && number.iter().all(u8::is_ascii_digit) =>
            {
                number
            }
            _ => return Err("only a revision such as `-r1` may follow a hyphen"),
        };
        Ok(Self { numbers, letter, suffixes, revision })
    }

    fn order(&self, other: &Self) -> Ordering {
        compare_numbers(self.numbers, other.numbers)
            .then_with(|| self.letter.cmp(&other.letter))
            .then_with(|| compare_suffixes(self.suffixes, other.suffixes))
            .then_with(|| digits::compare(self.revision, other.revision))
    }
}

fn length_of_numbers(text: &[u8]) -> Option<usize> {
    let (first, mut rest) = digits::split(text);
    let mut length = first.len();
    while let [b'.', after @ ..] = rest {
        let (number, behind) = digits::split(after);
        if number.is_empty() {
            return None;
        }
        length += 1 + number.len();
        rest = behind;
    }
    (!first.is_empty()).then_some(length)
}

/// The first number counts as one; a later one with a leading zero is a decimal fraction, and compared
/// as text without the zeros at its end.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) =
        (left.split(|byte| *byte == b'.'), right.split(|byte| *byte == b'.'));
    let mut first = true;
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(l), Some(r)) if !first && (l.starts_with(b"0") || r.starts_with(b"0")) => {
                without_zeros(l).cmp(without_zeros(r))
            }
            (Some(l), Some(r)) => digits::compare(l, r),
            (l, r) => return l.is_some().cmp(&r.is_some()),
        };
        if order.is_ne() {
            return order;
        }
        first = false;
    }
}

fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let [rest @ .., b'0'] = number {
        number = rest;
    }
    number
}

struct Suffix<'text> {
    /// Place in [`SUFFIXES`].
    place: usize,
    number: &'text [u8],
}

/// The first suffix, and what follows.
fn suffix(text: &[u8]) -> Option<(Suffix<'_>, &[u8])> {
    let [b'_', rest @ ..] = text else { return None };
    let (name, rest) = digits::split_while(rest, |byte| byte.is_ascii_lowercase());
    let place = SUFFIXES.iter().position(|known| *known == name)?;
    let (number, rest) = digits::split(rest);
    Some((Suffix { place, number }, rest))
}

fn compare_suffixes(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        match (suffix(left), suffix(right)) {
            (None, None) => return Ordering::Equal,
            (Some((suffix, _)), None) => return of_plain(suffix.place).reverse(),
            (None, Some((suffix, _))) => return of_plain(suffix.place),
            (Some((l, after_left)), Some((r, after_right))) => {
                let order = l.place.cmp(&r.place).then_with(|| digits::compare(l.number, r.number));
                if order.is_ne() {
                    return order;
                }
                (left, right) = (after_left, after_right);
            }
        }
    }
}

/// The order of the plain version and one with this suffix.
const fn of_plain(place: usize) -> Ordering {
    if place == PATCH { Ordering::Less } else { Ordering::Greater }
}
