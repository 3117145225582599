//! SPDX 2.2 and 2.3 as JSON.
//!
//! The document's root and its distribution are told from its packages by relationship and purpose;
//! what Lazaret says beyond SPDX stands in annotations, `lazaret:key=value`, by which its own
//! documents give the same findings as the image. Source: SPDX specification 2.3, clauses 7, 11, 12.

use crate::stated::{distribution_id, relative};
use crate::{COMPONENTS, Component, Document, SbomError, kept, shape};
use serde::Deserialize;
use std::collections::HashSet;
use vocabulary::{Coverage, Distribution, Status};

#[derive(Deserialize)]
struct Spdx {
    #[serde(default)]
    packages: Vec<Entry>,
    #[serde(default)]
    relationships: Vec<Relationship>,
    #[serde(rename = "documentDescribes", default)]
    describes: Vec<String>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "SPDXID", default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "versionInfo", default)]
    version: Option<String>,
    #[serde(rename = "primaryPackagePurpose", default)]
    purpose: Option<String>,
    #[serde(rename = "licenseDeclared", default)]
    declared: Option<String>,
    #[serde(rename = "licenseConcluded", default)]
    concluded: Option<String>,
    #[serde(rename = "sourceInfo", default)]
    source_info: Option<String>,
    #[serde(rename = "externalRefs", default)]
    references: Vec<Reference>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    summary: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "referenceType", default)]
    kind: String,
    #[serde(rename = "referenceLocator", default)]
    locator: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
struct Relationship {
    #[serde(rename = "spdxElementId", default)]
    from: String,
    #[serde(rename = "relationshipType", default)]
    kind: String,
    #[serde(rename = "relatedSpdxElement", default)]
    to: String,
}

pub(crate) fn read(bytes: &[u8], version: &str) -> Result<Document, SbomError> {
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        return Err(SbomError::Version {
            form: "SPDX",
            version: version.chars().take(40).collect(),
            known: "SPDX-2.2 or SPDX-2.3",
        });
    }
    let spdx: Spdx = serde_json::from_slice(bytes).map_err(|error| shape("SPDX", &error))?;
    if spdx.packages.len() > COMPONENTS {
        return Err(SbomError::TooMany);
    }
    let described: HashSet<&str> = spdx
        .relationships
        .iter()
        .filter(|one| one.kind == "DESCRIBES" && one.from == "SPDXRef-DOCUMENT")
        .map(|one| one.to.as_str())
        .chain(spdx.describes.iter().map(String::as_str))
        .collect();
    // Where the document describes its packages one by one, none of them is the root.
    let single = described.len() == 1;
    let mut document = Document {
        form: version.replacen('-', " ", 1),
        coverage: coverage(&spdx.annotations),
        ..Document::default()
    };
    for entry in spdx.packages {
        let purpose = entry.purpose.as_deref().unwrap_or_default();
        let has_purl = entry.references.iter().any(|one| one.kind == "purl");
        let root = single && described.contains(entry.id.as_str());
        if purpose == "OPERATING-SYSTEM" {
            document.distribution = Some(distribution(&entry));
        } else if root && (purpose == "CONTAINER" || spdx_root(&entry, has_purl)) {
            about(&entry, &mut document);
        } else if has_purl
            || !matches!(purpose, "APPLICATION" | "FILE" | "CONTAINER" | "SOURCE" | "DEVICE")
        {
            document.components.push(component(entry));
        }
    }
    Ok(document)
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
            "image:tag" => document.tags.push(kept(value)),
            _ => {}
        }
    }
}

fn distribution(entry: &Entry) -> Distribution {
    let mut distribution = Distribution {
        id: kept(distribution_id(&entry.name)),
        version: kept(entry.version.as_deref().unwrap_or_default()),
        codename: None,
        pretty_name: entry.summary.as_deref().map(kept),
        like: Vec::new(),
    };
    for (key, value) in own(&entry.annotations) {
        match key {
            "codename" => distribution.codename = Some(kept(value)),
            "like" => distribution.like = value.split(' ').take(8).map(kept).collect(),
            _ => {}
        }
    }
    distribution
}

/// What Lazaret annotates: `lazaret:key=value`.
fn own(annotations: &[Annotation]) -> impl Iterator<Item = (&str, &str)> {
    annotations
        .iter()
        .flat_map(|annotation| annotation.comment.lines())
        .filter_map(|line| line.strip_prefix("lazaret:")?.split_once('='))
}

fn coverage(annotations: &[Annotation]) -> Vec<Coverage> {
    own(annotations)
        .filter_map(|(key, value)| {
            let check = key.strip_prefix("coverage:")?;
            if check.starts_with("vulnerabilities:") || check.starts_with("risk:") {
                return None;
            }
            let (status, reason) = value.split_once(": ").unwrap_or((value, ""));
            let status = match status {
                "partial" => Status::Partial,
                "failed" => Status::Failed,
                _ => Status::Skipped,
            };
            Some(Coverage { status, ..Coverage::skipped(kept(check), kept(reason)) })
        })
        .collect()
}

fn component(entry: Entry) -> Component {
    let purl = entry.references.into_iter().find(|one| one.kind == "purl").map(|one| one.locator);
    let asserted = |text: &Option<String>| {
        text.as_deref().filter(|text| !matches!(*text, "" | "NOASSERTION" | "NONE")).map(kept)
    };
    let mut component = Component {
        purl,
        name: kept(&entry.name),
        version: kept(entry.version.as_deref().unwrap_or_default()),
        ungrouped: true,
        licences: asserted(&entry.declared)
            .or_else(|| asserted(&entry.concluded))
            .into_iter()
            .collect(),
        ..Component::default()
    };
    if let Some(text) = &entry.source_info {
        source_info(text, &mut component);
    }
    for (key, value) in own(&entry.annotations) {
        component.stated.take(&format!("lazaret:{key}"), value);
    }
    component
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
