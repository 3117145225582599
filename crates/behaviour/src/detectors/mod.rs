//! All detectors: the one list that judging, the rules and their documentation are made of.

pub(crate) mod program_not_in_image;
mod reverse_shell;

pub use program_not_in_image::response as response_to_program;

use crate::detector::{Baseline, Detector, Moment, Seen, Verdict};
use vocabulary::{Container, Event, Rules};

/// All of them, sorted by name.
pub static DETECTORS: &[Detector] = &[program_not_in_image::DETECTOR, reverse_shell::DETECTOR];

/// What is wrong with an event, if anything, in the words of each detector.
///
/// A script that was started by its own name is judged by an event of its own, whose `path` is the
/// script's and whose `process.path` is the interpreter's.
#[must_use]
pub fn observe(
    container: &Container,
    event: &Event,
    baseline: Baseline<'_>,
    moment: Moment,
) -> Vec<Verdict> {
    let seen = Seen { container, event, baseline, moment };
    DETECTORS.iter().flat_map(|detector| (detector.observe)(&seen)).collect()
}

/// The rules of all detectors.
#[must_use]
pub fn rules() -> Rules {
    let lists: Vec<_> = DETECTORS.iter().map(|detector| detector.rules).collect();
    Rules::of(&lists)
}
