//! SPDX 2.2 and 2.3, as JSON and as tag-value, and SPDX 3.0 as JSON-LD.
//!
//! All give the same types, of which the document is then made. The document's root and its distribution are told from its packages by relationship and purpose;
//! what Lazaret says beyond SPDX stands in annotations, `lazaret:key=value`, by which its own
//! documents give the same findings as the image. Source: SPDX specification 2.3, clauses 6, 7, 11, 12.

mod linked;
mod tags;

pub(crate) use linked::read as read_linked;
pub(crate) use tags::read as read_tags;

use crate::document::{Component, Document};
use crate::error::{SbomError, json};
use crate::limits::{COMPONENTS, LICENCES, kept};
use crate::relations::{Edge, relate};
use crate::stated::{self, distribution_id, relative};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use vocabulary::{Distribution, Ecosystem, Problem, Scope};

/// What the element of a relationship may be that is none: clauses 11.1 and 11.2.
const NO_ELEMENT: [&str; 3] = ["NONE", "NOASSERTION", "SPDXRef-DOCUMENT"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spdx {
    packages: Vec<Entry>,
    relationships: Vec<Relationship>,
    #[serde(rename = "documentDescribes")]
    describes: Vec<String>,
    annotations: Vec<Annotation>,
    #[serde(rename = "creationInfo")]
    creation: Creation,
    files: Vec<Named>,
    snippets: Vec<Named>,
    #[serde(rename = "externalDocumentRefs")]
    others: Vec<Other>,
    #[serde(rename = "hasExtractedLicensingInfos")]
    extracted: Vec<Extracted>,
}

/// A licence that is in no list: clause 10.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Extracted {
    #[serde(rename = "licenseId")]
    id: String,
    #[serde(rename = "extractedText", deserialize_with = "cut")]
    text: String,
}

/// A text of which no more is kept than is used.
fn cut<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| kept(&text))
}

/// Another document that this one names: clause 6.6.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Other {
    #[serde(rename = "externalDocumentId")]
    id: String,
    #[serde(rename = "spdxDocument")]
    address: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Creation {
    creators: Vec<String>,
}

/// A file or snippet, of which no more counts than that it is described.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(rename = "SPDXID")]
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(rename = "versionInfo")]
    version: Option<String>,
    #[serde(rename = "primaryPackagePurpose")]
    purpose: Option<String>,
    #[serde(rename = "licenseDeclared")]
    declared: Option<String>,
    #[serde(rename = "licenseConcluded")]
    concluded: Option<String>,
    #[serde(rename = "sourceInfo")]
    source_info: Option<String>,
    #[serde(rename = "externalRefs")]
    references: Vec<Reference>,
    annotations: Vec<Annotation>,
    summary: Option<String>,
    #[serde(rename = "hasFiles")]
    files: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(rename = "referenceType")]
    kind: String,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation {
    comment: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relationshipType")]
    kind: String,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
    /// For what, in SPDX 3: `LifecycleScopeType`.
    scope: String,
}

pub(crate) fn read(bytes: &[u8], version: &str) -> Result<Document, SbomError> {
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        return Err(SbomError::Version {
            form: "SPDX",
            version: version.chars().take(40).collect(),
            known: "SPDX-2.2 or SPDX-2.3",
        });
    }
    document(version.replacen('-', " ", 1), json("SPDX", bytes)?)
}

