//! Images of containerd: the content store is a folder of blobs named by their digests.

use super::layout::{Store, open_target};
use super::{Image, OpenOptions};
use crate::error::ImageError;
use engine::Containerd;

pub(super) fn open(
    reference: &str,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ImageError> {
    let image = Containerd::connect(&options.engines)?.image(name)?;
    let store = Store::Folder(image.content);
    open_target(&store, reference, &image.target, vec![image.name], options)
}
