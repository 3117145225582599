//! Why a record cannot be read or written.

use std::io;

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is not what it must be.
    #[error("the record is not valid: {0}; restore the store from a copy, or seal again")]
    Damaged(&'static str),
    /// A bound was passed.
    #[error("the record has more {0} than are taken; refusing to read it")]
    Limit(&'static str),
    /// It could not be unpacked.
    #[error("the record cannot be unpacked: {0}; restore the store from a copy, or seal again")]
    Unpack(#[source] io::Error),
    /// Records are written in the order of their paths, each path once.
    #[error(
        "`{0}` is not in the order of paths, or there twice; this is a fault of lazaret, please report it"
    )]
    Order(String),
}
