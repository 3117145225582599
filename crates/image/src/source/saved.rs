//! What `docker save` writes: `manifest.json`, configurations and layers, in the old layout and the
//! new one.

use super::documents::Documents;
use super::{Image, LayerSource, OpenOptions, check_layers, complete, no_match, subject};
use crate::archive::Archive;
use crate::blob::Blob;
use crate::error::ImageError;
use crate::limits;
use crate::manifest::{Config, SavedImage};
use vocabulary::{Digest, Origin};

pub(super) fn open_saved(
    archive: &Archive,
    reference: &str,
    name: Option<&str>,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
    let blob = archive.blob("manifest.json");
    let bytes = documents.bytes(blob, "manifest.json", limits::MANIFEST_BYTES)?;
    let images: Vec<SavedImage> =
        documents.parse(&bytes, "manifest.json", "list of saved images")?;
    let names: Vec<String> = images.iter().flat_map(|image| image.repo_tags.clone()).collect();
    let image = match (name, images.as_slice()) {
        (Some(name), _) => images
            .iter()
            .find(|image| image.repo_tags.iter().any(|tag| tag == name))
            .ok_or_else(|| no_match(reference, name, names))?,
        (None, [only]) => only,
        (None, []) => {
            return Err(ImageError::Missing {
                image: reference.to_owned(),
                name: "image".to_owned(),
            });
        }
        (None, _) => {
            return Err(ImageError::Ambiguous {
                image: reference.to_owned(),
                how: "its name after a colon",
                choices: names.join(", "),
            });
        }
    };
    check_layers(reference, image.layers.len())?;
    let bytes =
        documents.bytes(archive.blob(&image.config), &image.config, limits::CONFIG_BYTES)?;
    let config: Config = documents.parse(&bytes, &image.config, "image configuration")?;
    if let Some(expected) = digest_in_path(&image.config) {
        documents.verify("configuration", &expected, None, &bytes);
    }
    let mut layers = Vec::with_capacity(image.layers.len());
    for path in &image.layers {
        let blob = archive.blob(path);
        layers.push(LayerSource {
            stored_bytes: blob.as_ref().map_or(Ok(0), Blob::size)?,
            stated_bytes: None,
            blob,
            media_type: String::new(),
            digest: digest_in_path(path),
            diff_id: None,
            command: None,
            origin: Origin::default(),
            name: path.clone(),
        });
    }
    let subject = subject(reference, None, Digest::of(&bytes), image.repo_tags.clone(), &config);
    if let (Some(wanted), Some(platform)) = (&options.platform, &subject.platform)
        && (wanted.os != platform.os || wanted.architecture != platform.architecture)
    {
        return Err(no_match(reference, &wanted.to_string(), vec![platform.to_string()]));
    }
    Ok(complete(documents, subject, layers, &config, &std::collections::BTreeMap::new()))
}

/// `blobs/sha256/<hex>` and `<hex>.json` name a digest; `<hex>/layer.tar` names an old image id, which
/// is none of its content.
fn digest_in_path(path: &str) -> Option<Digest> {
    let hex = path.strip_prefix("blobs/sha256/").or_else(|| path.strip_suffix(".json"))?;
    format!("sha256:{hex}").parse().ok()
}
