//! Asks the SSH agent for a signature.
//!
//! In goes what is to be signed, out comes an Ed25519 signature. One request on one connection.
//! Source: IETF draft-ietf-sshm-ssh-agent, "Signature request".

use super::KeyError;
use std::path::Path;

/// Bytes of an answer: OpenSSH's own bound.
#[cfg(unix)]
const ANSWER_BYTES: u32 = 256 << 10;

/// How long a person may take to confirm, or to touch the device that holds the key.
#[cfg(unix)]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

#[cfg(unix)]
const SIGN_REQUEST: u8 = 13;
#[cfg(unix)]
const SIGN_RESPONSE: u8 = 14;

#[cfg(unix)]
pub(super) fn sign(socket: &Path, public: &[u8; 32], data: &[u8]) -> Result<Vec<u8>, KeyError> {
    use super::ssh::{Fields, public_blob, put, raw_of};
    let fail = |error: std::io::Error| {
        KeyError::Agent(format!("`{}`: {error}; is the agent running?", socket.display()))
    };
    let mut request = vec![SIGN_REQUEST];
    put(&mut request, &public_blob(public));
    put(&mut request, data);
    // No flags: they choose among RSA's hashes.
    request.extend_from_slice(&0_u32.to_be_bytes());
    let mut framed = Vec::new();
    put(&mut framed, &request);
    let answer = exchange(socket, &framed).map_err(fail)?;
    let mut fields = Fields(&answer);
    if fields.raw(1) != Some(&[SIGN_RESPONSE]) {
        return Err(KeyError::Agent(
            "it does not hold the key, or was told not to; add the key with `ssh-add`".to_owned(),
        ));
    }
    let raw = fields.string().and_then(raw_of).map(<[u8]>::to_vec);
    raw.ok_or_else(|| KeyError::Agent("its answer is no Ed25519 signature".to_owned()))
}

#[cfg(unix)]
fn exchange(socket: &Path, request: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, Read as _, Write as _};
    let mut agent = std::os::unix::net::UnixStream::connect(socket)?;
    agent.set_read_timeout(Some(PATIENCE))?;
    agent.set_write_timeout(Some(PATIENCE))?;
    agent.write_all(request)?;
    let mut length = [0_u8; 4];
    agent.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > ANSWER_BYTES {
        return Err(Error::other("the answer is too long"));
    }
    let mut answer = vec![0_u8; usize::try_from(length).map_err(Error::other)?];
    agent.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(not(unix))]
pub(super) fn sign(_: &Path, _: &[u8; 32], _: &[u8]) -> Result<Vec<u8>, KeyError> {
    Err(KeyError::Agent("there is none on this system".to_owned()))
}
