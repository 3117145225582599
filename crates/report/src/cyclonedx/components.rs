//! The components of a bill of materials: the subject, its distribution, its packages.

use super::evidence::{self, Evidence};
use super::licences::{LicenceChoice, choices};
use super::{Property, kind_of};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use vocabulary::{Confidence, Distribution, Location, OriginKind, Package, Presence, Purl, Report};

#[derive(Serialize)]
pub(super) struct Component<'report> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'report str>,
    name: &'report str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: std::borrow::Cow<'report, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'report str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenceChoice<'report>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'report>>,
}

/// Unique, readable and stable names of the components: the purl, for a package at several places
/// with the path behind it, for one that is still not unique with its count.
pub(super) struct References<'report> {
    root: String,
    distribution: Option<String>,
    packages: Vec<Rc<str>>,
    by_place: HashMap<(&'report Purl, Option<&'report str>), usize>,
    by_purl: HashMap<&'report Purl, usize>,
}

impl<'report> References<'report> {
    pub(super) fn of(report: &'report Report) -> Self {
        let root = root_purl(report).map_or_else(|| "subject".to_owned(), |purl| purl.to_string());
        let distribution = report
            .distribution
            .as_ref()
            .map(|distribution| format!("os:{}@{}", distribution.id, distribution.version));
        let mut taken = Taken::default();
        taken.references.insert(root.as_str().into());
        taken.references.extend(distribution.as_deref().map(Rc::from));
        let mut references = Self {
            root,
            distribution,
            packages: Vec::with_capacity(report.packages.len()),
            by_place: HashMap::new(),
            by_purl: HashMap::new(),
        };
        for (index, package) in report.packages.iter().enumerate() {
            references.packages.push(taken.unique(package));
            references.by_place.entry((&package.purl, package.location.path())).or_insert(index);
            references.by_purl.entry(&package.purl).or_insert(index);
        }
        references
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    fn package(&self, index: usize) -> &str {
        self.packages.get(index).map_or("", |reference| reference)
    }

    /// The component that a finding is about; the subject, where it is none of the packages.
    pub(super) fn affected(&self, purl: Option<&Purl>, location: &Location) -> &str {
        let Some(purl) = purl else { return &self.root };
        let index = self.by_place.get(&(purl, location.path())).or_else(|| self.by_purl.get(purl));
        index.map_or(&self.root, |index| self.package(*index))
    }
}

/// References that are given away.
#[derive(Default)]
struct Taken {
    references: HashSet<Rc<str>>,
    /// The last number of each purl and place that stands there more than twice, so that a database
    /// which names one package a hundred thousand times is not searched from the start each time.
    numbers: HashMap<String, u64>,
}

impl Taken {
    fn unique(&mut self, package: &Package) -> Rc<str> {
        let plain = package.purl.to_string();
        if let Some(free) = Self::give(&mut self.references, &plain) {
            return free;
        }
        let placed = format!("{plain}|{}", package.location);
        if let Some(free) = Self::give(&mut self.references, &placed) {
            return free;
        }
        let number = self.numbers.entry(placed.clone()).or_insert(1);
        loop {
            *number += 1;
            let numbered = format!("{placed}|{number}");
            if let Some(free) = Self::give(&mut self.references, &numbered) {
                return free;
            }
        }
    }

    /// The reference, unless it is given away already.
    fn give(references: &mut HashSet<Rc<str>>, reference: &str) -> Option<Rc<str>> {
        if references.contains(reference) {
            return None;
        }
        let shared: Rc<str> = reference.into();
        references.insert(Rc::clone(&shared));
        Some(shared)
    }
}

/// `pkg:oci/name@sha256:…`, where the manifest's digest is known (purl-spec, type `oci`).
fn root_purl(report: &Report) -> Option<Purl> {
    let digest = report.subject.manifest_digest.as_ref()?;
    let reference = report.subject.tags.first().unwrap_or(&report.subject.name);
    let name = reference.split('@').next().unwrap_or(reference);
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.split(':').next().unwrap_or(name).to_lowercase();
    let purl = Purl::new("oci", if name.is_empty() { "image" } else { &name });
    let architecture = report.subject.platform.as_ref().map(|platform| &platform.architecture);
    let purl = purl.with_version(&digest.to_string());
    Some(match architecture {
        Some(architecture) => purl.with_qualifier("arch", architecture),
        None => purl,
    })
}

/// The subject itself.
pub(super) fn root<'report>(
    report: &'report Report,
    reference: &'report str,
) -> Component<'report> {
    let subject = &report.subject;
    let digest = subject.manifest_digest.as_ref().or(subject.config_digest.as_ref());
    let properties = subject_properties(report);
    Component {
        kind: kind_of(subject.kind),
        reference,
        group: None,
        name: &subject.name,
        version: digest.map(ToString::to_string).unwrap_or_default().into(),
        description: None,
        licenses: Vec::new(),
        purl: root_purl(report).map(|purl| purl.to_string()),
        properties,
        evidence: None,
    }
}

