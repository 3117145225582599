//! What the language catalogers share: the shape of an installed package, and the proof by which
//! `scan` tells whether a distribution package owns the file that proves it.
//!
//! In goes what a cataloger read of one file, out comes a [`Cataloged`]. Proofs are made while the
//! file is read, since its bytes are not seen again; only where a distribution could have put it,
//! since three digests cost more than the reading itself.

use image::{Cataloged, ContentDigests, FactAt, ReadError};
use serde::{Deserialize, Deserializer, Serialize};
use vocabulary::{Ecosystem, Location, OriginKind, Package, Presence, Problem, Purl};

/// Longest name or version that is taken; the longest real ones have about 200 letters.
pub(crate) const TEXT_LIMIT: usize = 512;
/// How many licences one package may state.
pub(crate) const LICENCE_LIMIT: usize = 32;

/// Whether a distribution package could own a file at this path. The file system hierarchy standard
/// 3.0 leaves `/usr/local`, `/opt`, `/srv`, `/home` and `/root` to the local administrator, and
/// images put applications there or in folders of their own.
#[must_use]
pub fn may_be_of_a_distribution(path: &str) -> bool {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match first {
        "usr" => !rest.starts_with("local/"),
        // Debian keeps the registrations of Haskell's packages there.
        "var" => rest.starts_with("lib/ghc/"),
        "bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32" | "etc" => true,
        _ => false,
    }
}

/// The digests of a proving file, where a distribution package could own it.
#[must_use]
pub fn proof(path: &str, bytes: &[u8]) -> Option<ContentDigests> {
    may_be_of_a_distribution(path).then(|| {
        let mut hasher = ProofHasher::default();
        hasher.update(bytes);
        hasher.finish()
    })
}

/// Makes a proof of a file that comes in pieces.
#[derive(Clone, Default)]
pub(crate) struct ProofHasher {
    md5: md5::Md5,
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
}

impl ProofHasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        use sha2::Digest as _;
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    pub(crate) fn finish(self) -> ContentDigests {
        use sha2::Digest as _;
        ContentDigests {
            md5: self.md5.finalize().into(),
            sha1: self.sha1.finalize().into(),
            sha256: self.sha256.finalize().into(),
        }
    }
}

/// An installed package of a language ecosystem, as all these catalogers make it.
pub(crate) struct Installed {
    pub(crate) purl: Purl,
    pub(crate) ecosystem: Ecosystem,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licences: Vec<String>,
    pub(crate) path: String,
    pub(crate) layer: Option<u32>,
    pub(crate) files: Vec<String>,
    pub(crate) proof: Option<ContentDigests>,
}

impl Installed {
    pub(crate) fn cataloged(self) -> Cataloged {
        let package = Package {
            purl: self.purl,
            ecosystem: self.ecosystem,
            name: self.name,
            version: self.version,
            source: None,
            architecture: None,
            licences: self.licences,
            presence: Presence::Installed,
            location: Location::file(self.path, self.layer),
            layer: self.layer,
            origin: OriginKind::Unknown,
            owned_by: None,
            module: None,
            identified: None,
            relation: None,
            scope: None,
            requires: Vec::new(),
            files: self.files,
        };
        Cataloged { proof: self.proof.map(Box::new), ..Cataloged::new(package) }
    }
}

/// What some catalogers keep of a file that names one package.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) proof: Option<ContentDigests>,
}

impl Named {
    /// None where name or version could not be shown, or the name could be no part of a package URL.
    pub(crate) fn new(name: &str, version: &str, licence: Option<&str>) -> Option<Self> {
        Some(Self {
            name: plain_text(name).filter(|name| !name.contains('/'))?.to_owned(),
            version: plain_text(version)?.to_owned(),
            licence: licence.and_then(plain_text).map(str::to_owned),
            proof: None,
        })
    }

    /// The package, of a type of package URL.
    pub(crate) fn cataloged(self, kind: &str, ecosystem: Ecosystem, at: &FactAt<'_>) -> Cataloged {
        let installed = Installed {
            purl: Purl::new(kind, &self.name).with_version(&self.version),
            ecosystem,
            name: self.name,
            version: self.version,
            licences: self.licence.into_iter().collect(),
            path: at.path.to_owned(),
            layer: at.layer,
            files: Vec::new(),
            proof: self.proof,
        };
        installed.cataloged()
    }
}

/// Writes a fact.
pub(crate) fn encode(fact: &impl Serialize) -> Result<Option<Vec<u8>>, ReadError> {
    let encoded = postcard::to_allocvec(fact);
    let mut encoded = encoded.map_err(|_| ReadError::new("it is too large to be kept"))?;
    // An image can have some hundred thousand of these.
    encoded.shrink_to_fit();
    Ok(Some(encoded))
}

