//! `Pipfile.lock`. Source: pipenv, "Pipfile & Pipfile.lock".
//!
//! Every category (`default`, `develop` and those of the project's own) is an object of names; a
//! package of an index has a `version` that begins with `==`; one of git, an archive or a path is listed
//! with where it comes from, and the path `.` is the project itself.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines, python_name};
use crate::elsewhere::{Elsewhere, version_of_file, version_of_tag};
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;
use vocabulary::{Ecosystem, Scope};

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pipfile-lock",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Name("Pipfile.lock")],
    accepts: |path| is_named(path, &["Pipfile.lock"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
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
    #[serde(borrow)]
    git: Option<Cow<'text, str>>,
    #[serde(borrow, rename = "ref")]
    reference: Option<Cow<'text, str>>,
    #[serde(borrow)]
    path: Option<Cow<'text, str>>,
    #[serde(borrow)]
    file: Option<Cow<'text, str>>,
}

impl Pinned<'_> {
    /// Where it comes from, and the version that the address names.
    fn elsewhere(&self, name: &str) -> Option<(Elsewhere, Option<&str>)> {
        if let Some(git) = self.git.as_deref() {
            let reference = self.reference.as_deref();
            return Some((Elsewhere::git(git, reference), reference.and_then(version_of_tag)));
        }
        let file = self.file.as_deref().or(self.path.as_deref())?;
        let is_address = file.contains("://") && !file.starts_with("file:");
        let elsewhere = if is_address { Elsewhere::download(file) } else { Elsewhere::path(file) };
        Some((elsewhere, version_of_file(name, file)))
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: BTreeMap<String, Category<'_>> =
        serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let categories = file.iter().filter(|(category, _)| *category != "_meta");
    let entries = categories.flat_map(|(category, packages)| {
        let scope = match category.as_str() {
            "default" => Some(Scope::Runtime),
            "develop" => Some(Scope::Development),
            _ => None,
        };
        packages.iter().map(move |(name, entry)| (name, entry, scope))
    });
    let listed = entries.map(|(name, entry, scope)| {
        let line = lines.get(name.as_str()).copied().unwrap_or(0);
        let Entry::Package(pinned) = entry else { return Listed::Unread(line) };
        if pinned.path.as_deref() == Some(".") {
            return Listed::Own;
        }
        let version = pinned.version.as_deref().map(|text| text.trim_start_matches('='));
        let name = python_name(name);
        let mut declared = match pinned.elsewhere(&name) {
            Some((elsewhere, named)) => {
                Declared::from_elsewhere(&name, version.or(named), elsewhere, line)
            }
            None => version.and_then(|version| Declared::new(&name, version, line)),
        };
        if let Some(declared) = &mut declared {
            declared.scope = scope;
        }
        Listed::package(declared, line)
    });
    Ok(Listing::of_list_if(file.contains_key("_meta") || file.contains_key("default"), listed))
}
