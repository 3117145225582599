//! rpm versions: `[epoch:]version[-release]`.
//!
//! In goes a text, out come its three parts, ordered as rpm's `rpmVersionCompare` orders them: a
//! missing epoch is 0, a missing release comes before any release. Like rpm, every text but the empty
//! one is accepted; characters that are neither letters, digits, `~` nor `^` only divide.
//!
//! Source: rpm, `rpmio/rpmvercmp.cc` and `rpmio/rpmver.cc`; rpm-version(7).

use crate::digits;
use crate::evr::Evr;
use crate::order::Version;
use std::cmp::Ordering;

/// An rpm version.
pub(crate) struct Rpm<'text>(Evr<'text>);

impl<'text> Version<'text> for Rpm<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        Evr::read(text).map(Self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order(&other.0, compare_part)
    }
}

/// `rpmvercmp`.
fn compare_part(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) =
        digits::skip_common(left, right, |byte| byte.is_ascii_alphanumeric());
    loop {
        left = digits::split_while(left, is_divider).1;
        right = digits::split_while(right, is_divider).1;
        match (left, right) {
            ([b'~', l @ ..], [b'~', r @ ..]) | ([b'^', l @ ..], [b'^', r @ ..]) => {
                left = l;
                right = r;
            }
            ([b'~', ..], _) => return Ordering::Less,
            (_, [b'~', ..]) => return Ordering::Greater,
            // A caret comes after the plain version and before any longer one.
            ([b'^', ..], []) => return Ordering::Greater,
            ([], [b'^', ..]) => return Ordering::Less,
            ([b'^', ..], _) => return Ordering::Less,
            (_, [b'^', ..]) => return Ordering::Greater,
            ([], _) | (_, []) => return left.len().min(1).cmp(&right.len().min(1)),
            _ => {
                let (order, l, r) = compare_run(left, right);
                if order.is_ne() {
                    return order;
                }
                (left, right) = (l, r);
            }
        }
    }
}

/// Compares the run of digits or letters at the start of both, and gives what follows.
fn compare_run<'text>(
    left: &'text [u8],
    right: &'text [u8],
) -> (Ordering, &'text [u8], &'text [u8]) {
    let is_number = |bytes: &[u8]| bytes.first().is_some_and(u8::is_ascii_digit);
    match (is_number(left), is_number(right)) {
        (true, true) => {
            let ((l, after_left), (r, after_right)) = (digits::split(left), digits::split(right));
            (digits::compare(l, r), after_left, after_right)
        }
        (false, false) => {
            let split = |bytes| digits::split_while(bytes, |byte| byte.is_ascii_alphabetic());
            let ((l, after_left), (r, after_right)) = (split(left), split(right));
            (l.cmp(r), after_left, after_right)
        }
        // A number is newer than letters.
        (l, r) => (l.cmp(&r), left, right),
    }
}

fn is_divider(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^'
}
