//! Lock files and manifests: what a project declares, not what is installed.
//!
//! One file a format, each a [`Lockfile`]: names, a cap, and a pure function from the text to the
//! packages that it pins. They count in source folders alone; in an image what is installed counts,
//! and a lock file that cannot be read there is nobody's problem, so the error is kept as a fact and
//! judged when the shape of the subject is known. What is the project itself (its own members of a
//! workspace) is not listed. What comes from elsewhere than the public registry (git, addresses, folders,
//! other registries) is, with where it comes from in its package URL: it is matched by name and version,
//! since forks and mirrors are the rule, and counted as not matched where it has no version.

pub mod bun_lock;
pub mod cabal_freeze;
pub mod cargo_lock;
pub mod chart_lock;
pub mod composer_lock;
pub mod conan_lock;
pub mod conda_environment;
pub mod conda_lock;
pub mod deno_lock;
pub mod directory_packages;
pub mod edges;
pub mod gemfile_lock;
pub mod github_actions;
pub mod go_mod;
pub mod gradle_lock;
pub mod julia_manifest;
mod lines;
pub mod listing;
pub mod luarocks_lock;
pub mod mix_lock;
mod names;
pub mod nuget_lock;
pub mod opam_locked;
pub mod package_lock;
pub mod package_resolved;
pub mod packages_config;
pub mod paket_lock;
pub mod pdm_lock;
pub mod pipfile_lock;
pub mod pnpm_lock;
pub mod podfile_lock;
pub mod poetry_lock;
pub mod pom_xml;
pub mod project_assets;
pub mod pubspec_lock;
pub mod pylock;
pub mod rebar_lock;
pub mod renv_lock;
pub mod requirements;
pub mod sbt_lock;
pub mod terraform_lock;
pub mod uv_lock;
pub mod vcpkg;
pub mod yarn_lock;

pub use edges::Need;
use lines::{json_lines, json_name_lines};
pub use listing::Listing;
pub(crate) use names::{npm_range, python_name, python_need, split_npm, unquoted};

use crate::decoded::decoded;
use crate::elsewhere::Elsewhere;
use crate::language::{decode, encode, plain_text};
use image::{
    Cataloged, Entry, Fact, FactAt, Flow, Interest, Places, ReadError, Reading, Resolution,
    Resolver, View, Want,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocabulary::{
    Ecosystem, Location, OriginKind, Package, Presence, Problem, Purl, Relation, Scope,
};

/// Most packages that are taken of one file; the largest real ones have some ten thousand.
const PACKAGES: usize = 200_000;

/// Every format, sorted by id.
pub const ALL: &[Lockfile] = &[
    bun_lock::CHECK,
    cabal_freeze::CHECK,
    cargo_lock::CHECK,
    chart_lock::CHECK,
    composer_lock::CHECK,
    conan_lock::CHECK,
    conda_environment::CHECK,
    conda_lock::CHECK,
    deno_lock::CHECK,
    directory_packages::CHECK,
    gemfile_lock::CHECK,
    github_actions::CHECK,
    go_mod::CHECK,
    gradle_lock::CHECK,
    julia_manifest::CHECK,
    luarocks_lock::CHECK,
    mix_lock::CHECK,
    nuget_lock::CHECK,
    opam_locked::CHECK,
    package_lock::CHECK,
    package_resolved::CHECK,
    packages_config::CHECK,
    paket_lock::CHECK,
    pdm_lock::CHECK,
    pipfile_lock::CHECK,
    pnpm_lock::CHECK,
    podfile_lock::CHECK,
    poetry_lock::CHECK,
    pom_xml::CHECK,
    project_assets::CHECK,
    pubspec_lock::CHECK,
    pylock::CHECK,
    rebar_lock::CHECK,
    renv_lock::CHECK,
    requirements::CHECK,
    sbt_lock::CHECK,
    terraform_lock::CHECK,
    uv_lock::CHECK,
    vcpkg::CHECK,
    yarn_lock::CHECK,
];

/// The cataloger of one format.
#[derive(Clone, Debug)]
pub struct Lockfile {
    id: &'static str,
    ecosystem: Ecosystem,
    interests: &'static [Interest],
    /// Whether a file of interest is of this format, by its path.
    accepts: fn(&str) -> bool,
    /// Largest file that is read, in bytes.
    at_most: u64,
    reader: Reader,
}

/// How a format is read.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// Each file for itself.
    Alone(fn(&str) -> Result<Listing, String>),
    /// Files that need one another: a manifest and what it includes or inherits.
    Together(Together),
}

