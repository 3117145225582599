//! Findings about seals themselves.
//!
//! In goes what is wrong, out come findings of the rule `broken-seal`. The identity of such a finding
//! is the entry that it names.

use crate::log::{Damage, Seal};
use crate::rules::{BROKEN_SEAL, SEAL_MISMATCH};
use crate::store::{SignatureError, StoreError};
use vocabulary::{Aspect, Confidence, Evidence, Finding, Location, Rule};

/// A finding about the subject as a whole.
pub(crate) fn about_subject(
    rule: &Rule,
    identity: &str,
    title: String,
    evidence: Vec<Evidence>,
) -> Finding {
    seen(Finding::of(rule, Some(identity), title, Location::Subject, evidence))
}

/// Bytes were compared, or a signature was checked: nothing is surer.
pub(crate) fn seen(finding: Finding) -> Finding {
    Finding { confidence: Confidence::Confirmed, ..finding }
}

fn broken(entry: u64, what: &str, title: String, evidence: Vec<Evidence>) -> Finding {
    about_subject(&BROKEN_SEAL, &format!("entry {entry} {what}"), title, evidence)
}

pub(crate) fn damage(damage: &Damage) -> Finding {
    let Damage { entry, at, reason, expected, found } = damage;
    let title = format!("Entry {entry} of the seals, at byte {at}: {reason}");
    let evidence = Evidence::Difference {
        aspect: Aspect::Digest,
        expected: expected.as_ref().map(ToString::to_string),
        found: found.as_ref().map(ToString::to_string),
    };
    broken(*entry, "chain", title, vec![evidence])
}

/// A seal whose signature does not hold.
#[must_use]
pub fn signature(seal: &Seal, error: &SignatureError) -> Finding {
    let predicate = &seal.statement.predicate;
    let title = format!("Seal {} of `{}`: {error}", predicate.counter, predicate.repository);
    let evidence = Evidence::Difference {
        aspect: Aspect::Signature,
        expected: Some("a trusted key".to_owned()),
        found: Some(predicate.signer.fingerprint.clone()),
    };
    broken(seal.entry, "signature", title, vec![evidence])
}

/// A seal whose documents are not what was sealed.
#[must_use]
pub fn document(seal: &Seal, error: &StoreError) -> Finding {
    let predicate = &seal.statement.predicate;
    let title = format!("Seal {} of `{}`: {error}", predicate.counter, predicate.repository);
    let (expected, found) = match error {
        StoreError::Differs { expected, found, .. } => (expected.clone(), Some(found.clone())),
        _ => (predicate.record.digest.to_string(), None),
    };
    let evidence =
        Evidence::Difference { aspect: Aspect::Content, expected: Some(expected), found };
    broken(seal.entry, "document", title, vec![evidence])
}

/// A running container that sees other files than the folders hold which its engine names.
#[must_use]
pub fn other_folders(container: &str, strays: &[String]) -> Finding {
    let named = strays.first().map(String::as_str).unwrap_or_default();
    let more = match strays.len() {
        0 | 1 => String::new(),
        2 => " and 1 more file".to_owned(),
        count => format!(" and {} more files", count - 1),
    };
    let title = format!(
        "The container runs from other folders than its engine names: `{named}`{more} differ there"
    );
    let found = |path: &String| Evidence::Difference {
        aspect: Aspect::Presence,
        expected: None,
        found: Some(path.clone()),
    };
    let evidence = strays.iter().take(10).map(found).collect();
    about_subject(&SEAL_MISMATCH, &format!("folders of {container}"), title, evidence)
}

pub(crate) fn counter(seal: &Seal, last: u64) -> Finding {
    let predicate = &seal.statement.predicate;
    let title = format!(
        "Entry {} of the seals: the counter of `{}` does not grow",
        seal.entry, predicate.repository
    );
    let evidence = Evidence::Difference {
        aspect: Aspect::Counter,
        expected: Some(format!("more than {last}")),
        found: Some(predicate.counter.to_string()),
    };
    broken(seal.entry, "counter", title, vec![evidence])
}
