//! Opens an image or a directory and yields layers and files, bounded and read-only; holds the walk
//! and the trait by which a check joins it.

pub mod check;
pub mod facts;

pub use check::{
    Cataloged, Check, ContentDigests, Entry, Fact, Flow, Interest, OwnedDigest, OwnedFile,
    ReadError, Reading, Resolution, Want,
};
pub use facts::{FactAt, LayerFacts, PathHasher, SubjectShape, View};
