//! Keys: Ed25519, as PEM or as OpenSSH writes them.
//!
//! In go key files, out come signatures and whether they hold. The kind of a key decides the form of
//! its signatures: a PEM key signs the bytes themselves (RFC 8032), an OpenSSH key an SSHSIG of them,
//! so that `ssh-keygen -Y verify` takes it and no other use of that key can be passed off as a seal.

mod agent;
mod pem;
mod ssh;

pub use ssh::NAMESPACE;

use crate::dsse::Signature;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::rand::SecureRandom as _;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// Bytes of a key file: an `allowed_signers` file may list many.
pub const KEY_BYTES: u64 = 1 << 20;

/// Keys that one file may hold.
const KEYS: usize = 1_000;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key `{file}`: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Others can read a private key.
    #[error(
        "the private key `{file}` can be read by others (mode {mode:04o}); run `chmod 600 {file}`, and make a new key if anyone may have read it"
    )]
    Open {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key that is known.
    #[error("`{file}`: {reason}")]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The SSH agent did not sign.
    #[error("the SSH agent did not sign: {0}")]
    Agent(String),
    /// The system gave no random bytes, or the signature did not come out.
    #[error("{0}")]
    Crypto(&'static str),
}

/// In which form a key lives, and signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// PEM: plain Ed25519 signatures.
    Ed25519,
    /// OpenSSH: SSHSIG.
    Ssh,
}

impl KeyKind {
    /// The word in a statement.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Ssh => "ssh-ed25519",
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerifyingKey {
    kind: KeyKind,
    public: [u8; 32],
}

impl VerifyingKey {
    /// The public keys in a file: PEM, an OpenSSH public key, or lines of `allowed_signers`.
    ///
    /// # Errors
    /// Where it cannot be read, or holds none.
    pub fn load(file: &Path) -> Result<Vec<Self>, KeyError> {
        let bytes = read(file)?;
        Self::parse(&bytes).map_err(|reason| KeyError::Invalid { file: file.to_owned(), reason })
    }

    /// The public keys in the bytes of such a file.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Vec<Self>, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "this is no key: it is not text")?;
        if text.contains("PRIVATE KEY-----") {
            return Err("this is a private key; give its public key");
        }
        if text.contains("-----BEGIN") {
            return Ok(vec![Self { kind: KeyKind::Ed25519, public: pem::public(text)? }]);
        }
        let publics = ssh::publics(text, KEYS)?;
        Ok(publics.into_iter().map(|public| Self { kind: KeyKind::Ssh, public }).collect())
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// PEM: `sha256:` and the digest of the SubjectPublicKeyInfo in hex; OpenSSH: as `ssh-keygen -l`
    /// shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self.kind {
            KeyKind::Ed25519 => Digest::of(&pem::subject_public_key_info(&self.public)).to_string(),
            KeyKind::Ssh => {
                let digest = Digest::of(&ssh::public_blob(&self.public));
                format!("SHA256:{}", STANDARD_NO_PAD.encode(digest.as_bytes()))
            }
        }
    }

    /// The key as a file of its kind holds it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self.kind {
            KeyKind::Ed25519 => pem::public_text(&self.public),
            KeyKind::Ssh => format!("{}\n", ssh::public_line(&self.public)),
        }
    }

    /// A line for `ssh-keygen -Y verify`; none for a PEM key.
    #[must_use]
    pub fn allowed_signer(&self) -> Option<String> {
        let line = ssh::public_line(&self.public);
        (self.kind == KeyKind::Ssh).then(|| format!("{SIGNER} namespaces=\"{NAMESPACE}\" {line}\n"))
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let holds = |message: &[u8], signature: &[u8]| {
            UnparsedPublicKey::new(&ED25519, self.public).verify(message, signature).is_ok()
        };
        match self.kind {
            KeyKind::Ed25519 => holds(message, signature),
            KeyKind::Ssh => ssh::raw_signature(signature, &self.public)
                .is_some_and(|raw| holds(&ssh::signed_data(message), raw)),
        }
    }
}

/// The principal in an exported `allowed_signers`.
pub const SIGNER: &str = "lazaret";

/// An SSH signature as `ssh-keygen` reads it.
#[must_use]
pub fn armored(signature: &[u8]) -> String {
    pem::armor("SSH SIGNATURE", signature, 70)
}

