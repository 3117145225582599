//! What needs what: the packages of a report that others of the same file ask for.
//!
//! A package names what it needs by package URL, within the file or database that names both. Where a
//! file says of any of its packages what it needs, or who asks for it, one without needs has none; of
//! all others nothing is known, which is another thing, and each form says it in its own words.

use std::collections::{HashMap, HashSet, VecDeque};
use vocabulary::{Location, Package, Purl, Relation};

/// How far from the project the path to a package is followed.
const PATH: usize = 64;

/// The edges between the packages of a report, by their places in it.
pub(crate) struct Edges<'report> {
    packages: &'report [Package],
    /// Places of the packages that others may name, by the file that says so.
    places: HashMap<(Option<&'report str>, &'report Purl), usize>,
    /// The files that say what their packages need.
    telling: HashSet<Option<&'report str>>,
}

impl<'report> Edges<'report> {
    pub(crate) fn of(packages: &'report [Package]) -> Self {
        let telling: HashSet<Option<&str>> = packages
            .iter()
            .filter(|package| !package.requires.is_empty() || package.relation.is_some())
            .map(file_of)
            .collect();
        let mut places = HashMap::new();
        for (index, package) in packages.iter().enumerate() {
            let file = file_of(package);
            if telling.contains(&file) {
                places.entry((file, &package.purl)).or_insert(index);
            }
        }
        Self { packages, places, telling }
    }

    /// Whether it is known what a package needs, even where that is nothing.
    pub(crate) fn are_known(&self, package: &Package) -> bool {
        self.telling.contains(&file_of(package))
    }

    /// What a package needs, by place, each once and in order; without what the file does not list.
    pub(crate) fn needs(&self, package: &'report Package) -> Vec<usize> {
        let file = file_of(package);
        let place = |purl| self.places.get(&(file, purl)).copied();
        let mut places: Vec<usize> = package.requires.iter().filter_map(place).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// For each package of a file that the project does not ask for itself, who brings it: the place
    /// of the next one on the shortest way to a package that the project asks for.
    pub(crate) fn brought_by(&self) -> HashMap<usize, usize> {
        let direct = self.packages.iter().enumerate();
        let direct = direct.filter(|(_, package)| package.relation == Some(Relation::Direct));
        let mut next: VecDeque<usize> = direct.map(|(index, _)| index).collect();
        let mut seen: HashSet<usize> = next.iter().copied().collect();
        let mut brought = HashMap::new();
        while let Some(index) = next.pop_front() {
            let Some(package) = self.packages.get(index) else { continue };
            for needed in self.needs(package) {
                if seen.insert(needed) {
                    brought.insert(needed, index);
                    next.push_back(needed);
                }
            }
        }
        brought
    }
}

/// The way to a package, beginning with the one that the project asks for, without itself.
pub(crate) fn path_to(brought: &HashMap<usize, usize>, index: usize) -> Vec<usize> {
    let above = std::iter::successors(brought.get(&index), |above| brought.get(above));
    let mut path: Vec<usize> = above.take(PATH).copied().collect();
    path.reverse();
    path
}

fn file_of(package: &Package) -> Option<&str> {
    match &package.location {
        Location::File { path, .. } => Some(path),
        Location::Subject | Location::Layer { .. } | Location::Process { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Ecosystem;

    fn package(name: &str, file: &str, relation: Option<Relation>, requires: &[&str]) -> Package {
        let purl = |name: &str| -> Purl { format!("pkg:npm/{name}@1").parse().unwrap() };
        let location = Location::file(file, None);
        let mut package = Package::new(purl(name), Ecosystem::NPM, name, "1", location);
        package.relation = relation;
        package.requires = requires.iter().map(|name| purl(name)).collect();
        package
    }

    #[test]
    fn edges_stay_within_their_file_and_unknown_is_not_none() {
        let packages = [
            package("a", "one.lock", Some(Relation::Direct), &["b", "gone", "b"]),
            package("b", "one.lock", Some(Relation::Indirect), &["c"]),
            package("c", "one.lock", Some(Relation::Indirect), &["a"]),
            package("b", "two.lock", None, &[]),
        ];
        let edges = Edges::of(&packages);
        assert_eq!(edges.needs(&packages[0]), [1]);
        assert_eq!(edges.needs(&packages[2]), [0]);
        assert!(edges.are_known(&packages[2]) && !edges.are_known(&packages[3]));
        let brought = edges.brought_by();
        assert_eq!(path_to(&brought, 2), [0, 1]);
        assert!(path_to(&brought, 0).is_empty() && path_to(&brought, 3).is_empty());
    }
}
