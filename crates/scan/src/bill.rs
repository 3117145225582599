//! Makes an inventory of a bill of materials, so that it is matched and decided on like an image.
//!
//! In goes a document that [`sbom`] read, out comes an [`Inventory`] whose packages are what its
//! package URLs name, at the places that it states. The one design decision: what cannot be matched is
//! listed all the same and counted in the coverage of `sbom`, because a bill that is read in part must not look
//! clean; and the bill of an image that Lazaret wrote gives the findings of that image, with the same
//! fingerprints.

pub(crate) mod attached;

use crate::asked::Asked;
use crate::error::BillError;
use crate::inventory::{Files, Inventory, Runs, Software, Source};
use crate::resolve;
use advisories::purls::{self, PurlMatchError};
use sbom::{Component, DOCUMENT_BYTES, Document};
use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vocabulary::{
    Confidence, Coverage, Distribution, Ecosystem, Identified, Location, Package, Presence,
    Problem, Purl, SourcePackage, Status, Subject, SubjectKind,
};

/// The name of the check whose coverage says what of the bill could not be matched.
const CHECK: &str = "sbom";

/// The image whose attached bill a reference names: `sbom:attached:IMAGE`.
pub(crate) fn attached_to(reference: &str) -> Option<&str> {
    let file = reference.strip_prefix("sbom:")?;
    file.strip_prefix("attached:").filter(|_| !Path::new(file).exists())
}

/// The file that a reference names as a bill of materials: `sbom:FILE`, with `-` for standard input,
/// or a file that begins like one.
pub(crate) fn named(reference: &str) -> Option<PathBuf> {
    if let Some(file) = reference.strip_prefix("sbom:") {
        return Some(PathBuf::from(file));
    }
    let path = Path::new(reference);
    let mut head = Vec::new();
    files::read_start(path, 512, &mut head).ok()?;
    sbom::looks_like_one(&head).then(|| path.to_owned())
}

