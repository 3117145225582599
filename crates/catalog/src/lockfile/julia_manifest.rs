//! `Manifest.toml` of Julia, formats 1 and 2, also `Manifest-v1.11.toml`. Source: Pkg.jl, "Manifest.toml".
//!
//! Packages stand at the top (1) or in `deps` (2), each a list, since names are not unique. One without
//! `git-tree-sha1` is of Julia's own library, one with a `path` the project's own.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, toml_error};
use image::Interest;
use toml::{Table, Value};
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "julia-manifest",
    ecosystem: Ecosystem::JULIA,
    interests: &[
        Interest::Name("Manifest.toml"),
        Interest::Name("JuliaManifest.toml"),
        Interest::Extension("toml"),
    ],
    accepts: |path| {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let name = name.strip_prefix("Julia").unwrap_or(name);
        name == "Manifest.toml" || (name.starts_with("Manifest-v") && name.ends_with(".toml"))
    },
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    let file: Table = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let format = file.get("manifest_format").and_then(Value::as_str).unwrap_or("1");
    let seen = file.contains_key("manifest_format") || file.contains_key("julia_version");
    let entries = match format.split('.').next() {
        Some("1") => Some(&file),
        Some("2") => file.get("deps").and_then(Value::as_table),
        _ => {
            let format: String = format.chars().take(20).collect();
            return Err(format!("manifest_format `{format}` is not known; 1 and 2 are"));
        }
    };
    let all =
        entries.into_iter().flatten().filter_map(|(name, list)| Some((name, list.as_array()?)));
    Ok(Listing::of_list_if(
        seen,
        all.flat_map(|(name, list)| list.iter().map(|entry| listed(name, entry))),
    ))
}

fn listed(name: &str, entry: &Value) -> Listed {
    let field = |key: &str| entry.get(key).and_then(Value::as_str);
    if field("uuid").is_none() {
        return Listed::Unread(0);
    }
    if field("path").is_some() || field("git-tree-sha1").is_none() {
        return Listed::Own;
    }
    Listed::package(
        match field("version") {
            Some(version) => Declared::new(name, version, 0),
            None => Declared::unpinned(name, 0),
        },
        0,
    )
}
