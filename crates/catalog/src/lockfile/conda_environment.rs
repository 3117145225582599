//! `environment.yml` of conda. Source: conda user guide, "Creating an environment file manually" and
//! "Package match specifications".
//!
//! People write it by hand, so only what says one version is listed, as of `requirements.txt`:
//! `==version`, `=version=build`, and `=version` of three numbers or more, as `conda env export
//! --no-builds` writes it. `python=3.9` is whatever 3.9 there is on the day, and not listed. What stands
//! under `pip` is PyPI's. Other programs have files of this name: one without `dependencies` is none of
//! conda's and declares nothing.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, is_named, requirements, unquoted};
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
    parse,
};

fn parse(text: &str) -> Result<Listing, String> {
    if text.contains('\0') {
        return Err("it is not YAML text".to_owned());
    }
    let mut found = Listing::of_list([]);
    let mut in_dependencies = false;
    // Blanks before `- pip:`, as long as its own list lasts.
    let mut pip = None;
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let Some(item) = content.strip_prefix("- ") else {
            if indent == 0 {
                in_dependencies = content == "dependencies:";
                pip = None;
            }
            continue;
        };
        let item = unquoted(item.split_once(" #").map_or(item, |(item, _)| item));
        pip = pip.filter(|pip| indent > *pip);
        if !in_dependencies {
            continue;
        }
        if item == "pip:" {
            pip = Some(indent);
        } else if pip.is_some() {
            let requirement = requirements::requirement(item, number);
            found.extend(requirement.map(|one| Entry::Package(one.of(Ecosystem::PYPI))));
        } else {
            found.extend(pinned(item, number).map(Entry::Package));
        }
    }
    Ok(found)
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
