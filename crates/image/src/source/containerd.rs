//! Images of containerd: the content store is a folder of blobs named by their digests.
//!
//! Which image a name stands for is asked of containerd, or read from its store where nobody answers.

use super::layout::{Store, open_target};
use super::{Image, OpenOptions};
use crate::error::ImageError;
use engine::containerd::stored_image;
use engine::{Containerd, ContainerdImage, DOCKER_NAMESPACE, Endpoints, EngineError};
use std::path::PathBuf;

pub(super) fn open(
    reference: &str,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let engines = &options.engines;
    match asked(engines, name) {
        Ok(image) => made(reference, image, options),
        // It answers, and does not have it.
        Err(error @ (EngineError::NoImage { .. } | EngineError::Reference(_))) => Err(error.into()),
        Err(error) => {
            let namespaces = engines.image_namespaces();
            let roots = &engines.containerd_roots;
            stored(reference, name, roots, &namespaces, options).unwrap_or(Err(error.into()))
        }
    }
}

/// The image in the first namespace that has it.
fn asked(engines: &Endpoints, name: &str) -> Result<ContainerdImage, EngineError> {
    let mut outcome =
        Err(EngineError::NoImage { engine: vocabulary::Engine::Containerd, name: name.to_owned() });
    for namespace in engines.image_namespaces() {
        let engines = Endpoints { namespace: namespace.to_owned(), ..engines.clone() };
        outcome = Containerd::connect(&engines).and_then(|engine| engine.image(name));
        if !matches!(outcome, Err(EngineError::NoImage { .. })) {
            break;
        }
    }
    outcome
}

/// An image of Docker, where Docker keeps its images in containerd's store; none where it does not
/// have it there.
pub(super) fn of_docker(
    reference: &str,
    name: &str,
    options: &OpenOptions,
) -> Option<Result<Image, ImageError>> {
    let engines = &options.engines;
    // A containerd that Docker starts itself, else the machine's.
    let own = engines.docker_root.join("containerd/daemon");
    let roots: Vec<PathBuf> =
        std::iter::once(own).chain(engines.containerd_roots.iter().cloned()).collect();
    // That such a store lacks it says nothing: it may serve others than Docker.
    stored(reference, name, &roots, &[DOCKER_NAMESPACE], options)
        .filter(|image| !matches!(image, Err(ImageError::Engine(_))))
}

/// The image in the first store that has it; none where there is no store.
fn stored(
    reference: &str,
    name: &str,
    roots: &[PathBuf],
    namespaces: &[&str],
    options: &OpenOptions,
) -> Option<Result<Image, ImageError>> {
    let mut first = None;
    for root in roots {
        match stored_image(root, namespaces, name) {
            Some(Ok((image, namespace))) => {
                let image = made(reference, image, options).map(|mut image| {
                    let source = format!("containerd's store (namespace {namespace})");
                    image.subject.source = Some(source);
                    image
                });
                return Some(image);
            }
            Some(Err(error)) => first = first.or(Some(error)),
            None => {}
        }
    }
    first.map(|error| Err(error.into()))
}

fn made(
    reference: &str,
    image: ContainerdImage,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let store = Store::Folder(image.content);
    let discarded = |name: String| ImageError::Discarded { image: reference.to_owned(), name };
    let opened = open_target(&store, reference, &image.target, vec![image.name], options);
    let opened = opened.map_err(|error| match error {
        ImageError::Missing { name, .. } => discarded(name),
        error => error,
    })?;
    match opened.layers.iter().find(|layer| layer.blob.is_none()) {
        Some(layer) => Err(discarded(layer.name.clone())),
        None => Ok(opened),
    }
}
