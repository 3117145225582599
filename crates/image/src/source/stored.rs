//! Images in the stores of engines, read while no engine runs: Podman's, and Docker's.

use super::docker::layer;
use super::documents::Documents;
use super::{Image, OpenOptions, check_layers, complete, no_match, subject};
use crate::error::ImageError;
use crate::manifest::Config;
use engine::EngineError;
use engine::stores::StoredImage;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vocabulary::Digest;

/// `podman:NAME`: the first store that has it.
pub(super) fn podman(
    reference: &str,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let mut first: Option<EngineError> = None;
    for root in &options.engines.podman_roots {
        match engine::stores::podman_image(root, name) {
            Some(Ok(image)) => return made(reference, &image, options),
            Some(Err(error)) => first = first.or(Some(error)),
            None => {}
        }
    }
    Err(first.unwrap_or_else(|| none(&options.engines.podman_roots)).into())
}

/// Docker's store, where it is there and Docker is not; else containerd's, where Docker keeps its images
/// there; else why Docker could not be asked.
pub(super) fn docker(
    reference: &str,
    name: &str,
    options: &OpenOptions,
    error: EngineError,
) -> Result<Image, ImageError> {
    let missing = match engine::stores::docker_image(&options.engines.docker_root, name) {
        Some(Ok(image)) => {
            let mut image = made(reference, &image, options)?;
            image.subject.source = Some("docker's store".to_owned());
            return Ok(image);
        }
        Some(Err(missing)) => missing,
        None => error,
    };
    super::containerd::of_docker(reference, name, options).unwrap_or(Err(missing.into()))
}

fn none(roots: &[PathBuf]) -> EngineError {
    let shown: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    EngineError::Store {
        path: roots.first().cloned().unwrap_or_default(),
        reason: format!(
            "no store of Podman is there, or may be read (looked in {})",
            shown.join(", ")
        ),
    }
}

fn made(reference: &str, image: &StoredImage, options: &OpenOptions) -> Result<Image, ImageError> {
    check_layers(reference, image.layers.len())?;
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
    let config: Config =
        documents.parse(&image.config, &image.id.to_string(), "image configuration")?;
    documents.verify("configuration", &image.id, None, &image.config);
    let layers = image.layers.iter().map(layer).collect();
    let manifest = image.manifest.as_deref().map(Digest::of);
    let id = Digest::of(&image.config);
    let subject = subject(reference, manifest, id, image.tags.clone(), &config);
    if let (Some(wanted), Some(platform)) = (&options.platform, &subject.platform)
        && (wanted.os != platform.os || wanted.architecture != platform.architecture)
    {
        return Err(no_match(reference, &wanted.to_string(), vec![platform.to_string()]));
    }
    Ok(complete(documents, subject, layers, &config, &BTreeMap::new()))
}
