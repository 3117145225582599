//! Keys with what they say of themselves.
//!
//! Copies of one key in several files are one key: what any of them revokes is revoked. A key may sign
//! where its newest own signature says so and it has not expired; a subkey also needs the binding of
//! its primary key and, the other way round, its own acknowledgement of that key, else a stranger's
//! subkey could be claimed. Any revocation by the key itself ends it, whatever its reason, wherever it
//! stands, also in a file of its own as GnuPG makes them; those by others whom it named are not looked
//! at. Source: RFC 9580, sections 10.1 (transferable public keys), 5.2.1 and 5.2.3.

use super::key::{Fingerprint, PublicKey};
use super::packet::packets;
use super::signature::{
    BACK, CERTIFICATION_REVOCATION, DIRECT, KEY_REVOCATION, SUBKEY_BINDING, SUBKEY_REVOCATION,
    Signature,
};
use super::{PgpError, armor};
use std::collections::BTreeMap;

/// Keys of all files together, and signatures and parts of one key, of which real ones have a few dozen:
/// each signature may have to be checked.
const KEYS: usize = 1024;
const PARTS: usize = 512;
/// Revocations of keys of all files together: Debian's keyring of all its keys has a handful.
const REVOCATIONS: usize = 256;

const SIGNATURE: u8 = 2;
const SECRET: u8 = 5;
const PRIMARY: u8 = 6;
const USER_ID: u8 = 13;
const SUBKEY: u8 = 14;
const USER_ATTRIBUTE: u8 = 17;

/// May sign data (5.2.3.29).
const MAY_SIGN: u8 = 0x02;

/// Public keys by their fingerprint.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<Fingerprint, Certificate>,
    /// Revocations of keys, wherever they stood.
    revocations: Vec<Signature>,
}

#[derive(Clone, Debug)]
struct Certificate {
    primary: PublicKey,
    own: Vec<Signature>,
    users: Vec<User>,
    subkeys: Vec<Subkey>,
    parts: usize,
}

/// A user id, as it is hashed.
#[derive(Clone, Debug)]
struct User {
    hashed: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug)]
struct Subkey {
    key: PublicKey,
    signatures: Vec<Signature>,
}

/// To what the next signature belongs.
enum Part {
    Own,
    User(usize),
    Subkey(usize),
    Unknown,
}

impl Keyring {
    /// Takes the keys of a file, binary or as text.
    ///
    /// # Errors
    /// Where the file is no keyring, holds nothing that is taken, or too much. What it holds beside of
    /// forms that are not taken is left out.
    pub fn add(&mut self, file: &[u8]) -> Result<(), PgpError> {
        let bytes = armor::keyring(file)?;
        let mut current: Option<Fingerprint> = None;
        let mut part = Part::Unknown;
        let mut taken = false;
        for packet in packets(&bytes)? {
            if matches!(packet.tag, PRIMARY | SECRET) {
                part = Part::Own;
                let key = PublicKey::parse(packet.body).filter(|_| packet.tag == PRIMARY);
                current = key.map(|key| self.begin(key)).transpose()?;
                taken |= current.is_some();
                continue;
            }
            let Some(certificate) = current.and_then(|at| self.keys.get_mut(&at)) else {
                if packet.tag == SIGNATURE {
                    taken |= self.loose_revocation(packet.body)?;
                }
                continue;
            };
            match packet.tag {
                USER_ID | USER_ATTRIBUTE => part = certificate.user(packet.tag, packet.body)?,
                SUBKEY => part = certificate.subkey(packet.body)?,
                SIGNATURE => match Signature::parse(packet.body) {
                    Some(one) if one.kind == KEY_REVOCATION => self.revocation(one)?,
                    Some(one) => certificate.signature(&part, one)?,
                    None => {}
                },
                // Trust (12), marker (10), padding (21).
                10 | 12 | 21 => {}
                _ => part = Part::Unknown,
            }
        }
        if taken {
            Ok(())
        } else {
            Err(PgpError::Form("it holds no key that is taken: RSA or Ed25519, of version 4"))
        }
    }

