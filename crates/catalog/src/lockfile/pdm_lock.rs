//! `pdm.lock`. Source: PDM documentation, "Lock file specification".
//!
//! A package with `path`, `git` or `url` is of no index and left out.

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
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: Spanned<String>,
    version: Option<String>,
    path: Option<serde::de::IgnoredAny>,
    git: Option<serde::de::IgnoredAny>,
    url: Option<serde::de::IgnoredAny>,
}

fn parse(text: &str) -> Result<Vec<Declared>, String> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let listed = file.package.iter().filter_map(|entry| {
        let line = lines.at(entry.name.span().start);
        if entry.path.is_some() || entry.git.is_some() || entry.url.is_some() {
            return None;
        }
        Declared::new(&python_name(entry.name.get_ref()), entry.version.as_deref()?, line)
    });
    Ok(listed.collect())
}
