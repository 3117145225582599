//! The seals that containers are held against.
//!
//! In goes an image's configuration digest, out comes the list of its programs with the seal that
//! says so, shared by all containers of the image. A seal counts only where a key that is trusted
//! here signed it and its record is whole; why one does not count is said once.

use behaviour::AllowList;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;
use vocabulary::Digest;

/// A sealed image.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// Its programs.
    pub(crate) programs: AllowList,
    /// The digest of the seal's envelope.
    pub(crate) seal: Digest,
    /// The name and counter under which it was sealed.
    pub(crate) name: String,
}

/// What the store says of an image.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It is sealed.
    Sealed(Arc<Sealed>),
    /// There is no seal.
    NotSealed,
    /// There is one, and it does not hold, for this reason.
    Broken(String),
}

/// The store, read again when it changes.
#[derive(Debug)]
pub(crate) struct Seals {
    folder: PathBuf,
    changed: Option<SystemTime>,
    /// Programs in use, by seal: the list of an image that runs no more goes with its last container.
    loaded: Mutex<HashMap<Digest, Weak<Sealed>>>,
    /// Those that were used last, so that a container that starts again is not kept waiting for its guard
    /// until the record has been read and checked.
    recent: Mutex<VecDeque<Arc<Sealed>>>,
}

/// Programs of images that are kept though no container uses them: about a megabyte each.
const MAX_RECENT: usize = 4;

impl Seals {
    pub(crate) fn new(folder: &Path) -> Self {
        let changed = newest_change(folder);
        Self {
            folder: folder.to_owned(),
            changed,
            loaded: Mutex::default(),
            recent: Mutex::default(),
        }
    }

    /// Whether something was sealed since this was asked last.
    pub(crate) fn has_changed(&mut self) -> bool {
        let changed = newest_change(&self.folder);
        let differs = changed != self.changed;
        self.changed = changed;
        differs
    }

    /// The newest seal of an image that holds.
    pub(crate) fn of(&self, image: &Digest) -> Standing {
        let store = match seal::Store::open(&self.folder) {
            Ok(store) => store,
            Err(error) => return Standing::Broken(error.to_string()),
        };
        let Some(newest) = store.by_image(image).last() else { return Standing::NotSealed };
        let known = {
            let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.get(&newest.digest).and_then(Weak::upgrade)
        };
        if let Some(sealed) = known {
            self.keep(&sealed);
            return Standing::Sealed(sealed);
        }
        match load(&store, newest) {
            Ok(sealed) => {
                let sealed = Arc::new(sealed);
                self.keep(&sealed);
                let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
                loaded.retain(|_, one| one.strong_count() > 0);
                loaded.insert(newest.digest.clone(), Arc::downgrade(&sealed));
                Standing::Sealed(sealed)
            }
            Err(reason) => Standing::Broken(reason),
        }
    }
}

impl Seals {
    fn keep(&self, sealed: &Arc<Sealed>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|one| one.seal != sealed.seal);
        recent.push_back(Arc::clone(sealed));
        if recent.len() > MAX_RECENT {
            recent.pop_front();
        }
    }
}

fn load(store: &seal::Store, newest: &seal::Seal) -> Result<Sealed, String> {
    let keys = store.trusted().map_err(|error| error.to_string())?;
    newest.verify(&keys).map_err(|error| error.to_string())?;
    let record = store.load(newest).map_err(|error| error.to_string())?;
    let predicate = &newest.statement.predicate;
    Ok(Sealed {
        programs: AllowList::new(record.files()),
        seal: newest.digest.clone(),
        name: format!("{} #{}", predicate.name(), predicate.counter),
    })
}

/// When a file of the store was last changed: its log grows with each seal.
fn newest_change(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seals_that_were_used_last_are_kept() {
        let seals = Seals::new(Path::new("/nowhere"));
        let sealed = |name: u8| {
            let seal = Digest::of(&[name]);
            Arc::new(Sealed { programs: AllowList::default(), seal, name: String::new() })
        };
        let all: Vec<_> = (0..6).map(sealed).collect();
        all.iter().for_each(|one| seals.keep(one));
        seals.keep(all.get(2).unwrap());
        seals.keep(all.first().unwrap());
        let is_kept = |one: &Arc<Sealed>| Arc::strong_count(one) == 2;
        assert_eq!(
            all.iter().map(is_kept).collect::<Vec<_>>(),
            [true, false, true, false, true, true]
        );
    }
}
