//! What a seal says: an in-toto Statement v1 with a predicate of our own.
//!
//! In go what was read of an image, out comes the JSON that is signed. The predicate holds digests of
//! everything and the things themselves of nothing: the files and packages lie beside it. Sources:
//! in-toto attestation framework, "Statement"; the predicate is described in `docs/seal.md`.

use crate::name::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocabulary::{DatabaseInfo, Digest, Layer, Severity, Subject};

/// The type of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type of our predicate.
pub const PREDICATE_TYPE: &str = "urn:lazaret:image-seal:v1";

/// Bytes of a statement: that of an image of a thousand layers has some 200 KB.
pub const STATEMENT_BYTES: usize = 4 << 20;

/// Characters of a repository's name: names of images have at most 255.
pub const REPOSITORY_CHARACTERS: usize = 512;

/// Characters of a time, a fingerprint or a platform.
const TEXT_CHARACTERS: usize = 200;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The image: its manifest where that is known, else its configuration.
    pub subject: Vec<Resource>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said of it.
    pub predicate: Predicate,
}

/// A thing that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its name; for people.
    pub name: String,
    /// Digests in hex, by algorithm.
    pub digest: BTreeMap<String, String>,
}

/// What a seal says of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// The name under which it was sealed.
    pub repository: String,
    /// The tag under which it was sealed, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Which seal of that repository it is, from 1. It only grows: an older image under the same
    /// name shows as one.
    pub counter: u64,
    /// When it was sealed, RFC 3339, UTC, by the clock of the machine that sealed it.
    pub time: String,
    /// Who sealed it.
    pub signer: Signer,
    /// Digest of the manifest, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<Digest>,
    /// Digest of the configuration: the image's id.
    pub config_digest: Digest,
    /// Operating system and architecture, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Layers, bottom first.
    pub layers: Vec<SealedLayer>,
    /// The files.
    pub record: RecordSummary,
    /// The packages.
    pub packages: DocumentSummary,
    /// What a scan found, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanSummary>,
}

impl Predicate {
    /// The name under which it was sealed.
    #[must_use]
    pub fn name(&self) -> Name {
        Name { repository: self.repository.clone(), tag: self.tag.clone() }
    }
}

/// The key that sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// `ed25519` or `ssh-ed25519`.
    pub kind: String,
    /// Of the public key: `sha256:…` of its SubjectPublicKeyInfo, or `SHA256:…` as OpenSSH shows it.
    pub fingerprint: String,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedLayer {
    /// Digest as stored, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Digest of the plain tar.
    #[serde(rename = "diffID")]
    pub diff_id: Digest,
    /// Bytes as stored.
    pub size: u64,
}

/// The record of the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordSummary {
    /// Root of the tree over the files, see [`crate::merkle`].
    pub merkle_root: Digest,
    /// How many files.
    pub entries: u64,
    /// Digest of the stored record.
    pub digest: Digest,
}

/// A document beside the seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentSummary {
    /// How many things it lists.
    pub count: u64,
    /// Digest of the stored document.
    pub digest: Digest,
}

/// What a scan found at the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSummary {
    /// Findings by severity.
    pub findings: BTreeMap<Severity, u64>,
    /// The advisories that were matched against.
    pub databases: Vec<DatabaseInfo>,
}

