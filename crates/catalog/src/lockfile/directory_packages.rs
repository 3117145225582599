//! `Directory.Packages.props`: the versions of all projects below. Source: NuGet documentation, "Central
//! package management".
//!
//! Each `PackageVersion` and `GlobalPackageReference` is listed with the version that stands there or
//! that a property of the file gives; a range, or the property of another file, is none.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::dotnet::deps::is_name;
use crate::xml::{Element, Visitor, walk};
use image::Interest;
use std::collections::HashMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "directory-packages",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("Directory.Packages.props")],
    accepts: |path| is_named(path, &["Directory.Packages.props"]),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Default)]
struct Central {
    known: bool,
    properties: HashMap<String, String>,
    /// Name, version and line.
    versions: Vec<(String, String, u32)>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let mut central = Central::default();
    walk(text, &mut central)?;
    if !central.known && !text.trim().is_empty() {
        return Err("it is not a project of MSBuild: it has no `Project`".to_owned());
    }
    Ok(Listing::of_list(central.versions.iter().map(|(name, version, line)| {
        if !is_name(name) {
            return Entry::Unread(*line);
        }
        let version = single(version, &central.properties);
        let declared = match version.as_str() {
            "" => Declared::unpinned(name, *line),
            version => Declared::new(name, version, *line),
        };
        Entry::package(declared, *line)
    })))
}

/// The one version that a text of NuGet means; empty for a range and what other files give.
pub(crate) fn single(version: &str, properties: &HashMap<String, String>) -> String {
    let version = version.trim();
    let inside = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inside = inside.unwrap_or(version);
    let named = inside.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    let text = match named {
        Some(name) => properties.get(&name.to_ascii_lowercase()).map_or("", String::as_str),
        None => inside,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-".contains(&byte);
    let is_one = text.starts_with(|first: char| first.is_ascii_digit()) && text.bytes().all(plain);
    if is_one { text.to_owned() } else { String::new() }
}

impl Visitor for Central {
    fn begin(&mut self, path: &[&str], element: &Element<'_>) {
        self.known |= path == ["Project"];
        if let Some(&("PackageVersion" | "GlobalPackageReference")) = path.last() {
            let name = element.attribute("Include").or_else(|| element.attribute("Update"));
            let version = element.attribute("Version").unwrap_or_default();
            self.versions.push((name.unwrap_or_default(), version, element.line));
        }
    }

    fn end(&mut self, path: &[&str], text: &str, _line: u32) {
        match path {
            [.., "PropertyGroup", name] => {
                self.properties.insert(name.to_ascii_lowercase(), text.to_owned());
            }
            [.., "PackageVersion" | "GlobalPackageReference", "Version"] => {
                if let Some((_, version, _)) = self.versions.last_mut() {
                    text.clone_into(version);
                }
            }
            _ => {}
        }
    }
}
