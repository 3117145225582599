//! What became of an update of the database, for people.

use crate::exit::Exit;
use crate::world::World;
use advisories::{Changed, Updated};
use vocabulary::{Ecosystem, counted};

/// Says what became of each. One that was named and that the source does not have is no success.
pub(crate) fn show(world: &World, updates: &[Updated], named: &[Ecosystem]) -> Exit {
    for update in updates {
        let ecosystem = &update.ecosystem;
        let records = update.manifest.as_ref().map_or(0, |manifest| manifest.records);
        let records = counted(records, "record", "records");
        world.printing.remark(&match &update.changed {
            Changed::Built { dropped, behind } => {
                format!("{ecosystem}: {records}{}{}", left_out(dropped.malformed), lacking(*behind))
            }
            Changed::Followed { read, gone, behind } => {
                let counts = [(*read, "changed"), (*gone, "gone")];
                let counts = counts.iter().filter(|(count, _)| *count > 0);
                let counts: String =
                    counts.map(|(count, what)| format!(", {count} {what}")).collect();
                let malformed = update.manifest.as_ref().map_or(0, |manifest| manifest.malformed);
                let malformed = left_out(malformed);
                format!("{ecosystem}: {records}{counts}{malformed}{}", lacking(*behind))
            }
            Changed::Unchanged => format!("{ecosystem}: {records}, unchanged"),
            Changed::NotThere => format!("{ecosystem}: the source does not have it"),
        });
    }
    let is_there = |update: &&Updated| update.changed != Changed::NotThere;
    let there = updates.iter().filter(is_there).count();
    let all = named.is_empty() || there == updates.len();
    if there > 0 && all { Exit::Clean } else { Exit::NoDatabase }
}

/// What of a source cannot be read.
fn left_out(malformed: u64) -> String {
    match malformed {
        0 => String::new(),
        count => {
            let records = counted(count, "malformed record", "malformed records");
            format!(", {records} left out")
        }
    }
}

/// What of a source could not be had.
fn lacking(behind: u64) -> String {
    match behind {
        0 => String::new(),
        count => format!(", {count} not to be had"),
    }
}
