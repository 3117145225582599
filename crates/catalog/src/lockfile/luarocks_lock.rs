//! `luarocks.lock`. Source: LuaRocks documentation, "Pinning versions with a lock file"; LuaRocks,
//! `core/persist.lua`.
//!
//! LuaRocks writes a Lua table, one entry a line, `name = "version-revision"` or `["name"] = …`, in the
//! tables `dependencies`, `build_dependencies` and `test_dependencies`. The text is read as these lines
//! and never run. The version keeps its rockspec revision: it is part of how LuaRocks names a rock.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, unquoted};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "luarocks-lock",
    ecosystem: Ecosystem::LUA_ROCKS,
    interests: &[Interest::Name("luarocks.lock")],
    accepts: |path| is_named(path, &["luarocks.lock"]),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut known = text.trim().is_empty();
    let mut in_table = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim();
        if line.starts_with("return") {
            known = true;
        } else if let Some(key) = line.strip_suffix('{') {
            let key = key.trim_end().trim_end_matches('=').trim_end();
            in_table = matches!(key, "dependencies" | "build_dependencies" | "test_dependencies");
            found.extend(in_table.then_some(Entry::Own));
        } else if line.starts_with('}') {
            in_table = false;
        } else if in_table {
            found.push(Entry::package(entry(line, number), number));
        }
    }
    if known { Ok(found) } else { Err("it is not a luarocks.lock: it returns no table".to_owned()) }
}

/// `name = "1.0-1",` or `["name"] = "1.0-1"`.
fn entry(line: &str, number: u32) -> Option<Declared> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let key = key.strip_prefix('[').and_then(|key| key.strip_suffix(']')).unwrap_or(key);
    let version = value.trim().trim_end_matches(',').trim().strip_prefix('"')?.strip_suffix('"')?;
    Declared::new(unquoted(key), version, number)
}
