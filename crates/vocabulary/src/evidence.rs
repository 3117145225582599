//! What a sceptic needs in order to check a finding.
//!
//! In goes what a check saw, out comes a value that stands in the report. Secrets are redacted when they
//! are taken ([`Redacted`]).

use crate::{Digest, Event, Redacted, Span, VulnerableCode};
use serde::{Deserialize, Serialize};

/// What a sceptic needs in order to check a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// An advisory's record and range.
    Advisory(Box<VulnerabilityEvidence>),
    /// A digest that is not the expected one.
    Digest {
        /// What was hashed, such as `layer 2` or `config`.
        what: String,
        /// What the reference names.
        expected: Digest,
        /// What the bytes give.
        found: Digest,
    },
    /// Something that is not as it was recorded.
    Difference {
        /// What differs.
        aspect: Aspect,
        /// As recorded; none for what was added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
        /// As found; none for what was removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<String>,
    },
    /// Something that happened in a running container.
    Event(Box<EventEvidence>),
    /// A part of a file that a rule matched, and that nobody may read in a report.
    Match(Box<MatchEvidence>),
    /// What another tool said.
    Imported {
        /// Its name.
        tool: String,
        /// Its rule.
        rule: String,
    },
    /// What a distribution's archive offers.
    Archive(Box<ArchiveEvidence>),
}

/// The range of an advisory that holds the version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedRange {
    /// First affected version; `0` means from the beginning. None where the record lists versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced: Option<String>,
    /// First version that is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// Last affected version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_affected: Option<String>,
    /// Whether the record lists this version by name.
    #[serde(default)]
    pub listed: bool,
}

/// Why a version counts as vulnerable: one advisory record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VulnerabilityEvidence {
    /// Id of the record that matched, such as `DSA-5928-1`.
    pub record: String,
    /// Ecosystem of the record's entry, with release, such as `Debian:12`.
    pub ecosystem: String,
    /// Name that was matched.
    pub matched_name: String,
    /// Version that was compared (a source package's may differ from the binary's).
    pub matched_version: String,
    /// The range that holds it.
    pub range: AffectedRange,
    /// CVSS vector that the severity was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<String>,
    /// Base score of that vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Which record the severity is from, where it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_from: Option<String>,
    /// Whether that record rates several vulnerabilities together, as the worst of them, and nothing
    /// rates this one alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rated_as_bundle: bool,
    /// Page about the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the program holds what the record says is vulnerable; none where the record names no
    /// functions, or the program's are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeEvidence>,
}

/// How the functions that a record names compare with those of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeEvidence {
    /// Whether any is there.
    pub state: VulnerableCode,
    /// Those that are, such as `net/http.Client.Do`, the first twenty by name; a package alone where
    /// the record names no functions of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// How many the record names.
    pub named: u64,
    /// The systems that the record concerns, where the program was built for another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<String>,
}

/// What a distribution's own archive offers, and how it is known to be the archive's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveEvidence {
    /// Where it was asked, such as `http://deb.debian.org/debian-security`.
    pub archive: String,
    /// Such as `bookworm-security`.
    pub suite: String,
    /// The date of its Release, RFC 3339, UTC.
    pub date: String,
    /// Fingerprint of the primary key that signed the Release.
    pub signer: String,
    /// The version that it offers.
    pub version: String,
    /// The version of the source package that this was built from.
    pub source_version: String,
}

/// What differs from a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Whether it is there at all.
    Presence,
    /// File, folder, link, device.
    Kind,
    /// SHA-256 of the content.
    Content,
    /// Size in bytes, where the content was not read.
    Size,
    /// Permission bits.
    Mode,
    /// Numeric owner and group.
    Owner,
    /// Target of a link.
    Link,
    /// Extended attributes.
    Attributes,
    /// A manifest, configuration or layer digest.
    Digest,
    /// The counter of the seals of a repository.
    Counter,
    /// A signature, or the key that made it.
    Signature,
}

/// What happened, and what it was held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEvidence {
    /// The event.
    pub event: Event,
    /// Why it is one: a few words, such as `dropped file` or `changed file`.
    pub reason: String,
    /// What the record has at that path, where it has something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Digest>,
    /// The seal that it was held against, by the digest of its envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Digest>,
}

/// Where a rule matched, and what may be shown of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchEvidence {
    /// The file's path in the subject.
    pub file: String,
    /// The layer that holds it, counted from 0 at the bottom; none in a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// The part of it; none where the file has no lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What may be shown.
    pub redacted: Redacted,
}
