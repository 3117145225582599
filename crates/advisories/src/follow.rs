//! Brings a database up to date by the records that its source says have changed.
//!
//! In go a database, and a source's list of its records. Each line is held against what the database has
//! of the same id, and nothing else decides: not the order of the lines, not a clock, not when somebody
//! asked before. Records that differ are read one by one. Those that the list has no more are asked for,
//! too, before they go: a list that was cut off at the end of a line looks like one that is whole. Out
//! come the records in a builder, and the ids that go; the database itself stays as it is until another
//! takes its place.
//!
//! Source: the layout of the public OSV bucket, `<Ecosystem>/<ID>.json` (google.github.io/osv.dev/data).

use crate::build::Builder;
use crate::database::Database;
use crate::format::FormatError;
use crate::held::Held;
use crate::listing::{List, ListError, Listing};
use crate::singles::{self, Ask, MAX_BYTES, Single, Worth};
use std::collections::HashSet;
use std::io;

/// Most records that are read one by one: beyond, the archive has them in fewer bytes and requests.
pub(crate) const MAX_CHANGED: usize = 2_000;
/// The part of a database beyond which the same holds, and the number below which it does not.
const CHANGED_PART: usize = 4;
const FEW: usize = 64;
/// Records whose absence, were it all of them, says that the source has no single records.
const NONE_AT_ALL: usize = 8;

/// Why a list cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It cannot be read to its end.
    #[error(transparent)]
    List(#[from] ListError),
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

/// What a list says.
#[derive(Debug)]
pub(crate) struct Plan<'list> {
    listing: &'list Listing,
    /// What changed: id, when, and what is had of it.
    changed: Vec<(&'list str, u64, Option<Held>)>,
    /// What the list has no more, and what is had of it.
    gone: Vec<(String, Held)>,
    /// How many are read one by one.
    most: usize,
}

/// What there is besides the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Besides {
    /// An archive that may be taken.
    Archive,
    /// Nothing newer: what there are too many of is asked for next time.
    Singles,
    /// Nothing at all.
    Nothing,
}

impl Besides {
    /// What is left when the archive turned out to be the one that was taken before.
    pub(crate) const fn without_archive(self) -> Self {
        match self {
            Self::Archive | Self::Singles => Self::Singles,
            Self::Nothing => Self::Nothing,
        }
    }
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Followed {
    /// There is nothing to change.
    Same {
        /// How many records have changed, and could not be had.
        behind: u64,
        /// Whether what was asked for is to be asked for again, though the list is the same.
        again: bool,
    },
    /// Records were read, or go.
    Changed { builder: Box<Builder>, gone: HashSet<String>, read: u64, behind: u64, again: bool },
    /// The archive is the better way: so many records changed or are gone, or the source has no single
    /// ones.
    Archive(Besides),
}

impl<'list> Plan<'list> {
    /// Holds a list against a database.
    pub(crate) fn of(
        database: &Database,
        listing: &'list Listing,
        file: &str,
    ) -> Result<Self, FollowError> {
        let mut times = listing.times();
        let in_list = times.len();
        let (mut held, mut listed) = (0_usize, 0_usize);
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for known in database.each_held() {
            let (id, known) = known?;
            held += 1;
            match times.remove_entry(id) {
                Some((id, time)) => {
                    listed += 1;
                    if known.malformed || !listing.is_same(time, known.modified) {
                        changed.push((id, time, Some(known)));
                    }
                }
                None => gone.push((id.to_owned(), known)),
            }
        }
        if listed.saturating_mul(2) < held {
            let (list, database) = (listing.name.clone(), file.to_owned());
            return Err(FollowError::Short { list, listed: in_list, held, database });
        }
        if !listing.has_end {
            gone.clear();
        }
        changed.extend(times.into_iter().map(|(id, time)| (id, time, None)));
        changed.sort_unstable_by_key(|(id, ..)| *id);
        gone.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Ok(Self { listing, changed, gone, most: most(held) })
    }

