//! A part of a text file, by lines and columns.

use serde::{Deserialize, Serialize};
use std::fmt;

/// From one place to another. Lines and columns count from 1; a column is a character (a Unicode scalar
/// value), and the end is the place behind the last one, as SARIF counts (SARIF 2.1.0, 3.30).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The line where it begins.
    pub line: u32,
    /// The column of its first character.
    pub column: u32,
    /// The line where it ends.
    pub end_line: u32,
    /// The column behind its last character.
    pub end_column: u32,
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}
