//! `pom.xml` of Maven. Source: Maven, "POM Reference" and "Introduction to the POM", inheritance and
//! interpolation.
//!
//! Read are the direct dependencies, with versions that stand there, come from `properties`, the
//! project or its parent's coordinates, or from `dependencyManagement` of the same file. Where the
//! version comes from a parent or an imported file elsewhere, or is a range, the dependency is listed
//! without one, and counted as not matched: a guess would be worse. What is only for tests or given by
//! the machine (`test`, `provided`, `system`) is left out, as Trivy does with tests: it is not shipped. The XML is read as it must be for this and no
//! further: a document type is refused, and no entity but the five of XML is expanded.

use super::listing::{Entry, Listing};
use super::{Declared, LineCounter, Lockfile, is_named};
use image::Interest;
use std::collections::HashMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pom-xml",
    ecosystem: Ecosystem::MAVEN,
    interests: &[Interest::Name("pom.xml")],
    accepts: |path| is_named(path, &["pom.xml"]),
    at_most: 8 << 20,
    parse,
};

/// Deepest nesting; a POM has about eight levels.
const DEPTH: usize = 64;
/// How often a property may lead to another.
const STEPS: usize = 8;

#[derive(Clone, Default)]
struct Dependency {
    group: String,
    artifact: String,
    version: String,
    scope: String,
    line: u32,
}

#[derive(Default)]
struct Pom {
    properties: HashMap<String, String>,
    managed: Vec<Dependency>,
    dependencies: Vec<Dependency>,
    known: bool,
}

fn parse(text: &str) -> Result<Listing, String> {
    let pom = read(text)?;
    if !pom.known && !text.trim().is_empty() {
        return Err("it is not a pom.xml: it has no `project`".to_owned());
    }
    let value = |text: &str| pom.expand(text);
    let managed: HashMap<(String, String), String> = pom
        .managed
        .iter()
        .filter_map(|one| Some(((value(&one.group)?, value(&one.artifact)?), value(&one.version)?)))
        .collect();
    let shipped = pom
        .dependencies
        .iter()
        .filter(|one| !matches!(one.scope.as_str(), "test" | "provided" | "system" | "import"));
    let listed = shipped.map(|one| {
        let coordinates = value(&one.group).zip(value(&one.artifact));
        let Some((group, artifact)) = coordinates else { return Entry::Unread(one.line) };
        // What is stated and not known must not be taken from elsewhere.
        let version = if one.version.is_empty() {
            managed.get(&(group.clone(), artifact.clone())).cloned()
        } else {
            value(&one.version)
        };
        let name = format!("{group}:{artifact}");
        // A range, such as `[1.0,2.0)`, is no version, and neither is the newest of any day.
        let declared = match version.filter(|version| {
            !version.contains(['[', '(', ',', '$'])
                && !matches!(version.as_str(), "LATEST" | "RELEASE")
        }) {
            Some(version) => Declared::new(&name, &version, one.line),
            None => Declared::unpinned(&name, one.line),
        };
        Entry::package(declared, one.line)
    });
    Ok(Listing::of_list(listed))
}

impl Pom {
    /// The text with every `${property}` replaced; none where one is not known.
    fn expand(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for _ in 0..STEPS {
            let Some((before, rest)) = text.split_once("${") else { return Some(text) };
            let (name, after) = rest.split_once('}')?;
            text = format!("{before}{}{after}", self.properties.get(name)?);
            if text.len() > 1_000 {
                return None;
            }
        }
        None
    }

    /// Takes the text of an element at a path such as `project/parent/version`.
    fn take(&mut self, path: &[&str], text: &str, line: u32) {
        match path {
            ["project", "properties", name] => {
                self.properties.insert((*name).to_owned(), text.to_owned());
            }
            ["project", name @ ("groupId" | "artifactId" | "version")] => {
                for prefix in ["project", "pom"] {
                    self.properties.insert(format!("{prefix}.{name}"), text.to_owned());
                }
            }
            ["project", "parent", name @ ("groupId" | "version")] => {
                self.properties.insert(format!("project.parent.{name}"), text.to_owned());
                for prefix in ["project", "pom"] {
                    let own = format!("{prefix}.{name}");
                    self.properties.entry(own).or_insert_with(|| text.to_owned());
                }
            }
            ["project", "dependencies", "dependency", name] => {
                set(&mut self.dependencies, name, text, line);
            }
            ["project", "dependencyManagement", "dependencies", "dependency", name] => {
                set(&mut self.managed, name, text, line);
            }
            _ => {}
        }
    }

    /// A dependency begins.
    fn begin(&mut self, path: &[&str], line: u32) {
        let new = || Dependency { line, ..Dependency::default() };
        match path {
            ["project"] => self.known = true,
            ["project", "dependencies", "dependency"] => self.dependencies.push(new()),
            ["project", "dependencyManagement", "dependencies", "dependency"] => {
                self.managed.push(new());
            }
            _ => {}
        }
    }
}

fn set(list: &mut [Dependency], name: &str, text: &str, line: u32) {
    let Some(last) = list.last_mut() else { return };
    match name {
        "groupId" => text.clone_into(&mut last.group),
        "artifactId" => {
            text.clone_into(&mut last.artifact);
            last.line = line;
        }
        "version" => text.clone_into(&mut last.version),
        "scope" => text.clone_into(&mut last.scope),
        _ => {}
    }
}

/// Walks the elements, and hands each text to the POM.
fn read(text: &str) -> Result<Pom, String> {
    let mut lines = LineCounter::new(text);
    let mut pom = Pom::default();
    let mut path: Vec<&str> = Vec::new();
    // The text of the innermost element; comments may divide it.
    let mut content = String::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        content.push_str(&plain(text.get(at..start).unwrap_or_default()));
        let line = lines.at(start);
        let rest = text.get(start..).unwrap_or_default();
        let unended = || format!("line {line} begins what does not end");
        let end = match () {
            () if rest.starts_with("<!--") => rest.find("-->").map(|end| end + 3),
            () if rest.starts_with("<?") => rest.find("?>").map(|end| end + 2),
            () if rest.starts_with("<![CDATA[") => rest.find("]]>").map(|end| end + 3),
            () if rest.starts_with("<!") => {
                return Err("it has a document type of its own, which is not read".to_owned());
            }
            () => rest.find('>').map(|end| end + 1),
        };
        let end = end.ok_or_else(unended)?;
        let tag = rest.get(1..end - 1).unwrap_or_default();
        at = start + end;
        if rest.starts_with("<!") || rest.starts_with("<?") {
            let literal =
                rest.get(..end).and_then(|all| all.strip_prefix("<![CDATA[")?.strip_suffix("]]>"));
            content.push_str(literal.unwrap_or_default());
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            if !content.trim().is_empty() {
                pom.take(&path, content.trim(), line);
            }
            if path.pop() != Some(name.trim()) {
                return Err(format!("line {line} ends what was not begun"));
            }
        } else {
            let name = tag.trim_end_matches('/').split_whitespace().next().unwrap_or_default();
            path.push(name);
            if path.len() > DEPTH {
                return Err("it is nested too deeply".to_owned());
            }
            pom.begin(&path, line);
            if tag.ends_with('/') {
                path.pop();
            }
        }
        content.clear();
    }
    if path.is_empty() { Ok(pom) } else { Err("it ends too early".to_owned()) }
}

fn plain(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
