//! The results of a SARIF run: one for each finding, silenced ones too, marked as such.

use super::{Message, ROOT, level, relative_uri, rules};
use crate::difference;
use crate::event::{act_of, execution_of, input_of, program_of, side_name, tree_of};
use crate::group::{fixed_in, id_of, name_of};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::Write as _;
use vocabulary::{
    ArchiveEvidence, EventEvidence, Evidence, Finding, Fingerprint, OriginKind, Purl, Report, Risk,
    Suppressed,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifResult<'report> {
    rule_id: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    /// SARIF 3.27.25: 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<f64>,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints<'report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<Vec<Suppression<'report>>>,
    properties: Properties<'report>,
}

/// Two names for one value: ours, and the one by which GitHub tells alerts of one rule and file apart.
/// All packages of a distribution share one file, so without it they would fall together.
#[derive(Serialize)]
struct Fingerprints<'report> {
    #[serde(rename = "lazaret/v1")]
    own: &'report Fingerprint,
    #[serde(rename = "primaryLocationLineHash")]
    line: &'report Fingerprint,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl Location {
    /// What it is told apart by, where it has no line.
    pub(super) fn uri(&self) -> &str {
        &self.physical_location.artifact_location.uri
    }
}

impl ArtifactLocation {
    /// A file of a subject: one of a folder from the root of its checkout.
    pub(super) fn of(report: &Report, path: &str) -> Self {
        Self {
            uri: relative_uri(&report.subject.from_checkout(path)),
            uri_base_id: report.subject.is_folder().then_some(ROOT),
        }
    }

