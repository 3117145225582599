//! GitHub's dependency snapshot: what is submitted to its dependency graph.
//!
//! Packages stand under the manifests that they were resolved from, each by its package URL. Source:
//! GitHub REST API, "Create a snapshot of dependencies for a repository".

use crate::document::{Component, Document};
use crate::error::{SbomError, json};
use crate::limits::{COMPONENTS, EDGES, kept};
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::{Relation, Scope};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Snapshot {
    version: u64,
    manifests: BTreeMap<String, Manifest>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    file: File,
    resolved: BTreeMap<String, Resolved>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    source_location: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resolved {
    package_url: Option<String>,
    relationship: Option<String>,
    scope: Option<String>,
    dependencies: Vec<String>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    let snapshot: Snapshot = json("GitHub snapshot", bytes)?;
    let mut document = Document {
        form: format!("GitHub dependency snapshot {}", snapshot.version),
        ..Document::default()
    };
    let mut edges = 0;
    for (key, manifest) in snapshot.manifests {
        let path = manifest.file.source_location.unwrap_or(key);
        for (name, resolved) in manifest.resolved {
            if document.components.len() >= COMPONENTS {
                return Err(SbomError::TooMany);
            }
            let purl = resolved.package_url.filter(|purl| !purl.is_empty());
            let mut component = Component { name: kept(&name), purl, ..Component::default() };
            component.relation = match resolved.relationship.as_deref() {
                Some("direct") => Some(Relation::Direct),
                Some("indirect") => Some(Relation::Indirect),
                _ => None,
            };
            component.scope = match resolved.scope.as_deref() {
                Some("runtime") => Some(Scope::Runtime),
                Some("development") => Some(Scope::Development),
                _ => None,
            };
            let left = EDGES.saturating_sub(edges);
            component.requires = resolved.dependencies.into_iter().take(left).collect();
            edges += component.requires.len();
            component.stated.path = Some(crate::stated::relative(&path));
            document.components.push(component);
        }
    }
    Ok(document)
}
