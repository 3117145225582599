//! The vulnerabilities of a bill of materials: one entry for each id, with all that it affects.
//!
//! CVEs are never merged; packages that one CVE affects are listed under it, each rating with the
//! record that it comes from. What policy silenced stays, with the reason as a property, because a
//! reason to ignore is not a statement about exploitability.

use super::Property;
use super::components::References;
use crate::group::id_of;
use crate::text::is_web_address;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vocabulary::{
    Evidence, Finding, Fingerprint, Purl, Report, Risk, Rule, Severity, Suppressed,
    VulnerabilityEvidence,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vulnerability<'report> {
    #[serde(rename = "bom-ref")]
    reference: String,
    id: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source<'report>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference<'report>>,
    ratings: Vec<Rating<'report>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'report str,
    #[serde(skip_serializing_if = "String::is_empty")]
    recommendation: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advisories: Vec<Advisory<'report>>,
    affects: Vec<Affects<'report>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Clone, PartialEq, Serialize)]
struct Source<'report> {
    name: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'report str>,
}

#[derive(PartialEq, Serialize)]
struct Reference<'report> {
    id: &'report str,
    source: Source<'report>,
}

#[derive(PartialEq, Serialize)]
struct Rating<'report> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source<'report>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'report str>,
}

#[derive(PartialEq, Serialize)]
struct Advisory<'report> {
    title: &'report str,
    url: &'report str,
}

#[derive(Serialize)]
struct Affects<'report> {
    #[serde(rename = "ref")]
    reference: Cow<'report, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<AffectedVersion<'report>>,
}

#[derive(PartialEq, Serialize)]
struct AffectedVersion<'report> {
    version: &'report str,
    status: &'static str,
}

/// Every vulnerability and malicious package, worst first.
pub(super) fn all<'report>(
    report: &'report Report,
    references: &'report References<'_>,
) -> impl Iterator<Item = Vulnerability<'report>> {
    let suppressed: HashMap<&Fingerprint, &Suppressed> =
        report.decision.suppressed.iter().map(|rule| (&rule.fingerprint, rule)).collect();
    let mut order: Vec<&str> = Vec::new();
    let mut by_id: HashMap<&str, Vec<&Finding>> = HashMap::new();
    let rules = [Rule::KNOWN_VULNERABILITY.id, Rule::MALICIOUS_PACKAGE.id];
    for finding in report.findings.iter().filter(|finding| rules.contains(&finding.rule.as_str())) {
        let findings = by_id.entry(id_of(finding)).or_insert_with(|| {
            order.push(id_of(finding));
            Vec::new()
        });
        findings.push(finding);
    }
    order.into_iter().map(move |id| {
        let findings = by_id.get(id).map_or(&[][..], Vec::as_slice);
        of(id, findings, references, &suppressed)
    })
}

fn of<'report>(
    id: &'report str,
    findings: &[&'report Finding],
    references: &'report References<'_>,
    suppressed: &HashMap<&Fingerprint, &'report Suppressed>,
) -> Vulnerability<'report> {
    let recommendations: BTreeSet<&str> =
        findings.iter().filter_map(|finding| finding.instruction()).collect();
    let recommendations: Vec<_> = recommendations.into_iter().collect();
    let own = advisories(findings).find(|advisory| advisory.record == id);
    let first = own.or_else(|| advisories(findings).next());
    Vulnerability {
        reference: format!("vulnerability:{id}"),
        id,
        source: first.map(|advisory| source(advisory)),
        references: notices(id, findings),
        ratings: ratings(findings),
        description: findings.first().map_or("", |finding| &finding.title),
        recommendation: recommendations.join("; "),
        advisories: pages(findings),
        affects: affects(findings, references),
        properties: findings
            .iter()
            .filter_map(|finding| suppressed.get(&finding.fingerprint))
            .map(|rule| Property::new("lazaret:ignored", &rule.reason))
            .chain(
                findings
                    .iter()
                    .find_map(|finding| finding.risk.as_ref())
                    .into_iter()
                    .flat_map(risk),
            )
            .collect(),
    }
}

