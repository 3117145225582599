//! Projects of MSBuild. Source: NuGet documentation, "Package references in project files" and "Central
//! package management".
//!
//! A version that the project states, or a property of the file gives, is listed; one that stands in
//! `Directory.Packages.props` is listed by that file's own check. What the properties of other files
//! give is not known here, and listed without a version.

use super::{Declares, exact};
use crate::dotnet::deps::is_name;
use crate::lockfile::Declared;
use crate::xml::{Element, Visitor, walk};
use std::collections::HashMap;

pub(in crate::manifests) fn project(text: &str) -> Result<Declares, String> {
    if text.trim().is_empty() {
        return Ok(Declares::default());
    }
    let mut project = Project::default();
    walk(text, &mut project)?;
    if !project.known {
        return Err("it is not a project of MSBuild: it has no `Project`".to_owned());
    }
    let mut declares = Declares { any: !project.references.is_empty(), ..Declares::default() };
    // Without a version of its own it is one of `Directory.Packages.props`.
    for reference in project.references.iter().filter(|one| !one.version.is_empty()) {
        let version = project.version(&reference.version);
        declares.packages.extend(match exact(&version) {
            "" => Declared::unpinned(&reference.name, reference.line),
            version => Declared::new(&reference.name, version, reference.line),
        });
    }
    Ok(declares)
}

#[derive(Default)]
struct Project {
    known: bool,
    properties: HashMap<String, String>,
    references: Vec<Reference>,
}

struct Reference {
    name: String,
    version: String,
    line: u32,
}

impl Project {
    /// `1.2.3`, `[1.2.3]`, which is exactly that, or `$(Property)`.
    fn version(&self, version: &str) -> String {
        let inside = version.trim();
        let inside =
            inside.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inside);
        match inside.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')) {
            Some(name) => {
                self.properties.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default()
            }
            None => inside.to_owned(),
        }
    }
}

impl Visitor for Project {
    fn begin(&mut self, path: &[&str], element: &Element<'_>) {
        self.known |= path == ["Project"];
        let reference =
            matches!(path.last(), Some(&("PackageReference" | "GlobalPackageReference")));
        if !reference {
            return;
        }
        // `Update` changes what stands elsewhere.
        let Some(name) = element.attribute("Include").filter(|name| !name.is_empty()) else {
            return;
        };
        let version = element.attribute("VersionOverride").or_else(|| element.attribute("Version"));
        for name in name.split(';').map(str::trim).filter(|name| is_name(name)) {
            self.references.push(Reference {
                name: name.to_owned(),
                version: version.clone().unwrap_or_default(),
                line: element.line,
            });
        }
    }

    fn end(&mut self, path: &[&str], text: &str, _line: u32) {
        match path {
            [.., "PropertyGroup", name] => {
                self.properties.insert(name.to_ascii_lowercase(), text.to_owned());
            }
            [.., "PackageReference", "Version" | "VersionOverride"] => {
                if let Some(last) = self.references.last_mut() {
                    text.clone_into(&mut last.version);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_listed_with_the_versions_that_they_state() {
        let text = "<Project><PropertyGroup><V>3.0</V></PropertyGroup><ItemGroup>\n\
            <PackageReference Include=\"A.B\" Version=\"1.0.0\" />\n<PackageReference Include='C'><Version>2.0</Version></PackageReference>\
            <PackageReference Include='D' Version='$(V)'/><PackageReference Include='E' Version='1.*'/>\
            <PackageReference Include='F'/><PackageReference Update='G' Version='1.0'/><PackageReference Include='H' Version='[4.0]'/>\
            </ItemGroup></Project>";
        let found = project(text).unwrap();
        let shown: Vec<_> = found
            .packages
            .iter()
            .map(|one| format!("{}@{} {}", one.name, one.version, one.line))
            .collect();
        assert_eq!(shown, ["A.B@1.0.0 2", "C@2.0 3", "D@3.0 3", "E@ 3", "H@4.0 3"]);
        assert!(project("<a/>").is_err() && project("<Project>").is_err());
        assert!(!project("<Project Sdk='x'/>").unwrap().any);
    }
}
