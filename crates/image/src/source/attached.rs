//! Documents that were attached to an image, in its registry, its OCI layout, or its own index: VEX, and
//! bills of materials.
//!
//! In goes an opened image's manifest, out come the documents that refer to it, each with the digest by
//! which it can be looked up. Whoever may push to a repository may attach documents, and signatures are
//! not verified here: that is why they are only looked for when asked, and why each document carries
//! where it came from. What they say is read above.
//!
//! Sources: OCI distribution specification 1.1, "Listing Referrers" and "Referrers Tag Schema"; OCI
//! image specification 1.1, `subject` and `artifactType`; cosign, `specs/SIGNATURE_SPEC.md` (the tags
//! `sha256-<hex>.att`) and `specs/SBOM_SPEC.md` (`sha256-<hex>.sbom`); sigstore bundle 0.3; BuildKit,
//! `docs/attestations/attestation-storage.md`; DSSE v1 envelope; in-toto Statement v1.

mod wanted;

use super::documents::{Documents, hash_like};
use super::layout::{Store, name_of};
use crate::error::{ImageError, RegistryError};
use crate::limits;
use crate::manifest::{Descriptor, Manifest, parse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Digest;
pub use wanted::Wanted;

/// Types of a signed statement: cosign's, and that of in-toto's media types, which BuildKit uses for
/// statements without an envelope.
const ENVELOPES: [&str; 3] = [
    "application/vnd.dsse.envelope.v1+json",
    "application/vnd.in-toto+json",
    "application/vnd.in-toto+dsse",
];
/// How the types of a bundle of sigstore begin, which holds an envelope; a version follows.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The type of what a signed statement says.
const STATEMENT: &str = "application/vnd.in-toto+json";
/// By what a layer says of which predicate its statement is.
const PREDICATE_TYPES: [&str; 2] = ["in-toto.io/predicate-type", "predicateType"];
/// What BuildKit calls a manifest of statements about another of the same index, and that other.
const REFERENCE_TYPE: (&str, &str) = ("vnd.docker.reference.type", "attestation-manifest");
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// Manifests that are looked at for one image: signatures and bills of materials refer to it too.
const MANIFESTS: usize = 64;
/// Documents that are taken of one image.
const DOCUMENTS: usize = 32;
/// And those that are named although they are not.
const UNUSED: usize = 32;
/// Characters of a type that are repeated.
const TYPE_CHARACTERS: usize = 120;

/// A document that was attached to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Digest of the blob that holds it.
    pub digest: Digest,
    /// Whether it came in a signed envelope. No signature was verified.
    pub signed: bool,
    /// OpenVEX; or a bill, or a statement with one.
    pub bytes: Vec<u8>,
}

/// What was attached, and what could not be read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// The documents.
    pub documents: Vec<Attached>,
    /// Digests of the image's manifest and of the indexes that name it.
    pub subjects: Vec<Digest>,
    /// Where it was to be read, and why it was not.
    pub problems: Vec<(String, String)>,
    /// What is attached to this very image and is nothing that was asked for.
    pub unused: Vec<Unused>,
    /// How many more there are.
    pub more_unused: usize,
}

/// What is attached to an image and was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Digest of the blob.
    pub digest: String,
    /// What it is.
    pub what: String,
    /// Whether it may hold what was asked for, in a form that nobody here knows.
    pub may_hold: bool,
}

/// An envelope, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default)]
    payload_type: String,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    signatures: Vec<serde::de::IgnoredAny>,
    /// That of a bundle around it.
    #[serde(default)]
    dsse_envelope: Option<Box<Self>>,
    /// That of a statement without an envelope.
    #[serde(default)]
    predicate_type: Option<serde::de::IgnoredAny>,
}

/// An in-toto statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(default)]
    predicate_type: String,
    #[serde(default)]
    subject: Vec<StatementSubject>,
    predicate: Box<serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct StatementSubject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// A manifest that may hold something about an image.
struct Candidate {
    entry: Descriptor,
    /// Whether the tag that names it is one of bills of the image.
    is_bill: bool,
    /// Whether what names it says that it is about the image.
    is_tied: bool,
}

/// How much may still be taken.
struct Room {
    documents: usize,
    bytes: u64,
}

/// An image of which something is asked.
pub(super) struct Asked<'image> {
    pub(super) store: &'image Store,
    /// Its name.
    pub(super) image: &'image str,
    /// Digests of its manifest and of the indexes that name it.
    pub(super) subjects: &'image [Digest],
    /// What these indexes hold beside it.
    pub(super) siblings: Vec<Descriptor>,
    pub(super) wanted: Wanted,
}

