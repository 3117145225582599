//! VEX documents that were attached to an image, in its registry or its OCI layout.
//!
//! In goes an opened image's manifest, out come the OpenVEX documents that refer to it, each with the
//! digest by which it can be looked up. Whoever may push to a repository may attach documents, and
//! signatures are not verified here: that is why they are only looked for when asked, and why each
//! document carries where it came from.
//!
//! Sources: OCI distribution specification 1.1, "Listing Referrers" and "Referrers Tag Schema"; OCI
//! image specification 1.1, `subject` and `artifactType`; cosign, `specs/SIGNATURE_SPEC.md` (the tag
//! `sha256-<hex>.att`); DSSE v1 envelope; in-toto Statement v1.

use super::documents::{Documents, hash_like};
use super::layout::{Store, name_of};
use super::registry::RegistryError;
use crate::error::ImageError;
use crate::limits;
use crate::manifest::{Descriptor, Manifest, parse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Digest;

/// The type of an OpenVEX document.
const OPENVEX: &str = "application/vnd.openvex+json";
/// Types of a signed statement: cosign's, and that of in-toto's media types.
const ENVELOPES: [&str; 3] = [
    "application/vnd.dsse.envelope.v1+json",
    "application/vnd.in-toto+json",
    "application/vnd.in-toto+dsse",
];
/// The type of what a signed statement says.
const STATEMENT: &str = "application/vnd.in-toto+json";
/// How the predicate types of OpenVEX begin; a version may follow.
const PREDICATE: &str = "https://openvex.dev/ns";

/// Manifests that are looked at for one image: signatures and bills of materials refer to it too.
const MANIFESTS: usize = 64;
/// Documents that are taken of one image.
const DOCUMENTS: usize = 32;
/// Bytes of one document. That of a distribution's whole image has some hundred KiB.
const DOCUMENT_BYTES: u64 = 8 << 20;
/// Bytes of all of them.
const ALL_BYTES: u64 = 32 << 20;

/// A document that was attached to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Digest of the blob that holds it.
    pub digest: Digest,
    /// Whether it came in a signed envelope. No signature was verified.
    pub signed: bool,
    /// OpenVEX.
    pub bytes: Vec<u8>,
}

/// What was attached, and what could not be read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// The documents.
    pub documents: Vec<Attached>,
    /// Where it was to be read, and why it was not.
    pub problems: Vec<(String, String)>,
}

/// An envelope, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    #[serde(default)]
    signatures: Vec<serde::de::IgnoredAny>,
}

/// An in-toto statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(default)]
    predicate_type: String,
    #[serde(default)]
    subject: Vec<StatementSubject>,
    predicate: serde_json::Value,
}

#[derive(Deserialize)]
struct StatementSubject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// Looks for what is attached to an image by the digests of its manifest and of the index that names
/// it. None where images of this source can have nothing attached.
pub(super) fn find(store: &Store, image: &str, subjects: &[Digest]) -> Option<Attachments> {
    let mut found = Attachments::default();
    let mut candidates = Vec::new();
    match store {
        Store::Registry(registry) => {
            for subject in subjects {
                candidates.extend(of_registry(registry, subject, &mut found));
            }
        }
        _ => candidates = of_layout(store, image, subjects)?,
    }
    let mut known = BTreeSet::new();
    candidates.retain(|entry| known.insert(entry.digest.clone()));
    if candidates.len() > MANIFESTS {
        let reason = format!("more than {MANIFESTS} documents refer to it; the others were left");
        found.problems.push((image.to_owned(), reason));
    }
    let (mut left, mut bytes_left) = (DOCUMENTS, ALL_BYTES);
    for entry in candidates.iter().take(MANIFESTS) {
        let read = read(store, image, entry, subjects, &mut found, &mut left, &mut bytes_left);
        if let Err(reason) = read {
            found.problems.push((entry.digest.clone(), reason));
        }
    }
    Some(found)
}

