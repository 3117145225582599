//! `mix.lock` of Elixir. Source: Hex, `Hex.Mix` and `hex/lib/hex/scm.ex`.
//!
//! Mix writes one entry a line: `"app": {:hex, :package, "version", …, "repository", "hash"},`. The
//! package's name counts, not the application's. Packages of an organisation's repository
//! and of git are listed with where they come from.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::elsewhere::{Elsewhere, version_of_tag};
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
    let numbered = text.lines().zip(1_u32..);
    let entries = numbered.filter_map(|(line, number)| declared(line, number));
    let empty = begins.split_whitespace().collect::<String>() == "%{}";
    Ok(Listing::of_list_if(empty, entries))
}

/// None where the line is no entry.
fn declared(line: &str, number: u32) -> Option<Entry> {
    let (key, entry) = line.split_once("{:")?;
    let read = match entry.strip_prefix("hex, :") {
        Some(entry) => of_hex(entry, number),
        None => of_git(key, entry, number),
    };
    Some(read.unwrap_or(Entry::Unread(number)))
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