    /// The subject itself, which is no file.
    fn whole(report: &Report) -> Self {
        let subject = &report.subject;
        let folder = subject.checkout.as_deref().filter(|folder| !folder.is_empty());
        let name = last_part(subject.short_name());
        Self {
            uri: relative_uri(folder.unwrap_or(name)),
            uri_base_id: subject.is_folder().then_some(ROOT),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    start_line: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Suppression<'report> {
    kind: &'static str,
    status: &'static str,
    justification: &'report str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'report> {
    rule: &'report str,
    severity: vocabulary::Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'report Purl>,
    /// The version that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_version: Option<&'report str>,
    /// The last version that has it, where none is named that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_affected: Option<&'report str>,
    /// The version to go to, which may be a later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade_to: Option<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<u32>,
    origin: OriginKind,
    aliases: &'report [String],
    advisories: Vec<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<&'report Risk>,
}

pub(super) fn of<'report>(
    report: &'report Report,
    finding: &'report Finding,
    indexes: &HashMap<&str, usize>,
    suppressed: &HashMap<&Fingerprint, &'report Suppressed>,
) -> SarifResult<'report> {
    let rule_id = rules::rule_id(finding);
    let suppressions = suppressed
        .get(&finding.fingerprint)
        .map(|suppressed| Suppression {
            kind: "external",
            status: "accepted",
            justification: &suppressed.reason,
        })
        .into_iter()
        .collect();
    SarifResult {
        rule_id,
        rule_index: indexes.get(rule_id).copied(),
        level: level(finding.severity),
        rank: finding.risk.as_ref().map(|risk| f64::from(risk.rank) / 10.0),
        message: Message::new(&sentence(finding)),
        locations: [location(report, finding)],
        partial_fingerprints: Fingerprints {
            own: &finding.fingerprint,
            line: &finding.fingerprint,
        },
        // SARIF 3.27.23: where one result says so, all do.
        suppressions: Some(suppressions).filter(|_| !suppressed.is_empty()),
        properties: Properties {
            rule: &finding.rule,
            severity: finding.severity,
            package: finding.package.as_ref(),
            fixed_version: fixed_in(finding),
            last_affected: finding
                .upgrade()
                .filter(|fix| fix.version.is_none())
                .and_then(|fix| fix.after.as_deref()),
            upgrade_to: finding.offered(),
            subscription: finding.upgrade().and_then(|fix| fix.subscription.as_deref()),
            layer: finding.layer,
            origin: finding.origin,
            aliases: &finding.aliases,
            advisories: advisories(finding),
            risk: finding.risk.as_ref(),
        },
    }
}

fn advisories(finding: &Finding) -> Vec<&str> {
    finding
        .evidence
        .iter()
        .filter_map(|evidence| match evidence {
            Evidence::Advisory(advisory) => Some(advisory.record.as_str()),
            _ => None,
        })
        .collect()
}

/// One line that stands for itself: package, id, severity, title, what to do.
fn sentence(finding: &Finding) -> String {
    let mut text = String::new();
    if let Some(purl) = &finding.package {
        let _ = write!(text, "{} {}: ", name_of(purl), purl.version().unwrap_or_default());
    }
    let id = id_of(finding);
    if !finding.title.contains(id) {
        let _ = write!(text, "{id}: ");
    }
    let _ = write!(text, "{} ({})", finding.title.trim_end_matches('.'), finding.severity);
    if finding.is_rated_as_bundle() {
        text.push_str(", rated as a bundle");
    }
    for evidence in &finding.evidence {
        match evidence {
            Evidence::Digest { what, expected, found } => {
                let _ = write!(text, "; {what}: expected {expected}, found {found}");
            }
            Evidence::Difference { aspect, expected, found } => {
                let value = |value: &Option<String>| value.clone().unwrap_or("nothing".to_owned());
                let (expected, found) = (value(expected), value(found));
                let what = difference::name(*aspect);
                let _ = write!(text, "; {what}: expected {expected}, found {found}");
            }
            Evidence::Event(happened) => put_event(&mut text, happened),
            Evidence::Match(part) => {
                let place = part.span.map_or_else(String::new, |span| format!(":{span}"));
                let _ = write!(text, "; {}{place}: {}", part.file, part.redacted);
            }
            Evidence::Imported { tool, rule } => {
                let _ = write!(text, "; {tool}, rule {rule}");
            }
            Evidence::Archive(archive) => {
                let ArchiveEvidence { archive, suite, date, signer, .. } = archive.as_ref();
                let _ = write!(text, "; {suite} of {archive}, {date}, signed by {signer}");
            }
            Evidence::Advisory(_) => {}
        }
    }
    let is_flaw = matches!(id_of(finding), id if id != finding.rule);
    match (&finding.fix, &finding.package) {
        (Some(fix), _) => {
            let _ = write!(text, ". Fix: {}.", fix.title().trim_end_matches('.'));
        }
        (None, Some(_)) if is_flaw => text.push_str(". No fix is known."),
        (None, _) => text.push('.'),
    }
    text
}

/// What ran, who started it, as whom, and what it was held against.
fn put_event(text: &mut String, happened: &EventEvidence) {
    let EventEvidence { event, reason, expected, seal } = happened;
    let execution = execution_of(event);
    match execution {
        Some(ran) => {
            let _ = write!(text, "; {}: {reason}, {}", program_of(ran), side_name(ran.side));
        }
        None => {
            let _ = write!(text, "; {}: {reason}", act_of(&event.act));
        }
    }
    let _ = write!(text, "; process {}; user {}", tree_of(event), event.uid);
    if let Some(input) = execution.and_then(input_of) {
        let _ = write!(text, "; input {input}");
    }
    let digest = execution.and_then(|ran| ran.digest.as_ref());
    for (what, digest) in
        [("digest", digest), ("recorded", expected.as_ref()), ("seal", seal.as_ref())]
    {
        if let Some(digest) = digest {
            let _ = write!(text, "; {what} {digest}");
        }
    }
}

fn location(report: &Report, finding: &Finding) -> Location {
    let (artifact_location, line) = match &finding.location {
        vocabulary::Location::File { path, line, .. } => {
            (ArtifactLocation::of(report, path), line.unwrap_or(1))
        }
        vocabulary::Location::Process { path, .. } => (ArtifactLocation::of(report, path), 1),
        _ => (ArtifactLocation::whole(report), 1),
    };
    let mut logical_locations = Vec::new();
    if let Some(purl) = &finding.package {
        logical_locations.push(LogicalLocation {
            name: name_of(purl).into_owned(),
            fully_qualified_name: purl.to_string(),
            kind: "package",
        });
    }
    if let vocabulary::Location::Layer { index, diff_id } = &finding.location {
        logical_locations.push(LogicalLocation {
            name: format!("layer {index}"),
            fully_qualified_name: diff_id.to_string(),
            kind: "layer",
        });
    }
    if let vocabulary::Location::Process { container, pid, .. } = &finding.location {
        logical_locations.push(LogicalLocation {
            name: format!("process {pid}"),
            fully_qualified_name: format!("container {container}, process {pid}"),
            kind: "process",
        });
    }
    Location {
        physical_location: PhysicalLocation {
            artifact_location,
            // Code scanning services show no result without a line.
            region: Some(Region { start_line: line.max(1) }),
        },
        logical_locations,
    }
}

fn last_part(name: &str) -> &str {
    let name = name.trim_end_matches('/');
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}