    /// Reads what changed, several at a time.
    pub(crate) fn follow<Error: From<FollowError> + Send>(
        mut self,
        database: &Database,
        besides: Besides,
        single: Ask<'_, Error>,
    ) -> Result<Followed, Error> {
        // What was no record before most likely is none now: that brings no archive, again and again.
        let news =
            self.changed.iter().filter(|(_, _, held)| !held.is_some_and(|one| one.malformed));
        if besides == Besides::Archive && (news.count() > self.most || self.gone.len() > FEW) {
            return Ok(Followed::Archive(Besides::Singles));
        }
        if besides != Besides::Archive {
            // The archive has them, and says more of what there is than the list.
            self.gone.clear();
        }
        let asked = if besides == Besides::Nothing { 0 } else { MAX_CHANGED };
        let left = self.changed.split_off(asked.min(self.changed.len()));
        let mut intake = Intake::new(database, &self);
        for (_, listed, held) in left {
            intake.again = true;
            let malformed = held.is_some_and(|held| held.malformed);
            intake.behind += u64::from(!malformed && singles::is_behind(held, listed));
        }
        let ids: Vec<&str> = self.changed.iter().map(|(id, ..)| *id).collect();
        let ids: Vec<&str> =
            ids.into_iter().chain(self.gone.iter().map(|(id, _)| id.as_str())).collect();
        let mut failed = None;
        let started = singles::ask(&ids, single, &mut |at, answer| {
            let taken = answer.and_then(|single| Ok(intake.take(at, &single)?));
            failed = taken.err();
            failed.is_none()
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let name = || self.listing.name.clone();
        started.map_err(|error| ListError(name(), error).into())?;
        let Intake { builder, gone, read, absent, behind, again, .. } = intake;
        let none = absent == self.changed.len() && absent >= NONE_AT_ALL;
        if besides == Besides::Archive && none {
            return Ok(Followed::Archive(Besides::Nothing));
        }
        if builder.is_empty() && gone.is_empty() {
            return Ok(Followed::Same { behind, again });
        }
        Ok(Followed::Changed { builder: Box::new(builder), gone, read, behind, again })
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
    let Some(listing) = Listing::read(list)? else { return Ok(None) };
    let plan = Plan::of(database, &listing, "the database")?;
    Ok(Some((plan.changed.len(), plan.gone.len())))
}

/// How many records are read one by one.
fn most(held: usize) -> usize {
    (held / CHANGED_PART).clamp(FEW, MAX_CHANGED)
}

/// Takes single records into a builder.
struct Intake<'plan, 'list> {
    plan: &'plan Plan<'list>,
    builder: Builder,
    gone: HashSet<String>,
    bytes: u64,
    read: u64,
    /// How many of those that changed are not there.
    absent: usize,
    behind: u64,
    again: bool,
}

impl<'plan, 'list> Intake<'plan, 'list> {
    fn new(database: &Database, plan: &'plan Plan<'list>) -> Self {
        Self {
            plan,
            builder: Builder::new(database.ecosystem().clone()),
            gone: HashSet::new(),
            bytes: 0,
            read: 0,
            absent: 0,
            behind: 0,
            again: false,
        }
    }

    fn take(&mut self, at: usize, single: &Single) -> Result<(), FollowError> {
        let plan = self.plan;
        if let Single::Bytes(bytes) = single {
            self.bytes = self.bytes.saturating_add(bytes.len() as u64);
            if self.bytes > MAX_BYTES {
                return Err(FollowError::TooLarge(plan.listing.name.clone()));
            }
        }
        if let Some((id, listed, held)) = plan.changed.get(at) {
            self.take_changed(id, *listed, *held, single);
        } else if let Some((id, held)) = plan.gone.get(at.saturating_sub(plan.changed.len())) {
            self.take_gone(id, *held, single);
        }
        Ok(())
    }

    fn take_changed(&mut self, id: &str, listed: u64, held: Option<Held>, single: &Single) {
        let mut best = held;
        match single {
            Single::NotThere => self.absent += 1,
            Single::Bytes(bytes) => {
                match singles::weigh(bytes, id, Some((self.plan.listing, listed)), held) {
                    Worth::Taken(record) => {
                        self.builder.add(&record);
                        self.read += 1;
                        let modified = crate::moment::time_of(record.modified.as_str());
                        best = Some(Held { modified, malformed: false });
                    }
                    Worth::Old => {}
                    // Of one that is new, its name is kept: how many could not be read is said.
                    Worth::Nothing if held.is_none() => {
                        self.builder.skip_malformed(id, 0);
                        self.again = true;
                        return;
                    }
                    Worth::Nothing => {}
                }
            }
        }
        let same = best.is_some_and(|best| self.plan.listing.is_same(listed, best.modified));
        self.again |= !same;
        // What never was a record is counted as one that cannot be read.
        let malformed = best.is_some_and(|best| best.malformed);
        self.behind += u64::from(!malformed && singles::is_behind(best, listed));
    }

    /// What the list has no more goes if it is not there, either.
    fn take_gone(&mut self, id: &str, held: Held, single: &Single) {
        let Single::Bytes(bytes) = single else {
            self.gone.insert(id.to_owned());
            return;
        };
        if let Worth::Taken(record) = singles::weigh(bytes, id, None, Some(held)) {
            self.builder.add(&record);
            self.read += 1;
        }
    }
}
