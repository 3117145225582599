//! `Podfile.lock` of CocoaPods. Source: CocoaPods Core, `lockfile.rb`.
//!
//! The list `PODS` names every pod with its version; a subspec `A/B` belongs to pod `A`, and what a pod
//! needs stands one level deeper. Pods of a folder or a repository (`EXTERNAL SOURCES`) are not of the
//! public trunk and are left out.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, is_named};
use image::Interest;
use std::collections::HashSet;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "podfile-lock",
    ecosystem: Ecosystem::COCOAPODS,
    interests: &[Interest::Name("Podfile.lock")],
    accepts: |path| is_named(path, &["Podfile.lock"]),
    at_most: 16 << 20,
    parse,
};

fn parse(text: &str) -> Result<Listing, String> {
    let mut section = "";
    let mut pods = Vec::new();
    let mut external = HashSet::new();
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
            "EXTERNAL SOURCES" => {
                let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
                let name = name.and_then(|rest| rest.strip_suffix(':'));
                external.extend(name.map(|name| main_pod(name.trim_matches('"'))));
            }
            _ => {}
        }
    }
    if !known {
        return Err("it is not a Podfile.lock: it has no `PODS`".to_owned());
    }
    let listed = pods.into_iter().map(|(number, pod)| match pod {
        Some(pod) if external.contains(pod.name.as_str()) => Entry::Elsewhere,
        pod => Entry::package(pod, number),
    });
    Ok(Listing::of_list_if(empty, listed))
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