/// What a registry lists: by its referrers, or the tag that stands in for them; and by cosign's tag.
fn of_registry(
    registry: &super::registry::Session,
    subject: &Digest,
    found: &mut Attachments,
) -> Vec<Descriptor> {
    let mut candidates = Vec::new();
    let tag = tag_of(subject);
    let mut take = |place: &str, answer: Result<Option<Vec<u8>>, RegistryError>| {
        let bytes = match answer {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return false,
            Err(error) => {
                found.problems.push((place.to_owned(), error.to_string()));
                return true;
            }
        };
        match parse::<Manifest>(&bytes) {
            Ok(manifest) if manifest.config.is_some() => {
                let digest = Digest::of(&bytes).to_string();
                candidates.push(Descriptor { digest, ..Descriptor::default() });
            }
            Ok(index) => candidates.extend(index.manifests),
            Err(reason) => found.problems.push((place.to_owned(), reason)),
        }
        true
    };
    let place = format!("referrers/{subject}");
    if !take(&place, registry.document(&place)) {
        let _ = take(&tag, registry.document(&format!("manifests/{tag}")));
    }
    let tag = format!("{tag}.att");
    let _ = take(&tag, registry.document(&format!("manifests/{tag}")));
    candidates
}

/// What `index.json` lists beside the image; none where there is none.
fn of_layout(store: &Store, image: &str, subjects: &[Digest]) -> Option<Vec<Descriptor>> {
    let documents = Documents { image, mismatches: Vec::new() };
    let blob = store.blob("index.json")?;
    let bytes = documents.bytes(Some(blob), "index.json", limits::MANIFEST_BYTES).ok()?;
    let index: Manifest = parse(&bytes).ok()?;
    let own = |entry: &Descriptor| subjects.iter().any(|one| one.to_string() == entry.digest);
    let mut candidates = Vec::new();
    for entry in index.manifests.into_iter().filter(|entry| !own(entry)) {
        // The tag that stands in for a registry's list names a list.
        let is_list = name_of(&entry)
            .is_some_and(|name| subjects.iter().any(|one| name.ends_with(&tag_of(one))));
        let list = is_list.then(|| entry.digest.parse().ok()).flatten();
        let list = list.and_then(|digest| {
            parse::<Manifest>(&verified(store, image, &digest, None, limits::MANIFEST_BYTES).ok()?)
                .ok()
        });
        match list {
            Some(list) if !list.manifests.is_empty() => candidates.extend(list.manifests),
            _ => candidates.push(entry),
        }
    }
    Some(candidates)
}

/// The tag that stands in for the list of what refers to a manifest.
fn tag_of(subject: &Digest) -> String {
    format!("{}-{}", subject.algorithm().name(), subject.hex())
}

/// Reads a manifest that may be about the image, and the documents that it holds.
fn read(
    store: &Store,
    image: &str,
    entry: &Descriptor,
    subjects: &[Digest],
    found: &mut Attachments,
    left: &mut usize,
    bytes_left: &mut u64,
) -> Result<(), String> {
    let digest: Digest = entry.digest.parse().map_err(|_| "its digest is none".to_owned())?;
    let bytes = verified(store, image, &digest, None, limits::MANIFEST_BYTES)?;
    let manifest: Manifest = parse(&bytes)?;
    let of_other =
        |subject: &Descriptor| !subjects.iter().any(|own| own.to_string() == subject.digest);
    if manifest.subject.as_ref().is_some_and(of_other) {
        return Ok(());
    }
    for layer in &manifest.layers {
        // A bare document says of nothing but its subject that it is about this image.
        let bare = manifest.subject.is_some()
            && (layer.media_type == OPENVEX || manifest.artifact_type == OPENVEX);
        if !bare && !ENVELOPES.contains(&layer.media_type.as_str()) {
            continue;
        }
        if *left == 0 {
            return Err(format!("more than {DOCUMENTS} documents; the others were left"));
        }
        let blob: Digest = layer.digest.parse().map_err(|_| "a digest is none".to_owned())?;
        let limit = DOCUMENT_BYTES.min(*bytes_left);
        let bytes = verified(store, image, &blob, layer.size, limit)?;
        *left -= 1;
        *bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
        let document = if ENVELOPES.contains(&layer.media_type.as_str()) {
            opened(&bytes, subjects)?
        } else {
            Some((bytes, false))
        };
        found.documents.extend(document.map(|(bytes, signed)| Attached {
            digest: blob,
            signed,
            bytes,
        }));
    }
    Ok(())
}

