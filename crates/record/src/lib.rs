//! One codec of the record of files: in memory for a layer, and as it is stored.
//!
//! In go entries (path, kind, mode, owner, size, link, attributes, layer, digest), out comes a run of
//! bytes, and back. A million entries as structs with a string each take some 250 MB; here each is the
//! length of the path that it shares with the entry before, the rest of its path, and its numbers as
//! LEB128: some 25 bytes, and 32 more where it has a digest. [`Record`] is the entries of a layer in the
//! order of its tar, [`stored`] a compressed document in the order of paths, for what is sealed or kept.

mod entry;
mod error;
mod layer;
pub mod stored;

pub use entry::RecordEntry;
pub use error::RecordError;
pub use layer::Record;
