//! `poetry.lock`, versions 1.0 to 2.x. Source: python-poetry, `packages/locker.py`.
//!
//! A package without a source is PyPI's; `legacy` is another index that serves the same packages.
//! `directory`, `file`, `git` and `url` are no index.

use super::{Declared, LineCounter, Lockfile, is_named, python_name, toml_error};
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use toml::Spanned;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "poetry-lock",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Name("poetry.lock")],
    accepts: |path| is_named(path, &["poetry.lock"]),
    at_most: 32 << 20,
    parse,
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow)]
    package: Vec<Entry<'text>>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    name: Spanned<Cow<'text, str>>,
    #[serde(borrow)]
    version: Cow<'text, str>,
    #[serde(borrow)]
    source: Option<Source<'text>>,
}

#[derive(Deserialize)]
struct Source<'text> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'text, str>>,
}

fn parse(text: &str) -> Result<Vec<Declared>, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let listed = file.package.iter().filter_map(|entry| {
        let line = lines.at(entry.name.span().start);
        let kind = entry.source.as_ref().and_then(|source| source.kind.as_deref());
        if !matches!(kind, None | Some("legacy")) {
            return None;
        }
        Declared::new(&python_name(entry.name.get_ref()), &entry.version, line)
    });
    Ok(listed.collect())
}
