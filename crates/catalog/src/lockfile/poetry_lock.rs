//! `poetry.lock`, versions 1.0 to 2.x. Source: python-poetry, `packages/locker.py`.
//!
//! A package without a source is PyPI's; `legacy` is another index that serves the same packages.
//! `directory`, `file`, `git` and `url` are no index, and listed with where they come from. Needs stand
//! with the constraints that were stated; what the project asks for is not told, only for which groups.

use super::edges::{Edges, For};
use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, is_named, python_name, toml_error};
use crate::elsewhere::Elsewhere;
use crate::line_counter::LineCounter;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use toml::Spanned;
use vocabulary::{Ecosystem, Scope};

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
    dependencies: Option<toml::Value>,
    groups: Option<toml::Value>,
    category: Option<toml::Value>,
    optional: Option<toml::Value>,
}

impl Entry<'_> {
    /// By its groups (2.x) or its category (1.x).
    fn scope(&self) -> Option<Scope> {
        let groups = self.groups.as_ref().and_then(toml::Value::as_array);
        let groups: Vec<&str> = match (groups, &self.category) {
            (Some(groups), _) => groups.iter().filter_map(toml::Value::as_str).collect(),
            (None, Some(category)) => category.as_str().into_iter().collect(),
            (None, None) => Vec::new(),
        };
        let is_optional = self.optional.as_ref().and_then(toml::Value::as_bool) == Some(true);
        match groups.as_slice() {
            [] => None,
            groups if groups.contains(&"main") && is_optional => Some(Scope::Optional),
            groups if groups.contains(&"main") => Some(Scope::Runtime),
            _ => Some(Scope::Development),
        }
    }

    /// Names, constraints and whether they may be missing. A need may be stated several times, each
    /// for other machines.
    fn needs(&self) -> Vec<(String, Option<String>, For)> {
        let table = self.dependencies.as_ref().and_then(toml::Value::as_table);
        let mut needs = Vec::new();
        for (name, value) in table.into_iter().flatten() {
            let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for one in several {
                let version = one.as_str().or_else(|| one.get("version")?.as_str());
                let optional = one.get("optional").and_then(toml::Value::as_bool) == Some(true);
                let purpose = if optional { For::Option } else { For::Running };
                needs.push((python_name(name), version.map(str::to_owned), purpose));
            }
        }
        needs
    }
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
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Edges::default();
    // A name may stand there in several versions, each for other machines.
    let mut named: HashMap<String, Vec<(u32, &str)>> = HashMap::new();
    let mut numbered = Vec::new();
    for entry in file.package.iter().flatten() {
        let line = lines.at(entry.name.span().start);
        let name = python_name(entry.name.get_ref());
        let mut declared = match entry.source.as_ref().and_then(Source::elsewhere) {
            Some(elsewhere) => {
                Declared::from_elsewhere(&name, Some(&entry.version), elsewhere, line)
            }
            None => Declared::new(&name, &entry.version, line),
        };
        if let Some(declared) = &mut declared {
            declared.scope = entry.scope();
        }
        let number = edges.push(&mut found, Listed::package(declared, line));
        named.entry(name).or_default().push((number, &entry.version));
        numbered.push((number, entry));
    }
    for (from, entry) in numbered {
        for (name, range, purpose) in entry.needs() {
            for (to, version) in named.get(&name).into_iter().flatten() {
                let fits = range.as_deref().and_then(|range| {
                    version::range::allows(version::Scheme::Pep440, range, version)
                });
                if fits != Some(false) {
                    edges.asks(from, *to, purpose, range.as_deref());
                }
            }
        }
    }
    edges.roots_are_tops();
    edges.settle(&mut found);
    Ok(found)
}
