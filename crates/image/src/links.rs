//! Hard links of one layer: which content each names, and what must be read again under its name.
//!
//! A hard link is another name of a file, and what a reader makes of a file depends on its name. So a
//! link has the facts that its file has, and the problems; where a reader that its own name concerns
//! has neither, because the file's first name concerned it not or told it nothing, the file is asked
//! for again under the link's. In one tar a path may come several times: a link names what lay at its
//! target when the link was made, as when the tar is unpacked.

use crate::dispatch::Concerned;
use crate::facts::{LINK_LIMIT, PathHasher};
use std::collections::HashMap;

/// Files of one layer that are to be looked at under other names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Aliases {
    /// By path in the layer, sorted.
    files: Vec<(String, Alias)>,
    /// Folders, with a slash at the end: all that lies below is taken for what lies below the alias.
    folders: Vec<(String, Alias)>,
}

/// What a file is to be taken for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    /// The other name.
    pub path: String,
    /// The readers that it is shown to.
    pub readers: Concerned,
    /// Which of several entries of that path; the last where it is not said.
    pub(crate) place: Option<u32>,
}

impl Aliases {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty()
    }

    /// Takes the file at `real` for another.
    pub(crate) fn add_file(&mut self, real: String, alias: Alias) {
        self.files.push((real, alias));
    }

    /// Takes the folder `real` for another.
    pub(crate) fn add_folder(&mut self, real: &str, alias: Alias) {
        self.folders.push((format!("{real}/"), alias));
    }

    /// Sorts them, for finding and so that the same ones are told from others.
    pub(crate) fn settle(&mut self) {
        self.files.sort_unstable();
        self.files.dedup();
        self.folders.sort_unstable();
        self.folders.dedup();
    }

    /// Calls `each` with the other names of a file and the readers that are to see it there.
    pub(crate) fn of(&self, path: &str, place: u32, mut each: impl FnMut(&str, &Concerned)) {
        let first = self.files.partition_point(|(real, _)| real.as_str() < path);
        let same = self.files.get(first..).unwrap_or_default().iter();
        for (_, alias) in same.take_while(|(real, _)| real == path) {
            if alias.place.is_none_or(|wanted| wanted == place) {
                each(&alias.path, &alias.readers);
            }
        }
        for (folder, alias) in &self.folders {
            if let Some(rest) = path.strip_prefix(folder.as_str()) {
                each(&format!("{}/{rest}", alias.path), &alias.readers);
            }
        }
    }

    /// Whether a file at this path, or one below it, is looked at.
    #[must_use]
    pub fn leads_to(&self, path: &str) -> bool {
        let above = |place: &str| {
            place == path || place.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        let first = self.files.partition_point(|(real, _)| real.as_str() < path);
        self.files
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(|(real, _)| real.starts_with(path))
            .any(|(real, _)| above(real))
            || self.folders.iter().any(|(folder, _)| {
                path.starts_with(folder.as_str()) || above(folder.trim_end_matches('/'))
            })
    }

    /// Whether a file at this path is looked at.
    #[must_use]
    pub fn takes(&self, path: &str) -> bool {
        self.files.binary_search_by(|(real, _)| real.as_str().cmp(path)).is_ok()
            || self.folders.iter().any(|(folder, _)| path.starts_with(folder.as_str()))
    }

    /// Those that one reader is to see, and nobody else: what they are does not depend on its number.
    #[must_use]
    pub fn of_reader(&self, reader: u16) -> Vec<(&str, &str, Option<u32>)> {
        let all = self.files.iter().chain(&self.folders);
        let own = all.filter(|(_, alias)| alias.readers.contains(reader));
        own.map(|(real, alias)| (real.as_str(), alias.path.as_str(), alias.place)).collect()
    }

    /// Those that any of these readers is to see.
    #[must_use]
    pub fn only(&self, wanted: &Concerned) -> Self {
        let those = |all: &[(String, Alias)]| -> Vec<(String, Alias)> {
            let own = all.iter().filter_map(|(real, alias)| {
                let readers = alias.readers.clone().meet(wanted);
                (!readers.is_empty()).then(|| (real.clone(), Alias { readers, ..alias.clone() }))
            });
            own.collect()
        };
        Self { files: those(&self.files), folders: those(&self.folders) }
    }

    /// The readers that are to see any.
    #[must_use]
    pub fn readers(&self) -> Concerned {
        let mut readers = Concerned::default();
        for (_, of_alias) in self.names() {
            of_alias.iter().for_each(|reader| readers.insert(reader));
        }
        readers
    }

    /// Every other name, with the readers that are to see it.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Concerned)> {
        let all = self.files.iter().chain(&self.folders);
        all.map(|(_, alias)| (alias.path.as_str(), &alias.readers))
    }
}

