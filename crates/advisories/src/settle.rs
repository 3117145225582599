//! Holds an archive against the list of the same source.
//!
//! In go the records of an archive, the list, and the database that was there before; out comes the new
//! database, and how many records it is known to lack. An archive is packed less often than its source
//! changes, and a cache may hold an old one for longer: what is listed and not in it, or in an older
//! state, is asked for by itself, and what was there before in a later state is carried over.

use crate::build::{Builder, Built};
use crate::database::Database;
use crate::follow::{Besides, FollowError, MAX_CHANGED};
use crate::format::FormatError;
use crate::held::Held;
use crate::listing::{ListError, Listing};
use crate::singles::{self, Ask, MAX_BYTES, Single, Worth};
use std::collections::HashSet;

/// Records that cannot be had one after the other, whereupon no more are asked for.
const PATIENCE: usize = 8;

/// An archive's database.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) built: Built,
    /// How many records are listed in a later state than they are in here, or not in here.
    pub(crate) behind: u64,
    /// Whether some of that is to be asked for again.
    pub(crate) again: bool,
}

/// A record that an archive does not have as it is listed.
struct Lacking {
    id: String,
    listed: u64,
    /// What the archive has.
    packed: Option<Held>,
    /// What was there before.
    before: Option<Held>,
    /// What is had of it in the end.
    best: Option<Held>,
}

/// Builds what an archive and its list give together.
pub(crate) fn settle<Error: Send>(
    mut builder: Builder,
    listing: Option<&Listing>,
    before: Option<&Database>,
    besides: Besides,
    single: Ask<'_, Error>,
) -> Result<Settled, FollowError> {
    let mut lacking = match listing {
        Some(listing) => lacking(&builder, listing, before)?,
        None => Vec::new(),
    };
    if let Some(listing) = listing.filter(|_| besides != Besides::Nothing) {
        read(&mut builder, &mut lacking, listing, single)?;
    }
    let behind = lacking.iter().filter(|one| {
        // What was no record in the archive, either, is counted as that.
        !one.best.is_some_and(|best| best.malformed) && singles::is_behind(one.best, one.listed)
    });
    let behind = behind.count() as u64;
    let again = lacking.iter().any(|one| singles::is_behind(one.best, one.listed));
    let kept = lacking.iter().filter(|one| one.before.is_some() && one.best == one.before);
    let kept: HashSet<String> = kept
        .filter(|one| one.before.is_some_and(|before| before.is_better_than(one.packed)))
        .map(|one| one.id.clone())
        .collect();
    let built = match before.filter(|_| !kept.is_empty()) {
        None => builder.finish()?,
        Some(before) => carry_over(builder, before, &kept)?,
    };
    Ok(Settled { built, behind, again })
}

/// The database of a builder, and of some records of the one before.
fn carry_over(
    mut builder: Builder,
    before: &Database,
    kept: &HashSet<String>,
) -> Result<Built, FormatError> {
    builder.forget(kept);
    let held = before.held()?;
    let gone = held.into_keys().filter(|id| !kept.contains(*id)).map(str::to_owned).collect();
    builder.finish_over(Some(before), &gone)
}

/// What an archive does not have as it is listed.
fn lacking(
    builder: &Builder,
    listing: &Listing,
    before: Option<&Database>,
) -> Result<Vec<Lacking>, FormatError> {
    let packed = builder.held();
    let times = listing.times();
    let late = times.iter().map(|(id, listed)| (*id, *listed, packed.get(id).copied()));
    let late = late.filter(|(_, listed, packed)| singles::is_behind(*packed, *listed));
    let late: Vec<(&str, u64, Option<Held>)> = late.collect();
    let held = match before.filter(|_| !late.is_empty()) {
        Some(before) => before.held()?,
        None => foldhash::HashMap::default(),
    };
    let mut all: Vec<Lacking> = late
        .into_iter()
        .map(|(id, listed, packed)| {
            let before = held.get(id).copied();
            let best = before.filter(|before| before.is_better_than(packed)).or(packed);
            Lacking { id: id.to_owned(), listed, packed, before, best }
        })
        .collect();
    all.sort_unstable_by(|left, right| left.id.cmp(&right.id));
    Ok(all)
}

/// Asks for those of which nothing is had that is as late as they are listed. The archive is a whole
/// state by itself: what cannot be had ends nothing, and is counted.
fn read<Error: Send>(
    builder: &mut Builder,
    lacking: &mut [Lacking],
    listing: &Listing,
    single: Ask<'_, Error>,
) -> Result<(), FollowError> {
    let wanted = lacking.iter().enumerate();
    let wanted = wanted.filter(|(_, one)| singles::is_behind(one.best, one.listed));
    let places: Vec<usize> = wanted.map(|(at, _)| at).take(MAX_CHANGED).collect();
    let ids: Vec<String> =
        places.iter().filter_map(|at| lacking.get(*at)).map(|one| one.id.clone()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (mut failed, mut bytes) = (0_usize, 0_u64);
    let asked = singles::ask(&ids, single, &mut |at, answer| {
        let Some(one) = places.get(at).and_then(|at| lacking.get_mut(*at)) else { return true };
        let Ok(answer) = answer else {
            failed += 1;
            return failed < PATIENCE;
        };
        failed = 0;
        let Single::Bytes(text) = answer else { return true };
        bytes = bytes.saturating_add(text.len() as u64);
        let listed = Some((listing, one.listed));
        if let Worth::Taken(record) = singles::weigh(&text, &one.id, listed, one.best) {
            builder.add(&record);
            let modified = crate::moment::time_of(record.modified.as_str());
            one.best = Some(Held { modified, malformed: false });
        } else if one.best.is_none() {
            builder.skip_malformed(&one.id, 0);
            one.best = Some(Held { modified: 0, malformed: true });
        }
        bytes <= MAX_BYTES
    });
    asked.map_err(|error| ListError(listing.name.clone(), error).into())
}
