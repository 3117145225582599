//! `composer.lock`. Source: Composer, `Package/Locker.php`.
//!
//! Packages stand in `packages` and, for development, `packages-dev`. Those of repositories of
//! source code and of folders are listed with where they come from; a branch (`dev-main`) is listed as
//! what it is. What the project asks for itself is not told.

use super::edges::{Edges, For, Keyed};
use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_name_lines};
use crate::php::installed::Entry;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use vocabulary::{Ecosystem, Scope};

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "composer-lock",
    ecosystem: Ecosystem::PACKAGIST,
    interests: &[Interest::Name("composer.lock")],
    accepts,
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

/// A package that is installed may bring the lock file of its developers along, in `vendor`.
fn accepts(path: &str) -> bool {
    is_named(path, &["composer.lock"]) && !path.split('/').any(|part| part == "vendor")
}

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    packages: Option<Vec<Entry<'text>>>,
    #[serde(default, borrow, rename = "packages-dev", deserialize_with = "nullable")]
    development: Option<Vec<Entry<'text>>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_name_lines(text);
    let seen = file.packages.is_some() || file.development.is_some();
    let of = |list: &'_ Option<Vec<Entry<'_>>>| list.as_ref().map_or(0, Vec::len);
    let running = of(&file.packages);
    let all = file.packages.iter().chain(&file.development).flatten();
    let listed = |entry: &Entry<'_>, scope: Scope| {
        let Some((name, version)) = entry.identity() else { return Listed::Unread(0) };
        let line = lines.get(name.as_str()).copied().unwrap_or(0);
        let Some(mut declared) = Declared::new(&name, version, line) else {
            return Listed::Unread(line);
        };
        declared.licence = Some(entry.licences().join(" OR ")).filter(|text| !text.is_empty());
        declared.elsewhere = entry.elsewhere();
        declared.scope = Some(scope);
        Listed::Package(declared)
    };
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Keyed::new(Edges::default());
    for (at, entry) in all.enumerate() {
        let scope = if at < running { Scope::Runtime } else { Scope::Development };
        let number = edges.edges.push(&mut found, listed(entry, scope));
        edges.name(entry.identity().map(|(name, _)| name).unwrap_or_default(), number);
        for (name, range) in entry.needs() {
            edges.asks(number, name, For::Running, range.map(Cow::Borrowed));
        }
    }
    edges.edges.roots_are_tops();
    edges.settle(&mut found);
    Ok(found)
}
