//! CycloneDX 1.6, JSON: a bill of materials, and with it the vulnerabilities.
//!
//! Components are written one at a time. The serial number is made of the content, so that the same
//! input gives the same bytes. What the standard has no field for (layers, origin, coverage) is a
//! property under `lazaret:`. Source: CycloneDX specification 1.6, `bom-1.6.schema.json`.

mod components;
mod evidence;
mod licences;
mod vulnerabilities;

use crate::Style;
use crate::json::{Stream, write};
use crate::text::escape;
use components::{Component, References};
pub(crate) use components::{component_properties, distribution_properties, subject_properties};
use serde::Serialize;
use sha2::Digest as _;
use std::io;
use vocabulary::{Coverage, Finding, Report, Rule, Status, SubjectKind};

/// How much a document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Packages and vulnerabilities.
    All,
    /// Packages alone.
    Packages,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'report, C, V> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u8,
    metadata: Metadata<'report>,
    components: C,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compositions: Vec<Composition<'report>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerabilities: Option<V>,
}

#[derive(Serialize)]
struct Metadata<'report> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'report str>,
    tools: Tools<'report>,
    component: Component<'report>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools<'report> {
    components: [ToolComponent<'report>; 1],
}

#[derive(Serialize)]
struct ToolComponent<'report> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'report str,
    version: &'report str,
}

/// Says that a part of the document is not all there is.
#[derive(Serialize)]
struct Composition<'report> {
    aggregate: &'static str,
    assemblies: [&'report str; 1],
}

/// What a standard has no field for, under `lazaret:`. SPDX annotates the same.
#[derive(Serialize)]
pub(crate) struct Property {
    name: String,
    value: String,
}

impl Property {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    /// A check that did not run in full.
    pub(crate) fn of_coverage(coverage: &Coverage) -> Self {
        let status = match coverage.status {
            Status::Ran => "ran",
            Status::Partial => "partial",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        };
        let reason = coverage.reason.as_ref().map(|reason| format!(": {}", escape(reason)));
        let value = format!("{status}{}", reason.unwrap_or_default());
        Self::new(format!("lazaret:coverage:{}", escape(&coverage.check)), value)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn value(&self) -> &str {
        &self.value
    }
}

pub(crate) fn render(
    report: &Report,
    style: &Style,
    content: Content,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let references = References::of(report);
    let root = references.root().to_owned();
    let partial = report.coverage.iter().any(|coverage| coverage.status != Status::Ran);
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(report, content),
        version: 1,
        metadata: Metadata {
            timestamp: style.timestamp.as_deref(),
            tools: Tools {
                components: [ToolComponent {
                    kind: "application",
                    name: &report.tool.name,
                    version: &report.tool.version,
                }],
            },
            component: components::root(report, &root),
            properties: coverage(report),
        },
        components: Stream(|| components::all(report, &references)),
        compositions: partial
            .then(|| Composition { aggregate: "incomplete", assemblies: [&root] })
            .into_iter()
            .collect(),
        vulnerabilities: (content == Content::All)
            .then_some(Stream(|| vulnerabilities::all(report, &references))),
    };
    write(&bom, out)
}

/// What was not checked in full, and content that is not what it claims to be.
pub(crate) fn coverage(report: &Report) -> Vec<Property> {
    let mut properties: Vec<_> = report
        .coverage
        .iter()
        .filter(|coverage| coverage.status != Status::Ran)
        .map(Property::of_coverage)
        .collect();
    // A bill of materials lists vulnerabilities; that the material is not the one is said here.
    let own = [Rule::KNOWN_VULNERABILITY, Rule::MALICIOUS_PACKAGE, Rule::EXPIRED_IGNORE];
    let mismatches = report
        .findings
        .iter()
        .filter(|finding| own.iter().all(|rule| rule.id != finding.rule))
        .map(|finding| Property::new(format!("lazaret:{}", finding.rule), escape(&about(finding))));
    properties.extend(mismatches);
    properties
}

/// The title of a finding, with its file or process unless the title names that.
fn about(finding: &Finding) -> String {
    match finding.location.path() {
        Some(path) if !finding.title.contains(path) => {
            format!("{}: {}", finding.title, finding.location)
        }
        _ => finding.title.clone(),
    }
}

/// A UUID of version 8 (RFC 9562, 5.8) made of what the document is about.
fn serial_number(report: &Report, content: Content) -> String {
    let whole = content == Content::All;
    let kind = if whole { "lazaret-bom-v1" } else { "lazaret-packages-v1" };
    let findings = if whole { report.findings.as_slice() } else { &[] };
    format!("urn:uuid:{}", uuid(report, kind, findings))
}

/// The same for a document of another form that holds no findings.
pub(crate) fn uuid_of(report: &Report, kind: &str) -> String {
    uuid(report, kind, &[])
}

fn uuid(report: &Report, kind: &str, findings: &[Finding]) -> String {
    let mut hasher = sha2::Sha256::new();
    let mut add = |text: &str| {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    };
    add(kind);
    add(&report.tool.version);
    add(&report.subject.name);
    for digest in [&report.subject.manifest_digest, &report.subject.config_digest] {
        add(&digest.as_ref().map(ToString::to_string).unwrap_or_default());
    }
    for layer in &report.layers {
        add(&layer.diff_id.to_string());
    }
    for package in &report.packages {
        add(&package.purl.to_string());
        add(&package.location.to_string());
    }
    for finding in findings {
        add(finding.fingerprint.as_str());
        add(finding.severity.name());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut number = u128::from_be_bytes(std::array::from_fn(|index| {
        digest.get(index).copied().unwrap_or_default()
    }));
    number = number & !(0xf << 76) | (8 << 76);
    number = number & !(0b11 << 62) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    )
}

/// The kind of component that a subject is.
const fn kind_of(subject: SubjectKind) -> &'static str {
    match subject {
        SubjectKind::Image | SubjectKind::Container => "container",
        SubjectKind::RootDirectory | SubjectKind::Host => "operating-system",
        SubjectKind::SourceDirectory | SubjectKind::Sbom => "application",
    }
}
