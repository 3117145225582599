//! `Cargo.lock`, versions 1 to 4. Source: The Cargo Book; cargo's `core/resolver/encode.rs`.
//!
//! A package without a source is the workspace's own; those of crates.io are listed, wherever its
//! index is named; those of other registries and of git are, with where they come from.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, LineCounter, Lockfile, Reader, is_named, toml_error};
use crate::elsewhere::Elsewhere;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use toml::Spanned;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "cargo-lock",
    ecosystem: Ecosystem::CRATES_IO,
    interests: &[Interest::Name("Cargo.lock")],
    accepts: |path| is_named(path, &["Cargo.lock"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

/// The registry's two addresses, as sources name them.
const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

#[derive(Deserialize)]
struct File<'text> {
    #[serde(borrow)]
    package: Option<Vec<Entry<'text>>>,
    /// The package of a workspace of one, in version 1.
    root: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    name: Spanned<Cow<'text, str>>,
    #[serde(borrow)]
    version: Cow<'text, str>,
    #[serde(borrow)]
    source: Option<Cow<'text, str>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.root.is_some();
    let listed = file.package.iter().flatten().map(|entry| {
        let line = lines.at(entry.name.span().start);
        let Some(source) = entry.source.as_deref() else { return Listed::Own };
        let (name, version) = (entry.name.get_ref(), &entry.version);
        let declared = if CRATES_IO.iter().any(|known| source.starts_with(known)) {
            Declared::new(name, version, line)
        } else {
            Declared::from_elsewhere(name, Some(version), elsewhere(source), line)
        };
        Listed::package(declared, line)
    });
    Ok(Listing::of_list_if(seen, listed))
}

/// `git+https://host/path?branch=x#commit`, `registry+https://…`, `sparse+https://…`.
fn elsewhere(source: &str) -> Elsewhere {
    match source.strip_prefix("git+") {
        Some(address) => {
            Elsewhere::git(address, address.rsplit_once('#').map(|(_, commit)| commit))
        }
        None => Elsewhere::registry(source),
    }
}
