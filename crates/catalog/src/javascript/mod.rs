//! JavaScript packages that are installed: `package.json` in `node_modules` and in Debian's
//! `usr/share/nodejs`, Yarn's Plug'n'Play with its caches, the caches of Bun and Deno, and applications
//! of Electron.
//!
//! In goes a `package.json` that lies where Node.js looks for a package, out comes the package that
//! it names. The place decides: a `package.json` deeper in a package (`esm/package.json` that only
//! says how modules are loaded) or at the top of an application is not an installed dependency. The
//! folder may carry another name than the package, since npm installs aliases that way
//! (`string-width-cjs` holds `string-width`); the package's own name is what advisories know. One that
//! does not say its version is listed without one, one that does not say its name by its folder. Archives
//! are opened for the same files. A package in a cache counts where the same version is not installed
//! from it as well, and what maps and npm's own list name counts where no file was found that it names:
//! so each is listed once, and nothing that is known to be there is left out.
//! Source: npm documentation, "package.json", "folders"; Debian JavaScript policy; the places in `place`.

mod archives;
mod manifest;
mod place;
mod pnp;

use crate::language::{Installed, decode, encode, proof};
use crate::lockfile::{Declared, package_lock};
use image::{
    Cataloged, ContentDigests, Entry, Fact, FactAt, Interest, Packages, ReadError, Reader,
    Resolution, Resolver, View, Want,
};
use place::Place;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use vocabulary::{Ecosystem, Presence, Problem, Purl};

/// Largest `package.json`; the largest real ones have some 100 KB.
const MANIFEST_LIMIT: u64 = 4 << 20;
/// Largest map of Plug'n'Play or list of npm; those of ten thousand packages have some 10 MB.
const MAP_LIMIT: u64 = 64 << 20;
/// Largest archive of one package; the largest real ones carry a compiler of 50 MB.
const ARCHIVE_LIMIT: u64 = 256 << 20;

/// The `javascript` cataloger.
#[derive(Debug)]
pub struct Javascript;

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
enum Kept<'fact> {
    #[serde(borrow)]
    Package(JavascriptFact<'fact>),
    Archive(Found),
    Map(pnp::Map),
    Lock(Vec<(String, Declared)>),
}

/// What is kept of one package.
#[derive(Debug, Serialize, Deserialize)]
struct JavascriptFact<'fact> {
    name: &'fact str,
    version: &'fact str,
    licences: Vec<String>,
    proof: Option<ContentDigests>,
}

/// What an archive holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Found {
    packages: Vec<Named>,
    problems: Vec<String>,
    /// How many problems more there are.
    left_out: u32,
}

/// A package in an archive.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    /// Where its `package.json` lies inside; empty where only the archive's name tells of it.
    inside: String,
    name: String,
    version: String,
    licences: Vec<String>,
}

impl Reader for Javascript {
    fn id(&self) -> &'static str {
        "javascript"
    }

    fn revision(&self) -> u32 {
        4
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Name("package.json"),
            Interest::Name(".package-lock.json"),
            Interest::Name(".pnp.cjs"),
            Interest::Name(".pnp.data.json"),
            Interest::Name(".pnp.js"),
            Interest::Extension("asar"),
            Interest::Extension("zip"),
        ]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        let at_most = match place::of(entry.path) {
            None => return Want::No,
            Some(Place::Application) => return Want::Stream(Box::new(archives::Asar::default())),
            Some(Place::Package | Place::Cached) => MANIFEST_LIMIT,
            Some(Place::Archive) => ARCHIVE_LIMIT,
            Some(Place::Map | Place::Lock) => MAP_LIMIT,
        };
        Want::Whole { at_most }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match place::of(entry.path) {
            Some(Place::Archive) => encode(&Kept::Archive(archives::zip(entry.path, bytes))),
            Some(Place::Map) => encode(&Kept::Map(pnp::parse(bytes)?)),
            Some(Place::Lock) => {
                let text = std::str::from_utf8(bytes)
                    .map_err(|_| ReadError::new("it is not UTF-8 text"))?;
                encode(&Kept::Lock(package_lock::installed(text).map_err(ReadError::new)?))
            }
            _ => {
                let text = manifest::utf8(bytes);
                let folder = place::found_as(entry.path);
                let Some(manifest) = manifest::parse(&text, folder)? else { return Ok(None) };
                encode(&Kept::Package(JavascriptFact {
                    name: &manifest.name,
                    version: &manifest.version,
                    licences: manifest.licences,
                    proof: proof(entry.path, bytes),
                }))
            }
        }
    }
}

