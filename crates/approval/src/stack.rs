//! The folders that a container is made of, as seals see them.

use engine::{FolderRole, LayerFolder};
use seal::Part;
use vocabulary::{Digest, FileKind, FileRecord, Layer, Origin};

/// The container's root as engines make it, and as it is: that of the topmost folder counts.
pub(crate) fn root_of(folders: &[LayerFolder]) -> Option<(FileRecord, FileRecord)> {
    use std::os::unix::fs::MetadataExt as _;
    let top = u32::try_from(folders.len().checked_sub(1)?).ok()?;
    let place = folders.last().filter(|folder| folder.role == FolderRole::Written)?;
    let there = std::fs::metadata(&place.path).ok()?;
    // Owned as the layer below, which engines with user namespaces give to others than root.
    let below = folders.iter().rev().nth(1).and_then(|one| std::fs::metadata(&one.path).ok())?;
    let record = |mode, uid, gid| FileRecord {
        path: "/".to_owned(),
        kind: FileKind::Directory,
        mode: mode & 0o7777,
        uid: u64::from(uid),
        gid: u64::from(gid),
        size: 0,
        link: None,
        attributes: std::collections::BTreeMap::default(),
        digest: None,
        layer: Some(top),
    };
    let expected = record(there.mode() & !0o7022, below.uid(), below.gid());
    Some((expected, record(there.mode(), there.uid(), there.gid())))
}

/// The digest of a folder of the image, where the engine says which it is.
pub(crate) fn diff_id(folder: &LayerFolder) -> Option<Digest> {
    match &folder.role {
        FolderRole::Image { diff_id, .. } => diff_id.clone(),
        FolderRole::EngineInit | FolderRole::Written => None,
    }
}

/// A layer that is known by its digest alone.
pub(crate) fn layer((index, diff_id): (u32, Digest)) -> Layer {
    Layer {
        index,
        digest: None,
        diff_id,
        media_type: String::new(),
        packed_bytes: 0,
        plain_bytes: 0,
        entries: 0,
        command: None,
        origin: Origin::default(),
        from_cache: false,
    }
}

/// What the folder at this place of the stack is.
pub(crate) fn part(folders: &[LayerFolder], layer: Option<u32>) -> Part {
    let folder = layer.and_then(|place| folders.get(usize::try_from(place).ok()?));
    match folder.map(|folder| &folder.role) {
        Some(FolderRole::Written) => Part::Written,
        Some(FolderRole::EngineInit) => Part::Engine,
        Some(FolderRole::Image { .. }) | None => Part::Image,
    }
}
