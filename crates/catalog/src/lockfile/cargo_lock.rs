//! `Cargo.lock`, versions 1 to 4. Source: The Cargo Book; cargo's `core/resolver/encode.rs`.
//!
//! A package without a source is the workspace's own; those of crates.io are listed, wherever its
//! index is named; those of other registries and of git are, with where they come from. What is needed
//! is named by as much of name, version and source as tells it from others; no ranges are, nor for what.

use super::edges::{Edges, For, Keyed};
use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, is_named, toml_error};
use crate::elsewhere::Elsewhere;
use crate::lenient::Texts;
use crate::line_counter::LineCounter;
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
    #[serde(borrow)]
    root: Option<Root<'text>>,
}

#[derive(Deserialize)]
struct Root<'text> {
    #[serde(default, borrow)]
    dependencies: Texts<'text>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    name: Spanned<Cow<'text, str>>,
    #[serde(borrow)]
    version: Cow<'text, str>,
    #[serde(borrow)]
    source: Option<Cow<'text, str>>,
    #[serde(default, borrow)]
    dependencies: Texts<'text>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let mut lines = LineCounter::new(text);
    let seen = file.package.is_some() || file.root.is_some();
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Keyed::new(Edges::default());
    for entry in file.package.iter().flatten() {
        let line = lines.at(entry.name.span().start);
        let (name, version) = (entry.name.get_ref(), &entry.version);
        let listed = match entry.source.as_deref() {
            None => Listed::Own,
            Some(source) => {
                let declared = if CRATES_IO.iter().any(|known| source.starts_with(known)) {
                    Declared::new(name, version, line)
                } else {
                    Declared::from_elsewhere(name, Some(version), elsewhere(source), line)
                };
                Listed::package(declared, line)
            }
        };
        let number = edges.edges.push(&mut found, listed);
        edges.name(Cow::Borrowed(name.as_ref()), number);
        edges.name(Cow::Owned(format!("{name} {version}")), number);
        if let Some(source) = &entry.source {
            // Version 3 and later leave out what git has checked out.
            let bare = source.split('#').next().unwrap_or(source);
            edges.name(Cow::Owned(format!("{name} {version} ({source})")), number);
            edges.name(Cow::Owned(format!("{name} {version} ({bare})")), number);
        }
        for needed in &entry.dependencies.0 {
            edges.asks(number, needed.clone(), For::Running, None);
        }
    }
    if let Some(root) = file.root {
        let project = edges.edges.project();
        for needed in root.dependencies.0 {
            edges.asks(project, needed, For::Running, None);
        }
    }
    edges.settle(&mut found);
    Ok(found)
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
