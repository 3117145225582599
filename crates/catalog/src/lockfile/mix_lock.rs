//! `mix.lock` of Elixir. Source: Hex, `Hex.Mix` and `hex/lib/hex/scm.ex`.
//!
//! An entry of the map reads `"app": {:hex, :package, "version", …, "repository", "hash"},`. The
//! package's name counts, not the application's. Packages of an organisation's repository
//! and of git are listed with where they come from.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::elsewhere::{Elsewhere, version_of_tag};
use crate::line_counter::LineCounter;
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "mix-lock",
    ecosystem: Ecosystem::HEX,
    interests: &[Interest::Name("mix.lock")],
    accepts,
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

/// A dependency that was fetched may bring the lock file of its developers along, in `deps`.
fn accepts(path: &str) -> bool {
    is_named(path, &["mix.lock"]) && !path.split('/').any(|part| part == "deps")
}

fn parse(text: &str) -> Result<Listing, String> {
    let begins = text.trim_start();
    if !begins.is_empty() && !begins.starts_with("%{") {
        return Err("it is not a mix.lock: it does not begin with `%{`".to_owned());
    }
    let mut lines = LineCounter::new(text);
    let entries = entries(text).into_iter().map(|(at, entry)| {
        let line = lines.at(at);
        // One line, however it was divided, as the parts are looked for in.
        declared(&entry.split_whitespace().collect::<Vec<_>>().join(" "), line)
    });
    let entries: Vec<Entry> = entries.collect();
    let empty = begins.split_whitespace().collect::<String>() == "%{}";
    Ok(Listing::of_list_if(empty, entries))
}

/// The entries of the map, `"app": {…}`, and where each begins, in any layout.
fn entries(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, None);
    let (mut in_text, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => {
                if !in_text && depth == 1 && start.is_none() {
                    start = Some(at);
                }
                in_text = !in_text;
            }
            _ if in_text => {}
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                if depth == 1 {
                    let entry = start.take().and_then(|start| Some((start, text.get(start..=at)?)));
                    found.extend(entry);
                }
            }
            _ => {}
        }
    }
    // One that does not end is there, too.
    found.extend(start.and_then(|start| Some((start, text.get(start..)?))));
    found
}

fn declared(entry: &str, number: u32) -> Entry {
    let Some((key, entry)) = entry.split_once('{') else { return Entry::Unread(number) };
    let entry = entry.trim_start();
    let read = match entry.strip_prefix(":hex, :") {
        Some(entry) => of_hex(entry, number),
        None => entry.strip_prefix(':').and_then(|entry| of_git(key, entry, number)),
    };
    read.unwrap_or(Entry::Unread(number))
}

/// `"app": {:git, "address", "commit", [tag: "1.0"]}`: the application has the name of the package, as
/// a rule.
fn of_git(key: &str, entry: &str, number: u32) -> Option<Entry> {
    let name = key.split('"').nth(1).filter(|name| is_name(name))?;
    let (tool, rest) = entry.split_once(',')?;
    let mut texts = rest.split('"').skip(1).step_by(2);
    let (address, revision) = (texts.next()?, texts.next());
    let tag = rest.split_once("tag: \"").and_then(|(_, tag)| tag.split('"').next());
    let elsewhere = Elsewhere::vcs(tool.trim(), address, revision);
    let version = tag.and_then(version_of_tag);
    Declared::from_elsewhere(name, version, elsewhere, number).map(Entry::Package)
}

fn of_hex(entry: &str, number: u32) -> Option<Entry> {
    let (name, rest) = entry.split_once(", \"")?;
    let (version, rest) = rest.split_once('"')?;
    // Behind the list of what it needs; entries of old versions end without one.
    let repository = rest.rsplit_once("], \"").and_then(|(_, behind)| behind.split('"').next());
    let name = name.trim_matches('"');
    // `hexpm:name` is the repository of an organisation, others are of somebody's own.
    let elsewhere = repository.filter(|repository| *repository != "hexpm").map(|repository| {
        Elsewhere::registry(&match repository.split_once(':') {
            Some((_, organisation)) => format!("https://repo.hex.pm/repos/{organisation}"),
            None => repository.to_owned(),
        })
    });
    let declared = Declared::new(name, version, number).filter(|_| is_name(name))?;
    Some(Entry::Package(Declared { elsewhere, ..declared }))
}

/// Source: Hex, "Package metadata": lower-case letters, digits and `_`.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed)
}
