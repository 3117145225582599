//! `rebar.lock` of Erlang. Source: rebar3, `rebar_config.erl` and `rebar_pkg_resource.erl`.
//!
//! A list of Erlang terms, of which those of Hex read `{pkg,<<"name">>,<<"version">>}`; only these are
//! looked for. Dependencies of git are not listed.

use super::listing::{Entry, Listing};
use super::mix_lock::is_name;
use super::{Declared, LineCounter, Lockfile, is_named};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "rebar-lock",
    ecosystem: Ecosystem::HEX,
    interests: &[Interest::Name("rebar.lock")],
    accepts,
    at_most: 16 << 20,
    parse,
};

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
    let elsewhere = ["{git,", "{git_subdir,", "{hg,"].iter().map(|kind| text.matches(kind).count());
    found.extend((0..elsewhere.sum()).map(|_| Entry::Elsewhere));
    let bare: String = text.split_whitespace().collect();
    found.extend((bare == "[]." || bare.ends_with(",[]}.")).then_some(Entry::Own));
    Ok(found)
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
