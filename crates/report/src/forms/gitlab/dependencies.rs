//! The files of a report of dependencies: what each names, who asks for it and by whom it is brought.
//!
//! Packages have a number in their file (`iid`), counted from 1, by which the way to a package names
//! those on it. Of a file that does not say what its packages need, neither a way nor `direct` is
//! written: nothing is known. Source: gitlab-org, `security-report-schemas`, `dependency` and
//! `dependency_file` of schema 15.0, which later ones still take.

use crate::edges::{Edges, path_to};
use crate::group::name_of;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{Finding, Location, Package, Purl, Relation, Report};

/// Names of files, and the package manager that writes them.
const MANAGERS: [(&str, &str); 22] = [
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
    ("package.json", "npm"),
    ("yarn.lock", "yarn"),
    ("pnpm-lock.yaml", "pnpm"),
    ("bun.lock", "bun"),
    ("requirements.txt", "pip"),
    ("Pipfile.lock", "pipenv"),
    ("poetry.lock", "poetry"),
    ("uv.lock", "uv"),
    ("Gemfile.lock", "bundler"),
    ("composer.lock", "composer"),
    ("go.mod", "go"),
    ("go.sum", "go"),
    ("pom.xml", "maven"),
    ("gradle.lockfile", "gradle"),
    ("packages.lock.json", "nuget"),
    ("conan.lock", "conan"),
    ("Cargo.lock", "cargo"),
    ("pubspec.lock", "pub"),
    ("mix.lock", "hex"),
    ("Package.resolved", "swift"),
];

#[derive(Serialize)]
pub(super) struct File<'report> {
    path: String,
    package_manager: Cow<'report, str>,
    dependencies: Vec<Dependency<'report>>,
}

#[derive(Clone, Serialize)]
pub(super) struct Dependency<'report> {
    #[serde(skip_serializing_if = "Option::is_none")]
    iid: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependency_path: Vec<Step>,
    package: Named<'report>,
    version: &'report str,
}

#[derive(Clone, Serialize)]
struct Named<'report> {
    name: Cow<'report, str>,
}

#[derive(Clone, Serialize)]
struct Step {
    iid: usize,
}

/// The package of a finding, where nothing is known of files.
pub(super) fn of(finding: &Finding) -> Dependency<'_> {
    let purl = finding.package.as_ref();
    Dependency {
        iid: None,
        direct: None,
        dependency_path: Vec::new(),
        package: Named { name: purl.map_or("".into(), name_of) },
        version: purl.and_then(Purl::version).unwrap_or_default(),
    }
}

/// Where a package or finding is, from the root of the checkout; never empty, as the schema asks.
pub(super) fn file_of(report: &Report, location: &Location) -> String {
    match location.path().filter(|path| !path.is_empty()) {
        Some(path) => report.subject.from_checkout(path),
        None => report.subject.short_name().to_owned(),
    }
}

/// The packages of a report by their files.
pub(super) struct Files<'report> {
    report: &'report Report,
    /// The number of each package in its file, by its place in the report.
    numbers: Vec<usize>,
    brought: HashMap<usize, usize>,
    by_place: HashMap<(&'report Purl, Option<&'report str>), usize>,
}

impl<'report> Files<'report> {
    pub(super) fn of(report: &'report Report) -> Self {
        let mut counts: HashMap<Option<&str>, usize> = HashMap::new();
        let number = |package: &'report Package| {
            let count = counts.entry(package.location.path()).or_default();
            *count += 1;
            *count
        };
        let mut by_place = HashMap::new();
        for (index, package) in report.packages.iter().enumerate() {
            by_place.entry((&package.purl, package.location.path())).or_insert(index);
        }
        Self {
            numbers: report.packages.iter().map(number).collect(),
            brought: Edges::of(&report.packages).brought_by(),
            by_place,
            report,
        }
    }

    /// Every file, with all that it names.
    pub(super) fn written(&self) -> Vec<File<'report>> {
        let mut files: BTreeMap<String, File<'report>> = BTreeMap::new();
        for (index, package) in self.report.packages.iter().enumerate() {
            let path = file_of(self.report, &package.location);
            let file = files.entry(path.clone()).or_insert_with(|| File {
                package_manager: manager(&path, &package.purl),
                path,
                dependencies: Vec::new(),
            });
            file.dependencies.push(self.at(index, package));
        }
        files.into_values().collect()
    }

    /// The package of a finding.
    pub(super) fn dependency(&self, finding: &'report Finding) -> Dependency<'report> {
        let place = finding.package.as_ref().map(|purl| (purl, finding.location.path()));
        let index = place.and_then(|place| self.by_place.get(&place));
        let package = index.and_then(|index| Some((*index, self.report.packages.get(*index)?)));
        package.map_or_else(|| of(finding), |(index, package)| self.at(index, package))
    }

    fn at(&self, index: usize, package: &'report Package) -> Dependency<'report> {
        let number = |index: usize| self.numbers.get(index).copied().unwrap_or_default();
        let direct = package.relation.map(|relation| relation == Relation::Direct);
        let path = match direct {
            Some(true) => Vec::new(),
            _ => path_to(&self.brought, index),
        };
        Dependency {
            iid: Some(number(index)),
            direct,
            dependency_path: path.into_iter().map(|index| Step { iid: number(index) }).collect(),
            package: Named { name: name_of(&package.purl) },
            version: &package.version,
        }
    }
}

fn manager<'report>(path: &str, purl: &'report Purl) -> Cow<'report, str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let known = MANAGERS.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| purl.kind().into(), |(_, manager)| (*manager).into())
}
