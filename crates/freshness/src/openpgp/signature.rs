//! Signature packets of version 4.
//!
//! What a signature says counts only where it stands in its hashed part; the unhashed part is looked
//! at for who signed, and for the back signature of a subkey, both of which prove themselves. What is
//! marked critical and not understood refuses the signature. Source: RFC 9580, section 5.2.

use super::key::Fingerprint;
use super::packet::Cursor;

/// A signature over a text with canonical line endings.
pub(super) const TEXT: u8 = 0x01;
/// A subkey bound to its primary key.
pub(super) const SUBKEY_BINDING: u8 = 0x18;
/// A primary key as its subkey acknowledges it.
pub(super) const BACK: u8 = 0x19;
/// What a key says of itself.
pub(super) const DIRECT: u8 = 0x1f;
/// Revocations: of a key, of a subkey, of what was said of a user id.
pub(super) const KEY_REVOCATION: u8 = 0x20;
pub(super) const SUBKEY_REVOCATION: u8 = 0x28;
pub(super) const CERTIFICATION_REVOCATION: u8 = 0x30;

const REVOCATIONS: [u8; 3] = [KEY_REVOCATION, SUBKEY_REVOCATION, CERTIFICATION_REVOCATION];

/// A hash. SHA-256 and SHA-512 are believed; the others only in revocations, where who believes too much
/// loses a key, and who believes too little goes on trusting one that was stolen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) kind: u8,
    pub(super) algorithm: u8,
    pub(super) hash: Hash,
    /// Version to end of the hashed part: what is hashed behind the data.
    hashed: Vec<u8>,
    pub(super) created: u32,
    /// Seconds after which it, and the key that it is about, cease to count; 0 for never.
    pub(super) lifetime: u32,
    pub(super) key_lifetime: u32,
    /// What the key may be used for.
    pub(super) flags: Option<u8>,
    issuer: Option<Fingerprint>,
    issuer_id: Option<[u8; 8]>,
    pub(super) embedded: Option<Vec<u8>>,
    pub(super) numbers: Vec<Vec<u8>>,
}

impl Signature {
    /// None where it is of a form, an algorithm or a hash that is not taken.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut rest = Cursor(body);
        if rest.byte()? != 4 {
            return None;
        }
        let (kind, algorithm) = (rest.byte()?, rest.byte()?);
        let revokes = REVOCATIONS.contains(&kind);
        let hash = match rest.byte()? {
            2 if revokes => Hash::Sha1,
            8 => Hash::Sha256,
            9 if revokes => Hash::Sha384,
            10 => Hash::Sha512,
            _ => return None,
        };
        let length = usize::from(rest.short()?);
        let hashed_area = rest.take(length)?;
        let hashed = body.get(..length.checked_add(6)?)?.to_vec();
        let length = usize::from(rest.short()?);
        let unhashed_area = rest.take(length)?;
        rest.take(2)?;
        let mut numbers = Vec::new();
        while !rest.0.is_empty() && numbers.len() < 2 {
            numbers.push(rest.number()?.to_vec());
        }
        if !rest.0.is_empty() {
            return None;
        }
        let mut signature = Self {
            kind,
            algorithm,
            hash,
            hashed,
            created: 0,
            lifetime: 0,
            key_lifetime: 0,
            flags: None,
            issuer: None,
            issuer_id: None,
            embedded: None,
            numbers,
        };
        let mut dated = false;
        signature.subpackets(hashed_area, true, &mut dated)?;
        signature.subpackets(unhashed_area, false, &mut dated)?;
        dated.then_some(signature)
    }

    fn subpackets(&mut self, area: &[u8], hashed: bool, dated: &mut bool) -> Option<()> {
        let mut rest = Cursor(area);
        while !rest.0.is_empty() {
            let length = rest.subpacket_length()?;
            let mut body = Cursor(rest.take(length)?);
            let kind = body.byte()?;
            match (kind & 0x7f, hashed) {
                (2, true) if *dated => return None,
                (2, true) => {
                    self.created = body.long()?;
                    *dated = true;
                }
                (3, true) => self.lifetime = body.long()?,
                (9, true) => self.key_lifetime = body.long()?,
                (27, true) => self.flags = Some(body.byte().unwrap_or(0)),
                // What is signed counts before what anybody may have added.
                (16, _) if self.issuer_id.is_none() => self.issuer_id = body.0.try_into().ok(),
                (33, _) if self.issuer.is_none() && body.byte()? == 4 => {
                    self.issuer = Some(Fingerprint(body.0.try_into().ok()?));
                }
                (16 | 33, _) => {}
                (32, _) => self.embedded = Some(body.0.to_vec()),
                // Of no concern here: exportable, trust, preferences, features, user id, reason.
                (4 | 5 | 7 | 11 | 21 | 23 | 25 | 26 | 28 | 29 | 30, true) => {}
                (_, true) if kind & 0x80 != 0 => return None,
                _ => {}
            }
        }
        Some(())
    }

    /// Whether it may be by this key, as far as it says.
    pub(super) fn names(&self, key: &Fingerprint) -> bool {
        match (&self.issuer, &self.issuer_id) {
            (Some(issuer), _) => issuer == key,
            (None, Some(id)) => key.id() == *id,
            (None, None) => false,
        }
    }

    /// By whom it says that it is.
    pub(super) fn named(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        match (&self.issuer, &self.issuer_id) {
            (Some(issuer), _) => issuer.to_string(),
            (None, Some(id)) => hex(id),
            (None, None) => "nobody".to_owned(),
        }
    }

    /// Whether it counts at a moment, in seconds since 1970.
    pub(super) fn holds_at(&self, now: i64) -> bool {
        let created = i64::from(self.created);
        created <= now && (self.lifetime == 0 || now < created + i64::from(self.lifetime))
    }

    /// The bytes that are hashed: the data, then its own head and its length (5.2.4).
    pub(super) fn message(&self, data: &[&[u8]]) -> Vec<u8> {
        let mut message = data.concat();
        message.extend_from_slice(&self.hashed);
        message.extend_from_slice(&[4, 0xff]);
        let length = u32::try_from(self.hashed.len()).unwrap_or(u32::MAX);
        message.extend_from_slice(&length.to_be_bytes());
        message
    }
}
