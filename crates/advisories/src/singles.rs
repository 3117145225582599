//! Reads single records of a source, several at a time, and says what each is worth.
//!
//! In go ids, out come answers in any order, each with its place. An answer may be anything: a page of
//! a portal, an empty body, an old copy, another record. Only what is the record that was asked for, and
//! not older than what is known, is taken; what was there before stays otherwise.

use crate::held::Held;
use crate::listing::{Listing, covers};
use crate::osv::{self, MAX_RECORD_BYTES, Record};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// The most bytes that a single record is read with.
pub(crate) const MAX_SINGLE: u64 = MAX_RECORD_BYTES;
/// Most bytes of all records that are read one by one.
pub(crate) const MAX_BYTES: u64 = 1 << 30;
/// How many are asked for at the same time.
const HANDS: usize = 4;

/// A record as it comes.
pub(crate) enum Single {
    Bytes(Vec<u8>),
    NotThere,
}

/// Asks for a record by its id.
pub(crate) type Ask<'a, Error> = &'a (dyn Fn(&str) -> Result<Single, Error> + Sync);

/// Asks for all, and hands the answers out with their places until the taker has enough.
pub(crate) fn ask<Error: Send>(
    ids: &[&str],
    single: Ask<'_, Error>,
    take: &mut dyn FnMut(usize, Result<Single, Error>) -> bool,
) -> io::Result<()> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let hand = |send: &mpsc::SyncSender<_>| {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(id) = ids.get(at) else { break };
            if send.send((at, single(id))).is_err() {
                break;
            }
        }
    };
    let hand = &hand;
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(HANDS);
        let mut hands = 0;
        for _ in 0..HANDS.min(ids.len()) {
            let send = send.clone();
            let one = std::thread::Builder::new().spawn_scoped(scope, move || hand(&send));
            hands += usize::from(one.is_ok());
        }
        drop(send);
        for (at, answer) in receive {
            if !stop.load(Ordering::Relaxed) && !take(at, answer) {
                stop.store(true, Ordering::Relaxed);
            }
        }
        if hands == 0 && !ids.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    })
}

/// What an answer is worth.
pub(crate) enum Worth<'doc> {
    /// It takes the place of what is known.
    Taken(Box<Record<'doc>>),
    /// It is no later than what is known, which stays.
    Old,
    /// It is no record, or another one's: nothing is known of this id by it.
    Nothing,
}

/// Holds an answer against the list and what is known of the same id.
///
/// A record in the very state that is listed is taken, also where a later one is known: then the source
/// has set its clock right. Any other that is no later than what is known is an old copy.
pub(crate) fn weigh<'doc>(
    bytes: &'doc [u8],
    id: &str,
    listed: Option<(&Listing, u64)>,
    held: Option<Held>,
) -> Worth<'doc> {
    let Ok(record) = osv::parse_record(bytes) else { return Worth::Nothing };
    if record.id() != id {
        return Worth::Nothing;
    }
    let modified = crate::moment::time_of(record.modified.as_str());
    let agreed = listed.is_some_and(|(listing, time)| listing.is_same(time, modified));
    let known = held.filter(|held| !held.malformed);
    let is_later = known.is_none_or(|known| modified > known.modified);
    if agreed || is_later { Worth::Taken(Box::new(record)) } else { Worth::Old }
}

/// Whether what is had is not the state that is listed, but an earlier one. One without a time, as it is
/// kept of what is to be withdrawn one day, is asked for again, and is no earlier one.
pub(crate) fn is_behind(held: Option<Held>, listed: u64) -> bool {
    held.is_none_or(|held| held.malformed || held.modified != 0 && !covers(held.modified, listed))
}
