//! npm versions, as node-semver orders them in its loose mode.
//!
//! In goes a text, out comes its order. Besides full versions come the bounds that npm advisories
//! have: `1.1`, `v1.2.3`, `=1.2.3`, `1.0RC2`, `1.0.0.beta.3`, and `1.4.0-*`, which stands before every
//! pre-release of 1.4.0.
//!
//! Source: node-semver, `classes/semver.js` and `internal/re.js`.

use crate::dotted::{Dotted, PreRelease, compare_identifiers};
use crate::order::Version;
use std::cmp::Ordering;

/// An npm version.
pub(crate) struct Npm<'text>(Dotted<'text>);

impl<'text> Version<'text> for Npm<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.trim().trim_start_matches(['v', '=', ' ']);
        Dotted::read(text, PreRelease::Loose).map(Self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order_by(&other.0, |left, right| {
            let wildcards = (left == b"*", right == b"*");
            wildcards.1.cmp(&wildcards.0).then_with(|| compare_identifiers(left, right))
        })
    }
}
