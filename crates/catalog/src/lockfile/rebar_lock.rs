//! `rebar.lock` of Erlang. Source: rebar3, `rebar_config.erl` and `rebar_pkg_resource.erl`.
//!
//! A list of Erlang terms, of which those of Hex read `{pkg,<<"name">>,<<"version">>}`; only these are
//! looked for. Dependencies of git are listed with their address.

use super::listing::{Entry, Listing};
use super::mix_lock::is_name;
use super::{Declared, Lockfile, Reader, is_named};
use crate::elsewhere::{Elsewhere, version_of_tag};
use crate::line_counter::LineCounter;
use crate::text::capped;
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "rebar-lock",
    ecosystem: Ecosystem::HEX,
    interests: &[Interest::Name("rebar.lock")],
    accepts,
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

/// How much around a repository is looked at: a name before it, an address behind it.
const AROUND: usize = 2_500;

/// A dependency that was fetched may bring its own along, in `_build` or `deps`.
fn accepts(path: &str) -> bool {
    let is_fetched = path.split('/').any(|part| matches!(part, "_build" | "deps"));
    is_named(path, &["rebar.lock"]) && !is_fetched
}

fn parse(text: &str) -> Result<Listing, String> {
    let begins = text.trim_start();
    let known = ["{\"", "["].iter().any(|start| begins.starts_with(start));
    if !begins.is_empty() && !known {
        return Err("it is not a rebar.lock: it begins with neither `{\"` nor `[`".to_owned());
    }
    let mut lines = LineCounter::new(text);
    let starts = text.match_indices("{pkg,").map(|(at, start)| at + start.len());
    let mut found = Listing::found(starts.map(|at| {
        let line = lines.at(at);
        Entry::package(package(text, at, line), line)
    }));
    let bare: String = text.split_whitespace().collect();
    for tool in ["git", "git_subdir", "hg"] {
        let mark = format!(",{{{tool},");
        found.extend(bare.match_indices(&mark).map(|(at, _)| {
            let behind = capped(bare.get(at + mark.len()..).unwrap_or_default(), AROUND);
            let start = (at.saturating_sub(AROUND)..at).find(|start| bare.is_char_boundary(*start));
            let before = bare.get(start.unwrap_or(at)..at).unwrap_or_default();
            Entry::package(of_repository(before, tool, behind), 0)
        }));
    }
    found.extend((bare == "[]." || bare.ends_with(",[]}.")).then_some(Entry::Own));
    Ok(found)
}

/// `<<"name">>` before, `"address",{ref,"commit"}` or `{tag,"1.0"}` behind.
fn of_repository(before: &str, tool: &str, behind: &str) -> Option<Declared> {
    let name = before.strip_suffix("\">>")?.rsplit_once("<<\"")?.1;
    let (address, rest) = behind.strip_prefix('"')?.split_once('"')?;
    let reference = rest.split('}').next().unwrap_or_default();
    let revision = reference.split('"').nth(1);
    let version = revision.filter(|_| reference.contains("{tag,")).and_then(version_of_tag);
    let tool = tool.strip_suffix("_subdir").unwrap_or(tool);
    is_name(name).then(|| {
        Declared::from_elsewhere(name, version, Elsewhere::vcs(tool, address, revision), 0)
    })?
}

fn package(text: &str, at: usize, line: u32) -> Option<Declared> {
    let (name, rest) = binary(text.get(at..)?)?;
    let (version, _) = binary(rest.trim_start().strip_prefix(',')?)?;
    is_name(name).then(|| Declared::new(name, version, line))?
}

/// `<<"text">>`, and what follows it.
fn binary(text: &str) -> Option<(&str, &str)> {
    let (inside, rest) = text.trim_start().strip_prefix("<<\"")?.split_once('"')?;
    Some((inside, rest.strip_prefix(">>")?))
}
