//! Files that point to a package that lies elsewhere: `NAME.egg-link`, and of an editable installation
//! `__editable__.NAME-VERSION.pth` and `__editable___NAME_VERSION_finder.py`.
//!
//! Their names say which package is installed, whatever became of its metadata: in go path and content,
//! out come the name, the version where it is certain, and the folder in which the metadata should lie.
//! Sources: setuptools, "Development Mode" and `setuptools/command/editable_wheel.py`.

use super::metadata;
use image::ReadError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a file points to.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) name: String,
    /// Empty where it is not said, or not said so that it could be taken apart.
    pub(super) version: String,
    /// Where the metadata lies, from the root of the subject.
    pub(super) folder: String,
}

/// Whether a file of this name points to a package.
pub(super) fn is_one(name: &str) -> bool {
    name.ends_with(".egg-link") || editable(name).is_some()
}

/// The part of a file's name that tells of the package of an editable installation.
fn editable(name: &str) -> Option<&str> {
    let mapped = || name.strip_prefix("__editable___")?.strip_suffix("_finder.py");
    name.strip_prefix("__editable__.").and_then(|rest| rest.strip_suffix(".pth")).or_else(mapped)
}

/// Reads one; none where the name does not tell of a package.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Option<Pointer>, ReadError> {
    let (beside, file) = path.rsplit_once('/').unwrap_or(("", path));
    let pointer = |name: &str, version: &str, folder: String| {
        let (name, version) = (name.to_owned(), version.to_owned());
        metadata::is_name(&name).then_some(Pointer { name, version, folder })
    };
    if let Some(name) = file.strip_suffix(".egg-link") {
        let text = String::from_utf8_lossy(bytes);
        // The first line is the folder; the second leads from there to the sources.
        let target = text.lines().next().unwrap_or_default().trim();
        let named = pointer(name, "", resolved(beside, target));
        return named
            .map(Some)
            .ok_or_else(|| ReadError::new("its name is not that of a Python package"));
    }
    let Some(stem) = editable(file) else { return Ok(None) };
    if file.ends_with(".pth") {
        let told = metadata::from_name(stem);
        let version = told.as_ref().map_or(Cow::Borrowed(""), |told| told.version.clone());
        let name = told.as_ref().map_or(stem, |told| &told.name);
        return Ok(pointer(name, &version, beside.to_owned()));
    }
    // All signs became `_`: where the version begins is likely, how it is divided is not known.
    let starts = |(at, _): &(usize, &str)| {
        stem.get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
    };
    let name = stem.match_indices('_').find(starts).and_then(|(at, _)| stem.get(..at));
    Ok(pointer(name.unwrap_or(stem), "", beside.to_owned()))
}

/// A folder as it is written, from the root of the subject.
fn resolved(beside: &str, target: &str) -> String {
    let from = if target.starts_with('/') { "" } else { beside };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
