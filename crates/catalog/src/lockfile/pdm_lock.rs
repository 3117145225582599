//! `pdm.lock`. Source: PDM documentation, "Lock file specification".
//!
//! A package with `path`, `git` or `url` is of no index and left out.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, LineCounter, Lockfile, is_named, python_name, toml_error};
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
    parse,
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
    path: Option<serde::de::IgnoredAny>,
    git: Option<serde::de::IgnoredAny>,
    url: Option<serde::de::IgnoredAny>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.metadata.is_some();
    let listed = file.package.iter().flatten().map(|entry| {
        let line = lines.at(entry.name.span().start);
        if entry.path.is_some() || entry.git.is_some() || entry.url.is_some() {
            return Listed::Elsewhere;
        }
        let name = python_name(entry.name.get_ref());
        let version = entry.version.as_deref();
        Listed::package(version.and_then(|version| Declared::new(&name, version, line)), line)
    });
    Ok(Listing::of_list_if(seen, listed))
}
