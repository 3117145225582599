//! Asks container engines which images and containers there are, and where their files lie.
//!
//! In go the [`Endpoints`], out come images and containers in the vocabulary's words. It speaks to
//! the sockets of engines on this machine only, and only asks: nothing here changes what an engine
//! holds. Everything is blocking outside: the few requests are not worth an executor in every caller.

pub mod bolt;
pub mod containerd;
pub mod docker;
mod error;
mod http;
pub mod layers;
pub mod limits;
pub mod mountinfo;
pub mod reference;
pub mod stores;

pub use containerd::{Containerd, ContainerdImage};
pub use docker::{Docker, DockerImage};
pub use error::EngineError;
pub use layers::{ContainerDetails, FolderRole, LayerFolder};
pub use reference::{Reference, ReferenceError, repository_of};

use std::path::PathBuf;
use vocabulary::Container;

/// Where the engines listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Docker: `unix:///PATH` or `tcp://HOST:PORT`.
    pub docker: String,
    /// containerd's socket.
    pub containerd: PathBuf,
    /// containerd's namespace.
    pub namespace: String,
    /// Where containerd keeps its stores, for when it does not run.
    pub containerd_roots: Vec<PathBuf>,
    /// Where Docker keeps its store, for when it does not run.
    pub docker_root: PathBuf,
    /// Where Podman keeps its stores.
    pub podman_roots: Vec<PathBuf>,
}

/// The namespace that containerd's clients take where none is named.
const DEFAULT_NAMESPACE: &str = "default";

/// The namespaces of those who keep their images in containerd's store: its own clients, Kubernetes,
/// and Docker.
const KNOWN_NAMESPACES: [&str; 3] = [DEFAULT_NAMESPACE, "k8s.io", DOCKER_NAMESPACE];

/// The namespace of Docker.
pub const DOCKER_NAMESPACE: &str = "moby";

impl Endpoints {
    /// The namespaces in which an image is looked for: the one that was named, or the known ones.
    #[must_use]
    pub fn image_namespaces(&self) -> Vec<&str> {
        match self.namespace.as_str() {
            DEFAULT_NAMESPACE => KNOWN_NAMESPACES.to_vec(),
            named => vec![named],
        }
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            docker: "unix:///var/run/docker.sock".to_owned(),
            containerd: PathBuf::from("/run/containerd/containerd.sock"),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            // Its own, and where k3s and RKE2 keep theirs.
            containerd_roots: [
                "/var/lib/containerd",
                "/var/lib/rancher/k3s/agent/containerd",
                "/var/lib/rancher/rke2/agent/containerd",
            ]
            .map(PathBuf::from)
            .to_vec(),
            docker_root: PathBuf::from("/var/lib/docker"),
            podman_roots: vec![PathBuf::from("/var/lib/containers/storage")],
        }
    }
}

/// The running containers of all engines that answer, and why others did not. An engine whose socket
/// is not there is not installed: that is no error.
#[must_use]
pub fn containers(endpoints: &Endpoints) -> (Vec<Container>, Vec<EngineError>) {
    let docker = Docker::connect(endpoints).and_then(|docker| docker.containers());
    let containerd = Containerd::connect(endpoints).and_then(|engine| engine.containers());
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for answer in [docker, containerd] {
        match answer {
            Ok(containers) => found.extend(containers),
            Err(EngineError::NotThere { .. }) => {}
            Err(error) => errors.push(error),
        }
    }
    (found, errors)
}

/// Whether any engine listens at all.
#[must_use]
pub fn any_listens(endpoints: &Endpoints) -> bool {
    let absent = |error: &EngineError| matches!(error, EngineError::NotThere { .. });
    let docker = Docker::connect(endpoints).err().is_some_and(|error| absent(&error));
    let containerd = Containerd::connect(endpoints).err().is_some_and(|error| absent(&error));
    !(docker && containerd)
}

/// Where engines were looked for in vain, and what to do.
#[must_use]
pub fn none_listens(endpoints: &Endpoints) -> String {
    format!(
        "no container engine listens: neither Docker at `{}` nor containerd at `{}`; start one, or say where it listens with --docker-host or --containerd-address",
        endpoints.docker,
        endpoints.containerd.display()
    )
}

/// A container by its name or id, of whichever engine has it, with the folders of its file system.
///
/// # Errors
/// Where no engine has it, or the one that has it does not say where its files lie.
pub fn container(endpoints: &Endpoints, name: &str) -> Result<ContainerDetails, EngineError> {
    let docker = Docker::connect(endpoints).and_then(|docker| docker.container(name));
    let first = match docker {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let second = match Containerd::connect(endpoints).and_then(|engine| engine.container(name)) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let silent = |error: &EngineError| {
        matches!(error, EngineError::NotThere { .. } | EngineError::NoContainer { .. })
    };
    // What kept an engine from answering matters more than that the other has no such container.
    match (silent(&first), silent(&second)) {
        (false, _) => Err(first),
        (true, false) => Err(second),
        (true, true) => match (&first, &second) {
            (EngineError::NotThere { .. }, EngineError::NotThere { .. }) => Err(first),
            _ => Err(EngineError::NoContainer { name: name.to_owned() }),
        },
    }
}
