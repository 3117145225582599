//! `project.assets.json`, which restoring a project writes into `obj`. Source: NuGet.Client,
//! `LockFileFormat.cs`.

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
    id: "project-assets",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("project.assets.json")],
    accepts: |path| is_named(path, &["project.assets.json"]),
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    libraries: Option<BTreeMap<Cow<'text, str>, Library<'text>>>,
}

#[derive(Deserialize)]
struct Library<'text> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'text, str>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let seen = file.libraries.is_some();
    Ok(Listing::of_list_if(
        seen,
        file.libraries.iter().flatten().map(|(key, library)| {
            let line = lines.get(key.as_ref()).copied().unwrap_or(0);
            if library.kind.as_deref() == Some("project") {
                return Listed::Own;
            }
            let pair = key.split_once('/').filter(|(name, _)| is_name(name));
            let declared = pair.and_then(|(name, version)| Declared::new(name, version, line));
            Listed::package(declared, line)
        }),
    ))
}
