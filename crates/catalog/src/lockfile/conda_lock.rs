//! `conda-lock.yml` and conda's explicit lists. Sources: conda-lock, `lockfile/v1/models.py`; conda user
//! guide, "Building identical conda environments".
//!
//! The lock file is YAML of any layout. Each platform has entries of its own: a package is listed once a
//! version. Entries of `pip` are PyPI's. An explicit list names archives, `name-version-build.conda`,
//! behind a line `@EXPLICIT`, and packages of PyPI in comments that conda-lock writes.

use super::listing::{Entry as Listed, Listing};
use super::{Declared, Lockfile, Reader, is_named, python_name};
use crate::elsewhere::Elsewhere;
use crate::yaml::{self, Node};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "conda-lock",
    ecosystem: Ecosystem::CONDA,
    interests: &[
        Interest::Name("conda-lock.yml"),
        Interest::Name("conda-lock.yaml"),
        Interest::Name("explicit.txt"),
        Interest::Name("spec-file.txt"),
        Interest::Extension("lock"),
        Interest::Extension("yml"),
    ],
    accepts,
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

/// `conda-lock.yml`, `prod.conda-lock.yml`, `conda-linux-64.lock`, `spec-file.txt`.
fn accepts(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    is_named(path, &["conda-lock.yaml", "conda-lock.yml", "explicit.txt", "spec-file.txt"])
        || name.ends_with(".conda-lock.yml")
        || (name.starts_with("conda-") && name.ends_with(".lock"))
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.lines().any(|line| line.trim() == "@EXPLICIT") {
        return Ok(Listing::of_list(text.lines().zip(1_u32..).filter_map(explicit)));
    }
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file = yaml::parse(text)?;
    match file.get("version").and_then(Node::text) {
        Some("1") => Ok(locked(&file)),
        Some(other) => {
            let other: String = other.chars().take(20).collect();
            Err(format!("version `{other}` of conda-lock.yml is not known; 1 is"))
        }
        None => Err("it is neither a conda-lock.yml nor an explicit list of conda".to_owned()),
    }
}

/// One entry of `package`.
#[derive(Default)]
struct Entry<'text> {
    name: &'text str,
    version: &'text str,
    manager: &'text str,
    url: &'text str,
    line: u32,
}

impl Entry<'_> {
    /// None before the first entry.
    fn listed(&self) -> Option<Listed> {
        let package = |declared| Listed::package(declared, self.line);
        Some(match self.manager {
            _ if self.line == 0 => return None,
            "conda" => package(Declared::new(self.name, self.version, self.line)),
            // A repository or a folder is of no index.
            "pip" if self.url.starts_with("https://") || self.url.starts_with("http://") => {
                let found = Declared::new(&python_name(self.name), self.version, self.line);
                package(found.map(|one| one.of(Ecosystem::PYPI)))
            }
            "pip" => {
                let elsewhere = match self.url.split_once('+') {
                    Some((tool @ ("git" | "hg" | "svn" | "bzr"), address)) => {
                        let revision = address.rsplit_once('#').map(|(_, commit)| commit);
                        Elsewhere::vcs(tool, address, revision)
                    }
                    _ => Elsewhere::path(self.url),
                };
                let version = Some(self.version);
                let name = python_name(self.name);
                let found = Declared::from_elsewhere(&name, version, elsewhere, self.line);
                package(found.map(|one| one.of(Ecosystem::PYPI)))
            }
            _ => Listed::Unread(self.line),
        })
    }
}

fn locked(file: &Node) -> Listing {
    let list = file.get("package");
    let entries = list.map(Node::items).unwrap_or_default().iter().filter_map(|node| {
        let field = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        let entry = Entry {
            name: field("name"),
            version: field("version"),
            manager: field("manager"),
            url: field("url"),
            line: node.get("name").map_or(node.line, |name| name.line),
        };
        entry.listed()
    });
    Listing::of_list_if(list.is_some_and(|list| list.text().is_none()), entries)
}

/// An archive's address, or `# pip name @ address`.
fn explicit((line, number): (&str, u32)) -> Option<Listed> {
    let line = line.trim();
    if line.is_empty()
        || line == "@EXPLICIT"
        || (line.starts_with('#') && !line.starts_with("# pip "))
    {
        return None;
    }
    Some(Listed::package(archived(line, number), number))
}

fn archived(line: &str, number: u32) -> Option<Declared> {
    if let Some(rest) = line.strip_prefix("# pip ") {
        let (name, address) = rest.split_once('@')?;
        let stem = archive(address)?;
        let version = match stem.strip_suffix(".whl") {
            Some(wheel) => wheel.split('-').nth(1)?,
            None => stem.strip_suffix(".tar.gz")?.rsplit_once('-')?.1,
        };
        return Some(Declared::new(&python_name(name), version, number)?.of(Ecosystem::PYPI));
    }
    let file = archive(line)?;
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let mut parts = stem.rsplitn(3, '-');
    let (_build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Declared::new(name, version, number)
}

/// The file that an address names, without fragment and query.
fn archive(address: &str) -> Option<&str> {
    let bare = address.trim().split(['#', '?', ' ']).next()?;
    Some(bare.rsplit_once('/')?.1)
}
