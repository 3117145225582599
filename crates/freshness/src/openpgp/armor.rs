//! Clear-signed texts, and packets as text.
//!
//! Nothing may stand around a signed text, no header but `Hash` in it, and what is handed on is only
//! what was signed: a reader that is more lenient can be shown a text that nobody signed. Source: RFC
//! 9580, sections 6.2 (armor) and 7 (cleartext signature framework).

use super::PgpError;
use base64::Engine as _;

const BEGIN_MESSAGE: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE: &str = "-----END PGP SIGNATURE-----";
const BEGIN_KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END_KEY: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// A text and the signatures under it.
pub(super) struct ClearSigned {
    /// As it is to be read, lines ended by a line feed.
    pub(super) text: String,
    /// As it was signed.
    pub(super) signed: Vec<u8>,
    /// The packets of the signatures.
    pub(super) signatures: Vec<u8>,
}

/// Takes a clear-signed text apart.
pub(super) fn clear_signed(bytes: &[u8]) -> Result<ClearSigned, PgpError> {
    let wrong = PgpError::Form;
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
    let mut lines = text.lines();
    if lines.next() != Some(BEGIN_MESSAGE) {
        return Err(wrong("it does not begin as a signed text does"));
    }
    loop {
        match lines.next() {
            Some("") => break,
            Some(line) if line.starts_with("Hash: ") => {}
            _ => return Err(wrong("there is more than `Hash` in its head")),
        }
    }
    let (mut text, mut signed) = (String::new(), Vec::new());
    let mut first = true;
    loop {
        let line = lines.next().ok_or(wrong("it has no signature"))?;
        if line == BEGIN_SIGNATURE {
            break;
        }
        let line = match line.strip_prefix("- ") {
            None if line.starts_with('-') => return Err(wrong("a dash in it is not escaped")),
            escaped => escaped.unwrap_or(line).trim_end_matches([' ', '\t', '\r']),
        };
        if !first {
            signed.extend_from_slice(b"\r\n");
        }
        first = false;
        signed.extend_from_slice(line.as_bytes());
        text.push_str(line);
        text.push('\n');
    }
    let signatures = body(&mut lines, END_SIGNATURE)?;
    if lines.any(|line| !line.trim().is_empty()) {
        return Err(wrong("something follows its signature"));
    }
    Ok(ClearSigned { text, signed, signatures })
}

/// The packets of a keyring, which may be text, also of several blocks one after the other.
pub(super) fn keyring(bytes: &[u8]) -> Result<Vec<u8>, PgpError> {
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PgpError::Form("it is no keyring"))?;
    let mut lines = text.lines().map(str::trim);
    let mut packets = Vec::new();
    while lines.by_ref().any(|line| line == BEGIN_KEY) {
        packets.extend(body(&mut lines, END_KEY)?);
    }
    if packets.is_empty() { Err(PgpError::Form("it holds no keys")) } else { Ok(packets) }
}

/// Headers, a blank line, base64, a checksum that may be missing, and the line that ends it.
fn body<'text>(
    lines: &mut impl Iterator<Item = &'text str>,
    end: &str,
) -> Result<Vec<u8>, PgpError> {
    let cut_off = PgpError::Form("its armor is cut off");
    let damaged = || PgpError::Form("its armor is damaged");
    let (mut text, mut checksum, mut head) = (String::new(), None, true);
    loop {
        let Some(line) = lines.next() else { return Err(cut_off) };
        let line = line.trim_end();
        if line == end {
            break;
        }
        if head && (line.is_empty() || line.contains(": ")) {
            head = !line.is_empty();
            continue;
        }
        head = false;
        if checksum.is_some() {
            return Err(damaged());
        }
        match line.strip_prefix('=') {
            Some(sum) => checksum = Some(sum),
            None => text.push_str(line),
        }
    }
    let decode = |text: &str| base64::prelude::BASE64_STANDARD.decode(text).map_err(|_| damaged());
    let packets = decode(&text)?;
    if let Some(sum) = checksum {
        let expected = crc24(&packets).to_be_bytes();
        if decode(sum)? != expected.get(1..).unwrap_or_default() {
            return Err(damaged());
        }
    }
    Ok(packets)
}

/// The checksum of section 6.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut sum: u32 = 0x00b7_04ce;
    for byte in bytes {
        sum ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            sum <<= 1;
            if sum & 0x0100_0000 != 0 {
                sum ^= 0x0186_4cfb;
            }
        }
    }
    sum & 0x00ff_ffff
}
