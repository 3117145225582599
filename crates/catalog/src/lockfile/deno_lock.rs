//! `deno.lock`, versions 3 to 5. Source: Deno, `deno_lockfile` crate.
//!
//! npm packages stand as `name@version[_peers]` in `npm` (4, 5) or `packages.npm` (3). Packages of JSR
//! have no advisories under any name, and files fetched by address have no version: neither is listed.

use super::listing::{Entry, Listing, nullable};
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
    #[serde(default, deserialize_with = "nullable")]
    npm: Option<Packages>,
    #[serde(default, deserialize_with = "nullable")]
    packages: Option<Old>,
}

#[derive(Default, Deserialize)]
struct Old {
    #[serde(default, deserialize_with = "nullable")]
    npm: Option<Packages>,
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    if !matches!(file.version.as_str(), "3" | "4" | "5") {
        let version: String = file.version.chars().take(20).collect();
        return Err(format!("version `{version}` of deno.lock is not known; 3, 4 and 5 are"));
    }
    let lines = json_lines(text);
    let old = file.packages.iter().filter_map(|old| old.npm.as_ref());
    let all = file.npm.iter().chain(old).flat_map(BTreeMap::keys);
    let listed = all.map(|key| {
        let line = lines.get(key.as_str()).copied().unwrap_or(0);
        let Some((name, version)) = split_npm(key) else { return Entry::Unread(line) };
        let version = version.split_once('_').map_or(version, |(version, _)| version);
        Entry::package(Declared::new(name, version, line), line)
    });
    // The version is known, and with it that every list has its place; one that is empty is not written.
    Ok(Listing::of_list(listed))
}
