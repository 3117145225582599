//! `bun.lock`, the text form. Source: Bun, `src/install/lockfile/bun.lock.rs`, `docs/install/lockfile`.
//!
//! JSON with comments and with commas behind the last entry. An entry of `packages` is a list whose
//! first text is `name@version`; those of folders, git and archives have an address in its place, and
//! are listed with it; those of workspaces are the project's own. A key is the way to a package by the
//! names of those that it is nested in; a need is looked for below its package, then further up. The binary
//! form `bun.lockb` is not read: it is named as a problem, with the command that writes the text.

use super::edges::{Edges, For};
use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, npm_range, split_npm};
use crate::elsewhere::{Elsewhere, npm_name_at, version_of_file};
use crate::lenient::Pairs;
use image::Interest;
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "bun-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("bun.lock"), Interest::Name("bun.lockb")],
    accepts: |path| is_named(path, &["bun.lock", "bun.lockb"]),
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

/// How the binary form begins; what follows is no text.
pub(super) const BINARY: &[u8] = b"#!/usr/bin/env bun";
/// Why the binary form is not read, and what to do.
pub(super) const UNREADABLE: &str = "it is Bun's binary form; run `bun install --save-text-lockfile --frozen-lockfile --lockfile-only`";

#[derive(Deserialize)]
struct File {
    #[serde(default, deserialize_with = "nullable")]
    packages: Option<BTreeMap<String, Vec<serde_json::Value>>>,
    #[serde(default, deserialize_with = "nullable")]
    workspaces: Option<BTreeMap<String, serde_json::Value>>,
}

/// Deepest nesting of keys that is followed.
const LEVELS: usize = 64;

const GROUPS: [(&str, For); 4] = [
    ("dependencies", For::Running),
    ("optionalDependencies", For::Option),
    ("peerDependencies", For::Running),
    ("devDependencies", For::Development),
];

/// What an object of a package or a workspace needs: name, range, for what.
fn needs(of: &serde_json::Value) -> Vec<(String, Option<String>, For)> {
    let groups = GROUPS.iter().filter_map(|(group, purpose)| Some((of.get(group)?, *purpose)));
    groups
        .flat_map(|(group, purpose)| {
            let pairs = serde::Deserialize::deserialize(group).unwrap_or_else(|_| Pairs::default());
            let owned = |(name, range): (&str, Option<&str>)| {
                (name.to_owned(), range.and_then(npm_range).map(str::to_owned), purpose)
            };
            pairs.iter().map(owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The key of what is needed from a key: below it, or further up.
fn find(numbers: &BTreeMap<&str, u32>, from: &str, name: &str) -> Option<u32> {
    let mut above = from;
    for _ in 0..LEVELS {
        let key = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        if let Some(number) = numbers.get(key.as_str()) {
            return Some(*number);
        }
        if above.is_empty() {
            return None;
        }
        above = above.rsplit_once('/').map_or("", |(above, _)| above);
    }
    None
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let plain = plain_json(text);
    let file: File = serde_json::from_str(&plain).map_err(|error| json_error(&error))?;
    let lines = lines(text);
    // Without packages only the workspaces are written.
    let seen = file.packages.is_some() || file.workspaces.is_some();
    let listed = |key: &str, entry: &[serde_json::Value]| {
        let line = lines.get(key).copied().unwrap_or(0);
        let pair = entry.first().and_then(|first| split_npm(first.as_str()?));
        let Some((name, version)) = pair else { return Entry::Unread(line) };
        let declared = match version.split_once(':') {
            Some(("workspace" | "root", _)) => return Entry::Own,
            _ if version.starts_with(|first: char| first.is_ascii_digit()) => {
                Declared::new(name, version, line)
            }
            _ if npm_name_at(version).is_some() => version_of_file(name, version)
                .and_then(|version| Declared::new(name, version, line)),
            _ => {
                let elsewhere =
                    Elsewhere::of_npm(version).unwrap_or_else(|| Elsewhere::path(version));
                Declared::from_elsewhere(name, version_of_file(name, version), elsewhere, line)
            }
        };
        Entry::package(declared, line)
    };
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Edges::with_scopes();
    let mut numbers = BTreeMap::new();
    for (key, entry) in file.packages.iter().flatten() {
        numbers.insert(key.as_str(), edges.push(&mut found, listed(key, entry)));
    }
    for (key, entry) in file.packages.iter().flatten() {
        let Some(from) = numbers.get(key.as_str()).copied() else { continue };
        for (name, range, purpose) in entry.iter().flat_map(needs) {
            if let Some(to) = find(&numbers, key, &name) {
                edges.asks(from, to, purpose, range.as_deref());
            }
        }
    }
    for workspace in file.workspaces.iter().flat_map(BTreeMap::values) {
        // A member's own packages are nested below its name.
        let name = workspace.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
        for (needed, _, purpose) in needs(workspace) {
            if let Some(to) = find(&numbers, name, &needed) {
                edges.root(to, purpose);
            }
        }
    }
    edges.settle(&mut found);
    Ok(found)
}

/// The text without comments, and without commas before a closing bracket; those inside texts stay.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let (mut in_text, mut escaped) = (false, false);
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('/', Some('/')) if !in_text => {
                letters.by_ref().find(|letter| *letter == '\n');
                plain.push('\n');
                continue;
            }
            ('/', Some('*')) if !in_text => {
                letters.next();
                let mut last = ' ';
                letters
                    .by_ref()
                    .find(|letter| std::mem::replace(&mut last, *letter) == '*' && *letter == '/');
                plain.push(' ');
                continue;
            }
            _ => {}
        }
        if in_text {
            (in_text, escaped) = (escaped || letter != '"', !escaped && letter == '\\');
        } else {
            in_text = letter == '"';
            if matches!(letter, ']' | '}') {
                let kept = plain.trim_end().strip_suffix(',').map(str::len);
                plain.truncate(kept.unwrap_or(plain.len()));
            }
        }
        plain.push(letter);
    }
    plain
}

/// Lines of the keys of `packages`, which Bun writes one a line.
fn lines(text: &str) -> BTreeMap<&str, u32> {
    let numbered = text.lines().zip(1_u32..);
    numbered
        .filter_map(|(line, number)| {
            let (key, _) = line.trim_start().strip_prefix('"')?.split_once("\": [")?;
            Some((key, number))
        })
        .collect()
}
