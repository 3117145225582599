//! What is known of a vulnerability, in the form that is shown and written as JSON.

use advisories::{KnownRecord, Searched};
use serde::Serialize;
use vocabulary::{Epss, Exploited, Severity};

/// What is known of a vulnerability.
#[derive(Serialize)]
pub(super) struct Known<'id> {
    pub(super) schema: &'static str,
    pub(super) id: &'id str,
    /// The CVE that the id is another name of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) same_as: Option<String>,
    pub(super) records: Vec<KnownRecord>,
    /// Packages that were left out for want of room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packages_left_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exploited: Option<Exploited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epss: Option<Epss>,
    /// What was asked.
    pub(super) searched: Vec<Searched>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found_in: Option<FoundIn>,
}

/// What a saved report found of it.
#[derive(Serialize)]
pub(super) struct FoundIn {
    pub(super) subject: String,
    pub(super) findings: Vec<Found>,
}

#[derive(Serialize)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) package: Option<vocabulary::Purl>,
    pub(super) location: String,
    pub(super) severity: Severity,
    /// Whether nothing rates it alone, and the severity is that of a notice about several.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) rated_as_bundle: bool,
    /// The record that the severity is from, where it is another one than those that name the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severity_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fixed: Option<String>,
    /// The last version that has it, where none is named that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_affected: Option<String>,
    pub(super) silenced: bool,
}
