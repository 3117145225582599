//! Docker's own store, as its `overlay2` driver lays it out below `DockerRootDir`:
//! `image/overlay2/imagedb/content/sha256/<config>`, `image/overlay2/layerdb/sha256/<chainID>` with
//! `cache-id`, `diff` and `tar-split.json.gz`, and the layer's files in `overlay2/<cache-id>/diff`.

use crate::layers::{FolderRole, LayerFolder, chain_ids};
use crate::limits;
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// The store of a local Docker.
#[derive(Debug)]
pub(crate) struct Store {
    images: PathBuf,
    folders: PathBuf,
}

impl Store {
    /// None where it is not there or may not be read.
    pub(crate) fn open(root: &Path) -> Option<Self> {
        let images = root.join("image").join("overlay2");
        let folders = root.join("overlay2");
        std::fs::read_dir(images.join("layerdb")).ok()?;
        Some(Self { images, folders })
    }

    /// The configuration as stored.
    pub(crate) fn config(&self, id: &Digest) -> Option<Vec<u8>> {
        let path = self.images.join("imagedb/content").join(id.algorithm().name()).join(id.hex());
        read(&path, limits::CONFIG_BYTES)
    }

    /// Where the layers lie; none where one of them is not there. Docker keeps that twice: by chain id
    /// for images, and as the links that a new container is mounted by. Where these lead elsewhere
    /// they are what counts, as that is what would run.
    pub(crate) fn image_folders(&self, diff_ids: &[Digest]) -> Option<Vec<LayerFolder>> {
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
        if let Some(mounted) = self.mounted(&folders) {
            folders.truncate(mounted.len());
            for (index, path) in (0_u32..).zip(mounted) {
                match folders.get_mut(usize::try_from(index).ok()?) {
                    Some(folder) => folder.path = path,
                    None => folders.push(LayerFolder {
                        path,
                        role: FolderRole::Image { index, diff_id: None },
                        tar_split: None,
                    }),
                }
            }
        }
        Some(folders)
    }

    /// The folders that a new container would be mounted by, bottom first, where they are others. The
    /// topmost layer's `link` names it below `overlay2/l`, and its `lower` those below it, topmost
    /// first.
    fn mounted(&self, folders: &[LayerFolder]) -> Option<Vec<PathBuf>> {
        let top = folders.last()?.path.parent()?;
        let text = |name: &str| String::from_utf8(read(&top.join(name), limits::LOWER_BYTES)?).ok();
        let link = format!("l/{}", text("link")?.trim_end());
        let lower = text("lower").unwrap_or_default();
        let short = std::iter::once(link.as_str()).chain(lower.trim_end().split(':'));
        let place = |short: &str| {
            let path = self.folders.join(short);
            std::fs::canonicalize(&path).unwrap_or(path)
        };
        let mut mounted: Vec<PathBuf> =
            short.filter(|short| !short.is_empty()).take(limits::LAYERS).map(place).collect();
        mounted.reverse();
        let same = |(path, folder): (&PathBuf, &LayerFolder)| {
            std::fs::canonicalize(&folder.path).is_ok_and(|known| &known == path)
        };
        let known = mounted.len() == folders.len() && mounted.iter().zip(folders).all(same);
        (!known).then_some(mounted)
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
    files::read_found(path, limit).ok().map(|(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A store of an image of three layers, and its diffIDs.
    fn store(root: &Path) -> (Store, Vec<Digest>) {
        let ids = ["a", "b", "c"].map(|text| Digest::of(text.as_bytes())).to_vec();
        fs::create_dir_all(root.join("overlay2/l")).unwrap();
        let mut lower: Vec<String> = Vec::new();
        for (chain, name) in chain_ids(&ids).iter().zip(["zero", "one", "two"]) {
            let records = root.join("image/overlay2/layerdb/sha256").join(chain.hex());
            fs::create_dir_all(&records).unwrap();
            fs::write(records.join("cache-id"), name).unwrap();
            fs::write(records.join("tar-split.json.gz"), "").unwrap();
            let layer = root.join("overlay2").join(name);
            fs::create_dir_all(layer.join("diff")).unwrap();
            let short = name.to_uppercase();
            symlink(format!("../{name}/diff"), root.join("overlay2/l").join(&short)).unwrap();
            fs::write(layer.join("link"), &short).unwrap();
            if !lower.is_empty() {
                fs::write(layer.join("lower"), lower.join(":")).unwrap();
            }
            lower.insert(0, format!("l/{short}"));
        }
        (Store::open(root).unwrap(), ids)
    }

    fn names(store: &Store, ids: &[Digest]) -> Vec<String> {
        let name = |folder: &LayerFolder| {
            folder.path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
        };
        store.image_folders(ids).unwrap().iter().map(name).collect()
    }

    #[test]
    fn folders_are_those_that_a_container_would_be_mounted_by() {
        type Tamper = fn(&Path);
        let cases: [(Tamper, &[&str]); 5] = [
            (|_| {}, &["zero", "one", "two"]),
            (
                |home| fs::write(home.join("two/lower"), "l/ONE:l/EVIL").unwrap(),
                &["evil", "one", "two"],
            ),
            (|home| fs::write(home.join("two/link"), "EVIL").unwrap(), &["zero", "one", "evil"]),
            (
                |home| {
                    fs::remove_file(home.join("l/ONE")).unwrap();
                    symlink("../evil/diff", home.join("l/ONE")).unwrap();
                },
                &["zero", "evil", "two"],
            ),
            (
                |home| fs::write(home.join("two/lower"), "l/EVIL:l/ONE:l/ZERO").unwrap(),
                &["zero", "one", "evil", "two"],
            ),
        ];
        for (tamper, expected) in cases {
            let root = tempfile::tempdir().unwrap();
            let (store, ids) = store(root.path());
            let home = root.path().join("overlay2");
            fs::create_dir_all(home.join("evil/diff")).unwrap();
            symlink("../evil/diff", home.join("l/EVIL")).unwrap();
            tamper(&home);
            assert_eq!(names(&store, &ids), expected);
        }
    }
}
