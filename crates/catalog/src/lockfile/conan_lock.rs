//! `conan.lock` of Conan 1 and 2. Source: Conan, `internal/model/lockfile` (2), `graph_lock` (1).
//!
//! A reference is `name/version[@user/channel][#revision][%time]`. One with a user is of another remote,
//! where the same libraries are built anew, and is listed with user and channel.

use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error};
use crate::elsewhere::Elsewhere;
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap};
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "conan-lock",
    ecosystem: Ecosystem::CONAN_CENTER,
    interests: &[Interest::Name("conan.lock")],
    accepts: |path| is_named(path, &["conan.lock"]),
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File {
    #[serde(default, deserialize_with = "nullable")]
    requires: Option<Vec<String>>,
    #[serde(default, deserialize_with = "nullable")]
    build_requires: Option<Vec<String>>,
    #[serde(default, deserialize_with = "nullable")]
    python_requires: Option<Vec<String>>,
    #[serde(default, deserialize_with = "nullable")]
    config_requires: Option<Vec<String>>,
    #[serde(default, deserialize_with = "nullable")]
    graph_lock: Option<Graph>,
}

#[derive(Default, Deserialize)]
struct Graph {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    /// Where the recipe lies, of the project itself.
    path: Option<IgnoredAny>,
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lists =
        [&file.requires, &file.build_requires, &file.python_requires, &file.config_requires];
    let seen = file.graph_lock.is_some() || lists.iter().any(|list| list.is_some());
    let lines = lines(text);
    let mut found = Listing::of_list_if(seen, []);
    for node in file.graph_lock.iter().flat_map(|graph| graph.nodes.values()) {
        found.push(match &node.reference {
            Some(reference) if node.path.is_none() => declared(&lines, reference),
            // The consumer itself has a path or no reference.
            _ => Entry::Own,
        });
    }
    let all = lists.into_iter().flatten().flatten();
    found.extend(all.map(|reference| declared(&lines, reference)));
    Ok(found)
}

/// Lines of the texts in quotes, each where it stands first.
fn lines(text: &str) -> HashMap<&str, u32> {
    let mut lines = HashMap::new();
    for (line, number) in text.lines().zip(1_u32..) {
        for part in line.split('"') {
            lines.entry(part).or_insert(number);
        }
    }
    lines
}

fn declared(lines: &HashMap<&str, u32>, reference: &str) -> Entry {
    let bare = reference.split(['#', '%']).next().unwrap_or(reference);
    let line = lines.get(reference).copied().unwrap_or(0);
    let Some((name, version)) = bare.split_once('/') else { return Entry::Unread(line) };
    let (version, channel) = version.split_once('@').unwrap_or((version, "_/_"));
    let elsewhere = match channel.split_once('/') {
        Some(("_" | "", _)) | None => None,
        Some((user, channel)) => {
            let (user, channel) = (capped(user).to_owned(), capped(channel).to_owned());
            Some(Elsewhere::Channel { user, channel })
        }
    };
    let declared = Declared::new(name, version, line).map(|one| Declared { elsewhere, ..one });
    Entry::package(declared, line)
}

/// Longest user or channel: Conan's own limit is 51 letters for each part of a reference.
fn capped(part: &str) -> &str {
    crate::text::capped(part, 100)
}
