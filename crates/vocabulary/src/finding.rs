//! Findings: what checks and matching produce, with the evidence that a sceptic needs.
//!
//! A finding never prints, exits or blocks; policy decides.

use crate::{
    Class, Confidence, Ecosystem, Evidence, Fingerprint, Fix, Location, OriginKind, Purl, Risk,
    Rule, Severity, VulnerableCode,
};
use serde::{Deserialize, Serialize};

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of its rule, which the report carries.
    pub rule: String,
    /// The rule's class.
    #[serde(default)]
    pub class: Class,
    /// For a vulnerability: the CVE, or the record's own id where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Other ids of the same vulnerability, sorted. Never another CVE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// How bad.
    pub severity: Severity,
    /// How sure it is that it is one. High unless said otherwise: what is known for certain, as far as
    /// those say who answer for it.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    pub confidence: Confidence,
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

/// How sure findings are of which nothing is said.
const fn usual() -> Confidence {
    Confidence::High
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_usual(confidence: &Confidence) -> bool {
    matches!(confidence, Confidence::High)
}

impl Finding {
    /// Whether it is a vulnerability that an advisory names, in a package.
    #[must_use]
    pub const fn is_vulnerability(&self) -> bool {
        matches!(self.class, Class::Vulnerability) && self.id.is_some()
    }

    /// Whether an advisory names it, as a vulnerability or as malware: then its id is what people know
    /// it by.
    #[must_use]
    pub const fn is_of_advisory(&self) -> bool {
        matches!(self.class, Class::Vulnerability | Class::Malware) && self.id.is_some()
    }

    /// The other version that mends it, where one does.
    #[must_use]
    pub fn upgrade(&self) -> Option<&crate::fix::Upgrade> {
        self.fix.as_ref()?.upgrade()
    }

    /// The version to go to; the one place that says so. See [`crate::fix::Upgrade::to`].
    #[must_use]
    pub fn offered(&self) -> Option<&str> {
        self.upgrade()?.to.as_deref()
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
            rule: rule.id.clone().into_owned(),
            class: rule.class,
            id: None,
            aliases: Vec::new(),
            severity: rule.severity,
            confidence: usual(),
            title,
            more_places: 0,
            fingerprint: Fingerprint::new(&rule.id, identity, None, &location),
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

/// The CVE that a distribution's name of it stands for, such as `UBUNTU-CVE-2024-1234`.
#[must_use]
pub fn cve_of(id: &str) -> Option<&str> {
    let at = id.to_ascii_uppercase().find("-CVE-")?;
    let prefix = id.get(..at)?;
    let of_feed = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    id.get(at + 1..).filter(|_| of_feed)
}
