//! Holds computed digests and sizes against those that manifest and configuration name.

use image::{Claim, Image, Mismatch, Walked};
use std::borrow::Cow::Borrowed;
use vocabulary::{
    Always, Aspect, Class, Confidence, Digest, Evidence, Finding, Layer, Location, OriginKind,
    Rule, Severity,
};

/// Content that does not have the digest its reference names.
pub static DIGEST_MISMATCH: Rule = Rule {
    id: Borrowed("digest-mismatch"),
    class: Class::Integrity,
    title: Borrowed("Content differs from its digest"),
    why: Borrowed(
        "The bytes are not those that the manifest or configuration names: damage in transit or at rest, or tampering.",
    ),
    severity: Severity::Critical,
    remedy: Borrowed("Do not run the image. Fetch it again from a trusted source and compare."),
    reference: Some(Borrowed(
        "https://github.com/opencontainers/image-spec/blob/main/descriptor.md",
    )),
    always: Some(Always::all(
        "content differs from its digest",
        "contents differ from their digests",
    )),
};

/// What of one layer is not what it is said to be.
pub(crate) fn of_layer(image: &Image, index: usize, walked: &Walked) -> Vec<Mismatch> {
    let Some(source) = image.layers.get(index) else { return Vec::new() };
    let layer = u32::try_from(index).ok();
    let pairs = [
        (format!("layer {index}, as stored"), &source.digest, &walked.packed_digest),
        (format!("layer {index}, unpacked (diffID)"), &source.diff_id, &walked.facts.diff_id),
    ];
    let mut mismatches: Vec<Mismatch> = pairs
        .into_iter()
        .filter_map(|(what, expected, found)| {
            let (expected, found) = (expected.clone()?, found.clone()?);
            let differs = expected != found && expected.algorithm() == found.algorithm();
            differs.then_some(Mismatch { what, layer, claim: Claim::Digest { expected, found } })
        })
        .collect();
    // Counted in full only where the stored bytes were hashed in full.
    let found = walked.packed_digest.as_ref().map(|_| walked.packed_bytes);
    if let (Some(expected), Some(found)) = (source.stated_bytes, found)
        && expected != found
    {
        let what = format!("layer {index}, as stored");
        mismatches.push(Mismatch { what, layer, claim: Claim::Size { expected, found } });
    }
    mismatches
}

/// The findings of mismatches.
pub(crate) fn findings(mismatches: &[Mismatch], layers: &[Layer]) -> Vec<Finding> {
    mismatches.iter().map(|mismatch| finding(mismatch, layers)).collect()
}

fn finding(mismatch: &Mismatch, layers: &[Layer]) -> Finding {
    let layer = mismatch.layer.and_then(|index| layers.iter().find(|layer| layer.index == index));
    let location = match layer {
        Some(layer) => Location::Layer { index: layer.index, diff_id: layer.diff_id.clone() },
        None => Location::Subject,
    };
    // What was expected belongs to the identity: two documents of one subject can both be wrong.
    let (id, title) = match &mismatch.claim {
        Claim::Digest { expected, .. } => (
            expected.to_string(),
            format!("The {} does not have the digest that names it", mismatch.what),
        ),
        Claim::Size { expected, found } => (
            format!("{}, {expected} bytes", mismatch.what),
            format!("The {} has {found} bytes, and its descriptor says {expected}", mismatch.what),
        ),
    };
    Finding {
        layer: mismatch.layer,
        origin: layer.map_or(OriginKind::Unknown, |layer| layer.origin.kind),
        confidence: Confidence::Confirmed,
        ..Finding::of(&DIGEST_MISMATCH, Some(&id), title, location, vec![evidence(mismatch)])
    }
}

/// What a bill says that its maker saw.
pub(crate) fn of_bill(mismatch: sbom::Mismatch) -> Finding {
    match mismatch {
        sbom::Mismatch::Found(finding) => Finding { class: DIGEST_MISMATCH.class, ..*finding },
        sbom::Mismatch::Told(title) => {
            let identity = title.clone();
            let place = Location::Subject;
            Finding::of(&DIGEST_MISMATCH, Some(&identity), title, place, Vec::new())
        }
    }
}

fn evidence(mismatch: &Mismatch) -> Evidence {
    match mismatch.claim.clone() {
        Claim::Digest { expected, found } => {
            Evidence::Digest { what: mismatch.what.clone(), expected, found }
        }
        Claim::Size { expected, found } => Evidence::Difference {
            aspect: Aspect::Size,
            expected: Some(expected.to_string()),
            found: Some(found.to_string()),
        },
    }
}

/// The diffID to show for a layer: computed, else named, else that of nothing.
pub(crate) fn shown_diff_id(computed: Option<&Digest>, named: Option<&Digest>) -> Digest {
    computed.or(named).cloned().unwrap_or_else(|| Digest::of(b""))
}
