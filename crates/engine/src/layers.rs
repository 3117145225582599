//! The folders that an engine lays over each other, and what each of them is.

use std::path::PathBuf;
use vocabulary::{Container, Digest};

/// What a folder of a stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderRole {
    /// A layer of the image.
    Image {
        /// Its place, counted from 0 at the bottom.
        index: u32,
        /// Its diffID, where it is known.
        diff_id: Option<Digest>,
    },
    /// What the engine put between image and container: empty files to mount over.
    EngineInit,
    /// What was written since the container was made.
    Written,
}

/// A folder of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFolder {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub role: FolderRole,
    /// What is needed beside the folder to make the layer's tar again, where the engine keeps it
    /// (Docker's `tar-split.json.gz`).
    pub tar_split: Option<PathBuf>,
}

/// A container and where its files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerDetails {
    /// The container.
    pub container: Container,
    /// The folders of its file system, bottom first.
    pub layers: Vec<LayerFolder>,
}

/// The chain ids of layers, which engines name unpacked layers by: each stands for a layer and all
/// below it. OCI image specification, "Layer ChainID".
#[must_use]
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => diff_id.clone(),
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        };
        chain.push(id);
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_id_stands_for_the_layer_and_all_below_it() {
        let [a, b, c] = ["a", "b", "c"].map(|text| Digest::of(text.as_bytes()));
        let ab = Digest::of(format!("{a} {b}").as_bytes());
        let abc = Digest::of(format!("{ab} {c}").as_bytes());
        assert_eq!(chain_ids(&[a.clone(), b, c]), [a, ab, abc]);
        assert!(chain_ids(&[]).is_empty());
    }
}
