//! Walks the folders that an overlay file system is made of, each as one layer.
//!
//! In goes the stack that an engine names, bottom first, out come facts and a record for each folder,
//! to be squashed like an image's. Whiteouts are devices of number 0/0 and opaque folders carry an
//! attribute (kernel documentation, overlayfs); the overlay's own attributes are no part of a record.
//! What a folder holds is taken as it is: no record of the engine's is believed.

use crate::directory::{Shape, again_as, alone, walk_as};
use crate::error::ImageError;
use crate::facts::LayerFacts;
use crate::limits;
use crate::links::Aliases;
use crate::share::Shares;
use crate::walk::Walker;
use engine::LayerFolder;
use record::Record;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Walks one folder.
///
/// # Errors
/// Where the folder itself cannot be read; what lies in it becomes a problem instead.
pub fn walk(walker: &Walker<'_>, folder: &Path) -> Result<(LayerFacts, Record), ImageError> {
    walk_as(walker, folder, Shape::Overlay, None, None, alone().of(0))
}

/// Walks those files of a folder again that have other names, each under these.
///
/// # Errors
/// Where the folder itself cannot be read.
pub fn walk_again(
    walker: &Walker<'_>,
    folder: &Path,
    aliases: &Aliases,
) -> Result<LayerFacts, ImageError> {
    again_as(walker, folder, Shape::Overlay, aliases)
}

/// What came of one folder.
pub type FolderWalked = Result<(LayerFacts, Record), ImageError>;

/// Walks folders side by side, `workers` at a time; the results are in the order of the folders.
#[must_use]
pub fn walk_all(walker: &Walker<'_>, folders: &[LayerFolder], workers: usize) -> Vec<FolderWalked> {
    let shares = Shares::new(folders.len(), limits::IMAGE_KEPT_BYTES);
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<FolderWalked>>> = folders.iter().map(|_| Mutex::new(None)).collect();
    let walk_on = || {
        while let Some((index, (folder, slot))) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            folders.get(index).zip(done.get(index)).map(|both| (index, both))
        } {
            let walked =
                walk_as(walker, &folder.path, Shape::Overlay, None, None, shares.of(index));
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(walked);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.clamp(1, folders.len().max(1)) {
            // Where no more threads are to be had, those that there are do it.
            let _ = std::thread::Builder::new().spawn_scoped(scope, walk_on);
        }
        walk_on();
    });
    done.into_iter()
        .zip(folders)
        .enumerate()
        .map(|(index, (slot, folder))| {
            if !shares.fits(index) {
                return Err(crate::directory::over(&folder.path));
            }
            slot.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(|| {
                let source =
                    std::io::Error::other("internal error while walking; please report it");
                Err(ImageError::Read { path: folder.path.clone(), source })
            })
        })
        .collect()
}
