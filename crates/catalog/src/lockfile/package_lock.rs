//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. Source: npm, "package-lock.json",
//! "workspaces"; `@npmcli/arborist`, `shrinkwrap.js`.
//!
//! Versions 2 and 3 have `packages`, by the folder that each is to be installed in; version 1 has
//! nested `dependencies`. What is linked are folders: members of the workspace are the project's own,
//! others are listed with their path, as packages of git and of archives are with their address. A
//! registry on another host is one of the same packages: mirrors are the rule. An alias is listed under
//! the name of what it stands for.

use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines, split_npm};
use crate::elsewhere::{Elsewhere, npm_name_at, version_of_file};
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
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    packages: Option<BTreeMap<Cow<'text, str>, Option<Folder<'text>>>>,
    #[serde(default, borrow, deserialize_with = "nullable")]
    dependencies: Option<BTreeMap<Cow<'text, str>, Option<Dependency<'text>>>>,
    /// Version 1 writes no list where there is nothing to list.
    #[serde(rename = "lockfileVersion")]
    version: Option<serde_json::Value>,
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
    link: Option<bool>,
    #[serde(borrow)]
    license: Option<Licence<'text>>,
    #[serde(borrow)]
    workspaces: Option<Workspaces<'text>>,
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

/// Patterns of the folders that are members, as npm or as Yarn has them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces<'text> {
    List(#[serde(borrow)] Vec<Cow<'text, str>>),
    Object {
        #[serde(default, borrow)]
        packages: Vec<Cow<'text, str>>,
    },
    Other(IgnoredAny),
}

/// Version 1. How deep it nests is bounded by the JSON reader.
#[derive(Deserialize)]
struct Dependency<'text> {
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(default, borrow)]
    dependencies: Option<BTreeMap<Cow<'text, str>, Option<Dependency<'text>>>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    if let Some(version) = &file.version
        && !version.as_u64().is_some_and(|version| (1..=3).contains(&version))
    {
        let version: String = version.to_string().chars().take(20).collect();
        return Err(format!("lockfileVersion `{version}` is not known; 1, 2 and 3 are"));
    }
    let lines = json_lines(text);
    let mut found = Listing::of_list_if(file.version.is_some(), []);
    match file.packages.filter(|packages| packages.keys().any(|path| !path.is_empty())) {
        Some(packages) => found.extend(of_packages(&packages, &lines).map(|(_, entry)| entry)),
        None => nested(&file.dependencies.unwrap_or_default(), &lines, &mut found),
    }
    Ok(found)
}

/// What `node_modules/.package-lock.json` says is installed, with the folder of each.
///
/// # Errors
/// Where it is no such file.
pub(crate) fn installed(text: &str) -> Result<Vec<(String, Declared)>, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let packages = file.packages.unwrap_or_default();
    let lines = HashMap::new();
    let listed = of_packages(&packages, &lines).filter_map(|(path, entry)| match entry {
        Entry::Package(declared) => {
            // What is linked lies where the link leads to.
            let linked = packages.get(path).and_then(|folder| folder.as_ref()?.link) == Some(true);
            (!linked).then(|| (path.to_owned(), declared))
        }
        _ => None,
    });
    Ok(listed.collect())
}

type Folders<'text> = BTreeMap<Cow<'text, str>, Option<Folder<'text>>>;

fn of_packages<'all>(
    packages: &'all Folders<'_>,
    lines: &'all HashMap<&str, u32>,
) -> impl Iterator<Item = (&'all str, Entry)> {
    let members: Vec<&str> =
        match packages.get("").and_then(|root| root.as_ref()?.workspaces.as_ref()) {
            Some(Workspaces::List(list) | Workspaces::Object { packages: list }) => {
                list.iter().map(|pattern| &**pattern).collect()
            }
            Some(Workspaces::Other(_)) | None => Vec::new(),
        };
    packages.iter().map(move |(path, folder)| {
        let line = lines.get(path.as_ref()).copied().unwrap_or(0);
        let entry = match folder {
            Some(folder) => of_folder(path, folder, packages, &members, line),
            None => Entry::Unread(line),
        };
        (path.as_ref(), entry)
    })
}

