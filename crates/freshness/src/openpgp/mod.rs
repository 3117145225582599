//! Verifies clear-signed texts: as much of OpenPGP as an archive's `InRelease` needs, and no more.
//!
//! In go a text, keys, and which of them are trusted; out comes the text that a trusted key signed.
//! One good signature of one trusted key is enough, since archives sign with old and new keys side by
//! side. What is not understood is never taken as good. The arithmetic is ring's.
//! Source: RFC 9580, "OpenPGP".

mod armor;
mod key;
mod keyring;
mod packet;
mod signature;

pub use key::Fingerprint;
pub use keyring::Keyring;

use signature::{Signature, TEXT};

/// How far a clock may be behind that of who signed, in seconds.
const CLOCK_SLACK: i64 = 24 * 60 * 60;

/// Signatures under one text; Debian has up to three.
const SIGNATURES: usize = 16;

/// Why a text or a key is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PgpError {
    /// It is not of the form that is asked for.
    #[error("{0}")]
    Form(&'static str),
    /// Nobody who is trusted signed it.
    #[error("no key that is trusted signed it (signed by {0}); name a keyring by --keyring")]
    Untrusted(String),
    /// Somebody who is trusted is said to have signed it, but that does not hold.
    #[error("its signature does not hold: {0}")]
    Bad(String),
}

/// A text that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What was signed, and nothing else.
    pub text: String,
    /// The primary key of who signed.
    pub signer: Fingerprint,
}

/// Verifies a clear-signed text at a moment, in seconds since 1970.
///
/// # Errors
/// Where it is none, or no trusted key made a good signature.
pub fn verify(
    text: &[u8],
    keyring: &Keyring,
    trusted: impl Fn(&Fingerprint) -> bool,
    now: i64,
) -> Result<Verified, PgpError> {
    let signed = armor::clear_signed(text)?;
    let packets = packet::packets(&signed.signatures)?;
    if packets.len() > SIGNATURES || packets.iter().any(|packet| packet.tag != 2) {
        return Err(PgpError::Form("there is more than signatures under it"));
    }
    let (mut strangers, mut bad) = (Vec::new(), Vec::new());
    for packet in packets {
        let Some(signature) = Signature::parse(packet.body) else {
            strangers.push("a key or by means that are not taken here".to_owned());
            continue;
        };
        let keys: Vec<_> =
            keyring.find(&signature).into_iter().filter(|(primary, _)| trusted(primary)).collect();
        if keys.is_empty() {
            strangers.push(signature.named());
        }
        for (primary, key) in keys {
            match check(&signature, &signed.signed, keyring, (&primary, &key), now) {
                Ok(()) => return Ok(Verified { text: signed.text, signer: primary }),
                Err(reason) => bad.push(format!("key {key}: {reason}")),
            }
        }
    }
    if bad.is_empty() {
        Err(PgpError::Untrusted(strangers.join(", ")))
    } else {
        Err(PgpError::Bad(bad.join("; ")))
    }
}

fn check(
    signature: &Signature,
    data: &[u8],
    keyring: &Keyring,
    (primary, key): (&Fingerprint, &Fingerprint),
    now: i64,
) -> Result<(), &'static str> {
    if signature.kind != TEXT {
        return Err("it is not a signature of a text");
    }
    let latest = now.saturating_add(CLOCK_SLACK);
    if i64::from(signature.created) > latest {
        return Err("it was made in the future");
    }
    if !signature.holds_at(now.max(i64::from(signature.created))) {
        return Err("it has expired");
    }
    let key = keyring.usable(primary, key, now)?;
    if signature.created < key.created {
        return Err("it is older than its key");
    }
    if key.made(signature, &[data]) { Ok(()) } else { Err("it is not by this text") }
}

#[cfg(test)]
mod tests;
