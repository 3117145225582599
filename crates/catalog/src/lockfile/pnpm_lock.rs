//! `pnpm-lock.yaml`, versions 5, 6 and 9. Source: pnpm/spec, "lockfile"; pnpm, `dependency-path`.
//!
//! What is installed are the keys of `packages`: `/name/1.2.3_peers` (5), `/name@1.2.3(peers)` (6) and
//! `name@1.2.3` (9), with a host in front for a registry of somebody's own. Those of git, archives and
//! folders say name and version in their entry. Folders that are linked stand only with the projects
//! that link them; those that are projects of the lock file are the workspace's own. What a package
//! needs stands in its entry, since version 9 in that of `snapshots`, by the version that it got: no
//! ranges are told.

use super::edges::{Edges, For};
use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, split_npm};
use crate::elsewhere::{Elsewhere, npm_name_at, version_of_file};
use crate::yaml_walk::{self, Met, Place};
use image::Interest;
use std::collections::{HashMap, HashSet};
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pnpm-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("pnpm-lock.yaml")],
    accepts: |path| is_named(path, &["pnpm-lock.yaml"]),
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

/// How a version divides a key into name and version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Divided {
    BySlash,
    ByAt,
}

/// An entry of `packages`.
#[derive(Default)]
struct Block {
    line: u32,
    key: String,
    name: Option<String>,
    version: Option<String>,
    tarball: Option<String>,
    repository: Option<String>,
    commit: Option<String>,
    folder: Option<String>,
}

/// A folder that a project links: the project, the name, the path, the line.
type Link = (String, String, String, u32);

/// One document of the file: newer pnpm writes what configures it into one before.
#[derive(Default)]
struct Document {
    /// Packages were met where none are looked for.
    other: bool,
    version: Option<String>,
    blocks: Vec<Block>,
    projects: HashSet<String>,
    links: Vec<Link>,
    /// The entry of `snapshots` that is read.
    snapshot: Option<String>,
    needs: Vec<Need>,
    roots: Vec<Need>,
}

/// What an entry needs, or a project where there is none: its key, the name, and the version or key.
struct Need {
    from: Option<String>,
    name: String,
    value: String,
    purpose: For,
}

