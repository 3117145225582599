//! SPDX 3.0 as JSON-LD.
//!
//! All elements stand in one list, `@graph`, each with its type; packages are those of
//! `software_Package`, and the document's root says what it is about. Relationships name elements by
//! their addresses: those that are not in the list are described elsewhere. Source: SPDX specification
//! 3.0.1, "Serialization", classes `Package`, `ExternalIdentifier`, `Relationship`, `SpdxDocument`.

use super::{Entry, Named, Other, Reference, Relationship, Spdx, document};
use crate::document::Document;
use crate::error::{SbomError, json};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Graph {
    #[serde(rename = "@graph")]
    graph: Vec<Element>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Element {
    #[serde(rename = "type", alias = "@type")]
    kind: String,
    #[serde(rename = "spdxId", alias = "@id")]
    id: String,
    name: Option<String>,
    #[serde(rename = "specVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageVersion")]
    package_version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "software_sourceInfo")]
    source_info: Option<String>,
    #[serde(rename = "externalIdentifier")]
    identifiers: Vec<Identifier>,
    /// Elements of other documents: class `ExternalMap`.
    import: Vec<Import>,
    #[serde(rename = "rootElement")]
    roots: Vec<String>,
    from: String,
    to: Vec<String>,
    #[serde(rename = "relationshipType")]
    relation: String,
    /// Of a `LifecycleScopedRelationship`.
    scope: String,
    #[serde(rename = "simplelicensing_licenseExpression")]
    licence: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Import {
    #[serde(rename = "externalSpdxId")]
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identifier {
    #[serde(rename = "externalIdentifierType")]
    kind: String,
    identifier: String,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    let graph: Graph = json("SPDX 3", bytes)?;
    let mut version = None;
    let mut spdx = Spdx::default();
    let mut collections = HashSet::new();
    let licences = licences(&graph);
    for element in graph.graph {
        match element.kind.as_str() {
            "CreationInfo" => version = version.or(element.version),
            "SpdxDocument" | "software_Sbom" | "Bom" | "Bundle" => {
                spdx.describes.extend(element.roots);
                collections.insert(element.id.clone());
                // The licences of SPDX's own list are imported, too.
                let others = element.import.into_iter().map(|one| one.id);
                let others = others.filter(|id| !id.contains("://spdx.org/licenses/"));
                spdx.others.extend(others.map(|id| Other { id, ..Other::default() }));
                spdx.files.push(Named { id: element.id });
            }
            "Relationship" | "LifecycleScopedRelationship" => {
                let (kind, from) = (element.relation, element.from);
                let scope = element.scope;
                let one = |to| Relationship {
                    from: from.clone(),
                    kind: kind.clone(),
                    to,
                    scope: scope.clone(),
                };
                // Only what is part of something, or needed by it, is a package.
                if matches!(
                    kind.as_str(),
                    "contains" | "dependsOn" | "hasOptionalDependency" | "hasPrerequisite"
                ) {
                    spdx.relationships.extend(element.to.into_iter().map(one));
                }
            }
            "software_Package" => {
                let licence = licences.get(&element.id).cloned();
                spdx.packages.push(package(element, licence));
            }
            _ => spdx.files.push(Named { id: element.id }),
        }
    }
    // The document's root is mostly a bill, which has its own.
    spdx.describes.retain(|root| !collections.contains(root));
    document(format!("SPDX {}", version.as_deref().unwrap_or("3")), spdx)
}

/// Packages, and the licence that is declared for each.
fn licences(graph: &Graph) -> HashMap<String, String> {
    let texts: HashMap<&str, &str> = graph
        .graph
        .iter()
        .filter_map(|element| Some((element.id.as_str(), element.licence.as_deref()?)))
        .collect();
    let declared = graph.graph.iter().filter(|element| element.relation == "hasDeclaredLicense");
    declared
        .filter_map(|element| {
            let text = texts.get(element.to.first()?.as_str())?;
            Some((element.from.clone(), (*text).to_owned()))
        })
        .collect()
}

fn package(element: Element, declared: Option<String>) -> Entry {
    let by_identifier = element
        .identifiers
        .into_iter()
        .filter(|one| matches!(one.kind.as_str(), "packageUrl" | "purl" | "packageURL"))
        .map(|one| one.identifier);
    let purls = element.purl.into_iter().chain(by_identifier).filter(|purl| !purl.is_empty());
    let purpose = element.purpose.map(|purpose| match purpose.as_str() {
        "operatingSystem" => "OPERATING-SYSTEM".to_owned(),
        other => other.to_ascii_uppercase(),
    });
    let reference = |locator| Reference { kind: "purl".to_owned(), locator };
    Entry {
        id: element.id,
        name: element.name.unwrap_or_default(),
        version: element.package_version,
        purpose,
        declared,
        source_info: element.source_info,
        references: purls.map(reference).collect(),
        ..Entry::default()
    }
}
