//! Brings a database up to date by the records that its source says have changed.
//!
//! In go a database, and a source's `modified_id.csv`: a line for each record, when it was changed and
//! its id. Each is held against what the database has of the same id, and nothing else decides: not the
//! order of the lines, not a clock, not when somebody asked before. Records that differ are read one by
//! one; those that the list has no more go, if the list is all there. Out come the records in a
//! builder, and the ids that go; the database itself stays as it is until another takes its place.
//!
//! Source: the layout of the public OSV bucket, `<Ecosystem>/modified_id.csv` and
//! `<Ecosystem>/<ID>.json` (google.github.io/osv.dev/data).

use crate::build::Builder;
use crate::database::Database;
use crate::format::FormatError;
use crate::osv::{self, MAX_RECORD_BYTES};
use foldhash::{HashMap, HashMapExt as _};
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Largest list: some four million records.
pub(crate) const MAX_LIST: u64 = 256 << 20;
/// Longest line: a time and an id.
const MAX_LINE: usize = 512;
/// Most records that are read one by one: beyond, the archive has them in fewer bytes and requests.
const MAX_CHANGED: usize = 2_000;
/// The part of a database beyond which the same holds, and the number below which it does not.
const CHANGED_PART: usize = 4;
const FEW: usize = 64;
/// Records whose absence, were it all of them, says that the source has no single records.
const NONE_AT_ALL: usize = 8;
/// Most bytes of all these records together.
const MAX_BYTES: u64 = 1 << 30;
/// How many are asked for at the same time.
const HANDS: usize = 4;

/// Why a list cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It cannot be read to its end.
    #[error("cannot read `{0}`: {1}")]
    List(String, io::Error),
    /// It has far fewer records than the database.
    #[error(
        "`{list}` lists {listed} records, and the database has {held}: it is no list of all, and nothing was changed; where it is right, remove `{database}` and run it again"
    )]
    Short {
        /// The list.
        list: String,
        /// How many it has.
        listed: usize,
        /// How many are held.
        held: usize,
        /// The database file.
        database: String,
    },
    /// The database cannot be read or written.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The records are larger than any real ones.
    #[error("the changed records of `{0}` have more than {MAX_BYTES} bytes; run it again later")]
    TooLarge(String),
}

/// A list as it comes.
pub(crate) struct List {
    /// What it is called.
    pub(crate) name: String,
    pub(crate) lines: Box<dyn Read>,
    /// Whether it is known where it ends: only then does what it leaves out say anything.
    pub(crate) has_end: bool,
}

/// A record as it comes.
pub(crate) enum Single {
    Bytes(Vec<u8>),
    NotThere,
}

/// What a list says.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Ids of what changed, and when.
    changed: Vec<(String, u64)>,
    gone: HashSet<String>,
    /// How many changed that are not named here.
    more: usize,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Followed {
    /// There is nothing to change.
    Same,
    /// Records were read, or go.
    Changed {
        builder: Box<Builder>,
        gone: HashSet<String>,
        read: usize,
        /// Records that are listed and not there.
        missing: usize,
        /// Whether some were older than the list says: they are asked for again.
        older: bool,
    },
    /// So many changed that the archive is the better way, or the source has no single records.
    Archive(usize),
}

