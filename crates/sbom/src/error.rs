//! Why a document cannot be read, and the reading of JSON that says so.

use crate::limits::{COMPONENTS, DOCUMENT_BYTES, ELEMENT_BYTES};
use serde::Deserialize;
use vocabulary::Nullable;

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// It is not JSON, or not of the shape that it claims.
    #[error("`{form}` document cannot be read: {reason}; make it again")]
    Shape {
        /// What it claims to be.
        form: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It is none of the known forms.
    #[error(
        "it is no bill of materials that is known here, but {found}; use CycloneDX (JSON or XML), SPDX (JSON or tag-value), Syft's JSON, or the JSON of `lazaret sbom`"
    )]
    Unknown {
        /// What it is, as far as that can be told.
        found: String,
    },
    /// A version that is not read.
    #[error("`{form}` `{version}` is not read; use {known}")]
    Version {
        /// The form.
        form: &'static str,
        /// Its version.
        version: String,
        /// What is read.
        known: &'static str,
    },
    /// It unpacks to more than is read.
    #[error("it unpacks to more than {} MiB; divide it", DOCUMENT_BYTES >> 20)]
    TooLarge,
    /// Too many components.
    #[error("it has more than {COMPONENTS} components; divide it")]
    TooMany,
}

/// Reads JSON, in which `null` is what is empty.
pub(crate) fn json<'de, T: Deserialize<'de>>(
    form: &'static str,
    bytes: &'de [u8],
) -> Result<T, SbomError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = vocabulary::within(ELEMENT_BYTES, || T::deserialize(Nullable(&mut json)));
    read.and_then(|value| json.end().map(|()| value)).map_err(|error| shape(form, &error))
}

pub(crate) fn shape(form: &'static str, error: &serde_json::Error) -> SbomError {
    SbomError::Shape { form, reason: error.to_string() }
}
