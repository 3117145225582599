//! Docker's own store, as its `overlay2` driver lays it out below `DockerRootDir`:
//! `image/overlay2/imagedb/content/sha256/<config>`, `image/overlay2/layerdb/sha256/<chainID>` with
//! `cache-id`, `diff` and `tar-split.json.gz`, and the layer's files in `overlay2/<cache-id>/diff`.

use crate::layers::{FolderRole, LayerFolder, chain_ids};
use crate::limits;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// The store of a local Docker.
#[derive(Debug)]
pub(super) struct Store {
    images: PathBuf,
    folders: PathBuf,
}

impl Store {
    /// None where it is not there or may not be read.
    pub(super) fn open(root: &Path) -> Option<Self> {
        let images = root.join("image").join("overlay2");
        let folders = root.join("overlay2");
        std::fs::read_dir(images.join("layerdb")).ok()?;
        Some(Self { images, folders })
    }

    /// The configuration as stored.
    pub(super) fn config(&self, id: &Digest) -> Option<Vec<u8>> {
        let path = self.images.join("imagedb/content").join(id.algorithm().name()).join(id.hex());
        read(&path, limits::CONFIG_BYTES)
    }

    /// Where the layers lie; none where one of them is not there.
    pub(super) fn image_folders(&self, diff_ids: &[Digest]) -> Option<Vec<LayerFolder>> {
        let mut folders = Vec::with_capacity(diff_ids.len());
        for (index, (chain, diff_id)) in (0_u32..).zip(chain_ids(diff_ids).iter().zip(diff_ids)) {
            let records =
                self.images.join("layerdb").join(chain.algorithm().name()).join(chain.hex());
            let path = self.folders.join(cache_id(&records)?).join("diff");
            let tar_split = records.join("tar-split.json.gz");
            if !path.is_dir() || !tar_split.is_file() {
                return None;
            }
            folders.push(LayerFolder {
                path,
                role: FolderRole::Image { index, diff_id: Some(diff_id.clone()) },
                tar_split: Some(tar_split),
            });
        }
        Some(folders)
    }
}

/// The name of a layer's folder: hex digits, never a path.
fn cache_id(records: &Path) -> Option<String> {
    let bytes = read(&records.join("cache-id"), limits::STORE_FILE_BYTES)?;
    let text = String::from_utf8(bytes).ok()?;
    let name = text.trim_end();
    let good =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    good.then(|| name.to_owned())
}

fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limit).then_some(bytes)
}
