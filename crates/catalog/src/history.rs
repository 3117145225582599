//! Which layer brought a package.
//!
//! Every layer that installs anything rewrites the whole package database, so the layer of the
//! database is not the layer of the package. The package came with the first layer from which on
//! every state of the database, up to the staying one, names the same name, version and
//! architecture.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// The layer that brought each key of the last state. `states` are those of one database, bottom
/// layer first, each with the keys that it names.
pub(crate) fn brought_by<Key: Eq + Hash + Copy>(
    states: &[(Option<u32>, Vec<Key>)],
) -> HashMap<Key, Option<u32>> {
    let Some(((top, keys), below)) = states.split_last() else { return HashMap::new() };
    let mut layers: HashMap<Key, Option<u32>> = keys.iter().map(|key| (*key, *top)).collect();
    let mut still: Vec<Key> = keys.clone();
    for (layer, keys) in below.iter().rev() {
        let there: HashSet<Key> = keys.iter().copied().collect();
        still.retain(|key| there.contains(key));
        for key in &still {
            layers.insert(*key, *layer);
        }
        if still.is_empty() {
            break;
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_belongs_to_the_layer_since_which_it_never_left() {
        let states = [
            (Some(0), vec!["a-1", "b-1", "c-1"]),
            (Some(2), vec!["a-1", "b-2", "d-1"]),
            (Some(5), vec!["a-1", "b-2", "c-1", "e-1"]),
        ];
        let layers = brought_by(&states);
        assert_eq!(layers.len(), 4);
        assert_eq!(layers["a-1"], Some(0));
        assert_eq!(layers["b-2"], Some(2));
        assert_eq!(layers["c-1"], Some(5), "removed and installed anew");
        assert_eq!(layers["e-1"], Some(5));
    }

    #[test]
    fn a_directory_has_no_layers() {
        assert_eq!(brought_by(&[(None, vec![1])])[&1], None);
        assert!(brought_by::<u8>(&[]).is_empty());
    }
}
