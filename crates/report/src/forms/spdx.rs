//! SPDX 2.3, JSON: a bill of materials.
//!
//! Packages are written one at a time, each with its package URL; the subject contains them, and the
//! document describes the subject. Who needs whom is a relationship: `DEPENDS_ON` for what runs, and of
//! what the project asks for itself to build or test, or where it is there, `DEV_DEPENDENCY_OF` and
//! `OPTIONAL_DEPENDENCY_OF`; of a package of which nothing says what it needs it is `NOASSERTION`, and
//! `NONE` of one that needs nothing. What SPDX has no field for (layer, origin, place) is annotated as
//! `lazaret:key=value`, by which the bill is read back to the same findings. The namespace is made of
//! the content, so that the same input gives the same one; SPDX asks for a time of creation, which
//! is that of the run. Sources: SPDX specification 2.3, clauses 6 to 12; NTIA, "The Minimum Elements
//! For a Software Bill of Materials", 2021.

use crate::edges::Edges;
use crate::form::{Form, Format};
use crate::forms::cyclonedx::{
    Property, component_properties, root_version, subject_properties, uuid_of,
};
use crate::forms::json::{Stream, write};
use crate::style::{Style, author_name};
use crate::supplier;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use vocabulary::{Package, Relation, Report, Scope, SubjectKind};

/// SPDX 2.3, JSON: packages alone. Its annex D recommends the name of the file.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".spdx.json"],
    names: "`.spdx.json`",
    is_json: true,
    has_verdict: false,
    packages: Some(render),
    ..Form::new("spdx", render)
};

/// The time where wiring gives none: the beginning of Unix time, plainly not a real one.
const NO_TIME: &str = "1970-01-01T00:00:00Z";
/// Characters kept of one licence text.
const LICENCE_CHARACTERS: usize = 300;
/// Licences of one package that are written.
const LICENCES: usize = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'report, P, R> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: Cow<'report, str>,
    document_namespace: String,
    creation_info: CreationInfo<'report>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'report>>,
    packages: P,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<Extracted>,
    relationships: R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationInfo<'report> {
    created: &'report str,
    creators: Vec<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation<'report> {
    annotation_date: &'report str,
    annotation_type: &'static str,
    annotator: String,
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'report> {
    #[serde(rename = "SPDXID")]
    id: String,
    name: Cow<'report, str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_info: String,
    supplier: String,
    download_location: &'static str,
    files_analyzed: bool,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_package_purpose: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'report>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extracted {
    license_id: String,
    name: String,
    extracted_text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const SUBJECT: &str = "SPDXRef-Subject";
const DISTRIBUTION: &str = "SPDXRef-Distribution";

/// What every part of a document is written with.
struct Writer<'report> {
    report: &'report Report,
    style: &'report Style,
    time: &'report str,
    annotator: String,
    /// diffIDs by index of layer.
    layers: HashMap<u32, String>,
    /// Licence texts that are no SPDX expression, with their reference.
    texts: BTreeMap<&'report str, String>,
}

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let time = style.time().unwrap_or(NO_TIME);
    let writer = Writer::new(report, style, time);
    let edges = Edges::of(&report.packages);
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: report.subject.plain_name(),
        document_namespace: format!("urn:uuid:{}", uuid_of(report, "lazaret-spdx-v1")),
        creation_info: CreationInfo { created: time, creators: writer.creators() },
        annotations: writer.coverage(),
        packages: Stream(|| writer.packages()),
        has_extracted_licensing_infos: writer.extracted(),
        relationships: Stream(|| writer.relationships(&edges)),
    };
    write(&document, out)
}

impl<'report> Writer<'report> {
    fn new(report: &'report Report, style: &'report Style, time: &'report str) -> Self {
        let stated = report.packages.iter().flat_map(|package| written(&package.licences));
        let texts = stated
            .filter(|text| !is_expression(text))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .zip(1_u64..)
            .map(|(text, number)| (text, format!("LicenseRef-{number}")))
            .collect();
        Self {
            report,
            style,
            time,
            annotator: format!("Tool: {}-{}", report.tool.name, report.tool.version),
            layers: report
                .layers
                .iter()
                .map(|layer| (layer.index, layer.diff_id.to_string()))
                .collect(),
            texts,
        }
    }

