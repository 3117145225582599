//! GitHub's dependency snapshot: what the dependency submission API takes.
//!
//! The packages alone, by package URL: those that a lock file declares under that file, named from the
//! root of the checkout, all others under the subject's name. Only of a folder is such a file one of the
//! repository, and has a `source_location`. Each says whether the project asks for
//! it, for what, and what it needs, where the file tells; of what builds or tests nothing is left out.
//! The API asks for the commit, the branch and the job, which only the CI service knows: without them
//! there is no snapshot. Source: GitHub REST API, "Create a snapshot of dependencies for a repository".

use crate::edges::Edges;
use crate::form::{Form, Format};
use crate::forms::json::write;
use crate::style::{Build, HOME_PAGE, Style};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use vocabulary::{Package, Presence, Purl, Relation, Report, Scope, SubjectKind};

/// GitHub's dependency snapshot: packages alone.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    is_json: true,
    has_verdict: false,
    needs_build: true,
    packages: Some(render),
    ..Form::new("github", render)
};

/// Why there is no snapshot.
pub const NO_BUILD: &str = "`github` needs the commit, the branch and the job: set GITHUB_SHA, GITHUB_REF, \
    GITHUB_RUN_ID, GITHUB_WORKFLOW and GITHUB_JOB, as GitHub's runners do";

#[derive(Serialize)]
struct Snapshot<'report> {
    version: u8,
    sha: &'report str,
    #[serde(rename = "ref")]
    reference: &'report str,
    job: Job<'report>,
    detector: Detector<'report>,
    scanned: &'report str,
    manifests: BTreeMap<String, Manifest>,
}

#[derive(Serialize)]
struct Job<'report> {
    id: &'report str,
    correlator: &'report str,
}

#[derive(Serialize)]
struct Detector<'report> {
    name: &'report str,
    version: &'report str,
    url: &'report str,
}

#[derive(Serialize)]
struct Manifest {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    resolved: BTreeMap<String, Resolved>,
}

#[derive(Serialize)]
struct File {
    source_location: String,
}

#[derive(Serialize)]
struct Resolved {
    package_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    dependencies: BTreeSet<String>,
}

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(build) = &style.build else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NO_BUILD));
    };
    let Build { commit, reference, run, correlator } = build;
    let url = HOME_PAGE;
    let snapshot = Snapshot {
        version: 0,
        sha: commit,
        reference,
        job: Job { id: run, correlator },
        detector: Detector { name: &report.tool.name, version: &report.tool.version, url },
        scanned: style.time().unwrap_or("1970-01-01T00:00:00Z"),
        manifests: manifests(report),
    };
    write(&snapshot, out)
}

fn manifests(report: &Report) -> BTreeMap<String, Manifest> {
    let edges = Edges::of(&report.packages);
    // A file of an image is none of the repository, where the API would link to it.
    let in_repository = report.subject.kind == SubjectKind::SourceDirectory;
    let mut manifests = BTreeMap::new();
    for package in &report.packages {
        let file = declaring_file(package).map(|path| report.subject.from_checkout(path));
        let name = file.clone().unwrap_or_else(|| report.subject.name.clone());
        let manifest = manifests.entry(name.clone()).or_insert_with(|| Manifest {
            name,
            file: file.filter(|_| in_repository).map(|source_location| File { source_location }),
            resolved: BTreeMap::new(),
        });
        let needs = edges.needs(package);
        let needs = needs.iter().filter_map(|index| report.packages.get(*index));
        let package_url = address(&package.purl);
        let resolved = manifest.resolved.entry(package_url.clone()).or_insert(Resolved {
            package_url,
            relationship: None,
            scope: None,
            dependencies: BTreeSet::new(),
        });
        resolved.dependencies.extend(needs.map(|needed| address(&needed.purl)));
        // Of one that stands there twice the closer and wider use holds.
        resolved.relationship =
            first_of(["direct", "indirect"], resolved.relationship, relationship(package));
        resolved.scope = first_of(["runtime", "development"], resolved.scope, scope(package));
    }
    manifests
}

/// The first of the words that one of both is.
fn first_of(
    words: [&'static str; 2],
    left: Option<&'static str>,
    right: Option<&'static str>,
) -> Option<&'static str> {
    words.into_iter().find(|word| [left, right].contains(&Some(*word)))
}

/// GitHub knows actions by a type of its own, which its advisories are matched by.
fn address(purl: &Purl) -> String {
    let text = purl.to_string();
    match text.strip_prefix("pkg:github/") {
        Some(rest) => format!("pkg:githubactions/{rest}"),
        None => text,
    }
}

fn relationship(package: &Package) -> Option<&'static str> {
    package.relation.map(|relation| match relation {
        Relation::Direct => "direct",
        Relation::Indirect => "indirect",
    })
}

/// The API knows two: what may be missing runs where it is there.
fn scope(package: &Package) -> Option<&'static str> {
    package.scope.map(|scope| match scope {
        Scope::Runtime | Scope::Optional => "runtime",
        Scope::Development => "development",
    })
}

fn declaring_file(package: &Package) -> Option<&str> {
    (package.presence == Presence::Declared).then(|| package.location.path()).flatten()
}