/// The hard links of one layer, by the places of their entries.
pub(crate) struct Origins<'layer> {
    hasher: &'layer PathHasher,
    links: HashMap<u32, &'layer str>,
    /// The places of the entries of each path that is of interest, in their order.
    places: HashMap<u64, Vec<u32>>,
}

impl<'layer> Origins<'layer> {
    /// `order` holds the hash of each entry's path; `links` are path and target, in the order of
    /// `at`, which are the places of their entries.
    pub(crate) fn of(
        links: &'layer [(String, String)],
        at: &[u32],
        order: &[u64],
        hasher: &'layer PathHasher,
    ) -> Self {
        let mut places: HashMap<u64, Vec<u32>> = HashMap::new();
        for (path, target) in links {
            places.entry(hasher.hash(path)).or_default();
            places.entry(hasher.hash(target)).or_default();
        }
        for (hash, place) in order.iter().zip(0_u32..) {
            if let Some(known) = places.get_mut(hash) {
                known.push(place);
            }
        }
        let links = at.iter().copied().zip(links.iter().map(|(_, target)| target.as_str()));
        Self { hasher, links: links.collect(), places }
    }

    fn places_of(&self, path: &str) -> &[u32] {
        self.places.get(&self.hasher.hash(path)).map_or(&[], Vec::as_slice)
    }

    /// The path and place of the content that a link at `place` to `target` names; none where this
    /// layer does not hold it.
    pub(crate) fn origin(&self, target: &'layer str, place: u32) -> Option<(&'layer str, u32)> {
        let (mut target, mut before) = (target, place);
        for _ in 0..LINK_LIMIT {
            let places = self.places_of(target);
            let earlier = places.partition_point(|at| *at < before);
            // One that comes only later is taken all the same: better read than not.
            let at = places.get(earlier.saturating_sub(1)).copied().filter(|at| *at != before)?;
            match self.links.get(&at) {
                Some(next) => (target, before) = (next, at),
                None => return Some((target, at)),
            }
        }
        None
    }

    /// Whether no later entry of the layer replaces the one at `place`.
    pub(crate) fn is_last(&self, path: &str, place: u32) -> bool {
        self.places_of(path).last() == Some(&place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_what_lay_there_when_it_was_made() {
        let hasher = PathHasher::new([1; 16]);
        let names = ["a", "b", "c", "a", "d", "e"];
        let order: Vec<u64> = names.iter().map(|name| hasher.hash(name)).collect();
        // b -> a (the first), c -> b, d -> a (the second), e -> nothing here.
        let links: Vec<(String, String)> = [("b", "a"), ("c", "b"), ("d", "a"), ("e", "gone")]
            .map(|(path, target)| (path.to_owned(), target.to_owned()))
            .to_vec();
        let origins = Origins::of(&links, &[1, 2, 4, 5], &order, &hasher);
        assert_eq!(origins.origin("a", 1), Some(("a", 0)));
        assert_eq!(origins.origin("b", 2), Some(("a", 0)));
        assert_eq!(origins.origin("a", 4), Some(("a", 3)));
        assert_eq!(origins.origin("gone", 5), None);
        assert!(origins.is_last("a", 3) && !origins.is_last("a", 0));
    }

    #[test]
    fn loops_of_links_end() {
        let hasher = PathHasher::new([1; 16]);
        let order = [hasher.hash("a"), hasher.hash("b")];
        let links = vec![("a".to_owned(), "b".to_owned()), ("b".to_owned(), "a".to_owned())];
        let origins = Origins::of(&links, &[0, 1], &order, &hasher);
        assert_eq!(origins.origin("b", 0), None);
        assert_eq!(origins.origin("a", 1), None);
    }

    #[test]
    fn folders_stand_for_folders() {
        let alias =
            |path: &str| Alias { path: path.into(), readers: Concerned::default(), place: None };
        let mut aliases = Aliases::default();
        aliases.add_file("opt/x".into(), alias("var/x"));
        aliases.add_folder("opt/dpkg", alias("var/lib/dpkg"));
        aliases.settle();
        let of = |path: &str| {
            let mut names = Vec::new();
            aliases.of(path, 0, |name, _| names.push(name.to_owned()));
            names
        };
        assert_eq!(of("opt/x"), ["var/x"]);
        assert_eq!(of("opt/dpkg/info/a"), ["var/lib/dpkg/info/a"]);
        assert!(of("opt/dpkgs/info/a").is_empty() && of("opt").is_empty());
        assert!(aliases.leads_to("opt") && aliases.leads_to("opt/dpkg/info"));
        assert!(!aliases.leads_to("op") && !aliases.leads_to("opt/xy"));
        assert!(
            aliases.takes("opt/x") && aliases.takes("opt/dpkg/a") && !aliases.takes("opt/dpkg")
        );
    }
}