/// What is said of the subject beyond name and digest.
pub(crate) fn subject_properties(report: &Report) -> Vec<Property> {
    let subject = &report.subject;
    let mut properties = Vec::new();
    if let Some(digest) = &subject.config_digest {
        properties.push(Property::new("lazaret:image:config", digest.to_string()));
    }
    if let Some(platform) = &subject.platform {
        properties.push(Property::new("lazaret:image:platform", platform.to_string()));
    }
    properties.extend(subject.tags.iter().map(|tag| Property::new("lazaret:image:tag", tag)));
    for layer in &report.layers {
        let name = format!("lazaret:layer:{}:diffID", layer.index);
        properties.push(Property::new(name, layer.diff_id.to_string()));
    }
    properties
}

/// The distribution, then every package.
pub(super) fn all<'report>(
    report: &'report Report,
    references: &'report References<'_>,
) -> impl Iterator<Item = Component<'report>> {
    let layers: HashMap<u32, String> =
        report.layers.iter().map(|layer| (layer.index, layer.diff_id.to_string())).collect();
    let packages = report
        .packages
        .iter()
        .enumerate()
        .map(move |(index, package)| of(package, references.package(index), &layers));
    distribution(report, references).into_iter().chain(packages)
}

fn distribution<'report>(
    report: &'report Report,
    references: &'report References<'_>,
) -> Option<Component<'report>> {
    let distribution = report.distribution.as_ref()?;
    Some(Component {
        kind: "operating-system",
        reference: references.distribution.as_deref()?,
        group: None,
        name: &distribution.id,
        version: distribution.version.as_str().into(),
        description: distribution.pretty_name.as_deref(),
        licenses: Vec::new(),
        purl: None,
        properties: distribution_properties(distribution),
        evidence: None,
    })
}

/// What os-release says beyond name and version: releases that have no number yet are known by it.
pub(crate) fn distribution_properties(distribution: &Distribution) -> Vec<Property> {
    let codename = distribution.codename.as_ref();
    let mut properties: Vec<_> =
        codename.map(|name| Property::new("lazaret:codename", name)).into_iter().collect();
    if !distribution.like.is_empty() {
        properties.push(Property::new("lazaret:like", distribution.like.join(" ")));
    }
    properties
}

fn of<'report>(
    package: &'report Package,
    reference: &'report str,
    layers: &HashMap<u32, String>,
) -> Component<'report> {
    // A distribution's purl has the vendor as namespace, which is no group of packages.
    let group = package.purl.namespace().filter(|_| !package.ecosystem.is_distribution());
    Component {
        kind: "library",
        reference,
        group,
        name: if group.is_some() { package.purl.name() } else { &package.name },
        version: package.version.as_str().into(),
        description: None,
        licenses: choices(&package.licences),
        purl: Some(package.purl.to_string()),
        properties: component_properties(package, layers),
        evidence: evidence::of(package),
    }
}

/// What is said of a package beyond its package URL.
pub(crate) fn component_properties(
    package: &Package,
    layers: &HashMap<u32, String>,
) -> Vec<Property> {
    let mut properties = vec![Property::new("lazaret:ecosystem", package.ecosystem.as_str())];
    let mut add = |name: &str, value: String| properties.push(Property::new(name, value));
    if let Some(index) = package.layer {
        add("lazaret:layer:index", index.to_string());
        if let Some(diff_id) = layers.get(&index) {
            add("lazaret:layer:diffID", diff_id.clone());
        }
    }
    add("lazaret:location", package.location.to_string());
    if let Some(layer) = package.location.layer().filter(|layer| package.layer != Some(*layer)) {
        add("lazaret:location:layer", layer.to_string());
    }
    if let Some(architecture) = &package.architecture {
        add("lazaret:architecture", architecture.clone());
    }
    if let Some(identified) = &package.identified {
        let confidence = match identified.confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
            Confidence::None => "none",
        };
        add("lazaret:identified", format!("{}, {confidence}", identified.by));
    }
    add("lazaret:origin", origin_name(package.origin).to_owned());
    add(
        "lazaret:presence",
        match package.presence {
            Presence::Installed => "installed".to_owned(),
            Presence::Declared => "declared".to_owned(),
        },
    );
    if let Some(source) = &package.source {
        add("lazaret:source", format!("{} {}", source.name, source.version));
    }
    if let Some(owner) = &package.owned_by {
        add("lazaret:owned-by", owner.to_string());
    }
    if let Some(module) = &package.module {
        add("lazaret:module", module.clone());
    }
    properties
}

const fn origin_name(origin: OriginKind) -> &'static str {
    match origin {
        OriginKind::Base => "base",
        OriginKind::Application => "application",
        OriginKind::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Ecosystem, OriginKind};

    #[test]
    fn references_stay_unique_whatever_the_packages_are_called() {
        let package = |purl: &str, path: &str| Package {
            purl: purl.parse().unwrap(),
            ecosystem: Ecosystem::NPM,
            name: "a".to_owned(),
            version: "1".to_owned(),
            source: None,
            architecture: None,
            licences: Vec::new(),
            presence: Presence::Installed,
            location: Location::file(path, None),
            layer: None,
            origin: OriginKind::Unknown,
            owned_by: None,
            module: None,
            identified: None,
            files: Vec::new(),
        };
        let mut taken = Taken::default();
        for expected in ["pkg:npm/a@1", "pkg:npm/a@1|x", "pkg:npm/a@1|x|2", "pkg:npm/a@1|x|3"] {
            let reference = taken.unique(&package("pkg:npm/a@1", "x"));
            assert_eq!(reference, expected);
        }
    }
}