impl Resolver for Javascript {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut cached = Vec::new();
        let mut named = Vec::new();
        for at in view.staying() {
            let Some(kept) = decode::<Kept<'_>>(&at, &mut resolution.problems) else { continue };
            match kept {
                Kept::Package(fact) if place::of(at.path) == Some(Place::Cached) => {
                    cached.push(installed(&at, fact));
                }
                Kept::Package(fact) => {
                    resolution.packages.push(installed(&at, fact).cataloged());
                }
                Kept::Archive(found) => {
                    let reasons = found.reasons();
                    resolution.problems.extend(reasons.map(|reason| problem(&at, reason)));
                    let packages = found.packages.into_iter().map(|one| in_archive(&at, one));
                    if place::of(at.path) == Some(Place::Archive) {
                        cached.extend(packages);
                    } else {
                        resolution.packages.extend(packages.map(Installed::cataloged));
                    }
                }
                Kept::Map(map) => {
                    let reasons = missing(view, &at, &map);
                    resolution.problems.extend(reasons.map(|reason| problem(&at, reason)));
                    let left = map.packages.into_iter().filter(|(_, location)| {
                        !has_version(view, &pnp::resolved(at.path, location))
                    });
                    named.extend(left.map(|(one, _)| by_name(&at, one, Presence::Installed)));
                }
                Kept::Lock(lock) => {
                    let folder = at.path.trim_end_matches("node_modules/.package-lock.json");
                    let left = lock.into_iter().filter(|(package, _)| {
                        !has_version(view, &format!("{folder}{package}/package.json"))
                    });
                    named.extend(left.map(|(_, one)| by_name(&at, one, Presence::Declared)));
                }
            }
        }
        // Of caches, maps and lists what is there by itself is left out.
        for more in [cached.into_iter().map(Installed::cataloged).collect(), named] {
            add_new(&mut resolution.packages, more);
        }
        resolution
    }
}

/// Whether a file is there that says which version it is of.
fn has_version(view: &View<'_>, path: &str) -> bool {
    view.at(path).is_some_and(|at| match postcard::from_bytes::<Kept<'_>>(at.fact) {
        Ok(Kept::Package(fact)) => !fact.version.is_empty(),
        _ => true,
    })
}

/// Adds the packages whose name and version are not there.
fn add_new(packages: &mut Packages, more: Vec<Cataloged>) {
    let name = |one: &Cataloged| (one.package.name.clone(), one.package.version.clone());
    let known: HashSet<(String, String)> = match more.is_empty() {
        true => HashSet::new(),
        false => packages.iter().map(name).collect(),
    };
    packages.extend(more.into_iter().filter(|one| !known.contains(&name(one))));
}

impl Found {
    fn reasons(&self) -> impl Iterator<Item = String> + use<> {
        let more =
            (self.left_out > 0).then(|| format!("{} problems more are left out", self.left_out));
        self.problems.clone().into_iter().chain(more)
    }
}

/// What a map leaves open.
fn missing(
    view: &View<'_>,
    at: &FactAt<'_>,
    map: &pnp::Map,
) -> impl Iterator<Item = String> + use<> {
    let folder = at.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let no_data = map.is_split && view.at(&format!("{folder}.pnp.data.json")).is_none();
    let no_data = no_data
        .then(|| "it leaves its packages to a `.pnp.data.json` that is not there".to_owned());
    let unread =
        (map.unread > 0).then(|| format!("{} entries of it could not be read", map.unread));
    no_data.into_iter().chain(unread)
}

fn problem(at: &FactAt<'_>, reason: String) -> Problem {
    Problem { path: at.path.to_owned(), layer: at.layer, reason }
}

fn installed(at: &FactAt<'_>, fact: JavascriptFact<'_>) -> Installed {
    Installed {
        purl: purl(fact.name, fact.version),
        ecosystem: Ecosystem::NPM,
        name: fact.name.to_owned(),
        version: fact.version.to_owned(),
        licences: fact.licences,
        path: at.path.to_owned(),
        layer: at.layer,
        files: Vec::new(),
        proof: fact.proof,
    }
}

/// A package in an archive; the one that an archive of Yarn is for has the archive's path.
fn in_archive(at: &FactAt<'_>, one: Named) -> Installed {
    let is_whole = one.inside.matches("node_modules/").count() <= 1
        && place::of(at.path) == Some(Place::Archive);
    Installed {
        purl: purl(&one.name, &one.version),
        ecosystem: Ecosystem::NPM,
        name: one.name,
        version: one.version,
        licences: one.licences,
        path: if is_whole { at.path.to_owned() } else { format!("{}!/{}", at.path, one.inside) },
        layer: at.layer,
        files: Vec::new(),
        proof: None,
    }
}

/// A package that a map or a list names.
fn by_name(at: &FactAt<'_>, one: Declared, presence: Presence) -> Cataloged {
    let purl = purl(&one.name, &one.version);
    let installed = Installed {
        purl: match &one.elsewhere {
            Some(elsewhere) => elsewhere.qualify(purl),
            None => purl,
        },
        ecosystem: Ecosystem::NPM,
        name: one.name,
        version: one.version,
        licences: one.licence.into_iter().collect(),
        path: at.path.to_owned(),
        layer: at.layer,
        files: Vec::new(),
        proof: None,
    };
    let mut cataloged = installed.cataloged();
    cataloged.package.presence = presence;
    cataloged
}

/// The scope, with its `@`, is the namespace.
fn purl(name: &str, version: &str) -> Purl {
    let (scope, name) = name.split_once('/').unwrap_or(("", name));
    Purl::new("npm", name).with_namespace(scope).with_version(version)
}

#[cfg(test)]
mod tests;
