//! GitHub's dependency snapshot: what the dependency submission API takes.
//!
//! The packages alone, by package URL: those that a lock file declares under that file, all others
//! under the subject's name. The API asks for the commit, the branch and the job, which only the CI
//! service knows: without them there is no snapshot. Source: GitHub REST API, "Create a snapshot of
//! dependencies for a repository".

use crate::json::write;
use crate::{Build, Style};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use vocabulary::{Package, Presence, Report};

/// Why there is no snapshot.
pub const NO_BUILD: &str = "`github` needs the commit, the branch and the job: set GITHUB_SHA, GITHUB_REF, \
    GITHUB_RUN_ID, GITHUB_WORKFLOW and GITHUB_JOB, as GitHub's runners do";

/// The API wants an address of the program. It has no page, so this is one that nobody can own
/// (RFC 2606).
const PAGE: &str = "https://lazaret.invalid";

#[derive(Serialize)]
struct Snapshot<'report> {
    version: u8,
    sha: &'report str,
    #[serde(rename = "ref")]
    reference: &'report str,
    job: Job<'report>,
    detector: Detector<'report>,
    scanned: &'report str,
    manifests: BTreeMap<&'report str, Manifest<'report>>,
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
    url: &'static str,
}

#[derive(Serialize)]
struct Manifest<'report> {
    name: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'report>>,
    resolved: BTreeMap<String, Resolved>,
}

#[derive(Serialize)]
struct File<'report> {
    source_location: &'report str,
}

#[derive(Serialize)]
struct Resolved {
    package_url: String,
}

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(build) = &style.build else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NO_BUILD));
    };
    let Build { commit, reference, run, correlator } = build;
    let scanned = style.timestamp.as_deref().or(style.moment.as_deref());
    let snapshot = Snapshot {
        version: 0,
        sha: commit,
        reference,
        job: Job { id: run, correlator },
        detector: Detector { name: &report.tool.name, version: &report.tool.version, url: PAGE },
        scanned: scanned.unwrap_or("1970-01-01T00:00:00Z"),
        manifests: manifests(report),
    };
    write(&snapshot, out)
}

fn manifests(report: &Report) -> BTreeMap<&str, Manifest<'_>> {
    let mut manifests = BTreeMap::new();
    for package in &report.packages {
        let file = declaring_file(package);
        let name = file.unwrap_or(&report.subject.name);
        let manifest = manifests.entry(name).or_insert_with(|| Manifest {
            name,
            file: file.map(|source_location| File { source_location }),
            resolved: BTreeMap::new(),
        });
        let package_url = package.purl.to_string();
        manifest.resolved.insert(package_url.clone(), Resolved { package_url });
    }
    manifests
}

fn declaring_file(package: &Package) -> Option<&str> {
    (package.presence == Presence::Declared).then(|| package.location.path()).flatten()
}
