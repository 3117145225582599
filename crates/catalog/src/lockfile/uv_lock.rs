//! `uv.lock`, version 1. Source: uv, "Locking and syncing", `crates/uv-resolver/src/lock`.
//!
//! Only packages from a registry are listed; `virtual`, `editable`, `directory`, `path`, `git` and
//! `url` are the project's own, or of no index. A package of the project may have no version.

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
    #[serde(default, borrow)]
    package: Vec<Entry<'text>>,
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
}

fn parse(text: &str) -> Result<Vec<Declared>, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let listed = file.package.iter().filter_map(|entry| {
        let line = lines.at(entry.name.span().start);
        entry.source.registry.as_ref()?;
        Declared::new(&python_name(entry.name.get_ref()), entry.version.as_deref()?, line)
    });
    Ok(listed.collect())
}
