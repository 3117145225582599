//! NuGet versions: up to four numbers, a pre-release that does not tell upper from lower case.
//!
//! In goes a text, out comes its order. Missing numbers are 0; build metadata does not count.
//!
//! Source: NuGet documentation, "Package versioning"; NuGet.Client, `VersionComparer.cs`.

use crate::dotted::{Dotted, PreRelease, compare_identifiers, compare_ignoring_case, is_number};
use crate::order::Version;
use std::cmp::Ordering;

/// A NuGet version.
pub(crate) struct NuGet<'text>(Dotted<'text>);

impl<'text> Version<'text> for NuGet<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        Dotted::read(text.trim(), PreRelease::Hyphen).map(Self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order_by(&other.0, |left, right| match (is_number(left), is_number(right)) {
            (false, false) => compare_ignoring_case(left, right),
            _ => compare_identifiers(left, right),
        })
    }
}
