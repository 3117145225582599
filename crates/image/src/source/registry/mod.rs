//! Images in a registry, by the OCI distribution specification 1.1 ("Pull").
//!
//! In goes a name, out comes an image whose layers are still in the registry: the walk reads them
//! straight from the connection, hashed as they pass, and a layer that the fact cache knows is never
//! asked for. Nothing is kept on disk. A registry may be false or in false hands: whatever has a digest
//! is held against it, every length has a bound, and credentials go to the registry and to the
//! token service that it names, and to no one else.

mod challenge;
mod credentials;
mod helper;
mod repository;
mod session;
mod stream;
mod token;

pub use credentials::{Credentials, Secret};
pub use helper::{Helpers, Login, run_helper};
pub use repository::Repository;
pub(crate) use session::Registry as Session;
pub(crate) use stream::{Kind, RemoteBlob};

use super::documents::Documents;
use super::layout::{Store, open_manifest};
use super::{Image, OpenOptions, no_match};
use crate::error::ImageError;
use crate::limits;
use engine::EngineError;
use engine::reference::Reference;
use session::{Purpose, Registry};
use std::sync::Arc;
use vocabulary::{Digest, Platform};

/// How registries are asked.
#[derive(Clone, Debug, Default)]
pub struct RegistryOptions {
    /// Connections: offline, proxies, certificate authorities.
    pub fetch: fetch::Options,
    /// Use plain HTTP, without credentials, for registries that are not on this machine.
    pub plain_http: bool,
    /// Who we are.
    pub credentials: Credentials,
}

pub(super) fn open(
    reference: &str,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let wanted: Reference = name.parse().map_err(EngineError::Reference)?;
    let wanted = wanted.or_latest();
    let registry =
        Arc::new(Registry::connect(reference, &wanted, &options.registry, Purpose::Read)?);
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
    let (digest, bytes) = top(&registry, &wanted, &mut documents)?;
    let tags = wanted.tag.is_some().then(|| wanted.to_string()).into_iter().collect();
    let store = Store::Registry(registry);
    let image = open_manifest(documents, &store, digest, bytes, tags, options)?;
    match (&options.platform, &image.subject.platform) {
        (Some(asked), Some(found)) if !is(found, asked) => {
            Err(no_match(reference, &asked.to_string(), vec![found.to_string()]))
        }
        _ => Ok(image),
    }
}

fn is(found: &Platform, asked: &Platform) -> bool {
    found.os == asked.os && found.architecture == asked.architecture
}

/// The manifest or index that the name stands for. Its digest is the one asked for, else the one that
/// the registry says it has; either is held against what came.
fn top(
    registry: &Registry,
    wanted: &Reference,
    documents: &mut Documents<'_>,
) -> Result<(Digest, Vec<u8>), ImageError> {
    let asked = wanted.digest.as_ref().map(ToString::to_string).or_else(|| wanted.tag.clone());
    let asked = asked.unwrap_or_default();
    let response = registry.fetch(Kind::Manifest, &asked, None, limits::MANIFEST_BYTES)?;
    let said = response.content_digest.as_deref().and_then(|text| text.parse().ok());
    let bytes = response.body.into_vec().map_err(|error| registry.broken(&error))?;
    let named = wanted.digest.clone().or(said);
    if let Some(named) = &named {
        documents.verify("manifest", named, None, &bytes);
    }
    let digest = named.unwrap_or_else(|| Digest::of(&bytes));
    Ok((digest, bytes))
}
