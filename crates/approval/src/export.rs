//! What others need to check a seal without this program, as documents for a folder.

use crate::refusal::ApprovalError;
use seal::{Seal, SealedRecord, StoreError, VerifyingKey, key};
use std::borrow::Cow;

/// A document, by the name that its file has.
#[derive(Clone, Debug)]
pub struct Document<'seal> {
    /// The name of its file.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Cow<'seal, [u8]>,
}

/// The statement, what was signed, the signatures with the key that made them, and the record.
///
/// # Errors
/// Where the envelope cannot be written as JSON.
pub fn documents<'seal>(
    seal: &'seal Seal,
    record: &'seal SealedRecord,
    key: &VerifyingKey,
) -> Result<Vec<Document<'seal>>, ApprovalError> {
    let envelope = &seal.envelope;
    let json = envelope.to_json().map_err(StoreError::from)?;
    let borrowed = |name, bytes: &'seal [u8]| Document { name, bytes: Cow::Borrowed(bytes) };
    let owned = |name, bytes: Vec<u8>| Document { name, bytes: Cow::Owned(bytes) };
    let mut documents = vec![
        borrowed("statement.json", &envelope.payload),
        owned("pae.bin", seal::pae(&envelope.payload)),
        owned("envelope.json", json),
        borrowed("record", record.stored()),
        borrowed("packages", record.stored_packages()),
    ];
    for signature in &envelope.signatures {
        match key.allowed_signer() {
            Some(line) => {
                let armored = key::armored(&signature.bytes);
                documents.push(owned("signature.sig", armored.into_bytes()));
                documents.push(owned("allowed_signers", line.into_bytes()));
            }
            None => {
                documents.push(borrowed("signature.bin", &signature.bytes));
                documents.push(owned("public.pem", key.to_text().into_bytes()));
            }
        }
    }
    Ok(documents)
}
