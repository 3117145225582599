//! Findings: what checks and matching produce, with the evidence that a sceptic needs.
//!
//! A finding never prints, exits or blocks; policy decides.

use crate::purl::Bare;
use crate::{
    Digest, Ecosystem, Execution, Location, OriginKind, Purl, Risk, Severity, VulnerableCode,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of fault a rule finds. Every rule says its own, so that none falls into another's by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// Something that an advisory or its publisher warns of.
    Vulnerability,
    /// Something made to do harm.
    Malware,
    /// Something that is not what it was.
    Integrity,
    /// Something that a running container does.
    Runtime,
    /// Something that the policy forbids or asks for.
    Policy,
    /// Something in source code, as another tool says.
    Code,
}

impl RuleKind {
    /// The word by which services sort rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Malware => "malware",
            Self::Integrity => "integrity",
            Self::Runtime => "runtime",
            Self::Policy => "policy",
            Self::Code => "code",
        }
    }
}

/// A rule: what kind of finding this is, and why it matters. Static.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Kebab-case id, such as `known-vulnerability`.
    pub id: &'static str,
    /// What kind of fault it finds.
    #[serde(skip)]
    pub kind: RuleKind,
    /// One line.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Severity unless the evidence says otherwise.
    pub severity: Severity,
    /// What to do.
    pub remedy: &'static str,
}

impl Rule {
    /// A package version that an advisory names as affected.
    pub const KNOWN_VULNERABILITY: Self = Self {
        id: "known-vulnerability",
        kind: RuleKind::Vulnerability,
        title: "Package with a known vulnerability",
        why: "An advisory names this version as affected; attackers read advisories too.",
        severity: Severity::Unknown,
        remedy: "Upgrade to the version that mends it, or rebuild on a newer base image.",
    };
    /// A package that was published to do harm.
    pub const MALICIOUS_PACKAGE: Self = Self {
        id: "malicious-package",
        kind: RuleKind::Malware,
        title: "Malicious package",
        why: "This package was published to do harm. Whatever could run it must be taken as compromised.",
        severity: Severity::Critical,
        remedy: "Remove the package, rebuild, and change every secret that the build or the container could read.",
    };
    /// Content that does not have the digest its reference names.
    pub const DIGEST_MISMATCH: Self = Self {
        id: "digest-mismatch",
        kind: RuleKind::Integrity,
        title: "Content differs from its digest",
        why: "The bytes are not those that the manifest or configuration names: damage in transit or at rest, or tampering.",
        severity: Severity::Critical,
        remedy: "Do not run the image. Fetch it again from a trusted source and compare.",
    };
    /// An ignore rule that has run out.
    pub const EXPIRED_IGNORE: Self = Self {
        id: "expired-ignore",
        kind: RuleKind::Policy,
        title: "Ignore rule past its date",
        why: "What was to be looked at again by that day has not been; the rule silences nothing any more.",
        severity: Severity::Low,
        remedy: "Look at it again. Remove the rule, or give it a new date and reason.",
    };

    /// An image whose content is not what was sealed under its name.
    pub const SEAL_MISMATCH: Self = Self {
        id: "seal-mismatch",
        kind: RuleKind::Integrity,
        title: "Image differs from its seal",
        why: "Manifest, configuration or layers are not those that were sealed under this name. The digests of an image agree with each other after an attacker has rebuilt it; only the seal tells.",
        severity: Severity::Critical,
        remedy: "Do not run it. Restore the sealed image, or seal the new one after review.",
    };
    /// A name that points at an image sealed earlier than the newest one.
    pub const ROLLED_BACK_IMAGE: Self = Self {
        id: "rolled-back-image",
        kind: RuleKind::Integrity,
        title: "Older sealed image under this name",
        why: "The name was moved back to an image that a newer seal has replaced: its mended faults are open again.",
        severity: Severity::High,
        remedy: "Move the name to the image of the newest seal, or seal this one again if that is meant.",
    };
    /// A seal whose signature or record does not hold.
    pub const BROKEN_SEAL: Self = Self {
        id: "broken-seal",
        kind: RuleKind::Integrity,
        title: "Seal that does not hold",
        why: "The signature, the chain of the store or the sealed record is not what was written: the evidence itself was damaged or forged.",
        severity: Severity::Critical,
        remedy: "Do not rely on this store. Restore it from a copy, and seal again from a trusted source.",
    };
    /// A file that is not as the sealed record, or the image, has it.
    pub const FILE_CHANGED: Self = Self {
        id: "file-changed",
        kind: RuleKind::Integrity,
        title: "File changed",
        why: "Its content, kind, mode, owner or attributes are not those on record.",
        severity: Severity::Medium,
        remedy: "Find out who changed it. Recreate the container, or restore the image.",
    };
    /// A file that the sealed record, or the image, does not have.
    pub const FILE_ADDED: Self = Self {
        id: "file-added",
        kind: RuleKind::Integrity,
        title: "File added",
        why: "It was not there when the image was recorded; a program that was dropped in is how most break-ins go on.",
        severity: Severity::Medium,
        remedy: "Find out who added it. Recreate the container, or restore the image.",
    };
    /// A file of the sealed record, or the image, that is gone.
    pub const FILE_REMOVED: Self = Self {
        id: "file-removed",
        kind: RuleKind::Integrity,
        title: "File removed",
        why: "It was there when the image was recorded.",
        severity: Severity::Medium,
        remedy: "Find out who removed it. Recreate the container, or restore the image.",
    };
    /// A program that ran and that the image does not hold.
    pub const PROGRAM_NOT_IN_IMAGE: Self = Self {
        id: "program-not-in-image",
        kind: RuleKind::Runtime,
        title: "Program that is not in the image",
        why: "The sealed image does not hold this program: it was dropped, changed, or put together in memory after the container began.",
        severity: Severity::Critical,
        remedy: "Take the container as compromised: keep its files and memory for study, stop it, and recreate it from the sealed image.",
    };
    /// A shell whose input comes over a connection.
    pub const REVERSE_SHELL: Self = Self {
        id: "reverse-shell",
        kind: RuleKind::Runtime,
        title: "Shell that takes its input from a socket",
        why: "Whoever holds the other end of the connection types commands in the container.",
        severity: Severity::Critical,
        remedy: "Stop the container, block the other end, and look for how the shell was started in the parent processes.",
    };

