//! `composer.lock`. Source: Composer, `Package/Locker.php`.
//!
//! Packages stand in `packages` and, for development, `packages-dev`. Those of repositories of
//! source code and of folders are listed with where they come from; a branch (`dev-main`) is listed as what it is.

use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_name_lines};
use crate::php::installed::Entry;
use image::Interest;
use serde::Deserialize;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "composer-lock",
    ecosystem: Ecosystem::PACKAGIST,
    interests: &[Interest::Name("composer.lock")],
    accepts,
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

/// A package that is installed may bring the lock file of its developers along, in `vendor`.
fn accepts(path: &str) -> bool {
    is_named(path, &["composer.lock"]) && !path.split('/').any(|part| part == "vendor")
}

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    packages: Option<Vec<Entry<'text>>>,
    #[serde(default, borrow, rename = "packages-dev", deserialize_with = "nullable")]
    development: Option<Vec<Entry<'text>>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_name_lines(text);
    let seen = file.packages.is_some() || file.development.is_some();
    let all = file.packages.iter().chain(&file.development).flatten();
    let listed = all.map(|entry| {
        let Some((name, version)) = entry.identity() else { return Listed::Unread(0) };
        let line = lines.get(name.as_str()).copied().unwrap_or(0);
        let Some(mut declared) = Declared::new(&name, version, line) else {
            return Listed::Unread(line);
        };
        declared.licence = Some(entry.licences().join(" OR ")).filter(|text| !text.is_empty());
        declared.elsewhere = entry.elsewhere();
        Listed::Package(declared)
    });
    Ok(Listing::of_list_if(seen, listed))
}