    /// The program, and whom the user names.
    fn creators(&self) -> Vec<String> {
        let author = self.style.author.as_deref().map(author_name);
        let author = author.map(|(kind, name)| format!("{kind}: {}", one_line(name)));
        std::iter::once(self.annotator.clone()).chain(author).collect()
    }

    fn note(&self, comment: String) -> Annotation<'report> {
        Annotation {
            annotation_date: self.time,
            annotation_type: "OTHER",
            annotator: self.annotator.clone(),
            comment,
        }
    }

    /// One annotation with a line for each property; the names keep their `lazaret:`.
    fn notes(&self, properties: &[Property]) -> Vec<Annotation<'report>> {
        if properties.is_empty() {
            return Vec::new();
        }
        let lines: Vec<String> = properties
            .iter()
            .map(|property| format!("{}={}", property.name(), on_a_line(property.value())))
            .collect();
        vec![self.note(lines.join("\n"))]
    }

    /// What was not looked at in full, and content that is not what it claims to be.
    fn coverage(&self) -> Vec<Annotation<'report>> {
        let properties = crate::forms::cyclonedx::coverage(self.report);
        self.notes(&properties)
    }

    fn packages(&self) -> impl Iterator<Item = Entry<'report>> {
        let packages = self.report.packages.iter().enumerate();
        [Some(self.subject()), self.distribution()]
            .into_iter()
            .flatten()
            .chain(packages.map(|(index, package)| self.package(index, package)))
    }

    fn subject(&self) -> Entry<'report> {
        let subject = &self.report.subject;
        let purpose = match subject.kind {
            SubjectKind::Image | SubjectKind::Container => "CONTAINER",
            SubjectKind::RootDirectory | SubjectKind::Host => "OPERATING-SYSTEM",
            SubjectKind::SourceDirectory => "SOURCE",
            SubjectKind::Sbom => "OTHER",
        };
        let mut properties = subject_properties(self.report);
        if let Some(digest) = &subject.manifest_digest {
            properties.push(Property::new("lazaret:image:manifest", digest.to_string()));
        }
        Entry {
            version_info: root_version(self.report),
            supplier: self.style.supplier().map_or_else(
                || organization(None),
                |(kind, name)| format!("{kind}: {}", one_line(name)),
            ),
            primary_package_purpose: Some(purpose).filter(|purpose| *purpose != "OPERATING-SYSTEM"),
            annotations: self.notes(&properties),
            ..entry(SUBJECT.to_owned(), subject.plain_name())
        }
    }

    fn distribution(&self) -> Option<Entry<'report>> {
        let distribution = self.report.distribution.as_ref()?;
        Some(Entry {
            version_info: distribution.version.clone(),
            supplier: organization(Some(supplier::vendor(&distribution.id))),
            primary_package_purpose: Some("OPERATING-SYSTEM"),
            summary: distribution.pretty_name.as_deref(),
            annotations: self
                .notes(&crate::forms::cyclonedx::distribution_properties(distribution)),
            ..entry(DISTRIBUTION.to_owned(), distribution.id.as_str().into())
        })
    }

    fn package(&self, index: usize, package: &'report Package) -> Entry<'report> {
        let mut properties = component_properties(package, &self.layers);
        if let Some(path) = package.location.path() {
            properties.push(Property::new("lazaret:location:path", path));
        }
        if let vocabulary::Location::File { line: Some(line), .. } = &package.location {
            properties.push(Property::new("lazaret:location:line", line.to_string()));
        }
        Entry {
            version_info: package.version.clone(),
            supplier: organization(supplier::of(package)),
            license_declared: self.licence(package),
            source_info: package.location.path().map(|path| format!("found by {path}")),
            external_refs: vec![Reference {
                reference_category: "PACKAGE-MANAGER",
                reference_type: "purl",
                reference_locator: package.purl.to_string(),
            }],
            annotations: self.notes(&properties),
            ..entry(id_of(index), package.name.as_str().into())
        }
    }

    /// All that is stated, joined: each must be met as far as the package says.
    fn licence(&self, package: &Package) -> String {
        let parts: Vec<String> = written(&package.licences)
            .map(|text| match self.texts.get(text) {
                Some(reference) => reference.clone(),
                None if text.contains(' ') && package.licences.len() > 1 => format!("({text})"),
                None => text.to_owned(),
            })
            .collect();
        if parts.is_empty() { "NOASSERTION".to_owned() } else { parts.join(" AND ") }
    }

    fn extracted(&self) -> Vec<Extracted> {
        self.texts
            .iter()
            .map(|(text, reference)| {
                let short: String = text.chars().take(LICENCE_CHARACTERS).collect();
                Extracted {
                    license_id: reference.clone(),
                    name: short.clone(),
                    extracted_text: short,
                }
            })
            .collect()
    }

    fn relationships<'all>(
        &'all self,
        edges: &'all Edges<'report>,
    ) -> impl Iterator<Item = Relationship> + 'all {
        let contains = |id: String| related(SUBJECT, "CONTAINS", &id);
        let distribution = self.report.distribution.as_ref().map(|_| DISTRIBUTION.to_owned());
        let packages = (0..self.report.packages.len()).map(id_of);
        let contained = distribution.into_iter().chain(packages).map(contains);
        let all = self.report.packages.iter().enumerate();
        let needed = all.flat_map(move |(index, package)| needs(edges, index, package));
        std::iter::once(related(DOCUMENT, "DESCRIBES", SUBJECT)).chain(contained).chain(needed)
    }
}