/// Looks for what is attached to an image. None where images of this source can have nothing attached.
pub(super) fn find(asked: &Asked<'_>) -> Option<Attachments> {
    let Asked { store, image, subjects, siblings, wanted } = asked;
    let mut found = Attachments { subjects: subjects.to_vec(), ..Attachments::default() };
    let of_siblings = siblings.iter().filter(|entry| is_statement_about(entry, subjects));
    let mut candidates: Vec<Candidate> = of_siblings.cloned().map(Candidate::plain).collect();
    match store {
        Store::Registry(registry) => {
            for subject in *subjects {
                candidates.extend(of_registry(registry, subject, *wanted, &mut found));
            }
        }
        _ => match of_layout(store, image, subjects) {
            Some(listed) => candidates.extend(listed),
            None if candidates.is_empty() => return None,
            None => {}
        },
    }
    let mut known = BTreeSet::new();
    candidates.retain(|one| known.insert(one.entry.digest.clone()));
    if candidates.len() > MANIFESTS {
        let reason = format!("more than {MANIFESTS} documents refer to it; the others were left");
        found.problems.push(((*image).to_owned(), reason));
    }
    let mut room = Room { documents: DOCUMENTS, bytes: wanted.bytes_of_all() };
    for candidate in candidates.iter().take(MANIFESTS) {
        if let Err(reason) = read(asked, candidate, &mut found, &mut room) {
            found.problems.push((candidate.entry.digest.clone(), reason));
        }
    }
    Some(found)
}

impl Candidate {
    fn plain(entry: Descriptor) -> Self {
        Self { entry, is_bill: false, is_tied: true }
    }
}

/// Whether an entry of an image's own index is BuildKit's manifest of statements about the image.
fn is_statement_about(entry: &Descriptor, subjects: &[Digest]) -> bool {
    let annotation = |key: &str| entry.annotations.get(key).map(String::as_str);
    annotation(REFERENCE_TYPE.0) == Some(REFERENCE_TYPE.1)
        && annotation(REFERENCE_DIGEST)
            .is_some_and(|digest| subjects.iter().any(|own| own.to_string() == digest))
}

/// What a registry lists: by its referrers, or the tag that stands in for them; and by cosign's tag.
fn of_registry(
    registry: &super::registry::Session,
    subject: &Digest,
    wanted: Wanted,
    found: &mut Attachments,
) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let tag = tag_of(subject);
    let mut take = |place: &str, is_bill: bool, answer: Result<Option<Vec<u8>>, RegistryError>| {
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
                let entry = Descriptor { digest, ..Descriptor::default() };
                candidates.push(Candidate { entry, is_bill, is_tied: true });
            }
            Ok(index) => candidates.extend(index.manifests.into_iter().map(Candidate::plain)),
            Err(reason) => found.problems.push((place.to_owned(), reason)),
        }
        true
    };
    let place = format!("referrers/{subject}");
    if !take(&place, false, registry.document(&place)) {
        let _ = take(&tag, false, registry.document(&format!("manifests/{tag}")));
    }
    for (ending, is_bill) in [("att", false), ("sbom", true)] {
        if !is_bill || wanted == Wanted::Bills {
            let tag = format!("{tag}.{ending}");
            let _ = take(&tag, is_bill, registry.document(&format!("manifests/{tag}")));
        }
    }
    candidates
}

