//! GitHub's dependency snapshot: what is submitted to its dependency graph.
//!
//! Packages stand under the manifests that they were resolved from, each by its package URL. Source:
//! GitHub REST API, "Create a snapshot of dependencies for a repository".

use crate::{COMPONENTS, Component, Document, SbomError, json, kept};
use serde::Deserialize;
use std::collections::BTreeMap;

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
}

pub(crate) fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    let snapshot: Snapshot = json("GitHub snapshot", bytes)?;
    let mut document = Document {
        form: format!("GitHub dependency snapshot {}", snapshot.version),
        ..Document::default()
    };
    for (key, manifest) in snapshot.manifests {
        let path = manifest.file.source_location.unwrap_or(key);
        for (name, resolved) in manifest.resolved {
            if document.components.len() >= COMPONENTS {
                return Err(SbomError::TooMany);
            }
            let purl = resolved.package_url.filter(|purl| !purl.is_empty());
            let mut component = Component { name: kept(&name), purl, ..Component::default() };
            component.stated.path = Some(crate::stated::relative(&path));
            document.components.push(component);
        }
    }
    Ok(document)
}
