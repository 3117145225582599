//! `conan.lock` of Conan 1 and 2. Source: Conan, `internal/model/lockfile` (2), `graph_lock` (1).
//!
//! A reference is `name/version[@user/channel][#revision][%time]`. One with a user is of a private
//! remote and left out: advisories speak of ConanCenter's.

use super::{Declared, Lockfile, is_named, json_error};
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
    parse,
};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    build_requires: Vec<String>,
    #[serde(default)]
    python_requires: Vec<String>,
    #[serde(default)]
    config_requires: Vec<String>,
    #[serde(default)]
    graph_lock: Graph,
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

fn parse(text: &str) -> Result<Vec<Declared>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let nodes = file.graph_lock.nodes.values().filter(|node| node.path.is_none());
    let nodes = nodes.filter_map(|node| node.reference.as_ref());
    let lists =
        [&file.requires, &file.build_requires, &file.python_requires, &file.config_requires];
    let all = lists.into_iter().flatten().chain(nodes);
    let lines = lines(text);
    Ok(all.filter_map(|reference| declared(&lines, reference)).collect())
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

fn declared(lines: &HashMap<&str, u32>, reference: &str) -> Option<Declared> {
    let bare = reference.split(['#', '%']).next().unwrap_or(reference);
    let (name, version) = bare.split_once('/')?;
    if version.contains('@') && !version.ends_with("@_/_") {
        return None;
    }
    let version = version.trim_end_matches("@_/_");
    Declared::new(name, version, lines.get(reference).copied().unwrap_or(0))
}