/// A key that can sign. Its secret shows in no output.
pub struct SigningKey {
    public: VerifyingKey,
    secret: Secret,
}

enum Secret {
    Pair(Ed25519KeyPair),
    Agent(PathBuf),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public.fingerprint())
    }
}

impl SigningKey {
    /// Loads a private key, or the public key of one that the SSH agent holds (`agent` is its
    /// socket).
    ///
    /// # Errors
    /// Where it cannot be read, others can read it, or it is no key that is known.
    pub fn load(file: &Path, agent: Option<&Path>) -> Result<Self, KeyError> {
        let bytes = read(file)?;
        let invalid = |reason| KeyError::Invalid { file: file.to_owned(), reason };
        let text =
            std::str::from_utf8(&bytes).map_err(|_| invalid("this is no key: it is not text"))?;
        if text.contains("PRIVATE KEY-----") {
            refuse_open(file)?;
            return Self::from_private(text).map_err(invalid);
        }
        let public = match VerifyingKey::parse(&bytes).map_err(invalid)?.as_slice() {
            [key] if key.kind == KeyKind::Ssh => key.clone(),
            [_] => return Err(invalid("this is a public key; give the private one to seal")),
            _ => return Err(invalid("this holds several keys; give one")),
        };
        let socket = agent.ok_or_else(|| {
            invalid("this is a public key, and SSH_AUTH_SOCK names no SSH agent that could sign with it")
        })?;
        Ok(Self { public, secret: Secret::Agent(socket.to_owned()) })
    }

    /// From the text of a private key.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn from_private(text: &str) -> Result<Self, &'static str> {
        let (kind, pair) = if text.contains("OPENSSH PRIVATE KEY") {
            (KeyKind::Ssh, ssh::private(&pem::block(text, "OPENSSH PRIVATE KEY")?)?)
        } else {
            (KeyKind::Ed25519, pem::private(text)?)
        };
        let public = pair.public_key().as_ref().try_into();
        let public = public.map_err(|_| "the public half of the key is not 32 bytes")?;
        Ok(Self { public: VerifyingKey { kind, public }, secret: Secret::Pair(pair) })
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs, and checks that the signature holds.
    ///
    /// # Errors
    /// Where the agent does not sign.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let to_sign = match self.public.kind {
            KeyKind::Ed25519 => message.to_vec(),
            KeyKind::Ssh => ssh::signed_data(message),
        };
        let raw = match &self.secret {
            Secret::Pair(pair) => pair.sign(&to_sign).as_ref().to_vec(),
            Secret::Agent(socket) => agent::sign(socket, &self.public.public, &to_sign)?,
        };
        let bytes = match self.public.kind {
            KeyKind::Ed25519 => raw,
            KeyKind::Ssh => ssh::signature_blob(&self.public.public, &raw),
        };
        if !self.public.verifies(message, &bytes) {
            return Err(KeyError::Crypto("the signature that was made does not hold"));
        }
        Ok(Signature { key_id: self.public.fingerprint(), bytes })
    }
}

/// Makes a key pair: the PEM texts of the private and of the public key.
///
/// # Errors
/// Where the system gives no random bytes.
pub fn generate() -> Result<(String, String), KeyError> {
    let mut seed = [0_u8; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| KeyError::Crypto("the system gave no random bytes"))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
        .map_err(|_| KeyError::Crypto("the key could not be made"))?;
    let public = pair.public_key().as_ref().try_into();
    let public = public.map_err(|_| KeyError::Crypto("the key could not be made"))?;
    Ok((pem::private_text(&seed), pem::public_text(&public)))
}

fn read(file: &Path) -> Result<Vec<u8>, KeyError> {
    let fail = |source| KeyError::Read { file: file.to_owned(), source };
    files::read(file, KEY_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => KeyError::Invalid {
            file: file.to_owned(),
            reason: "this is no key: it is larger than 1 MiB",
        },
        _ => fail(error),
    })
}

/// As `ssh` does: a key that others can read is no secret any more.
#[cfg(unix)]
fn refuse_open(file: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(file)
        .map_err(|source| KeyError::Read { file: file.to_owned(), source })?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { file: file.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open(_file: &Path) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests;
