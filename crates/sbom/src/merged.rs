//! Several bills of one thing, as one.
//!
//! None may hide what another lists: all components stay, but for what an earlier document has by the
//! same type, name and version. A second entry that names a source package where the first does not is
//! kept, because advisories speak by source.

use crate::document::{Component, Document};
use std::collections::{HashMap, HashSet};
use vocabulary::{Package, Purl};

/// Puts documents together, the one with most components first. Of none it is an empty one.
#[must_use]
pub fn merged(mut documents: Vec<Document>) -> Document {
    documents.sort_by_key(|one| std::cmp::Reverse(one.components.len() + one.packages.len()));
    let mut documents = documents.into_iter();
    let Some(mut whole) = documents.next() else { return Document::default() };
    // What is known, and whether its source is.
    let mut known: HashMap<String, bool> = HashMap::new();
    note(&mut known, &whole.components);
    for mut other in documents {
        if !whole.form.split(" and ").any(|form| form == other.form) {
            whole.form = format!("{} and {}", whole.form, other.form);
        }
        if let Some(told) = other.distribution.take() {
            whole.runs_on(told);
        }
        let is_new = |component: &Component| match known.get(&key(component)) {
            None => true,
            Some(has_source) => !has_source && has_source_of(component),
        };
        let own: HashSet<&Purl> = whole.packages.iter().map(|one| &one.purl).collect();
        let packages = other.packages.into_iter().filter(|one| !own.contains(&one.purl));
        let packages: Vec<Package> = packages.collect();
        let fresh: Vec<Component> = other.components.into_iter().filter(is_new).collect();
        note(&mut known, &fresh);
        whole.components.extend(fresh);
        whole.packages.extend(packages);
        whole.coverage.extend(other.coverage);
        whole.problems.extend(other.problems);
        whole.mismatches.extend(other.mismatches);
        whole.states_none &= other.states_none;
        whole.name = whole.name.take().or(other.name);
        whole.manifest_digest = whole.manifest_digest.take().or(other.manifest_digest);
        whole.config_digest = whole.config_digest.take().or(other.config_digest);
        whole.platform = whole.platform.take().or(other.platform);
        for tag in other.tags {
            if !whole.tags.contains(&tag) {
                whole.tags.push(tag);
            }
        }
    }
    whole
}

fn note(known: &mut HashMap<String, bool>, components: &[Component]) {
    for component in components {
        *known.entry(key(component)).or_default() |= has_source_of(component);
    }
}

/// Type, name and version: qualifiers are written by every tool in its own way.
fn key(component: &Component) -> String {
    match component.purl.as_deref() {
        Some(purl) => {
            let bare = purl.split(['?', '#']).next().unwrap_or(purl);
            match bare.contains('@') || component.version.is_empty() {
                true => bare.to_owned(),
                false => format!("{bare}@{}", component.version),
            }
        }
        None => format!("{} {}", component.name, component.version),
    }
}

fn has_source_of(component: &Component) -> bool {
    let named = ["upstream=", "source=", "origin="];
    let in_purl = |purl: &String| {
        purl.split(['?', '&']).skip(1).any(|part| named.iter().any(|key| part.starts_with(key)))
    };
    component.stated.source().is_some() || component.purl.as_ref().is_some_and(in_purl)
}
