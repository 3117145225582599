//! What lies inside an archive or a tool that belongs to another package: an upgrade of its own changes
//! nothing there, since whoever installs the other one puts it there again.
//!
//! In go vulnerable packages and all packages, out comes for each where it lies inside, and whose that
//! is. Catalogers write a place in an archive as `ARCHIVE!/INNER`. Sources: wheel, "Binary distribution
//! format" (its own files stand in `RECORD`); Spring Boot, "The Executable Jar Format"; Jakarta Servlet,
//! "Web Application Archive File"; npm, "folders" (`{prefix}/lib/node_modules` has what is installed
//! globally, each tool with all that it needs below it).

use std::collections::{HashMap, HashSet};
use vocabulary::upgrade::Inside;
use vocabulary::{Ecosystem, Package};

/// Where npm puts what is installed globally.
const GLOBAL: &str = "lib/node_modules/";
/// Places that one step names; the others repeat what is said.
const PLACES: usize = 100;

/// Answers what lies inside what.
#[derive(Default)]
pub(crate) struct Insides<'scan> {
    /// Packages by the file that proves them, for files that are asked for.
    by_file: HashMap<&'scan str, Vec<&'scan Package>>,
    /// The package that a file belongs to, for files that are asked for.
    owners: HashMap<&'scan str, &'scan Package>,
}

impl<'scan> Insides<'scan> {
    pub(crate) fn new<'asked>(
        all: &'scan [Package],
        vulnerable: impl Iterator<Item = &'asked Package>,
    ) -> Self {
        let mut files: HashSet<String> = HashSet::new();
        for package in vulnerable {
            let Some(path) = package.location.path() else { continue };
            if let Some((archive, _)) = path.split_once("!/") {
                files.insert(archive.to_owned());
            }
            files.extend(tool(path).map(|folder| format!("{folder}/package.json")));
            if package.ecosystem == Ecosystem::MAVEN {
                files.insert(path.to_owned());
            }
        }
        let mut insides = Self::default();
        if files.is_empty() {
            return insides;
        }
        for package in all {
            if let Some(path) = package.location.path().filter(|path| files.contains(*path)) {
                insides.by_file.entry(path).or_default().push(package);
            }
            for file in package.files.iter().filter(|file| files.contains(*file)) {
                insides.owners.entry(file).or_insert(package);
            }
        }
        insides
    }

    /// What a package lies inside of; none where it lies there for itself.
    fn of(&self, package: &Package) -> Option<Inside> {
        let path = package.location.path()?;
        let at = |file: &str| self.by_file.get(file).map(Vec::as_slice).unwrap_or_default();
        let inside = |file: &str, owner: Option<&Package>| {
            let owner = owner.map(|owner| format!("{} {}", owner.name, owner.version));
            Some(Inside { file: file.to_owned(), owner })
        };
        if let Some(folder) = tool(path) {
            let tool = at(&format!("{folder}/package.json"));
            return inside(folder, tool.first().copied());
        }
        // Several packages in one archive were put into one; its name says whose it is.
        if package.ecosystem == Ecosystem::MAVEN && at(path).len() > 1 {
            match own(path, at(path)) {
                Some(owner) if owner.purl != package.purl => return inside(path, Some(owner)),
                None => return inside(path, None),
                Some(_) => {}
            }
        }
        let (archive, inner) = path.split_once("!/")?;
        let lower = archive.to_ascii_lowercase();
        let is_application = ["BOOT-INF/", "WEB-INF/"].iter().any(|folder| inner.contains(folder))
            || [".war", ".ear"].iter().any(|ending| lower.ends_with(ending));
        // The project's own archive: what it was built of is upgraded there.
        let owner = (!is_application).then(|| {
            let by_record = self.owners.get(archive).copied();
            by_record.or_else(|| own(archive, at(archive)))
        });
        inside(archive, owner.flatten())
    }

    /// What all of these lie inside of, each once; and whether all do.
    pub(crate) fn of_all(&self, packages: &[&Package]) -> (Vec<Inside>, bool) {
        let mut found: Vec<Inside> = Vec::new();
        let mut seen = HashSet::new();
        let mut all = !packages.is_empty();
        for package in packages {
            match self.of(package) {
                Some(inside) if seen.len() < PLACES && seen.insert(inside.clone()) => {
                    found.push(inside);
                }
                Some(_) => {}
                None => all = false,
            }
        }
        (found, all)
    }
}

/// The folder of the globally installed tool below which a package lies.
fn tool(path: &str) -> Option<&str> {
    let begin = match path.strip_prefix(GLOBAL) {
        Some(_) => GLOBAL.len(),
        None => path.find(&format!("/{GLOBAL}"))? + 1 + GLOBAL.len(),
    };
    let rest = path.get(begin..)?;
    let end = rest.find("/node_modules/")?;
    path.get(..begin + end)
}

