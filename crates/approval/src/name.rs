//! The name under which an image is sealed.

use crate::refusal::ApprovalError;
use engine::reference::Reference;
use seal::Name;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Subject;

/// The name under which an image is sealed: as given, else its own, where that is one.
pub(crate) fn of_subject(given: Option<&str>, subject: &Subject) -> Result<Name, ApprovalError> {
    if let Some(given) = given {
        return Ok(Name::untagged(given));
    }
    let engine = subject
        .name
        .split_once(':')
        .filter(|(scheme, _)| matches!(*scheme, "docker" | "containerd"));
    // The annotation of an OCI layout may hold a tag alone.
    let tags = subject.tags.iter().filter(|tag| tag.contains([':', '/']));
    let mut names: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for named in tags.filter_map(|tag| parse(tag)) {
        names.entry(named.repository).or_default().insert(named.tag);
    }
    if let Some(named) = engine.and_then(|(_, name)| parse(name))
        && (names.contains_key(&named.repository) || names.is_empty() && !is_id(&subject.name))
    {
        return Ok(named);
    }
    let mut names = names.into_iter();
    match (names.next(), names.next()) {
        (Some((repository, tags)), None) => {
            // Of several tags none is the one that was meant.
            let tag = if tags.len() == 1 { tags.into_iter().next().flatten() } else { None };
            Ok(Name { repository, tag })
        }
        (None, _) => Err(ApprovalError::Nameless(subject.name.clone())),
        (Some((one, _)), Some((other, _))) => {
            Err(ApprovalError::Ambiguous { name: subject.name.clone(), one, other })
        }
    }
}

/// The repository and tag of an image's name; `latest` where it says none, as engines have it.
pub(crate) fn parse(text: &str) -> Option<Name> {
    let named = text.parse::<Reference>().ok()?.or_latest();
    Some(Name { repository: named.repository(), tag: named.tag })
}

/// Whether a reference to an engine gives an image's id and no name.
fn is_id(reference: &str) -> bool {
    let name = reference.rsplit_once(':').map_or(reference, |(_, name)| name);
    name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
