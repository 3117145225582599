//! OpenSSH's forms of keys and signatures.
//!
//! In go texts and blobs, out come Ed25519 keys and the bytes that are signed. Sources: OpenSSH's
//! PROTOCOL.key and PROTOCOL.sshsig, RFC 8709 (Ed25519 in SSH), ssh-keygen(1), "ALLOWED SIGNERS".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::Ed25519KeyPair;
use sha2::{Digest as _, Sha512};

/// The namespace of seals: a signature made for git or for files is none of ours.
pub const NAMESPACE: &str = "seal@lazaret";

const KEY_TYPE: &[u8] = b"ssh-ed25519";
const PRIVATE_MAGIC: &[u8] = b"openssh-key-v1\0";
const SIGNATURE_MAGIC: &[u8] = b"SSHSIG";
const SIGNATURE_VERSION: u32 = 1;
const HASH: &[u8] = b"sha512";

/// Reads the fields of SSH's wire format (RFC 4251, section 5).
pub(super) struct Fields<'bytes>(pub(super) &'bytes [u8]);

impl<'bytes> Fields<'bytes> {
    pub(super) fn raw(&mut self, length: usize) -> Option<&'bytes [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        let (field, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*field))
    }

    pub(super) fn string(&mut self) -> Option<&'bytes [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.raw(length)
    }

    fn is(&mut self, expected: &[u8]) -> Option<()> {
        (self.string()? == expected).then_some(())
    }
}

/// Appends a string in SSH's wire format.
pub(super) fn put(out: &mut Vec<u8>, field: &[u8]) {
    // Longer fields than this are not made here.
    out.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(field);
}

pub(super) fn public_blob(public: &[u8; 32]) -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, KEY_TYPE);
    put(&mut blob, public);
    blob
}

pub(super) fn public_line(public: &[u8; 32]) -> String {
    format!("ssh-ed25519 {}", STANDARD.encode(public_blob(public)))
}

fn public_of(blob: &[u8]) -> Option<[u8; 32]> {
    let mut fields = Fields(blob);
    fields.is(KEY_TYPE)?;
    let public = fields.string()?.try_into().ok()?;
    fields.0.is_empty().then_some(public)
}

/// The keys of an OpenSSH public key file or of `allowed_signers`, one a line.
pub(super) fn publics(text: &str, at_most: usize) -> Result<Vec<[u8; 32]>, &'static str> {
    let mut keys = Vec::new();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if keys.len() >= at_most {
            return Err("this lists more than 1,000 keys");
        }
        keys.push(public_in(line)?);
    }
    if keys.is_empty() { Err("this holds no key") } else { Ok(keys) }
}

/// `ssh-ed25519 BASE64 [comment]`, or the same behind principals and options.
fn public_in(line: &str) -> Result<[u8; 32], &'static str> {
    let words = words(line).ok_or("a quotation mark is not closed")?;
    let types = |word: &String| {
        word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
    };
    // The type is the first word of a public key, and the second or third of an allowed signer.
    let at =
        words.iter().take(3).position(types).ok_or(
            "this is no key: use PEM, an OpenSSH public key, or lines of `allowed_signers`",
        )?;
    if at == 2 {
        allowed(words.get(1).map_or("", String::as_str))?;
    }
    if words.get(at).map(String::as_bytes) != Some(KEY_TYPE) {
        return Err("this key is not Ed25519; make one with `ssh-keygen -t ed25519`");
    }
    words
        .get(at + 1)
        .and_then(|word| STANDARD.decode(word).ok())
        .and_then(|blob| public_of(&blob))
        .ok_or("the OpenSSH public key is damaged")
}

/// Splits at spaces outside of quotation marks, which stay in the words.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        quoted ^= character == '"';
        if character.is_ascii_whitespace() && !quoted {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    (!quoted).then_some(words)
}

