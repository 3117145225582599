//! `Pipfile.lock`. Source: pipenv, "Pipfile & Pipfile.lock".
//!
//! Every category (`default`, `develop` and those of the project's own) is an object of names; a
//! package of an index has a `version` that begins with `==`, one of git or a path has none.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, is_named, json_error, json_lines, python_name};
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pipfile-lock",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Name("Pipfile.lock")],
    accepts: |path| is_named(path, &["Pipfile.lock"]),
    at_most: 32 << 20,
    parse,
};

/// A category, or `_meta`, which has the same shape but for its values.
type Category<'text> = BTreeMap<String, Entry<'text>>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry<'text> {
    Package(#[serde(borrow)] Pinned<'text>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Pinned<'text> {
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    git: Option<IgnoredAny>,
    path: Option<IgnoredAny>,
    file: Option<IgnoredAny>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: BTreeMap<String, Category<'_>> =
        serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let categories = file.iter().filter(|(category, _)| *category != "_meta");
    let listed = categories.flat_map(|(_, packages)| packages).map(|(name, entry)| {
        let line = lines.get(name.as_str()).copied().unwrap_or(0);
        let Entry::Package(pinned) = entry else { return Listed::Unread(line) };
        if pinned.git.is_some() || pinned.path.is_some() || pinned.file.is_some() {
            return Listed::Elsewhere;
        }
        let version = pinned.version.as_deref().map(|text| text.trim_start_matches('='));
        let name = python_name(name);
        Listed::package(version.and_then(|version| Declared::new(&name, version, line)), line)
    });
    Ok(Listing::of_list_if(file.contains_key("_meta") || file.contains_key("default"), listed))
}