/// What is known beyond the severity.
fn risk(risk: &Risk) -> Vec<Property> {
    let mut properties = vec![Property::new("lazaret:rank", risk.rank.to_string())];
    if let Some(exploited) = &risk.exploited {
        properties.push(Property::new("lazaret:exploited", &exploited.added));
    }
    if let Some(epss) = &risk.epss {
        properties.push(Property::new("lazaret:epss", epss.probability.to_string()));
    }
    if let Some(code) = risk.code {
        properties.push(Property::new("lazaret:vulnerable-code", code.name()));
    }
    properties
}

fn advisories<'report>(
    findings: &[&'report Finding],
) -> impl Iterator<Item = &'report VulnerabilityEvidence> {
    findings.iter().flat_map(|finding| &finding.evidence).filter_map(|evidence| match evidence {
        Evidence::Advisory(advisory) => Some(advisory.as_ref()),
        _ => None,
    })
}

fn source(advisory: &VulnerabilityEvidence) -> Source<'_> {
    Source {
        name: &advisory.ecosystem,
        url: advisory.url.as_deref().filter(|url| is_web_address(url)),
    }
}

/// The records that name it, and its other ids.
fn notices<'report>(id: &str, findings: &[&'report Finding]) -> Vec<Reference<'report>> {
    let mut notices: BTreeMap<&str, Source<'report>> = BTreeMap::new();
    for finding in findings {
        for alias in &finding.aliases {
            let name = alias.split('-').next().unwrap_or(alias);
            notices.insert(alias, Source { name, url: None });
        }
    }
    for advisory in advisories(findings) {
        notices.insert(&advisory.record, source(advisory));
    }
    notices.remove(id);
    notices.into_iter().map(|(id, source)| Reference { id, source }).collect()
}

fn ratings<'report>(findings: &[&'report Finding]) -> Vec<Rating<'report>> {
    let mut ratings = Vec::new();
    for finding in findings {
        let severity = severity_name(finding.severity);
        let one = [*finding];
        let scored = advisories(&one).find(|advisory| advisory.cvss.is_some());
        let rating = scored.or_else(|| advisories(&one).next()).map_or(
            Rating { source: None, score: None, severity, method: None, vector: None },
            |advisory| Rating {
                source: Some(match &advisory.severity_from {
                    Some(name) => Source { name, url: None },
                    None => source(advisory),
                }),
                score: advisory.score,
                severity,
                method: advisory.cvss.as_deref().map(method),
                vector: advisory.cvss.as_deref(),
            },
        );
        if !ratings.contains(&rating) {
            ratings.push(rating);
        }
    }
    ratings
}

fn pages<'report>(findings: &[&'report Finding]) -> Vec<Advisory<'report>> {
    let pages: BTreeMap<&str, &str> = advisories(findings)
        .filter_map(|advisory| Some((advisory.url.as_deref()?, advisory.record.as_str())))
        .filter(|(url, _)| is_web_address(url))
        .collect();
    pages.into_iter().map(|(url, title)| Advisory { title, url }).collect()
}

fn affects<'report>(
    findings: &[&'report Finding],
    references: &'report References<'_>,
) -> Vec<Affects<'report>> {
    let mut affects: BTreeMap<Cow<'_, str>, Vec<AffectedVersion<'report>>> = BTreeMap::new();
    for finding in findings {
        let reference = references.affected(finding.package.as_ref(), &finding.location);
        let versions = affects.entry(reference).or_default();
        let version = finding.package.as_ref().and_then(Purl::version);
        let version = version.map(|version| AffectedVersion { version, status: "affected" });
        versions.extend(version.filter(|version| !versions.contains(version)));
    }
    affects.into_iter().map(|(reference, versions)| Affects { reference, versions }).collect()
}

const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "unknown",
        Severity::Negligible => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn method(vector: &str) -> &'static str {
    match vector.split('/').next().unwrap_or_default() {
        "CVSS:4.0" => "CVSSv4",
        "CVSS:3.1" => "CVSSv31",
        "CVSS:3.0" => "CVSSv3",
        _ => "CVSSv2",
    }
}
