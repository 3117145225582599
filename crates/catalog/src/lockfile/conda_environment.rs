//! `environment.yml` of conda. Source: conda user guide, "Creating an environment file manually" and
//! "Package match specifications".
//!
//! People write it by hand, so a version is what says one, as of `requirements.txt`: `==version`,
//! `=version=build`, and `=version` of three numbers or more, as `conda env export --no-builds` writes
//! it. `python=3.9` is whatever 3.9 there is on the day, and listed without a version. What stands under
//! `pip` is PyPI's. Other programs have files of this name: one without `dependencies` is none of
//! conda's and declares nothing.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, requirements};
use crate::yaml::{self, Node};
use image::Interest;
use vocabulary::Ecosystem;

const NAMES: [&str; 2] = ["environment.yaml", "environment.yml"];

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "conda-environment",
    ecosystem: Ecosystem::CONDA,
    interests: &[Interest::Name("environment.yml"), Interest::Name("environment.yaml")],
    accepts: |path| is_named(path, &NAMES),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    if text.contains('\0') {
        return Err("it is not YAML text".to_owned());
    }
    let file = yaml::parse(text)?;
    let mut found = Listing::empty();
    for item in file.get("dependencies").map(Node::items).unwrap_or_default() {
        match item.text() {
            Some(text) => found.push(entry(text, item.line)),
            None => {
                let pip = item.get("pip").map(Node::items).unwrap_or_default();
                pip.iter().for_each(|line| of_pip(line, &mut found));
            }
        }
    }
    Ok(found)
}

fn entry(item: &str, line: u32) -> Entry {
    let item = item.trim();
    let bare = item.rsplit_once("::").map_or(item, |(_, item)| item);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let end = bare.bytes().position(|byte| !is_name(byte)).unwrap_or(bare.len());
    let name = bare.get(..end).unwrap_or_default().to_ascii_lowercase();
    Entry::package(pinned(item, line).or_else(|| Declared::unpinned(&name, line)), line)
}

fn of_pip(node: &Node, found: &mut Listing) {
    let text = node.text().unwrap_or_default().trim();
    let included = ["-r ", "-c ", "--requirement ", "--constraint "];
    if let Some(file) = included.iter().find_map(|option| text.strip_prefix(option)) {
        // One that is named so is read for itself.
        if !(file.contains("requirements") && file.ends_with(".txt")) {
            found.gaps.push(format!("line {}: what pip includes is not followed here", node.line));
        }
        return;
    }
    if text.starts_with('-') && !text.starts_with("-e") {
        return;
    }
    let requirement = text.strip_prefix("-e").unwrap_or(text).trim();
    found.push(match requirements::entry(requirement, node.line) {
        Entry::Package(one) => Entry::Package(one.of(Ecosystem::PYPI)),
        other => other,
    });
}

/// `channel::name=version=build`, where it names one version.
fn pinned(item: &str, line: u32) -> Option<Declared> {
    let item = item.rsplit_once("::").map_or(item, |(_, item)| item);
    let (name, rest) = item.split_once('=')?;
    let (version, exact) = match rest.strip_prefix('=') {
        Some(version) => (version.split_once('=').map_or(version, |(version, _)| version), true),
        None => match rest.split_once('=') {
            Some((version, _build)) => (version, true),
            None => (rest, false),
        },
    };
    let (name, version) = (name.trim(), version.trim());
    let letters = |text: &str, more: &[u8]| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    let whole = exact || version.split('.').count() >= 3;
    let plain = version.starts_with(|first: char| first.is_ascii_alphanumeric())
        && letters(version, b"._+!-")
        && letters(name, b"._-");
    (whole && plain).then(|| Declared::new(&name.to_ascii_lowercase(), version, line))?
}
