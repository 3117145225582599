//! `renv.lock` of R. Source: renv documentation, "Lockfiles".
//!
//! Packages from CRAN and its mirrors are listed; those of Bioconductor, GitHub and folders are not.

use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, is_named, json_error, json_lines};
use image::Interest;
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "renv-lock",
    ecosystem: Ecosystem::CRAN,
    interests: &[Interest::Name("renv.lock")],
    accepts: |path| is_named(path, &["renv.lock"]),
    at_most: 32 << 20,
    parse,
};

#[derive(Deserialize)]
struct File {
    #[serde(rename = "Packages", default, deserialize_with = "nullable")]
    packages: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    version: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    license: Option<String>,
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let seen = file.packages.is_some();
    let listed = file.packages.iter().flatten().map(|(name, entry)| {
        if entry.source != "Repository" {
            return Listed::Elsewhere;
        }
        let line = lines.get(name.as_str()).copied().unwrap_or(0);
        let Some(mut declared) = Declared::new(name, &entry.version, line) else {
            return Listed::Unread(line);
        };
        declared.licence.clone_from(&entry.license);
        Listed::Package(declared)
    });
    Ok(Listing::of_list_if(seen, listed))
}
