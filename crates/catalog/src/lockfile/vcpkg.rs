//! `vcpkg.json`. Source: vcpkg documentation, "vcpkg.json reference" and "Versioning".
//!
//! An override pins a version; what is left to the baseline, which is a commit of the registry, is listed
//! without one. Nobody publishes advisories for it: all are listed, and said to be not checked.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, json_error};
use image::Interest;
use serde_json::{Map, Value};
use std::collections::HashMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "vcpkg",
    ecosystem: Ecosystem::VCPKG,
    interests: &[Interest::Name("vcpkg.json")],
    accepts: |path| is_named(path, &["vcpkg.json"]),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let known = ["name", "dependencies", "version", "$schema", "overrides", "builtin-baseline"];
    if !known.iter().any(|key| file.contains_key(*key)) {
        return Err("it is not a vcpkg.json: it has neither a name nor dependencies".to_owned());
    }
    let kinds = ["version", "version-semver", "version-date", "version-string"];
    let pins: HashMap<&str, &str> = items(file.get("overrides"))
        .filter_map(|one| {
            let version = kinds.iter().find_map(|kind| one.get(kind)?.as_str())?;
            Some((one.get("name")?.as_str()?, version))
        })
        .collect();
    let features = file.get("features").and_then(Value::as_object).into_iter().flatten();
    let of_features = features.flat_map(|(_, feature)| items(feature.get("dependencies")));
    let all = items(file.get("dependencies")).chain(of_features);
    Ok(Listing::of_list(all.map(|one| {
        let name = one.as_str().or_else(|| one.get("name")?.as_str());
        let declared = name.and_then(|name| match pins.get(name) {
            Some(version) => Declared::new(name, version, 0),
            None => Declared::unpinned(name, 0),
        });
        Entry::package(declared, 0)
    })))
}
