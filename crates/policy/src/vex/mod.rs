//! VEX: what a publisher says of vulnerabilities in its product, read as facts and applied by policy.
//!
//! In go OpenVEX and CSAF documents that the user names, out come statements; a finding that the newest
//! matching statement calls not affected or fixed is silenced, with its justification shown. A
//! statement is about a package by its package URL, or about the whole image by `pkg:oci` and digest,
//! then about all of its packages or those that it names. Its author is believed because the user
//! named the file.
//!
//! Sources: OpenVEX specification 0.2.0; CSAF 2.0, profile VEX (4.5), product tree (3.2.2).

mod csaf;
mod openvex;

use serde::Deserialize;
use vocabulary::{Finding, Purl, Subject};

/// Largest document.
const BYTES: usize = 64 << 20;
/// Most statements of one document.
const STATEMENTS: usize = 200_000;
/// Longest text that is kept of a statement, in characters.
const TEXT: usize = 1_000;

/// What a publisher says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VexStatus {
    /// The fault does not matter in the product.
    NotAffected,
    /// It is mended in it.
    Fixed,
    /// It matters.
    Affected,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// One statement about one vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexStatement {
    /// Its id and aliases.
    pub(crate) ids: Vec<String>,
    pub(crate) status: VexStatus,
    pub(crate) products: Vec<VexProduct>,
    /// `vulnerable_code_not_present` and the like.
    pub(crate) justification: Option<String>,
    /// In words.
    pub(crate) impact: Option<String>,
    /// When it was said, RFC 3339: as text, which sorts.
    pub(crate) time: String,
    /// The document.
    pub(crate) by: String,
}

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexProduct {
    pub(crate) purl: Purl,
    /// Parts of it; empty means all.
    pub(crate) parts: Vec<Purl>,
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VexError {
    /// It is larger than any real one.
    #[error("it is larger than 64 MiB, or has more than {STATEMENTS} statements")]
    TooLarge,
    /// It is not JSON, or not of its form.
    #[error("it is not {form}: {reason}")]
    Shape {
        /// The form.
        form: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It is neither.
    #[error("it is neither OpenVEX nor CSAF; both are JSON")]
    Unknown,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "@context")]
    context: Option<serde_json::Value>,
    document: Option<serde::de::IgnoredAny>,
}

/// Reads a document; `name` is how findings call it.
///
/// # Errors
/// Where it is neither OpenVEX nor CSAF.
pub fn parse_vex(name: &str, bytes: &[u8]) -> Result<Vec<VexStatement>, VexError> {
    if bytes.len() > BYTES {
        return Err(VexError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head: Head = serde_json::from_slice(bytes).map_err(|error| shape("JSON", &error))?;
    let context = head.context.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    let statements = if context.contains("openvex.dev") {
        openvex::read(name, bytes)?
    } else if head.document.is_some() {
        csaf::read(name, bytes)?
    } else {
        return Err(VexError::Unknown);
    };
    if statements.len() > STATEMENTS { Err(VexError::TooLarge) } else { Ok(statements) }
}

fn shape(form: &'static str, error: &serde_json::Error) -> VexError {
    VexError::Shape { form, reason: error.to_string() }
}

fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

impl VexStatement {
    /// Whether it is about a finding of a subject.
    fn is_about(&self, finding: &Finding, subject: &Subject) -> bool {
        let named = finding.id.iter().chain(&finding.aliases);
        let same = |own: &String| self.ids.iter().any(|id| id.eq_ignore_ascii_case(own));
        let Some(package) = &finding.package else { return false };
        named.into_iter().any(same)
            && self.products.iter().any(|product| {
                let part = |purl: &Purl| covers(purl, package);
                if is_of_subject(&product.purl, subject) {
                    product.parts.is_empty() || product.parts.iter().any(part)
                } else {
                    part(&product.purl)
                }
            })
    }
}

/// Whether a package URL that a statement names stands for a package: type, namespace and name are the
/// same, and version and qualifiers, where it has them. Source: OpenVEX 0.2.0, "purl matching".
fn covers(stated: &Purl, found: &Purl) -> bool {
    (stated.kind(), stated.namespace(), stated.name())
        == (found.kind(), found.namespace(), found.name())
        && stated.version().is_none_or(|version| found.version() == Some(version))
        && stated
            .qualifiers()
            .all(|(key, value)| found.qualifier(key).is_none_or(|own| own == value))
}

/// Whether `pkg:oci/name@sha256:…` is the image itself, by its digest; a name alone is none.
fn is_of_subject(purl: &Purl, subject: &Subject) -> bool {
    let digests = [&subject.manifest_digest, &subject.config_digest];
    purl.kind() == "oci"
        && purl.version().is_some_and(|version| {
            digests.into_iter().flatten().any(|digest| digest.to_string() == version)
        })
}

/// The statement that counts for a finding: the newest of those that are about it.
pub(crate) fn of<'vex>(
    statements: &'vex [VexStatement],
    finding: &Finding,
    subject: &Subject,
) -> Option<&'vex VexStatement> {
    let about = statements.iter().filter(|statement| statement.is_about(finding, subject));
    about
        .max_by(|left, right| left.time.cmp(&right.time))
        .filter(|newest| matches!(newest.status, VexStatus::NotAffected | VexStatus::Fixed))
}

#[cfg(test)]
mod tests;
