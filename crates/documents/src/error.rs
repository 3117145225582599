//! What is wrong with a document, and where.

use crate::place::Place;

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is not of the form; the parser's words.
    #[error("{0}")]
    Form(String),
    /// Deeper than allowed.
    #[error("it is nested too deeply")]
    Deep,
    /// More bytes or more in it than allowed.
    #[error("it is too large")]
    Large,
    /// An alias stands for what is written elsewhere.
    #[error("aliases are not taken; write the value out")]
    Alias,
    /// An anchor or a tag.
    #[error("anchors and tags are not taken; write a plain value")]
    AnchorOrTag,
    /// A key that is a list or a map.
    #[error("a key must be a text")]
    Key,
    /// A key that stands twice in one map.
    #[error("this key stands here twice")]
    Twice,
    /// More than one document.
    #[error("it holds several documents; one is taken")]
    Several,
}

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {wrong}", place.line, place.column)]
pub struct DocumentError {
    /// Where.
    pub place: Place,
    /// What.
    pub wrong: Wrong,
}
