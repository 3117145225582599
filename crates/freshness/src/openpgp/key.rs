//! Public keys of version 4: RSA, and Ed25519 as it was before RFC 9580 ("EdDSALegacy").
//!
//! These are what Debian and Ubuntu sign with. Other keys are not taken. Source: RFC 9580, sections
//! 5.5.2 (packets), 5.5.4.2 (fingerprints) and 5.5.5 (algorithms).

use super::packet::Cursor;
use super::signature::{Hash, Signature};
use ring::{digest, signature};
use std::fmt;

/// RSA, and RSA for signing alone.
const RSA: [u8; 2] = [1, 3];
const EDDSA_LEGACY: u8 = 22;

/// The name of Ed25519 among curves (9.2).
const ED25519: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// The digest by which a key is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub(super) [u8; 20]);

impl Fingerprint {
    /// The last eight bytes, by which older signatures name their key.
    pub(super) fn id(&self) -> [u8; 8] {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        [a, b, c, d, e, f, g, h]
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ed25519([u8; 32]),
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    body: Vec<u8>,
    pub(super) fingerprint: Fingerprint,
    pub(super) created: u32,
    material: Material,
}

impl PublicKey {
    /// None where it is of a form or an algorithm that is not taken.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut rest = Cursor(body);
        if rest.byte()? != 4 {
            return None;
        }
        let created = rest.long()?;
        let algorithm = rest.byte()?;
        let material = if RSA.contains(&algorithm) {
            Material::Rsa { modulus: rest.number()?.to_vec(), exponent: rest.number()?.to_vec() }
        } else if algorithm == EDDSA_LEGACY {
            let length = usize::from(rest.byte()?);
            if rest.take(length)? != ED25519 {
                return None;
            }
            let (prefix, point) = rest.number()?.split_first()?;
            (*prefix == 0x40).then_some(())?;
            Material::Ed25519(point.try_into().ok()?)
        } else {
            return None;
        };
        if !rest.0.is_empty() {
            return None;
        }
        let head = framed(body)?;
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(&head);
        context.update(body);
        let fingerprint = Fingerprint(context.finish().as_ref().try_into().ok()?);
        Some(Self { body: body.to_vec(), fingerprint, created, material })
    }

    /// As it is hashed (5.2.4).
    pub(super) fn hashed(&self) -> Vec<u8> {
        let mut hashed = framed(&self.body).map_or(Vec::new(), |head| head.to_vec());
        hashed.extend_from_slice(&self.body);
        hashed
    }

    /// Whether it made a signature over the data.
    pub(super) fn made(&self, by: &Signature, data: &[&[u8]]) -> bool {
        let message = by.message(data);
        match (&self.material, by.algorithm, by.numbers.as_slice()) {
            (Material::Rsa { modulus, exponent }, algorithm, [number])
                if RSA.contains(&algorithm) =>
            {
                let parameters = match by.hash {
                    Hash::Sha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    Hash::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Hash::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Hash::Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                };
                // A number has no leading zeros; the signature is as long as the modulus.
                let Some(number) = padded(number, modulus.len()) else { return false };
                signature::RsaPublicKeyComponents { n: modulus, e: exponent }
                    .verify(parameters, &message, &number)
                    .is_ok()
            }
            (Material::Ed25519(point), EDDSA_LEGACY, [left, right]) => {
                let algorithm = match by.hash {
                    Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
                    Hash::Sha256 => &digest::SHA256,
                    Hash::Sha384 => &digest::SHA384,
                    Hash::Sha512 => &digest::SHA512,
                };
                let digest = digest::digest(algorithm, &message);
                let (Some(left), Some(right)) = (padded(left, 32), padded(right, 32)) else {
                    return false;
                };
                signature::UnparsedPublicKey::new(&signature::ED25519, point)
                    .verify(digest.as_ref(), &[left, right].concat())
                    .is_ok()
            }
            _ => false,
        }
    }
}

fn framed(body: &[u8]) -> Option<[u8; 3]> {
    let [high, low] = u16::try_from(body.len()).ok()?.to_be_bytes();
    Some([0x99, high, low])
}

fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut padded = vec![0; length.checked_sub(number.len())?];
    padded.extend_from_slice(number);
    Some(padded)
}
