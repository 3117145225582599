//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. Source: npm, "package-lock.json",
//! "workspaces"; `@npmcli/arborist`, `shrinkwrap.js`.
//!
//! Versions 2 and 3 have `packages`, by the folder that each is to be installed in; version 1 has
//! nested `dependencies`. What is linked are folders: members of the workspace are the project's own,
//! others are listed with their path, as packages of git and of archives are with their address. A
//! registry on another host is one of the same packages: mirrors are the rule. An alias is listed under
//! the name of what it stands for. What a folder needs is found as Node.js finds it: in its own
//! `node_modules` and in those of the folders above; the project itself is the folder without a name.
//! Version 1 does not say what the project asks for; it marks what is not needed to run.

use super::edges::{Edges, For, without_needless_keys};
use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines, npm_range, split_npm};
use crate::elsewhere::{Elsewhere, npm_name_at, version_of_file};
use crate::lenient::Pairs;
use image::Interest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{Ecosystem, Scope};

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "package-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("npm-shrinkwrap.json"), Interest::Name("package-lock.json")],
    accepts: |path| is_named(path, &["package-lock.json", "npm-shrinkwrap.json"]),
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    packages: Option<BTreeMap<Cow<'text, str>, Option<Folder<'text>>>>,
    #[serde(default, borrow, deserialize_with = "nullable")]
    dependencies: Option<BTreeMap<Cow<'text, str>, Option<Dependency<'text>>>>,
    /// Version 1 writes no list where there is nothing to list.
    #[serde(rename = "lockfileVersion")]
    version: Option<serde_json::Value>,
}

/// Versions 2 and 3.
#[derive(Deserialize)]
struct Folder<'text> {
    #[serde(borrow)]
    name: Option<Cow<'text, str>>,
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(borrow)]
    resolved: Option<Resolved<'text>>,
    link: Option<bool>,
    #[serde(borrow)]
    license: Option<Licence<'text>>,
    #[serde(borrow)]
    workspaces: Option<Workspaces<'text>>,
    #[serde(default, borrow)]
    dependencies: Pairs<'text>,
    #[serde(default, borrow, rename = "devDependencies")]
    development: Pairs<'text>,
    #[serde(default, borrow, rename = "optionalDependencies")]
    options: Pairs<'text>,
    #[serde(default, borrow, rename = "peerDependencies")]
    peers: Pairs<'text>,
    #[serde(default)]
    dev: Flag,
    #[serde(default)]
    optional: Flag,
    #[serde(default, rename = "devOptional")]
    development_or_optional: Flag,
    /// It came in the archive of the package above it, and only another one of that brings another.
    #[serde(default, rename = "inBundle")]
    bundled: Flag,
}

/// `true`, or anything else.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "serde_json::Value")]
struct Flag(bool);

impl From<serde_json::Value> for Flag {
    fn from(value: serde_json::Value) -> Self {
        Self(value == serde_json::Value::Bool(true))
    }
}

/// As npm says it; none where it says nothing, which it does of what the program needs to run. What is
/// asked for by development alone is that, optional there or not (`dev` and `optional`); what development
/// asks for, and what runs may do without, is `devOptional`. Source: npm, "package-lock.json", `dev`,
/// `optional`, `devOptional`.
const fn scope_of(dev: Flag, optional: Flag, either: Flag) -> Option<Scope> {
    match (dev.0, optional.0, either.0) {
        (_, _, true) => Some(Scope::Optional),
        (true, _, false) => Some(Scope::Development),
        (false, true, false) => Some(Scope::Optional),
        (false, false, false) => None,
    }
}

