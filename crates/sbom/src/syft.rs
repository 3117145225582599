//! Syft's own JSON: what other tools of its makers take as input.
//!
//! Each artifact has a package URL, its places, and metadata of its kind, of which the source package
//! and the architecture are used. Source: Syft, `schema/json`, and `internal/format/syftjson/model`.

use crate::document::{Component, Document};
use crate::error::{SbomError, json};
use crate::limits::{COMPONENTS, LICENCES, kept};
use crate::relations::{Edge, relate};
use crate::stated::{self, relative};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Syft {
    artifacts: Vec<Artifact>,
    #[serde(rename = "artifactRelationships")]
    relationships: Vec<Link>,
    distro: Distro,
    source: Source,
    schema: Schema,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Schema {
    version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Artifact {
    id: String,
    name: String,
    version: String,
    purl: String,
    locations: Vec<Place>,
    licenses: Vec<serde_json::Value>,
    metadata: serde_json::Map<String, serde_json::Value>,
}

/// The parent stands in this relation to the child: it is a dependency of it. Source: Syft,
/// `syft/artifact/relationship.go`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    parent: String,
    child: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    path: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Distro {
    id: String,
    name: String,
    #[serde(rename = "prettyName")]
    pretty_name: Option<String>,
    #[serde(rename = "versionID")]
    version_id: String,
    #[serde(rename = "versionCodename")]
    codename: Option<String>,
    version: String,
    #[serde(rename = "idLike")]
    like: serde_json::Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    name: String,
    target: serde_json::Value,
    metadata: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    let syft: Syft = json("Syft JSON", bytes)?;
    if syft.artifacts.len() > COMPONENTS {
        return Err(SbomError::TooMany);
    }
    let mut document = Document {
        form: format!("Syft JSON {}", kept(&syft.schema.version)),
        components: syft.artifacts.into_iter().map(component).collect(),
        ..Document::default()
    };
    let Distro { id, name, version_id, version, .. } = &syft.distro;
    let id = if id.is_empty() { name } else { id };
    if !id.is_empty() {
        let release = if version_id.is_empty() { version } else { version_id };
        let mut told = stated::distribution(id, release);
        told.codename = told.codename.or(syft.distro.codename.filter(|name| !name.is_empty()));
        told.pretty_name = syft.distro.pretty_name.as_deref().map(kept);
        told.like = match &syft.distro.like {
            serde_json::Value::String(text) => text.split(' ').take(8).map(kept).collect(),
            serde_json::Value::Array(list) => {
                list.iter().filter_map(|one| one.as_str()).take(8).map(kept).collect()
            }
            _ => Vec::new(),
        };
        document.runs_on(told);
    }
    about(&syft.source, &mut document);
    let of = syft.relationships.into_iter().filter(|one| one.kind == "dependency-of");
    let edges: Vec<Edge> =
        of.map(|one| Edge { from: one.child, to: one.parent, scope: None }).collect();
    relate(&mut document, None, &edges);
    Ok(document)
}

/// The image, whose facts stand under `target` before schema 9 and under `metadata` since.
fn about(source: &Source, document: &mut Document) {
    let text = |key: &str| {
        let found = source.metadata.get(key).or_else(|| source.target.get(key));
        found.and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
    };
    let digest = |key: &str| text(key).and_then(|text| text.parse().ok());
    document.config_digest = digest("imageID");
    document.manifest_digest = digest("manifestDigest");
    let name = text("userInput").or_else(|| source.target.as_str());
    document.name = name.or(Some(source.name.as_str())).map(kept).filter(|name| !name.is_empty());
}

fn component(artifact: Artifact) -> Component {
    let Artifact { id, name, version, purl, locations, licenses, metadata } = artifact;
    let text = |key: &str| {
        metadata.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
    };
    let mut component = Component {
        purl: Some(purl).filter(|purl| !purl.is_empty()),
        name: kept(&name),
        version: kept(&version),
        ungrouped: true,
        reference: id,
        licences: licenses.iter().filter_map(licence).take(LICENCES).collect(),
        ..Component::default()
    };
    let stated = &mut component.stated;
    stated.sources_told = true;
    stated.path = locations.first().map(|place| relative(&place.path));
    stated.architecture = text("architecture").map(kept);
    // dpkg says `source` and `sourceVersion`, apk `originPackage`; rpm's is the name of a file, which
    // the package URL has as well.
    let source = text("source").or_else(|| text("originPackage"));
    stated.source =
        source.map(|name| (kept(name), text("sourceVersion").map(kept).unwrap_or_default()));
    component
}

/// A text before schema 8, an object since.
fn licence(value: &serde_json::Value) -> Option<String> {
    let member = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
    let own = value.as_str().or_else(|| member("spdxExpression").filter(|text| !text.is_empty()));
    own.or_else(|| member("value")).filter(|text| !text.is_empty()).map(kept)
}