/// Reads a fact back; a fact that is no fact (a damaged cache) is a problem, never silence.
pub(crate) fn decode<'fact, T: Deserialize<'fact>>(
    at: &FactAt<'fact>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    postcard::from_bytes(at.fact)
        .map_err(|_| {
            problems.push(Problem {
                path: at.path.to_owned(),
                layer: at.layer,
                reason: "what the cache keeps of it is damaged; scan again with --reverify".into(),
            });
        })
        .ok()
}

/// The problem of a file some of whose packages cannot be shown.
pub(crate) fn unreadable(at: &FactAt<'_>, count: u32) -> Option<Problem> {
    (count > 0).then(|| Problem {
        path: at.path.to_owned(),
        layer: at.layer,
        reason: format!("{count} of its packages have no readable name and version"),
    })
}

/// Takes `null` for nothing, as the tools that write JSON do. The field must be there all the same.
pub(crate) fn null_as_nothing<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// A name or version as it may be shown: trimmed, not empty, bounded, without control characters.
pub(crate) fn plain_text(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= TEXT_LIMIT;
    (fits && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
pub(crate) mod testing {
    //! Runs one cataloger over files in memory, as the walk would.

    use image::{
        About, Check, Entry, Fact, FactAt, Flow, ReadError, Reader, Resolution, SubjectShape, View,
        Want, facts::FactRecord,
    };
    use std::collections::HashMap;
    use vocabulary::FileKind;

    /// Asks and reads one file, handing streams over in pieces of `piece` bytes.
    pub(crate) fn read_in_pieces(
        check: &dyn Reader,
        path: &str,
        mode: u32,
        bytes: &[u8],
        piece: usize,
    ) -> Result<Option<Fact>, ReadError> {
        let size = bytes.len() as u64;
        let entry = Entry { path, kind: FileKind::File, mode, size };
        match check.wants(&entry, &bytes[..bytes.len().min(512)]) {
            Want::No => Ok(None),
            Want::Whole { at_most } if size > at_most => Err(ReadError::new("too large")),
            Want::Whole { .. } => check.read(&entry, bytes),
            Want::Stream(mut reading) => {
                for chunk in bytes.chunks(piece) {
                    if reading.push(chunk) == Flow::Enough {
                        break;
                    }
                }
                reading.finish()
            }
        }
    }

    /// Resolves the packages of one layer that holds these files.
    pub(crate) fn resolve(check: &dyn Check, files: &[(&str, &[u8])]) -> Resolution {
        let records: Vec<FactRecord> = files
            .iter()
            .filter_map(|(path, bytes)| {
                let fact =
                    read_in_pieces(check.readers()[0], path, 0o755, bytes, 64 << 10).unwrap()?;
                Some(FactRecord { path: (*path).to_owned(), fact })
            })
            .collect();
        let facts = records
            .iter()
            .map(|record| FactAt {
                path: &record.path,
                layer: Some(0),
                fact: &record.fact,
                stays: true,
            })
            .collect();
        let links = HashMap::new();
        check.resolve(&View::new(facts, &links, About::tree(SubjectShape::RootFileSystem), 1))
    }

    /// The purls of a resolution, sorted.
    pub(crate) fn purls(resolution: &Resolution) -> Vec<String> {
        let mut purls: Vec<String> =
            resolution.packages.iter().map(|one| one.package.purl.to_string()).collect();
        purls.sort();
        purls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_a_distribution_uses_are_proved() {
        for path in [
            "usr/lib/python3/dist-packages/a/METADATA",
            "lib/x.jar",
            "usr/bin/tool",
            "var/lib/ghc/package.conf.d/a-1.conf",
        ] {
            assert!(proof(path, b"x").is_some(), "{path}");
        }
        for path in
            ["usr/local/lib/x", "var/lib/x", "opt/a.jar", "app/a.jar", "srv/x", "root/x", "a.jar"]
        {
            assert!(proof(path, b"x").is_none(), "{path}");
        }
    }

    #[test]
    fn a_proof_holds_the_digests_of_all_package_databases() {
        let proof = proof("usr/bin/empty", b"").unwrap();
        assert_eq!(proof.md5[..4], [0xd4, 0x1d, 0x8c, 0xd9]);
        assert_eq!(proof.sha1[..4], [0xda, 0x39, 0xa3, 0xee]);
        assert_eq!(proof.sha256[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    }

    #[test]
    fn text_with_control_characters_is_refused() {
        assert_eq!(plain_text(" 1.2 "), Some("1.2"));
        assert_eq!(plain_text("1\x1b[2J"), None);
        assert_eq!(plain_text(""), None);
    }
}