/// An address; some writers put `false` or `true` there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Resolved<'text> {
    Address(#[serde(borrow)] Cow<'text, str>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Licence<'text> {
    Text(#[serde(borrow)] Cow<'text, str>),
    Other(IgnoredAny),
}

/// Patterns of the folders that are members, as npm or as Yarn has them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces<'text> {
    List(#[serde(borrow)] Vec<Cow<'text, str>>),
    Object {
        #[serde(default, borrow)]
        packages: Vec<Cow<'text, str>>,
    },
    Other(IgnoredAny),
}

/// Version 1. How deep it nests is bounded by the JSON reader.
#[derive(Deserialize)]
struct Dependency<'text> {
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(default, borrow)]
    dependencies: Option<BTreeMap<Cow<'text, str>, Option<Dependency<'text>>>>,
    #[serde(default, borrow)]
    requires: Pairs<'text>,
    #[serde(default)]
    dev: Flag,
    #[serde(default)]
    optional: Flag,
    #[serde(default, rename = "devOptional")]
    development_or_optional: Flag,
    #[serde(default)]
    bundled: Flag,
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    if let Some(version) = &file.version
        && !version.as_u64().is_some_and(|version| (1..=3).contains(&version))
    {
        let version: String = version.to_string().chars().take(20).collect();
        return Err(format!("lockfileVersion `{version}` is not known; 1, 2 and 3 are"));
    }
    let lines = json_lines(text);
    let mut found = Listing::of_list_if(file.version.is_some(), []);
    match file.packages.filter(|packages| packages.keys().any(|path| !path.is_empty())) {
        Some(packages) => {
            let mut tree = Tree::new();
            for (path, entry) in of_packages(&packages, &lines) {
                let number = tree.edges.push(&mut found, entry);
                tree.numbers.insert(Cow::Borrowed(path), number);
                let folder = packages.get(path).and_then(Option::as_ref);
                let bundled = folder.filter(|folder| folder.bundled.0);
                if let Some(version) = bundled.and_then(|folder| folder.version.as_deref()) {
                    tree.bundled.insert(number, version);
                }
            }
            for (path, folder) in &packages {
                folder.iter().for_each(|folder| tree.folder(path, folder));
            }
            tree.edges.settle(&mut found);
        }
        None => {
            let dependencies = file.dependencies.unwrap_or_default();
            let mut tree = Tree::new();
            let mut open = Vec::new();
            nested(&dependencies, &lines, ("", &mut tree, &mut open), &mut found);
            for (path, requires) in open {
                tree.asks(&path, requires, For::Running);
            }
            tree.edges.roots_are_tops();
            tree.edges.settle(&mut found);
            without_needless_keys(&mut found);
        }
    }
    Ok(found)
}

/// Longest path of a folder whose needs are looked for; npm nests some ten names of some 30 letters.
const PATH: usize = 1024;
/// How many folders above one are looked into.
const LEVELS: usize = 64;
/// How often a folder is looked for in one file: a need takes some two looks.
const LOOKS: usize = 4_000_000;

/// The folders of a file, by which needs are found.
struct Tree<'file> {
    edges: Edges,
    numbers: HashMap<Cow<'file, str>, u32>,
    /// What came in the archive of another package, with its version: that asks for no other, whatever
    /// range it writes. Source: npm, "package.json", `bundleDependencies`.
    bundled: HashMap<u32, &'file str>,
    looks: usize,
}

impl<'file> Tree<'file> {
    fn new() -> Self {
        let (numbers, bundled) = (HashMap::new(), HashMap::new());
        Self { edges: Edges::with_scopes(), numbers, bundled, looks: 0 }
    }

    fn folder(&mut self, path: &str, folder: &Folder<'_>) {
        let optional = |name: &str| folder.options.iter().any(|(other, _)| other == name);
        let is_optional = !folder.options.0.is_empty();
        // Source: npm, "package.json": what is optional may stand among the others as well.
        let needed = folder.dependencies.0.iter();
        let needed = needed.filter(|(name, _)| !is_optional || !optional(name));
        let needed: Vec<_> = needed.map(|(name, range)| (&**name, range.0.as_deref())).collect();
        self.all(path, needed.into_iter(), For::Running);
        self.asks(path, &folder.options, For::Option);
        self.asks(path, &folder.peers, For::Running);
        self.asks(path, &folder.development, For::Development);
    }

    fn asks(&mut self, path: &str, needs: &Pairs<'_>, purpose: For) {
        self.all(path, needs.iter(), purpose);
    }

    fn all<'need>(
        &mut self,
        path: &str,
        needs: impl Iterator<Item = (&'need str, Option<&'need str>)>,
        purpose: For,
    ) {
        let Some(from) = self.numbers.get(path).copied() else { return };
        for (name, range) in needs {
            if let Some(to) = self.find(path, name) {
                let range = self.bundled.get(&to).copied().or(range);
                self.edges.asks(from, to, purpose, range.and_then(npm_range));
            }
        }
    }

    /// Source: Node.js, "Loading from node_modules folders".
    fn find(&mut self, from: &str, name: &str) -> Option<u32> {
        if from.len() + name.len() > PATH {
            return None;
        }
        let mut folder = from;
        for _ in 0..LEVELS {
            self.looks = self.looks.saturating_add(1);
            if self.looks > LOOKS {
                self.edges.give_up();
                return None;
            }
            let path = match folder {
                "" => format!("node_modules/{name}"),
                _ => format!("{folder}/node_modules/{name}"),
            };
            if let Some(number) = self.numbers.get(path.as_str()) {
                return Some(*number);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            let own = folder.strip_suffix("node_modules");
            folder = own.map_or(folder, |above| above.trim_end_matches('/'));
        }
        None
    }
}

