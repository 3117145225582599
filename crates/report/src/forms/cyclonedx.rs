//! CycloneDX 1.6, JSON: a bill of materials, and with it the vulnerabilities.
//!
//! Components are written one at a time. The serial number is made of the content, so that the same
//! input gives the same one; the time is that of the run, unless wiring names another. What the standard
//! has no field for (layers, origin, coverage) is a property under `lazaret:`. The bill has what NTIA
//! calls the minimum: author, time, and of each component name, version, identifier, supplier where that
//! is known, and what it needs. Sources: CycloneDX specification 1.6, `bom-1.6.schema.json`; NTIA, "The
//! Minimum Elements For a Software Bill of Materials", 2021.

mod analysis;
mod components;
mod dependencies;
mod evidence;
mod licences;
mod vulnerabilities;

use crate::edges::Edges;
use crate::form::{Form, Format};
use crate::forms::json::{Stream, write};
use crate::style::{Style, author_name};
use crate::text::escape;
use components::{Component, References, Supplier};
pub(crate) use components::{
    component_properties, distribution_properties, root_version, subject_properties,
};
use dependencies::Composition;
use serde::Serialize;
use sha2::Digest as _;
use std::io;
use vocabulary::{Class, Coverage, Finding, Report, Status, SubjectKind};

/// CycloneDX 1.6, JSON, under the names that it recommends (`bom.json`, `*.cdx.json`).
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".cdx.json"],
    is_name: |name| name == "bom.json",
    names: "`.cdx.json` or `bom.json`",
    is_json: true,
    has_verdict: false,
    packages: Some(|report, style, out| render(report, style, Content::Packages, out)),
    ..Form::new("cyclonedx", |report, style, out| render(report, style, Content::All, out))
};

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
struct Bom<'report, C, D, V> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u8,
    metadata: Metadata<'report>,
    components: C,
    dependencies: D,
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
    authors: [Author; 1],
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
    supplier: Supplier<'report>,
    name: &'report str,
    version: &'report str,
}

/// Who answers for the bill: whom the user names, else the program alone.
#[derive(Serialize)]
struct Author {
    name: String,
}

impl Author {
    fn of(report: &Report, style: &Style) -> Self {
        let given = style.author.as_deref().map(|author| author_name(author).1.to_owned());
        Self {
            name: given.unwrap_or_else(|| format!("{} {}", report.tool.name, report.tool.version)),
        }
    }
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
    let edges = Edges::of(&report.packages);
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(report, content),
        version: 1,
        metadata: Metadata {
            timestamp: style.time(),
            tools: Tools {
                components: [ToolComponent {
                    kind: "application",
                    supplier: Supplier { name: &report.tool.name },
                    name: &report.tool.name,
                    version: &report.tool.version,
                }],
            },
            authors: [Author::of(report, style)],
            component: components::root(report, style, &root),
            properties: coverage(report),
        },
        components: Stream(|| components::all(report, &references)),
        dependencies: Stream(|| dependencies::all(report, &references, &edges)),
        compositions: dependencies::compositions(report, &references, &edges),
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
    let mismatches = report
        .findings
        .iter()
        .filter(|finding| !finding.is_of_advisory() && !is_remark(report, finding))
        .map(|finding| Property::new(format!("lazaret:{}", finding.rule), escape(&about(finding))));
    properties.extend(mismatches);
    // Which is another thing than that none are listed.
    let lacks = |one: &Coverage| {
        matches!(one.check.as_str(), "packages" | "sbom") && one.status != Status::Ran
    };
    let looked = !report.coverage.is_empty() && !report.coverage.iter().any(lacks);
    if report.packages.is_empty() && looked {
        properties.push(Property::new("lazaret:packages", "none"));
    }
    properties
}

/// Whether it says something of the policy, and nothing of the material: an ignore that has run out.
fn is_remark(report: &Report, finding: &Finding) -> bool {
    finding.class == Class::Policy
        && report.rules.get(&finding.rule).is_some_and(|rule| rule.always.is_none())
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
        add(&format!("{:?} {:?}", package.relation, package.scope));
        for needed in &package.requires {
            add(&needed.to_string());
        }
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
