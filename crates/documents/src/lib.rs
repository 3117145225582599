//! Reads YAML, JSON and TOML with the place of everything in them.
//!
//! In goes the text of one document, out come maps, lists and scalars, each with the bytes that it
//! stands in, and the comments: what people wrote can be judged, said by line and column, and edited
//! without touching the rest. All three become the same [`Node`]s. The parsers are well-kept libraries'
//! (`saphyr-parser`, `toml`), taken event by event and bounded here: aliases are refused, since one can
//! make a small file endless, and so are nesting and sizes beyond [`Bounds`].

mod comment;
mod error;
pub mod json;
mod node;
mod place;
pub mod toml;
pub mod yaml;

pub use comment::Comment;
pub use error::{DocumentError, Wrong};
pub use node::{Bounds, Document, Key, Node, Value};
pub use place::{Place, Span};

#[cfg(test)]
mod tests;
