//! `pnpm-lock.yaml`, versions 5, 6 and 9. Source: pnpm/spec, "lockfile"; `dependency-path`.
//!
//! pnpm writes one regular subset of YAML, two spaces a level, keys on lines of their own; all that
//! is needed are the keys of `packages`. So this reads lines, and no YAML reader has to be trusted
//! with anchors and depth. Keys are `/name/1.2.3_peers` (5), `/name@1.2.3(peers)` (6) and
//! `name@1.2.3` (9); those of git, archives and folders have no plain version and are not listed.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, is_named, split_npm, unquoted};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pnpm-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("pnpm-lock.yaml")],
    accepts: |path| is_named(path, &["pnpm-lock.yaml"]),
    at_most: 64 << 20,
    parse,
};

/// Divides a key into name and version.
type Split = fn(&str) -> Option<(&str, &str)>;

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut split: Option<Split> = None;
    let mut in_packages = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim_end();
        if !line.starts_with([' ', '#']) && !line.is_empty() {
            in_packages = line == "packages:";
            // Without packages there is no list; what asks for them is there still.
            let asks = ["importers:", "settings:", "packages: {}", "specifiers: {}"];
            found.extend(asks.contains(&line).then_some(Entry::Own));
            if let Some(version) = line.strip_prefix("lockfileVersion:") {
                split = Some(split_of(unquoted(version))?);
            }
        } else if in_packages {
            let key = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#']));
            let Some(key) = key else { continue };
            let key = key.strip_prefix("? ").unwrap_or(key);
            // `key: {}` never stands there, but costs nothing.
            let key = key.strip_suffix(" {}").unwrap_or(key);
            let key = unquoted(key.strip_suffix(':').unwrap_or(key));
            found.push(match split.and_then(|split| split(key)) {
                Some((name, version)) => {
                    Entry::package(Declared::new(name, version, number), number)
                }
                None => Entry::Elsewhere,
            });
        }
    }
    match split {
        None if !text.trim().is_empty() => {
            Err("it is not a pnpm-lock.yaml: it names no `lockfileVersion`".to_owned())
        }
        _ => Ok(found),
    }
}

/// How this version divides a key into name and version.
fn split_of(version: &str) -> Result<Split, String> {
    match version.split(['.', '-']).next().unwrap_or(version) {
        "5" => Ok(by_slash),
        "6" | "9" => Ok(by_at),
        _ => {
            let version: String = version.chars().take(20).collect();
            Err(format!("lockfileVersion `{version}` is not known; 5, 6 and 9 are"))
        }
    }
}

fn by_slash(key: &str) -> Option<(&str, &str)> {
    let (name, version) = key.strip_prefix('/')?.rsplit_once('/')?;
    let version = version.split_once('_').map_or(version, |(version, _)| version);
    plain(name, version)
}

fn by_at(key: &str) -> Option<(&str, &str)> {
    let key = key.split_once('(').map_or(key, |(key, _)| key);
    let (name, version) = split_npm(key.strip_prefix('/').unwrap_or(key))?;
    plain(name, version)
}

fn plain<'key>(name: &'key str, version: &'key str) -> Option<(&'key str, &'key str)> {
    let plain = version.starts_with(|first: char| first.is_ascii_digit())
        && !version.contains(['/', ':'])
        && !name.contains(':');
    plain.then_some((name, version))
}
