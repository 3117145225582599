//! opam versions: any text, in the order of Debian's upstream versions.
//!
//! In goes a text, out comes its order: runs of other characters and runs of digits in turn, `~` before
//! the end, letters before all else. There is neither epoch nor revision: `:` and `-` are characters
//! like others.
//!
//! Source: opam manual, "Version ordering".

use crate::debian::compare_part;
use crate::order::Version;
use std::cmp::Ordering;

/// A version of opam.
pub(crate) struct Opam<'text>(&'text [u8]);

impl<'text> Version<'text> for Opam<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        if text.is_empty() {
            Err("it is empty")
        } else if text.bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
            Err("it has spaces in it")
        } else {
            Ok(Self(text.as_bytes()))
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        compare_part(self.0, other.0)
    }
}