/// Content that is what names it: nothing else may silence a finding.
fn verified(
    store: &Store,
    image: &str,
    digest: &Digest,
    size: Option<u64>,
    limit: u64,
) -> Result<Vec<u8>, String> {
    let documents = Documents { image, mismatches: Vec::new() };
    let blob = match size {
        None => store.manifest(digest),
        size => store.by_digest(digest, size),
    };
    let bytes = documents
        .bytes(blob, &digest.to_string(), limit)
        .map_err(|error: ImageError| error.to_string())?;
    if hash_like(digest, &bytes) == *digest {
        Ok(bytes)
    } else {
        Err("its content has another digest".to_owned())
    }
}

/// The OpenVEX document in an envelope whose statement is about the image, and whether it is signed;
/// none where it is about something else, or says something else.
///
/// # Errors
/// Where it is no envelope.
pub fn opened(bytes: &[u8], subjects: &[Digest]) -> Result<Option<(Vec<u8>, bool)>, String> {
    let envelope: Envelope =
        serde_json::from_slice(bytes).map_err(|error| format!("no envelope: {error}"))?;
    if envelope.payload_type != STATEMENT {
        return Ok(None);
    }
    let payload = STANDARD.decode(&envelope.payload);
    let payload = payload.map_err(|_| "its payload is not base64".to_owned())?;
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|error| format!("no statement: {error}"))?;
    let about = |subject: &StatementSubject| {
        subjects.iter().any(|own| {
            subject.digest.get(own.algorithm().name()).is_some_and(|hex| *hex == own.hex())
        })
    };
    if !statement.predicate_type.starts_with(PREDICATE) || !statement.subject.iter().any(about) {
        return Ok(None);
    }
    let document = serde_json::to_vec(&statement.predicate).map_err(|error| error.to_string())?;
    Ok(Some((document, !envelope.signatures.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn envelope(statement: &serde_json::Value, signatures: &serde_json::Value) -> Vec<u8> {
        let payload = STANDARD.encode(statement.to_string());
        let envelope =
            json!({"payloadType": STATEMENT, "payload": payload, "signatures": signatures});
        envelope.to_string().into_bytes()
    }

    #[test]
    fn a_statement_counts_only_for_the_image_and_the_predicate_it_names() {
        let own = Digest::of(b"image");
        let vex = json!({"@context": "https://openvex.dev/ns/v0.2.0", "statements": []});
        let statement = |kind: &str, hex: &str| json!({"predicateType": kind, "subject": [{"digest": {"sha256": hex}}], "predicate": vex});
        let subjects = std::slice::from_ref(&own);
        let open = |statement| opened(&envelope(&statement, &json!([{"sig": "eA=="}])), subjects);
        let (bytes, signed) = open(statement(PREDICATE, &own.hex())).unwrap().unwrap();
        assert!(signed);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(), vex);
        assert!(open(statement("https://openvex.dev/ns/v0.2.0", &own.hex())).unwrap().is_some());
        assert_eq!(open(statement(PREDICATE, &Digest::of(b"other").hex())).unwrap(), None);
        assert_eq!(open(statement("https://slsa.dev/provenance/v1", &own.hex())).unwrap(), None);
        let unsigned = envelope(&statement(PREDICATE, &own.hex()), &json!([]));
        assert!(!opened(&unsigned, subjects).unwrap().unwrap().1);
    }

    #[test]
    fn damaged_envelopes_are_errors_and_no_panics() {
        let own = Digest::of(b"image");
        let statement = json!({"predicateType": PREDICATE, "subject": [], "predicate": {}});
        let good = envelope(&statement, &json!([]));
        for end in 0..good.len() {
            assert!(opened(&good[..end], std::slice::from_ref(&own)).is_err());
        }
    }
}
