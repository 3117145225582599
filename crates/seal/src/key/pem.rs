//! PEM and the DER inside it: PKCS #8 (RFC 5958, RFC 8410) and SubjectPublicKeyInfo.
//!
//! In goes text, out come keys. What DER there is for Ed25519 is of fixed form, so it is compared and
//! not parsed; private keys are left to `ring`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::Ed25519KeyPair;

/// What stands before the 32 bytes of an Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4).
const PUBLIC_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What stands before the 32 bytes of an Ed25519 private key, version 1 (RFC 8410, section 7).
const PRIVATE_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The content of the one block of this label (RFC 7468; headers are not taken).
pub(super) fn block(text: &str, label: &str) -> Result<Vec<u8>, &'static str> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let (_, rest) = text.split_once(&begin).ok_or("this holds no PEM block of a known kind")?;
    let (body, rest) = rest.split_once(&end).ok_or("the PEM block has no end")?;
    if rest.contains("-----BEGIN") {
        return Err("this holds several PEM blocks; give one");
    }
    let body: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(body).map_err(|_| "the PEM block is not base64")
}

/// A block, in lines of `width`.
pub(super) fn armor(label: &str, content: &[u8], width: usize) -> String {
    let encoded = STANDARD.encode(content);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % width == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

pub(super) fn private(text: &str) -> Result<Ed25519KeyPair, &'static str> {
    if text.contains("ENCRYPTED") {
        return Err(
            "the key is encrypted; write it in plain with `openssl pkey`, or use an OpenSSH key that the SSH agent holds",
        );
    }
    let der = block(text, "PRIVATE KEY")
        .map_err(|reason| if text.contains("BEGIN PRIVATE KEY") { reason } else { OTHER })?;
    // Version 1 has no public half to check against.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| OTHER)
}

const OTHER: &str = "this is not an Ed25519 key in PKCS #8; make one with `lazaret key new`, or with `openssl genpkey -algorithm ed25519`";

pub(super) fn public(text: &str) -> Result<[u8; 32], &'static str> {
    let der = block(text, "PUBLIC KEY")?;
    der.strip_prefix(&PUBLIC_PREFIX)
        .and_then(|key| key.try_into().ok())
        .ok_or("this is not an Ed25519 public key")
}

pub(super) fn subject_public_key_info(public: &[u8; 32]) -> Vec<u8> {
    [PUBLIC_PREFIX.as_slice(), public].concat()
}

pub(super) fn public_text(public: &[u8; 32]) -> String {
    armor("PUBLIC KEY", &subject_public_key_info(public), 64)
}

pub(super) fn private_text(seed: &[u8; 32]) -> String {
    armor("PRIVATE KEY", &[PRIVATE_PREFIX.as_slice(), seed].concat(), 64)
}
