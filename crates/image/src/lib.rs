//! Opens an image or a directory and yields layers and files, bounded and read-only; holds the walk
//! and the traits by which readers and checks join it.
//!
//! ```
//! use image::{OpenOptions, Opened};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let layer = testkit::Layer::new().file("etc/os-release", "ID=debian\n");
//! testkit::ImageBuilder::new().layer(layer).write_oci_dir(folder.path())?;
//!
//! let reference = format!("oci-dir:{}", folder.path().display());
//! let Opened::Image(image) = image::source::open(&reference, &OpenOptions::default())? else {
//!     return Err("it is no image".into());
//! };
//! assert_eq!(image.layers.len(), 1);
//! # Ok(())
//! # }
//! ```

pub mod again;
mod archive;
mod base;
pub mod blob;
mod budget;
pub mod cache;
pub mod cataloged;
pub mod check;
mod collect;
pub mod configuration;
pub mod directory;
mod dispatch;
mod documents;
pub mod error;
pub mod facts;
pub mod followed;
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
pub use cataloged::{Ask, Asks, Cataloged, ContentDigests, OwnedDigest, OwnedFile};
pub use check::{
    Check, Entry, Fact, Flow, Interest, Place, Places, ReadError, Reader, Reading, Resolution,
    Resolver, Want, readers,
};
pub use collect::RecordLevel;
pub use configuration::Configuration;
pub use dispatch::{Concerned, Dispatch};
pub use engine::{Endpoints, EngineError, FolderRole, LayerFolder};
pub use error::{ImageError, RegistryError};
pub use facts::{About, FactAt, Gap, LayerFacts, PathHasher, ReaderFacts, SubjectShape, View};
pub use kept::Kept;
pub use limits::LayerBounds;
pub use packages::Packages;
pub use share::Shares;
pub use source::{
    Claim, Credentials, Helpers, Image, LayerSource, Login, Mismatch, OpenOptions, Opened,
    RegistryOptions, Repository, Secret, open, run_helper,
};
pub use squash::Squash;
pub use walk::{Progress, WalkJob, Walked, Walker};
