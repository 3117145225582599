//! One subject, read and matched: what commands do that take a report or whatever `scan` takes.

use crate::args::{DatabaseArgs, ReadArgs, RecordArgs};
use crate::exit::Failure;
use crate::world::World;
use crate::{clock, database, reading, saved, selecting};
use jiff::Timestamp;
use policy::Policy;
use scan::{Assessment, Elsewhere, Judging, Matching};
use vocabulary::{Report, Subject, Usage};

/// A saved report as it is, or a scan of whatever else is named.
pub(crate) fn saved_or_scanned(
    world: &World,
    reference: &str,
    read_args: &ReadArgs,
    database_args: &DatabaseArgs,
    policy: &Policy,
) -> Result<Report, Failure> {
    if let Some(report) = saved::named(reference)? {
        return Ok(report);
    }
    let record = RecordArgs { files: false, file_digests: false };
    let mut options = reading::options_with_record(world, read_args, record)?;
    options.checks = selecting::selection(None, policy)?;
    let inventory = reading::read_by(world, reference, &options)?;
    let now = clock::now();
    let needed = database::Needed::of(&inventory.software.packages);
    let (databases, risks) = database::for_scan(world, database_args, &needed, now)?;
    let usage = usage_of(world, &inventory.subject, now)?;
    let assessment = Assessment {
        tool: World::tool(),
        matching: Some(Matching {
            databases: &databases,
            risks: Some(&risks),
            usage: usage.as_ref(),
        }),
        elsewhere: Elsewhere::default(),
        judging: Judging { policy, today: clock::today(now)? },
    };
    Ok(scan::assess(inventory, &assessment))
}

/// What a container of the subject, where that is an image, used. Without a folder for state nobody
/// watched.
pub(crate) fn usage_of(
    world: &World,
    subject: &Subject,
    now: Timestamp,
) -> Result<Option<Usage>, Failure> {
    let Some(image) = &subject.config_digest else { return Ok(None) };
    Ok(match world.known_state()? {
        Some(state) => fleet::usage_of_image(&state, image, now),
        None => None,
    })
}
