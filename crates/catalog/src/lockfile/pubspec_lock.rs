//! `pubspec.lock` of Dart and Flutter. Source: Dart documentation, "Package versioning"; pub,
//! `lock_file.dart`.
//!
//! An object of packages in YAML of any layout. Packages of a host (`hosted`) are listed, those of git and
//! of a folder with where they come from; those of the SDK are its own.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::elsewhere::Elsewhere;
use crate::yaml::{self, Node};
use image::Interest;
use vocabulary::{Ecosystem, Relation, Scope};

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pubspec-lock",
    ecosystem: Ecosystem::PUB,
    interests: &[Interest::Name("pubspec.lock")],
    accepts: |path| is_named(path, &["pubspec.lock"]),
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Default)]
struct Block<'text> {
    line: u32,
    name: &'text str,
    source: &'text str,
    version: &'text str,
    url: &'text str,
    path: &'text str,
    revision: &'text str,
    dependency: &'text str,
}

/// The addresses of the public host, new and old.
const PUBLIC: [&str; 2] = ["https://pub.dev", "https://pub.dartlang.org"];

impl Block<'_> {
    /// None before the first block.
    fn entry(&self) -> Option<Entry> {
        Some(match self.source {
            _ if self.line == 0 => return None,
            "sdk" => Entry::Own,
            "hosted" | "git" | "path" if is_name(self.name) => {
                let declared = Declared::new(self.name, self.version, self.line);
                let elsewhere = self.elsewhere();
                let (relation, scope) = self.told();
                let told = |one| Declared { elsewhere, relation, scope, ..one };
                Entry::package(declared.map(told), self.line)
            }
            _ => Entry::Unread(self.line),
        })
    }

    /// Source: pub, `lock_file.dart`, `packagesDescription`.
    fn told(&self) -> (Option<Relation>, Option<Scope>) {
        match self.dependency {
            "direct main" => (Some(Relation::Direct), Some(Scope::Runtime)),
            "direct dev" => (Some(Relation::Direct), Some(Scope::Development)),
            "direct overridden" => (Some(Relation::Direct), None),
            "transitive" => (Some(Relation::Indirect), None),
            _ => (None, None),
        }
    }

    fn elsewhere(&self) -> Option<Elsewhere> {
        match self.source {
            "git" => Some(Elsewhere::git(self.url, Some(self.revision))),
            "path" => Some(Elsewhere::path(self.path)),
            _ if self.url.is_empty() || PUBLIC.contains(&self.url.trim_end_matches('/')) => None,
            _ => Some(Elsewhere::registry(self.url)),
        }
    }
}

/// Source: Dart documentation, "Pubspec: name"; old names have capitals.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn parse(text: &str) -> Result<Listing, String> {
    let file = yaml::parse(text)?;
    let packages = file.get("packages");
    if packages.is_none() && file.get("sdks").is_none() && !text.trim().is_empty() {
        return Err("it is not a pubspec.lock: it has no `packages`".to_owned());
    }
    let entries = packages.map(Node::entries).unwrap_or_default();
    // An object, or nothing, which stands for an empty one.
    let seen = packages.is_some_and(|node| !entries.is_empty() || node.text().is_none());
    Ok(Listing::of_list_if(
        seen,
        entries.iter().filter_map(|(name, line, node)| {
            let field = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
            let described = node.get("description");
            let of =
                |key: &str| described.and_then(|node| node.get(key)?.text()).unwrap_or_default();
            let block = Block {
                line: *line,
                name,
                source: field("source"),
                version: field("version"),
                url: of("url"),
                path: of("path"),
                revision: of("resolved-ref"),
                dependency: field("dependency"),
            };
            block.entry()
        }),
    ))
}
