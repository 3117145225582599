//! What a POM means with its parents, imports and dependencies.

use super::super::listing::{Entry, Listing};
use super::super::requirements::beside;
use super::super::{Declared, Part};
use super::counts;
use super::pom::{Coordinates, Dependency, Parent, Pom};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// Longest chain of parents and imports; real ones have about five.
const CHAIN: usize = 16;
/// How often a property may lead to another.
const STEPS: usize = 8;
/// Longest text that properties may make.
const TEXT: usize = 1_000;
/// Most packages that one POM needs in turn; the largest real ones have some thousand.
const TRANSITIVE: usize = 20_000;
/// Most managed versions that are taken over in all: POMs that import each other could have them squared.
const MANAGED: usize = 3_000_000;

/// A POM with what it inherits and imports, all properties replaced that are known.
#[derive(Default)]
struct Model {
    managed: HashMap<(String, String), Managed>,
    dependencies: Vec<Resolved>,
    /// Parents and imports that are not there.
    missing: Vec<String>,
}

#[derive(Clone, Default)]
struct Managed {
    version: Option<String>,
    scope: String,
    exclusions: Rc<[(String, String)]>,
}

#[derive(Clone)]
struct Resolved {
    group: String,
    artifact: String,
    /// None where it is not known or is a range.
    version: Option<String>,
    scope: String,
    optional: bool,
    exclusions: Rc<[(String, String)]>,
    line: u32,
    /// Whether a POM of the project itself names it, which lists it.
    of_parent: bool,
}

pub(super) fn join(parts: &[Part<'_>]) -> Vec<Option<Listing>> {
    let poms: Vec<Option<Pom>> =
        parts.iter().map(|part| postcard::from_bytes(part.fact).ok()).collect();
    let mut poms = Poms {
        parts,
        poms: &poms,
        by_path: parts.iter().enumerate().map(|(at, part)| (part.path, at)).collect(),
        by_coordinates: HashMap::new(),
        models: HashMap::new(),
        busy: HashSet::new(),
        managed: 0,
    };
    for (at, pom) in poms.poms.iter().enumerate() {
        if let Some(coordinates) = pom.as_ref().map(own) {
            // The project's own come before those of a repository.
            let first = counts(parts.get(at).map_or("", |part| part.path));
            if first || !poms.by_coordinates.contains_key(&coordinates) {
                poms.by_coordinates.insert(coordinates, at);
            }
        }
    }
    let counting = parts.iter().enumerate();
    counting.map(|(at, part)| counts(part.path).then(|| poms.listing(at))).collect()
}

/// Its coordinates; what it does not write is its parent's.
fn own(pom: &Pom) -> Coordinates {
    let mut own = pom.coordinates.clone();
    if let Some(Parent { coordinates, .. }) = &pom.parent {
        if own.group.is_empty() {
            own.group.clone_from(&coordinates.group);
        }
        if own.version.is_empty() {
            own.version.clone_from(&coordinates.version);
        }
    }
    own
}

struct Poms<'all> {
    parts: &'all [Part<'all>],
    poms: &'all [Option<Pom>],
    by_path: HashMap<&'all str, usize>,
    by_coordinates: HashMap<Coordinates, usize>,
    models: HashMap<usize, Rc<Model>>,
    /// Those whose imports are being read: POMs that import each other are of no use to Maven either.
    busy: HashSet<usize>,
    managed: usize,
}

impl<'all> Poms<'all> {
    fn listing(&mut self, at: usize) -> Listing {
        let model = self.model(at, 0);
        let shipped = model.dependencies.iter().filter(|one| is_shipped(&one.scope));
        let shipped: Vec<&Resolved> = shipped.collect();
        let mut listing = Listing::of_list(
            shipped.iter().filter(|one| !one.of_parent).map(|one| listed(one, one.line)),
        );
        if shipped.is_empty() {
            return listing;
        }
        let unknown = self.transitive(&model, &shipped, &mut listing);
        for missing in &model.missing {
            listing.gaps.push(format!(
                "`{missing}` is not in the folder: what it sets and adds is not known"
            ));
        }
        if unknown > 0 {
            let of = shipped.len();
            listing.gaps.push(format!(
                "what its {of} dependencies need in turn is not known in full, since {unknown} POMs are not in the folder; scan what is built of it, or with its local repository (`.m2`) inside"
            ));
        }
        if self.managed > MANAGED {
            listing.gaps.push("the POMs of this folder manage too many versions".to_owned());
        }
        listing
    }