impl Plan {
    /// Reads a list. None where it is not one.
    pub(crate) fn of(
        database: &Database,
        list: List,
        file: &str,
    ) -> Result<Option<Self>, FollowError> {
        let held = held(database)?;
        let mut seen = vec![false; held.len()];
        let mut changed: HashMap<String, u64> = HashMap::new();
        let (mut listed, mut more) = (0_usize, 0_usize);
        let most = most(held.len());
        let mut lines = BufReader::with_capacity(1 << 18, list.lines);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut lines)
                .take(MAX_LINE as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(|error| FollowError::List(list.name.clone(), error))?;
            if read == 0 {
                break;
            }
            let Some((time, id)) = entry(&line) else { return Ok(None) };
            match held.get(id) {
                Some((at, modified)) => {
                    let seen = seen.get_mut(*at).ok_or(FormatError::Content)?;
                    listed += usize::from(!*seen);
                    *seen = true;
                    if *modified == time {
                        continue;
                    }
                }
                None if changed.contains_key(id) => {}
                None => listed += 1,
            }
            if let Some(known) = changed.get_mut(id) {
                *known = time.max(*known);
            } else if changed.len() < most {
                changed.insert(id.to_owned(), time);
            } else {
                more += 1;
            }
        }
        if listed.saturating_mul(2) < held.len() {
            let (list, database) = (list.name, file.to_owned());
            return Err(FollowError::Short { list, listed, held: held.len(), database });
        }
        let left = held.iter().filter(|(_, (at, _))| seen.get(*at) == Some(&false));
        let gone = left.filter(|_| list.has_end).map(|(id, _)| (*id).to_owned()).collect();
        let mut changed: Vec<(String, u64)> = changed.into_iter().collect();
        changed.sort_unstable();
        Ok(Some(Self { changed, gone, more }))
    }

    /// Reads what changed, several at a time.
    pub(crate) fn follow<Error: From<FollowError> + Send>(
        self,
        database: &Database,
        name: &str,
        single: &(dyn Fn(&str) -> Result<Single, Error> + Sync),
    ) -> Result<Followed, Error> {
        let Self { changed, gone, more } = self;
        if more > 0 {
            return Ok(Followed::Archive(changed.len().saturating_add(more)));
        }
        if changed.is_empty() && gone.is_empty() {
            return Ok(Followed::Same);
        }
        let mut intake = Intake::new(database);
        let mut failed = None;
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let ask = |send: &mpsc::SyncSender<_>| {
            while !stop.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((id, _)) = changed.get(at) else { break };
                if send.send((at, single(id))).is_err() {
                    break;
                }
            }
        };
        let ask = &ask;
        std::thread::scope(|scope| {
            let (send, receive) = mpsc::sync_channel(HANDS);
            let mut hands = 0;
            for _ in 0..HANDS.min(changed.len()) {
                let send = send.clone();
                let hand = std::thread::Builder::new().spawn_scoped(scope, move || ask(&send));
                hands += usize::from(hand.is_ok());
            }
            if hands == 0 && !changed.is_empty() {
                let error = io::Error::from(io::ErrorKind::WouldBlock);
                failed = Some(FollowError::List(name.to_owned(), error).into());
            }
            drop(send);
            for (at, answer) in receive {
                let Some((id, listed)) = changed.get(at) else { continue };
                let taken = answer.and_then(|single| Ok(intake.take(name, id, *listed, single)?));
                if let Err(error) = taken {
                    stop.store(true, Ordering::Relaxed);
                    failed.get_or_insert(error);
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let Intake { builder, missing, older, .. } = intake;
        if missing == changed.len() && missing >= NONE_AT_ALL {
            return Ok(Followed::Archive(missing));
        }
        let read = changed.len() - missing;
        Ok(Followed::Changed { builder: Box::new(builder), gone, read, missing, older })
    }
}

/// What a list of changes says of a database: how many records have changed, and how many are in it no
/// more. None where it is no such list.
///
/// # Errors
/// Where the database cannot be read, or the list has far fewer records.
pub fn changes(database: &Database, list: Vec<u8>) -> Result<Option<(usize, usize)>, FollowError> {
    let lines = Box::new(io::Cursor::new(list));
    let list = List { name: "the list".to_owned(), lines, has_end: true };
    let plan = Plan::of(database, list, "the database")?;
    Ok(plan.map(|plan| (plan.changed.len().saturating_add(plan.more), plan.gone.len())))
}

/// How many records are read one by one.
fn most(held: usize) -> usize {
    (held / CHANGED_PART).clamp(FEW, MAX_CHANGED)
}

/// What a database has: ids, with a number and when each was changed.
fn held(database: &Database) -> Result<HashMap<&str, (usize, u64)>, FormatError> {
    let records = database.modified();
    let dropped = database.dropped().map(|known| known.map(|(id, modified, _)| (id, modified)));
    let mut held = HashMap::with_capacity(usize::try_from(database.records()).unwrap_or(0));
    for known in records.chain(dropped) {
        let (id, modified) = known?;
        let at = held.len();
        held.entry(id).or_insert((at, modified));
    }
    Ok(held)
}

/// A line: when, and which. None where it is no such line.
pub(crate) fn entry(line: &[u8]) -> Option<(u64, &str)> {
    let text = std::str::from_utf8(line).ok().filter(|text| text.len() <= MAX_LINE)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (time, id) = text.strip_suffix('\r').unwrap_or(text).split_once(',')?;
    // It becomes a part of an address, and the name of a file.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:+~".contains(&byte);
    let sound = !id.is_empty() && !id.starts_with('.') && id.bytes().all(plain);
    Some((crate::build::seconds_of(time)?, id)).filter(|_| sound)
}

/// Takes single records into a builder.
struct Intake<'db> {
    database: &'db Database,
    builder: Builder,
    bytes: u64,
    missing: usize,
    older: bool,
}

impl<'db> Intake<'db> {
    fn new(database: &'db Database) -> Self {
        let builder = Builder::new(database.ecosystem().clone());
        Self { database, builder, bytes: 0, missing: 0, older: false }
    }

    fn take(
        &mut self,
        name: &str,
        id: &str,
        listed: u64,
        single: Single,
    ) -> Result<(), FollowError> {
        let Single::Bytes(bytes) = single else {
            self.missing += 1;
            return Ok(());
        };
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > MAX_BYTES {
            return Err(FollowError::TooLarge(name.to_owned()));
        }
        match osv::parse_record(&bytes) {
            Ok(record) if record.id() == id => {
                let modified = crate::build::seconds_of(record.modified.as_str()).unwrap_or(0);
                self.older |= modified < listed;
                // A copy that is older than the list and than what is here is an old copy.
                let held = self.database.modified_of(id)?.unwrap_or(0);
                if modified >= listed || modified >= held {
                    self.builder.add(&record);
                }
            }
            // It may be another one's, or no record: either way nothing is known of this id.
            _ => self.builder.skip_malformed(id, listed),
        }
        Ok(())
    }
}

/// The most bytes that a single record is read with.
pub(crate) const MAX_SINGLE: u64 = MAX_RECORD_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_time_and_an_id_or_none() {
        let line = |text: &str| entry(text.as_bytes()).map(|(time, id)| (time, id.to_owned()));
        let some = |time, id: &str| Some((time, id.to_owned()));
        assert_eq!(line("1970-01-01T00:00:09Z,GHSA-1\n"), some(9, "GHSA-1"));
        assert_eq!(
            line("1970-01-01T00:00:09.9+00:00,openSUSE-SU-1:2\r\n"),
            some(9, "openSUSE-SU-1:2")
        );
        // Before 1970 there is nothing, and a clock may say so.
        assert_eq!(line("1950-01-01T00:00:00Z,A"), some(0, "A"));
        for wrong in [
            "",
            "\n",
            "GHSA-1",
            "yesterday,GHSA-1",
            "1970-01-01T00:00:09Z,",
            "1970-01-01T00:00:09Z,../../x",
            "1970-01-01T00:00:09Z,npm/GHSA-1",
            "1970-01-01T00:00:09Z,a?b",
            "<html>",
        ] {
            assert_eq!(line(wrong), None, "{wrong}");
        }
        assert_eq!(line(&format!("1970-01-01T00:00:09Z,{}", "a".repeat(MAX_LINE))), None);
    }
}