    /// A release of a distribution, or a program's line, that gets no security updates any more.
    pub const END_OF_LIFE: Self = Self {
        id: "end-of-life",
        kind: RuleKind::Vulnerability,
        title: "Release past its end of life",
        why: "Its publisher mends nothing in it any more, and says nothing of new vulnerabilities: that none are known means little.",
        severity: Severity::High,
        remedy: "Move to a release that is maintained, usually by a newer base image.",
    };
    /// A package for which the distribution's own archive has a newer security version.
    pub const SECURITY_UPDATE_AVAILABLE: Self = Self {
        id: "security-update-available",
        kind: RuleKind::Vulnerability,
        title: "Security update not installed",
        why: "The distribution has published a newer version as a security update, whether or not an advisory is known here.",
        severity: Severity::Medium,
        remedy: "Upgrade the package, or rebuild on a newer base image.",
    };
    /// A package that policy forbids.
    pub const FORBIDDEN_PACKAGE: Self = Self {
        id: "forbidden-package",
        kind: RuleKind::Policy,
        title: "Package that policy forbids",
        why: "The policy says that this package may not be in an image.",
        severity: Severity::High,
        remedy: "Remove the package, or change the policy after review.",
    };
    /// A package that policy requires and that is not there.
    pub const MISSING_PACKAGE: Self = Self {
        id: "missing-package",
        kind: RuleKind::Policy,
        title: "Package that policy requires",
        why: "The policy says that this package must be in an image, and it is not.",
        severity: Severity::Medium,
        remedy: "Add the package, or change the policy after review.",
    };
    /// A base image that policy forbids, or none of those that it requires.
    pub const FORBIDDEN_BASE_IMAGE: Self = Self {
        id: "forbidden-base-image",
        kind: RuleKind::Policy,
        title: "Base image that policy does not allow",
        why: "The policy says on which base images an image may be built.",
        severity: Severity::High,
        remedy: "Build on an allowed base image, or change the policy after review.",
    };
    /// A licence that policy does not allow.
    pub const FORBIDDEN_LICENCE: Self = Self {
        id: "forbidden-licence",
        kind: RuleKind::Policy,
        title: "Licence that policy does not allow",
        why: "The policy says under which licences a package may be.",
        severity: Severity::Medium,
        remedy: "Replace the package, or allow the licence after review.",
    };

    /// A result of another tool.
    pub const IMPORTED: Self = Self {
        id: "imported",
        kind: RuleKind::Code,
        title: "Finding of another tool",
        why: "Another tool found it; its own documentation says why it matters.",
        severity: Severity::Medium,
        remedy: "See the tool's rule, which the evidence names.",
    };

