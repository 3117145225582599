//! `poetry.lock`, versions 1.0 to 2.x. Source: python-poetry, `packages/locker.py`.
//!
//! A package without a source is PyPI's; `legacy` is another index that serves the same packages.
//! `directory`, `file`, `git` and `url` are no index.

use super::listing::{Entry as Listed, Listing};
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
    #[serde(borrow)]
    package: Option<Vec<Entry<'text>>>,
    metadata: Option<serde::de::IgnoredAny>,
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

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.metadata.is_some();
    let listed = file.package.iter().flatten().map(|entry| {
        let line = lines.at(entry.name.span().start);
        let kind = entry.source.as_ref().and_then(|source| source.kind.as_deref());
        if !matches!(kind, None | Some("legacy")) {
            return Listed::Elsewhere;
        }
        let name = python_name(entry.name.get_ref());
        Listed::package(Declared::new(&name, &entry.version, line), line)
    });
    Ok(Listing::of_list_if(seen, listed))
}
