//! Python versions (PEP 440): `[epoch!]release[pre][post][dev][+local]`.
//!
//! In goes a text in any spelling that PEP 440 normalises, out come its parts, as slices of the text,
//! and their order. What does not parse but begins with a digit is a legacy version, see
//! [`crate::pep440::legacy`]: the public advisories have over a hundred.
//!
//! Source: PEP 440 (now "Version specifiers" of the PyPA specifications) with its appendix B;
//! `packaging/version.py`.

mod legacy;

use crate::digits;
use crate::dotted::{compare_ignoring_case, compare_numbers};
use crate::order::Version;
use std::cmp::Ordering;

/// A Python version.
pub(crate) enum Pep440<'text> {
    /// One that PEP 440 defines.
    Defined(Defined<'text>),
    /// One from before it.
    Legacy(&'text str),
}

/// The parts of a version; digits may be empty, which is 0.
pub(crate) struct Defined<'text> {
    epoch: &'text [u8],
    release: &'text [u8],
    pre: Option<(u8, &'text [u8])>,
    post: Option<&'text [u8]>,
    dev: Option<&'text [u8]>,
    local: Option<&'text [u8]>,
}

/// A spelling and its rank among those of the same part.
type Word = (&'static [u8], u8);

/// Longer spellings before those that they begin with.
const PRE: [Word; 8] = [
    (b"alpha", 0),
    (b"a", 0),
    (b"beta", 1),
    (b"b", 1),
    (b"preview", 2),
    (b"pre", 2),
    (b"c", 2),
    (b"rc", 2),
];
const POST: [Word; 3] = [(b"post", 0), (b"rev", 0), (b"r", 0)];
const DEV: [Word; 1] = [(b"dev", 0)];

impl<'text> Version<'text> for Pep440<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.trim();
        match Defined::read(text.as_bytes()) {
            Ok(version) => Ok(Self::Defined(version)),
            Err(_) if text.starts_with(|first: char| first.is_ascii_digit()) => {
                Ok(Self::Legacy(text))
            }
            Err(reason) => Err(reason),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Defined(left), Self::Defined(right)) => left.order(right),
            (Self::Legacy(left), Self::Legacy(right)) => legacy::compare(left, right),
            (Self::Legacy(_), Self::Defined(_)) => Ordering::Less,
            (Self::Defined(_), Self::Legacy(_)) => Ordering::Greater,
        }
    }
}

impl<'text> Defined<'text> {
    fn read(text: &'text [u8]) -> Result<Self, &'static str> {
        let text = text.strip_prefix(b"v").or_else(|| text.strip_prefix(b"V")).unwrap_or(text);
        let (epoch, rest) = match digits::split(text) {
            ([], _) => return Err("it does not begin with a number"),
            (epoch, [b'!', rest @ ..]) => (epoch, rest),
            _ => (&b""[..], text),
        };
        let (release, rest) = split_release(rest);
        if release.is_empty() {
            return Err("no number follows the epoch");
        }
        let (pre, rest) = split_part(rest, &PRE);
        let (post, rest) = match rest {
            [b'-', number @ ..] if number.first().is_some_and(u8::is_ascii_digit) => {
                let (number, rest) = digits::split(number);
                (Some((0, number)), rest)
            }
            _ => split_part(rest, &POST),
        };
        let (dev, rest) = split_part(rest, &DEV);
        let local = match rest {
            [] => None,
            [b'+', local @ ..] if is_local(local) => Some(local),
            _ => return Err("what follows the release is not of PEP 440"),
        };
        let number = |part: Option<(u8, &'text [u8])>| part.map(|(_, number)| number);
        Ok(Self { epoch, release, pre, post: number(post), dev: number(dev), local })
    }

    fn order(&self, other: &Self) -> Ordering {
        digits::compare(self.epoch, other.epoch)
            .then_with(|| compare_numbers(self.release, other.release))
            .then_with(|| {
                let (left, right) = (self.pre_rank(), other.pre_rank());
                left.0.cmp(&right.0).then_with(|| digits::compare(left.1, right.1))
            })
            .then_with(|| compare_parts(self.post, other.post, Ordering::Less))
            .then_with(|| compare_parts(self.dev, other.dev, Ordering::Greater))
            .then_with(|| match (self.local, other.local) {
                (Some(left), Some(right)) => compare_local(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            })
    }

    /// A development release of the release itself comes before its pre-releases, those before the
    /// release.
    const fn pre_rank(&self) -> (u8, &[u8]) {
        match (self.pre, self.post, self.dev) {
            (None, None, Some(_)) => (0, &[]),
            (Some((rank, number)), ..) => (rank + 1, number),
            _ => (u8::MAX, &[]),
        }
    }
}

/// The order of two optional numbers; `none` is how a missing one stands to one that is there.
fn compare_parts(left: Option<&[u8]>, right: Option<&[u8]>, none: Ordering) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => digits::compare(left, right),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => none,
        (Some(_), None) => none.reverse(),
    }
}

/// Splits `1.2.3` off.
fn split_release(text: &[u8]) -> (&[u8], &[u8]) {
    let mut length = digits::split(text).0.len();
    while let Some([b'.', after @ ..]) = text.get(length..) {
        let number = digits::split(after).0;
        if number.is_empty() || length == 0 {
            break;
        }
        length += 1 + number.len();
    }
    text.split_at_checked(length).unwrap_or((text, &[]))
}

/// Splits `[separator]word[separator][number]` off: rank of the word, and number.
fn split_part<'text>(
    text: &'text [u8],
    words: &[Word],
) -> (Option<(u8, &'text [u8])>, &'text [u8]) {
    let bare = without_separator(text);
    for (word, rank) in words {
        let begin = bare.get(..word.len());
        if begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word)) {
            let behind = bare.get(word.len()..).unwrap_or_default();
            let (number, rest) = digits::split(without_separator(behind));
            return (Some((*rank, number)), rest);
        }
    }
    (None, text)
}

fn without_separator(text: &[u8]) -> &[u8] {
    match text {
        [first, rest @ ..] if is_separator(first) => rest,
        _ => text,
    }
}

fn is_separator(byte: &u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

fn is_local(text: &[u8]) -> bool {
    text.split(is_separator)
        .all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric))
}

/// Numbers by value and after texts; of two that begin alike the longer is newer.
fn compare_local(left: &[u8], right: &[u8]) -> Ordering {
    let is_number = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let (mut left, mut right) = (left.split(is_separator), right.split(is_separator));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(l), Some(r)) => match (is_number(l), is_number(r)) {
                (true, true) => digits::compare(l, r),
                (false, false) => compare_ignoring_case(l, r),
                (left_is_number, right_is_number) => left_is_number.cmp(&right_is_number),
            },
            (l, r) => l.is_some().cmp(&r.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}
