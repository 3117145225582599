//! Reads the folders that a container's file system, or an unpacked image, is made of.

use super::follow::follow_folders;
use crate::checks::Chosen;
use crate::inventory::Inventory;
use crate::options::ReadOptions;
use crate::resolve::{self, Tree};
use image::{
    Dispatch, FolderRole, LayerFolder, PathHasher, Place, Progress, RecordLevel, SubjectShape,
    Walker,
};
use vocabulary::{Coverage, FileRecord, Layer, Problem, Status, Subject};

/// Reads a stack of overlay folders, bottom first, as they are now: the file system of a container, or
/// an image's unpacked layers. Every file is hashed, and no cache is used. A folder's place in the
/// stack is the number of its layer: those of the image keep theirs, what the engine put over them
/// and what was written come above. `layers` describe those of the image, where they are known.
#[must_use]
pub fn read_folders(
    subject: Subject,
    layers: &[Layer],
    folders: &[LayerFolder],
    options: &ReadOptions,
    progress: &Progress,
) -> Inventory {
    Stack::walk(folders, options, progress).inventory(subject, layers)
}

/// Reads the folders of a container once, and says what its image holds by them (the inventory) and
/// what the container sees (its files): the difference is what was written since it was made.
#[must_use]
pub fn read_container(
    subject: Subject,
    layers: &[Layer],
    folders: &[LayerFolder],
    options: &ReadOptions,
    progress: &Progress,
) -> (Inventory, Vec<FileRecord>) {
    let mut stack = Stack::walk(folders, options, progress);
    let (files, over) = resolve::files_of(&stack.tree, &stack.hasher);
    let of_image = |folder: &&LayerFolder| matches!(folder.role, FolderRole::Image { .. });
    let image = folders.iter().take_while(of_image).count();
    // What could not be read above the image is told apart from what could not be read of it.
    let above = stack.tree.facts.split_off(image.min(stack.tree.facts.len()));
    stack.tree.records.truncate(image);
    let mut problems: Vec<Problem> =
        resolve::unrecorded(over).into_iter().flat_map(|coverage| coverage.problems).collect();
    for (layer, facts) in (image..).zip(above) {
        let layer = u32::try_from(layer).ok();
        let gaps = facts.gaps().into_iter().filter(|gap| gap.reader == image::facts::WALK);
        problems.extend(gaps.map(|gap| {
            let reason = gap.to_string();
            Problem { path: "/".to_owned(), layer, reason }
        }));
        problems.extend(facts.problems.iter().map(|one| Problem { layer, ..one.clone() }));
    }
    let mut inventory = stack.inventory(subject, layers);
    inventory.coverage.push(Coverage::with_problems("written-layers", problems));
    inventory.coverage.sort_by(|left, right| left.check.cmp(&right.check));
    (inventory, files)
}

/// Folders that were walked.
struct Stack {
    chosen: Chosen,
    hasher: PathHasher,
    tree: Tree,
    problems: Vec<Problem>,
}

impl Stack {
    fn walk(folders: &[LayerFolder], options: &ReadOptions, progress: &Progress) -> Self {
        let chosen = Chosen::of(&options.checks, &[Place::Image]);
        let hasher = PathHasher::new(image::cache::random_key());
        let (mut facts, mut records, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let followed = {
            let readers = chosen.readers();
            let dispatch = Dispatch::new(&readers);
            let walker = Walker::new(&dispatch, &hasher, RecordLevel::Digests, progress);
            let walked = image::overlay::walk_all(&walker, folders, options.workers);
            for (index, (folder, walked)) in (0_u32..).zip(folders.iter().zip(walked)) {
                let (of_folder, record) = walked.unwrap_or_else(|error| {
                    let path = folder.path.display().to_string();
                    problems.push(Problem { path, layer: Some(index), reason: error.to_string() });
                    Default::default()
                });
                facts.push(of_folder);
                records.push(record);
            }
            let squash = resolve::squash(&facts, false, &hasher);
            let plan = image::again::plan(&squash, &dispatch, SubjectShape::RootFileSystem);
            let folder = |layer: usize| folders.get(layer).map(|folder| folder.path.as_path());
            follow_folders(plan, folder, |folder, aliases| {
                image::overlay::walk_again(&walker, folder, aliases)
            })
        };
        let tree = Tree { facts, records, followed, directory: false, configuration: None };
        Self { chosen, hasher, tree, problems }
    }

    fn inventory(self, subject: Subject, layers: &[Layer]) -> Inventory {
        let Self { chosen, hasher, tree, problems } = self;
        let mut inventory = resolve::inventory(subject, layers.to_vec(), tree, &chosen, &hasher);
        let failed = problems.len();
        let mut coverage = Coverage::with_problems("layers", problems);
        if failed > 0 {
            coverage.status = Status::Failed;
            coverage.reason = Some(format!("{failed} folders could not be read"));
        }
        inventory.coverage.push(coverage);
        inventory.coverage.sort_by(|left, right| left.check.cmp(&right.check));
        inventory
    }
}