/// A format of files that need one another.
#[derive(Clone, Copy, Debug)]
struct Together {
    /// Whether a file lists something of its own; others matter only where one of these leads to them.
    counts: fn(&str) -> bool,
    /// A fact of one file, in the format's own form; none where the file is of no concern.
    read: fn(&str, &[u8]) -> PartFact,
    /// What the files list, in the order of the files; none for one that lists nothing of its own.
    join: fn(&[Part<'_>]) -> Vec<Option<Listing>>,
}

impl Together {
    /// The fact of one file, where its bytes are not those of an unfinished merge.
    fn part(&self, path: &str, bytes: &[u8]) -> PartFact {
        let text = String::from_utf8_lossy(bytes);
        match unfinished_merge(&text) {
            Some(line) if (self.counts)(path) => Err(unfinished(line)),
            Some(_) => Ok(None),
            None => (self.read)(path, bytes),
        }
    }
}

fn unfinished(line: u32) -> String {
    format!("line {line} is of an unfinished merge; finish it")
}

/// What is kept of one file of several, or why it could not be read; none where it is of no concern.
type PartFact = Result<Option<Vec<u8>>, String>;

/// One file of several that are read together.
#[derive(Clone, Copy, Debug)]
struct Part<'fact> {
    path: &'fact str,
    /// What [`Together::read`] made of it.
    fact: &'fact [u8],
}

/// A package that a file pins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// As the ecosystem's advisories write it.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// The line that names it, counted from 1; 0 where it is not known.
    pub line: u32,
    /// Licence, where the file states one.
    pub licence: Option<String>,
    /// Its ecosystem, where it is another than the format's own.
    pub ecosystem: Option<Ecosystem>,
    /// Where it comes from, where that is not the public registry.
    pub elsewhere: Option<Elsewhere>,
    /// Whether the project itself asks for it, where the file tells.
    pub relation: Option<Relation>,
    /// For what it is there, where the file tells.
    pub scope: Option<Scope>,
    /// What it needs itself of what the file lists.
    pub needs: Vec<Need>,
    /// In what words it is asked for, where the file has several versions of its name.
    pub keys: Vec<Box<str>>,
}

impl Declared {
    /// A package without a licence; none where name or version is empty, too long or not plain text.
    pub(crate) fn new(name: &str, version: &str, line: u32) -> Option<Self> {
        // A package URL holds the parts of a name, of which none is empty; `:` divides Maven's.
        let name = plain_text(name)
            .filter(|name| name.split(['/', ':']).all(|part| !part.trim().is_empty()))?;
        Some(Self {
            name: name.to_owned(),
            version: plain_text(version)?.to_owned(),
            line,
            licence: None,
            ecosystem: None,
            elsewhere: None,
            relation: None,
            scope: None,
            needs: Vec::new(),
            keys: Vec::new(),
        })
    }

    /// A package whose version the file leaves to others: listed, and not matched.
    pub(crate) fn unpinned(name: &str, line: u32) -> Option<Self> {
        Some(Self { version: String::new(), ..Self::new(name, "0", line)? })
    }

    /// A package that is of no public registry, with its version where one is known.
    pub(crate) fn from_elsewhere(
        name: &str,
        version: Option<&str>,
        elsewhere: Elsewhere,
        line: u32,
    ) -> Option<Self> {
        let found = version
            .and_then(|version| Self::new(name, version, line))
            .or_else(|| Self::unpinned(name, line))?;
        Some(Self { elsewhere: Some(elsewhere), ..found })
    }

    fn of(self, ecosystem: Ecosystem) -> Self {
        Self { ecosystem: Some(ecosystem), ..self }
    }
}

/// What is kept of one file: what it lists (in the form of [`Together`], where it needs others), or
/// why it could not be read.
type LockfileFact<Listed> = Result<Listed, String>;

/// Why a file that yields nothing has not passed.
const NOTHING: &str =
    "it is not empty, and no package was found in it: its layout is not known, or it is damaged";

impl image::Reader for Lockfile {
    fn id(&self) -> &'static str {
        self.id
    }

    fn revision(&self) -> u32 {
        13
    }

    fn counts(&self) -> Places {
        Places::SOURCE_FOLDER
    }

    fn interests(&self) -> &'static [Interest] {
        self.interests
    }

    fn wants(&self, entry: &Entry<'_>, _head: &[u8]) -> Want {
        let counts = match self.reader {
            Reader::Alone(_) => true,
            Reader::Together(together) => (together.counts)(entry.path),
        };
        if !(self.accepts)(entry.path) || is_of_a_dependency(entry.path) {
            Want::No
        } else if entry.size > self.at_most {
            if !counts {
                return Want::No;
            }
            Want::Stream(Box::new(TooLarge(self.at_most)))
        } else {
            Want::Whole { at_most: self.at_most }
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        if bytes.trim_ascii().is_empty() {
            // Not even that there is nothing: every format says that in words.
            return Ok(None);
        }
        match self.reader {
            Reader::Alone(_) => encode(&self.listing(bytes)),
            Reader::Together(together) => match together.part(entry.path, bytes).transpose() {
                Some(fact) => encode(&fact),
                None => Ok(None),
            },
        }
    }
}

