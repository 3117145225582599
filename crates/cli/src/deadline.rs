//! `--timeout`: how long a command may take, whatever it reads and whoever answers.
//!
//! A thread of its own ends the process, because nothing else can be sure to come to an end: not a
//! server, not a file system of a stranger, not a parser. What is half-written is removed first.

use crate::args::{Command, DbCommand, Timeout};
use crate::exit::{EXHAUSTED, Exit, Failure};
use crate::output;
use std::time::Duration;

/// For each subject that is named. Reading a large image takes seconds from disk and some minutes over
/// a slow network; a CI service ends a job after an hour, and says nothing of why.
const DEFAULT: Duration = Duration::from_secs(10 * 60);

/// Of `scan --running`, whose subjects nobody counted.
const OF_ALL_THAT_RUNS: Duration = Duration::from_secs(60 * 60);

/// Of an update of all advisories: some gigabytes, the first time, over a slow network.
const OF_UPDATES: Duration = Duration::from_secs(60 * 60);

/// How long a command may take; none for those that read no subject.
fn of(command: &Command) -> Option<Duration> {
    let (named, subjects) = match command {
        Command::Scan(args) if args.running && args.read.timeout.is_none() => {
            return Some(OF_ALL_THAT_RUNS);
        }
        Command::Scan(args) => (args.read.timeout, args.references.len()),
        Command::Sbom(args) => (args.subject.read.timeout, 1),
        Command::Seal(args) => (args.subject.read.timeout, 1),
        Command::Diff(args) => (args.read.timeout, 2),
        Command::Verify(args) => (args.timeout, 1),
        Command::Db(DbCommand::Update { timeout, .. }) => {
            return timeout.unwrap_or(Timeout(Some(OF_UPDATES))).0;
        }
        _ => return None,
    };
    let subjects = u32::try_from(subjects.max(1)).unwrap_or(u32::MAX);
    named.unwrap_or(Timeout(Some(DEFAULT.saturating_mul(subjects)))).0
}

/// Ends the process when the time of its command is over.
pub(crate) fn keep(command: &Command) -> Result<(), Failure> {
    let Some(after) = of(command) else { return Ok(()) };
    let watching = std::thread::Builder::new().name("deadline".to_owned()).spawn(move || {
        std::thread::sleep(after);
        end(after);
    });
    let cannot = |error| anyhow::anyhow!("no thread can be had to keep --timeout: {error}");
    watching.map(drop).map_err(|error| Failure::new(Exit::Exhausted, cannot(error)))
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "what does not end can only be ended from elsewhere"
)]
fn end(after: Duration) {
    files::abandon();
    let seconds = vocabulary::counted(after.as_secs(), "second", "seconds");
    output::say(&format!(
        "lazaret: not done after {seconds}, and so nothing is decided: give it more time by --timeout, or 0 for no end"
    ));
    // What was begun while it was said.
    files::abandon();
    std::process::exit(i32::from(EXHAUSTED));
}
