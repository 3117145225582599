//! Content digests in the form that OCI uses, `algorithm:hex`.
//!
//! A digest is kept as its bytes, so that comparing is cheap and text that is not a digest cannot
//! be stored as one. Source of the format: OCI image specification, "Digests".

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The digest algorithms that image manifests may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of the digest in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A digest: algorithm and bytes. Reads and shows itself as `sha256:…`, lower-case hex.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Box<[u8]>,
}

/// Why a text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a digest; expected `sha256:` and 64, or `sha512:` and 128, lower-case hex digits"
)]
pub struct DigestError(String);

impl Digest {
    /// A SHA-256 digest from its 32 bytes.
    #[must_use]
    pub fn sha256(bytes: [u8; 32]) -> Self {
        Self { algorithm: Algorithm::Sha256, bytes: Box::new(bytes) }
    }

    /// A SHA-512 digest from its 64 bytes.
    #[must_use]
    pub fn sha512(bytes: [u8; 64]) -> Self {
        Self { algorithm: Algorithm::Sha512, bytes: Box::new(bytes) }
    }

    /// The SHA-256 digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::sha256(sha2::Sha256::digest(content).into())
    }

    /// Which algorithm made it.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The part behind the colon.
    #[must_use]
    pub fn hex(&self) -> String {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        let mut text = String::with_capacity(self.bytes.len() * 2);
        for byte in &self.bytes {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 15));
        }
        text
    }

    /// `sha256:` and the first twelve hex digits: for people, never for comparing.
    #[must_use]
    pub fn short(&self) -> String {
        let hex = self.hex();
        format!("{}:{}", self.algorithm.name(), hex.get(..12).unwrap_or(&hex))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || DigestError(text.chars().take(160).collect());
        let (name, hex) = text.split_once(':').ok_or_else(wrong)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(wrong()),
        };
        if hex.len() != algorithm.bytes() * 2 {
            return Err(wrong());
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let bytes = hex
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| match pair {
                [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
                _ => None,
            })
            .collect::<Option<Box<[u8]>>>()
            .ok_or_else(wrong)?;
        Ok(Self { algorithm, bytes })
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_text_survives_a_round_trip() {
        let digest = Digest::of(b"");
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse::<Digest>().unwrap(), digest);
        assert_eq!(digest.short(), "sha256:e3b0c44298fc");
    }

    #[test]
    fn text_that_is_no_digest_is_refused() {
        for text in ["", "sha256:", "sha256:zz", "md5:d41d8cd98f00b204e9800998ecf8427e", "../../x"]
        {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        let upper = Digest::of(b"").to_string().to_uppercase();
        assert!(upper.parse::<Digest>().is_err());
    }
}