/// Why a text is not a statement of ours.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It is too large.
    #[error("the statement is larger than {STATEMENT_BYTES} bytes; refusing to read it")]
    TooLarge,
    /// It is not JSON of this form.
    #[error("the statement cannot be read: {0}")]
    Json(#[source] serde_json::Error),
    /// It is another kind of statement.
    #[error("the statement is a `{0}`, not a `{PREDICATE_TYPE}`; give the envelope of a seal")]
    Kind(String),
    /// It contradicts itself, or lacks what it must have.
    #[error("the statement is not valid: {0}")]
    Invalid(&'static str),
    /// The image cannot be sealed.
    #[error("{0}")]
    Unsealable(&'static str),
}

/// What a statement is made of, apart from the documents' digests.
pub(crate) struct Facts<'facts> {
    pub(crate) subject: &'facts Subject,
    pub(crate) layers: &'facts [Layer],
    pub(crate) record: RecordSummary,
    pub(crate) packages: DocumentSummary,
    pub(crate) scan: Option<ScanSummary>,
    pub(crate) name: &'facts Name,
    pub(crate) counter: u64,
    pub(crate) time: &'facts str,
    pub(crate) signer: Signer,
}

impl Statement {
    pub(crate) fn new(facts: Facts<'_>) -> Result<Self, StatementError> {
        let Facts { subject, layers, record, packages, scan, name, counter, time, signer } = facts;
        let config_digest = subject.config_digest.clone().ok_or(StatementError::Unsealable(
            "only images can be sealed; this has no image configuration",
        ))?;
        let named = subject.manifest_digest.as_ref().unwrap_or(&config_digest);
        let digest = BTreeMap::from([(named.algorithm().name().to_owned(), named.hex())]);
        let statement = Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Resource { name: name.to_string(), digest }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                repository: name.repository.clone(),
                tag: name.tag.clone(),
                counter,
                time: time.to_owned(),
                signer,
                manifest_digest: subject.manifest_digest.clone(),
                config_digest,
                platform: subject.platform.as_ref().map(ToString::to_string),
                layers: layers
                    .iter()
                    .map(|layer| SealedLayer {
                        digest: layer.digest.clone(),
                        diff_id: layer.diff_id.clone(),
                        size: layer.packed_bytes,
                    })
                    .collect(),
                record,
                packages,
                scan,
            },
        };
        statement.check()?;
        Ok(statement)
    }

    /// The bytes that are signed.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, StatementError> {
        serde_json::to_vec(self).map_err(StatementError::Json)
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// Where it is not one of ours, or contradicts itself.
    pub fn from_json(json: &[u8]) -> Result<Self, StatementError> {
        if json.len() > STATEMENT_BYTES {
            return Err(StatementError::TooLarge);
        }
        // The kind first: another predicate is no fault of the file.
        #[derive(Deserialize)]
        struct Kind {
            #[serde(rename = "_type")]
            statement_type: String,
            #[serde(rename = "predicateType")]
            predicate_type: String,
        }
        let kind: Kind = serde_json::from_slice(json).map_err(StatementError::Json)?;
        if kind.statement_type != STATEMENT_TYPE || kind.predicate_type != PREDICATE_TYPE {
            return Err(StatementError::Kind(kind.predicate_type.chars().take(200).collect()));
        }
        let statement: Self = serde_json::from_slice(json).map_err(StatementError::Json)?;
        statement.check()?;
        Ok(statement)
    }

    fn check(&self) -> Result<(), StatementError> {
        let predicate = &self.predicate;
        let named = predicate.manifest_digest.as_ref().unwrap_or(&predicate.config_digest);
        let subject = self.subject.first().filter(|_| self.subject.len() == 1);
        let digest = subject.and_then(|subject| subject.digest.get(named.algorithm().name()));
        if digest != Some(&named.hex()) {
            return Err(StatementError::Invalid("its subject is not the image that it describes"));
        }
        // These are shown on terminals before any signature is looked at.
        let plain = |text: &str, characters: usize| {
            !text.is_empty()
                && text.len() <= characters
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !plain(&predicate.repository, REPOSITORY_CHARACTERS) {
            return Err(StatementError::Invalid(
                "the repository's name is empty, too long, or has spaces or letters beyond ASCII in it",
            ));
        }
        if predicate.tag.as_deref().is_some_and(|tag| !plain(tag, TEXT_CHARACTERS)) {
            return Err(StatementError::Invalid("its tag is none"));
        }
        let signer = &predicate.signer;
        let platform = predicate.platform.as_deref().unwrap_or("-");
        let texts = [&predicate.time, &signer.kind, &signer.fingerprint, platform];
        if !texts.into_iter().all(|text| plain(text, TEXT_CHARACTERS)) {
            return Err(StatementError::Invalid("its time, signer or platform is none"));
        }
        if predicate.counter == 0 {
            return Err(StatementError::Invalid("its counter is 0; the first seal has 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> serde_json::Value {
        let digest = Digest::of(b"config");
        let document = serde_json::json!({"count": 0, "digest": digest});
        serde_json::json!({
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "app", "digest": {"sha256": digest.hex()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "repository": "app", "counter": 1, "time": "2026-01-02T03:04:05Z",
                "signer": {"kind": "ed25519", "fingerprint": "sha256:00"},
                "configDigest": digest, "layers": [], "packages": document,
                "record": {"merkleRoot": digest, "entries": 0, "digest": digest},
            },
        })
    }

    #[test]
    fn a_statement_that_contradicts_itself_is_refused() {
        let of = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut statement = statement();
            change(&mut statement);
            Statement::from_json(statement.to_string().as_bytes())
        };
        assert!(of(&|_| ()).is_ok());
        let invalid: [&dyn Fn(&mut serde_json::Value); 7] = [
            &|one| one["subject"][0]["digest"]["sha256"] = "00".into(),
            &|one| one["subject"] = serde_json::json!([]),
            &|one| one["predicate"]["counter"] = 0.into(),
            &|one| one["predicate"]["repository"] = "".into(),
            &|one| one["predicate"]["repository"] = "a\u{1b}[2J".into(),
            &|one| one["predicate"]["signer"]["fingerprint"] = "a\u{202e}b".into(),
            &|one| one["predicate"]["time"] = "now\n".into(),
        ];
        for change in invalid {
            assert!(matches!(of(change), Err(StatementError::Invalid(_))));
        }
        let other = of(&|one| one["predicateType"] = "https://slsa.dev/provenance/v1".into());
        assert!(matches!(other, Err(StatementError::Kind(_))));
    }
}
