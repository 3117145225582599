//! Runs of decimal digits, of any length.
//!
//! In goes text, out come its digits or their numeric order. Numbers are compared as text without
//! leading zeros, because dates with a commit count overflow 64 bits in real versions, and because
//! that is also the quickest way.

use std::cmp::Ordering;

/// The numeric order of two runs of digits; an empty one is 0.
pub(crate) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// The run without leading zeros: empty for 0.
pub(crate) fn significant(digits: &[u8]) -> &[u8] {
    split_while(digits, |byte| byte == b'0').1
}

/// The digits at the start, and the rest.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    split_while(bytes, |byte| byte.is_ascii_digit())
}

/// The bytes at the start that are wanted, and the rest.
pub(crate) fn split_while(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !wanted(*byte)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

/// Both texts from where they first differ, but not from the middle of a run of `in_run` bytes: what
/// stands before is the same on both sides, and long in neighbouring versions.
pub(crate) fn skip_common<'text>(
    left: &'text [u8],
    right: &'text [u8],
    in_run: impl Fn(u8) -> bool,
) -> (&'text [u8], &'text [u8]) {
    let same = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let common = left.get(..same).unwrap_or_default();
    let start = common.iter().rposition(|byte| !in_run(*byte)).map_or(0, |last| last + 1);
    (left.get(start..).unwrap_or_default(), right.get(start..).unwrap_or_default())
}
