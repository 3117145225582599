//! `Podfile.lock` of CocoaPods. Source: CocoaPods Core, `lockfile.rb`.
//!
//! The list `PODS` names every pod with its version; a subspec `A/B` belongs to pod `A`, and what a pod
//! needs stands one level deeper. Pods of a folder or a repository (`EXTERNAL SOURCES`) are not of the
//! public trunk, and listed with where they come from.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, unquoted};
use crate::elsewhere::Elsewhere;
use image::Interest;
use std::collections::HashMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "podfile-lock",
    ecosystem: Ecosystem::COCOAPODS,
    interests: &[Interest::Name("Podfile.lock")],
    accepts: |path| is_named(path, &["Podfile.lock"]),
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    let mut section = "";
    let mut pods = Vec::new();
    let mut external: HashMap<&str, Source<'_>> = HashMap::new();
    let mut of = "";
    let mut known = text.trim().is_empty();
    let mut empty = false;
    for (line, number) in text.lines().zip(1_u32..) {
        if let Some(title) = line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            section = title;
            known |= title == "PODS";
            continue;
        }
        if line == "PODS: []" {
            (known, empty) = (true, true);
        }
        match section {
            "PODS" if line.starts_with("  - ") => pods.push((number, declared(line, number))),
            // What was checked out says the commit.
            "EXTERNAL SOURCES" | "CHECKOUT OPTIONS" => {
                let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
                if let Some(name) = name.and_then(|rest| rest.strip_suffix(':')) {
                    of = main_pod(name.trim_matches('"'));
                    external.entry(of).or_default();
                } else if let Some((key, value)) = line.trim().split_once(": ") {
                    external.entry(of).or_default().take(key, unquoted(value));
                }
            }
            _ => {}
        }
    }
    if !known {
        return Err("it is not a Podfile.lock: it has no `PODS`".to_owned());
    }
    let listed = pods.into_iter().map(|(number, pod)| match pod {
        Some(pod) => {
            let elsewhere = external.get(pod.name.as_str()).map(Source::elsewhere);
            Entry::Package(Declared { elsewhere, ..pod })
        }
        None => Entry::Unread(number),
    });
    Ok(Listing::of_list_if(empty, listed))
}

/// Where a pod comes from that is not of the public trunk.
#[derive(Default)]
struct Source<'text> {
    git: &'text str,
    revision: &'text str,
    place: &'text str,
}

impl<'text> Source<'text> {
    fn take(&mut self, key: &str, value: &'text str) {
        match key {
            ":git" => self.git = value,
            ":commit" => self.revision = value,
            ":tag" | ":branch" if self.revision.is_empty() => self.revision = value,
            ":path" | ":podspec" | ":http" => self.place = value,
            _ => {}
        }
    }

    fn elsewhere(&self) -> Elsewhere {
        match self.place {
            "" => Elsewhere::git(self.git, Some(self.revision)),
            address if address.starts_with("http") => Elsewhere::download(address),
            path => Elsewhere::path(path),
        }
    }
}

/// `  - Name/Subspec (1.2.3):`
fn declared(line: &str, number: u32) -> Option<Declared> {
    let entry = line.strip_prefix("  - ")?.trim_end_matches(':').trim_matches('"');
    let (name, version) = entry.strip_suffix(')')?.rsplit_once(" (")?;
    Declared::new(main_pod(name), version, number)
}

fn main_pod(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}
