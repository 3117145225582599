//! `packages.lock.json` of NuGet. Source: NuGet documentation, "Package references: locking
//! dependencies"; NuGet.Client, `PackagesLockFileFormat.cs`.
//!
//! A project has its packages once for each framework that it is built for; what is of type `Project`
//! is its own. Of the same package in the same version the first is listed.

use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines};
use crate::dotnet::deps::is_name;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "nuget-lock",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("packages.lock.json")],
    accepts: |path| is_named(path, &["packages.lock.json"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

type Frameworks<'text> = BTreeMap<Cow<'text, str>, BTreeMap<Cow<'text, str>, Entry<'text>>>;

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    dependencies: Option<Frameworks<'text>>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'text, str>>,
    #[serde(borrow)]
    resolved: Option<Cow<'text, str>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let seen = file.dependencies.is_some();
    let all = file.dependencies.iter().flat_map(BTreeMap::values).flatten();
    let listed = all.map(|(name, entry)| {
        let line = lines.get(name.as_ref()).copied().unwrap_or(0);
        let own = entry.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("project"));
        if own {
            return Listed::Own;
        }
        let version = entry.resolved.as_deref().filter(|_| is_name(name));
        Listed::package(version.and_then(|version| Declared::new(name, version, line)), line)
    });
    Ok(Listing::of_list_if(seen, listed))
}