    fn loose_revocation(&mut self, body: &[u8]) -> Result<bool, PgpError> {
        match Signature::parse(body).filter(|one| one.kind == KEY_REVOCATION) {
            Some(one) => self.revocation(one).map(|()| true),
            None => Ok(false),
        }
    }

    /// Keeps the revocation of a key, which may stand behind another key, before its own, or alone.
    fn revocation(&mut self, one: Signature) -> Result<(), PgpError> {
        if self.revocations.contains(&one) {
            return Ok(());
        }
        if self.revocations.len() == REVOCATIONS {
            return Err(PgpError::Form("there are too many revocations"));
        }
        self.revocations.push(one);
        Ok(())
    }

    fn begin(&mut self, key: PublicKey) -> Result<Fingerprint, PgpError> {
        let fingerprint = key.fingerprint;
        if !self.keys.contains_key(&fingerprint) {
            if self.keys.len() == KEYS {
                return Err(PgpError::Form("there are too many keys"));
            }
            let empty = Certificate {
                primary: key,
                own: Vec::new(),
                users: Vec::new(),
                subkeys: Vec::new(),
                parts: 0,
            };
            self.keys.insert(fingerprint, empty);
        }
        Ok(fingerprint)
    }

    /// Whether both have the same whole primary key by this fingerprint.
    #[cfg(test)]
    pub(crate) fn same_key(&self, other: &Self, key: &Fingerprint) -> bool {
        let of = |ring: &Self| ring.keys.get(key).map(|one| one.primary.clone());
        of(self).is_some() && of(self) == of(other)
    }

    /// The fingerprints of the primary keys.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        self.keys.keys().copied()
    }

    /// The primary key and the key that a signature says it is by.
    pub(super) fn find(&self, signature: &Signature) -> Vec<(Fingerprint, Fingerprint)> {
        let mut found = Vec::new();
        for (primary, certificate) in &self.keys {
            let subkeys = certificate.subkeys.iter().map(|subkey| subkey.key.fingerprint);
            let keys = std::iter::once(*primary).chain(subkeys);
            found.extend(keys.filter(|key| signature.names(key)).map(|key| (*primary, key)));
        }
        found
    }

    /// A key that may sign at a moment, or why it may not.
    pub(super) fn usable(
        &self,
        primary: &Fingerprint,
        key: &Fingerprint,
        now: i64,
    ) -> Result<&PublicKey, &'static str> {
        let certificate = self.keys.get(primary).ok_or("it is not there")?;
        if self.revocations.iter().any(|one| certificate.is_revoked_by(one)) {
            return Err("it is revoked");
        }
        let flags = certificate.alive(now)?;
        if primary == key {
            return if flags & MAY_SIGN != 0 {
                Ok(&certificate.primary)
            } else {
                Err("it is not meant for signing")
            };
        }
        let subkey = certificate.subkeys.iter().find(|subkey| subkey.key.fingerprint == *key);
        certificate.bound(subkey.ok_or("it is not there")?, now)
    }
}

impl Certificate {
    fn user(&mut self, tag: u8, body: &[u8]) -> Result<Part, PgpError> {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mark = if tag == USER_ID { 0xb4 } else { 0xd1 };
        let hashed = [&[mark], length.as_slice(), body].concat();
        if let Some(at) = self.users.iter().position(|user| user.hashed == hashed) {
            return Ok(Part::User(at));
        }
        self.bounded()?;
        self.users.push(User { hashed, signatures: Vec::new() });
        Ok(Part::User(self.users.len() - 1))
    }

    fn subkey(&mut self, body: &[u8]) -> Result<Part, PgpError> {
        let Some(key) = PublicKey::parse(body) else { return Ok(Part::Unknown) };
        if let Some(at) = self.subkeys.iter().position(|subkey| subkey.key == key) {
            return Ok(Part::Subkey(at));
        }
        self.bounded()?;
        self.subkeys.push(Subkey { key, signatures: Vec::new() });
        Ok(Part::Subkey(self.subkeys.len() - 1))
    }

    fn bounded(&mut self) -> Result<(), PgpError> {
        self.parts += 1;
        if self.parts <= PARTS {
            Ok(())
        } else {
            Err(PgpError::Form("a key in it has too many parts"))
        }
    }

