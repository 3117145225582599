//! Reads bills of materials: what somebody says is in something.
//!
//! In go the bytes of one document: CycloneDX 1.2 to 1.7 (JSON, XML), SPDX 2.2 and 2.3 (JSON,
//! tag-value) and 3.0 (JSON-LD), Syft's JSON, GitHub's dependency snapshot, or Lazaret's own JSON, also
//! packed by gzip or inside an attestation; out comes a [`Document`] of components as they are stated.
//! What a component is matched as is decided above, by its package URL, so that a document is read the
//! same whoever made it. The one design decision: a component that cannot be matched is kept and
//! counted, never dropped, because a bill that is read in part must not look clean.

mod cyclonedx;
mod document;
mod error;
mod form;
mod github;
mod limits;
mod merged;
mod own;
mod relations;
mod spdx;
mod stated;
mod syft;
mod xml;

pub use document::{Component, Document, Mismatch};
pub use error::SbomError;
pub use form::{looks_like_one, read};
pub use limits::DOCUMENT_BYTES;
pub use merged::merged;
pub use stated::{Stated, distribution, distribution_id};

#[cfg(test)]
mod tests;