    /// Lists what the dependencies need in turn, nearest first as Maven takes them; counts the POMs that
    /// are not there.
    fn transitive(&mut self, root: &Model, direct: &[&Resolved], listing: &mut Listing) -> usize {
        let mut unknown = 0;
        let mut seen: HashSet<(String, String)> =
            direct.iter().map(|one| (one.group.clone(), one.artifact.clone())).collect();
        let mut pending: VecDeque<(Resolved, u32)> =
            direct.iter().map(|one| ((*one).clone(), one.line)).collect();
        while let Some((from, line)) = pending.pop_front() {
            let found = from.version.as_ref().and_then(|version| {
                let coordinates = Coordinates {
                    group: from.group.clone(),
                    artifact: from.artifact.clone(),
                    version: version.clone(),
                };
                self.by_coordinates.get(&coordinates).copied()
            });
            let Some(at) = found else {
                unknown += 1;
                continue;
            };
            let model = self.model(at, 0);
            unknown += model.missing.len();
            for one in &model.dependencies {
                let key = (one.group.clone(), one.artifact.clone());
                let needed = matches!(one.scope.as_str(), "" | "compile" | "runtime");
                if !needed
                    || one.optional
                    || is_excluded(&from.exclusions, one)
                    || seen.contains(&key)
                {
                    continue;
                }
                let managed = root.managed.get(&key);
                // What is managed holds for what is needed in turn, too.
                if managed.is_some_and(|managed| !is_shipped(&managed.scope)) {
                    continue;
                }
                if seen.len() >= TRANSITIVE {
                    return unknown + 1;
                }
                seen.insert(key);
                let version = managed.and_then(|managed| managed.version.clone());
                let exclusions = [&*from.exclusions, &*one.exclusions].concat();
                let one = Resolved {
                    version: version.or_else(|| one.version.clone()),
                    exclusions: exclusions.into(),
                    ..one.clone()
                };
                self.managed += 1;
                if self.managed > MANAGED {
                    return unknown + 1;
                }
                listing.push(listed(&one, line));
                pending.push_back((one, line));
            }
        }
        unknown
    }

    fn model(&mut self, at: usize, depth: usize) -> Rc<Model> {
        if let Some(model) = self.models.get(&at) {
            return Rc::clone(model);
        }
        self.busy.insert(at);
        let (chain, mut missing) = self.chain(at);
        let properties = properties(&chain.iter().map(|(_, pom)| *pom).collect::<Vec<_>>());
        let mut model = Model::default();
        let mut imports = Vec::new();
        for one in chain.iter().flat_map(|(_, pom)| &pom.managed) {
            let coordinates = expanded(&properties, &one.coordinates);
            if one.scope == "import" && one.kind == "pom" {
                imports.push((coordinates, &one.coordinates));
            } else if let Some(coordinates) = coordinates {
                self.manage(&mut model, coordinates, one);
            }
        }
        for (coordinates, written) in imports {
            let found = coordinates.and_then(|of| self.by_coordinates.get(&of).copied());
            let import =
                found.filter(|_| depth < CHAIN).map(|import| self.model(import, depth + 1));
            match import {
                Some(import) => self.import(&mut model, &import),
                None => missing.push(shown(written)),
            }
        }
        let this = chain.first().map(|(at, _)| *at);
        for (from, pom) in &chain {
            let path = self.parts.get(*from).map_or("", |part| part.path);
            let of_parent = Some(*from) != this && counts(path);
            let dependencies = pom.dependencies.iter();
            model.dependencies.extend(
                dependencies
                    .filter_map(|one| resolved(one, &properties, &model.managed, of_parent)),
            );
        }
        model.missing = missing;
        let model = Rc::new(model);
        self.busy.remove(&at);
        self.models.insert(at, Rc::clone(&model));
        model
    }

    fn manage(&mut self, model: &mut Model, coordinates: Coordinates, one: &Dependency) {
        self.managed += 1;
        if self.managed > MANAGED {
            return;
        }
        let Coordinates { group, artifact, version } = coordinates;
        model.managed.entry((group, artifact)).or_insert_with(|| Managed {
            version: single(version),
            scope: one.scope.clone(),
            exclusions: one.exclusions.clone().into(),
        });
    }

    fn import(&mut self, model: &mut Model, import: &Model) {
        self.managed += import.managed.len();
        if self.managed > MANAGED {
            return;
        }
        for (key, managed) in &import.managed {
            model.managed.entry(key.clone()).or_insert_with(|| managed.clone());
        }
        model.missing.extend(import.missing.iter().cloned());
    }

