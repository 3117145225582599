//! What a scheme's file provides: a version that is read and compared.

use std::cmp::Ordering;

/// A version of one scheme, read and not copied. The one thing that a scheme's file provides.
pub(crate) trait Version<'text>: Sized {
    /// Reads a text of at most [`LONGEST`](crate::LONGEST) bytes; the error says what is wrong with it.
    fn read(text: &'text str) -> Result<Self, &'static str>;

    /// The order of two versions.
    fn order(&self, other: &Self) -> Ordering;
}
