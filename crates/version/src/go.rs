//! Go versions: of modules, and of the standard library and toolchain.
//!
//! In goes a text, out comes its order. Modules have Semantic Versions behind a `v`, pseudo-versions
//! among them; `+incompatible` is build metadata and does not count. The standard library has
//! `go1.21rc2`, which is `1.21.0-rc.2`; what follows a hyphen or a space behind `go` names who built
//! it, not a pre-release. Advisories write all of these without prefix.
//!
//! Source: Go modules reference, "Versions" and "Pseudo-versions"; package `go/version`.

use crate::dotted::{Dotted, PreRelease};
use crate::order::Version;
use std::cmp::Ordering;

/// A Go version.
pub(crate) struct Go<'text>(Dotted<'text>);

impl<'text> Version<'text> for Go<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = match text.strip_prefix("go") {
            Some(toolchain) => toolchain.split(['-', ' ']).next().unwrap_or(toolchain),
            None if text == "(devel)" => return Err("it was built from a working copy"),
            None => text.strip_prefix('v').unwrap_or(text),
        };
        Dotted::read(text, PreRelease::Loose).map(Self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order_divided(&other.0)
    }
}
