//! JavaScript packages that are installed: `package.json` in `node_modules`, and Debian's
//! `usr/share/nodejs`.
//!
//! In goes a `package.json` that lies where Node.js looks for a package, out comes the package that
//! it names. The place decides: a `package.json` deeper in a package (`esm/package.json` that only
//! says how modules are loaded) or at the top of an application is not an installed dependency. The
//! folder may carry another name than the package, since npm installs aliases that way
//! (`string-width-cjs` holds `string-width`); the package's own name is what advisories know.
//! Source: npm documentation, "package.json", "folders"; Debian JavaScript policy.

mod manifest;

use crate::language::{Installed, decode, encode, proof};
use image::{Check, ContentDigests, Entry, Fact, Interest, ReadError, Resolution, View, Want};
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Purl};

/// Largest `package.json`; the largest real ones have some 100 KB.
const MANIFEST_LIMIT: u64 = 4 << 20;
/// Folders in which a package keeps the packages that it is tested with: they are data, no code runs
/// from them.
const TEST_FOLDERS: &[&str] =
    &["test", "tests", "__tests__", "__fixtures__", "fixture", "fixtures", "testdata"];

/// The `javascript` cataloger.
#[derive(Debug)]
pub struct Javascript;

/// What is kept of one package.
#[derive(Debug, Serialize, Deserialize)]
struct JavascriptFact<'fact> {
    name: &'fact str,
    version: &'fact str,
    licences: Vec<String>,
    proof: Option<ContentDigests>,
}

/// Whether a `package.json` at this path is that of an installed package.
fn is_package(path: &str) -> bool {
    let Some(folder) = path.strip_suffix("/package.json") else { return false };
    let (before, package) = match folder.rfind("node_modules/") {
        Some(at) if at == 0 || folder.get(..at).is_some_and(|before| before.ends_with('/')) => {
            (folder.get(..at), folder.get(at..).and_then(|rest| rest.strip_prefix("node_modules/")))
        }
        _ => (Some(""), folder.strip_prefix("usr/share/nodejs/")),
    };
    let (Some(before), Some(package)) = (before, package) else { return false };
    is_package_folder(package) && !is_test_data(before)
}

/// `name` or `@scope/name`; a name never begins with a dot (`.bin`, `.cache`, `.pnpm`).
fn is_package_folder(folder: &str) -> bool {
    let name = match folder.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        Some(Some((scope, name))) if !scope.is_empty() => name,
        Some(_) => return false,
        None => folder,
    };
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

/// Whether a path leads through the test folder of a package that is itself installed.
fn is_test_data(before: &str) -> bool {
    let mut inside_package = false;
    before.split('/').any(|part| {
        inside_package |= part == "node_modules";
        inside_package && TEST_FOLDERS.contains(&part)
    })
}

impl Check for Javascript {
    fn id(&self) -> &'static str {
        "javascript"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("package.json")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if is_package(entry.path) { Want::Whole { at_most: MANIFEST_LIMIT } } else { Want::No }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some(manifest) = manifest::parse(bytes)? else { return Ok(None) };
        encode(&JavascriptFact {
            name: &manifest.name,
            version: &manifest.version,
            licences: manifest.licences,
            proof: proof(entry.path, bytes),
        })
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let fact: Option<JavascriptFact<'_>> = decode(&at, &mut resolution.problems);
            let Some(fact) = fact else { continue };
            let installed = Installed {
                purl: purl(fact.name, fact.version),
                ecosystem: Ecosystem::NPM,
                name: fact.name.to_owned(),
                version: fact.version.to_owned(),
                licences: fact.licences,
                path: at.path.to_owned(),
                layer: at.layer,
                files: Vec::new(),
                proof: fact.proof,
            };
            resolution.packages.push(installed.cataloged());
        }
        resolution
    }
}

/// The scope, with its `@`, is the namespace.
fn purl(name: &str, version: &str) -> Purl {
    let (scope, name) = name.split_once('/').unwrap_or(("", name));
    Purl::new("npm", name).with_namespace(scope).with_version(version)
}

#[cfg(test)]
mod tests;
