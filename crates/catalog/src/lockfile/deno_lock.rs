//! `deno.lock`, versions 1 to 5. Source: Deno, `deno_lockfile` crate, `transforms.rs`.
//!
//! npm packages stand as `name@version[_peers]` in `npm` (4, 5), `packages.npm` (3) or `npm.packages`
//! (2), those of JSR likewise in `jsr`. Modules fetched by address stand in `remote`, each file for
//! itself (in version 1 the file is nothing else); files of one `name@version` are one package, which
//! is npm's where a host serves npm's packages.

use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines, split_npm};
use crate::elsewhere::{Elsewhere, is_release, without_secrets};
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap};
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "deno-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("deno.lock")],
    accepts: |path| is_named(path, &["deno.lock"]),
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

type Packages = BTreeMap<String, IgnoredAny>;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    version: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    npm: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default, deserialize_with = "nullable")]
    jsr: Option<Packages>,
    #[serde(default, deserialize_with = "nullable")]
    packages: Option<Old>,
    #[serde(default, deserialize_with = "nullable")]
    remote: Option<Packages>,
}

#[derive(Default, Deserialize)]
struct Old {
    #[serde(default, deserialize_with = "nullable")]
    npm: Option<Packages>,
    #[serde(default, deserialize_with = "nullable")]
    jsr: Option<Packages>,
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let lines = json_lines(text);
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let version = match file.version.as_deref() {
        Some(version @ ("2" | "3" | "4" | "5")) => version,
        Some(other) => {
            let version: String = other.chars().take(20).collect();
            return Err(format!("version `{version}` of deno.lock is not known; 1 to 5 are"));
        }
        None => return first(text),
    };
    let old = file.packages.unwrap_or_default();
    let mut npm: Vec<String> = old.npm.unwrap_or_default().into_keys().collect();
    for (key, value) in file.npm.unwrap_or_default() {
        match value.as_object().filter(|_| version == "2" && key == "packages") {
            Some(packages) => npm.extend(packages.keys().cloned()),
            None if version == "2" => {}
            None => npm.push(key),
        }
    }
    // The version is known, and with it that every list has its place; one that is empty is not written.
    let mut found = Listing::of_list(npm.iter().map(|key| of_npm(key, &lines)));
    let jsr = file.jsr.into_iter().chain(old.jsr).flat_map(BTreeMap::into_keys);
    found.extend(jsr.map(|key| of_jsr(&key, &lines)));
    found.extend(file.remote.iter().flat_map(BTreeMap::keys).map(|address| of_address(address)));
    Ok(found)
}

/// Version 1: addresses and what their content hashes to.
fn first(text: &str) -> Result<Listing, String> {
    let files: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|_| "it is not a deno.lock: it names no version".to_owned())?;
    Ok(Listing::found(files.keys().map(|address| of_address(address))))
}

fn of_npm(key: &str, lines: &HashMap<&str, u32>) -> Entry {
    let line = lines.get(key).copied().unwrap_or(0);
    let Some((name, version)) = split_npm(key) else { return Entry::Unread(line) };
    let version = version.split_once('_').map_or(version, |(version, _)| version);
    Entry::package(Declared::new(name, version, line), line)
}

fn of_jsr(key: &str, lines: &HashMap<&str, u32>) -> Entry {
    let line = lines.get(key).copied().unwrap_or(0);
    let pair = split_npm(key);
    let declared = pair.and_then(|(name, version)| Declared::new(name, version, line));
    Entry::package(declared.map(|declared| declared.of(Ecosystem::JSR)), line)
}

/// Hosts that serve packages of npm at addresses, and what stands before a name there. Sources: their
/// documentation.
const OF_NPM: [&str; 8] = [
    "https://cdn.jsdelivr.net/npm/",
    "https://cdn.skypack.dev/",
    "https://dev.jspm.io/npm:",
    "https://dev.jspm.io/",
    "https://esm.sh/stable/",
    "https://esm.sh/",
    "https://ga.jspm.io/npm:",
    "https://unpkg.com/",
];

/// A module fetched by address: `https://deno.land/x/oak@v12.6.1/mod.ts`.
fn of_address(address: &str) -> Entry {
    let bare = without_secrets(address.split(['?', '#']).next().unwrap_or(address));
    let bare = &*bare;
    let of_npm = OF_NPM.iter().find_map(|host| bare.strip_prefix(host)).and_then(|rest| {
        // esm.sh puts the build before the name: `v135/lodash@4.17.21`.
        let rest = match rest.split_once('/') {
            Some((build, rest)) if is_build(build) => rest,
            _ => rest.trim_start_matches('*'),
        };
        let (name, version) = split_npm(rest)?;
        let version = version.split(['/', '&']).next()?;
        let slashes = name.matches('/').count();
        let fits = slashes == usize::from(name.starts_with('@')) && is_release(version);
        fits.then_some((name, version))
    });
    if let Some((name, version)) = of_npm {
        let end = bare.find(version).map_or(bare.len(), |at| at + version.len());
        let elsewhere = Elsewhere::download(bare.get(..end).unwrap_or(bare));
        return Entry::package(Declared::from_elsewhere(name, Some(version), elsewhere, 0), 0);
    }
    let Some((_, path)) = bare.split_once("://") else { return Entry::Unread(0) };
    let versioned = path.split_once('@').and_then(|(name, rest)| {
        let version = rest.split('/').next()?;
        let at = bare.len() - path.len() + name.len() + 1 + version.len();
        is_release(version).then_some((name, version, bare.get(..at)?))
    });
    let declared = match versioned {
        Some((name, version, address)) => {
            Declared::from_elsewhere(name, Some(version), Elsewhere::download(address), 0)
        }
        None => Declared::from_elsewhere(path, None, Elsewhere::download(bare), 0),
    };
    Entry::package(declared.map(|declared| declared.of(Ecosystem::PROGRAM)), 0)
}

fn is_build(part: &str) -> bool {
    let number = part.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
