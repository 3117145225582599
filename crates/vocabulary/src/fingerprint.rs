//! The identity of a finding.

use crate::{Digest, Location, Purl};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Identity of a finding: the first 16 bytes, in hex, of SHA-256 over `lazaret-finding-v1`, rule id,
/// vulnerability id (or empty), bare purl (or empty) and location path of a file or program (or the
/// layer's diffID, or empty), each followed by a zero byte. Frozen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Makes the fingerprint from its frozen parts.
    #[must_use]
    pub fn new(rule: &str, id: Option<&str>, package: Option<&Purl>, location: &Location) -> Self {
        use std::io::Write as _;
        let mut text: Vec<u8> = Vec::with_capacity(256);
        // Writing into memory cannot fail.
        let _ = write!(text, "lazaret-finding-v1\0{rule}\0{}\0", id.unwrap_or_default());
        if let Some(package) = package {
            let _ = write!(text, "{}", package.shown_bare());
        }
        text.push(0);
        match location {
            Location::Subject => {}
            Location::Layer { diff_id, .. } => {
                let _ = write!(text, "{diff_id}");
            }
            Location::File { path, .. } | Location::Process { path, .. } => {
                text.extend_from_slice(path.as_bytes());
            }
        }
        text.push(0);
        let mut hex = Digest::of(&text).hex();
        hex.truncate(32);
        Self(hex)
    }

    /// The hex text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_made_of_its_frozen_parts() {
        let purl = Purl::new("deb", "openssl")
            .with_namespace("debian")
            .with_version("3.0.11-1")
            .with_qualifier("arch", "amd64");
        let location = Location::file("var/lib/dpkg/status", Some(0));
        let of = |layer| {
            let location = Location::file("var/lib/dpkg/status", layer);
            Fingerprint::new("known-vulnerability", Some("CVE-2099-1"), Some(&purl), &location)
        };
        let text = b"lazaret-finding-v1\0known-vulnerability\0CVE-2099-1\0pkg:deb/debian/openssl@3.0.11-1\0var/lib/dpkg/status\0";
        assert!(Digest::of(text).hex().starts_with(of(Some(0)).as_str()));
        assert_eq!(of(Some(0)).as_str().len(), 32);
        assert_eq!(of(Some(0)), of(Some(7)), "the layer's place is no part of it");
        assert_ne!(of(None), Fingerprint::new("known-vulnerability", None, Some(&purl), &location));
    }
}
