//! Packages in a Nix store, told by the names of its folders.
//!
//! In go the paths of files below `nix/store/HASH-NAME-VERSION`, out comes a package for each name and
//! version; its outputs (`-bin`, `-lib`, `-dev`) are one. No content is read, since images made by Nix
//! hold no database of it. What has no version is a script or a configuration and is left out, as are
//! sources and derivations. Documentation does not prove that a package is there.
//!
//! Sources: Nix manual, "Store Path" and `builtins.parseDrvName`; nixpkgs manual, "Multiple-output
//! packages". The package URL has no namespace: a path does not tell where its expression came from.

use crate::language::{Installed, plain_text};
use image::{
    Entry, Fact, FactAt, Flow, Interest, ReadError, Reader, Reading, Resolution, Resolver, View,
    Want,
};
use std::collections::BTreeMap;
use vocabulary::{Ecosystem, Purl};

const STORE: &str = "nix/store/";
/// Letters of a hash in Nix's base 32.
const HASH: usize = 32;
/// Outputs that are parts of a package.
const OUTPUTS: [&str; 10] =
    ["-bin", "-data", "-dev", "-dist", "-lib", "-libs", "-modules", "-out", "-static", "-terminfo"];
/// Outputs, and folders, that hold documentation or what others are built with.
const BESIDE: [&str; 6] = ["-debug", "-devdoc", "-devman", "-doc", "-info", "-man"];
const FOLDERS: [&str; 5] = ["include/", "share/doc/", "share/info/", "share/locale/", "share/man/"];

/// The `nix` cataloger.
#[derive(Debug)]
pub struct Nix;

impl Reader for Nix {
    fn id(&self) -> &'static str {
        "nix"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Under(STORE)]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if named_by(entry.path).is_some() { Want::Stream(Box::new(There)) } else { Want::No }
    }

    fn read(&self, _: &Entry<'_>, _: &[u8]) -> Result<Option<Fact>, ReadError> {
        Ok(Some(Fact::new()))
    }
}

impl Resolver for Nix {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut found: BTreeMap<(&str, &str), FactAt<'_>> = BTreeMap::new();
        for at in view.staying() {
            if let Some(named) = named_by(at.path) {
                let first = found.entry(named).or_insert(at);
                if at.path < first.path {
                    *first = at;
                }
            }
        }
        let mut resolution = Resolution::default();
        for ((name, version), at) in found {
            let installed = Installed {
                purl: Purl::new("nix", name).with_version(version),
                ecosystem: Ecosystem::NIX,
                name: name.to_owned(),
                version: version.to_owned(),
                licences: Vec::new(),
                path: at.path.to_owned(),
                layer: at.layer,
                files: Vec::new(),
                proof: None,
            };
            resolution.packages.push(installed.cataloged());
        }
        resolution
    }
}

/// A file that is there; its content is not asked for.
struct There;

impl Reading for There {
    fn push(&mut self, _: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        Ok(Some(Fact::new()))
    }
}

/// Name and version of the package that a file in the store belongs to.
fn named_by(path: &str) -> Option<(&str, &str)> {
    let (entry, file) = path.strip_prefix(STORE)?.split_once('/')?;
    if FOLDERS.iter().any(|folder| file.starts_with(folder)) {
        return None;
    }
    let (hash, name) = entry.split_at_checked(HASH)?;
    // Base 32 without e, o, t and u.
    let is_base32 =
        |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"eotu".contains(&byte));
    if !hash.bytes().all(is_base32) {
        return None;
    }
    let name = name.strip_prefix('-').filter(|name| plain_text(name) == Some(*name))?;
    let beside = BESIDE.iter().chain(&["-source", ".drv"]);
    if beside.into_iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let output = OUTPUTS.iter().find_map(|output| name.strip_suffix(output));
    divide(output.unwrap_or(name))
}

/// `builtins.parseDrvName`: the version begins behind the first hyphen that no letter follows.
fn divide(name: &str) -> Option<(&str, &str)> {
    let (at, _) = name.match_indices('-').find(|(at, _)| {
        name.as_bytes().get(at + 1).is_some_and(|byte| !byte.is_ascii_alphabetic())
    })?;
    let (name, version) = (name.get(..at)?, name.get(at + 1..)?);
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests;
