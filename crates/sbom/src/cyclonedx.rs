//! CycloneDX, 1.2 to 1.7, as JSON and as XML.
//!
//! Read into types that hold only what is used, so that a document costs about its own size once. Both
//! forms give the same types, of which the document is then made. Source: CycloneDX specification,
//! `bom-1.6.schema.json` and `bom-1.6.xsd`.

mod xml;

pub(crate) use xml::read as read_xml;

use crate::document::{Component, Document};
use crate::error::{SbomError, json};
use crate::limits::{COMPONENTS, DEPTH, LICENCES, kept};
use crate::relations::{Edge, relate};
use crate::stated::{distribution, relative};
use serde::Deserialize;
use std::collections::HashSet;
use vocabulary::{Coverage, Distribution, Problem, Scope, Status};

const VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bom {
    #[serde(rename = "specVersion")]
    version: String,
    metadata: Metadata,
    components: Vec<Entry>,
    compositions: Vec<Composition>,
    dependencies: Vec<Dependency>,
    services: Vec<Service>,
}

/// What needs what, each by its `bom-ref`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(rename = "dependsOn")]
    needs: Vec<String>,
}

/// A service is no package; that it is described is all that counts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Service {
    #[serde(rename = "bom-ref")]
    reference: String,
    services: Vec<Self>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    component: Option<Entry>,
    /// What made the document: described there since 1.5, and no part of what it is about.
    tools: serde_json::Value,
    properties: Vec<Property>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Composition {
    aggregate: String,
    assemblies: Vec<String>,
    dependencies: Vec<String>,
}

impl Composition {
    /// Whether its maker does not say that all is there.
    fn is_open(&self) -> bool {
        self.aggregate.starts_with("incomplete")
            || matches!(self.aggregate.as_str(), "unknown" | "not_specified")
    }

