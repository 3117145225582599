//! Finds files of a crate that need each other in a circle.
//!
//! In go the sources of a crate, out come the groups of files in which each leads to each other by the
//! paths that it names. A directory with its file counts as one: what stands directly below `src` are the
//! parts that a reader meets. What a root only hands on (`pub use`) is followed to where it is defined.
//! Tests are left out.

use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// Names of a path, from the crate's root.
type Names = Vec<String>;
/// Which parts of a crate name which others.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// How often a name that is handed on is followed.
const HANDED_ON: usize = 8;
/// What the root of a crate is called here.
const ROOT: &str = "lib";

/// The circles of the crate whose sources stand in a folder, each sorted.
pub(crate) fn of(sources: &Path) -> Result<Vec<Vec<String>>> {
    let mut modules = BTreeMap::new();
    let root = ["lib.rs", "main.rs"].map(|name| sources.join(name)).into_iter();
    for root in root.filter(|path| path.is_file()) {
        read(&root, Names::new(), sources, &mut modules)?;
    }
    Ok(circles(&graph(&modules)))
}

/// What a file names.
#[derive(Default)]
struct Module {
    /// Where it is.
    at: Names,
    /// Modules that stand in files of their own.
    children: BTreeSet<String>,
    /// Paths that it uses, as far as they lead into the crate.
    paths: BTreeSet<Names>,
    /// What it hands on, by name.
    handed_on: BTreeMap<String, Names>,
}

