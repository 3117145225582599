//! `build.sbt.lock` of sbt-dependency-lock. Source: its README, "Lock file format".

use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_name_lines};
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "sbt-lock",
    ecosystem: Ecosystem::MAVEN,
    interests: &[Interest::Name("build.sbt.lock")],
    accepts: |path| is_named(path, &["build.sbt.lock"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    dependencies: Option<Vec<Entry<'text>>>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    org: Cow<'text, str>,
    #[serde(borrow)]
    name: Cow<'text, str>,
    #[serde(borrow)]
    version: Cow<'text, str>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_name_lines(text);
    let seen = file.dependencies.is_some();
    Ok(Listing::of_list_if(
        seen,
        file.dependencies.iter().flatten().map(|entry| {
            let line = lines.get(entry.name.as_ref()).copied().unwrap_or(0);
            let name = format!("{}:{}", entry.org, entry.name);
            Listed::package(Declared::new(&name, &entry.version, line), line)
        }),
    ))
}