/// An option that narrows what a key may do is obeyed or refused, never passed over.
fn allowed(options: &str) -> Result<(), &'static str> {
    let namespaces = options
        .strip_prefix("namespaces=\"")
        .and_then(|list| list.strip_suffix('"'))
        .ok_or("of the options of an allowed signer only `namespaces=\"…\"` is supported")?;
    if namespaces.split(',').any(|one| one == NAMESPACE || one == "*") {
        Ok(())
    } else {
        Err("the key is not allowed for the namespace `seal@lazaret`")
    }
}

/// The key pair of an unencrypted `openssh-key-v1`.
pub(super) fn private(blob: &[u8]) -> Result<Ed25519KeyPair, &'static str> {
    const DAMAGED: &str = "the OpenSSH private key is damaged";
    let rest = blob.strip_prefix(PRIVATE_MAGIC).ok_or(DAMAGED)?;
    let mut fields = Fields(rest);
    let cipher = fields.string().ok_or(DAMAGED)?;
    fields.string().and_then(|_| fields.string()).ok_or(DAMAGED)?;
    if cipher != b"none" {
        return Err(
            "the key is encrypted; add it to the SSH agent with `ssh-add`, and give the .pub file here",
        );
    }
    if fields.number() != Some(1) {
        return Err("the file must hold one key");
    }
    fields.string().ok_or(DAMAGED)?;
    let mut secret = Fields(fields.string().ok_or(DAMAGED)?);
    // Twice the same random number: how a wrong pass phrase is told (PROTOCOL.key, section 3).
    if secret.number().ok_or(DAMAGED)? != secret.number().ok_or(DAMAGED)? {
        return Err(DAMAGED);
    }
    if secret.string().ok_or(DAMAGED)? != KEY_TYPE {
        return Err("this key is not Ed25519; make one with `ssh-keygen -t ed25519`");
    }
    let public = secret.string().ok_or(DAMAGED)?;
    let (seed, _) = secret.string().and_then(|both| both.split_at_checked(32)).ok_or(DAMAGED)?;
    Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_| DAMAGED)
}

/// What is signed in place of a message (PROTOCOL.sshsig, "Signed Data").
pub(super) fn signed_data(message: &[u8]) -> Vec<u8> {
    let mut data = SIGNATURE_MAGIC.to_vec();
    put(&mut data, NAMESPACE.as_bytes());
    put(&mut data, b"");
    put(&mut data, HASH);
    put(&mut data, &Sha512::digest(message));
    data
}

/// An SSHSIG of a raw signature (PROTOCOL.sshsig, "Blob format").
pub(super) fn signature_blob(public: &[u8; 32], raw: &[u8]) -> Vec<u8> {
    let mut signature = Vec::new();
    put(&mut signature, KEY_TYPE);
    put(&mut signature, raw);
    let mut blob = SIGNATURE_MAGIC.to_vec();
    blob.extend_from_slice(&SIGNATURE_VERSION.to_be_bytes());
    put(&mut blob, &public_blob(public));
    put(&mut blob, NAMESPACE.as_bytes());
    put(&mut blob, b"");
    put(&mut blob, HASH);
    put(&mut blob, &signature);
    blob
}

/// The raw signature in an SSHSIG of this key, in our namespace.
pub(super) fn raw_signature<'blob>(blob: &'blob [u8], public: &[u8; 32]) -> Option<&'blob [u8]> {
    let mut fields = Fields(blob.strip_prefix(SIGNATURE_MAGIC)?);
    (fields.number()? == SIGNATURE_VERSION).then_some(())?;
    fields.is(&public_blob(public))?;
    fields.is(NAMESPACE.as_bytes())?;
    fields.string()?;
    fields.is(HASH)?;
    let signature = fields.string()?;
    fields.0.is_empty().then_some(())?;
    raw_of(signature)
}

/// The 64 bytes in a signature of SSH's form.
pub(super) fn raw_of(signature: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields(signature);
    fields.is(KEY_TYPE)?;
    let raw = fields.string()?;
    (fields.0.is_empty() && raw.len() == 64).then_some(raw)
}
