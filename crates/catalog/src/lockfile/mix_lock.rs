//! `mix.lock` of Elixir. Source: Hex, `Hex.Mix` and `hex/lib/hex/scm.ex`.
//!
//! Mix writes one entry a line: `"app": {:hex, :package, "version", …, "repository", "hash"},`. The
//! package's name counts, not the application's. Packages of Hex itself are listed; those of an
//! organisation's repository, of git and of folders are not.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, is_named};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "mix-lock",
    ecosystem: Ecosystem::HEX,
    interests: &[Interest::Name("mix.lock")],
    accepts,
    at_most: 16 << 20,
    parse,
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
    let (_, entry) = line.split_once("{:")?;
    let Some(entry) = entry.strip_prefix("hex, :") else { return Some(Entry::Elsewhere) };
    Some(of_hex(entry, number).unwrap_or(Entry::Unread(number)))
}

fn of_hex(entry: &str, number: u32) -> Option<Entry> {
    let (name, rest) = entry.split_once(", \"")?;
    let (version, rest) = rest.split_once('"')?;
    // Behind the list of what it needs; entries of old versions end without one.
    let repository = rest.rsplit_once("], \"").and_then(|(_, behind)| behind.split('"').next());
    let name = name.trim_matches('"');
    if !repository.is_none_or(|repository| repository == "hexpm") {
        return Some(Entry::Elsewhere);
    }
    is_name(name).then(|| Declared::new(name, version, number)).flatten().map(Entry::Package)
}

/// Source: Hex, "Package metadata": lower-case letters, digits and `_`.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed)
}
