//! `pylock.toml` and `pylock.NAME.toml`. Source: PyPA, "pylock.toml specification" (PEP 751).
//!
//! A package of an index has a version, and files. One of a folder is the project's own; one of version
//! control or of an address is listed too, without a version where the file knows none.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, python_name, toml_error};
use crate::elsewhere::Elsewhere;
use crate::line_counter::LineCounter;
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use toml::Spanned;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pylock",
    ecosystem: Ecosystem::PYPI,
    interests: &[Interest::Name("pylock.toml"), Interest::Extension("toml")],
    accepts: |path| {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        name == "pylock.toml" || (name.starts_with("pylock.") && name.ends_with(".toml"))
    },
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(borrow, rename = "lock-version")]
    version: Option<Cow<'text, str>>,
    #[serde(borrow)]
    packages: Option<Vec<Entry<'text>>>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(borrow)]
    name: Spanned<Cow<'text, str>>,
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    directory: Option<IgnoredAny>,
    vcs: Option<Source>,
    archive: Option<Source>,
}

/// Where a package of no index comes from.
#[derive(Deserialize)]
struct Source {
    url: Option<String>,
    path: Option<String>,
    #[serde(rename = "type")]
    tool: Option<String>,
    #[serde(rename = "commit-id")]
    commit: Option<String>,
}

impl Entry<'_> {
    fn elsewhere(&self) -> Option<Elsewhere> {
        let address = |source: &Source| source.url.clone().or_else(|| source.path.clone());
        if let Some(vcs) = &self.vcs {
            let tool = vcs.tool.as_deref().unwrap_or("git");
            let address = address(vcs).unwrap_or_default();
            return Some(Elsewhere::vcs(tool, &address, vcs.commit.as_deref()));
        }
        let archive = self.archive.as_ref()?;
        Some(match (&archive.url, &archive.path) {
            (None, Some(path)) => Elsewhere::path(path),
            (url, _) => Elsewhere::download(url.as_deref().unwrap_or_default()),
        })
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = toml::from_str(text).map_err(|error| toml_error(&error))?;
    let version = file.version.as_deref().unwrap_or_default();
    if !text.trim().is_empty() && version.split('.').next() != Some("1") {
        let version: String = version.chars().take(20).collect();
        return Err(format!("lock-version `{version}` of pylock.toml is not known; 1.0 is"));
    }
    let mut lines = LineCounter::new(text);
    let seen = file.packages.is_some();
    Ok(Listing::of_list_if(
        seen,
        file.packages.iter().flatten().map(|entry| {
            let line = lines.at(entry.name.span().start);
            let name = python_name(entry.name.get_ref());
            let declared = match &entry.version {
                _ if entry.directory.is_some() => return Listed::Own,
                version if entry.vcs.is_some() || entry.archive.is_some() => {
                    let elsewhere = entry.elsewhere();
                    elsewhere.and_then(|from| {
                        Declared::from_elsewhere(&name, version.as_deref(), from, line)
                    })
                }
                Some(version) => Declared::new(&name, version, line),
                None => Declared::unpinned(&name, line),
            };
            Listed::package(declared, line)
        }),
    ))
}
