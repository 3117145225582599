//! The envelope of a signed statement: DSSE (Dead Simple Signing Envelope) v1.
//!
//! In go payload and signatures, out comes JSON, and back. What is signed is the pre-authentication
//! encoding of type and payload, never the JSON around it, so that nothing needs to be canonical.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

/// The type of an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Bytes of an envelope: a statement in base64, and signatures.
pub const ENVELOPE_BYTES: usize = 6 << 20;

/// Signatures of one envelope: each is tried with each trusted key.
const SIGNATURES: usize = 16;

/// An envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The payload: a statement, as it was signed.
    pub payload: Vec<u8>,
    /// At least one.
    pub signatures: Vec<Signature>,
}

/// A signature over the pre-authentication encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A hint at the key: its fingerprint. Nothing is decided by it.
    pub key_id: String,
    /// Ed25519: 64 bytes; SSH: an `SSHSIG` blob.
    pub bytes: Vec<u8>,
}

/// Why bytes are not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// It is too large.
    #[error("the envelope is larger than {ENVELOPE_BYTES} bytes; refusing to read it")]
    TooLarge,
    /// It is not JSON of this form.
    #[error("the envelope cannot be read: {0}")]
    Json(#[source] serde_json::Error),
    /// It holds something else.
    #[error("the envelope holds `{0}`, not `{PAYLOAD_TYPE}`; give the envelope of a seal")]
    PayloadType(String),
    /// Payload or signature is not base64.
    #[error("the envelope's {0} is not base64")]
    Base64(&'static str),
    /// None, or too many.
    #[error("the envelope has {0} signatures; 1 to {SIGNATURES} are taken")]
    Signatures(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    payload_type: String,
    payload: String,
    signatures: Vec<JsonSignature>,
}

#[derive(Serialize, Deserialize)]
struct JsonSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// The pre-authentication encoding of a statement (DSSE v1, "Signature Definition").
#[must_use]
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let mut out =
        format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

impl Envelope {
    /// The JSON form.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn to_json(&self) -> Result<Vec<u8>, EnvelopeError> {
        let json = Json {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(&self.payload),
            signatures: self
                .signatures
                .iter()
                .map(|signature| JsonSignature {
                    keyid: signature.key_id.clone(),
                    sig: STANDARD.encode(&signature.bytes),
                })
                .collect(),
        };
        serde_json::to_vec(&json).map_err(EnvelopeError::Json)
    }

    /// Reads the JSON form. Nothing in it is verified yet.
    ///
    /// # Errors
    /// Where it is not an envelope of a statement.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge);
        }
        let json: Json = serde_json::from_slice(bytes).map_err(EnvelopeError::Json)?;
        if json.payload_type != PAYLOAD_TYPE {
            let shown = json.payload_type.chars().take(200).collect();
            return Err(EnvelopeError::PayloadType(shown));
        }
        if json.signatures.is_empty() || json.signatures.len() > SIGNATURES {
            return Err(EnvelopeError::Signatures(json.signatures.len()));
        }
        let payload = decode(&json.payload).ok_or(EnvelopeError::Base64("payload"))?;
        let signatures = json.signatures.into_iter().map(|signature| {
            let bytes = decode(&signature.sig).ok_or(EnvelopeError::Base64("signature"))?;
            Ok(Signature { key_id: signature.keyid, bytes })
        });
        Ok(Self { payload, signatures: signatures.collect::<Result<_, EnvelopeError>>()? })
    }
}

/// Either alphabet, as the specification asks of readers.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_encoding_counts_bytes() {
        assert_eq!(pae("é".as_bytes()), "DSSEv1 28 application/vnd.in-toto+json 2 é".as_bytes());
        assert_eq!(pae(b""), b"DSSEv1 28 application/vnd.in-toto+json 0 ");
    }

    proptest! {
        #[test]
        fn an_envelope_comes_back_as_it_went_in(
            payload in prop::collection::vec(any::<u8>(), 0..99),
            signatures in prop::collection::vec(("[a-z:]{0,9}", prop::collection::vec(any::<u8>(), 0..70)), 1..4),
        ) {
            let signatures = signatures.into_iter().map(|(key_id, bytes)| Signature { key_id, bytes }).collect();
            let envelope = Envelope { payload, signatures };
            prop_assert_eq!(Envelope::from_json(&envelope.to_json().unwrap()).unwrap(), envelope);
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let of = |text: &str| Envelope::from_json(text.as_bytes());
        assert!(matches!(of("{}"), Err(EnvelopeError::Json(_))));
        assert!(matches!(
            of(r#"{"payloadType":"text/plain","payload":"","signatures":[]}"#),
            Err(EnvelopeError::PayloadType(_))
        ));
        assert!(matches!(
            of(r#"{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}"#),
            Err(EnvelopeError::Signatures(0))
        ));
        assert!(matches!(
            of(
                r#"{"payloadType":"application/vnd.in-toto+json","payload":"*","signatures":[{"sig":""}]}"#
            ),
            Err(EnvelopeError::Base64("payload"))
        ));
        let safe = of(
            r#"{"payloadType":"application/vnd.in-toto+json","payload":"_-8=","signatures":[{"sig":""}]}"#,
        );
        assert_eq!(safe.unwrap().payload, [0xff, 0xef]);
    }
}