    /// Whether it speaks of what a component needs; one that names nothing speaks of everything.
    fn is_about_needs_of(&self, reference: &str) -> bool {
        let names_nothing = self.assemblies.is_empty() && self.dependencies.is_empty();
        names_nothing || self.dependencies.iter().any(|one| one == reference)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "bom-ref")]
    reference: String,
    group: Option<String>,
    name: String,
    version: Option<String>,
    description: Option<String>,
    purl: Option<String>,
    cpe: Option<String>,
    licenses: Vec<Choice>,
    properties: Vec<Property>,
    evidence: Option<Evidence>,
    /// `required`, `optional` or `excluded`.
    scope: String,
    components: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property {
    name: String,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    expression: Option<String>,
    license: Option<Licence>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Licence {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence {
    identity: Option<Identities>,
    occurrences: Vec<Occurrence>,
}

/// One as an object in 1.5, several since 1.6. What is of another shape is of no use, and no fault
/// that would keep the rest from being read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Identities {
    Several(Vec<Identity>),
    One(Identity),
    Other(serde::de::IgnoredAny),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identity {
    field: String,
    confidence: Option<f64>,
    /// Inside an untagged enum, where `null` is not the empty list.
    methods: Option<Vec<Method>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Method {
    technique: String,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Occurrence {
    location: String,
    line: Option<u32>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    document(json("CycloneDX", bytes)?)
}

fn document(bom: Bom) -> Result<Document, SbomError> {
    if !VERSIONS.contains(&bom.version.as_str()) {
        return Err(SbomError::Version {
            form: "CycloneDX",
            version: bom.version.chars().take(40).collect(),
            known: "1.2 to 1.7",
        });
    }
    let mut document =
        Document { form: format!("CycloneDX {}", bom.version), ..Document::default() };
    let mut described = Described::default();
    described.services(&bom.services, 0);
    described.tools(&bom.metadata.tools, 0);
    let mut subject = None;
    let mut asks = None;
    if let Some(mut root) = bom.metadata.component {
        // What an image is made of nobody asked for.
        let is_image = matches!(root.kind.as_str(), "container" | "operating-system");
        let named = [&root.reference, root.purl.as_ref().unwrap_or(&root.reference)];
        let named = named.into_iter().find(|name| !name.is_empty()).cloned();
        asks = named.filter(|_| !is_image);
        described.add(&root.reference);
        // Where it has no reference, its package URL stands for it.
        described.add(root.purl.as_deref().unwrap_or_default());
        let inner = std::mem::take(&mut root.components);
        subject = about(root, &mut document);
        take(inner, &mut document, &mut described, 0)?;
    }
    let incomplete = |one: &Composition| {
        one.aggregate.starts_with("incomplete") || one.aggregate == "not_specified"
    };
    let mut is_told = false;
    for property in &bom.metadata.properties {
        if let Some(own) = property.name.strip_prefix("lazaret:") {
            is_told |= document.take_own(own, property.value.as_deref().unwrap_or_default());
        }
    }
    // What is not complete is said check by check where Lazaret is the maker.
    if !is_told && bom.compositions.iter().any(incomplete) {
        let reason = "its maker says that it is not complete";
        let coverage = Coverage::skipped("sbom", reason);
        document.coverage.push(Coverage { status: Status::Partial, ..coverage });
    }
    take(bom.components, &mut document, &mut described, 0)?;
    let mut edges = Vec::new();
    for one in &bom.dependencies {
        edges.extend(one.needs.iter().map(|to| Edge {
            from: one.reference.clone(),
            to: to.clone(),
            scope: None,
        }));
    }
    named_only(bom.dependencies, &described, &mut document)?;
    // Where it is not known what the root asks for, what is listed below it is no list of that.
    let open = |root: &String| {
        bom.compositions.iter().any(|one| one.is_open() && one.is_about_needs_of(root))
    };
    let asks = asks.filter(|root| !open(root));
    relate(&mut document, asks.as_deref(), &edges);
    document.is_about(subject);
    Ok(document)
}

/// Which `bom-ref`s something is described under. Several may share one, against the specification:
/// each of them is read.
#[derive(Default)]
struct Described(HashSet<String>);

impl Described {
    fn add(&mut self, reference: &str) {
        if !reference.is_empty() {
            self.0.insert(reference.to_owned());
        }
    }

    fn tools(&mut self, tools: &serde_json::Value, depth: usize) {
        if depth > DEPTH {
            return;
        }
        match tools {
            serde_json::Value::Object(fields) => {
                self.add(fields.get("bom-ref").and_then(|name| name.as_str()).unwrap_or_default());
                fields.values().for_each(|value| self.tools(value, depth + 1));
            }
            serde_json::Value::Array(list) => {
                list.iter().for_each(|value| self.tools(value, depth + 1));
            }
            _ => {}
        }
    }

    fn services(&mut self, services: &[Service], depth: usize) {
        for service in services.iter().filter(|_| depth < DEPTH) {
            self.add(&service.reference);
            self.services(&service.services, depth + 1);
        }
    }
}

/// What the document only names, as something that others need: a package where the name is a package
/// URL, else something that could not be looked at.
fn named_only(
    dependencies: Vec<Dependency>,
    described: &Described,
    document: &mut Document,
) -> Result<(), SbomError> {
    let mut seen = HashSet::new();
    let names = dependencies.into_iter().flat_map(|one| [vec![one.reference], one.needs].concat());
    for name in names {
        if name.is_empty() || described.0.contains(&name) || !seen.insert(name.clone()) {
            continue;
        }
        if name.starts_with("pkg:") {
            if document.components.len() >= COMPONENTS {
                return Err(SbomError::TooMany);
            }
            let reference = name.clone();
            let purl = Some(name);
            document.components.push(Component { purl, reference, ..Component::default() });
        } else {
            let reason = "named as a dependency, and described nowhere: not matched".to_owned();
            document.problems.push(Problem { path: kept(&name), layer: None, reason });
        }
    }
    Ok(())
}

/// What the document is about: an image or a project, which may have the package URL of a package.
fn about(root: Entry, document: &mut Document) -> Option<Component> {
    for property in &root.properties {
        let value = property.value.clone().unwrap_or_default();
        match property.name.as_str() {
            "lazaret:image:config" | "aquasecurity:trivy:ImageID" => {
                document.config_digest = value.parse().ok();
            }
            "lazaret:image:platform" => document.platform = value.parse().ok(),
            "lazaret:image:tag" | "aquasecurity:trivy:RepoTag" => document.tags.push(kept(&value)),
            _ => {}
        }
    }
    let digest = root.version.as_ref().and_then(|version| version.parse().ok());
    document.manifest_digest =
        digest.filter(|digest| document.config_digest.as_ref() != Some(digest));
    document.name = Some(kept(&root.name)).filter(|name| !name.is_empty());
    let image = |purl: &String| ["pkg:oci/", "pkg:docker/"].iter().any(|one| purl.starts_with(one));
    let is_package = root.purl.as_ref().is_some_and(|purl| !purl.is_empty() && !image(purl));
    (is_package && root.kind != "operating-system").then(|| component(root))
}

fn take(
    entries: Vec<Entry>,
    document: &mut Document,
    described: &mut Described,
    depth: usize,
) -> Result<(), SbomError> {
    for mut entry in entries {
        if document.components.len() >= COMPONENTS {
            return Err(SbomError::TooMany);
        }
        described.add(&entry.reference);
        let inner = std::mem::take(&mut entry.components);
        if entry.kind == "operating-system" {
            document.runs_on(operating_system(entry));
        } else if is_package(&entry) {
            document.components.push(component(entry));
        }
        if depth < DEPTH {
            take(inner, document, described, depth + 1)?;
        } else if !inner.is_empty() {
            return Err(SbomError::Shape {
                form: "CycloneDX",
                reason: format!("components lie more than {DEPTH} deep in each other"),
            });
        }
    }
    Ok(())
}

/// What has a package URL is a package, whatever it is called. Of the others, files, devices, models
/// and data are none, nor is what only groups others, such as a lock file in Trivy's documents: it has
/// no version.
fn is_package(entry: &Entry) -> bool {
    let stated = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if stated(&entry.purl) || stated(&entry.cpe) {
        return true;
    }
    match entry.kind.as_str() {
        "file" | "device" | "machine-learning-model" | "data" | "cryptographic-asset" => false,
        "application" | "container" | "platform" => stated(&entry.version),
        _ => true,
    }
}

fn operating_system(entry: Entry) -> Distribution {
    let mut told = distribution(&entry.name, &entry.version.unwrap_or_default());
    told.pretty_name = entry.description.map(|text| kept(&text));
    for property in entry.properties {
        let value = property.value.unwrap_or_default();
        match property.name.as_str() {
            "lazaret:codename" | "syft:distro:versionCodename" => {
                told.codename = Some(kept(&value));
            }
            "syft:distro:id" => told.id = kept(&value),
            "syft:distro:versionID" => told.version = kept(&value),
            "syft:distro:prettyName" => told.pretty_name = Some(kept(&value)),
            "lazaret:like" => told.like = value.split(' ').take(8).map(kept).collect(),
            _ => {}
        }
    }
    told
}

fn component(entry: Entry) -> Component {
    let mut component = Component {
        purl: entry.purl.filter(|purl| !purl.is_empty()),
        name: kept(&entry.name),
        version: kept(&entry.version.unwrap_or_default()),
        ungrouped: entry.group.is_none_or(|group| group.is_empty()),
        licences: entry.licenses.into_iter().filter_map(licence).take(LICENCES).collect(),
        reference: entry.reference,
        scope: scope(&entry.scope),
        ..Component::default()
    };
    for property in &entry.properties {
        component.stated.take(&property.name, property.value.as_deref().unwrap_or_default());
    }
    component.settle();
    let Some(evidence) = entry.evidence else { return component };
    let identified = component.stated.identified.take();
    component.stated.identified = identified.or_else(|| identified_by(evidence.identity?));
    if let Some(occurrence) = evidence.occurrences.into_iter().next() {
        component.stated.path = Some(relative(&occurrence.location));
        component.stated.line = occurrence.line;
    }
    component
}

/// What is `excluded` is used to build or test, and delivered by nobody. Source: `bom-1.6.schema.json`.
fn scope(text: &str) -> Option<Scope> {
    match text {
        "required" => Some(Scope::Runtime),
        "optional" => Some(Scope::Optional),
        "excluded" => Some(Scope::Development),
        _ => None,
    }
}

/// By what it was told, and how surely, where the document says that it is less than certain.
fn identified_by(identities: Identities) -> Option<(String, String)> {
    let identities = match identities {
        Identities::Several(identities) => identities,
        Identities::One(identity) => vec![identity],
        Identities::Other(_) => return None,
    };
    let mut about = identities.into_iter().filter(|one| matches!(&*one.field, "purl" | "name"));
    let identity = about.next()?;
    let confidence = identity.confidence.filter(|number| (0.0..1.0).contains(number))?;
    let how = match confidence {
        0.8.. => "high",
        0.5.. => "medium",
        _ if confidence > 0.0 => "low",
        _ => "none",
    };
    let method = identity.methods.unwrap_or_default().into_iter().next();
    let by = method.map(|one| one.value.filter(|text| !text.is_empty()).unwrap_or(one.technique));
    let by = by.filter(|by| !by.is_empty()).unwrap_or_else(|| "its maker".to_owned());
    Some((kept(&by), how.to_owned()))
}

fn licence(choice: Choice) -> Option<String> {
    let named = |licence: Licence| licence.id.or(licence.name);
    choice.expression.or_else(|| choice.license.and_then(named)).map(|text| kept(&text))
}