    /// Every rule that this version can report, sorted by id.
    pub const ALL: &'static [Self] = &[
        Self::BROKEN_SEAL,
        Self::DIGEST_MISMATCH,
        Self::END_OF_LIFE,
        Self::EXPIRED_IGNORE,
        Self::FILE_ADDED,
        Self::FILE_CHANGED,
        Self::FILE_REMOVED,
        Self::FORBIDDEN_BASE_IMAGE,
        Self::FORBIDDEN_LICENCE,
        Self::FORBIDDEN_PACKAGE,
        Self::IMPORTED,
        Self::KNOWN_VULNERABILITY,
        Self::MALICIOUS_PACKAGE,
        Self::MISSING_PACKAGE,
        Self::PROGRAM_NOT_IN_IMAGE,
        Self::REVERSE_SHELL,
        Self::ROLLED_BACK_IMAGE,
        Self::SEAL_MISMATCH,
        Self::SECURITY_UPDATE_AVAILABLE,
    ];
}

/// Whether a fix may be applied without a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// Behaviour stays; for example a distribution's security update.
    Safe,
    /// A person should look; for example a new major version.
    Review,
}

/// What mends a finding: what advisories say of it, and what is offered.
///
/// The two differ. The first version that an advisory calls mended may be a pre-release, malicious, or
/// just as vulnerable in another way: it is a fact, and nothing to go to. What is offered has been
/// matched, and is what the step says that clears the finding ([`crate::upgrade`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// One line: what to do, such as `upgrade openssl to 3.0.11-1~deb12u2`; where no upgrade is offered,
    /// what is known, such as `no upgrade is known to help; fixed in 2.0.0-rc.1`.
    pub title: String,
    /// Safe, or to be reviewed.
    pub safety: Safety,
    /// The least version that advisories call mended, for packages. A fact; see [`Self::to`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where no version that mends it is known by name: the last one that has it. Any later one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The version to go to: that of the step that clears it, which was matched. None where no step does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Set where the version to go to, or where there is none the one that mends it, is served only to
    /// subscribers, with the subscription's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
}

impl Fix {
    /// Whether a version ends it: an advisory names one, or one that is offered was matched.
    #[must_use]
    pub const fn is_release(&self) -> bool {
        self.version.is_some() || self.after.is_some() || self.to.is_some()
    }

    /// What is to be done; none where only facts are known.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        (self.to.is_some() || !self.is_release()).then_some(self.title.as_str())
    }

    /// What advisories say: `fixed in 1.2.3`, or `fixed after 1.2.2`.
    #[must_use]
    pub fn fact(&self) -> Option<String> {
        match (&self.version, &self.after) {
            (Some(version), _) => Some(format!("fixed in {version}")),
            (None, Some(after)) => Some(format!("fixed after {after}")),
            (None, None) => None,
        }
    }

    /// The version that advisories call mended, or `after` the last one that has it.
    #[must_use]
    pub fn named(&self) -> Option<std::borrow::Cow<'_, str>> {
        match (&self.version, &self.after) {
            (Some(version), _) => Some(version.as_str().into()),
            (None, Some(after)) => Some(format!("after {after}").into()),
            (None, None) => None,
        }
    }
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
    /// A program that ran.
    Execution(Box<ExecutionEvidence>),
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

