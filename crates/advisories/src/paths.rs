//! Where the files of a database lie: `<db>/v1/<ecosystem>.lzdb`, its manifest, and those that are made.

use crate::names;
use std::path::{Path, PathBuf};
use vocabulary::Ecosystem;

/// The folder that holds the files of this version of the layout.
#[must_use]
pub fn version_folder(folder: &Path) -> PathBuf {
    folder.join("v1")
}

/// The database file of an ecosystem, or the file of a feed about exploitation; none for a name that could leave the folder.
#[must_use]
pub fn database_path(folder: &Path, ecosystem: &Ecosystem) -> Option<PathBuf> {
    let stem = names::file_stem(ecosystem.as_str())?;
    let ending = if names::is_risk_feed(ecosystem.as_str()) { "lzrisk" } else { "lzdb" };
    Some(version_folder(folder).join(format!("{stem}.{ending}")))
}

/// The manifest file of an ecosystem; none for a name that could leave the folder.
#[must_use]
pub fn manifest_path(folder: &Path, ecosystem: &Ecosystem) -> Option<PathBuf> {
    let stem = names::file_stem(ecosystem.as_str())?;
    Some(version_folder(folder).join(format!("{stem}.json")))
}

/// Where the manifest of a database lies that is about to take its place.
pub(crate) fn next_path(path: &Path) -> PathBuf {
    beside(path, "next")
}

/// The name of a file that lies beside another while that is made.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
