//! Reads an image's documents, bounded, and keeps which of them are not what names them.

use super::layout::Store;
use super::{Claim, Mismatch};
use crate::blob::Blob;
use crate::error::ImageError;
use crate::manifest;
use vocabulary::Digest;

/// Reads documents of one image and keeps what is wrong with their digests.
pub(super) struct Documents<'image> {
    pub(super) image: &'image str,
    pub(super) mismatches: Vec<Mismatch>,
}

impl Documents<'_> {
    pub(super) fn bytes(
        &self,
        blob: Option<Blob>,
        name: &str,
        limit: u64,
    ) -> Result<Vec<u8>, ImageError> {
        let missing =
            || ImageError::Missing { image: self.image.to_owned(), name: name.to_owned() };
        blob.ok_or_else(missing)?.read(limit)?.ok_or_else(|| ImageError::Limit {
            image: self.image.to_owned(),
            name: name.to_owned(),
            limit,
            unit: "bytes",
        })
    }

    pub(super) fn parse<T: serde::de::DeserializeOwned>(
        &self,
        bytes: &[u8],
        name: &str,
        what: &'static str,
    ) -> Result<T, ImageError> {
        manifest::parse(bytes).map_err(|reason| ImageError::Document {
            image: self.image.to_owned(),
            name: name.to_owned(),
            what,
            reason,
        })
    }

    pub(super) fn digest(&self, text: &str) -> Result<Digest, ImageError> {
        text.parse().map_err(|source| ImageError::Digest { image: self.image.to_owned(), source })
    }

    /// The document that a descriptor names; hashed and counted.
    pub(super) fn named(
        &mut self,
        store: &Store,
        digest: &Digest,
        size: Option<u64>,
        what: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, ImageError> {
        let bytes = self.bytes(store.by_digest(digest, None), &digest.to_string(), limit)?;
        self.verify(what, digest, size, &bytes);
        Ok(bytes)
    }

    /// The manifest or index that a descriptor names; hashed and counted.
    pub(super) fn manifest(
        &mut self,
        store: &Store,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Vec<u8>, ImageError> {
        let limit = crate::limits::MANIFEST_BYTES;
        let bytes = self.bytes(store.manifest(digest), &digest.to_string(), limit)?;
        self.verify("manifest", digest, size, &bytes);
        Ok(bytes)
    }

    pub(super) fn verify(
        &mut self,
        what: &str,
        expected: &Digest,
        size: Option<u64>,
        bytes: &[u8],
    ) {
        let mut differs = |claim| {
            self.mismatches.push(Mismatch { what: what.to_owned(), layer: None, claim });
        };
        let found = hash_like(expected, bytes);
        if found != *expected {
            differs(Claim::Digest { expected: expected.clone(), found });
        }
        let count = bytes.len() as u64;
        if let Some(expected) = size.filter(|size| *size != count) {
            differs(Claim::Size { expected, found: count });
        }
    }
}

pub(super) fn hash_like(expected: &Digest, bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    match expected.algorithm() {
        vocabulary::Algorithm::Sha256 => Digest::of(bytes),
        vocabulary::Algorithm::Sha512 => Digest::sha512(sha2::Sha512::digest(bytes).into()),
    }
}