    /// What others say of the key is of no concern.
    fn signature(&mut self, part: &Part, signature: Signature) -> Result<(), PgpError> {
        if !signature.names(&self.primary.fingerprint) {
            return Ok(());
        }
        let list = match part {
            Part::Own => Some(&mut self.own),
            Part::User(at) => self.users.get_mut(*at).map(|user| &mut user.signatures),
            Part::Subkey(at) => self.subkeys.get_mut(*at).map(|subkey| &mut subkey.signatures),
            Part::Unknown => None,
        };
        if let Some(list) = list.filter(|list| !list.contains(&signature)) {
            list.push(signature);
            self.bounded()?;
        }
        Ok(())
    }

    fn is_revoked_by(&self, one: &Signature) -> bool {
        one.names(&self.primary.fingerprint)
            && self.primary.made(one, &[self.primary.hashed().as_slice()])
    }

    /// What the primary key may be used for, where it has not expired.
    fn alive(&self, now: i64) -> Result<u8, &'static str> {
        let hashed = self.primary.hashed();
        let direct = self.own.iter().filter(|one| {
            one.kind == DIRECT && one.holds_at(now) && self.primary.made(one, &[hashed.as_slice()])
        });
        let direct = direct.max_by_key(|one| one.created);
        let of_users = self.users.iter().filter_map(|user| self.certification(user, now));
        let of_users = of_users.max_by_key(|one| one.created);
        if direct.is_none() && of_users.is_none() {
            return Err("it does not vouch for itself");
        }
        // Debian's keys say directly who may revoke them, and with their user id all else.
        let said = || of_users.into_iter().chain(direct);
        said().try_for_each(|one| lives(&self.primary, one, now))?;
        said().find_map(|one| one.flags).ok_or("it does not say what it is for")
    }

    /// The newest thing that the key says of a user id, if that was not revoked.
    fn certification<'user>(&self, user: &'user User, now: i64) -> Option<&'user Signature> {
        let hashed = self.primary.hashed();
        let made =
            |one: &Signature| self.primary.made(one, &[hashed.as_slice(), user.hashed.as_slice()]);
        let revoked = |one: &Signature| one.kind == CERTIFICATION_REVOCATION && made(one);
        if user.signatures.iter().any(revoked) {
            return None;
        }
        user.signatures
            .iter()
            .filter(|one| (0x10..=0x13).contains(&one.kind) && one.holds_at(now) && made(one))
            .max_by_key(|one| one.created)
    }

    /// A subkey, where it may sign.
    fn bound<'key>(&self, subkey: &'key Subkey, now: i64) -> Result<&'key PublicKey, &'static str> {
        let (primary, own) = (self.primary.hashed(), subkey.key.hashed());
        let data = [primary.as_slice(), own.as_slice()];
        let made = |one: &Signature| self.primary.made(one, &data);
        if subkey.signatures.iter().any(|one| one.kind == SUBKEY_REVOCATION && made(one)) {
            return Err("it is revoked");
        }
        let binding = subkey
            .signatures
            .iter()
            .filter(|one| one.kind == SUBKEY_BINDING && one.holds_at(now) && made(one))
            .max_by_key(|one| one.created)
            .ok_or("it is not bound to its primary key")?;
        lives(&subkey.key, binding, now)?;
        if binding.flags.unwrap_or(0) & MAY_SIGN == 0 {
            return Err("it is not meant for signing");
        }
        let back = binding.embedded.as_deref().and_then(Signature::parse);
        let back = back
            .filter(|back| back.kind == BACK && back.holds_at(now) && subkey.key.made(back, &data));
        back.map(|_| &subkey.key).ok_or("it does not acknowledge its primary key")
    }
}

/// Whether a key was made and has not expired, by what is said of it.
fn lives(key: &PublicKey, said: &Signature, now: i64) -> Result<(), &'static str> {
    let created = i64::from(key.created);
    if created > now {
        return Err("it was made in the future");
    }
    if said.key_lifetime != 0 && now >= created + i64::from(said.key_lifetime) {
        return Err("it has expired");
    }
    Ok(())
}
