//! `dependencies` and `compositions`: what needs what, and of what that is not known.
//!
//! The subject needs its distribution, every package that is installed in it and every one that it asks
//! for itself: not those that only other packages ask for, and none of which that is not known; a package needs what its lock file or package database says. A package of which nothing says what
//! it needs is no node of the graph: its reference stands in a composition that is `unknown`, as the
//! standard has it, so that an empty list is always a known one. Source: CycloneDX specification 1.6,
//! `dependencies` and `compositions`; NTIA, "The Minimum Elements For a Software Bill of Materials",
//! "Dependency Relationship" and "Known Unknowns".

use super::components::References;
use crate::edges::Edges;
use serde::Serialize;
use std::borrow::Cow;
use vocabulary::{Presence, Relation, Report, Status, SubjectKind};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency<'report> {
    #[serde(rename = "ref")]
    reference: Cow<'report, str>,
    depends_on: Vec<Cow<'report, str>>,
}

/// Says that a part of the document is not all there is.
#[derive(Serialize)]
pub(super) struct Composition<'report> {
    aggregate: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<Cow<'report, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<Cow<'report, str>>,
}

/// The graph, beginning with the subject.
pub(super) fn all<'report>(
    report: &'report Report,
    references: &'report References<'_>,
    edges: &'report Edges<'report>,
) -> impl Iterator<Item = Dependency<'report>> {
    let reference = |index: usize| {
        let package = report.packages.get(index);
        package.map(|package| references.package(index, &package.purl))
    };
    let is_folder = matches!(report.subject.kind, SubjectKind::SourceDirectory | SubjectKind::Sbom);
    let own = report.packages.iter().enumerate();
    let own = own.filter(|(_, package)| match package.relation {
        Some(relation) => relation == Relation::Direct,
        None => !is_folder || package.presence == Presence::Installed,
    });
    let distribution = references.distribution().map(Cow::Borrowed);
    let root = Dependency {
        reference: references.root().into(),
        depends_on: distribution
            .into_iter()
            .chain(own.filter_map(|(index, _)| reference(index)))
            .collect(),
    };
    let known = report.packages.iter().enumerate();
    let known = known.filter(|(_, package)| edges.are_known(package));
    let packages = known.map(move |(index, package)| Dependency {
        reference: references.package(index, &package.purl),
        depends_on: edges.needs(package).into_iter().filter_map(reference).collect(),
    });
    std::iter::once(root).chain(packages)
}

/// What is not all there is: the subject, where a check did not run in full. And of what nobody knows
/// whether it is: the needs of the subject, where nothing says who asks for a package, and those of the
/// packages of which nothing says what they need.
pub(super) fn compositions<'report>(
    report: &'report Report,
    references: &'report References<'_>,
    edges: &Edges<'report>,
) -> Vec<Composition<'report>> {
    let root = Cow::Borrowed(references.root());
    let partial = report.coverage.iter().any(|coverage| coverage.status != Status::Ran);
    let unrelated = report.packages.iter().any(|package| package.relation.is_none());
    let packages = report.packages.iter().enumerate();
    let packages = packages
        .filter(|(_, package)| !edges.are_known(package))
        .map(|(index, package)| references.package(index, &package.purl));
    let distribution = references.distribution().map(Cow::Borrowed);
    let unknown: Vec<Cow<'_, str>> = (unrelated && !partial)
        .then(|| root.clone())
        .into_iter()
        .chain(distribution)
        .chain(packages)
        .collect();
    let incomplete = partial.then(|| Composition {
        aggregate: "incomplete",
        assemblies: vec![root.clone()],
        dependencies: vec![root],
    });
    let unknown = (!unknown.is_empty()).then_some(Composition {
        aggregate: "unknown",
        assemblies: Vec::new(),
        dependencies: unknown,
    });
    incomplete.into_iter().chain(unknown).collect()
}
