//! `go.mod`. Source: "Go Modules Reference", go.mod file syntax.
//!
//! `require` lists modules; since Go 1.17 all that the build needs are there. A `replace` with a
//! version stands in for what it replaces; one with a folder leaves it without a version, with the path of
//! the folder.
//! `exclude` forbids versions that another line then replaces by a higher one, so it changes nothing
//! here; `go` and `toolchain` ask for a least version and say nothing of the one that is used.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, is_named, unquoted};
use crate::elsewhere::Elsewhere;
use image::Interest;
use std::collections::HashMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "go-mod",
    ecosystem: Ecosystem::GO,
    interests: &[Interest::Name("go.mod")],
    accepts: |path| is_named(path, &["go.mod"]),
    at_most: 8 << 20,
    parse,
};

/// What is replaced, all versions or one; by what, a module with its version or a folder.
type Replacements<'text> =
    HashMap<(&'text str, Option<&'text str>), Option<(&'text str, &'text str)>>;

fn parse(text: &str) -> Result<Listing, String> {
    let mut required: Vec<(&str, &str, u32)> = Vec::new();
    let mut replaced = Replacements::new();
    // The folders that replace modules.
    let mut folders: HashMap<&str, &str> = HashMap::new();
    let mut directive = "";
    let mut module = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.split_once("//").map_or(line, |(line, _)| line).trim();
        let words: Vec<&str> = line.split_whitespace().map(unquoted).take(6).collect();
        let (verb, rest) = match words.as_slice() {
            [")"] => {
                directive = "";
                continue;
            }
            [verb, "("] => {
                directive = verb;
                continue;
            }
            words if !directive.is_empty() => (directive, words),
            [verb, rest @ ..] => (*verb, rest),
            [] => continue,
        };
        module |= verb == "module";
        if let ("replace", [old, .., "=>", folder]) = (verb, rest) {
            folders.insert(old, folder);
        }
        match (verb, rest) {
            ("require", [path, version, ..]) => required.push((path, version, number)),
            ("replace", [old, "=>", new @ ..]) => {
                replaced.insert((old, None), target(new));
            }
            ("replace", [old, version, "=>", new @ ..]) => {
                replaced.insert((old, Some(version)), target(new));
            }
            _ => {}
        }
    }
    if !module && !text.trim().is_empty() {
        return Err("it is not a go.mod: it has no `module` line".to_owned());
    }
    let listed = required.into_iter().map(|(path, version, line)| {
        let replacement =
            replaced.get(&(path, Some(version))).or_else(|| replaced.get(&(path, None)));
        match replacement.copied().unwrap_or(Some((path, version))) {
            // Which version the folder holds, nobody says.
            None => {
                let folder = folders.get(path).copied().unwrap_or_default();
                let elsewhere = Elsewhere::path(folder);
                Entry::package(Declared::from_elsewhere(path, None, elsewhere, line), line)
            }
            Some((path, version)) if version.starts_with('v') => {
                Entry::package(Declared::new(path, version, line), line)
            }
            Some(_) => Entry::Unread(line),
        }
    });
    Ok(Listing::of_list(listed))
}

fn target<'text>(words: &[&'text str]) -> Option<(&'text str, &'text str)> {
    match words {
        [path, version, ..] => Some((path, version)),
        _ => None,
    }
}
