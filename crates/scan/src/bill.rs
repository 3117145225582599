//! Makes an inventory of a bill of materials, so that it is matched and decided on like an image.
//!
//! In goes a document that [`sbom`] read, out comes an [`Inventory`] whose packages are what its
//! package URLs name, at the places that it states. The one design decision: what cannot be matched is
//! listed and counted in the coverage of `sbom`, because a bill that is read in part must not look
//! clean; and the bill of an image that Lazaret wrote gives the findings of that image, with the same
//! fingerprints.

use crate::inventory::Inventory;
use crate::resolve;
use advisories::purls::{self, PurlMatchError};
use sbom::{Component, DOCUMENT_BYTES, Document, SbomError};
use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vocabulary::{
    Confidence, Coverage, Distribution, Ecosystem, Identified, Location, Package, Presence,
    Problem, Purl, SourcePackage, Subject, SubjectKind,
};

/// The name of the check whose coverage says what of the bill could not be matched.
const CHECK: &str = "sbom";

/// Why a bill could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than what is read.
    #[error("`{}` is larger than {} MiB; divide it", path.display(), DOCUMENT_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is no bill of materials that can be read.
    #[error("`{}`: {source}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SbomError,
    },
}

/// The file that a reference names as a bill of materials: `sbom:FILE`, with `-` for standard input,
/// or a file whose first byte opens a JSON object.
pub(crate) fn named(reference: &str) -> Option<PathBuf> {
    if let Some(file) = reference.strip_prefix("sbom:") {
        return Some(PathBuf::from(file));
    }
    let path = Path::new(reference);
    let mut head = [0_u8; 64];
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let length = is_file.then(|| std::fs::File::open(path).ok()?.read(&mut head).ok()).flatten()?;
    let head = head.get(..length)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    (text.first() == Some(&b'{')).then(|| path.to_owned())
}

/// Reads a bill of materials.
pub(crate) fn read(reference: &str, path: &Path) -> Result<Inventory, BillError> {
    let bytes = bytes_of(path)?;
    let document = sbom::read(&bytes)
        .map_err(|source| BillError::Document { path: path.to_owned(), source })?;
    Ok(inventory(reference, document))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, BillError> {
    let fail = |source| BillError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(path).map_err(fail)?;
        file.take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes)
    };
    read.map_err(fail)?;
    if bytes.len() as u64 > DOCUMENT_BYTES {
        return Err(BillError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// The inventory of a document.
#[must_use]
pub fn inventory(reference: &str, document: Document) -> Inventory {
    let parsed: Vec<(Component, Result<Purl, String>)> = document
        .components
        .into_iter()
        .map(|component| {
            let purl = purl_of(&component);
            (component, purl)
        })
        .collect();
    let distribution = document.distribution.or_else(|| stated_distribution(&parsed));
    let mut packages = document.packages;
    let mut problems = Vec::new();
    for (component, purl) in parsed {
        let name = shown(&component);
        match package(component, purl, distribution.as_ref()) {
            Ok(package) => packages.push(package),
            Err(reason) => problems.push(Problem { path: name, layer: None, reason }),
        }
    }
    packages.sort_by(|left, right| resolve::key(left).cmp(&resolve::key(right)));
    packages.dedup();
    let mut coverage = document.coverage;
    coverage.retain(|one| !one.check.starts_with("vulnerabilities:"));
    let mut own = Coverage::with_problems(CHECK, problems);
    own.reason = Some(format!("packages as {} states them", document.form));
    if packages.is_empty() && own.problems.is_empty() {
        own = Coverage::skipped(CHECK, "the document names no packages: not checked");
    }
    coverage.retain(|one| one.check != CHECK || one.status != vocabulary::Status::Ran);
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
        },
        distribution,
        layers: Vec::new(),
        packages,
        findings: Vec::new(),
        coverage,
        files: Vec::new(),
        symlinks: HashMap::new(),
        entry: None,
        apt: catalog::apt::Settings::default(),
        kernel: None,
        programs: vocabulary::Programs::default(),
        attached: Vec::new(),
    }
}

fn shown(component: &Component) -> String {
    match component.version.as_str() {
        "" => component.name.clone(),
        version => format!("{} {version}", component.name),
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

/// The distribution that most of the package URLs name, where no component is one.
fn stated_distribution(parsed: &[(Component, Result<Purl, String>)]) -> Option<Distribution> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for purl in parsed.iter().filter_map(|(_, purl)| purl.as_ref().ok()) {
        if !matches!(purl.kind(), "deb" | "apk" | "rpm" | "alpm") {
            continue;
        }
        if let Some(text) = purl.qualifier("distro") {
            // Some tools write the release alone.
            let numbered = text.starts_with(|first: char| first.is_ascii_digit());
            let parts = match (purl.namespace(), purls::split_distro(text)) {
                (Some(namespace), _) if numbered => Some((namespace, text)),
                (_, parts) => parts,
            };
            let Some((id, release)) = parts else { continue };
            let text = format!("{}:{release}", sbom::distribution_id(id));
            *counts.entry(text).or_default() += 1;
        }
    }
    let (text, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    purls::distribution(&text).ok()
}

/// The package that a component is.
fn package(
    component: Component,
    purl: Result<Purl, String>,
    distribution: Option<&Distribution>,
) -> Result<Package, String> {
    let purl = purl?;
    let stated = &component.stated;
    let mut package = match purls::package(&purl, distribution) {
        Ok((package, _)) => package,
        // Of a type that has no advisories: listed, and said to be not checked.
        Err(PurlMatchError::Type(_)) => unmatched(&purl, &component),
        Err(PurlMatchError::NoVersion(_)) => {
            return Err("it has no version: not matched".to_owned());
        }
        Err(error) => return Err(error.to_string()),
    };
    if let Some(ecosystem) = &stated.ecosystem {
        package.ecosystem = Ecosystem::new(ecosystem);
        if component.ungrouped && !component.name.is_empty() {
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
    package.origin = stated.origin.unwrap_or_default();
    package.presence = stated.presence.unwrap_or(Presence::Installed);
    package.owned_by = stated.owned_by.as_deref().and_then(|text| text.parse().ok());
    if let Some(module) = &stated.module {
        package.module = Some(module.clone());
    }
    if let Some(architecture) = &stated.architecture {
        package.architecture = Some(architecture.clone());
    }
    package.identified = stated
        .identified
        .as_ref()
        .map(|(by, how)| Identified { by: by.clone(), confidence: confidence(how) });
    package.licences = component.licences;
    Ok(package)
}

fn confidence(text: &str) -> Confidence {
    match text {
        "high" => Confidence::High,
        "medium" => Confidence::Medium,
        "low" => Confidence::Low,
        _ => Confidence::None,
    }
}

fn unmatched(purl: &Purl, component: &Component) -> Package {
    let version = purl.version().unwrap_or_default().to_owned();
    Package::new(
        purl.clone(),
        Ecosystem::PROGRAM,
        component.name.clone(),
        version,
        Location::Subject,
    )
}
