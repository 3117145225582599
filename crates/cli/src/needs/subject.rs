//! What a reference needs: files by their path, engines by their sockets and stores, a registry.
//!
//! It follows the order in which `image` and `scan` take a reference apart. Where two readings are
//! possible, both are granted: a path that is there, and the name of an image.

use super::Plan;
use std::path::{Path, PathBuf};

/// Where Docker's own client goes where no port is named.
const DOCKER_PORT: u16 = 2375;

impl Plan<'_> {
    /// Whatever a reference names.
    pub(super) fn subject(&mut self, reference: &str) {
        // What is attached to an image is where the image is.
        if let Some(image) = reference.strip_prefix("sbom:attached:")
            && !Path::new(reference.strip_prefix("sbom:").unwrap_or_default()).exists()
        {
            return self.subject(image);
        }
        let scheme = reference.split_once(':').filter(|_| !Path::new(reference).exists());
        match scheme {
            Some(("docker", _)) => self.docker(),
            Some(("containerd", _)) => self.containerd(),
            Some(("podman", _)) => self.podman(),
            Some(("registry", _)) => self.registry(),
            Some(("container", _)) => {
                self.engines();
                // What its first process sees is held against its folders.
                self.processes = true;
            }
            Some(("host", "")) => self.read([PathBuf::from("/")]),
            Some((
                "host" | "dir" | "sbom" | "oci-dir" | "oci" | "oci-archive" | "docker-archive",
                rest,
            )) => {
                self.path(rest);
            }
            _ => {
                if !self.path(reference) {
                    self.engines();
                    self.registry();
                }
            }
        }
    }

    /// A path, which a name within it may follow. Whether there is one.
    fn path(&mut self, text: &str) -> bool {
        let names = text.match_indices(':').filter_map(|(at, _)| text.get(..at));
        let there: Vec<PathBuf> =
            names.chain([text]).map(PathBuf::from).filter(|path| path.exists()).collect();
        let found = !there.is_empty();
        // Those of an archive's files stand in it.
        let is_folder = |path: &PathBuf| path.is_dir() && !path.join("oci-layout").exists();
        self.attributes |= self.record && there.iter().any(is_folder);
        self.subjects.extend(there.iter().cloned());
        self.read(there);
        found
    }

    pub(super) fn registry(&mut self) {
        self.network = true;
        self.registry = true;
    }

    /// All engines of this machine.
    pub(super) fn engines(&mut self) {
        self.docker();
        self.containerd();
        self.podman();
    }

    fn docker(&mut self) {
        let endpoints = self.world.engines();
        self.store(endpoints.docker_root);
        match endpoints.docker.strip_prefix("unix://") {
            Some(socket) if Path::new(socket).exists() => self.answers(),
            Some(_) => {
                // That nobody listens is said by who tries it.
                self.sockets = true;
                return;
            }
            None => {
                let address = endpoints.docker.trim_end_matches('/');
                let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
                self.port = Some(port.unwrap_or(DOCKER_PORT));
                self.answers();
            }
        }
        // What it exports is kept in a file without a name.
        self.writing.push(std::env::temp_dir());
    }

    fn containerd(&mut self) {
        let endpoints = self.world.engines();
        endpoints.containerd_roots.into_iter().for_each(|root| self.store(root));
        let socket = endpoints.containerd.to_string_lossy().into_owned();
        if Path::new(socket.strip_prefix("unix://").unwrap_or(&socket)).exists() {
            self.answers();
        }
        self.sockets = true;
    }

    fn podman(&mut self) {
        self.world.engines().podman_roots.into_iter().for_each(|root| self.store(root));
    }

    /// An engine that listens may keep its folders anywhere.
    fn answers(&mut self) {
        self.sockets = true;
        self.anywhere = true;
        self.attributes = true;
    }

    fn store(&mut self, root: PathBuf) {
        self.attributes |= root.exists();
        self.read([root]);
    }
}
