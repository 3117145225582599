//! What manifests declare, by the form that they are written in.
//!
//! Data (JSON, TOML, YAML, XML) is read as such, and one that is not of its form is an error. Programs
//! (`setup.py`, `build.gradle`, …) are never run: of these only what stands there as plain text is
//! listed, and whether they ask for packages at all.

pub(super) mod code;
pub(super) mod json;
pub(super) mod lines;
pub(super) mod toml;
pub(super) mod xml;
pub(super) mod yaml;

use super::Declares;
use crate::lockfile::Declared;

/// Of names alone.
fn unpinned<'name>(names: impl IntoIterator<Item = (&'name str, u32)>) -> Declares {
    listed(names.into_iter().map(|(name, line)| (name, "", line)))
}

/// Of names and versions; a version that is no single one is empty.
fn listed<'name>(all: impl IntoIterator<Item = (&'name str, &'name str, u32)>) -> Declares {
    let mut declares = Declares::default();
    for (name, version, line) in all {
        declares.any = true;
        declares.packages.extend(match version {
            "" => Declared::unpinned(name, line),
            version => Declared::new(name, version, line),
        });
    }
    declares
}

/// The version, where it is one and no range of any ecosystem.
fn exact(version: &str) -> &str {
    let version = version.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let is_one = version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(plain)
        && !version.ends_with('+')
        && !version.split('.').any(|part| part == "x" || part == "X");
    if is_one { version } else { "" }
}

/// The lines of a text with their numbers, without comments that begin with a mark.
fn lines<'text>(
    text: &'text str,
    comment: &'static str,
) -> impl Iterator<Item = (&'text str, u32)> {
    text.lines().zip(1_u32..).filter_map(move |(line, number)| {
        let line = match line.find(comment) {
            // One inside an address, `https://…`, or inside quotes is none.
            Some(at) if at == 0 || line.get(..at).is_some_and(ends_code) => line.get(..at)?,
            _ => line,
        };
        let line = line.trim();
        (!line.is_empty()).then_some((line, number))
    })
}

fn ends_code(before: &str) -> bool {
    before.ends_with([' ', '\t', ',', ';', ')', '}', ']'])
        && before.matches('"').count().is_multiple_of(2)
        && before.matches('\'').count().is_multiple_of(2)
}

/// The texts inside quotes of a line, in order.
fn quoted(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['"', '\'']) {
        let Some(quote) = rest.get(at..).and_then(|rest| rest.chars().next()) else { break };
        let Some((text, after)) = rest.get(at + 1..).and_then(|rest| rest.split_once(quote)) else {
            break;
        };
        found.push(text);
        rest = after;
    }
    found
}
