//! `requirements.txt` and its kin. Source: pip, "Requirements File Format"; PEP 508; PEP 440.
//!
//! Only pinned requirements (`==` and `===`, without `*`) say which version is meant; others are not
//! listed, because any guess would be wrong. Files that `-r` and `-c` name are read for themselves
//! where they lie in the folder. Markers do not matter: the requirement may hold on some machine.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, python_name};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "requirements",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Extension("txt")],
    accepts,
    at_most: 8 << 20,
    parse,
};

/// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`, `requirements/dev.txt`.
fn accepts(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit_once('/').map_or(folder, |(_, folder)| folder);
    name.contains("requirements") || folder == "requirements"
}

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Vec::new();
    let mut joined = String::new();
    let mut first = 0;
    for (line, number) in text.lines().zip(1_u32..) {
        if joined.is_empty() {
            first = number;
        }
        match line.strip_suffix('\\') {
            Some(head) if !line.trim_start().starts_with('#') => {
                joined.push_str(head);
                joined.push(' ');
            }
            _ if joined.is_empty() => found.extend(requirement(line, number)),
            _ => {
                joined.push_str(line);
                found.extend(requirement(&joined, first));
                joined.clear();
            }
        }
    }
    found.extend(requirement(&joined, first));
    Ok(Listing::of_list(found.into_iter().map(Entry::Package)))
}

/// One requirement, where it is pinned.
pub(super) fn requirement(line: &str, number: u32) -> Option<Declared> {
    let line = line.trim();
    if line.starts_with(['#', '-']) {
        return None;
    }
    // A comment begins at a `#` behind a blank; markers and options end the requirement.
    let end = line.find(" #").into_iter().chain(line.find(';')).chain(line.find(" --")).min();
    let line = line.get(..end.unwrap_or(line.len()))?;
    let (name, version) = line.split_once("==")?;
    let version = version.trim_start_matches('=').trim();
    let name = name.split_once('[').map_or(name, |(name, _)| name).trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let pinned = !version.contains(['*', ',', ' ', '$', '{']);
    if !pinned || name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    Declared::new(&python_name(name), version, number)
}
