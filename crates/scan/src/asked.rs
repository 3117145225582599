//! Who asks for what, as lock files and bills of materials say: a graph for each file.
//!
//! It is made before packages that a lock file names are taken for those that are installed below it:
//! the installed ones know no range and nobody who asks for them. Advice is made of it, no verdict.

use image::Cataloged;
use std::collections::{BTreeMap, HashMap, HashSet};
use vocabulary::{Package, Purl, Relation};

/// The graphs of all files that say who asks for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    files: BTreeMap<String, File>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct File {
    of_bill: bool,
    nodes: Vec<Node>,
    by_purl: HashMap<Purl, Vec<u32>>,
}

/// One package of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) purl: Purl,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) relation: Option<Relation>,
    /// What it asks for, by place.
    pub(crate) needs: Vec<Need>,
    /// Who asks for it.
    pub(crate) asked_by: Vec<u32>,
}

/// What a package asks for, and in which words; none where the file does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) node: u32,
    pub(crate) ranges: Vec<Box<str>>,
}

impl Asked {
    /// What a file says of packages of programs. Distributions mend theirs together.
    pub(crate) fn of_cataloged(all: &[Cataloged]) -> Self {
        Self::of(all.iter().map(|one| (&one.package, one.ranges.as_slice())))
    }

    /// The same of the packages of a bill of materials: those without a file are of the bill itself.
    pub(crate) fn of_bill(all: &[Package]) -> Self {
        let mut asked = Self::of(all.iter().map(|package| (package, [].as_slice())));
        asked.files.values_mut().for_each(|file| file.of_bill = true);
        asked
    }

    fn of<'all>(all: impl Iterator<Item = (&'all Package, &'all [Vec<Box<str>>])> + Clone) -> Self {
        let of_programs = all.filter(|(package, _)| !package.ecosystem.is_distribution());
        let tells = |package: &Package| package.relation.is_some() || !package.requires.is_empty();
        let telling = of_programs.clone().filter(|(package, _)| tells(package));
        let files: HashSet<&str> = telling.map(|(package, _)| file_of(package)).collect();
        let told = of_programs.filter(|(package, _)| files.contains(file_of(package)));
        let mut asked = Self::default();
        for (package, _) in told.clone() {
            let path = file_of(package);
            let file = match asked.files.get_mut(path) {
                Some(file) => file,
                None => asked.files.entry(path.to_owned()).or_default(),
            };
            file.add(package);
        }
        for (package, ranges) in told {
            if let Some(file) = asked.files.get_mut(file_of(package)) {
                file.connect(package, ranges);
            }
        }
        let nodes = asked.files.values_mut().flat_map(|file| &mut file.nodes);
        nodes.for_each(|node| node.needs.sort_by_key(|need| need.node));
        asked
    }

    /// The files in which a package stands, with its place there: its own, or one that lies above it.
    pub(crate) fn places<'asked>(
        &'asked self,
        package: &'asked Package,
    ) -> impl Iterator<Item = (&'asked str, &'asked File, u32)> {
        let path = package.location.path().unwrap_or_default();
        let bare = package.purl.bare();
        self.files.iter().flat_map(move |(file_path, file)| {
            let folder = file_path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let below = folder.is_empty()
                || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            let nodes = match below || path == file_path {
                true => file.by_purl.get(&bare).map(Vec::as_slice).unwrap_or_default(),
                false => &[],
            };
            nodes.iter().map(move |node| (file_path.as_str(), file, *node))
        })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }
}

/// The file that names a package; none of its own for what a bill names without one.
fn file_of(package: &Package) -> &str {
    package.location.path().unwrap_or_default()
}

impl File {
    /// Whether a bill of materials says it, and not the file itself.
    pub(crate) const fn is_of_bill(&self) -> bool {
        self.of_bill
    }

    fn add(&mut self, package: &Package) {
        let Ok(place) = u32::try_from(self.nodes.len()) else { return };
        self.nodes.push(Node {
            purl: package.purl.clone(),
            name: package.name.clone(),
            version: package.version.clone(),
            relation: package.relation,
            needs: Vec::new(),
            asked_by: Vec::new(),
        });
        self.by_purl.entry(package.purl.bare()).or_default().push(place);
    }

    fn find(&self, purl: &Purl) -> Option<u32> {
        let places = self.by_purl.get(&purl.bare())?;
        places
            .iter()
            .copied()
            .find(|place| self.node(*place).is_some_and(|node| node.purl == *purl))
    }

    fn connect(&mut self, package: &Package, ranges: &[Vec<Box<str>>]) {
        let Some(from) = self.find(&package.purl) else { return };
        for (at, purl) in package.requires.iter().enumerate() {
            let Some(to) = self.find(purl) else { continue };
            let ranges = ranges.get(at).cloned().unwrap_or_default();
            if let Some(node) = self.node_mut(from) {
                node.needs.push(Need { node: to, ranges });
            }
            if let Some(node) = self.node_mut(to) {
                node.asked_by.push(from);
            }
        }
    }

    pub(crate) fn node(&self, place: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(place).ok()?)
    }

    fn node_mut(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(place).ok()?)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0..).zip(&self.nodes)
    }

    /// In which words one package asks for another.
    pub(crate) fn ranges(&self, from: u32, to: u32) -> &[Box<str>] {
        let needs = self.node(from).map(|node| node.needs.as_slice()).unwrap_or_default();
        let at = needs.partition_point(|need| need.node < to);
        let need = needs.get(at).filter(|need| need.node == to);
        need.map_or(&[], |need| need.ranges.as_slice())
    }
}