fn document(form: String, spdx: Spdx) -> Result<Document, SbomError> {
    if spdx.packages.len() > COMPONENTS {
        return Err(SbomError::TooMany);
    }
    let root_id = root(&spdx).map(str::to_owned);
    let with_files = root_id.as_deref().is_some_and(|id| has_files(&spdx, id));
    let mut subject = None;
    let edges: Vec<Edge> = spdx.relationships.iter().filter_map(edge).collect();
    let mut document = Document { form, problems: named_only(&spdx), ..Document::default() };
    for (name, value) in own(&spdx.annotations) {
        document.take_own(name, &value);
    }
    let texts: HashMap<String, String> =
        spdx.extracted.into_iter().take(COMPONENTS).map(|one| (one.id, one.text)).collect();
    // Tools that name the source package wherever it has another name.
    let known = |creator: &String| {
        let creator = creator.to_ascii_lowercase();
        ["tool: syft", "tool: trivy"].iter().any(|tool| creator.starts_with(tool))
    };
    let sources_told = spdx.creation.creators.iter().any(known);
    let mut likely = None;
    let mut is_image = false;
    for entry in spdx.packages {
        let purpose = entry.purpose.as_deref().unwrap_or_default();
        let has_purl = entry.references.iter().any(|one| one.kind == "purl");
        let root = root_id.as_deref() == Some(entry.id.as_str());
        if purpose == "OPERATING-SYSTEM" || entry.id.starts_with("SPDXRef-OperatingSystem-") {
            document.runs_on(distribution(&entry));
        } else if root && (purpose == "CONTAINER" || spdx_root(&entry, has_purl)) {
            is_image = purpose == "CONTAINER";
            about(&entry, &mut document);
        } else if !has_purl && is_distribution(&entry) {
            likely.get_or_insert_with(|| distribution(&entry));
        } else if has_purl || !is_group(&entry, purpose) {
            let is_project = is_project(&entry, purpose, with_files);
            let more = further_purls(&entry);
            let mut component = component(entry, &texts);
            component.stated.sources_told |= sources_told;
            if document.components.len().saturating_add(more.len()) > COMPONENTS {
                return Err(SbomError::TooMany);
            }
            document.components.extend(more.into_iter().map(|purl| Component {
                purl: Some(purl),
                ungrouped: false,
                ..component.clone()
            }));
            if root && is_project {
                document.name = Some(component.name.clone()).filter(|name| !name.is_empty());
                subject = Some(component);
            } else {
                document.components.push(component);
            }
        }
    }
    let asks = root_id.as_deref().filter(|_| !is_image);
    relate(&mut document, asks, &edges);
    document.is_about(subject);
    if document.distribution.is_none() {
        document.distribution = likely;
    }
    Ok(document)
}

/// What a relationship says of who needs whom, and for what.
fn edge(one: &Relationship) -> Option<Edge> {
    let of_scope = match one.scope.as_str() {
        "runtime" => Some(Scope::Runtime),
        "development" | "build" | "test" => Some(Scope::Development),
        _ => None,
    };
    let kind = one.kind.as_str();
    let (is_reversed, scope) = match kind {
        "DEPENDS_ON" | "HAS_PREREQUISITE" | "dependsOn" | "hasPrerequisite" => (false, of_scope),
        "hasOptionalDependency" => (false, Some(Scope::Optional)),
        "DEPENDENCY_OF" | "PREREQUISITE_FOR" => (true, None),
        "RUNTIME_DEPENDENCY_OF" | "PROVIDED_DEPENDENCY_OF" => (true, Some(Scope::Runtime)),
        "OPTIONAL_DEPENDENCY_OF" | "OPTIONAL_COMPONENT_OF" => (true, Some(Scope::Optional)),
        "BUILD_DEPENDENCY_OF"
        | "DEV_DEPENDENCY_OF"
        | "TEST_DEPENDENCY_OF"
        | "BUILD_TOOL_OF"
        | "DEV_TOOL_OF"
        | "TEST_TOOL_OF" => (true, Some(Scope::Development)),
        _ => return None,
    };
    let (from, to) = match is_reversed {
        false => (one.from.clone(), one.to.clone()),
        true => (one.to.clone(), one.from.clone()),
    };
    Some(Edge { from, to, scope })
}

/// The one package that the document is about. Where it describes its packages one by one, none of
/// them is the root.
fn root(spdx: &Spdx) -> Option<&str> {
    const DOCUMENT: &str = "SPDXRef-DOCUMENT";
    let named = spdx.relationships.iter().filter_map(|one| match one.kind.as_str() {
        "DESCRIBES" if one.from == DOCUMENT => Some(one.to.as_str()),
        "DESCRIBED_BY" if one.to == DOCUMENT => Some(one.from.as_str()),
        _ => None,
    });
    let described: HashSet<&str> = named.chain(spdx.describes.iter().map(String::as_str)).collect();
    match described.len() {
        1 => described.into_iter().next(),
        _ => None,
    }
}

