//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. Source: npm, "package-lock.json".
//!
//! Versions 2 and 3 have `packages`, by the folder that each is to be installed in; version 1 has
//! nested `dependencies`. Links, folders outside `node_modules`, git and `file:` are not of the
//! registry. An alias is listed under the name of what it stands for.

use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, is_named, json_error, json_lines, split_npm};
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "package-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("npm-shrinkwrap.json"), Interest::Name("package-lock.json")],
    accepts: |path| is_named(path, &["package-lock.json", "npm-shrinkwrap.json"]),
    at_most: 64 << 20,
    parse,
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    packages: Option<BTreeMap<Cow<'text, str>, Folder<'text>>>,
    #[serde(default, borrow, deserialize_with = "nullable")]
    dependencies: Option<BTreeMap<Cow<'text, str>, Dependency<'text>>>,
    /// Version 1 writes no list where there is nothing to list.
    #[serde(rename = "lockfileVersion")]
    version: Option<IgnoredAny>,
}

/// Versions 2 and 3.
#[derive(Deserialize)]
struct Folder<'text> {
    #[serde(borrow)]
    name: Option<Cow<'text, str>>,
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(borrow)]
    resolved: Option<Resolved<'text>>,
    #[serde(default)]
    link: bool,
    #[serde(borrow)]
    license: Option<Licence<'text>>,
}

/// An address; some writers put `false` or `true` there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Resolved<'text> {
    Address(#[serde(borrow)] Cow<'text, str>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Licence<'text> {
    Text(#[serde(borrow)] Cow<'text, str>),
    Other(IgnoredAny),
}

/// Version 1. How deep it nests is bounded by the JSON reader.
#[derive(Deserialize)]
struct Dependency<'text> {
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(default, borrow)]
    dependencies: BTreeMap<Cow<'text, str>, Dependency<'text>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let mut found = Listing::of_list_if(file.version.is_some(), []);
    match file.packages.filter(|packages| !packages.is_empty()) {
        Some(packages) => {
            found.extend(packages.iter().map(|(path, folder)| of_folder(path, folder, &lines)));
        }
        None => nested(&file.dependencies.unwrap_or_default(), &lines, &mut found),
    }
    Ok(found)
}

fn of_folder(path: &str, folder: &Folder<'_>, lines: &HashMap<&str, u32>) -> Entry {
    let line = lines.get(path).copied().unwrap_or(0);
    let Some(at) = path.rfind("node_modules/").map(|at| at + "node_modules/".len()) else {
        return Entry::Own;
    };
    let address = match &folder.resolved {
        Some(Resolved::Address(address)) => address,
        Some(Resolved::Other(_)) | None => "",
    };
    if folder.link {
        return Entry::Own;
    }
    if is_elsewhere(address) {
        return Entry::Elsewhere;
    }
    let name = folder.name.as_deref().or_else(|| path.get(at..));
    let pair = name.zip(folder.version.as_deref());
    let Some(mut declared) = pair.and_then(|(name, version)| Declared::new(name, version, line))
    else {
        return Entry::Unread(line);
    };
    if let Some(Licence::Text(licence)) = &folder.license {
        declared.licence = crate::language::plain_text(licence).map(str::to_owned);
    }
    Entry::Package(declared)
}

fn nested(
    dependencies: &BTreeMap<Cow<'_, str>, Dependency<'_>>,
    lines: &HashMap<&str, u32>,
    found: &mut Listing,
) {
    for (name, dependency) in dependencies {
        let line = lines.get(name.as_ref()).copied().unwrap_or(0);
        if let Some(version) = dependency.version.as_deref() {
            let (name, version) = match version.strip_prefix("npm:") {
                Some(alias) => split_npm(alias).unwrap_or((name, alias)),
                None => (name.as_ref(), version),
            };
            found.push(match version.starts_with(|first: char| first.is_ascii_digit()) {
                true => Entry::package(Declared::new(name, version, line), line),
                false => Entry::Elsewhere,
            });
        } else {
            found.push(Entry::Unread(line));
        }
        nested(&dependency.dependencies, lines, found);
    }
}

/// Whether an address is not one of a registry.
fn is_elsewhere(address: &str) -> bool {
    ["git", "file:", "github:", "link:"].iter().any(|kind| address.starts_with(kind))
}
