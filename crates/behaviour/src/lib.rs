//! Judges what a container does: pure functions from events and a sealed record to findings.
//!
//! In go an [`Execution`](vocabulary::Execution) that a sensor saw and the [`AllowList`] of the
//! container's sealed image, out come findings, each with whether it may be stopped for it. The sealed record *is* the allow-list, so nothing is
//! learned and the first program that a container runs is judged as well as the last. What was seen
//! before is counted by [`Repeats`], apart from the judging, because a program that is to be stopped
//! must be stopped each time.

mod allow;
mod judge;
mod repeats;
mod response;
mod shell;

pub use allow::AllowList;
pub use judge::{Baseline, Judge, Judged, Reason};
pub use repeats::{MAX_REPEATS, Repeats};
pub use response::{Cause, Moment, Response, Socket};
