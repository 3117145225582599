//! Which component needs which, as documents say it by their own references.
//!
//! In go edges between references, out come package URLs at the components. A form says once who asks for
//! what; what is asked for by the thing that the document is about is direct, what others ask for is
//! indirect, and where the thing asks for nothing, nothing is known. Sources: CycloneDX specification,
//! "Dependencies"; SPDX 2.3, clause 11.1; SPDX 3.0.1, `RelationshipType`.

use crate::document::{Component, Document};
use crate::limits::EDGES;
use std::collections::HashMap;
use vocabulary::{Problem, Relation, Scope};

/// One component needs another.
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    /// For what, where that is said.
    pub(crate) scope: Option<Scope>,
}

/// Puts edges at the components of a document; `root` is what it is about.
pub(crate) fn relate(document: &mut Document, root: Option<&str>, edges: &[Edge]) {
    if edges.is_empty() {
        return;
    }
    let mut by_reference: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, component) in document.components.iter().enumerate() {
        if !component.reference.is_empty() {
            by_reference.entry(&component.reference).or_default().push(index);
        }
    }
    let mut asked: HashMap<usize, Asked> = HashMap::new();
    let mut needs: Vec<(usize, usize)> = Vec::new();
    let (mut is_told, mut left_out) = (false, 0_usize);
    for edge in edges {
        let Some(to) = by_reference.get(edge.to.as_str()) else { continue };
        let is_root = root == Some(edge.from.as_str());
        is_told |= is_root;
        let from = by_reference.get(edge.from.as_str()).filter(|_| !is_root);
        for &to in to {
            let asked = asked.entry(to).or_default();
            asked.directly |= is_root;
            asked.scopes.push(edge.scope);
            for &from in from.into_iter().flatten().filter(|&&from| from != to) {
                match needs.len() < EDGES {
                    true => needs.push((from, to)),
                    false => left_out += 1,
                }
            }
        }
    }
    needs.sort_unstable();
    needs.dedup();
    let purls: Vec<Option<String>> =
        document.components.iter().map(|component| component.purl.clone()).collect();
    for (from, to) in needs {
        let purl = purls.get(to).cloned().flatten();
        if let (Some(component), Some(purl)) = (document.components.get_mut(from), purl) {
            component.requires.push(purl);
        }
    }
    for (index, asked) in asked {
        if let Some(component) = document.components.get_mut(index) {
            asked.say(component, is_told);
        }
    }
    if left_out > 0 {
        let reason = format!(
            "more than {EDGES} dependencies: {left_out} were left out; divide the document"
        );
        document.problems.push(Problem { path: "dependencies".to_owned(), layer: None, reason });
    }
}

/// Who asks for a component.
#[derive(Default)]
struct Asked {
    directly: bool,
    scopes: Vec<Option<Scope>>,
}

impl Asked {
    fn say(&self, component: &mut Component, is_told: bool) {
        // Lazaret says of each package what is known, and where it says nothing, nothing is.
        if component.stated.is_own() {
            return;
        }
        let relation = if self.directly { Relation::Direct } else { Relation::Indirect };
        component.relation = component.relation.or(Some(relation).filter(|_| is_told));
        // The widest use; one that is not said may be the widest.
        let all: Option<Vec<Scope>> = self.scopes.iter().copied().collect();
        component.scope = component.scope.or_else(|| all?.into_iter().min());
    }
}
