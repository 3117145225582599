//! A container as its engine knows it.
//!
//! The identity is the engine's id, never the name; the image is known by the digest of its
//! configuration, so that a moved tag cannot pass one image off as another.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The container engines that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Docker.
    Docker,
    /// containerd.
    Containerd,
}

impl Engine {
    /// Its name, which is also the scheme of a reference.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Whose it is.
    pub engine: Engine,
    /// The engine's id; 64 hex digits with Docker.
    pub id: String,
    /// The name that people gave it, or the engine made up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The image as the container's creator named it, such as `app:1.2`.
    pub image: String,
    /// The image's configuration digest, where the engine says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<Digest>,
    /// Process id of its first process, in the host's numbering; none while it does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When it was started, RFC 3339, UTC; none where it never was, or the engine does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
}

impl Container {
    /// The first twelve digits of the id, as engines show it.
    #[must_use]
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// The name, or the short id where it has none.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { self.short_id() } else { &self.name }
    }
}