/// The CVE that a distribution's name of it stands for, such as `UBUNTU-CVE-2024-1234`.
#[must_use]
pub fn cve_of(id: &str) -> Option<&str> {
    let at = id.to_ascii_uppercase().find("-CVE-")?;
    let prefix = id.get(..at)?;
    let of_feed = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    id.get(at + 1..).filter(|_| of_feed)
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

/// What ran, where, and what it was held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionEvidence {
    /// The event.
    pub execution: Execution,
    /// Why it is one: a few words, such as `dropped file` or `changed file`.
    pub reason: String,
    /// What the record has at that path, where it has something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Digest>,
    /// The seal that it was held against, by the digest of its envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Digest>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of its rule.
    pub rule: String,
    /// For a vulnerability: the CVE, or the record's own id where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Other ids of the same vulnerability, sorted. Never another CVE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// How bad.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Where.
    pub location: Location,
    /// The package concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Purl>,
    /// The package's ecosystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<Ecosystem>,
    /// The layer that brought what is concerned, counted from 0 at the bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// Base image or application.
    #[serde(default)]
    pub origin: OriginKind,
    /// What mends it; none where nothing is known to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// What is known beyond its severity, for vulnerabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// At how many more places the same package lies than have a finding of their own: they are
    /// counted here, and listed nowhere but among the packages.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more_places: u64,
    /// Stable over runs, versions and machines.
    pub fingerprint: Fingerprint,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Finding {
    /// The version to go to; the one place that says so. See [`Fix::to`].
    #[must_use]
    pub fn offered(&self) -> Option<&str> {
        self.fix.as_ref()?.to.as_deref()
    }

    /// What is to be done about it; none where nothing that was checked helps.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        self.fix.as_ref()?.instruction()
    }

    /// Whether an advisory names an end of it above the version that is there, or a step clears it.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        self.fix.is_some()
    }

    /// Whether an id names it: its own, another one of the same vulnerability, that of an advisory that
    /// shows it, or a distribution's name of its CVE (`UBUNTU-CVE-…`). In any case of letters.
    #[must_use]
    pub fn is_known_as(&self, id: &str) -> bool {
        let cve = cve_of(id);
        self.ids().any(|own| {
            own.eq_ignore_ascii_case(id) || cve.is_some_and(|cve| own.eq_ignore_ascii_case(cve))
        })
    }

    /// Whether its severity is that of a notice of several vulnerabilities, which rates them together as
    /// the worst of them.
    #[must_use]
    pub fn is_rated_as_bundle(&self) -> bool {
        self.evidence.iter().any(|evidence| match evidence {
            Evidence::Advisory(advisory) => advisory.rated_as_bundle,
            _ => false,
        })
    }

    /// Its id, other ids of the same vulnerability, and those of the advisories that show it.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let records = self.evidence.iter().filter_map(|evidence| match evidence {
            Evidence::Advisory(advisory) => Some(&advisory.record),
            _ => None,
        });
        self.id.iter().chain(&self.aliases).chain(records).map(String::as_str)
    }

    /// Whether a program holds what the advisories say is vulnerable: present where one of them shows
    /// it, absent where those that can tell agree.
    #[must_use]
    pub fn vulnerable_code(&self) -> Option<VulnerableCode> {
        self.evidence
            .iter()
            .filter_map(|evidence| match evidence {
                Evidence::Advisory(advisory) => advisory.code.as_ref().map(|code| code.state),
                _ => None,
            })
            .max()
    }

    /// A finding that is about no package, of its rule's severity. `identity` stands for the id in the
    /// fingerprint where a rule can find several things in one place.
    #[must_use]
    pub fn of(
        rule: &Rule,
        identity: Option<&str>,
        title: String,
        location: Location,
        evidence: Vec<Evidence>,
    ) -> Self {
        Self {
            rule: rule.id.to_owned(),
            id: None,
            aliases: Vec::new(),
            severity: rule.severity,
            title,
            more_places: 0,
            fingerprint: Fingerprint::new(rule.id, identity, None, &location),
            layer: location.layer(),
            location,
            package: None,
            ecosystem: None,
            origin: OriginKind::Unknown,
            fix: None,
            risk: None,
            evidence,
        }
    }
}

/// Identity of a finding: the first 16 bytes, in hex, of SHA-256 over `lazaret-finding-v1`, rule id,
/// vulnerability id (or empty), bare purl (or empty) and location path of a file or program (or the
/// layer's diffID, or empty), each followed by a zero byte. Frozen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Makes the fingerprint from its frozen parts.
    #[must_use]
    pub fn new(rule: &str, id: Option<&str>, package: Option<&Purl>, location: &Location) -> Self {
        use std::io::Write as _;
        let mut text: Vec<u8> = Vec::with_capacity(256);
        // Writing into memory cannot fail.
        let _ = write!(text, "lazaret-finding-v1\0{rule}\0{}\0", id.unwrap_or_default());
        if let Some(package) = package {
            let _ = write!(text, "{}", Bare(package));
        }
        text.push(0);
        match location {
            Location::Subject => {}
            Location::Layer { diff_id, .. } => {
                let _ = write!(text, "{diff_id}");
            }
            Location::File { path, .. } | Location::Process { path, .. } => {
                text.extend_from_slice(path.as_bytes());
            }
        }
        text.push(0);
        let mut hex = Digest::of(&text).hex();
        hex.truncate(32);
        Self(hex)
    }

    /// The hex text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_made_of_its_frozen_parts() {
        let purl = Purl::new("deb", "openssl")
            .with_namespace("debian")
            .with_version("3.0.11-1")
            .with_qualifier("arch", "amd64");
        let location = Location::file("var/lib/dpkg/status", Some(0));
        let of = |layer| {
            let location = Location::file("var/lib/dpkg/status", layer);
            Fingerprint::new("known-vulnerability", Some("CVE-2099-1"), Some(&purl), &location)
        };
        let text = b"lazaret-finding-v1\0known-vulnerability\0CVE-2099-1\0pkg:deb/debian/openssl@3.0.11-1\0var/lib/dpkg/status\0";
        assert!(Digest::of(text).hex().starts_with(of(Some(0)).as_str()));
        assert_eq!(of(Some(0)).as_str().len(), 32);
        assert_eq!(of(Some(0)), of(Some(7)), "the layer's place is no part of it");
        assert_ne!(of(None), Fingerprint::new("known-vulnerability", None, Some(&purl), &location));
    }
}
