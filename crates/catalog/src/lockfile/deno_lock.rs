//! `deno.lock`, versions 3 to 5. Source: Deno, `deno_lockfile` crate.
//!
//! npm packages stand as `name@version[_peers]` in `npm` (4, 5) or `packages.npm` (3). Packages of JSR
//! have no advisories under any name, and files fetched by address have no version: neither is listed.

use super::{Declared, Lockfile, is_named, json_error, json_lines, split_npm};
use image::Interest;
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "deno-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("deno.lock")],
    accepts: |path| is_named(path, &["deno.lock"]),
    at_most: 64 << 20,
    parse,
};

type Packages = BTreeMap<String, serde::de::IgnoredAny>;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    version: String,
    #[serde(default)]
    npm: Packages,
    #[serde(default)]
    packages: Old,
}

#[derive(Default, Deserialize)]
struct Old {
    #[serde(default)]
    npm: Packages,
}

fn parse(text: &str) -> Result<Vec<Declared>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    if !matches!(file.version.as_str(), "3" | "4" | "5") {
        let version: String = file.version.chars().take(20).collect();
        return Err(format!("version `{version}` of deno.lock is not known; 3, 4 and 5 are"));
    }
    let lines = json_lines(text);
    let all = file.npm.keys().chain(file.packages.npm.keys());
    let listed = all.filter_map(|key| {
        let (name, version) = split_npm(key)?;
        let version = version.split_once('_').map_or(version, |(version, _)| version);
        Declared::new(name, version, lines.get(key.as_str()).copied().unwrap_or(0))
    });
    Ok(listed.collect())
}