fn purpose_of(group: &str) -> Option<For> {
    match group {
        "dependencies" => Some(For::Running),
        "optionalDependencies" => Some(For::Option),
        "devDependencies" => Some(For::Development),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut known = false;
    let mut number = 0;
    let mut document = Document::default();
    let mut failed = None;
    let mut finish = |document: Document| match document.finish(&mut found) {
        Ok(is_known) => known |= is_known,
        Err(reason) => failed = failed.take().or(Some(reason)),
    };
    yaml_walk::walk(text, &mut |place, met| {
        if place.document != number {
            number = place.document;
            finish(std::mem::take(&mut document));
        }
        document.take(place, met);
    })?;
    finish(document);
    if let Some(reason) = failed {
        return Err(reason);
    }
    if !known && !text.trim().is_empty() {
        return Err("it is not a pnpm-lock.yaml: it names no `lockfileVersion`".to_owned());
    }
    // Of a project without packages only the version and the projects are written.
    Ok(if known { found.seen() } else { found })
}

const GROUPS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

impl Document {
    fn take(&mut self, place: Place<'_>, met: Met<'_>) {
        let path: Vec<&str> = place.path.iter().take(5).map(String::as_str).collect();
        match (path.as_slice(), met) {
            (["lockfileVersion"], Met::Text(version)) => self.version = Some(version.to_owned()),
            // A list, or packages of another place, is another form.
            (["packages", "-", ..] | ["snapshots", ..], _) if self.blocks.is_empty() => {
                self.other = true;
            }
            (["packages", key], Met::Key) => {
                let (line, key) = (place.line, (*key).to_owned());
                self.blocks.push(Block { line, key, ..Block::default() });
            }
            (["snapshots", key], Met::Key) => self.snapshot = Some((*key).to_owned()),
            (["snapshots", _, group, name], Met::Text(value)) => {
                self.need(self.snapshot.clone(), (group, name, value));
            }
            (["packages", _, group, name], Met::Text(value)) if purpose_of(group).is_some() => {
                self.need(self.blocks.last().map(|block| block.key.clone()), (group, name, value));
            }
            (["packages", _, rest @ ..], Met::Text(value)) => {
                let Some(block) = self.blocks.last_mut() else { return };
                let field = match rest {
                    ["name"] => &mut block.name,
                    ["version"] => &mut block.version,
                    ["resolution", "tarball"] => &mut block.tarball,
                    ["resolution", "repo"] => &mut block.repository,
                    ["resolution", "commit"] => &mut block.commit,
                    ["resolution", "directory"] => &mut block.folder,
                    _ => return,
                };
                *field = Some(value.to_owned());
            }
            (["importers", project], Met::Key) => {
                self.projects.insert((*project).to_owned());
            }
            (
                ["importers", project, group, name]
                | ["importers", project, group, name, "version"],
                Met::Text(value),
            ) if GROUPS.contains(group) => {
                self.link(project, name, value, place.line);
                self.root((group, name, value));
            }
            ([group, name] | [group, name, "version"], Met::Text(value))
                if GROUPS.contains(group) =>
            {
                self.link(".", name, value, place.line);
                self.root((group, name, value));
            }
            _ => {}
        }
    }

    fn need(&mut self, from: Option<String>, (group, name, value): (&str, &str, &str)) {
        let Some(purpose) = purpose_of(group).filter(|_| from.is_some()) else { return };
        let (name, value) = (name.to_owned(), value.to_owned());
        self.needs.push(Need { from, name, value, purpose });
    }

    fn root(&mut self, (group, name, value): (&str, &str, &str)) {
        let Some(purpose) = purpose_of(group) else { return };
        let (name, value) = (name.to_owned(), value.to_owned());
        self.roots.push(Need { from: None, name, value, purpose });
    }

    fn link(&mut self, project: &str, name: &str, value: &str, line: u32) {
        if let Some(path) = value.strip_prefix("link:") {
            let (project, name, path) = (project.to_owned(), name.to_owned(), path.to_owned());
            self.links.push((project, name, path, line));
        }
    }

    /// Puts what it lists into the listing; whether it is a lock file of pnpm.
    fn finish(self, found: &mut Listing) -> Result<bool, String> {
        let Some(version) = &self.version else { return Ok(false) };
        let divided = divided_of(version)?;
        if self.other && self.blocks.is_empty() {
            return Err(
                "its packages are in no form that is known: `packages` names none".to_owned()
            );
        }
        let linked = self.links.iter().map(|(project, name, path, line)| {
            let target = joined(project, path);
            if target.as_ref().is_some_and(|target| self.projects.contains(target)) {
                return Entry::Own;
            }
            let path = target.unwrap_or_else(|| path.clone());
            let elsewhere = Elsewhere::path(&path);
            Entry::package(Declared::from_elsewhere(name, None, elsewhere, *line), *line)
        });
        let mut edges = Edges::with_scopes();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        for block in &self.blocks {
            let entry = Entry::package(block.declared(divided), block.line);
            let number = edges.push(found, entry);
            numbers.insert(&block.key, number);
            numbers.entry(without_peers(&block.key)).or_insert(number);
        }
        for entry in linked {
            edges.push(found, entry);
        }
        let find =
            |key: &str| numbers.get(key).or_else(|| numbers.get(without_peers(key))).copied();
        for Need { from, name, value, purpose } in self.needs.iter().chain(&self.roots) {
            let Some(to) = divided.keys(name, value).iter().find_map(|key| find(key)) else {
                continue;
            };
            match from.as_deref().map(find) {
                None => edges.root(to, *purpose),
                Some(Some(from)) => edges.asks(from, to, *purpose, None),
                Some(None) => {}
            }
        }
        edges.settle(found);
        Ok(true)
    }
}

fn divided_of(version: &str) -> Result<Divided, String> {
    match version.split(['.', '-']).next().unwrap_or(version) {
        "5" => Ok(Divided::BySlash),
        "6" | "9" => Ok(Divided::ByAt),
        _ => {
            let version: String = version.chars().take(20).collect();
            Err(format!("lockfileVersion `{version}` is not known; 5, 6 and 9 are"))
        }
    }
}

impl Block {
    fn declared(&self, divided: Divided) -> Option<Declared> {
        // Peers stand behind a bracket or, in version 5, behind the version and `_`.
        let key = self.key.split_once('(').map_or(self.key.as_str(), |(key, _)| key);
        let own = self.tarball.is_some() || self.repository.is_some() || self.folder.is_some();
        if let Some((host, name, version)) = divided.of_registry(key) {
            let declared = Declared::new(name, version, self.line)?;
            let elsewhere = host.map(|host| Elsewhere::registry(&format!("https://{host}/")));
            if !own || self.name.is_none() {
                return Some(Declared { elsewhere, ..declared });
            }
        }
        let (name, reference) = match divided {
            Divided::ByAt => split_npm(key.strip_prefix('/').unwrap_or(key)).unwrap_or(("", key)),
            Divided::BySlash => ("", key),
        };
        let elsewhere = self.elsewhere(reference);
        let name = self.name.as_deref().unwrap_or(name);
        let file = self.tarball.as_deref().unwrap_or(reference);
        let version = self.version.as_deref().or_else(|| version_of_file(name, file));
        if let (Some(name), Some(version)) = (npm_name_at(file), version) {
            return Declared::new(&name, version, self.line);
        }
        Declared::from_elsewhere(name, version, elsewhere, self.line)
    }

    fn elsewhere(&self, reference: &str) -> Elsewhere {
        if let Some(repository) = &self.repository {
            return Elsewhere::git(repository, self.commit.as_deref());
        }
        if let Some(folder) = &self.folder {
            return Elsewhere::path(folder);
        }
        let text = self.tarball.as_deref().unwrap_or(reference);
        Elsewhere::of_npm(text).unwrap_or_else(|| Elsewhere::download(&format!("https://{text}")))
    }
}

/// A key without the peers that versions 6 and 9 write into brackets.
fn without_peers(key: &str) -> &str {
    key.split_once('(').map_or(key, |(key, _)| key)
}

impl Divided {
    /// The keys that a need may have: a version goes behind the name, all else is a key itself.
    fn keys(self, name: &str, value: &str) -> [String; 3] {
        let behind = |divider: &str| match self {
            Self::BySlash => format!("/{name}/{value}"),
            Self::ByAt => format!("{divider}{name}@{value}"),
        };
        [behind(""), behind("/"), value.to_owned()]
    }

    /// Host of a registry of somebody's own, name and version; none where the key is of no registry.
    fn of_registry(self, key: &str) -> Option<(Option<&str>, &str, &str)> {
        let (host, rest) = match key.strip_prefix('/') {
            Some(rest) => (None, rest),
            None => match key.split_once('/') {
                Some((host, rest)) if host.contains('.') && !host.contains(['@', ':']) => {
                    (Some(host), rest)
                }
                _ => (None, key),
            },
        };
        let (name, version) = match self {
            Self::BySlash => {
                let (name, version) = rest.rsplit_once('/')?;
                (name, version.split_once('_').map_or(version, |(version, _)| version))
            }
            Self::ByAt => split_npm(rest)?,
        };
        let numbered = version.starts_with(|first: char| first.is_ascii_digit())
            && version.split('.').count() >= 3
            && !version.contains(['/', ':']);
        let slashes = name.bytes().filter(|byte| *byte == b'/').count();
        let named = slashes == usize::from(name.starts_with('@')) && !name.contains(':');
        (numbered && named).then_some((host, name, version))
    }
}

/// A path as seen from the folder of the lock file; none where it leads out of it.
fn joined(project: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in project.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}