/// The package that an archive of Java is itself, as its name says: `NAME-VERSION…`.
fn own<'scan>(path: &str, packages: &[&'scan Package]) -> Option<&'scan Package> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let is_own = |package: &&&Package| {
        let name = package.name.rsplit(':').next().unwrap_or(&package.name);
        let rest = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        rest.and_then(|rest| rest.strip_prefix(package.version.as_str()))
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    packages.iter().find(is_own).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Location, Purl};

    fn package(ecosystem: Ecosystem, (name, version): (&str, &str), path: &str) -> Package {
        let kind = if ecosystem == Ecosystem::PYPI { "pypi" } else { "generic" };
        let purl = Purl::new(kind, name).with_version(version);
        Package::new(purl, ecosystem, name, version, Location::file(path, None))
    }

    fn said(all: &[Package], at: usize) -> (Vec<String>, bool) {
        let insides = Insides::new(all, all.iter());
        let (found, whole) = insides.of_all(&[&all[at]]);
        let line = |one: Inside| format!("{} of {}", one.file, one.owner.unwrap_or_default());
        (found.into_iter().map(line).collect(), whole)
    }

    #[test]
    fn a_wheel_inside_a_package_is_of_that() {
        let wheel = "site/virtualenv/embed/pip-20.0-py3-none-any.whl";
        let inner = format!("{wheel}!/pip-20.0.dist-info/METADATA");
        let mut owner = package(
            Ecosystem::PYPI,
            ("virtualenv", "20.1"),
            "site/virtualenv-20.1.dist-info/METADATA",
        );
        owner.files = vec![wheel.to_owned()];
        let pip = package(Ecosystem::PYPI, ("pip", "20.0"), &inner);
        let outside = package(Ecosystem::PYPI, ("pip", "20.0"), "site/pip-20.0.dist-info/METADATA");
        let all = [pip, outside, owner];
        assert_eq!(said(&all, 0), (vec![format!("{wheel} of virtualenv 20.1")], true));
        assert_eq!(said(&all, 1), (vec![], false));
        // Both: one of the two is upgraded for itself.
        let insides = Insides::new(&all, all.iter());
        assert!(!insides.of_all(&[&all[0], &all[1]]).1);
        assert_eq!(said(&all[..1], 0), (vec![format!("{wheel} of ")], true));
    }

    #[test]
    fn a_jar_with_others_in_it_is_of_the_one_that_it_is_named_for_and_an_application_of_nobody() {
        let jar = |name: &str, version: &str, path: &str| {
            package(Ecosystem::MAVEN, (name, version), path)
        };
        let all = [
            jar("org.example:inner", "1.0", "lib/outer-2.0-shaded.jar"),
            jar("org.example:outer", "2.0", "lib/outer-2.0-shaded.jar"),
            jar("org.example:alone", "1.0", "lib/renamed.jar"),
            jar("org.example:app", "3.0", "app-3.0.jar"),
            jar("org.example:part", "1.0", "app-3.0.jar!/BOOT-INF/lib/part-1.0.jar"),
            jar("org.example:nested", "1.0", "lib/outer-2.0-shaded.jar!/META-INF/nested-1.0.jar"),
        ];
        assert_eq!(
            said(&all, 0),
            (vec!["lib/outer-2.0-shaded.jar of org.example:outer 2.0".into()], true)
        );
        assert_eq!(said(&all, 1), (vec![], false));
        assert_eq!(said(&all, 2), (vec![], false));
        assert_eq!(said(&all, 4), (vec!["app-3.0.jar of ".into()], true));
        assert_eq!(
            said(&all, 5),
            (vec!["lib/outer-2.0-shaded.jar of org.example:outer 2.0".into()], true)
        );
    }

    #[test]
    fn what_a_global_tool_of_npm_brings_along_is_of_the_tool_and_what_an_application_has_is_not() {
        let root = "usr/local/lib/node_modules/npm";
        let npm = |name: &str, path: String| package(Ecosystem::NPM, (name, "1.0.0"), &path);
        let all = [
            npm("npm", format!("{root}/package.json")),
            npm("tar", format!("{root}/node_modules/gyp/node_modules/tar/package.json")),
            npm("tar", "app/node_modules/gyp/node_modules/tar/package.json".to_owned()),
            npm("tar", "usr/lib/node_modules/@a/tool/node_modules/tar/package.json".to_owned()),
        ];
        assert_eq!(said(&all, 0), (vec![], false));
        assert_eq!(said(&all, 1), (vec![format!("{root} of npm 1.0.0")], true));
        assert_eq!(said(&all, 2), (vec![], false));
        assert_eq!(said(&all, 3), (vec!["usr/lib/node_modules/@a/tool of ".into()], true));
    }
}
