//! The components of a bill of materials: the subject, its distribution, its packages.

use super::evidence::{self, Evidence};
use super::licences::{LicenceChoice, choices};
use super::{Property, kind_of};
use crate::style::Style;
use crate::supplier;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use vocabulary::{
    Distribution, Location, OriginKind, Package, Presence, Purl, Relation, Report, Scope,
    SubjectKind,
};

#[derive(Serialize)]
pub(super) struct Component<'report> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: Cow<'report, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Supplier<'report>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'report str>,
    name: Cow<'report, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: Cow<'report, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenceChoice<'report>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'report>>,
}

/// Who a component comes from.
#[derive(Serialize)]
pub(super) struct Supplier<'report> {
    pub(super) name: &'report str,
}

/// Unique, readable and stable names of the components: the purl, for a package at several places
/// with the path behind it, for one that is still not unique with its count.
pub(super) struct References<'report> {
    root: String,
    distribution: Option<String>,
    /// By place in the report, where it is not the plain purl. Most are, and are made when they are
    /// written.
    others: HashMap<usize, String>,
    by_place: HashMap<(&'report Purl, Option<&'report str>), usize>,
    by_purl: HashMap<&'report Purl, usize>,
}

impl<'report> References<'report> {
    pub(super) fn of(report: &'report Report) -> Self {
        let root_purl = root_purl(report);
        let root = root_purl.as_ref().map_or_else(|| "subject".to_owned(), ToString::to_string);
        let distribution = report
            .distribution
            .as_ref()
            .map(|distribution| format!("os:{}@{}", distribution.id, distribution.version));
        let mut taken = Taken { plain: root_purl.iter().collect(), ..Taken::default() };
        let mut references = Self {
            root,
            distribution,
            others: HashMap::new(),
            by_place: HashMap::new(),
            by_purl: HashMap::new(),
        };
        // Most packages have no finding that asks for their reference.
        let concerned: HashSet<&Purl> =
            report.findings.iter().filter_map(|finding| finding.package.as_ref()).collect();
        for (index, package) in report.packages.iter().enumerate() {
            if let Some(other) = taken.unique(package) {
                references.others.insert(index, other);
            }
            if concerned.contains(&package.purl) {
                let place = (&package.purl, package.location.path());
                references.by_place.entry(place).or_insert(index);
                references.by_purl.entry(&package.purl).or_insert(index);
            }
        }
        references
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn distribution(&self) -> Option<&str> {
        self.distribution.as_deref()
    }

    /// That of the package at this place of the report.
    pub(super) fn package(&self, index: usize, purl: &Purl) -> Cow<'_, str> {
        match self.others.get(&index) {
            Some(other) => Cow::Borrowed(other),
            None => Cow::Owned(purl.to_string()),
        }
    }

    /// The component that a finding is about; the subject, where it is none of the packages.
    pub(super) fn affected(&self, purl: Option<&Purl>, location: &Location) -> Cow<'_, str> {
        let found = purl.and_then(|purl| {
            let at = self.by_place.get(&(purl, location.path())).or_else(|| self.by_purl.get(purl));
            Some(self.package(*at?, purl))
        });
        found.unwrap_or(Cow::Borrowed(&self.root))
    }
}

/// References that are given away.
#[derive(Default)]
struct Taken<'report> {
    /// Plain purls. No other reference is one: in a purl `|` is encoded.
    plain: HashSet<&'report Purl>,
    others: HashSet<String>,
    /// The last number of each purl and place that stands there more than twice, so that a database
    /// which names one package a hundred thousand times is not searched from the start each time.
    numbers: HashMap<String, u64>,
}

impl<'report> Taken<'report> {
    /// The reference of a package; none where it is its purl.
    fn unique(&mut self, package: &'report Package) -> Option<String> {
        if self.plain.insert(&package.purl) {
            return None;
        }
        let placed = format!("{}|{}", package.purl, package.location);
        if self.others.insert(placed.clone()) {
            return Some(placed);
        }
        let number = self.numbers.entry(placed.clone()).or_insert(1);
        loop {
            *number += 1;
            let numbered = format!("{placed}|{number}");
            if self.others.insert(numbered.clone()) {
                return Some(numbered);
            }
        }
    }
}

/// `pkg:oci/name@sha256:…`, where the manifest's digest is known (purl-spec, type `oci`).
fn root_purl(report: &Report) -> Option<Purl> {
    let digest = report.subject.manifest_digest.as_ref()?;
    let name = report.subject.plain_name();
    let name = name.rsplit('/').next().unwrap_or(&name);
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
    style: &'report Style,
    reference: &'report str,
) -> Component<'report> {
    Component {
        kind: kind_of(report.subject.kind),
        reference: reference.into(),
        supplier: style.supplier().map(|(_, name)| Supplier { name }),
        group: None,
        name: report.subject.plain_name(),
        version: root_version(report).into(),
        description: None,
        scope: None,
        licenses: Vec::new(),
        purl: root_purl(report).map(|purl| purl.to_string()),
        properties: subject_properties(report),
        evidence: None,
    }
}

