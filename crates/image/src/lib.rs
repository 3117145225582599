//! Opens an image or a directory and yields layers and files, bounded and read-only; holds the walk
//! and the trait by which a check joins it.

pub mod again;
mod archive;
mod base;
pub mod blob;
mod budget;
pub mod cache;
pub mod check;
mod collect;
pub mod directory;
mod dispatch;
mod documents;
pub mod error;
pub mod facts;
pub mod kept;
pub mod limits;
pub mod links;
pub mod live;
pub mod manifest;
pub mod overlay;
mod packages;
mod placing;
pub mod share;
pub mod source;
pub mod squash;
pub mod tar;
pub mod tar_split;
pub mod walk;

pub use cache::FactCache;
pub use check::{
    Ask, Asks, Cataloged, Check, ContentDigests, Entry, Fact, Flow, Interest, OwnedDigest,
    OwnedFile, ReadError, Reading, Resolution, Want,
};
pub use collect::RecordLevel;
pub use dispatch::{Concerned, Dispatch};
pub use engine::{Endpoints, EngineError, FolderRole, LayerFolder};
pub use error::ImageError;
pub use facts::{FactAt, Gap, LayerFacts, PathHasher, SubjectShape, View};
pub use kept::Kept;
pub use limits::LayerBounds;
pub use packages::Packages;
pub use share::Shares;
pub use source::{
    Claim, Credentials, Helpers, Image, LayerSource, Login, Mismatch, OpenOptions, Opened,
    RegistryError, RegistryOptions, Repository, Secret, open, run_helper,
};
pub use squash::Squash;
pub use walk::{Progress, WalkJob, Walked, Walker};