/// How the project needs a package that it asks for itself, and what the package needs.
fn needs<'report>(
    edges: &Edges<'report>,
    index: usize,
    package: &'report Package,
) -> impl Iterator<Item = Relationship> + use<'report> {
    let id = id_of(index);
    let of_project = (package.relation == Some(Relation::Direct)).then(|| match package.scope {
        Some(Scope::Development) => related(&id, "DEV_DEPENDENCY_OF", SUBJECT),
        Some(Scope::Optional) => related(&id, "OPTIONAL_DEPENDENCY_OF", SUBJECT),
        Some(Scope::Runtime) | None => related(SUBJECT, "DEPENDS_ON", &id),
    });
    let needs = edges.needs(package);
    let none = needs.is_empty().then(|| {
        // SPDX 2.3, 11.1: `NONE` where it is known that there is nothing.
        let nothing = if edges.are_known(package) { "NONE" } else { "NOASSERTION" };
        related(&id, "DEPENDS_ON", nothing)
    });
    let needs = needs.into_iter().map(move |needed| related(&id, "DEPENDS_ON", &id_of(needed)));
    of_project.into_iter().chain(none).chain(needs)
}

fn related(from: &str, how: &'static str, to: &str) -> Relationship {
    Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type: how,
        related_spdx_element: to.to_owned(),
    }
}

/// A supplier in the form of SPDX 2.3, 7.5.
fn organization(name: Option<&str>) -> String {
    name.map_or_else(
        || "NOASSERTION".to_owned(),
        |name| format!("Organization: {}", one_line(name)),
    )
}

/// A value as a line of an annotation holds it: as JSON has texts, where it would not come back as it is.
fn on_a_line(value: &str) -> Cow<'_, str> {
    let is_plain = !value.starts_with('"')
        && value.trim() == value
        && !value.contains(|letter: char| letter.is_control());
    match serde_json::to_string(value) {
        Ok(quoted) if !is_plain => Cow::Owned(quoted),
        _ => Cow::Borrowed(value),
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn entry(id: String, name: Cow<'_, str>) -> Entry<'_> {
    Entry {
        id,
        name,
        version_info: String::new(),
        supplier: organization(None),
        download_location: "NOASSERTION",
        files_analyzed: false,
        license_concluded: "NOASSERTION",
        license_declared: "NOASSERTION".to_owned(),
        copyright_text: "NOASSERTION",
        primary_package_purpose: None,
        summary: None,
        source_info: None,
        external_refs: Vec::new(),
        annotations: Vec::new(),
    }
}

fn id_of(index: usize) -> String {
    format!("SPDXRef-Package-{index}")
}

fn written(licences: &[String]) -> impl Iterator<Item = &str> {
    licences.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).take(LICENCES)
}

fn is_expression(text: &str) -> bool {
    text.len() <= LICENCE_CHARACTERS
        && !text.contains("LicenseRef-")
        && spdx::Expression::parse(text).is_ok()
}