impl Resolver for Lockfile {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        match self.reader {
            Reader::Alone(_) => {
                for at in view.staying() {
                    if let Some(fact) = decode(&at, &mut resolution.problems) {
                        self.resolve_one(&at, fact, &mut resolution);
                    }
                }
            }
            Reader::Together(together) => self.resolve_together(together, view, &mut resolution),
        }
        resolution
    }
}

impl Lockfile {
    fn resolve_together(&self, together: Together, view: &View<'_>, into: &mut Resolution) {
        let mut known: Vec<(FactAt<'_>, Vec<u8>)> = Vec::new();
        for at in view.staying() {
            match decode::<LockfileFact<Vec<u8>>>(&at, &mut into.problems) {
                Some(Ok(fact)) => known.push((at, fact)),
                Some(Err(reason)) => self.resolve_one(&at, Err(reason), into),
                None => {}
            }
        }
        let parts: Vec<Part<'_>> =
            known.iter().map(|(at, fact)| Part { path: at.path, fact }).collect();
        for ((at, _), listing) in known.iter().zip((together.join)(&parts)) {
            if let Some(listing) = listing {
                self.resolve_one(at, bounded(listing), into);
            }
        }
    }

    fn resolve_one(&self, at: &FactAt<'_>, fact: LockfileFact<Listing>, into: &mut Resolution) {
        let reasons = match fact {
            Ok(listing) => {
                let reasons = listing.problems();
                if let Some(main) = listing.main.as_deref().and_then(go_mod::purl_of) {
                    let sum =
                        at.path.strip_suffix("go.mod").map(|folder| format!("{folder}go.sum"));
                    into.programs.insert_main(at.path, main.clone());
                    sum.into_iter().for_each(|sum| into.programs.insert_main(sum, main.clone()));
                }
                into.packages.extend(self.packages(listing.packages, at));
                reasons
            }
            Err(reason) => vec![reason],
        };
        into.problems.extend(reasons.into_iter().map(|reason| Problem {
            path: at.path.to_owned(),
            layer: at.layer,
            reason,
        }));
    }
}

impl Lockfile {
    /// The ecosystem of what it declares.
    #[must_use]
    pub const fn ecosystem(&self) -> &Ecosystem {
        &self.ecosystem
    }

    /// Its name as a check.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.id
    }

    /// What the bytes list, each package once.
    ///
    /// # Errors
    /// Where the bytes are not of this format, or hold something and yield nothing.
    pub fn listing(&self, bytes: &[u8]) -> Result<Listing, String> {
        if bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).starts_with(bun_lock::BINARY) {
            return Err(bun_lock::UNREADABLE.to_owned());
        }
        let parse = match self.reader {
            Reader::Alone(parse) => parse,
            Reader::Together(together) => return self.listing_alone(together, bytes),
        };
        let text = decoded(bytes)?;
        if let Some(line) = unfinished_merge(&text) {
            return Err(unfinished(line));
        }
        let listing = parse(&text)?;
        if listing.is_unaccounted() && !text.trim().is_empty() {
            return Err(NOTHING.to_owned());
        }
        bounded(listing)
    }

    /// What a file of several lists where it is the only one.
    fn listing_alone(&self, together: Together, bytes: &[u8]) -> Result<Listing, String> {
        let path = self.interests.iter().find_map(|interest| match interest {
            Interest::Name(name) => Some(*name),
            _ => None,
        });
        let path = path.unwrap_or_default();
        let Some(fact) = together.part(path, bytes)? else { return Ok(Listing::empty()) };
        let mut all = (together.join)(&[Part { path, fact: &fact }]);
        all.pop().flatten().map_or_else(|| Ok(Listing::empty()), bounded)
    }

    /// The packages of a listing, with what each needs of the others.
    fn packages(&self, listed: Vec<Declared>, at: &FactAt<'_>) -> Vec<Cataloged> {
        let mut listed = listed;
        let needs: Vec<_> = listed.iter_mut().map(|one| std::mem::take(&mut one.needs)).collect();
        let package = |one| declared_package(one, &self.ecosystem, at.path, at.layer);
        let mut packages: Vec<Cataloged> = listed.into_iter().map(package).collect();
        for (at, needs) in needs.into_iter().enumerate() {
            let asked: BTreeMap<Purl, Vec<Box<str>>> = needs.into_iter().fold(
                BTreeMap::new(),
                |mut asked: BTreeMap<Purl, Vec<Box<str>>>, Need { package, range }| {
                    let needed = packages.get(usize::try_from(package).unwrap_or(usize::MAX));
                    if let Some(needed) = needed {
                        asked.entry(needed.package.purl.clone()).or_default().extend(range);
                    }
                    asked
                },
            );
            if let Some(one) = packages.get_mut(at) {
                let (requires, ranges) = asked.into_iter().unzip();
                one.package.requires = requires;
                one.ranges = ranges;
            }
        }
        packages
    }
}

