//! Numbers divided by dots, a pre-release and build metadata: the shape that Semantic Versioning,
//! npm, Go and NuGet share.
//!
//! In goes a text and the liberties of its scheme, out come numbers and pre-release, and their order.
//! Any count of numbers is taken, missing ones are 0, and leading zeros do not count: advisories
//! have bounds such as `1.1`, and components of Bitnami have versions such as `2021.01.30`. For
//! texts that are full Semantic Versions the order is exactly theirs.
//!
//! Source: semver.org 2.0.0, section 11; node-semver, "loose" mode.

use crate::digits;
use std::cmp::Ordering;

/// How a pre-release may follow the numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreRelease {
    /// Only behind a hyphen.
    Hyphen,
    /// Behind a hyphen or a dot, or directly: `1.0RC2`, `1.0.0.beta.3`.
    Loose,
}

/// Numbers and pre-release of a version.
pub(crate) struct Dotted<'text> {
    numbers: &'text [u8],
    /// Empty for a release.
    pre_release: &'text [u8],
    /// Whether it follows the numbers without a hyphen.
    glued: bool,
}

impl<'text> Dotted<'text> {
    /// Reads a text that begins with a digit.
    pub(crate) fn read(text: &'text str, rule: PreRelease) -> Result<Self, &'static str> {
        let text = text.as_bytes();
        let length = length_of_numbers(text)?;
        let (numbers, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
        let (rest, _build) = digits::split_while(rest, |byte| byte != b'+');
        let (pre_release, glued) = match (rest, rule) {
            ([], _) => (rest, false),
            // In its loose mode node-semver takes `1.0.0-` for a pre-release named `-`.
            ([b'-'], PreRelease::Loose) => (rest, true),
            ([b'-'], PreRelease::Hyphen) => return Err("nothing follows the hyphen"),
            ([b'-', pre_release @ ..], _) => (pre_release, false),
            ([b'.', pre_release @ ..], PreRelease::Loose) => (pre_release, true),
            (_, PreRelease::Loose) => (rest, true),
            (_, PreRelease::Hyphen) => {
                return Err("numbers divided by dots, then `-` or `+`, are expected");
            }
        };
        if pre_release.iter().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
            return Err("it has spaces in it");
        }
        Ok(Self { numbers, pre_release, glued })
    }

    /// The order, with identifiers of the pre-release compared by `compare`.
    pub(crate) fn order_by(
        &self,
        other: &Self,
        compare: impl Fn(&[u8], &[u8]) -> Ordering,
    ) -> Ordering {
        compare_numbers(self.numbers, other.numbers).then_with(|| {
            match (self.pre_release, other.pre_release) {
                ([], []) => Ordering::Equal,
                ([], _) => Ordering::Greater,
                (_, []) => Ordering::Less,
                (left, right) => compare_lists(left.split(is_dot), right.split(is_dot), compare),
            }
        })
    }

    /// The order, with a pre-release that follows without a hyphen also divided between letters and
    /// digits: `rc2` is `rc.2`.
    pub(crate) fn order_divided(&self, other: &Self) -> Ordering {
        if !self.glued && !other.glued {
            return self.order_by(other, compare_identifiers);
        }
        compare_numbers(self.numbers, other.numbers).then_with(|| {
            match (self.pre_release, other.pre_release) {
                ([], []) => Ordering::Equal,
                ([], _) => Ordering::Greater,
                (_, []) => Ordering::Less,
                _ => compare_lists(self.divided(), other.divided(), compare_identifiers),
            }
        })
    }

    fn divided(&self) -> impl Iterator<Item = &'text [u8]> {
        let glued = self.glued;
        self.pre_release
            .split(is_dot)
            .flat_map(move |identifier| {
                let (letters, number) =
                    digits::split_while(identifier, |byte| !byte.is_ascii_digit());
                let divides = glued && !letters.is_empty() && !number.is_empty();
                if divides { [Some(letters), Some(number)] } else { [Some(identifier), None] }
            })
            .flatten()
    }
}

pub(crate) fn is_dot(byte: &u8) -> bool {
    *byte == b'.'
}

/// The length of `1.2.3` at the start.
fn length_of_numbers(text: &[u8]) -> Result<usize, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    let (first, mut rest) = digits::split(text);
    if first.is_empty() {
        return Err("it does not begin with a number");
    }
    let mut length = first.len();
    while let [b'.', after @ ..] = rest {
        let (number, behind) = digits::split(after);
        if number.is_empty() {
            break;
        }
        length += 1 + number.len();
        rest = behind;
    }
    Ok(length)
}

/// The order of `1.2.3` and the like; missing numbers are 0.
pub(crate) fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = (left.split(is_dot), right.split(is_dot));
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

/// The order of two lists of identifiers; of two that begin alike the longer is newer.
pub(crate) fn compare_lists<'text>(
    mut left: impl Iterator<Item = &'text [u8]>,
    mut right: impl Iterator<Item = &'text [u8]>,
    compare: impl Fn(&[u8], &[u8]) -> Ordering,
) -> Ordering {
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(l), Some(r)) => compare(l, r),
            (l, r) => l.is_some().cmp(&r.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Semantic Versioning's order of identifiers: numbers by value, before all others by their bytes.
pub(crate) fn compare_identifiers(left: &[u8], right: &[u8]) -> Ordering {
    match (is_number(left), is_number(right)) {
        (true, true) => digits::compare(left, right),
        (false, false) => left.cmp(right),
        (left_is_number, right_is_number) => right_is_number.cmp(&left_is_number),
    }
}

/// Whether an identifier is a number.
pub(crate) fn is_number(identifier: &[u8]) -> bool {
    !identifier.is_empty() && identifier.iter().all(u8::is_ascii_digit)
}

/// The order of two texts that does not tell upper from lower case.
pub(crate) fn compare_ignoring_case(left: &[u8], right: &[u8]) -> Ordering {
    left.iter().map(u8::to_ascii_lowercase).cmp(right.iter().map(u8::to_ascii_lowercase))
}
