//! Where one ecosystem's records come from in one update: its list, its single records, and what is here
//! of it.
//!
//! In go the answers of a source, out comes a database in its place, with a manifest that says how many
//! records it is known to lack. Folders and servers differ in how they are asked, and in nothing else.

use super::{Changed, Known, UpdateError, Updated};
use crate::build::{Builder, Built};
use crate::exchange::{self, Provenance};
use crate::follow::{Besides, FollowError, Followed, Plan};
use crate::listing::Listing;
use crate::manifest::Manifest;
use crate::paths;
use crate::settle::{Settled, settle};
use crate::singles::Ask;
use std::path::Path;
use vocabulary::Ecosystem;

pub(super) struct Origin<'a> {
    pub(super) folder: &'a Path,
    pub(super) ecosystem: &'a Ecosystem,
    pub(super) provenance: Provenance,
    /// The list, where there is one.
    pub(super) listing: Option<Listing>,
    /// What the server calls it.
    pub(super) list_etag: Option<String>,
    /// What is here of the same source.
    pub(super) known: Option<&'a Known>,
    pub(super) single: Ask<'a, UpdateError>,
}

/// What became of a database whose source has a list of changes.
pub(super) enum Brought {
    UpToDate(Box<Updated>),
    /// The archive is the better way, or the only one.
    Archive(Besides),
}

impl Origin<'_> {
    /// Follows the list. What cannot be followed leaves the database as it is.
    pub(super) fn follow(&self, besides: Besides) -> Result<Brought, UpdateError> {
        let (Some(Known { manifest, database }), Some(listing)) = (self.known, &self.listing)
        else {
            return Ok(Brought::Archive(Besides::Singles));
        };
        let file = paths::database_path(self.folder, self.ecosystem).unwrap_or_default();
        let plan = Plan::of(database, listing, &file.display().to_string())?;
        Ok(match plan.follow(database, besides, self.single)? {
            Followed::Archive(besides) => Brought::Archive(besides),
            Followed::Same { behind, again } => {
                let Provenance { list_etag, fetched, .. } =
                    self.provenance(Provenance::default(), behind, again);
                let manifest = Manifest { list_etag, fetched, behind, ..manifest.clone() };
                exchange::write_manifest(self.folder, &manifest)?;
                let changed = match behind {
                    0 => Changed::Unchanged,
                    behind => Changed::Followed { read: 0, gone: 0, behind },
                };
                Brought::UpToDate(Box::new(self.updated(changed, manifest)))
            }
            Followed::Changed { builder, gone, read, behind, again } => {
                let built =
                    builder.finish_over(Some(database), &gone).map_err(FollowError::from)?;
                let changed = Changed::Followed { read, gone: gone.len() as u64, behind };
                let provenance = self.provenance(Provenance::default(), behind, again);
                Brought::UpToDate(Box::new(self.install(&built, provenance, changed)?))
            }
        })
    }

    /// Builds of an archive.
    pub(super) fn settle(
        &self,
        builder: Builder,
        besides: Besides,
        provenance: Provenance,
    ) -> Result<Updated, UpdateError> {
        let before = self.known.map(|known| &known.database);
        let settled = settle(builder, self.listing.as_ref(), before, besides, self.single)?;
        let Settled { built, behind, again } = settled;
        let provenance = self.provenance(provenance, behind, again);
        let changed = Changed::Built { dropped: built.dropped, behind };
        self.install(&built, provenance, changed)
    }

    /// What is said of where it came from. What was not to be had is asked for again, whatever the
    /// server calls its list then.
    fn provenance(&self, archive: Provenance, behind: u64, again: bool) -> Provenance {
        let list_etag = self.list_etag.clone().filter(|_| self.listing.is_some());
        Provenance {
            list_etag: list_etag.filter(|_| behind == 0 && !again),
            behind,
            etag: archive.etag,
            last_modified: archive.last_modified,
            ..self.provenance.clone()
        }
    }

    fn install(
        &self,
        built: &Built,
        provenance: Provenance,
        changed: Changed,
    ) -> Result<Updated, UpdateError> {
        let manifest = exchange::install(self.folder, self.ecosystem, built, provenance)?;
        Ok(self.updated(changed, manifest))
    }

    fn updated(&self, changed: Changed, manifest: Manifest) -> Updated {
        Updated { ecosystem: self.ecosystem.clone(), changed, manifest: Some(manifest) }
    }
}