/// The package that a file declares; of `ecosystem`, where the declaration says no other.
pub(crate) fn declared_package(
    declared: Declared,
    ecosystem: &Ecosystem,
    path: &str,
    layer: Option<u32>,
) -> Cataloged {
    let Declared { name, version, line, licence, ecosystem: own, elsewhere, .. } = declared;
    let ecosystem = own.unwrap_or_else(|| ecosystem.clone());
    let (reference, version, identified) = if ecosystem == Ecosystem::GITHUB_ACTIONS {
        // A branch, or a tag that moves, is in the package URL and no version.
        let (reference, version, identified) = github_actions::apart(&version);
        (reference.to_owned(), version.to_owned(), identified)
    } else {
        (version.clone(), version, None)
    };
    let purl = purl(&ecosystem, &name, &reference);
    let package = Package {
        purl: match &elsewhere {
            Some(elsewhere) => elsewhere.qualify(purl),
            None => purl,
        },
        // Advisories and Go's own comparison write module versions without the `v`.
        version: match version.strip_prefix('v') {
            Some(bare) if ecosystem == Ecosystem::GO => bare.to_owned(),
            _ => version,
        },
        ecosystem,
        name,
        source: None,
        architecture: None,
        licences: licence.into_iter().collect(),
        presence: Presence::Declared,
        location: Location::File {
            path: path.to_owned(),
            layer,
            line: Some(line).filter(|line| *line > 0),
        },
        layer,
        origin: OriginKind::Unknown,
        owned_by: None,
        module: None,
        identified: identified.map(Box::new),
        relation: declared.relation,
        scope: declared.scope,
        requires: Vec::new(),
        files: Vec::new(),
    };
    Cataloged { keys: declared.keys, ..Cataloged::new(package) }
}

/// Each package of a listing once, and no more than [`PACKAGES`].
fn bounded(mut listing: Listing) -> Result<Listing, String> {
    if listing.packages.len() > PACKAGES {
        return Err(format!("it names more than {PACKAGES} packages"));
    }
    edges::without_doubles(&mut listing, |one| {
        let Declared { name, version, ecosystem, elsewhere, .. } = one;
        (name.clone(), version.clone(), ecosystem.clone(), elsewhere.clone())
    });
    Ok(listing)
}

/// Stands in for a file that is too large, so that it becomes a problem where it counts, and only
/// there.
struct TooLarge(u64);

impl Reading for TooLarge {
    fn push(&mut self, _bytes: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        encode(&LockfileFact::<Listing>::Err(format!("it is larger than {} MiB", self.0 >> 20)))
    }
}

/// Lock files that lie in installed packages are those packages' own, for their developers.
pub(crate) fn is_of_a_dependency(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "node_modules" | "site-packages" | "dist-packages"))
}

/// The line where git marks what it could not merge. No format has such a line.
fn unfinished_merge(text: &str) -> Option<u32> {
    let mark = "<<<<<<< ";
    let at = if text.starts_with(mark) {
        0
    } else {
        memchr::memmem::find(text.as_bytes(), b"\n<<<<<<< ")? + 1
    };
    Some(crate::line_counter::LineCounter::new(text).at(at))
}

/// Source: purl-spec, types cargo, cocoapods, composer, conan, conda, cran, gem, github, golang, hackage,
/// hex, luarocks, maven, npm, nuget, opam, pub, pypi, swift; `terraform` as SBOM tools write it. A scope
/// or module path is the namespace.
fn purl(ecosystem: &Ecosystem, name: &str, version: &str) -> Purl {
    // purl-spec: what has no type of its own is generic.
    let kind = ecosystem.purl_type().unwrap_or("generic");
    let divider = if *ecosystem == Ecosystem::MAVEN { ':' } else { '/' };
    let (namespace, name) = name.rsplit_once(divider).unwrap_or(("", name));
    Purl::new(kind, name).with_namespace(namespace).with_version(version)
}

/// One line of why TOML could not be read.
pub(crate) fn toml_error(error: &toml::de::Error) -> String {
    format!("it is not TOML of this format: {}", error.message().replace('\n', " "))
}

/// One line of why JSON could not be read.
pub(crate) fn json_error(error: &serde_json::Error) -> String {
    format!("it is not JSON of this format: {error}")
}

fn is_named(path: &str, names: &[&str]) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    names.contains(&name)
}

#[cfg(test)]
mod tests;
