//! Reads files again under the names by which links show them.

use image::again::Plan;
use image::followed::Followed;
use image::links::Aliases;
use image::{ImageError, LayerFacts};
use std::path::Path;

/// Reads the files of folders again that links lead to.
pub(super) fn follow_folders<'folders>(
    plan: Plan,
    folder: impl Fn(usize) -> Option<&'folders Path>,
    walk_again: impl Fn(&Path, &Aliases) -> Result<LayerFacts, ImageError>,
) -> Vec<Followed> {
    let mut followed = plan.followed;
    let mut room = Room::default();
    for (layer, aliases) in plan.again.iter().enumerate().filter(|(_, one)| !one.is_empty()) {
        let Some(folder) = folder(layer) else { continue };
        match walk_again(folder, aliases) {
            Ok(facts) => followed.extend(room.take(layer, facts)),
            Err(error) => followed.push(Followed {
                reader: image::facts::WALK.to_owned(),
                layer,
                path: "/".to_owned(),
                outcome: Err(error.to_string()),
            }),
        }
    }
    followed
}

/// What files may say under other names, over all layers.
#[derive(Default)]
pub(super) struct Room {
    used: usize,
}

impl Room {
    /// What another reading of a layer gave, or that there was no room for it.
    pub(super) fn take(&mut self, layer: usize, facts: LayerFacts) -> Vec<Followed> {
        let records = facts.readers.values().flat_map(|of_reader| of_reader.facts.iter());
        let bytes = |record: &image::facts::FactRecord| {
            record.path.len() + record.fact.len() + image::limits::FACT_COST
        };
        self.used = self.used.saturating_add(records.map(bytes).sum());
        if self.used <= image::limits::FOLLOWED_BYTES {
            return image::followed::followed(layer, &facts);
        }
        let reason = "more is read behind links than is kept of one image: left out".to_owned();
        let readers = facts.readers.into_keys().map(|reader| Followed {
            reader,
            layer,
            path: "/".to_owned(),
            outcome: Err(reason.clone()),
        });
        readers.collect()
    }
}