    /// The POM and its parents, nearest first, and the parent that is not there.
    fn chain(&self, at: usize) -> (Vec<(usize, &'all Pom)>, Vec<String>) {
        let mut chain = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(at);
        while let Some(at) = next.take() {
            let Some(Some(pom)) = self.poms.get(at) else { break };
            seen.insert(at);
            chain.push((at, pom));
            let Some(parent) = &pom.parent else { break };
            next = self.parent(at, parent).filter(|next| !seen.contains(next));
            if next.is_none() || chain.len() >= CHAIN {
                return (chain, vec![shown(&parent.coordinates)]);
            }
        }
        (chain, Vec::new())
    }

    /// By its path, where that POM is the one meant, else by its coordinates.
    fn parent(&self, at: usize, parent: &Parent) -> Option<usize> {
        let path = parent.path.as_deref().unwrap_or("../pom.xml");
        let from = self.parts.get(at)?.path;
        let beside_it = Some(path).filter(|path| !path.is_empty()).and_then(|path| {
            let path = beside(from, path)?;
            let inside = format!("{path}/pom.xml");
            let inside = inside.trim_start_matches('/');
            self.by_path.get(path.as_str()).or_else(|| self.by_path.get(inside)).copied()
        });
        let wanted = &parent.coordinates;
        let is_meant = |at: &usize| {
            let found = self.poms.get(*at).and_then(Option::as_ref).map(own);
            found.is_some_and(|found| {
                found.artifact == wanted.artifact && found.group == wanted.group
            })
        };
        beside_it.filter(is_meant).or_else(|| self.by_coordinates.get(wanted).copied())
    }
}

fn is_shipped(scope: &str) -> bool {
    !matches!(scope, "test" | "provided" | "system" | "import")
}

fn is_excluded(exclusions: &[(String, String)], one: &Resolved) -> bool {
    let same = |pattern: &str, text: &str| pattern == "*" || pattern == text;
    exclusions
        .iter()
        .any(|(group, artifact)| same(group, &one.group) && same(artifact, &one.artifact))
}

fn listed(one: &Resolved, line: u32) -> Entry {
    let name = format!("{}:{}", one.group, one.artifact);
    let declared = match &one.version {
        Some(version) => Declared::new(&name, version, line),
        None => Declared::unpinned(&name, line),
    };
    Entry::package(declared, line)
}

/// A dependency with what is known of it; one whose name is not known cannot be listed and stays under
/// the name that is written.
fn resolved(
    one: &Dependency,
    properties: &HashMap<String, String>,
    managed: &HashMap<(String, String), Managed>,
    of_parent: bool,
) -> Option<Resolved> {
    let written = &one.coordinates;
    let or_written = |text: &str| expand(properties, text).unwrap_or_else(|| text.to_owned());
    let (group, artifact) = (or_written(&written.group), or_written(&written.artifact));
    if group.is_empty() && artifact.is_empty() {
        return None;
    }
    let known = managed.get(&(group.clone(), artifact.clone()));
    // What is stated and not known must not be taken from elsewhere.
    let version = match written.version.as_str() {
        "" => known.and_then(|known| known.version.clone()),
        version => expand(properties, version).and_then(single),
    };
    let scope = match one.scope.as_str() {
        "" => known.map(|known| known.scope.clone()).unwrap_or_default(),
        scope => scope.to_owned(),
    };
    let of_managed = known.map(|known| Rc::clone(&known.exclusions)).unwrap_or_default();
    let exclusions = [one.exclusions.as_slice(), &*of_managed].concat().into();
    let (optional, line) = (one.optional, one.line);
    Some(Resolved { group, artifact, version, scope, optional, exclusions, line, of_parent })
}

/// A version that is one: no range, and not the newest of any day.
fn single(version: String) -> Option<String> {
    let is_one = !version.is_empty()
        && !version.contains(['[', '(', ',', '$'])
        && !matches!(version.as_str(), "LATEST" | "RELEASE");
    is_one.then_some(version)
}

/// The properties of a POM and its parents, nearest first; the nearest counts.
fn properties(chain: &[&Pom]) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for pom in chain.iter().rev() {
        all.extend(pom.properties.iter().cloned());
    }
    let Some(pom) = chain.first() else { return all };
    let mut state = |prefix: &str, of: &Coordinates| {
        for (name, text) in
            [("groupId", &of.group), ("artifactId", &of.artifact), ("version", &of.version)]
        {
            if !text.is_empty() {
                all.insert(format!("{prefix}.{name}"), text.clone());
            }
        }
    };
    let own = own(pom);
    state("project", &own);
    state("pom", &own);
    if let Some(parent) = &pom.parent {
        state("project.parent", &parent.coordinates);
        state("parent", &parent.coordinates);
    }
    all
}

fn expanded(properties: &HashMap<String, String>, of: &Coordinates) -> Option<Coordinates> {
    Some(Coordinates {
        group: expand(properties, &of.group)?,
        artifact: expand(properties, &of.artifact)?,
        version: expand(properties, &of.version).unwrap_or_default(),
    })
}

/// The text with every `${property}` replaced; none where one is not known.
fn expand(properties: &HashMap<String, String>, text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..STEPS {
        let Some((before, rest)) = text.split_once("${") else { return Some(text) };
        let (name, after) = rest.split_once('}')?;
        text = format!("{before}{}{after}", properties.get(name)?);
        if text.len() > TEXT {
            return None;
        }
    }
    None
}

fn shown(of: &Coordinates) -> String {
    let text = format!("{}:{}:{}", of.group, of.artifact, of.version);
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}
