//! What a report talks about.
//!
//! A subject is known by a stable identity, a digest where there is one; the name that the user
//! typed is kept beside it, never instead of it.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of subject that can be scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A container image.
    Image,
    /// A root file system in a directory.
    RootDirectory,
    /// A source folder.
    SourceDirectory,
    /// A running container.
    Container,
    /// A bill of materials: what somebody says is in something.
    Sbom,
    /// This machine: the packages that its containers rest on.
    Host,
}

/// The subject of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// The reference as the user gave it.
    pub name: String,
    /// Digest of the manifest, computed, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<Digest>,
    /// Digest of the image configuration (the image id), computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_digest: Option<Digest>,
    /// Names that the image carries in its archive, such as `app:1.2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Operating system and architecture, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The image that it was built on, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseImage>,
    /// Where it was found, for a name that did not say: `docker`, `containerd`, `registry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where a folder lies in the checkout that it is part of: its path from there, without slashes at
    /// the ends, and empty for the checkout itself; none for what lies in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout: Option<String>,
    /// The version of the project in a folder, as its own manifest says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Subject {
    /// Whether it is the sources of something: a folder in which lock files are read.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        matches!(self.kind, SubjectKind::SourceDirectory | SubjectKind::RootDirectory)
    }

    /// Where a file of it lies, seen from the root of the checkout that it is part of; from its own
    /// root, where it is part of none.
    #[must_use]
    pub fn from_checkout(&self, path: &str) -> String {
        match self.checkout.as_deref() {
            Some(folder) if !folder.is_empty() => {
                format!("{folder}/{}", path.trim_start_matches('/'))
            }
            _ => path.to_owned(),
        }
    }

    /// What it is called where only the name of a folder is wanted: without the scheme and the folders
    /// above it.
    #[must_use]
    pub fn short_name(&self) -> &str {
        let name = self.name.strip_prefix("dir:").unwrap_or(&self.name);
        let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
        if self.is_folder() && !last.is_empty() { last } else { &self.name }
    }
}

/// The image that another one was built on, as that one states it.
/// Source: OCI image specification 1.1, "Pre-Defined Annotation Keys".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// `org.opencontainers.image.base.name`, such as `docker.io/library/debian:12`.
    pub name: String,
    /// `org.opencontainers.image.base.digest`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// An OCI platform, shown as `os/architecture[/variant]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// For example `linux`.
    pub os: String,
    /// For example `amd64`.
    pub architecture: String,
    /// For example `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(formatter, "/{variant}"))
    }
}

impl std::str::FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant, None)
                if !os.is_empty() && !architecture.is_empty() =>
            {
                Ok(Self { os, architecture, variant })
            }
            _ => {
                Err(format!("`{text}` is not a platform; use os/architecture, such as linux/amd64"))
            }
        }
    }
}
