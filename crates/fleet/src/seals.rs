//! The seals of this machine, as far as they say what an image is.

use std::collections::BTreeMap;
use std::path::Path;
use vocabulary::{Digest, NotChecked, Package};

/// The seals of this machine, with the keys that are trusted for them.
pub(crate) struct Seals {
    store: Option<seal::Store>,
    keys: Vec<seal::VerifyingKey>,
}

impl Seals {
    /// Opens the store below the state folder; where it cannot be read, nothing counts as sealed.
    pub(crate) fn open(state: &Path, problems: &mut Vec<NotChecked>) -> Self {
        let opened = seal::Store::open(state.join("seals"))
            .and_then(|store| store.trusted().map(|keys| (store, keys)));
        match opened {
            Ok((store, keys)) => Self { store: Some(store), keys },
            Err(error) => {
                problems.push(NotChecked { what: "seals".to_owned(), reason: error.to_string() });
                Self { store: None, keys: Vec::new() }
            }
        }
    }

    /// The newest seal of an image whose signature holds, by the digest of its envelope.
    pub(crate) fn of(&self, id: &Digest, problems: &mut Vec<NotChecked>) -> Option<Digest> {
        let seals: Vec<&seal::Seal> = self.store.as_ref()?.by_image(id).collect();
        for seal in seals.into_iter().rev() {
            match seal.verify(&self.keys) {
                Ok(_) => return Some(seal.digest.clone()),
                Err(error) => problems.push(broken(seal, &error)),
            }
        }
        None
    }

    /// The newest seal of each sealed image, whether or not its signature holds.
    pub(crate) fn images(&self) -> BTreeMap<Digest, &seal::Seal> {
        let all = self.store.iter().flat_map(|store| store.all());
        all.map(|seal| (seal.statement.predicate.config_digest.clone(), seal)).collect()
    }

    /// The packages of a sealed image.
    pub(crate) fn packages(&self, seal: &seal::Seal) -> Result<Vec<Package>, String> {
        let Some(store) = &self.store else { return Err("the seals cannot be read".to_owned()) };
        seal.verify(&self.keys).map_err(|error| error.to_string())?;
        let record = store.load(seal).map_err(|error| error.to_string())?;
        record.packages().map_err(|error| error.to_string())
    }
}

fn broken(seal: &seal::Seal, error: &seal::SignatureError) -> NotChecked {
    let predicate = &seal.statement.predicate;
    NotChecked {
        what: format!("seal {} of {}", predicate.counter, predicate.name()),
        reason: error.to_string(),
    }
}
