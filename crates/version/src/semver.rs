//! Semantic Versioning 2.0.0: crates.io, Bitnami and others.
//!
//! In goes a text, out comes its order. Numbers have any length. More lenient than the
//! specification, as the public advisories need: any count of numbers, leading zeros, a `v` before
//! them. Build metadata does not count.
//!
//! Source: semver.org 2.0.0, section 11.

use crate::dotted::{Dotted, PreRelease, compare_identifiers};
use crate::order::Version;
use std::cmp::Ordering;

/// A Semantic Version.
pub(crate) struct Semver<'text>(Dotted<'text>);

impl<'text> Version<'text> for Semver<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.strip_prefix('v').unwrap_or(text);
        Dotted::read(text, PreRelease::Hyphen).map(Self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order_by(&other.0, compare_identifiers)
    }
}
