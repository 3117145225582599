//! One POM as it is written.

use super::counts;
use crate::decoded::decoded;
use crate::xml::{Element, Visitor, walk};
use serde::{Deserialize, Serialize};

/// Most dependencies, managed ones too, of one POM; the largest real ones manage some 5,000.
const DEPENDENCIES: usize = 50_000;

/// A POM as it is written.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Pom {
    pub(super) coordinates: Coordinates,
    pub(super) parent: Option<Parent>,
    pub(super) properties: Vec<(String, String)>,
    pub(super) managed: Vec<Dependency>,
    pub(super) dependencies: Vec<Dependency>,
    known: bool,
}

/// Group, artifact and version; empty where they are not written.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Parent {
    pub(super) coordinates: Coordinates,
    /// None where it is not written.
    pub(super) path: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Dependency {
    pub(super) coordinates: Coordinates,
    pub(super) scope: String,
    pub(super) kind: String,
    pub(super) optional: bool,
    /// Group and artifact, `*` for any.
    pub(super) exclusions: Vec<(String, String)>,
    pub(super) line: u32,
}

pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let pom = decoded(bytes).and_then(|text| parse(&text));
    match pom {
        Ok(pom) => postcard::to_allocvec(&pom)
            .map(Some)
            .map_err(|_| "it is too large to be kept".to_owned()),
        Err(reason) if counts(path) => Err(reason),
        Err(_) => Ok(None),
    }
}

fn parse(text: &str) -> Result<Pom, String> {
    let mut pom = Pom::default();
    walk(text, &mut pom)?;
    if !pom.known && !text.trim().is_empty() {
        return Err("it is not a pom.xml: it has no `project`".to_owned());
    }
    if pom.managed.len() + pom.dependencies.len() > DEPENDENCIES {
        return Err(format!("it names more than {DEPENDENCIES} dependencies"));
    }
    Ok(pom)
}

/// The path without a profile around it: whatever machine it is built on may be one of that.
fn without_profile<'path, 'text>(path: &'path [&'text str]) -> (&'path [&'text str], bool) {
    match path {
        ["project", "profiles", "profile", rest @ ..] => (rest, true),
        ["project", rest @ ..] => (rest, false),
        _ => (&[], false),
    }
}

impl Visitor for Pom {
    fn begin(&mut self, path: &[&str], element: &Element<'_>) {
        self.known |= path == ["project"];
        let new = || Dependency { line: element.line, ..Dependency::default() };
        match without_profile(path).0 {
            ["parent"] => self.parent = Some(Parent::default()),
            ["dependencies", "dependency"] => self.dependencies.push(new()),
            ["dependencyManagement", "dependencies", "dependency"] => self.managed.push(new()),
            ["dependencies", "dependency", "exclusions", "exclusion"] => {
                if let Some(last) = self.dependencies.last_mut() {
                    last.exclusions.push(Default::default());
                }
            }
            ["dependencyManagement", "dependencies", "dependency", "exclusions", "exclusion"] => {
                if let Some(last) = self.managed.last_mut() {
                    last.exclusions.push(Default::default());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, path: &[&str], text: &str, line: u32) {
        let (rest, profile) = without_profile(path);
        match rest {
            ["properties", name] => {
                // What a profile sets holds on some machines; what the project sets, on the others.
                let known = self.properties.iter().any(|(known, _)| known == name);
                if !(profile && known) {
                    self.properties.push(((*name).to_owned(), text.to_owned()));
                }
            }
            ["parent", "relativePath"] => {
                if let Some(parent) = &mut self.parent {
                    parent.path = Some(text.to_owned());
                }
            }
            ["parent", name] => {
                if let Some(parent) = &mut self.parent {
                    parent.coordinates.take(name, text);
                }
            }
            ["dependencies", "dependency", rest @ ..] => {
                set(self.dependencies.last_mut(), rest, text, line);
            }
            ["dependencyManagement", "dependencies", "dependency", rest @ ..] => {
                set(self.managed.last_mut(), rest, text, line);
            }
            [name] if !profile => self.coordinates.take(name, text),
            _ => {}
        }
    }
}

impl Coordinates {
    fn take(&mut self, name: &str, text: &str) {
        match name {
            "groupId" => text.clone_into(&mut self.group),
            "artifactId" => text.clone_into(&mut self.artifact),
            "version" => text.clone_into(&mut self.version),
            _ => {}
        }
    }
}

fn set(dependency: Option<&mut Dependency>, path: &[&str], text: &str, line: u32) {
    let Some(dependency) = dependency else { return };
    match path {
        ["scope"] => text.clone_into(&mut dependency.scope),
        ["type"] => text.clone_into(&mut dependency.kind),
        ["optional"] => dependency.optional = text == "true",
        [name] => {
            dependency.coordinates.take(name, text);
            if *name == "artifactId" {
                dependency.line = line;
            }
        }
        ["exclusions", "exclusion", name] => {
            if let Some((group, artifact)) = dependency.exclusions.last_mut() {
                match *name {
                    "groupId" => text.clone_into(group),
                    "artifactId" => text.clone_into(artifact),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
