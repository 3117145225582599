//! Builds small images and fake services for tests.
//!
//! In go a few lines that say what an image or a server is like, out come bytes, folders, a loopback
//! server and engines of the test's own; nothing here is part of the program. Everything is made in code, so that no
//! binary lies in the repository, and by writers of its own, so that a fault of the readers under
//! test cannot hide in a shared library, and so that they can lie: every size, digest and name can
//! be made a false one.

pub mod bolt;
pub mod bucket;
pub mod engine;
pub mod files;
pub mod hostile;
pub mod http;
pub mod image;
pub mod layer;
pub mod made;
pub mod openpgp;
pub mod program;
pub mod registry;
pub mod skip;
pub mod tar;
pub mod zip;

pub use bucket::Bucket;
pub use engine::{ContainerdDaemon, DockerDaemon, is_root};
pub use http::{Received, Reply, Server};
pub use image::{Breakage, Built, ImageBuilder, ImageIndex, MediaTypes};
pub use layer::{Compression, Layer};
pub use openpgp::SigningKey;
pub use program::{small_root_image, tiny_program};
pub use registry::RegistryDaemon;
pub use skip::{Part, skip, skip_without};
pub use tar::{Entry, Tar};

use std::path::{Path, PathBuf};

/// The folder of real data that lies beside a checkout; the test is skipped where there is none.
#[must_use]
#[track_caller]
pub fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if path.join("README.md").is_file() {
        return Some(path);
    }
    skip_without(Part::Shared, "`../shared` is not here")
}