/// What `index.json` lists beside the image; none where there is none.
fn of_layout(store: &Store, image: &str, subjects: &[Digest]) -> Option<Vec<Candidate>> {
    let documents = Documents { image, mismatches: Vec::new() };
    let blob = store.blob("index.json")?;
    let bytes = documents.bytes(Some(blob), "index.json", limits::MANIFEST_BYTES).ok()?;
    let index: Manifest = parse(&bytes).ok()?;
    let own = |entry: &Descriptor| subjects.iter().any(|one| one.to_string() == entry.digest);
    let mut candidates = Vec::new();
    for entry in index.manifests.into_iter().filter(|entry| !own(entry)) {
        // The tag that stands in for a registry's list names a list.
        let is_named = |ending: &str| {
            let name = name_of(&entry).and_then(|name| name.strip_suffix(ending));
            name.is_some_and(|name| subjects.iter().any(|one| name.ends_with(&tag_of(one))))
        };
        let (is_list, is_bill) = (is_named(""), is_named(".sbom"));
        let is_tied = is_list || is_bill || is_named(".att");
        let list = is_list.then(|| entry.digest.parse().ok()).flatten();
        let list = list.and_then(|digest| {
            parse::<Manifest>(&verified(store, image, &digest, None, limits::MANIFEST_BYTES).ok()?)
                .ok()
        });
        match list {
            Some(list) if !list.manifests.is_empty() => {
                candidates.extend(list.manifests.into_iter().map(Candidate::plain));
            }
            _ => candidates.push(Candidate { entry, is_bill, is_tied }),
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
    asked: &Asked<'_>,
    candidate: &Candidate,
    found: &mut Attachments,
    room: &mut Room,
) -> Result<(), String> {
    let Asked { store, image, subjects, wanted, .. } = asked;
    let digest: Digest =
        candidate.entry.digest.parse().map_err(|_| "its digest is none".to_owned())?;
    let bytes = verified(store, image, &digest, None, limits::MANIFEST_BYTES)?;
    let manifest: Manifest = parse(&bytes)?;
    let of_other =
        |subject: &Descriptor| !subjects.iter().any(|own| own.to_string() == subject.digest);
    if manifest.subject.as_ref().is_some_and(of_other) {
        return Ok(());
    }
    let is_tied = candidate.is_tied || manifest.subject.is_some();
    for layer in &manifest.layers {
        let is_envelope =
            ENVELOPES.contains(&layer.media_type.as_str()) || layer.media_type.starts_with(BUNDLE);
        // A bare document says of nothing but its subject, or the tag, that it is about this image.
        let bare = (manifest.subject.is_some() || candidate.is_bill)
            && (wanted.is_type(&layer.media_type)
                || !is_envelope && wanted.is_type(&manifest.artifact_type));
        let predicate = PREDICATE_TYPES.iter().find_map(|key| layer.annotations.get(*key));
        let of_other = predicate.is_some_and(|kind| !wanted.is_predicate(kind));
        if !bare && (!is_envelope || of_other) {
            if is_tied && !is_signature(&layer.media_type) {
                found.leave(&layer.digest, Other::of(predicate, &layer.media_type));
            }
            continue;
        }
        if room.documents == 0 {
            return Err(format!("more than {DOCUMENTS} documents; the others were left"));
        }
        let blob: Digest = layer.digest.parse().map_err(|_| "a digest is none".to_owned())?;
        let limit = wanted.bytes_of_one().min(room.bytes);
        let bytes = verified(store, image, &blob, layer.size, limit)?;
        room.documents -= 1;
        room.bytes = room.bytes.saturating_sub(bytes.len() as u64);
        let held = if bare { Held::Wanted(bytes, false) } else { held(&bytes, subjects, *wanted)? };
        match held {
            Held::Wanted(bytes, signed) => {
                found.documents.push(Attached { digest: blob, signed, bytes });
            }
            Held::Other(other) if is_tied => found.leave(&layer.digest, other),
            Held::Other(_) => {}
        }
    }
    Ok(())
}

impl Attachments {
    fn leave(&mut self, digest: &str, Other { what, may_hold }: Other) {
        if self.unused.len() < UNUSED {
            self.unused.push(Unused { digest: digest.to_owned(), what, may_hold });
        } else {
            self.more_unused += 1;
        }
    }
}

/// What an envelope holds.
enum Held {
    /// What was asked for, and whether it is signed.
    Wanted(Vec<u8>, bool),
    Other(Other),
}

/// Something that was not asked for.
struct Other {
    what: String,
    may_hold: bool,
}

/// How predicate types begin that are known to be neither bills nor VEX, or to be one of them: provenance,
/// test results, the results of scans. Source: in-toto attestation framework, "Predicates"; cosign,
/// `specs/COSIGN_VULN_ATTESTATION_SPEC.md`.
const OTHER_PREDICATES: [&str; 5] = [
    "https://slsa.dev/",
    "https://in-toto.io/",
    "https://openvex.dev/",
    "https://cosign.sigstore.dev/attestation/vuln/",
    "https://sigstore.dev/cosign/sign/",
];

/// Types of what is only a signature. Sources: cosign, `specs/SIGNATURE_SPEC.md`; Notary project,
/// "OCI signature".
fn is_signature(media_type: &str) -> bool {
    let known = [
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/jose+json",
        "application/cose",
    ];
    known.contains(&media_type)
}

impl Other {
    /// A layer that is not opened, by its own words.
    fn of(predicate: Option<&String>, media_type: &str) -> Self {
        match predicate {
            Some(kind) => Self::statement(kind),
            None => Self { what: format!("of the type `{}`", short(media_type)), may_hold: false },
        }
    }

    fn statement(kind: &str) -> Self {
        let known = OTHER_PREDICATES.iter().any(|known| kind.starts_with(known))
            || [Wanted::Vex, Wanted::Bills].iter().any(|wanted| wanted.is_predicate(kind));
        Self { what: format!("a statement of the type `{}`", short(kind)), may_hold: !known }
    }
}

fn short(text: &str) -> String {
    text.chars().take(TYPE_CHARACTERS).collect()
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

/// What is wanted of an envelope, a bundle with one, or a statement alone, that is about the image; and
/// whether it is signed. None where it is about something else, or says something else.
///
/// # Errors
/// Where it is none of these.
pub fn opened(
    bytes: &[u8],
    subjects: &[Digest],
    wanted: Wanted,
) -> Result<Option<(Vec<u8>, bool)>, String> {
    Ok(match held(bytes, subjects, wanted)? {
        Held::Wanted(bytes, signed) => Some((bytes, signed)),
        Held::Other(_) => None,
    })
}

fn held(bytes: &[u8], subjects: &[Digest], wanted: Wanted) -> Result<Held, String> {
    let envelope: Envelope =
        serde_json::from_slice(bytes).map_err(|error| format!("no envelope: {error}"))?;
    let (payload, signed) = if envelope.predicate_type.is_some() {
        (Cow::Borrowed(bytes), false)
    } else {
        let mut envelope = envelope;
        if let Some(inner) = envelope.dsse_envelope.take() {
            envelope = *inner;
        }
        if envelope.payload_type != STATEMENT {
            // A bundle around the signature of something else has no payload.
            let may_hold = !envelope.payload.is_empty();
            let what = format!("an envelope around `{}`", short(&envelope.payload_type));
            return Ok(Held::Other(Other { what, may_hold }));
        }
        let payload = STANDARD.decode(&envelope.payload);
        let payload = payload.map_err(|_| "its payload is not base64".to_owned())?;
        (Cow::Owned(payload), !envelope.signatures.is_empty())
    };
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|error| format!("no statement: {error}"))?;
    let about = |subject: &StatementSubject| {
        subjects.iter().any(|own| {
            subject.digest.get(own.algorithm().name()).is_some_and(|hex| *hex == own.hex())
        })
    };
    let mut other = Other::statement(&statement.predicate_type);
    if !statement.subject.iter().any(about) {
        other.what.push_str(" about another image");
        return Ok(Held::Other(Other { may_hold: false, ..other }));
    }
    if !wanted.is_predicate(&statement.predicate_type) {
        return Ok(Held::Other(other));
    }
    let document = match wanted {
        Wanted::Vex => statement.predicate.get().as_bytes().to_vec(),
        // Who reads bills knows what may lie around them.
        Wanted::Bills => payload.into_owned(),
    };
    Ok(Held::Wanted(document, signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// How the predicate types of OpenVEX begin.
    const PREDICATE: &str = "https://openvex.dev/ns";

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
        let open = |statement| {
            opened(&envelope(&statement, &json!([{"sig": "eA=="}])), subjects, Wanted::Vex)
        };
        let (bytes, signed) = open(statement(PREDICATE, &own.hex())).unwrap().unwrap();
        assert!(signed);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(), vex);
        assert!(open(statement("https://openvex.dev/ns/v0.2.0", &own.hex())).unwrap().is_some());
        assert_eq!(open(statement(PREDICATE, &Digest::of(b"other").hex())).unwrap(), None);
        assert_eq!(open(statement("https://slsa.dev/provenance/v1", &own.hex())).unwrap(), None);
        let unsigned = envelope(&statement(PREDICATE, &own.hex()), &json!([]));
        assert!(!opened(&unsigned, subjects, Wanted::Vex).unwrap().unwrap().1);
        // What is asked of one kind is not answered by another.
        assert_eq!(opened(&unsigned, subjects, Wanted::Bills).unwrap(), None);
    }

    #[test]
    fn a_statement_lies_in_an_envelope_in_a_bundle_or_alone() {
        let own = Digest::of(b"image");
        let subjects = std::slice::from_ref(&own);
        let statement = json!({"predicateType": "https://spdx.dev/Document/v2.3", "predicate": {"a": 1},
            "subject": [{"digest": {"sha256": own.hex()}}]});
        let signed: serde_json::Value =
            serde_json::from_slice(&envelope(&statement, &json!([{"sig": "eA=="}]))).unwrap();
        let bundle =
            json!({"mediaType": BUNDLE, "verificationMaterial": {}, "dsseEnvelope": signed});
        for (document, is_signed) in [(&signed, true), (&bundle, true), (&statement, false)] {
            let bytes = document.to_string();
            let (found, signed) =
                opened(bytes.as_bytes(), subjects, Wanted::Bills).unwrap().unwrap();
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&found).unwrap(), statement);
            assert_eq!(signed, is_signed);
            assert_eq!(opened(bytes.as_bytes(), subjects, Wanted::Vex).unwrap(), None);
        }
        let message = json!({"mediaType": BUNDLE, "messageSignature": {}}).to_string();
        assert_eq!(opened(message.as_bytes(), subjects, Wanted::Bills).unwrap(), None);
    }

    #[test]
    fn damaged_envelopes_are_errors_and_no_panics() {
        let own = Digest::of(b"image");
        let statement = json!({"predicateType": PREDICATE, "subject": [], "predicate": {}});
        let good = envelope(&statement, &json!([]));
        for end in 0..good.len() {
            for wanted in [Wanted::Vex, Wanted::Bills] {
                assert!(opened(&good[..end], std::slice::from_ref(&own), wanted).is_err());
            }
        }
    }
}
