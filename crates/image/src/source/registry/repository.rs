//! A repository of a registry as a place for what is no image: artefacts of the OCI image
//! specification 1.1, read and written.
//!
//! In go digests and bytes, out come bytes that are held against nothing yet but their bounds: what
//! they must be, the caller knows. What refers to a manifest is found by the referrers API, and where
//! the registry has none by the tag that stands in for it; both are kept when it is written.
//!
//! Sources: OCI distribution specification 1.1, "Push", "Listing Referrers" and "Referrers Tag Schema".

use super::RegistryOptions;
use super::session::{Purpose, Registry};
use super::stream::{Kind, RemoteBlob};
use crate::error::{ImageError, RegistryError};
use crate::limits;
use crate::manifest::{Descriptor, Manifest, parse};
use engine::EngineError;
use engine::reference::Reference;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vocabulary::Digest;

/// The media type of a manifest.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Manifests that one tag may list as referring to another: those of nightly signatures by a few keys.
const REFERRERS: usize = 256;

/// A repository, and the connection to its registry.
#[derive(Debug)]
pub struct Repository {
    registry: Arc<Registry>,
    name: String,
    /// Bytes of the lists of what refers to a manifest.
    listed: AtomicU64,
}

impl Repository {
    /// A repository to read from. A registry that is not on this machine is not asked before
    /// something is wanted of it.
    ///
    /// # Errors
    /// Where the name is none, nothing may be asked, or the credentials are for nobody.
    pub fn to_read(name: &str, options: &RegistryOptions) -> Result<(Self, Reference), ImageError> {
        Self::connect(name, options, Purpose::Read)
    }

    /// A repository to write to.
    ///
    /// # Errors
    /// As [`Self::to_read`].
    pub fn to_write(
        name: &str,
        options: &RegistryOptions,
    ) -> Result<(Self, Reference), ImageError> {
        Self::connect(name, options, Purpose::Write)
    }

    fn connect(
        name: &str,
        options: &RegistryOptions,
        purpose: Purpose,
    ) -> Result<(Self, Reference), ImageError> {
        let wanted: Reference = name.parse().map_err(EngineError::Reference)?;
        let wanted = wanted.or_latest();
        let registry = Arc::new(Registry::connect(name, &wanted, options, purpose)?);
        Ok((Self { registry, name: name.to_owned(), listed: AtomicU64::new(0) }, wanted))
    }

    /// The manifest at a tag or digest, up to 4 MiB, and what the registry says its digest is.
    ///
    /// # Errors
    /// Where it is not there, or cannot be read.
    pub fn manifest(&self, at: &str) -> Result<(Vec<u8>, Option<Digest>), RegistryError> {
        let response = self.registry.fetch(Kind::Manifest, at, None, limits::MANIFEST_BYTES)?;
        let said = response.content_digest.as_deref().and_then(|text| text.parse().ok());
        let bytes = response.body.into_vec().map_err(|error| self.registry.broken(&error))?;
        Ok((bytes, said))
    }

    /// A blob, read as it arrives; never more than `size` bytes.
    ///
    /// # Errors
    /// Where it is not there, or cannot be read.
    pub fn blob(&self, digest: &Digest, size: u64) -> Result<impl Read + use<>, ImageError> {
        RemoteBlob::new(Arc::clone(&self.registry), Kind::Blob, digest.clone(), Some(size)).stream()
    }

    /// What refers to a manifest. Nothing of it is verified.
    ///
    /// # Errors
    /// Where it cannot be asked, or the answer is no list.
    pub fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
        let mut found = Vec::new();
        for path in [format!("referrers/{subject}"), format!("manifests/{}", tag_of(subject))] {
            match self.registry.document(&path) {
                Ok(Some(bytes)) => {
                    self.listed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    found.extend(self.index(&bytes)?);
                }
                // Registries without that API say so in many ways; the tag is asked for in any case.
                Ok(None) | Err(RegistryError::Status { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// How many bytes the lists had that [`Self::referrers`] read.
    #[must_use]
    pub fn listed_bytes(&self) -> u64 {
        self.listed.load(Ordering::Relaxed)
    }

    fn index(&self, bytes: &[u8]) -> Result<Vec<Descriptor>, RegistryError> {
        parse::<Manifest>(bytes).map(|index| index.manifests).map_err(|reason| {
            let reason = format!("its list of what refers to a manifest cannot be read: {reason}");
            RegistryError::Broken { image: self.name.clone(), reason }
        })
    }

    /// Uploads a blob, unless it is there. Whether it was uploaded.
    ///
    /// # Errors
    /// Where the registry does not take it.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<bool, RegistryError> {
        let digest = Digest::of(bytes).to_string();
        if self.registry.has_blob(&digest)? {
            return Ok(false);
        }
        self.registry.put_blob(&digest, bytes).map(|()| true)
    }

    /// Puts a manifest at a tag, or at its digest where none is given.
    ///
    /// # Errors
    /// Where the registry does not take it.
    pub fn put_manifest(&self, tag: Option<&str>, bytes: &[u8]) -> Result<(), RegistryError> {
        let digest = Digest::of(bytes).to_string();
        self.registry.put_manifest(tag.unwrap_or(&digest), MANIFEST, &digest, bytes).map(|_| ())
    }

    /// Puts a manifest that refers to `subject`. Where the registry does not list it by itself, the tag
    /// that stands in for that is written too.
    ///
    /// # Errors
    /// Where the registry does not take it.
    pub fn put_referrer(
        &self,
        subject: &Digest,
        artifact_type: &str,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        let digest = Digest::of(bytes).to_string();
        if self.registry.put_manifest(&digest, MANIFEST, &digest, bytes)? {
            return Ok(());
        }
        let tag = tag_of(subject);
        let known = self.registry.document(&format!("manifests/{tag}"))?;
        let mut index: serde_json::Value = known
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .filter(|index: &serde_json::Value| {
                index.get("manifests").is_some_and(|it| it.is_array())
            })
            .unwrap_or_else(|| serde_json::json!({"manifests": []}));
        if let Some(index) = index.as_object_mut() {
            index.insert("schemaVersion".to_owned(), 2.into());
            index.insert("mediaType".to_owned(), INDEX.into());
        }
        if let Some(listed) = index.get_mut("manifests").and_then(|listed| listed.as_array_mut()) {
            listed.retain(|one| one.get("digest").and_then(|it| it.as_str()) != Some(&digest));
            let too_many = (listed.len() + 1).saturating_sub(REFERRERS);
            listed.drain(..too_many.min(listed.len()));
            listed.push(serde_json::json!({
                "mediaType": MANIFEST,
                "artifactType": artifact_type,
                "digest": digest,
                "size": bytes.len(),
            }));
        }
        let text = index.to_string().into_bytes();
        let digest = Digest::of(&text).to_string();
        self.registry.put_manifest(&tag, INDEX, &digest, &text).map(|_| ())
    }
}

/// The tag that stands in for the referrers of a manifest.
fn tag_of(subject: &Digest) -> String {
    subject.to_string().replacen(':', "-", 1)
}
