//! Keys and signatures of OpenPGP, made by a writer of its own.
//!
//! In go a seed and a text, out come a keyring and a clear-signed text, as an archive of packages would
//! have them: Ed25519 in the form from before RFC 9580. What is written can be made false. Source: RFC
//! 9580, sections 5.2, 5.5 and 7.

use base64::Engine as _;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA384, SHA512, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

const ALGORITHM: u8 = 22;
const SHA1_ID: u8 = 2;
const SHA384_ID: u8 = 9;
const SHA512_ID: u8 = 10;

/// A primary key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    created: u32,
    /// Seconds until it expires, by its own words; 0 for never.
    pub lifetime: u32,
    /// Seconds for which its signatures of texts count, by their own words; 0 for ever.
    pub signatures_last: u32,
    /// Flags that it gives itself; 3 is certify and sign.
    pub flags: u8,
    /// Whether it says of itself that it is revoked.
    pub revoked: bool,
    /// The hash of its signatures: 10 for SHA-512, else 9 for SHA-384 or 2 for SHA-1.
    pub hash: u8,
}

impl SigningKey {
    /// The key of a seed, made at a moment in seconds since 1970.
    ///
    /// # Panics
    /// Never with this seed's length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a seed of this length is a key")]
    pub fn new(seed: [u8; 32], created: u32) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes are a seed");
        Self {
            pair,
            created,
            lifetime: 0,
            signatures_last: 0,
            flags: 3,
            revoked: false,
            hash: SHA512_ID,
        }
    }

    /// Its fingerprint in hex.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.hashed());
        hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// The key with a user id and what it says of itself, binary.
    #[must_use]
    pub fn keyring(&self) -> Vec<u8> {
        let user = b"Made up <made@up.test>";
        let mut hashed_user = vec![0xb4];
        hashed_user.extend_from_slice(&length(user));
        hashed_user.extend_from_slice(user);
        let mut keyring = packet(6, &self.body());
        if self.revoked {
            keyring.extend(self.revocation());
        }
        keyring.extend(packet(13, user));
        let mut says = vec![2, 27, self.flags];
        if self.lifetime != 0 {
            says.extend([5, 9]);
            says.extend(self.lifetime.to_be_bytes());
        }
        let data = [self.hashed(), hashed_user].concat();
        keyring.extend(self.signature(0x13, &data, self.created, &says));
        keyring
    }

    /// The revocation of the key by itself, without the key.
    #[must_use]
    pub fn revocation(&self) -> Vec<u8> {
        self.signature(0x20, &self.hashed(), self.created, &[])
    }

    /// Another key as a subkey for signing, bound by this one alone.
    #[must_use]
    pub fn claim(&self, other: &Self) -> Vec<u8> {
        let mut claim = packet(14, &other.body());
        let data = [self.hashed(), other.hashed()].concat();
        claim.extend(self.signature(0x18, &data, self.created, &[2, 27, 2]));
        claim
    }

    /// The keyring as text.
    #[must_use]
    pub fn armored(&self) -> String {
        armor("PUBLIC KEY BLOCK", &self.keyring())
    }

    /// A text, clear-signed at a moment in seconds since 1970.
    #[must_use]
    pub fn clear_sign(&self, text: &str, at: u32) -> String {
        let lines: Vec<&str> =
            text.lines().map(|line| line.trim_end_matches([' ', '\t'])).collect();
        let mut says = Vec::new();
        if self.signatures_last != 0 {
            says.extend([5, 3]);
            says.extend(self.signatures_last.to_be_bytes());
        }
        let signature = self.signature(0x01, lines.join("\r\n").as_bytes(), at, &says);
        let escaped: String =
            text.lines()
                .map(|line| {
                    if line.starts_with('-') { format!("- {line}\n") } else { format!("{line}\n") }
                })
                .collect();
        let signature = armor("SIGNATURE", &signature);
        format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{escaped}{signature}")
    }

    fn body(&self) -> Vec<u8> {
        let mut body = vec![4];
        body.extend(self.created.to_be_bytes());
        body.extend([ALGORITHM, 9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01]);
        let mut point = vec![0x40];
        point.extend_from_slice(self.pair.public_key().as_ref());
        body.extend(number(&point));
        body
    }

    fn hashed(&self) -> Vec<u8> {
        let body = self.body();
        let mut hashed = vec![0x99];
        hashed.extend_from_slice(length(&body).get(2..).unwrap_or_default());
        hashed.extend(body);
        hashed
    }

    fn signature(&self, kind: u8, data: &[u8], at: u32, more: &[u8]) -> Vec<u8> {
        let issuer = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.hashed());
        let mut says = vec![22, 33, 4];
        says.extend_from_slice(issuer.as_ref());
        says.extend([5, 2]);
        says.extend(at.to_be_bytes());
        says.extend_from_slice(more);
        let mut body = vec![4, kind, ALGORITHM, self.hash];
        body.extend_from_slice(length(&says).get(2..).unwrap_or_default());
        body.extend(says);
        let mut message = data.to_vec();
        message.extend_from_slice(&body);
        message.extend([4, 0xff]);
        message.extend(length(&body));
        let hash = match self.hash {
            SHA1_ID => digest(&SHA1_FOR_LEGACY_USE_ONLY, &message),
            SHA384_ID => digest(&SHA384, &message),
            _ => digest(&SHA512, &message),
        };
        body.extend([0, 0]);
        body.extend_from_slice(hash.as_ref().get(..2).unwrap_or_default());
        let signature = self.pair.sign(hash.as_ref());
        let (left, right) = signature.as_ref().split_at(32);
        body.extend(number(left));
        body.extend(number(right));
        packet(2, &body)
    }
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes()
}

fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xc0 | tag, 0xff];
    packet.extend(length(body));
    packet.extend_from_slice(body);
    packet
}

/// A number without leading zeros, its bits before it.
fn number(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = bytes.get(start..).unwrap_or_default();
    let leading = bytes.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u32::try_from(bytes.len()).unwrap_or(0) * 8 - leading;
    let mut number = u16::try_from(bits).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    number.extend_from_slice(bytes);
    number
}

/// Packets as text, without the checksum, which may be missing.
fn armor(kind: &str, packets: &[u8]) -> String {
    let text = base64::prelude::BASE64_STANDARD.encode(packets);
    let mut armor = format!("-----BEGIN PGP {kind}-----\n\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at_checked(64).unwrap_or((rest, ""));
        armor.push_str(line);
        armor.push('\n');
        rest = next;
    }
    armor.push_str(&format!("-----END PGP {kind}-----\n"));
    armor
}
