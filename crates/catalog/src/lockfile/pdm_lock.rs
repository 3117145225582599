//! `pdm.lock`. Source: PDM documentation, "Lock file specification".
//!
//! A package with `path`, `git` or `url` is of no index and listed with where it comes from.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, LineCounter, Lockfile, Reader, is_named, python_name, toml_error};
use crate::elsewhere::Elsewhere;
use image::Interest;
use serde::Deserialize;
use toml::Spanned;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pdm-lock",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Name("pdm.lock")],
    accepts: |path| is_named(path, &["pdm.lock"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File {
    package: Option<Vec<Entry>>,
    metadata: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Entry {
    name: Spanned<String>,
    version: Option<String>,
    path: Option<String>,
    git: Option<String>,
    url: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    revision: Option<String>,
}

impl Entry {
    fn elsewhere(&self) -> Option<Elsewhere> {
        let revision = self.revision.as_deref().or(self.reference.as_deref());
        let git = self.git.as_deref().map(|address| Elsewhere::git(address, revision));
        let url = || self.url.as_deref().map(Elsewhere::download);
        git.or_else(url).or_else(|| self.path.as_deref().map(Elsewhere::path))
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.metadata.is_some();
    let listed = file.package.iter().flatten().map(|entry| {
        let line = lines.at(entry.name.span().start);
        let name = python_name(entry.name.get_ref());
        let version = entry.version.as_deref();
        let declared = match entry.elsewhere() {
            Some(elsewhere) => Declared::from_elsewhere(&name, version, elsewhere, line),
            None => version.and_then(|version| Declared::new(&name, version, line)),
        };
        Listed::package(declared, line)
    });
    Ok(Listing::of_list_if(seen, listed))
}
