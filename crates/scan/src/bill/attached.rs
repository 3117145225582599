//! The bills of materials that are attached to an image: `sbom:attached:IMAGE`.
//!
//! The image is opened, and none of its layers is read: what is listed is what whoever could push to its
//! repository says of it. So the report names each document by its digest, and says whether it was
//! signed and that nobody verified that; a bill about another image is none of this one; several are
//! put together, since none of them may hide what another lists. None at all is an error.

use super::inventory;
use crate::error::{BillError, ScanError};
use crate::inventory::Inventory;
use crate::options::ReadOptions;
use image::source::attached::{Attached, Attachments, Wanted};
use image::{Image, OpenOptions, Opened};
use sbom::Document;
use std::collections::BTreeMap;
use vocabulary::{Coverage, Problem, Status};

pub(crate) fn read(
    reference: &str,
    image: &str,
    options: &ReadOptions,
) -> Result<Inventory, ScanError> {
    let open = OpenOptions {
        platform: options.platform.clone(),
        engines: options.engines.clone(),
        registry: options.registry.clone(),
        attached: Some(Wanted::Bills),
    };
    let Opened::Image(opened) = image::open(image, &open)? else {
        return Err(BillError::NoPlace(image.to_owned()).into());
    };
    let Some(found) = &opened.attachments else {
        return Err(BillError::NoPlace(image.to_owned()).into());
    };
    let problem = |(path, reason): &(String, String)| problem_of(path, reason);
    let mut problems: Vec<Problem> = found.problems.iter().map(problem).collect();
    problems.extend(found.unused.iter().filter(|one| one.may_hold).map(|one| {
        let reason = format!("{}, which may be a bill in a form that is not read", one.what);
        problem_of(&one.digest, &reason)
    }));
    let (mut documents, mut said) = (Vec::new(), Vec::new());
    for attached in &found.documents {
        match sbom::read(&attached.bytes) {
            Ok(document) => {
                problems.extend(of_another(&document, &opened, found, attached));
                said.push(origin(&document, attached));
                documents.push(document);
            }
            Err(error) => {
                problems.push(problem_of(&attached.digest.to_string(), &error.to_string()))
            }
        }
    }
    if documents.is_empty() {
        return Err(none(image, &opened, found, &problems).into());
    }
    said.extend(left(found));
    problems.extend(
        opened.mismatches.iter().map(|one| {
            problem_of(&one.what, "it has another digest or size than what names it says")
        }),
    );
    let document = sbom::merged(documents);
    let mut inventory = inventory(reference, document, options.distribution.as_ref());
    let subject = &opened.subject;
    inventory.subject.manifest_digest.clone_from(&subject.manifest_digest);
    inventory.subject.config_digest.clone_from(&subject.config_digest);
    inventory.subject.tags.clone_from(&subject.tags);
    inventory.subject.platform.clone_from(&subject.platform);
    say(&mut inventory.coverage, problems, &said.join("; "));
    Ok(inventory)
}

fn problem_of(path: &str, reason: &str) -> Problem {
    Problem { path: path.to_owned(), layer: None, reason: reason.to_owned() }
}

/// What a document is, and on whose word.
fn origin(document: &Document, attached: &Attached) -> String {
    let signed = if attached.signed { "signature not verified" } else { "unsigned" };
    // The form says so of envelopes, too.
    let form = document.form.split(", in an envelope").next().unwrap_or_default();
    format!("{form} attached as {}, {signed}", attached.digest)
}

/// Whether a bill says of itself that it is about another image.
fn of_another(
    document: &Document,
    image: &Image,
    found: &Attachments,
    attached: &Attached,
) -> Option<Problem> {
    let own = image.subject.config_digest.as_ref();
    let is_known = |stated| found.subjects.contains(stated) || own == Some(stated);
    // The configuration says it best: tools name the index, or a copy of the manifest, as they please.
    let is_other = match (&document.config_digest, &document.manifest_digest) {
        (Some(stated), _) => !is_known(stated),
        (None, Some(stated)) => !is_known(stated),
        (None, None) => false,
    };
    is_other.then(|| {
        problem_of(
            &attached.digest.to_string(),
            "the bill says that it is about another image: whether it holds for this one is not known",
        )
    })
}

/// What is attached beside the bills, and is none.
fn left(found: &Attachments) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for one in found.unused.iter().filter(|one| !one.may_hold) {
        *kinds.entry(&one.what).or_default() += 1;
    }
    let mut parts: Vec<String> = kinds
        .into_iter()
        .map(|(what, count)| if count == 1 { what.to_owned() } else { format!("{what} ({count})") })
        .collect();
    if found.more_unused > 0 {
        parts.push(format!("{} more", found.more_unused));
    }
    (!parts.is_empty())
        .then(|| format!("not used, since it is no bill of it: {}", parts.join(", ")))
}

fn none(image: &str, opened: &Image, found: &Attachments, problems: &[Problem]) -> BillError {
    match problems.first() {
        Some(first) => BillError::Unread {
            image: image.to_owned(),
            reason: format!("{}: {}", first.path, first.reason),
        },
        None => BillError::NoneAttached {
            image: image.to_owned(),
            digest: opened
                .subject
                .manifest_digest
                .as_ref()
                .map_or_else(|| "no digest".to_owned(), ToString::to_string),
            beside: left(found).map(|left| format!("; {left}")).unwrap_or_default(),
        },
    }
}

/// Says in the coverage where the bills came from, and what of them could not be read.
fn say(coverage: &mut [Coverage], mut problems: Vec<Problem>, said: &str) {
    let Some(own) = coverage.iter_mut().rev().find(|one| one.check == super::CHECK) else { return };
    problems.append(&mut own.problems);
    let reason = match &own.reason {
        Some(reason) if own.status == Status::Skipped => format!("{reason} ({said})"),
        _ => format!("a claim of whoever attached it, not what the image was seen to hold: {said}"),
    };
    let status = own.status;
    let left_out = own.problems_left_out;
    let mut whole = Coverage::with_problems(super::CHECK, problems);
    whole.problems_left_out += left_out;
    if status == Status::Skipped {
        whole.status = status;
    }
    whole.reason = Some(reason);
    *own = whole;
}