/// The version of the subject: of an image its digest, of a folder what its own manifest says; of the
/// root of a system that of its distribution. Empty where there is none.
pub(crate) fn root_version(report: &Report) -> String {
    let subject = &report.subject;
    let digest = subject.manifest_digest.as_ref().or(subject.config_digest.as_ref());
    let of_system = || {
        let distribution = report.distribution.as_ref()?;
        let is_system = matches!(subject.kind, SubjectKind::RootDirectory | SubjectKind::Host);
        is_system.then(|| distribution.version.clone())
    };
    digest
        .map(ToString::to_string)
        .or_else(|| subject.version.clone())
        .or_else(of_system)
        .unwrap_or_default()
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
    // The tag that it was asked for by, where it carries none.
    let asked = subject.image_name().filter(|_| subject.tags.is_empty());
    let tags = subject.tags.iter().map(String::as_str).chain(asked);
    properties.extend(tags.map(|tag| Property::new("lazaret:image:tag", tag)));
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
    let packages = report.packages.iter().enumerate().map(move |(index, package)| {
        of(package, references.package(index, &package.purl), &layers)
    });
    distribution(report, references).into_iter().chain(packages)
}

fn distribution<'report>(
    report: &'report Report,
    references: &'report References<'_>,
) -> Option<Component<'report>> {
    let distribution = report.distribution.as_ref()?;
    Some(Component {
        kind: "operating-system",
        reference: references.distribution.as_deref()?.into(),
        supplier: Some(Supplier { name: supplier::vendor(&distribution.id) }),
        group: None,
        name: distribution.id.as_str().into(),
        version: distribution.version.as_str().into(),
        description: distribution.pretty_name.as_deref(),
        scope: None,
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
    reference: Cow<'report, str>,
    layers: &HashMap<u32, String>,
) -> Component<'report> {
    let group = group_of(package);
    let mut properties = component_properties(package, layers);
    properties.extend(
        whole_name(package, group).map(|name| Property::new("lazaret:name", name.to_owned())),
    );
    Component {
        kind: "library",
        reference,
        supplier: supplier::of(package).map(|name| Supplier { name }),
        group,
        name: if group.is_some() { package.purl.name() } else { &package.name }.into(),
        version: package.version.as_str().into(),
        description: None,
        scope: package.scope.map(scope_of),
        licenses: choices(&package.licences),
        purl: Some(package.purl.to_string()),
        properties,
        evidence: evidence::of(package),
    }
}

/// A distribution's purl has the vendor as namespace, which is no group of packages.
fn group_of(package: &Package) -> Option<&str> {
    package.purl.namespace().filter(|_| !package.ecosystem.is_distribution())
}

/// The name of a package that group and name do not make up.
fn whole_name<'report>(package: &'report Package, group: Option<&str>) -> Option<&'report str> {
    let divider = if package.purl.kind() == "maven" { ':' } else { '/' };
    let made = format!("{}{divider}{}", group?, package.purl.name());
    (made != package.name).then_some(package.name.as_str())
}

/// The word for what a package is there for: what only builds or tests is no part of what runs
/// (CycloneDX specification 1.6, `scope`).
const fn scope_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Runtime => "required",
        Scope::Optional => "optional",
        Scope::Development => "excluded",
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
        let confidence = identified.confidence.name();
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
    if let Some(relation) = package.relation {
        let relation = match relation {
            Relation::Direct => "direct",
            Relation::Indirect => "indirect",
        };
        add("lazaret:relation", relation.to_owned());
    }
    if let Some(scope) = package.scope {
        let scope = match scope {
            Scope::Runtime => "runtime",
            Scope::Optional => "optional",
            Scope::Development => "development",
        };
        add("lazaret:scope", scope.to_owned());
    }
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
            relation: None,
            scope: None,
            requires: Vec::new(),
            files: Vec::new(),
        };
        let mut taken = Taken::default();
        let same = package("pkg:npm/a@1", "x");
        let given: Vec<Option<String>> = (0..4).map(|_| taken.unique(&same)).collect();
        let given: Vec<&str> = given.iter().map(|one| one.as_deref().unwrap_or("plain")).collect();
        assert_eq!(given, ["plain", "pkg:npm/a@1|x", "pkg:npm/a@1|x|2", "pkg:npm/a@1|x|3"]);
    }
}
