//! Asks container engines which images and containers there are, and where their files lie.
//!
//! In go the [`Endpoints`], out come images and containers in the vocabulary's words. It speaks to
//! the sockets of engines on this machine only, and only asks: nothing here changes what an engine
//! holds.

use std::path::PathBuf;

/// Where the engines listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Docker: `unix:///PATH` or `tcp://HOST:PORT`.
    pub docker: String,
    /// containerd's socket.
    pub containerd: PathBuf,
    /// containerd's namespace.
    pub namespace: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            docker: "unix:///var/run/docker.sock".to_owned(),
            containerd: PathBuf::from("/run/containerd/containerd.sock"),
            namespace: "default".to_owned(),
        }
    }
}
