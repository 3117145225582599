//! Why an image could not be opened.

mod registry;

pub use registry::RegistryError;

use std::path::PathBuf;
use vocabulary::DigestError;

/// Why an image could not be opened. One line each: the input, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The path does not exist or cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Nothing known about this kind of input.
    #[error(
        "`{0}` is not an image archive, an OCI layout or a directory; give docker-archive:, oci-archive:, oci-dir: or dir: and a path, or docker:, containerd:, podman: or registry: and a name"
    )]
    Unrecognised(String),
    /// Packed in a way that is recognised and not read.
    #[error(
        "`{path}` is packed with {packing}: unpack it first, or pack it with gzip, bzip2, xz or zstd"
    )]
    Packed {
        /// The path.
        path: PathBuf,
        /// How.
        packing: &'static str,
    },
    /// A scheme that is not known.
    #[error(
        "`{reference}` has the unknown scheme `{scheme}`; use docker:, containerd:, podman:, registry:, docker-archive:, oci-archive:, oci-dir: or dir:"
    )]
    Scheme {
        /// What was given.
        reference: String,
        /// The scheme in it.
        scheme: String,
    },
    /// A document in the image is not what it must be.
    #[error("`{name}` in `{image}` is not a valid {what}: {reason}")]
    Document {
        /// The image.
        image: String,
        /// The document's place.
        name: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A document or blob that the image names is not there.
    #[error("`{image}` has no `{name}`; the image is incomplete, save it again")]
    Missing {
        /// The image.
        image: String,
        /// What is missing.
        name: String,
    },
    /// An image in another layout than the scheme says.
    #[error("`{image}` is {found}: use {scheme}:")]
    Layout {
        /// The image.
        image: String,
        /// What it is.
        found: &'static str,
        /// The scheme that opens it.
        scheme: &'static str,
    },
    /// Content that containerd does not keep.
    #[error(
        "`{image}` lacks `{name}` in containerd's content store: its platform was never pulled, or containerd discarded it after unpacking (`discard_unpacked_layers`); fetch it with `ctr content fetch`, choose another with --platform, or scan the image by registry:"
    )]
    Discarded {
        /// The image.
        image: String,
        /// What is missing.
        name: String,
    },
    /// A bound was passed.
    #[error("`{name}` in `{image}` is over the limit of {limit} {unit}; refusing to read it")]
    Limit {
        /// The image.
        image: String,
        /// What is too large.
        name: String,
        /// The bound.
        limit: u64,
        /// Its unit.
        unit: &'static str,
    },
    /// Several images and no choice.
    #[error("`{image}` holds several images; choose one with {how}: {choices}")]
    Ambiguous {
        /// The image.
        image: String,
        /// How to choose.
        how: &'static str,
        /// What there is, divided by commas.
        choices: String,
    },
    /// Nothing fits the choice.
    #[error("`{image}` has no image for `{wanted}`; it has {choices}")]
    NoMatch {
        /// The image.
        image: String,
        /// What was asked for.
        wanted: String,
        /// What there is, divided by commas.
        choices: String,
    },
    /// A digest in a document is no digest.
    #[error("`{image}`: {source}")]
    Digest {
        /// The image.
        image: String,
        /// What is wrong with it.
        source: DigestError,
    },
    /// An engine could not be asked, or had no answer.
    #[error(transparent)]
    Engine(#[from] engine::EngineError),
    /// A registry could not be asked, or had no answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A name without a scheme that nobody has.
    #[error(
        "`{reference}` is no path here, and no image of that name was found: {tried}; name the source, as in docker:{reference} or registry:{reference}"
    )]
    Nowhere {
        /// The name.
        reference: String,
        /// Who was asked, and what each said.
        tried: String,
    },
    /// There is no room for what an engine exports.
    #[error("cannot keep the export of `{image}` in the folder for temporary files: {source}")]
    Spool {
        /// The image.
        image: String,
        /// The system's reason.
        source: std::io::Error,
    },
}
