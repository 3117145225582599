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
