//! Arch Linux versions: `[epoch:]version[-release]`.
//!
//! In goes a text, out come its three parts, ordered as pacman orders them: runs of digits and of
//! letters in turn, where more characters between two runs are newer, and letters at the end are older
//! than nothing (`1.0rc` before `1.0`). Like pacman, every text but the empty one is accepted. One
//! liberty: a version without a release comes before the same version with one. pacman calls it equal
//! to all of them, which is no order; installed packages always have a release.
//!
//! Source: vercmp(8); pacman, `lib/libalpm/version.c`, `alpm_pkg_vercmp`.

use crate::digits;
use crate::evr::Evr;
use crate::order::Version;
use std::cmp::Ordering;

/// A version of pacman.
pub(crate) struct Alpm<'text>(Evr<'text>);

impl<'text> Version<'text> for Alpm<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        Evr::read(text).map(Self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order(&other.0, compare_part)
    }
}

fn compare_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() && !right.is_empty() {
        let divider = |byte: u8| !byte.is_ascii_alphanumeric();
        let ((l, after_left), (r, after_right)) =
            (digits::split_while(left, divider), digits::split_while(right, divider));
        (left, right) = (after_left, after_right);
        if left.is_empty() || right.is_empty() {
            break;
        }
        let order = l.len().cmp(&r.len());
        if order.is_ne() {
            return order;
        }
        let is_number = |bytes: &[u8]| bytes.first().is_some_and(u8::is_ascii_digit);
        let order = match (is_number(left), is_number(right)) {
            (true, true) => {
                let ((l, rest_left), (r, rest_right)) = (digits::split(left), digits::split(right));
                (left, right) = (rest_left, rest_right);
                digits::compare(l, r)
            }
            (false, false) => {
                let is_letter = |byte: u8| byte.is_ascii_alphabetic();
                let (l, rest_left) = digits::split_while(left, is_letter);
                let (r, rest_right) = digits::split_while(right, is_letter);
                (left, right) = (rest_left, rest_right);
                l.cmp(r)
            }
            // A number is newer than letters.
            (l, r) => l.cmp(&r),
        };
        if order.is_ne() {
            return order;
        }
    }
    let is_letter = |bytes: &[u8]| bytes.first().is_some_and(u8::is_ascii_alphabetic);
    match (left, right) {
        ([], []) => Ordering::Equal,
        // What is left over is newer, but for letters.
        ([], rest) if is_letter(rest) => Ordering::Greater,
        ([], _) => Ordering::Less,
        (rest, _) if is_letter(rest) => Ordering::Less,
        _ => Ordering::Greater,
    }
}
