//! Makes findings of differences: how bad, and in plain words.

use super::{Class, Comparison, Difference, Part};
use crate::merkle::kind_name;
use crate::rules::{FILE_ADDED, FILE_CHANGED, FILE_REMOVED};
use vocabulary::{
    Aspect, Confidence, Evidence, FileKind, FileRecord, Finding, Fingerprint, Location, OriginKind,
    Package, Rule, Severity,
};

/// Setuid and setgid.
const PRIVILEGE_BITS: u32 = 0o6000;
const CAPABILITY: &str = "security.capability";

/// A file in a few words, for what was added or removed.
pub(super) fn whole(file: &FileRecord) -> String {
    let mut text =
        format!("{} {:04o} {}:{}", kind_name(file.kind), file.mode & 0o7777, file.uid, file.gid);
    if file.kind == FileKind::File {
        text.push_str(&format!(" {} bytes", file.size));
    }
    if let Some(link) = &file.link {
        text.push_str(&format!(" to {link}"));
    }
    if let Some(digest) = &file.digest {
        text.push_str(&format!(" {digest}"));
    }
    text
}

/// How bad it is.
pub(super) fn severity(difference: &Difference<'_>) -> Severity {
    if gains_privilege(difference) {
        return Severity::Critical;
    }
    if opens_folder(difference) {
        return Severity::High;
    }
    let there = difference.found.is_some();
    let content = difference.aspects.iter().any(|(aspect, ..)| {
        matches!(
            aspect,
            Aspect::Presence | Aspect::Kind | Aspect::Content | Aspect::Size | Aspect::Link
        )
    });
    match (difference.class, difference.part) {
        // What runs and is another one, or new.
        (class, _) if class.runs() && there && content => Severity::Critical,
        (class, _) if class.runs() => Severity::High,
        (Class::Trust, _) => Severity::High,
        (Class::Passing | Class::Folder, Part::Written) => Severity::Negligible,
        (_, Part::Written) => Severity::Low,
        (Class::Folder, _) if difference.expected.is_none() => Severity::Low,
        _ => Severity::Medium,
    }
}

/// Whether setuid, setgid or file capabilities are there that were not.
fn gains_privilege(difference: &Difference<'_>) -> bool {
    let Some(found) = difference.found.filter(|found| found.kind != FileKind::Directory) else {
        return false;
    };
    let expected = difference.expected.as_ref();
    let bits = expected.map_or(0, |file| file.mode & PRIVILEGE_BITS);
    let capability = |file: &FileRecord| file.attributes.get(CAPABILITY).cloned();
    found.mode & PRIVILEGE_BITS & !bits != 0
        || capability(found).is_some() && capability(found) != expected.and_then(capability)
}

/// Whether anyone may now put files where programs, libraries or settings lie. A new folder opens none.
fn opens_folder(difference: &Difference<'_>) -> bool {
    let open = |file: &FileRecord| file.mode & 0o1002 == 0o002;
    let (Some(expected), Some(found)) = (&difference.expected, difference.found) else {
        return false;
    };
    found.kind == FileKind::Directory && open(found) && !open(expected) && Class::rules(&found.path)
}

/// The finding of a difference.
pub(super) fn finding(
    difference: &Difference<'_>,
    severity: Severity,
    owner: Option<&Package>,
    by: &Comparison<'_>,
) -> Finding {
    let rule: &Rule = match (&difference.expected, difference.found) {
        (None, _) => &FILE_ADDED,
        (_, None) => &FILE_REMOVED,
        _ => &FILE_CHANGED,
    };
    let layer = layer(difference);
    let location = Location::file(difference.path(), layer);
    let origin = by.layers.iter().find(|of_image| Some(of_image.index) == layer);
    let purl = owner.map(|package| package.purl.clone());
    Finding {
        severity,
        confidence: Confidence::Confirmed,
        fingerprint: Fingerprint::new(&rule.id, None, purl.as_ref(), &location),
        package: purl,
        ecosystem: owner.map(|package| package.ecosystem.clone()),
        layer,
        origin: origin.map_or(OriginKind::Unknown, |layer| layer.origin.kind),
        ..Finding::of(rule, None, title(difference, by), location, evidence(difference))
    }
}

/// The layer that the file came with; for what was added, the layer that holds it.
fn layer(difference: &Difference<'_>) -> Option<u32> {
    match &difference.expected {
        Some(expected) => expected.layer,
        None => difference.found.and_then(|found| found.layer),
    }
}

fn evidence(difference: &Difference<'_>) -> Vec<Evidence> {
    let aspects = difference.aspects.iter().cloned();
    aspects
        .map(|(aspect, expected, found)| Evidence::Difference { aspect, expected, found })
        .collect()
}

fn title(difference: &Difference<'_>, by: &Comparison<'_>) -> String {
    let file = difference.found.or(difference.expected.as_ref());
    let noun = difference.class.noun(file.map_or(FileKind::File, |file| file.kind));
    let place = match (difference.part, by.baseline) {
        (Part::Written, _) => "in the container",
        (Part::Engine, _) => "in the engine's own layer",
        (Part::Image, super::Baseline::Seal) => "since the image was sealed",
        (Part::Image, super::Baseline::Image) => "in the image",
    };
    let how = match (&difference.expected, difference.found) {
        (None, _) => "added".to_owned(),
        (_, None) => "removed".to_owned(),
        _ if gains_privilege(difference) => "given more privileges".to_owned(),
        _ if opens_folder(difference) => "opened for anyone to write".to_owned(),
        _ => changed(difference),
    };
    format!("{noun} {how} {place}")
}

fn changed(difference: &Difference<'_>) -> String {
    let words: Vec<&str> = difference
        .aspects
        .iter()
        .map(|(aspect, ..)| match aspect {
            Aspect::Mode => "mode",
            Aspect::Owner => "owner",
            Aspect::Attributes => "attributes",
            _ => "content",
        })
        .collect();
    if words.contains(&"content") {
        "replaced".to_owned()
    } else {
        format!("with changed {}", words.join(", "))
    }
}
