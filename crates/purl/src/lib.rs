//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath`.
//!
//! In goes a text or its parts, out comes a value of decoded, normalised parts that shows itself in
//! canonical form; reading what is shown gives the same value. Parts are normalised as they are set,
//! so that two values are equal exactly where their canonical forms are.
//!
//! Source: package-url/purl-spec (ECMA-427), "Rules for each purl component", "Character encoding",
//! "How to parse", and the type definitions.

mod parse;
mod purl;
#[cfg(test)]
mod tests;
mod types;

pub use purl::{Purl, PurlError};
