//! `uv.lock`, version 1. Source: uv, "Locking and syncing", `crates/uv-resolver/src/lock`.
//!
//! Only packages from a registry are listed; `virtual`, `editable`, `directory`, `path`, `git` and
//! `url` are the project's own, or of no index. A package of the project may have no version.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, LineCounter, Lockfile, is_named, python_name, toml_error};
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
    parse,
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(borrow)]
    package: Option<Vec<Entry<'text>>>,
    version: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    name: Spanned<Cow<'text, str>>,
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(default)]
    source: Source,
}

#[derive(Default, Deserialize)]
struct Source {
    registry: Option<IgnoredAny>,
    r#virtual: Option<IgnoredAny>,
    editable: Option<IgnoredAny>,
    directory: Option<IgnoredAny>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.version.is_some();
    let listed = file.package.iter().flatten().map(|entry| {
        let line = lines.at(entry.name.span().start);
        let Source { registry, r#virtual, editable, directory } = &entry.source;
        if [r#virtual, editable, directory].iter().any(|own| own.is_some()) {
            return Listed::Own;
        }
        if registry.is_none() {
            return Listed::Elsewhere;
        }
        let name = python_name(entry.name.get_ref());
        let version = entry.version.as_deref();
        Listed::package(version.and_then(|version| Declared::new(&name, version, line)), line)
    });
    Ok(Listing::of_list_if(seen, listed))
}