/// Whether the document names the files that a package is made of.
fn has_files(spdx: &Spdx, id: &str) -> bool {
    let files: HashSet<&str> = spdx.files.iter().map(|one| one.id.as_str()).collect();
    let listed = spdx.packages.iter().any(|one| one.id == id && !one.files.is_empty());
    listed
        || spdx.relationships.iter().any(|one| {
            one.from == id
                && one.kind.eq_ignore_ascii_case("CONTAINS")
                && files.contains(one.to.as_str())
        })
}

/// Whether a root that has a package URL is what was built of the packages beside it, and none of
/// them: an application, a whole product (SWID), or one without files of its own.
fn is_project(entry: &Entry, purpose: &str, with_files: bool) -> bool {
    let product = entry.references.iter().any(|one| one.locator.starts_with("pkg:swid/"));
    purpose == "APPLICATION" || product || !with_files
}

/// Whether an entry without a package URL only stands for a file or a place, such as the lock files in
/// Trivy's documents: it has no version.
fn is_group(entry: &Entry, purpose: &str) -> bool {
    let version = entry.version.as_deref().is_some_and(|text| !matches!(text, "" | "NOASSERTION"));
    match purpose {
        "FILE" | "SOURCE" | "DEVICE" => true,
        "APPLICATION" | "CONTAINER" => !version,
        _ => false,
    }
}

/// Whether an entry without a package URL is a distribution by its name and release: `debian` `11`.
fn is_distribution(entry: &Entry) -> bool {
    let version = entry.version.as_deref().unwrap_or_default();
    Ecosystem::of_distribution(distribution_id(&entry.name)).is_some()
        && version.starts_with(|first: char| first.is_ascii_digit())
}

/// What relationships name that is described in another document, or nowhere.
fn named_only(spdx: &Spdx) -> Vec<Problem> {
    let packages = spdx.packages.iter().map(|one| one.id.as_str());
    let others = spdx.files.iter().chain(&spdx.snippets).map(|one| one.id.as_str());
    let known: HashSet<&str> = packages.chain(others).chain(NO_ELEMENT).collect();
    let ends = spdx.relationships.iter().flat_map(|one| [one.from.as_str(), one.to.as_str()]);
    let unknown: HashSet<&str> =
        ends.filter(|end| !end.is_empty() && !known.contains(end)).collect();
    let problem = |end: &str| Problem {
        path: kept(end),
        layer: None,
        reason: match end.starts_with("DocumentRef-") {
            true => "described in another document: not looked at; scan that one, too",
            false => "named in a relationship, and described nowhere: not matched",
        }
        .to_owned(),
    };
    let others = spdx.others.first().map(|first| Problem {
        path: kept(if first.address.is_empty() { &first.id } else { &first.address }),
        layer: None,
        reason: match spdx.others.len() {
            1 => "another document that this one names, and that was not read: scan it, too"
                .to_owned(),
            count => format!(
                "the first of {count} other documents that this one names, and that were not read: \
                 scan them, too"
            ),
        },
    });
    unknown.into_iter().map(problem).chain(others).collect()
}

/// The package URLs of a package behind its first: of what was built together, or renamed.
fn further_purls(entry: &Entry) -> Vec<String> {
    let mut purls: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    for one in entry.references.iter().filter(|one| one.kind == "purl") {
        if seen.insert(one.locator.as_str()) {
            purls.push(&one.locator);
        }
    }
    purls.into_iter().skip(1).map(str::to_owned).collect()
}

/// A root that is no package: it has no package URL, or that of an image.
fn spdx_root(entry: &Entry, has_purl: bool) -> bool {
    !has_purl || entry.references.iter().any(|one| one.locator.starts_with("pkg:oci/"))
}

