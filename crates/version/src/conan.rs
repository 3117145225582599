//! Conan versions: items divided by dots, a pre-release behind the first `-`, a build behind the last `+`.
//!
//! In goes a text, out come its items, ordered as Conan 2 orders them: zeros at the end do not count, a
//! number and a text are compared as texts, a pre-release comes before its release, and a build behind
//! it. Recipes name versions as their upstreams do (`1.1.1w`, `cci.20230401`), which is why this is not
//! Semantic Versioning. As in Conan itself the order of items that mix digits and letters is not
//! transitive (`2` before `10` before `1a` before `2`).
//!
//! Source: Conan documentation, "Version ranges"; Conan, `internal/model/version.py`.

use crate::digits;
use crate::order::Version;
use std::cmp::Ordering;

/// A version of Conan.
pub(crate) struct Conan<'text> {
    main: &'text str,
    pre_release: Option<&'text str>,
    build: Option<&'text str>,
}

impl<'text> Version<'text> for Conan<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err("it has spaces in it");
        }
        let (rest, build) = match text.rsplit_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (main, pre_release) = match rest.split_once('-') {
            Some((main, pre_release)) => (main, Some(pre_release)),
            None => (rest, None),
        };
        Ok(Self { main, pre_release, build })
    }

    fn order(&self, other: &Self) -> Ordering {
        compare_items(self.main, other.main)
            .then_with(|| match (self.pre_release, other.pre_release) {
                (Some(left), Some(right)) => compare_items(left, right),
                (left, right) => right.is_some().cmp(&left.is_some()),
            })
            .then_with(|| match (self.build, other.build) {
                (Some(left), Some(right)) => compare_items(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            })
    }
}

fn compare_items(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (without_zeros(left), without_zeros(right));
    while let (Some(l), Some(r)) = (left, right) {
        let ((l, after_left), (r, after_right)) = (first(l), first(r));
        let order = compare_item(l.as_bytes(), r.as_bytes());
        if order.is_ne() {
            return order;
        }
        (left, right) = (after_left, after_right);
    }
    left.is_some().cmp(&right.is_some())
}

/// The items without zeros at the end; none where nothing is left.
fn without_zeros(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let (before, last) = match rest.rsplit_once('.') {
            Some((before, last)) => (Some(before), last),
            None => (None, rest),
        };
        if last.is_empty() || last.bytes().any(|byte| byte != b'0') {
            return Some(rest);
        }
        rest = before?;
    }
}

fn first(items: &str) -> (&str, Option<&str>) {
    items.split_once('.').map_or((items, None), |(first, rest)| (first, Some(rest)))
}

fn compare_item(left: &[u8], right: &[u8]) -> Ordering {
    let is_number = |item: &[u8]| !item.is_empty() && item.iter().all(u8::is_ascii_digit);
    match (is_number(left), is_number(right)) {
        (true, true) => digits::compare(left, right),
        (false, false) => left.cmp(right),
        (true, false) => shown(left).cmp(right),
        (false, true) => left.cmp(shown(right)),
    }
}

/// A number as it is shown: without leading zeros.
fn shown(number: &[u8]) -> &[u8] {
    match digits::significant(number) {
        [] => b"0",
        significant => significant,
    }
}
