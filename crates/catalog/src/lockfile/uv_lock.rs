//! `uv.lock`, version 1. Source: uv, "Locking and syncing", `crates/uv-resolver/src/lock`.
//!
//! The project itself, `virtual` or in the folder `.`, and the members of its workspace are its own.
//! Other folders, archives and repositories are listed with where they come from, and may have no
//! version; every registry is one of the same packages. Needs are told by name, and by version where a
//! name stands in several; ranges of the project alone are told.

use super::edges::{Edges, For, Keyed};
use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, is_named, python_name, toml_error};
use crate::elsewhere::Elsewhere;
use crate::line_counter::LineCounter;
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use toml::Spanned;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "uv-lock",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Name("uv.lock")],
    accepts: |path| is_named(path, &["uv.lock"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(borrow)]
    package: Option<Vec<Entry<'text>>>,
    version: Option<u64>,
    #[serde(default, borrow)]
    manifest: Manifest<'text>,
}

/// What the workspace says of itself, where it has several members.
#[derive(Default, Deserialize)]
struct Manifest<'text> {
    #[serde(default, borrow)]
    members: Vec<Cow<'text, str>>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    name: Spanned<Cow<'text, str>>,
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(default, borrow)]
    source: Source<'text>,
    dependencies: Option<toml::Value>,
    #[serde(rename = "optional-dependencies")]
    options: Option<toml::Value>,
    #[serde(rename = "dev-dependencies")]
    development: Option<toml::Value>,
}

impl Entry<'_> {
    /// Names, versions where several stand in the file, and for what.
    fn needs(&self) -> Vec<(String, Option<&str>, For)> {
        let groups = [(&self.options, For::Option), (&self.development, For::Development)];
        let groups = groups.into_iter().flat_map(|(groups, purpose)| {
            let table = groups.as_ref().and_then(toml::Value::as_table);
            table.into_iter().flatten().map(move |(_, list)| (list, purpose))
        });
        let running = self.dependencies.iter().map(|list| (list, For::Running));
        let mut needs = Vec::new();
        for (list, purpose) in running.chain(groups) {
            needs.extend(list.as_array().into_iter().flatten().filter_map(|one| {
                let name = python_name(one.get("name")?.as_str()?);
                Some((name, one.get("version").and_then(toml::Value::as_str), purpose))
            }));
        }
        needs
    }
}

#[derive(Default, Deserialize)]
struct Source<'text> {
    registry: Option<IgnoredAny>,
    r#virtual: Option<IgnoredAny>,
    #[serde(borrow)]
    editable: Option<Cow<'text, str>>,
    #[serde(borrow)]
    directory: Option<Cow<'text, str>>,
    #[serde(borrow)]
    path: Option<Cow<'text, str>>,
    #[serde(borrow)]
    git: Option<Cow<'text, str>>,
    #[serde(borrow)]
    url: Option<Cow<'text, str>>,
}

impl Source<'_> {
    fn elsewhere(&self) -> Option<Elsewhere> {
        if let Some(git) = self.git.as_deref() {
            return Some(Elsewhere::git(git, git.rsplit_once('#').map(|(_, commit)| commit)));
        }
        if let Some(url) = self.url.as_deref() {
            return Some(Elsewhere::download(url));
        }
        let folder = self.editable.as_deref().or(self.directory.as_deref());
        folder.or(self.path.as_deref()).map(Elsewhere::path)
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    if let Some(version) = file.version.filter(|version| *version != 1) {
        return Err(format!("version `{version}` is not known; 1 is"));
    }
    // The project itself is a package always.
    let seen = file.package.is_some();
    let listed = |entry: &Entry<'_>, lines: &mut LineCounter<'_>| {
        let line = lines.at(entry.name.span().start);
        let source = &entry.source;
        let folder = source.editable.as_deref().or(source.directory.as_deref());
        let is_member = file.manifest.members.iter().any(|member| member == entry.name.get_ref());
        if source.r#virtual.is_some() || folder == Some(".") || folder.is_some() && is_member {
            return Listed::Own;
        }
        let name = python_name(entry.name.get_ref());
        let version = entry.version.as_deref();
        let declared = match source.elsewhere() {
            Some(elsewhere) => Declared::from_elsewhere(&name, version, elsewhere, line),
            None if source.registry.is_none() => None,
            None => version.and_then(|version| Declared::new(&name, version, line)),
        };
        Listed::package(declared, line)
    };
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Keyed::new(Edges::with_scopes());
    for entry in file.package.iter().flatten() {
        let number = edges.edges.push(&mut found, listed(entry, &mut lines));
        let name = python_name(entry.name.get_ref());
        let version = entry.version.as_deref();
        edges.name((name.clone(), None), number);
        edges.name((name, version.map(str::to_owned)), number);
        for (name, version, purpose) in entry.needs() {
            edges.asks(number, (name, version.map(str::to_owned)), purpose, None);
        }
    }
    edges.settle(&mut found);
    Ok(found)
}
