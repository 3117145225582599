//! `poetry.lock`, versions 1.0 to 2.x. Source: python-poetry, `packages/locker.py`.
//!
//! A package without a source is PyPI's; `legacy` is another index that serves the same packages.
//! `directory`, `file`, `git` and `url` are no index, and listed with where they come from.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, LineCounter, Lockfile, Reader, is_named, python_name, toml_error};
use crate::elsewhere::Elsewhere;
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
    reader: Reader::Alone(parse),
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
    #[serde(borrow)]
    url: Option<Cow<'text, str>>,
    #[serde(borrow)]
    reference: Option<Cow<'text, str>>,
    #[serde(borrow)]
    resolved_reference: Option<Cow<'text, str>>,
}

impl Source<'_> {
    /// None for PyPI and for other indexes, which serve the same packages.
    fn elsewhere(&self) -> Option<Elsewhere> {
        let url = self.url.as_deref().unwrap_or_default();
        let revision = self.resolved_reference.as_deref().or(self.reference.as_deref());
        match self.kind.as_deref() {
            None | Some("legacy") => None,
            Some(tool @ ("git" | "hg" | "svn" | "bzr")) => {
                Some(Elsewhere::vcs(tool, url, revision))
            }
            Some("url") => Some(Elsewhere::download(url)),
            Some(_) => Some(Elsewhere::path(url)),
        }
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.metadata.is_some();
    let listed = file.package.iter().flatten().map(|entry| {
        let line = lines.at(entry.name.span().start);
        let name = python_name(entry.name.get_ref());
        let declared = match entry.source.as_ref().and_then(Source::elsewhere) {
            Some(elsewhere) => {
                Declared::from_elsewhere(&name, Some(&entry.version), elsewhere, line)
            }
            None => Declared::new(&name, &entry.version, line),
        };
        Listed::package(declared, line)
    });
    Ok(Listing::of_list_if(seen, listed))
}
