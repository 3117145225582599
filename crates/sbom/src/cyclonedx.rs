//! CycloneDX as JSON, 1.2 to 1.7.
//!
//! Read into types that hold only what is used, so that a document costs about its own size once.
//! Source: CycloneDX specification, `bom-1.6.schema.json`.

use crate::stated::{distribution_id, relative};
use crate::{COMPONENTS, Component, DEPTH, Document, LICENCES, SbomError, kept, shape};
use serde::Deserialize;
use vocabulary::{Coverage, Distribution, Status};

const VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Deserialize)]
struct Bom {
    #[serde(rename = "specVersion")]
    version: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Entry>,
    #[serde(default)]
    compositions: Vec<Composition>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    component: Option<Entry>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Composition {
    aggregate: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    licenses: Vec<Choice>,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    evidence: Option<Evidence>,
    #[serde(default)]
    components: Vec<Entry>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    expression: Option<String>,
    #[serde(default)]
    license: Option<Licence>,
}

#[derive(Deserialize)]
struct Licence {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(default)]
    identity: Option<Identities>,
    #[serde(default)]
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

#[derive(Deserialize)]
struct Identity {
    #[serde(default)]
    field: String,
    #[serde(default)]
    confidence: Option<f64>,
    #[serde(default)]
    methods: Vec<Method>,
}

#[derive(Deserialize)]
struct Method {
    #[serde(default)]
    technique: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
struct Occurrence {
    #[serde(default)]
    location: String,
    #[serde(default)]
    line: Option<u32>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    let bom: Bom = serde_json::from_slice(bytes).map_err(|error| shape("CycloneDX", &error))?;
    if !VERSIONS.contains(&bom.version.as_str()) {
        return Err(SbomError::Version {
            form: "CycloneDX",
            version: bom.version.chars().take(40).collect(),
            known: "1.2 to 1.7",
        });
    }
    let mut document =
        Document { form: format!("CycloneDX {}", bom.version), ..Document::default() };
    if let Some(root) = bom.metadata.component {
        about(root, &mut document);
    }
    let incomplete = |one: &Composition| {
        one.aggregate.starts_with("incomplete") || one.aggregate == "not_specified"
    };
    document.coverage = coverage(&bom.metadata.properties);
    if document.coverage.is_empty() && bom.compositions.iter().any(incomplete) {
        let reason = "its maker says that it is not complete";
        document.coverage.push(Coverage { status: Status::Partial, ..stated("sbom", reason) });
    }
    take(bom.components, &mut document, 0)?;
    Ok(document)
}

/// What the document is about.
fn about(root: Entry, document: &mut Document) {
    for property in root.properties {
        let value = property.value.unwrap_or_default();
        match property.name.as_str() {
            "lazaret:image:config" | "aquasecurity:trivy:ImageID" => {
                document.config_digest = value.parse().ok();
            }
            "lazaret:image:platform" => document.platform = value.parse().ok(),
            "lazaret:image:tag" | "aquasecurity:trivy:RepoTag" => document.tags.push(kept(&value)),
            _ => {}
        }
    }
    let digest = root.version.and_then(|version| version.parse().ok());
    document.manifest_digest =
        digest.filter(|digest| document.config_digest.as_ref() != Some(digest));
    document.name = Some(kept(&root.name)).filter(|name| !name.is_empty());
}

/// What the maker, where it was Lazaret, did not look at in full. Advisories are matched anew.
fn coverage(properties: &[Property]) -> Vec<Coverage> {
    let own = properties.iter().filter_map(|property| {
        let check = property.name.strip_prefix("lazaret:coverage:")?;
        let value = property.value.as_deref().unwrap_or_default();
        if check.starts_with("vulnerabilities:") || check.starts_with("risk:") {
            return None;
        }
        let (status, reason) = value.split_once(": ").unwrap_or((value, ""));
        let status = match status {
            "partial" => Status::Partial,
            "failed" => Status::Failed,
            _ => Status::Skipped,
        };
        Some(Coverage { status, ..stated(check, reason) })
    });
    own.collect()
}

fn stated(check: &str, reason: &str) -> Coverage {
    Coverage::skipped(kept(check), kept(reason))
}

fn take(entries: Vec<Entry>, document: &mut Document, depth: usize) -> Result<(), SbomError> {
    for mut entry in entries {
        if document.components.len() >= COMPONENTS {
            return Err(SbomError::TooMany);
        }
        let inner = std::mem::take(&mut entry.components);
        match entry.kind.as_str() {
            "operating-system" => document.distribution = Some(distribution(entry)),
            // Files, devices, models and data are not packages.
            "file"
            | "device"
            | "device-driver"
            | "machine-learning-model"
            | "data"
            | "cryptographic-asset"
            | "firmware" => {}
            // What only groups others, such as a lock file in Trivy's documents.
            "application" | "container" | "platform" if entry.purl.is_none() => {}
            _ => document.components.push(component(entry)),
        }
        if depth < DEPTH {
            take(inner, document, depth + 1)?;
        } else if !inner.is_empty() {
            return Err(SbomError::Shape {
                form: "CycloneDX",
                reason: format!("components lie more than {DEPTH} deep in each other"),
            });
        }
    }
    Ok(())
}

fn distribution(entry: Entry) -> Distribution {
    let mut distribution = Distribution {
        id: kept(distribution_id(&entry.name)),
        version: kept(&entry.version.unwrap_or_default()),
        codename: None,
        pretty_name: entry.description.map(|text| kept(&text)),
        like: Vec::new(),
    };
    for property in entry.properties {
        let value = property.value.unwrap_or_default();
        match property.name.as_str() {
            "lazaret:codename" | "syft:distro:versionCodename" => {
                distribution.codename = Some(kept(&value));
            }
            "syft:distro:id" => distribution.id = kept(&value),
            "syft:distro:versionID" => distribution.version = kept(&value),
            "syft:distro:prettyName" => distribution.pretty_name = Some(kept(&value)),
            "lazaret:like" => {
                distribution.like = value.split(' ').take(8).map(kept).collect();
            }
            _ => {}
        }
    }
    distribution
}

fn component(entry: Entry) -> Component {
    let mut component = Component {
        purl: entry.purl.filter(|purl| !purl.is_empty()),
        name: kept(&entry.name),
        version: kept(&entry.version.unwrap_or_default()),
        ungrouped: entry.group.is_none_or(|group| group.is_empty()),
        licences: entry.licenses.into_iter().filter_map(licence).take(LICENCES).collect(),
        ..Component::default()
    };
    for property in &entry.properties {
        component.stated.take(&property.name, property.value.as_deref().unwrap_or_default());
    }
    let Some(evidence) = entry.evidence else { return component };
    let identified = component.stated.identified.take();
    component.stated.identified = identified.or_else(|| identified_by(evidence.identity?));
    if let Some(occurrence) = evidence.occurrences.into_iter().next() {
        component.stated.path = Some(relative(&occurrence.location));
        component.stated.line = occurrence.line;
    }
    component
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
    let method = identity.methods.into_iter().next();
    let by = method.map(|one| one.value.filter(|text| !text.is_empty()).unwrap_or(one.technique));
    let by = by.filter(|by| !by.is_empty()).unwrap_or_else(|| "its maker".to_owned());
    Some((kept(&by), how.to_owned()))
}

fn licence(choice: Choice) -> Option<String> {
    let named = |licence: Licence| licence.id.or(licence.name);
    choice.expression.or_else(|| choice.license.and_then(named)).map(|text| kept(&text))
}
