//! Says of what lock files list whether and for what the project asks for it, by the manifests that they
//! were made of.
//!
//! In go packages and what manifests ask for, out come relation and scope where the lock file does not say
//! them itself. A name may stand in a lock file in several versions: the words that it is asked for in say
//! which is meant, and where they do not, nothing is said of any of them. The one design decision: a
//! narrow scope is said only where it is certain. What the program may need to run is never said to be
//! there for development; advice and bills are made of it, no verdict.

use image::{Ask, Asks, Cataloged};
use std::collections::{BTreeMap, HashMap, HashSet};
use vocabulary::{Package, Presence, Purl, Relation, Scope};

/// What all manifests of one lock file's folder ask for.
struct Project<'asks> {
    asked: Vec<&'asks Ask>,
    complete: bool,
}

/// Says relation and scope of the packages of all lock files that manifests cover.
pub(crate) fn relate(cataloged: &mut [Cataloged], asks: &[Asks]) {
    let mut projects: HashMap<(&str, &str), Project<'_>> = HashMap::new();
    for Asks { folder, ecosystem, asked, complete } in asks {
        let known = projects
            .entry((folder, ecosystem.as_str()))
            .or_insert(Project { asked: Vec::new(), complete: true });
        known.asked.extend(asked);
        known.complete &= complete;
    }
    if projects.is_empty() {
        return;
    }
    let mut files: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (at, Cataloged { package, .. }) in cataloged.iter().enumerate() {
        let path = package.location.path().unwrap_or_default();
        let ecosystem = package.ecosystem.as_str();
        if package.presence == Presence::Declared
            && projects.contains_key(&(folder_of(path), ecosystem))
        {
            files.entry((path.to_owned(), ecosystem.to_owned())).or_default().push(at);
        }
    }
    for ((path, ecosystem), places) in files {
        let Some(project) = projects.get(&(folder_of(&path), ecosystem.as_str())) else { continue };
        let said = {
            let listed: Vec<&Cataloged> =
                places.iter().filter_map(|at| cataloged.get(*at)).collect();
            File::of(&listed).said(project)
        };
        for (at, (relation, scope)) in places.into_iter().zip(said) {
            if let Some(Cataloged { package, .. }) = cataloged.get_mut(at) {
                package.relation = package.relation.or(relation);
                package.scope = package.scope.or(scope);
            }
        }
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The packages of one file, by their places in it.
struct File<'all> {
    listed: &'all [&'all Cataloged],
    by_name: HashMap<&'all str, Vec<usize>>,
    needs: Vec<Vec<usize>>,
}

/// Which of the packages of a file is meant.
enum Meant {
    One(usize),
    /// One of these, and which is not known.
    Among(Vec<usize>),
}

impl<'all> File<'all> {
    fn of(listed: &'all [&'all Cataloged]) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_purl: HashMap<&Purl, usize> = HashMap::new();
        for (at, Cataloged { package, .. }) in listed.iter().enumerate() {
            by_name.entry(&package.name).or_default().push(at);
            by_purl.entry(&package.purl).or_insert(at);
        }
        let needs_of = |one: &&Cataloged| {
            one.package.requires.iter().filter_map(|purl| by_purl.get(purl).copied()).collect()
        };
        let needs = listed.iter().map(needs_of).collect();
        Self { listed, by_name, needs }
    }

    fn package(&self, at: usize) -> Option<&'all Package> {
        self.listed.get(at).map(|one| &one.package)
    }

    /// None where the file does not list it.
    fn meant(&self, ask: &Ask) -> Option<Meant> {
        let all = self.by_name.get(ask.name.as_str())?;
        let is_direct = |at: &&usize| {
            self.package(**at).is_some_and(|one| one.relation == Some(Relation::Direct))
        };
        let is_keyed = |at: &&usize| {
            let keys = self.listed.get(**at).map(|one| one.keys.as_slice()).unwrap_or_default();
            keys.iter().any(|key| ask.keys.contains(key))
        };
        let one_of = |places: Vec<usize>| match places.as_slice() {
            [one] => Some(Meant::One(*one)),
            _ => None,
        };
        // Where one name is in several versions, its own words come before what the file says by edges.
        let found = one_of(all.clone())
            .or_else(|| one_of(all.iter().filter(is_keyed).copied().collect()))
            .or_else(|| one_of(all.iter().filter(is_direct).copied().collect()));
        Some(found.unwrap_or_else(|| Meant::Among(all.clone())))
    }

    /// Relation and scope of each, where they are certain.
    fn said(&self, project: &Project<'_>) -> Vec<(Option<Relation>, Option<Scope>)> {
        let mut direct = HashSet::new();
        let mut unclear = HashSet::new();
        let mut roots: Vec<(usize, Scope)> = Vec::new();
        let mut perhaps: Vec<usize> = Vec::new();
        // Without edges nobody knows who brings what is asked for by development, too.
        let mut complete = project.complete && self.needs.iter().any(|needs| !needs.is_empty());
        for ask in &project.asked {
            match (self.meant(ask), ask.scope) {
                (None, _) => complete &= ask.own,
                (Some(Meant::One(at)), scope) => {
                    direct.insert(at);
                    match scope {
                        Some(scope) => roots.push((at, scope)),
                        None => perhaps.push(at),
                    }
                }
                (Some(Meant::Among(places)), _) => {
                    unclear.extend(places.iter().copied());
                    perhaps.extend(places);
                }
            }
        }
        let needed: HashSet<usize> = self.needs.iter().flatten().copied().collect();
        let scopes = self.scopes(&roots);
        let perhaps = self.reached(perhaps);
        let relation = |at| match (direct.contains(&at), unclear.contains(&at)) {
            (true, _) => Some(Relation::Direct),
            (false, false) if needed.contains(&at) => Some(Relation::Indirect),
            _ => None,
        };
        let scope = |at: usize, scope: Option<Scope>| match scope {
            Some(Scope::Runtime) => scope,
            _ => scope.filter(|_| complete && !perhaps.contains(&at)),
        };
        scopes.into_iter().enumerate().map(|(at, one)| (relation(at), scope(at, one))).collect()
    }

    /// The widest scope by which each is reached.
    fn scopes(&self, roots: &[(usize, Scope)]) -> Vec<Option<Scope>> {
        let mut scopes = vec![None; self.listed.len()];
        for scope in [Scope::Runtime, Scope::Optional, Scope::Development] {
            let of_scope = roots.iter().filter(|(_, one)| *one == scope).map(|(at, _)| *at);
            for at in self.reached(of_scope) {
                if let Some(known @ None) = scopes.get_mut(at) {
                    *known = Some(scope);
                }
            }
        }
        scopes
    }

    fn reached(&self, from: impl IntoIterator<Item = usize>) -> HashSet<usize> {
        let mut open: Vec<usize> = from.into_iter().collect();
        let mut reached: HashSet<usize> = open.iter().copied().collect();
        while let Some(at) = open.pop() {
            let needs = self.needs.get(at).map(Vec::as_slice).unwrap_or_default();
            open.extend(needs.iter().copied().filter(|needed| reached.insert(*needed)));
        }
        reached
    }
}

#[cfg(test)]
mod tests;
