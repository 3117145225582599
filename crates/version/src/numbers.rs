//! Lists of numbers, as R and Haskell order versions: number by number, and of two lists of which one
//! begins the other the shorter comes first.
//!
//! In go texts such as `1.10-2`, out comes their order. R divides by `.` and `-` alike and compares no
//! more than that; Haskell knows `.` only, so that no text is ordered otherwise than by its own tool.
//! Sources: R, `package_version` and `compareVersion`; Haskell, `Data.Version`, Haskell Package
//! Versioning Policy.

use crate::order::Version;
use std::cmp::Ordering;

/// A list of numbers, of any length, without a copy.
pub(crate) struct Numbers<'text>(&'text str);

impl<'text> Version<'text> for Numbers<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.trim();
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if text.split(['.', '-']).all(is_number) {
            Ok(Self(text))
        } else {
            Err("it is not made of numbers between dots or hyphens")
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let parts = |text: &'text str| {
            // Numbers of any length: without leading zeros the longer one is the greater.
            text.split(['.', '-']).map(|part| part.trim_start_matches('0'))
        };
        let mut right = other.0.split(['.', '-']).map(|part| part.trim_start_matches('0'));
        for left in parts(self.0) {
            let Some(right) = right.next() else { return Ordering::Greater };
            let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
            if order.is_ne() {
                return order;
            }
        }
        if right.next().is_some() { Ordering::Less } else { Ordering::Equal }
    }
}
