//! The verdict in a line on standard error, where nothing else says it.
//!
//! Some forms have no place for a verdict, and results that go to files leave standard output empty:
//! an exit code alone is a riddle in a log. What passed says nothing, unless a file that was found took
//! something away; and `-q` silences the rest.

use crate::args::OutputArgs;
use crate::output;
use crate::world::World;
use vocabulary::{Decision, Outcome, Report, RunningReport};

/// Says what a list lacks, or is not: the forms for programs have no verdict, and a bill that misses
/// parts reads like a whole one.
pub(crate) fn say_gaps(world: &World, report: &Report) {
    say_decision(world, &report.subject.name, &report.decision);
}

/// Says the same where all went to files.
pub(crate) fn say_unprinted(world: &World, args: &OutputArgs, report: &Report) {
    if !output::is_printed(&world.printing, args) {
        say_gaps(world, report);
    }
}

/// Says where all went to files what the table would have said of each container, and of engines that
/// did not answer.
pub(crate) fn say_of_running(world: &World, args: &OutputArgs, report: &RunningReport) {
    if output::is_printed(&world.printing, args) {
        return;
    }
    for running in &report.containers {
        say_decision(world, &running.container.name, &running.decision);
    }
    for missing in &report.not_checked {
        let reasons = std::slice::from_ref(&missing.reason);
        say(world, &missing.what, Outcome::Incomplete, reasons);
    }
}

fn say_decision(world: &World, name: &str, decision: &Decision) {
    if decision.outcome == Outcome::Pass && !decision.found.is_empty() {
        let found = output::plain(&decision.found.join("; "));
        return world.printing.remark(&format!("lazaret: {}: pass: {found}", output::plain(name)));
    }
    say(world, name, decision.outcome, &decision.reasons);
}

/// One line of the verdict on what has a name, unless it passed.
pub(crate) fn say(world: &World, name: &str, outcome: Outcome, reasons: &[String]) {
    if outcome == Outcome::Pass {
        return;
    }
    let word = outcome.word().to_lowercase();
    let reasons = output::plain(&reasons.join("; "));
    world.printing.remark(&format!("lazaret: {}: {word}: {reasons}", output::plain(name)));
}
