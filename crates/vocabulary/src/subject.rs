//! What a report talks about.
//!
//! A subject is known by a stable identity, a digest where there is one; the name that the user
//! typed is kept beside it, never instead of it.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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
        let last = last_part(name);
        if self.is_folder() && !last.is_empty() { last } else { &self.name }
    }

    /// The name of the image with its tag: one that it carries, or that it was asked for by. A layout
    /// may name nothing but a tag (OCI image specification 1.1, `org.opencontainers.image.ref.name`),
    /// and where a layout or an archive lies is no name.
    #[must_use]
    pub fn image_name(&self) -> Option<&str> {
        let carried = self.tags.iter().map(String::as_str).find(|tag| is_image_name(tag));
        carried.or_else(|| {
            let own = ["docker:", "containerd:", "podman:", "registry:"];
            let asked = own.iter().find_map(|scheme| self.name.strip_prefix(scheme));
            // A name without a scheme says of itself nothing but where it was found.
            asked.or(self.source.as_ref().map(|_| self.name.as_str()))
        })
    }

    /// What it is called, without scheme, tag, digest, and the folders above it: the name of a component.
    /// What its version is stands elsewhere.
    #[must_use]
    pub fn plain_name(&self) -> Cow<'_, str> {
        match self.kind {
            SubjectKind::RootDirectory | SubjectKind::SourceDirectory => self.short_name().into(),
            SubjectKind::Host => self.name.as_str().into(),
            SubjectKind::Container | SubjectKind::Image | SubjectKind::Sbom => {
                let named = self.image_name().map(without_tag);
                // A bill says itself what it is about.
                let stated = || self.tags.first().filter(|_| self.kind == SubjectKind::Sbom);
                let name = named.or_else(|| stated().map(String::as_str));
                let name = name.unwrap_or_else(|| last_part(without_scheme(&self.name)));
                if name.is_empty() { "subject".into() } else { name.into() }
            }
        }
    }
}

/// Whether a text is the name of an image, and no tag alone.
#[must_use]
pub fn is_image_name(text: &str) -> bool {
    text.contains([':', '/'])
}

/// The name of an image without tag and digest. A port, which has a path behind it, stays.
fn without_tag(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}

/// The last part of a path: of `shop/.` and `shop/` it is `shop`.
fn last_part(path: &str) -> &str {
    let mut rest = path;
    while let Some(shorter) = rest.strip_suffix('/').or_else(|| rest.strip_suffix("/.")) {
        rest = shorter;
    }
    rest.rsplit('/').next().unwrap_or(rest)
}

/// A reference without the words that say what kind of thing it names.
fn without_scheme(name: &str) -> &str {
    const SCHEMES: [&str; 11] = [
        "sbom:attached:",
        "sbom:",
        "docker-archive:",
        "oci-archive:",
        "oci-dir:",
        "oci:",
        "dir:",
        "docker:",
        "containerd:",
        "podman:",
        "registry:",
    ];
    let mut rest = name;
    while let Some(next) = SCHEMES.iter().find_map(|scheme| rest.strip_prefix(scheme)) {
        rest = next;
    }
    rest
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

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(kind: SubjectKind, name: &str, tags: &[&str]) -> Subject {
        Subject {
            kind,
            name: name.to_owned(),
            manifest_digest: None,
            config_digest: None,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            platform: None,
            base: None,
            source: None,
            checkout: None,
            version: None,
        }
    }

    #[test]
    fn a_component_is_called_by_a_name_and_not_by_how_it_was_found() {
        use SubjectKind::{Host, Image, RootDirectory, Sbom, SourceDirectory};
        for (kind, name, tags, expected) in [
            (SourceDirectory, "dir:/x/shop", &[][..], "shop"),
            (SourceDirectory, "shop/.", &[], "shop"),
            (RootDirectory, "dir:/x/shop/./", &[], "shop"),
            (Image, "dir:/x/shop", &[], "shop"),
            (Image, "oci-dir:/x/shop", &[], "shop"),
            (Image, "oci-dir:/x/shop/", &["latest"], "shop"),
            (Image, "oci-dir:/x/y", &["latest", "host:5000/team/shop:1"], "host:5000/team/shop"),
            (Image, "docker-archive:/x/y.tar", &["shop:1.2"], "shop"),
            (Image, "/x/y.tar", &[], "y.tar"),
            (Image, "registry:host:5000/team/shop@sha256:00", &[], "host:5000/team/shop"),
            (Image, "docker:shop:1", &[], "shop"),
            (Sbom, "sbom:/x/bill.json", &[], "bill.json"),
            (Sbom, "sbom:/x/bill.json", &["shop"], "shop"),
            (Sbom, "sbom:attached:registry:host/shop:1", &[], "shop:1"),
            (Host, "host:", &[], "host:"),
        ] {
            assert_eq!(subject(kind, name, tags).plain_name(), expected, "{name}");
        }
        let found = Subject { source: Some("docker".into()), ..subject(Image, "team/shop:1", &[]) };
        assert_eq!(found.plain_name(), "team/shop");
        assert_eq!(found.image_name(), Some("team/shop:1"));
        assert_eq!(subject(Image, "oci-dir:layout", &["latest"]).image_name(), None);
    }
}
