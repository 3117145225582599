//! Reads bills of materials: what somebody says is in something.
//!
//! In go the bytes of one document, CycloneDX 1.2 to 1.7 or SPDX 2.2 and 2.3 as JSON, or Lazaret's own
//! JSON; out comes a [`Document`] of components as they are stated. What a component is matched as is
//! decided above, by its package URL, so that a document is read the same whoever made it. The one
//! design decision: a component that cannot be matched is kept and counted, never dropped, because a
//! bill that is read in part must not look clean.

mod cyclonedx;
mod own;
mod spdx;
mod stated;

pub use stated::{Stated, distribution_id};

use serde::Deserialize;
use vocabulary::{Coverage, Digest, Distribution, Package, Platform};

/// Largest document, in bytes: those of images with tens of thousands of packages have some 100 MB.
pub const DOCUMENT_BYTES: u64 = 512 << 20;
/// Most components of one document.
const COMPONENTS: usize = 1_000_000;
/// Most characters of one name, version, path or property that is kept.
const TEXT: usize = 4_096;
/// Most licences of one component.
const LICENCES: usize = 64;
/// Deepest nesting of components inside components that is followed.
const DEPTH: usize = 32;

/// What a document is, and what it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The form with its version, such as `CycloneDX 1.6`.
    pub form: String,
    /// What it is about, where it says so.
    pub name: Option<String>,
    /// Digest of the manifest of the image that it is about, as stated.
    pub manifest_digest: Option<Digest>,
    /// Digest of its configuration, as stated.
    pub config_digest: Option<Digest>,
    /// Names of the image, as stated.
    pub tags: Vec<String>,
    /// Its platform, as stated.
    pub platform: Option<Platform>,
    /// The distribution, as stated.
    pub distribution: Option<Distribution>,
    /// Components that are still to be made packages of.
    pub components: Vec<Component>,
    /// Packages, where the document holds them whole.
    pub packages: Vec<Package>,
    /// What its maker said was not looked at in full.
    pub coverage: Vec<Coverage>,
}

/// One component, as stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Its package URL, as text.
    pub purl: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version; empty where none is stated.
    pub version: String,
    /// Whether `name` stands without a group, and so is the whole name.
    pub ungrouped: bool,
    /// Licences, as stated.
    pub licences: Vec<String>,
    /// What else is stated, in the words of Lazaret.
    pub stated: Stated,
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// It is not JSON, or not of the shape that it claims.
    #[error("`{form}` document cannot be read: {reason}; make it again")]
    Shape {
        /// What it claims to be.
        form: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It is none of the known forms.
    #[error(
        "it is no bill of materials that is known here; use CycloneDX or SPDX 2.x as JSON, or the JSON of `lazaret sbom`"
    )]
    Unknown,
    /// A version that is not read.
    #[error("`{form}` `{version}` is not read; use {known}")]
    Version {
        /// The form.
        form: &'static str,
        /// Its version.
        version: String,
        /// What is read.
        known: &'static str,
    },
    /// Too many components.
    #[error("it has more than {COMPONENTS} components; divide it")]
    TooMany,
}

/// What tells the forms apart.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<String>,
    #[serde(rename = "@context")]
    context: Option<serde::de::IgnoredAny>,
    schema: Option<serde_json::Value>,
    #[serde(rename = "predicateType")]
    predicate_type: Option<String>,
    sbom: Option<serde::de::IgnoredAny>,
}

/// A document inside another: an in-toto statement (its signature is not looked at), or what GitHub's
/// dependency graph exports.
#[derive(Deserialize)]
struct Wrapped<'text> {
    #[serde(borrow, alias = "sbom")]
    predicate: &'text serde_json::value::RawValue,
}

/// Reads a document.
///
/// # Errors
/// Where it is of none of the known forms, or not what it claims to be.
pub fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    read_at(bytes, 0)
}

fn read_at(bytes: &[u8], depth: usize) -> Result<Document, SbomError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head: Head = serde_json::from_slice(bytes).map_err(|error| shape("JSON", &error))?;
    let schema = head.schema.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    if head.bom_format.as_deref() == Some("CycloneDX") {
        return cyclonedx::read(bytes);
    }
    if let Some(version) = head.spdx_version {
        return spdx::read(bytes, &version);
    }
    if schema.starts_with("lazaret.packages/") || schema.starts_with("lazaret.report/") {
        return own::read(bytes, schema);
    }
    if (head.predicate_type.is_some() || head.sbom.is_some()) && depth == 0 {
        let wrapped: Wrapped<'_> =
            serde_json::from_slice(bytes).map_err(|error| shape("in-toto", &error))?;
        return read_at(wrapped.predicate.get().as_bytes(), depth + 1);
    }
    if head.context.is_some() {
        return Err(SbomError::Version {
            form: "SPDX",
            version: "3 (JSON-LD)".to_owned(),
            known: "SPDX 2.2 or 2.3 as JSON",
        });
    }
    Err(SbomError::Unknown)
}

fn shape(form: &'static str, error: &serde_json::Error) -> SbomError {
    SbomError::Shape { form, reason: error.to_string() }
}

/// Text that is kept, cut to what any real one has.
fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

#[cfg(test)]
mod tests;