/// What `node_modules/.package-lock.json` says is installed, with the folder of each.
///
/// # Errors
/// Where it is no such file.
pub(crate) fn installed(text: &str) -> Result<Vec<(String, Declared)>, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let packages = file.packages.unwrap_or_default();
    let lines = HashMap::new();
    let listed = of_packages(&packages, &lines).filter_map(|(path, entry)| match entry {
        Entry::Package(declared) => {
            // What is linked lies where the link leads to.
            let linked = packages.get(path).and_then(|folder| folder.as_ref()?.link) == Some(true);
            (!linked).then(|| (path.to_owned(), declared))
        }
        _ => None,
    });
    Ok(listed.collect())
}

type Folders<'text> = BTreeMap<Cow<'text, str>, Option<Folder<'text>>>;

fn of_packages<'all>(
    packages: &'all Folders<'_>,
    lines: &'all HashMap<&str, u32>,
) -> impl Iterator<Item = (&'all str, Entry)> {
    let members: Vec<&str> =
        match packages.get("").and_then(|root| root.as_ref()?.workspaces.as_ref()) {
            Some(Workspaces::List(list) | Workspaces::Object { packages: list }) => {
                list.iter().map(|pattern| &**pattern).collect()
            }
            Some(Workspaces::Other(_)) | None => Vec::new(),
        };
    packages.iter().map(move |(path, folder)| {
        let line = lines.get(path.as_ref()).copied().unwrap_or(0);
        let entry = match folder {
            Some(folder) => of_folder(path, folder, packages, &members, line),
            None => Entry::Unread(line),
        };
        (path.as_ref(), entry)
    })
}

fn of_folder(
    path: &str,
    folder: &Folder<'_>,
    packages: &Folders<'_>,
    members: &[&str],
    line: u32,
) -> Entry {
    let Some(at) = path.rfind("node_modules/").map(|at| at + "node_modules/".len()) else {
        return Entry::Own;
    };
    let Some(name) = folder.name.as_deref().or_else(|| path.get(at..)) else {
        return Entry::Unread(line);
    };
    let address = match &folder.resolved {
        Some(Resolved::Address(address)) => address,
        Some(Resolved::Other(_)) | None => "",
    };
    let mut version = folder.version.as_deref();
    let elsewhere = if folder.link == Some(true) {
        if is_member(address, members) {
            return Entry::Own;
        }
        let target = packages.get(address).and_then(Option::as_ref);
        version = version.or_else(|| target?.version.as_deref());
        Some(Elsewhere::path(address))
    } else {
        Elsewhere::of_npm(address).filter(|_| !is_of_a_registry(address))
    };
    let mut declared = match (elsewhere, version) {
        (Some(elsewhere), version) => Declared::from_elsewhere(name, version, elsewhere, line),
        (None, Some(version)) => Declared::new(name, version, line),
        (None, None) => Declared::unpinned(name, line),
    };
    if let (Some(declared), Some(Licence::Text(licence))) = (&mut declared, &folder.license) {
        declared.licence = crate::language::plain_text(licence).map(str::to_owned);
    }
    if let Some(declared) = &mut declared {
        declared.scope = scope_of(folder.dev, folder.optional, folder.development_or_optional);
    }
    Entry::package(declared, line)
}

/// Whether a folder that is linked is one of the project's own members.
fn is_member(folder: &str, patterns: &[&str]) -> bool {
    let plain = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.map(str::to_owned).collect()
    };
    let folder = plain(folder);
    patterns.iter().any(|pattern| matches(&plain(pattern), &folder))
}

/// `*` and `?` in a part, `**` for any parts; a part with more than these is taken for any.
fn matches(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            // The last `**` takes all that is left; one in the midst is tried at each part, once.
            rest.is_empty()
                || rest.iter().any(|part| part == "**")
                || (0..=path.len()).any(|skip| matches(rest, path.get(skip..).unwrap_or_default()))
        }
        (Some((first, rest)), Some((part, left))) => is_part(first, part) && matches(rest, left),
        _ => false,
    }
}

fn is_part(pattern: &str, part: &str) -> bool {
    if part == ".." || pattern.contains(['{', '[', '(', '?', '!']) {
        return part != "..";
    }
    match pattern.split_once('*') {
        None => pattern == part,
        Some((before, after)) => {
            let last = after.rsplit('*').next().unwrap_or(after);
            part.len() >= before.len() + last.len()
                && part.starts_with(before)
                && part.ends_with(last)
        }
    }
}

