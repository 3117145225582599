//! `pdm.lock`. Source: PDM documentation, "Lock file specification".
//!
//! A package with `path`, `git` or `url` is of no index and listed with where it comes from.

use super::edges::{Edges, For, Keyed};
use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, is_named, python_name, python_need, toml_error};
use crate::elsewhere::Elsewhere;
use crate::lenient::Texts;
use crate::line_counter::LineCounter;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use toml::Spanned;
use vocabulary::{Ecosystem, Scope};

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
struct File<'text> {
    #[serde(borrow)]
    package: Option<Vec<Entry<'text>>>,
    metadata: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    name: Spanned<String>,
    version: Option<String>,
    path: Option<String>,
    git: Option<String>,
    url: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    revision: Option<String>,
    #[serde(default, borrow)]
    dependencies: Texts<'text>,
    #[serde(default, borrow)]
    groups: Texts<'text>,
}

impl Entry<'_> {
    fn elsewhere(&self) -> Option<Elsewhere> {
        let revision = self.revision.as_deref().or(self.reference.as_deref());
        let git = self.git.as_deref().map(|address| Elsewhere::git(address, revision));
        let url = || self.url.as_deref().map(Elsewhere::download);
        git.or_else(url).or_else(|| self.path.as_deref().map(Elsewhere::path))
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.metadata.is_some();
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Keyed::new(Edges::default());
    for entry in file.package.iter().flatten() {
        let line = lines.at(entry.name.span().start);
        let name = python_name(entry.name.get_ref());
        let version = entry.version.as_deref();
        let mut declared = match entry.elsewhere() {
            Some(elsewhere) => Declared::from_elsewhere(&name, version, elsewhere, line),
            None => version.and_then(|version| Declared::new(&name, version, line)),
        };
        // Which other groups are for development stands in the manifest.
        let runs = entry.groups.0.iter().any(|group| group == "default");
        if let Some(declared) = declared.as_mut().filter(|_| runs) {
            declared.scope = Some(Scope::Runtime);
        }
        let number = edges.edges.push(&mut found, Listed::package(declared, line));
        edges.name(name, number);
        for (name, range) in entry.dependencies.0.iter().filter_map(|text| python_need(text)) {
            edges.asks(number, name, For::Running, Some(Cow::Owned(range.to_owned())));
        }
    }
    edges.edges.roots_are_tops();
    edges.settle(&mut found);
    Ok(found)
}
