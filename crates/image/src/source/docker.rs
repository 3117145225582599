//! Images of Docker: read where they lie where that can be, else exported.
//!
//! In the store of a local Docker the layers lie unpacked, with what it takes to make their tars
//! again: nothing is copied, and layers that the fact cache knows are not even read. An export makes
//! Docker write the whole image into an archive first, which costs it more than the scan.

use super::documents::Documents;
use super::{
    Image, LayerSource, OpenOptions, Opened, check_layers, complete, detect, no_match, subject,
};
use crate::blob::Blob;
use crate::error::ImageError;
use crate::manifest::Config;
use engine::{Docker, DockerImage, LayerFolder};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;
use vocabulary::{Digest, Origin};

pub(super) fn open(
    reference: &str,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let docker = match Docker::connect(&options.engines) {
        Ok(docker) => docker,
        Err(error) => return super::stored::docker(reference, name, options, error),
    };
    let image = docker.image(name)?;
    match (&image.config, &image.unpacked) {
        (Some(config), Some(folders)) => in_place(reference, &image, config, folders, options),
        _ => exported(reference, &docker, &image, options),
    }
}

fn in_place(
    reference: &str,
    image: &DockerImage,
    bytes: &[u8],
    folders: &[LayerFolder],
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    check_layers(reference, folders.len())?;
    let mut documents = Documents { image: reference, mismatches: Vec::new() };
    let config: Config = documents.parse(bytes, &image.id.to_string(), "image configuration")?;
    documents.verify("configuration", &image.id, None, bytes);
    let layers = folders.iter().map(layer).collect();
    let tags = image.tags.clone();
    let subject = subject(reference, None, Digest::of(bytes), tags, &config);
    if let (Some(wanted), Some(platform)) = (&options.platform, &subject.platform)
        && (wanted.os != platform.os || wanted.architecture != platform.architecture)
    {
        return Err(no_match(reference, &wanted.to_string(), vec![platform.to_string()]));
    }
    Ok(complete(documents, subject, layers, &config, &BTreeMap::new()))
}

pub(super) fn layer(folder: &LayerFolder) -> LayerSource {
    let tar_split = folder.tar_split.clone();
    LayerSource {
        stored_bytes: tar_split.as_deref().map_or(0, content_size),
        stated_bytes: None,
        blob: tar_split.map(|tar_split| Blob::assembled(tar_split, folder.path.clone())),
        media_type: String::new(),
        digest: None,
        diff_id: None,
        command: None,
        origin: Origin::default(),
        name: folder.path.display().to_string(),
    }
}

/// What Docker says that the files of a layer take together: for the progress that is shown, and no
/// more.
fn content_size(tar_split: &Path) -> u64 {
    let file = Blob::file(tar_split.with_file_name("size"));
    let text = file.read(64).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&text).trim().parse().unwrap_or(0)
}

/// The archive has no name of its own: it goes when the last that reads it does, whatever happens.
fn exported(
    reference: &str,
    docker: &Docker,
    image: &DockerImage,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let spool = |source| ImageError::Spool { image: reference.to_owned(), source };
    let file = tempfile::tempfile().map_err(spool)?;
    let mut out = BufWriter::with_capacity(1 << 20, &file);
    docker.export(&image.id.to_string(), &mut out)?;
    out.flush().map_err(spool)?;
    drop(out);
    open_spooled(reference, image, file, options)
}

fn open_spooled(
    reference: &str,
    image: &DockerImage,
    file: File,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let Opened::Image(mut opened) = detect(&path, options)? else {
        return Err(ImageError::Unrecognised(reference.to_owned()));
    };
    let found = [&opened.subject.config_digest, &opened.subject.manifest_digest];
    // With containerd's image store an image's id is the digest of its manifest, or of an index.
    if !found.contains(&&Some(image.id.clone()))
        && opened.subject.manifest_digest.is_none()
        && let Some(found) = opened.subject.config_digest.clone()
    {
        opened.mismatches.push(super::Mismatch {
            what: "configuration".to_owned(),
            layer: None,
            claim: super::Claim::Digest { expected: image.id.clone(), found },
        });
    }
    reference.clone_into(&mut opened.subject.name);
    opened.subject.tags.clone_from(&image.tags);
    opened.spool = Some(Arc::new(file));
    Ok(*opened)
}