fn about(entry: &Entry, document: &mut Document) {
    document.name = Some(kept(&entry.name)).filter(|name| !name.is_empty());
    document.manifest_digest = entry.version.as_deref().and_then(|version| version.parse().ok());
    for (key, value) in own(&entry.annotations) {
        match key {
            "image:config" => document.config_digest = value.parse().ok(),
            "image:manifest" => document.manifest_digest = value.parse().ok(),
            "image:platform" => document.platform = value.parse().ok(),
            "image:tag" => document.tags.push(kept(&value)),
            _ => {}
        }
    }
}

fn distribution(entry: &Entry) -> Distribution {
    let release = entry.version.as_deref().unwrap_or_default();
    let mut told = stated::distribution(&entry.name, release);
    told.pretty_name = entry.summary.as_deref().map(kept);
    for (key, value) in own(&entry.annotations) {
        match key {
            "codename" => told.codename = Some(kept(&value)),
            "like" => told.like = value.split(' ').take(8).map(kept).collect(),
            _ => {}
        }
    }
    told
}

/// What Lazaret annotates: `lazaret:key=value`, one a line. A value that has no place on a line is written
/// as JSON has texts.
fn own(annotations: &[Annotation]) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    annotations
        .iter()
        .flat_map(|annotation| annotation.comment.lines())
        .filter_map(|line| line.strip_prefix("lazaret:")?.split_once('='))
        .map(|(key, value)| {
            let quoted = value.starts_with('"').then(|| serde_json::from_str(value).ok());
            (key, quoted.flatten().map_or(Cow::Borrowed(value), Cow::Owned))
        })
}

fn component(entry: Entry, texts: &HashMap<String, String>) -> Component {
    let purl = entry.references.into_iter().find(|one| one.kind == "purl").map(|one| one.locator);
    let asserted = |text: &Option<String>| {
        text.as_deref().filter(|text| !matches!(*text, "" | "NOASSERTION" | "NONE")).map(kept)
    };
    let mut component = Component {
        purl,
        name: kept(&entry.name),
        version: asserted(&entry.version).unwrap_or_default(),
        ungrouped: true,
        reference: entry.id,
        licences: asserted(&entry.declared)
            .or_else(|| asserted(&entry.concluded))
            .map(|text| licences(&text, texts))
            .unwrap_or_default(),
        ..Component::default()
    };
    if let Some(text) = &entry.source_info {
        source_info(text, &mut component);
    }
    for (key, value) in own(&entry.annotations) {
        component.stated.take(&format!("lazaret:{key}"), &value);
    }
    component.settle();
    component
}

/// The parts of an expression of which each must hold, and texts for references to them.
fn licences(expression: &str, texts: &HashMap<String, String>) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut depth, mut part) = (0_usize, Vec::new());
    for word in expression.split(' ').filter(|word| !word.is_empty()) {
        if depth == 0 && word == "AND" {
            parts.push(std::mem::take(&mut part));
            continue;
        }
        let brackets = |bracket| word.matches(bracket).count();
        depth = (depth + brackets('(')).saturating_sub(brackets(')'));
        part.push(word);
    }
    parts.push(part);
    // Of several each has brackets around it; those of the only one are its own.
    let several = parts.len() > 1;
    let whole = |words: Vec<&str>| {
        let text = words.join(" ");
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let inner = inner.filter(|_| several);
        let inner = inner.filter(|inner| !inner.contains(['(', ')'])).unwrap_or(&text);
        kept(texts.get(inner).map_or(inner, String::as_str))
    };
    let parts = parts.into_iter().filter(|words| !words.is_empty()).map(whole);
    parts.take(LICENCES).collect()
}

/// `acquired package info from DPKG DB: /var/lib/dpkg/status, …` (Syft) and `built package from:
/// openssl 3.0.11-1` (Trivy).
fn source_info(text: &str, component: &mut Component) {
    let Some((before, after)) = text.split_once(": ") else { return };
    if before.starts_with("acquired package info from") {
        let first = after.split(", ").next().unwrap_or(after);
        component.stated.path = Some(relative(first));
    } else if before == "built package from" {
        component.stated.source =
            after.split_once(' ').map(|(name, version)| (kept(name), kept(version)));
    }
}