/// What is nested below a folder; paths and needs of what is there are kept for later.
fn nested<'file>(
    dependencies: &'file BTreeMap<Cow<'_, str>, Option<Dependency<'_>>>,
    lines: &HashMap<&str, u32>,
    (above, tree, open): (&str, &mut Tree<'file>, &mut Vec<(String, &'file Pairs<'file>)>),
    found: &mut Listing,
) {
    for (name, dependency) in dependencies {
        let line = lines.get(name.as_ref()).copied().unwrap_or(0);
        let Some(dependency) = dependency else {
            found.push(Entry::Unread(line));
            continue;
        };
        let mut declared = of_version(name, dependency.version.as_deref(), line);
        if let Some(declared) = &mut declared {
            let flags = (dependency.dev, dependency.optional, dependency.development_or_optional);
            declared.scope = scope_of(flags.0, flags.1, flags.2).or(Some(Scope::Runtime));
            // What the project asks for itself lies at the top.
            if above.is_empty() {
                declared.keys = vec![Box::from(&**name)];
            }
        }
        let number = tree.edges.push(found, Entry::package(declared, line));
        if let Some(version) = dependency.version.as_deref().filter(|_| dependency.bundled.0) {
            tree.bundled.insert(number, version);
        }
        let path = match above.len() + name.len() {
            too_long if too_long > PATH => String::new(),
            _ if above.is_empty() => format!("node_modules/{name}"),
            _ => format!("{above}/node_modules/{name}"),
        };
        if !path.is_empty() {
            tree.numbers.insert(Cow::Owned(path.clone()), number);
            if !dependency.requires.0.is_empty() {
                open.push((path.clone(), &dependency.requires));
            }
        }
        if let Some(below) = &dependency.dependencies {
            nested(below, lines, (&path, tree, open), found);
        }
    }
}

/// A version, or in its place where the package comes from.
fn of_version(name: &str, version: Option<&str>, line: u32) -> Option<Declared> {
    let Some(version) = version else { return Declared::unpinned(name, line) };
    let (name, version) = match version.strip_prefix("npm:") {
        Some(alias) => split_npm(alias).unwrap_or((name, alias)),
        None => (name, version),
    };
    if let Some(named) = npm_name_at(version) {
        let known = version_of_file(&named, version);
        return known.and_then(|known| Declared::new(&named, known, line));
    }
    match Elsewhere::of_npm(version) {
        Some(elsewhere) => {
            let known = version_of_file(name, version);
            Declared::from_elsewhere(name, known, elsewhere, line)
        }
        None => Declared::new(name, version, line),
    }
}

/// Whether an address is one that registries serve packages at. Sources: npm, "package metadata";
/// GitHub Packages and the older mirrors of China serve `/download/`.
fn is_of_a_registry(address: &str) -> bool {
    let address = address.split(['#', '?']).next().unwrap_or(address);
    address.starts_with("http") && ["/-/", "/download/"].iter().any(|part| address.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_mean_what_npm_documents() {
        let scopes = |version: u32| {
            let flags = [
                ("a", ""),
                ("b", r#","dev":true"#),
                ("c", r#","optional":true"#),
                ("d", r#","dev":true,"optional":true"#),
                ("e", r#","devOptional":true"#),
            ];
            let entry = |(name, flags): (&str, &str)| {
                let folder = if version == 1 { "" } else { "node_modules/" };
                format!(r#""{folder}{name}":{{"version":"1.0.0"{flags}}}"#)
            };
            let list = if version == 1 { "dependencies" } else { "packages" };
            let entries = flags.map(entry).join(",");
            let text = format!(r#"{{"lockfileVersion":{version},"{list}":{{{entries}}}}}"#);
            let found = parse(&text).unwrap();
            found.packages.iter().map(|one| one.scope).collect::<Vec<_>>()
        };
        let told = [
            Some(Scope::Development),
            Some(Scope::Optional),
            Some(Scope::Development),
            Some(Scope::Optional),
        ];
        assert_eq!(scopes(1)[1..], told);
        assert_eq!(scopes(1)[0], Some(Scope::Runtime), "version 1 marks all that is not");
        assert_eq!(scopes(3)[1..], told);
    }

    #[test]
    fn of_several_versions_in_version_1_the_one_at_the_top_is_the_projects() {
        let text = r#"{"lockfileVersion":1,"dependencies":{
            "left":{"version":"2.0.0"},"once":{"version":"1.0.0"},
            "web":{"version":"1.0.0","requires":{"left":"^1"},
                "dependencies":{"left":{"version":"1.0.0"}}}}}"#;
        let keys: Vec<(String, usize)> = parse(text)
            .unwrap()
            .packages
            .into_iter()
            .map(|one| (format!("{}@{}", one.name, one.version), one.keys.len()))
            .collect();
        let expected = [("left@2.0.0", 1), ("once@1.0.0", 0), ("web@1.0.0", 0), ("left@1.0.0", 0)];
        assert_eq!(keys, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
