//! The vulnerabilities of a bill of materials: one entry for each id, with all that it affects.
//!
//! CVEs are never merged; packages that one CVE affects are listed under it, each rating with the
//! record that it comes from. What policy silenced stays, with the reason as its analysis: where it is
//! silenced at some places only, or for several reasons, each has an entry of its own, for an analysis
//! holds for all that its entry affects.

use super::Property;
use super::analysis::Analysis;
use super::components::References;
use crate::group::id_of;
use crate::text::is_web_address;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vocabulary::{
    Evidence, Finding, Fingerprint, Overridden, Purl, Report, Risk, Severity, Suppressed,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    analysis: Option<Analysis>,
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

/// Findings of one id that policy made the same of.
struct Entry<'report> {
    id: &'report str,
    analysis: Option<Analysis>,
    /// Which of the entries of its id it is.
    number: usize,
    findings: Vec<&'report Finding>,
}

/// Every vulnerability and malicious package, worst first.
pub(super) fn all<'report>(
    report: &'report Report,
    references: &'report References<'_>,
) -> impl Iterator<Item = Vulnerability<'report>> {
    let policy = Policy::of(report);
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut places: HashMap<(&str, Option<Analysis>), usize> = HashMap::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for finding in report.findings.iter().filter(|finding| finding.is_of_advisory()) {
        let id = id_of(finding);
        let silenced = policy.suppressed.get(&finding.fingerprint);
        let analysis = silenced.map(|suppressed| Analysis::of(suppressed));
        let place = *places.entry((id, analysis.clone())).or_insert_with(|| {
            let number = numbers.entry(id).or_default();
            *number += 1;
            entries.push(Entry { id, analysis, number: *number, findings: Vec::new() });
            entries.len() - 1
        });
        if let Some(entry) = entries.get_mut(place) {
            entry.findings.push(finding);
        }
    }
    entries.into_iter().map(move |entry| of(entry, references, &policy))
}

/// What policy made of findings.
struct Policy<'report> {
    suppressed: HashMap<&'report Fingerprint, &'report Suppressed>,
    overridden: HashMap<&'report Fingerprint, &'report Overridden>,
}

impl<'report> Policy<'report> {
    fn of(report: &'report Report) -> Self {
        let decision = &report.decision;
        Self {
            suppressed: decision.suppressed.iter().map(|one| (&one.fingerprint, one)).collect(),
            overridden: decision.overridden.iter().map(|one| (&one.fingerprint, one)).collect(),
        }
    }
}

fn of<'report>(
    entry: Entry<'report>,
    references: &'report References<'_>,
    policy: &Policy<'report>,
) -> Vulnerability<'report> {
    let Entry { id, analysis, number, findings } = entry;
    let recommendations: BTreeSet<&str> =
        findings.iter().filter_map(|finding| finding.instruction()).collect();
    let recommendations: Vec<_> = recommendations.into_iter().collect();
    let own = advisories(&findings).find(|advisory| advisory.record == id);
    let first = own.or_else(|| advisories(&findings).next());
    let silenced =
        findings.iter().filter_map(|finding| policy.suppressed.get(&finding.fingerprint));
    let reasons: BTreeSet<&str> = silenced.map(|rule| rule.reason.as_str()).collect();
    let known = findings.iter().find_map(|finding| finding.risk.as_ref());
    Vulnerability {
        reference: match number {
            1 => format!("vulnerability:{id}"),
            number => format!("vulnerability:{id}|{number}"),
        },
        id,
        source: first.map(|advisory| source(advisory)),
        references: notices(id, &findings),
        ratings: ratings(&findings, policy),
        description: findings.first().map_or("", |finding| &finding.title),
        recommendation: recommendations.join("; "),
        advisories: pages(&findings),
        affects: affects(&findings, references),
        properties: reasons
            .into_iter()
            .map(|reason| Property::new("lazaret:ignored", reason))
            .chain(known.into_iter().flat_map(risk))
            .collect(),
        analysis,
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

/// How severe it is, the one that counts first, and what else is said: each with whose word it is, and
/// with the vector that this very severity was computed from.
fn ratings<'report>(
    findings: &[&'report Finding],
    policy: &Policy<'report>,
) -> Vec<Rating<'report>> {
    let mut ratings = Vec::new();
    let mut add = |rating: Rating<'report>| {
        if !ratings.contains(&rating) {
            ratings.push(rating);
        }
    };
    for finding in findings {
        let overridden = policy.overridden.get(&finding.fingerprint);
        if let Some(overridden) = overridden {
            let source = Some(Source { name: &overridden.by, url: None });
            add(Rating::word(source, finding.severity));
        }
        let severity = overridden.map_or(finding.severity, |overridden| overridden.severity);
        let one = [*finding];
        let scored = advisories(&one).filter_map(Rating::scored);
        let (own, other): (Vec<_>, Vec<_>) =
            scored.partition(|rating| rating.severity == severity_name(severity));
        match own.into_iter().next() {
            Some(own) => add(own),
            None => add(Rating::word(by_word(&one), severity)),
        }
        other.into_iter().for_each(&mut add);
    }
    ratings
}

/// Who rated it in words; none where several may have.
fn by_word<'report>(finding: &[&'report Finding; 1]) -> Option<Source<'report>> {
    let mut records = advisories(finding).filter(|advisory| advisory.score.is_none());
    let first = records.next()?;
    records.next().is_none().then(|| rated_by(first))
}

/// The record that a rating is from.
fn rated_by(advisory: &VulnerabilityEvidence) -> Source<'_> {
    match &advisory.severity_from {
        Some(name) => Source { name, url: None },
        None => source(advisory),
    }
}

impl<'report> Rating<'report> {
    /// A severity without a vector.
    fn word(source: Option<Source<'report>>, severity: Severity) -> Self {
        let severity = severity_name(severity);
        Self { source, score: None, severity, method: None, vector: None }
    }

    /// What the vector of a record says.
    fn scored(advisory: &'report VulnerabilityEvidence) -> Option<Self> {
        let (score, vector) = (advisory.score?, advisory.cvss.as_deref()?);
        Some(Self {
            source: Some(rated_by(advisory)),
            score: Some(score),
            severity: severity_name(Severity::from_score(score)),
            method: Some(method(vector)),
            vector: Some(vector),
        })
    }
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
