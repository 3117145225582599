//! `pubspec.lock` of Dart and Flutter. Source: Dart documentation, "Package versioning"; pub,
//! `lock_file.dart`.
//!
//! Pub writes it itself, always in the same shape: packages behind two spaces, what is known of each
//! behind four. So lines are read, and no YAML reader is needed. Packages of a host (`hosted`) are
//! listed; those of git, of a folder and of the SDK are not.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, unquoted};
use crate::elsewhere::Elsewhere;
use image::Interest;
use vocabulary::Ecosystem;

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
                Entry::package(declared.map(|one| Declared { elsewhere, ..one }), self.line)
            }
            _ => Entry::Unread(self.line),
        })
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
    let mut found = Listing::default();
    let mut known = text.trim().is_empty();
    let mut in_packages = false;
    let mut block = Block::default();
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim_start_matches(' ');
        let Some((key, value)) = content.split_once(':') else { continue };
        if content.starts_with('#') {
            continue;
        }
        match line.len() - content.len() {
            0 => {
                in_packages = key == "packages";
                known |= in_packages || key == "sdks";
                if in_packages && value.trim() == "{}" {
                    found.push(Entry::Own);
                }
            }
            2 if in_packages => {
                found.extend(block.entry());
                block = Block { line: number, name: unquoted(key), ..Block::default() };
            }
            4 if in_packages && key == "source" => block.source = unquoted(value),
            4 if in_packages && key == "version" => block.version = unquoted(value),
            6 if in_packages && key == "url" => block.url = unquoted(value),
            6 if in_packages && key == "path" => block.path = unquoted(value),
            6 if in_packages && key == "resolved-ref" => block.revision = unquoted(value),
            _ => {}
        }
    }
    found.extend(block.entry());
    if known { Ok(found) } else { Err("it is not a pubspec.lock: it has no `packages`".to_owned()) }
}
