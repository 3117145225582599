//! Why a subject could not be read.

use image::ImageError;
use sbom::{DOCUMENT_BYTES, SbomError};
use std::path::PathBuf;

/// Why a subject could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The image could not be opened.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The bill of materials could not be read.
    #[error(transparent)]
    Bill(#[from] BillError),
    /// A release was given for what says its own.
    #[error("`{0}` is no bill of materials: what it is of, it says itself; leave out --distro")]
    NotABill(String),
    /// Somebody else may write the cache.
    #[error("the cache `{path}` is not used: {source} (--cache-dir), or go without (--no-cache)")]
    Cache {
        /// Its folder.
        path: PathBuf,
        /// Why it is not.
        source: std::io::Error,
    },
}

/// Why a bill could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than what is read.
    #[error("`{}` is larger than {} MiB; divide it", path.display(), DOCUMENT_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is no bill of materials that can be read.
    #[error("`{}`: {source}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SbomError,
    },
    /// Nothing can be attached to what was named.
    #[error(
        "`{0}` can have no bill attached; name an image in a registry, an OCI layout or an OCI archive"
    )]
    NoPlace(String),
    /// No bill is attached.
    #[error(
        "no bill of materials is attached to `{image}` ({digest}): looked for among its referrers, cosign's tags and the statements in its index{beside}; scan the image itself, or name a bill as sbom:FILE"
    )]
    NoneAttached {
        /// The image.
        image: String,
        /// Its digest.
        digest: String,
        /// What is attached to it, and is no bill.
        beside: String,
    },
    /// What is attached cannot be read.
    #[error("no bill that is attached to `{image}` could be read: {reason}")]
    Unread {
        /// The image.
        image: String,
        /// Why, of the first.
        reason: String,
    },
}