/// Reads a bill of materials. `given` is the release that its packages are of, whatever it says itself.
pub(crate) fn read(
    reference: &str,
    path: &Path,
    given: Option<&Distribution>,
) -> Result<Inventory, BillError> {
    let bytes = bytes_of(path)?;
    let document = sbom::read(&bytes)
        .map_err(|source| BillError::Document { path: path.to_owned(), source })?;
    Ok(inventory(reference, document, given))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, BillError> {
    let fail = |source| BillError::Read { path: path.to_owned(), source };
    let too_large = || BillError::TooLarge { path: path.to_owned() };
    if path != Path::new("-") {
        return files::read(path, DOCUMENT_BYTES).map_err(|error| match error.kind() {
            std::io::ErrorKind::FileTooLarge => too_large(),
            _ => fail(error),
        });
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > DOCUMENT_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// The inventory of a document; `given` is the release that its packages are of, whatever it says
/// itself.
#[must_use]
pub fn inventory(reference: &str, document: Document, given: Option<&Distribution>) -> Inventory {
    let parsed: Vec<(Component, Result<Purl, String>)> = document
        .components
        .into_iter()
        .map(|component| {
            let purl = purl_of(&component);
            (component, purl)
        })
        .collect();
    let distribution =
        given.cloned().or(document.distribution).or_else(|| stated_distribution(&parsed));
    let mut packages = document.packages;
    let mut problems = document.problems;
    problems.extend(without_source(&parsed));
    let mut needs: Vec<(usize, Vec<String>)> = Vec::new();
    let mut by_text: HashMap<String, Purl> = HashMap::new();
    for (mut component, purl) in parsed {
        let name = shown(&component);
        let (text, requires) = (component.purl.clone(), std::mem::take(&mut component.requires));
        let elsewhere = purl.as_ref().ok().and_then(|purl| match given {
            Some(given) => elsewhere_than_asked(purl, given),
            None => elsewhere_than(purl, distribution.as_ref()?),
        });
        let purl = match elsewhere {
            Some(reason) => Err(Unmatched { purl: purl.ok().map(Box::new), reason }),
            None => purl.map_err(|reason| Unmatched { purl: None, reason }),
        };
        let (package, reason) = package(component, purl, distribution.as_ref());
        if let Some(package) = package {
            if let Some(text) = text {
                by_text.entry(text).or_insert_with(|| package.purl.clone());
            }
            if !requires.is_empty() {
                needs.push((packages.len(), requires));
            }
            packages.push(package);
        }
        problems.extend(reason.map(|reason| Problem { path: name, layer: None, reason }));
    }
    for (index, texts) in needs {
        let Some(package) = packages.get_mut(index) else { continue };
        let known = texts.iter().filter_map(|text| by_text.get(text));
        package.requires = known.filter(|purl| **purl != package.purl).cloned().collect();
        package.requires.sort();
        package.requires.dedup();
    }
    packages.sort_by(|left, right| resolve::key(left).cmp(&resolve::key(right)));
    packages.dedup();
    let mut coverage = document.coverage;
    coverage.retain(|one| !is_made_anew(&one.check));
    problems.extend(coverage.iter().filter(|one| one.check == CHECK).flat_map(stated_gaps));
    coverage.retain(|one| one.check != CHECK);
    let mut own = Coverage::with_problems(CHECK, problems);
    own.reason = Some(format!("packages as {} states them", document.form));
    // One of a folder whose lock files and manifests name none says so.
    if packages.is_empty() && !document.states_none {
        let nothing = Coverage::skipped(
            CHECK,
            "the document names no packages: nothing was checked; make it of what was built or installed",
        );
        let Coverage { problems, problems_left_out, .. } = own;
        own = Coverage { problems, problems_left_out, ..nothing };
    }
    coverage.push(own);
    Inventory {
        subject: Subject {
            kind: SubjectKind::Sbom,
            name: reference.to_owned(),
            manifest_digest: document.manifest_digest,
            config_digest: document.config_digest,
            tags: if document.tags.is_empty() {
                document.name.into_iter().collect()
            } else {
                document.tags
            },
            platform: document.platform,
            base: None,
            source: None,
            checkout: None,
            version: None,
        },
        layers: Vec::new(),
        software: Software {
            distribution,
            asked: Asked::of_bill(&packages),
            packages,
            ..Software::default()
        },
        files: Files::default(),
        runs: Runs::default(),
        apt: catalog::apt::Settings::default(),
        source: Source::default(),
        findings: document.mismatches.into_iter().map(crate::integrity::of_bill).collect(),
        coverage,
    }
}

/// Whether a check is of matching and deciding, which are done again for a bill: what the scan that it
/// was made of could not match then is no gap now, or is found to be one again.
fn is_made_anew(check: &str) -> bool {
    const EXACT: [&str; 6] =
        ["sources", "end-of-life", "base-image", "vex", "attached-vex", "archive"];
    const BEGINNINGS: [&str; 4] = ["vulnerabilities:", "unmatched:", "risk:", "imported"];
    EXACT.contains(&check) || BEGINNINGS.iter().any(|start| check.starts_with(start))
}

/// What the maker of a bill, where that was made of another bill, did not take from that.
fn stated_gaps(coverage: &Coverage) -> Vec<Problem> {
    match (coverage.status, coverage.problems.as_slice()) {
        (Status::Ran, _) => Vec::new(),
        (_, []) => vec![Problem {
            path: "the document".to_owned(),
            layer: None,
            reason: coverage
                .reason
                .clone()
                .unwrap_or_else(|| "its maker says that it is not complete".to_owned()),
        }],
        (_, problems) => problems.to_vec(),
    }
}

fn shown(component: &Component) -> String {
    let name = match component.name.as_str() {
        "" => component.purl.as_deref().unwrap_or("a component without a name"),
        name => name,
    };
    match component.version.as_str() {
        "" => name.to_owned(),
        version => format!("{name} {version}"),
    }
}

fn purl_of(component: &Component) -> Result<Purl, String> {
    let text = component
        .purl
        .as_deref()
        .ok_or("it has no package URL: listed by its maker, not matched")?;
    let purl: Purl = text.parse().map_err(|error: vocabulary::PurlError| error.to_string())?;
    match purl.version() {
        None if !component.version.is_empty() => Ok(purl.with_version(&component.version)),
        _ => Ok(purl),
    }
}

/// Types of package URLs whose packages are of a distribution.
fn is_of_distribution(purl: &Purl) -> bool {
    matches!(purl.kind(), "deb" | "apk" | "alpine" | "rpm" | "alpm")
}

/// The distribution that most of the package URLs name, where no component is one.
fn stated_distribution(parsed: &[(Component, Result<Purl, String>)]) -> Option<Distribution> {
    let mut counts: BTreeMap<(String, String, Option<String>), usize> = BTreeMap::new();
    let purls = parsed.iter().filter_map(|(_, purl)| purl.as_ref().ok());
    for purl in purls.filter(|purl| is_of_distribution(purl)) {
        let Some(named) = purls::named_distribution(purl) else { continue };
        let id = sbom::distribution_id(&named.id).to_owned();
        *counts.entry((id, named.version, named.codename)).or_default() += 1;
    }
    let ((id, version, codename), _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some(Distribution { id, version, codename, pretty_name: None, like: Vec::new() })
}

/// Why a package is not of the distribution that the document is about: its namespace or its own
/// release is another. Held against the document's, it would be matched wrongly.
fn elsewhere_than(purl: &Purl, distribution: &Distribution) -> Option<String> {
    if !is_of_distribution(purl) {
        return None;
    }
    let own = purls::named_distribution(purl).map(|mut own| {
        own.id = sbom::distribution_id(&own.id).to_owned();
        own
    });
    let other = is_named_otherwise(purl.namespace(), distribution)
        || own.is_some_and(|own| !purls::same_release(&own, distribution));
    other.then(|| {
        format!(
            "it is of another distribution than {}, which the document is about: not matched; scan it apart, or name the release by --distro",
            with_release(distribution)
        )
    })
}

/// The same of a release that was asked for. Of which distribution a package is, its namespace says;
/// of which release, whoever asked.
fn elsewhere_than_asked(purl: &Purl, given: &Distribution) -> Option<String> {
    let by_qualifier = purls::named_distribution(purl).filter(|_| purl.namespace().is_none());
    let name = purl.namespace().or_else(|| by_qualifier.as_ref().map(|own| own.id.as_str()));
    (is_of_distribution(purl) && is_named_otherwise(name, given)).then(|| {
        format!(
            "it is of another distribution than {}, which --distro names: not matched; scan it apart, or leave out --distro",
            with_release(given)
        )
    })
}

/// Whether a name is that of a known distribution with other advisories.
fn is_named_otherwise(name: Option<&str>, distribution: &Distribution) -> bool {
    let named = name.and_then(|name| Ecosystem::of_distribution(sbom::distribution_id(name)));
    let wanted = Ecosystem::of_distribution(&distribution.id);
    named.zip(wanted).is_some_and(|(named, wanted)| named != wanted)
}

fn with_release(distribution: &Distribution) -> String {
    let release = match distribution.version.as_str() {
        "" => distribution.codename.as_deref().unwrap_or_default(),
        version => version,
    };
    format!("{} {release}", distribution.id).trim_end().to_owned()
}

/// Says where no package of a distribution names its source, by which advisories speak: a tool that
/// names them at all does so wherever the source has another name.
fn without_source(parsed: &[(Component, Result<Purl, String>)]) -> Option<Problem> {
    let named = |component: &Component, purl: &Purl| {
        component.stated.sources_told
            || component.stated.source().is_some()
            || ["upstream", "source", "origin"].iter().any(|key| purl.qualifier(key).is_some())
    };
    let of_sources = parsed
        .iter()
        .filter_map(|(component, purl)| Some((component, purl.as_ref().ok()?)))
        .filter(|(_, purl)| matches!(purl.kind(), "deb" | "apk" | "alpine"));
    let mut count = 0_u64;
    for (component, purl) in of_sources {
        if named(component, purl) {
            return None;
        }
        count += 1;
    }
    (count > 0).then(|| Problem {
        path: vocabulary::counted(count, "package", "packages"),
        layer: None,
        reason: "no source package is named: matched by its own name, which advisories of a source with another name do not mention".to_owned(),
    })
}

/// A component that is not matched: listed, with the reason.
struct Unmatched {
    purl: Option<Box<Purl>>,
    reason: String,
}

/// The package that a component is, and why it cannot be matched, where it cannot. Without a name there
/// is nothing to be listed.
fn package(
    component: Component,
    purl: Result<Purl, Unmatched>,
    distribution: Option<&Distribution>,
) -> (Option<Package>, Option<String>) {
    let matched = purl.and_then(|purl| match purls::package(&purl, distribution) {
        Ok((package, _)) => Ok(package),
        // Of a type that has no advisories: listed, and said to be not checked.
        Err(PurlMatchError::Type(_)) => Ok(unmatched(&purl, &component)),
        Err(PurlMatchError::NoVersion(_)) => {
            as_found(&purl, &component, distribution).ok_or_else(|| {
                let reason = "it has no version: listed, not matched".to_owned();
                Unmatched { purl: Some(Box::new(purl)), reason }
            })
        }
        // The package URL has the ref, and the version, where one is known, stands beside it.
        Err(PurlMatchError::Moving(reason)) => {
            let stated = purl.clone().with_version(&component.version);
            match purls::package(&stated, distribution) {
                Ok((package, _)) => Ok(Package { purl, ..package }),
                Err(_) => as_found(&purl, &component, distribution).ok_or_else(|| {
                    let reason = PurlMatchError::Moving(reason).to_string();
                    Unmatched { purl: Some(Box::new(purl)), reason }
                }),
            }
        }
        Err(error) => Err(Unmatched { purl: Some(Box::new(purl)), reason: error.to_string() }),
    });
    match matched {
        Ok(package) => (Some(as_stated(package, component)), None),
        Err(Unmatched { purl, reason }) => {
            let generic = || {
                let name = component.name.trim_matches(['/', ' ']);
                let named = !name.is_empty();
                named.then(|| Purl::new("generic", name).with_version(&component.version))
            };
            let package = purl.map(|purl| *purl).or_else(generic).map(|purl| {
                // Of a distribution whose release is not known: matching says so.
                let namespace = purl.namespace().filter(|_| distribution.is_none());
                let namespace =
                    namespace.filter(|_| is_of_distribution(&purl) && purl.version().is_some());
                let ecosystem = namespace
                    .and_then(|name| Ecosystem::of_distribution(sbom::distribution_id(name)));
                let package = unmatched(&purl, &component);
                let listed =
                    Package { ecosystem: ecosystem.unwrap_or(Ecosystem::PROGRAM), ..package };
                // What only lacks a version is of its ecosystem all the same.
                let known = component.version.is_empty().then(|| unversioned(&purl, distribution));
                known.flatten().unwrap_or(listed)
            });
            // What it says of its ecosystem does not make it one that can be matched.
            let mut component = component;
            component.stated.ecosystem = None;
            (package.map(|package| as_stated(package, component)), Some(reason))
        }
    }
}

/// A package without a version, as Lazaret lists it where it finds none, in the ecosystem that its
/// package URL is of: matching says what becomes of those, as it does for what was scanned.
fn as_found(
    purl: &Purl,
    component: &Component,
    distribution: Option<&Distribution>,
) -> Option<Package> {
    let stated = Ecosystem::new(component.stated.ecosystem.as_deref()?);
    if !component.version.is_empty() {
        return None;
    }
    // Types that have no advisories have packages without a version, too.
    let is_listed = !stated.is_distribution() && !stated.has_advisories();
    let listed = (is_listed && stated.purl_type().unwrap_or("generic") == purl.kind())
        .then(|| Package { version: String::new(), ..unmatched(purl, component) });
    unversioned(purl, distribution).filter(|package| package.ecosystem == stated).or(listed)
}

/// A package of a type that has advisories, without a version.
fn unversioned(purl: &Purl, distribution: Option<&Distribution>) -> Option<Package> {
    // A version of any type: of actions no other is one.
    let any = purl.clone().with_version("0.0.0");
    let (package, _) = purls::package(&any, distribution).ok()?;
    Some(Package { purl: purl.clone(), version: String::new(), ..package })
}

/// What the document states of a package beyond its package URL.
fn as_stated(mut package: Package, component: Component) -> Package {
    let stated = &component.stated;
    if let Some(ecosystem) = &stated.ecosystem {
        package.ecosystem = Ecosystem::new(ecosystem);
        if let Some(name) = &stated.name {
            package.name.clone_from(name);
        } else if component.ungrouped && !component.name.is_empty() {
            package.name.clone_from(&component.name);
        }
        if !component.version.is_empty() {
            package.version.clone_from(&component.version);
        }
    }
    if let Some((name, version)) = stated.source() {
        let version = version.unwrap_or_else(|| package.version.clone());
        package.source = Some(SourcePackage { name, version });
    }
    if let Some(path) = &stated.path {
        let layer = stated.location_layer.or(stated.layer);
        let line = stated.line;
        package.location = Location::File { path: path.clone(), layer, line };
    }
    package.layer = stated.layer;
    package.relation = component.relation;
    package.scope = component.scope;
    package.origin = stated.origin.unwrap_or_default();
    package.presence = stated.presence.unwrap_or(Presence::Installed);
    package.owned_by = stated.owned_by.as_deref().and_then(|text| text.parse().ok()).map(Box::new);
    if let Some(module) = &stated.module {
        package.module = Some(module.clone());
    }
    if let Some(architecture) = &stated.architecture {
        package.architecture = Some(architecture.clone());
    }
    package.identified = stated
        .identified
        .as_ref()
        .map(|(by, how)| Identified { by: by.clone(), confidence: confidence(how) })
        .map(Box::new);
    package.licences = component.licences;
    package
}

fn confidence(text: &str) -> Confidence {
    match text {
        "high" => Confidence::High,
        "medium" => Confidence::Medium,
        "low" => Confidence::Low,
        _ => Confidence::None,
    }
}

/// A package that is listed and held against no advisory.
fn unmatched(purl: &Purl, component: &Component) -> Package {
    let version = purl.version().unwrap_or_default().to_owned();
    let name = match (component.name.as_str(), purl.namespace()) {
        // Where the form has a group apart, the package URL has both.
        (_, Some(group)) if !component.ungrouped => format!("{group}/{}", purl.name()),
        ("", _) => purl.name().to_owned(),
        (name, _) => name.to_owned(),
    };
    Package::new(purl.clone(), Ecosystem::PROGRAM, name, version, Location::Subject)
}

#[cfg(test)]
mod tests;
