//! `Gemfile.lock`, also named `gems.locked`. Source: Bundler, `lockfile_parser.rs`.
//!
//! Sections stand at the margin, what they hold behind two spaces, gems behind four, and what these
//! need behind six. Gems of `GIT`, `PATH` and `PLUGIN SOURCE` are listed with
//! where they come from. A gem for several platforms stands there several times, and is listed once.
//! What the project asks for stands in `DEPENDENCIES`, and in the gem that it is itself.

use super::edges::{Edges, For, Keyed};
use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::elsewhere::Elsewhere;
use crate::ruby::is_name;
use image::Interest;
use std::borrow::Cow;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "gemfile-lock",
    ecosystem: Ecosystem::RUBY_GEMS,
    interests: &[Interest::Name("Gemfile.lock"), Interest::Name("gems.locked")],
    accepts,
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

/// A gem that is installed may bring the lock file of its developers along, in `gems/NAME-VERSION`.
fn accepts(path: &str) -> bool {
    is_named(path, &["Gemfile.lock", "gems.locked"]) && !path.split('/').any(|part| part == "gems")
}

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut known = text.trim().is_empty();
    let mut section = Section::default();
    let mut in_specs = false;
    let mut edges = Keyed::new(Edges::default());
    let project = edges.edges.project();
    let mut last = project;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim_end();
        let content = line.trim_start_matches(' ');
        if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
            return Err(format!("line {number} is of an unfinished merge"));
        }
        match line.len() - content.len() {
            _ if content.is_empty() => {}
            0 => {
                section = Section { title: content, ..Section::default() };
                in_specs = false;
                known |= matches!(content, "GEM" | "GIT" | "PATH" | "PLATFORMS" | "DEPENDENCIES");
            }
            2 if section.title == "DEPENDENCIES" => {
                let (name, _) = need(content);
                edges.asks(project, name.to_owned(), For::Running, None);
            }
            2 => {
                in_specs = content == "specs:";
                match content.split_once(": ") {
                    Some(("remote", remote)) => section.remote = remote,
                    Some(("revision", revision)) => section.revision = revision,
                    _ => {}
                }
            }
            4 if in_specs => {
                last = edges.edges.push(&mut found, section.entry(content, number));
                edges.name(need(content).0.to_owned(), last);
            }
            6 if in_specs => {
                let (name, range) = need(content);
                let range = Some(Cow::Borrowed(range));
                edges.asks(last, name.to_owned(), For::Running, range);
            }
            _ => {}
        }
    }
    if known {
        edges.settle(&mut found);
        Ok(found)
    } else {
        Err("it is not a Gemfile.lock: it has no section of one".to_owned())
    }
}

/// `name (>= 1, < 2)`, `name` and `name!`.
fn need(content: &str) -> (&str, &str) {
    let (name, rest) = content.split_once(" (").unwrap_or((content, ""));
    let range = rest.split_once(')').map_or(rest, |(range, _)| range);
    (name.trim_end_matches('!'), range)
}

/// A section of gems, and where they come from.
#[derive(Default)]
struct Section<'text> {
    title: &'text str,
    remote: &'text str,
    revision: &'text str,
}

impl Section<'_> {
    fn entry(&self, content: &str, line: u32) -> Entry {
        let elsewhere = match self.title {
            // Other remotes are mirrors of the same gems, as a rule.
            "GEM" => None,
            "GIT" => Some(Elsewhere::git(self.remote, Some(self.revision))),
            // The project itself is a gem.
            "PATH" if self.remote == "." => return Entry::Own,
            "PATH" => Some(Elsewhere::path(self.remote)),
            _ => Some(Elsewhere::download(self.remote)),
        };
        let declared = declared(content, line).map(|one| Declared { elsewhere, ..one });
        Entry::package(declared, line)
    }
}

/// `name (version)` or `name (version-platform)`; Bundler divides at the first hyphen.
fn declared(content: &str, line: u32) -> Option<Declared> {
    let (name, version) = content.split_once(" (")?;
    let version = version.strip_suffix(')').or_else(|| version.strip_suffix(")!"))?;
    let version = version.split('-').next().unwrap_or(version);
    is_name(name).then(|| Declared::new(name, version, line))?
}