/// Reads a file and those that it declares.
fn read(
    path: &Path,
    at: Names,
    folder: &Path,
    modules: &mut BTreeMap<Names, Module>,
) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{}` cannot be read", path.display()))?;
    let file =
        syn::parse_file(&text).with_context(|| format!("`{}` cannot be parsed", path.display()))?;
    let mut module = Module { at: at.clone(), ..Module::default() };
    module.children = children(&file.items);
    let mut reading = Reading { module: &mut module };
    file.items.iter().for_each(|item| reading.visit_item(item));
    for name in module.children.clone() {
        if let Some(child) = file_of(folder, &name) {
            let mut below = at.clone();
            below.push(name.clone());
            read(&child, below, &folder.join(&name), modules)?;
        }
    }
    modules.insert(at, module);
    Ok(())
}

/// The modules that items declare without their content, but for those of tests.
fn children(items: &[syn::Item]) -> BTreeSet<String> {
    let declared = items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && !is_of_tests(&module.attrs) => {
            Some(module.ident.to_string())
        }
        _ => None,
    });
    declared.collect()
}

fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let paths = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
    paths.into_iter().find(|path| path.is_file())
}

fn is_of_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}

/// Collects what a file names.
struct Reading<'module> {
    module: &'module mut Module,
}

impl Reading<'_> {
    /// Adds a path, if it leads into the crate.
    fn add(&mut self, path: &[String]) {
        if let Some(path) = self.module.absolute(path) {
            self.module.paths.insert(path);
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &[String], hands_on: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (path, name) = match tree {
            syn::UseTree::Path(path) => {
                return self.tree(&path.tree, &with(&path.ident), hands_on);
            }
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.tree(tree, before, hands_on));
            }
            syn::UseTree::Name(name) => (with(&name.ident), Some(name.ident.to_string())),
            syn::UseTree::Rename(name) => (with(&name.ident), Some(name.rename.to_string())),
            syn::UseTree::Glob(_) => (before.to_vec(), None),
        };
        match name.filter(|_| hands_on) {
            Some(name) => {
                if let Some(path) = self.module.absolute(&path) {
                    self.module.handed_on.insert(name, path);
                }
            }
            None => self.add(&path),
        }
    }
}

impl<'ast> Visit<'ast> for Reading<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !is_of_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let hands_on = !matches!(item.vis, syn::Visibility::Inherited);
        self.tree(&item.tree, &[], hands_on);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Names = path.segments.iter().map(|one| one.ident.to_string()).collect();
        if names.len() > 1 {
            self.add(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string();
        // Tokens are written with blanks around `::`, or without.
        let text = text.replace(" :: ", "::");
        let is_path = |one: char| one.is_alphanumeric() || one == '_' || one == ':';
        for word in text.split(|one: char| !is_path(one)).filter(|word| word.contains("::")) {
            let names: Names = word.split("::").map(str::to_owned).collect();
            self.add(&names);
        }
        visit::visit_macro(self, call);
    }
}

impl Module {
    /// A path from the crate's root, if it leads into the crate.
    fn absolute(&self, path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([self.at.as_slice(), rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let base = self.at.get(..self.at.len().checked_sub(ups)?)?;
                Some([base, path.get(ups..)?].concat())
            }
            _ if self.children.contains(first) => Some([self.at.as_slice(), path].concat()),
            _ => None,
        }
    }
}

/// Which part of the crate a path leads to.
fn part_of(modules: &BTreeMap<Names, Module>, path: &[String], turns: usize) -> String {
    let known = (0..=path.len()).rev().find_map(|length| {
        let start = path.get(..length)?;
        modules.get(start).map(|module| (module, path.get(length..).unwrap_or_default()))
    });
    let Some((module, rest)) = known else { return ROOT.to_owned() };
    if let Some((name, rest)) = rest.split_first()
        && let Some(to) = module.handed_on.get(name)
        && turns < HANDED_ON
    {
        return part_of(modules, &[to.as_slice(), rest].concat(), turns + 1);
    }
    module.at.first().cloned().unwrap_or_else(|| ROOT.to_owned())
}

fn graph(modules: &BTreeMap<Names, Module>) -> Graph {
    let mut graph = Graph::new();
    for (at, module) in modules {
        let own = at.first().cloned().unwrap_or_else(|| ROOT.to_owned());
        let named: Vec<String> =
            module.paths.iter().map(|path| part_of(modules, path, 0)).collect();
        let named = named.into_iter().filter(|part| *part != own);
        graph.entry(own.clone()).or_default().extend(named);
    }
    graph
}

/// The groups of parts in which each leads to each other: what is reached from both sides.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        graph.keys().map(|from| (from, reached(graph, from))).collect();
    let meet = |one: &String, other: &String| {
        reached.get(one).is_some_and(|of_one| of_one.contains(other))
            && reached.get(other).is_some_and(|of_other| of_other.contains(one))
    };
    let mut circles: Vec<Vec<String>> = Vec::new();
    for part in graph.keys().filter(|part| meet(part, part)) {
        match circles.iter_mut().find(|one| one.first().is_some_and(|first| meet(first, part))) {
            Some(circle) => circle.push(part.clone()),
            None => circles.push(vec![part.clone()]),
        }
    }
    circles
}

/// What a part leads to, directly or over others; itself only over others.
fn reached<'graph>(graph: &'graph Graph, from: &String) -> BTreeSet<&'graph String> {
    let mut found = BTreeSet::new();
    let mut left: Vec<&String> = graph.get(from).into_iter().flatten().collect();
    while let Some(part) = left.pop() {
        if found.insert(part) {
            left.extend(graph.get(part).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        of(folder.path()).unwrap()
    }

    #[test]
    fn files_that_need_each_other_are_a_circle() {
        let found = circles_of(&[
            ("lib.rs", "mod one; mod two; mod three; pub use one::One;"),
            ("one.rs", "use crate::two::Two; pub struct One(Two);"),
            ("two.rs", "use crate::three; pub struct Two; fn f() { three::g() }"),
            ("three.rs", "use crate::One; pub fn g() {}"),
        ]);
        assert_eq!(found, [["one", "three", "two"]]);
    }

    #[test]
    fn a_circle_over_the_root_or_in_a_macro_is_one() {
        let found = circles_of(&[
            ("main.rs", "mod one; mod two; fn main() { one::f() } pub(crate) struct Mine;"),
            ("one.rs", "pub fn f() { println!(\"{:?}\", crate::two::NAME) }"),
            ("two.rs", "pub const NAME: &str = \"\"; fn g(_: crate::Mine) {}"),
        ]);
        assert_eq!(found, [["lib", "one", "two"]]);
    }

    #[test]
    fn tests_and_a_directory_with_its_file_are_none() {
        let found = circles_of(&[
            ("lib.rs", "mod one; mod two;"),
            (
                "one.rs",
                "mod inner; pub struct One; use inner::Inner; #[cfg(test)] mod tests { use crate::two::Two; }",
            ),
            ("one/inner.rs", "use super::One; pub struct Inner(One);"),
            ("two.rs", "use crate::one::One; pub struct Two(One);"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
