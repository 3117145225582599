//! Judges what a container does: pure functions from events and a sealed record to findings.
//!
//! In go an [`Event`](vocabulary::Event) that a sensor saw and the [`AllowList`] of the container's
//! sealed image, out come findings, each with whether it may be stopped for it. The sealed record *is*
//! the allow-list, so nothing is learned and the first program that a container runs is judged as well as
//! the last. Each [`Detector`] is one file with its rule, and [`DETECTORS`] is the only list of them.
//! What was seen before is counted by [`Repeats`], apart from the judging, because a program that is to
//! be stopped must be stopped each time.

mod allow;
mod detector;
mod detectors;
mod reason;
mod repeats;
mod response;
mod shell;
#[cfg(test)]
mod tests;

pub use allow::AllowList;
pub use detector::{Baseline, Detector, Moment, Seen, Verdict};
pub use detectors::{DETECTORS, observe, response_to_program, rules};
pub use reason::Reason;
pub use repeats::{MAX_REPEATS, Repeats};
pub use response::{Cause, Response, Socket};