fn of_folder(
    path: &str,
    folder: &Folder<'_>,
    packages: &Folders<'_>,
    members: &[&str],
    line: u32,
) -> Entry {
    let Some(at) = path.rfind("node_modules/").map(|at| at + "node_modules/".len()) else {
        return Entry::Own;
    };
    let Some(name) = folder.name.as_deref().or_else(|| path.get(at..)) else {
        return Entry::Unread(line);
    };
    let address = match &folder.resolved {
        Some(Resolved::Address(address)) => address,
        Some(Resolved::Other(_)) | None => "",
    };
    let mut version = folder.version.as_deref();
    let elsewhere = if folder.link == Some(true) {
        if is_member(address, members) {
            return Entry::Own;
        }
        let target = packages.get(address).and_then(Option::as_ref);
        version = version.or_else(|| target?.version.as_deref());
        Some(Elsewhere::path(address))
    } else {
        Elsewhere::of_npm(address).filter(|_| !is_of_a_registry(address))
    };
    let mut declared = match (elsewhere, version) {
        (Some(elsewhere), version) => Declared::from_elsewhere(name, version, elsewhere, line),
        (None, Some(version)) => Declared::new(name, version, line),
        (None, None) => Declared::unpinned(name, line),
    };
    if let (Some(declared), Some(Licence::Text(licence))) = (&mut declared, &folder.license) {
        declared.licence = crate::language::plain_text(licence).map(str::to_owned);
    }
    Entry::package(declared, line)
}

/// Whether a folder that is linked is one of the project's own members.
fn is_member(folder: &str, patterns: &[&str]) -> bool {
    let plain = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.map(str::to_owned).collect()
    };
    let folder = plain(folder);
    patterns.iter().any(|pattern| matches(&plain(pattern), &folder))
}

/// `*` and `?` in a part, `**` for any parts; a part with more than these is taken for any.
fn matches(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            // The last `**` takes all that is left; one in the midst is tried at each part, once.
            rest.is_empty()
                || rest.iter().any(|part| part == "**")
                || (0..=path.len()).any(|skip| matches(rest, path.get(skip..).unwrap_or_default()))
        }
        (Some((first, rest)), Some((part, left))) => is_part(first, part) && matches(rest, left),
        _ => false,
    }
}

fn is_part(pattern: &str, part: &str) -> bool {
    if part == ".." || pattern.contains(['{', '[', '(', '?', '!']) {
        return part != "..";
    }
    match pattern.split_once('*') {
        None => pattern == part,
        Some((before, after)) => {
            let last = after.rsplit('*').next().unwrap_or(after);
            part.len() >= before.len() + last.len()
                && part.starts_with(before)
                && part.ends_with(last)
        }
    }
}

fn nested(
    dependencies: &BTreeMap<Cow<'_, str>, Option<Dependency<'_>>>,
    lines: &HashMap<&str, u32>,
    found: &mut Listing,
) {
    for (name, dependency) in dependencies {
        let line = lines.get(name.as_ref()).copied().unwrap_or(0);
        let Some(dependency) = dependency else {
            found.push(Entry::Unread(line));
            continue;
        };
        found.push(Entry::package(of_version(name, dependency.version.as_deref(), line), line));
        nested(dependency.dependencies.as_ref().unwrap_or(&BTreeMap::new()), lines, found);
    }
}

/// A version, or in its place where the package comes from.
fn of_version(name: &str, version: Option<&str>, line: u32) -> Option<Declared> {
    let Some(version) = version else { return Declared::unpinned(name, line) };
    let (name, version) = match version.strip_prefix("npm:") {
        Some(alias) => split_npm(alias).unwrap_or((name, alias)),
        None => (name, version),
    };
    if let Some(named) = npm_name_at(version) {
        let known = version_of_file(&named, version);
        return known.and_then(|known| Declared::new(&named, known, line));
    }
    match Elsewhere::of_npm(version) {
        Some(elsewhere) => {
            let known = version_of_file(name, version);
            Declared::from_elsewhere(name, known, elsewhere, line)
        }
        None => Declared::new(name, version, line),
    }
}

/// Whether an address is one that registries serve packages at. Sources: npm, "package metadata";
/// GitHub Packages and the older mirrors of China serve `/download/`.
fn is_of_a_registry(address: &str) -> bool {
    let address = address.split(['#', '?']).next().unwrap_or(address);
    address.starts_with("http") && ["/-/", "/download/"].iter().any(|part| address.contains(part))
}
