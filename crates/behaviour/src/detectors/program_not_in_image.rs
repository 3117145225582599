//! Holds what ran against the sealed record, by content and place.
//!
//! Where the image is not sealed nothing is guessed: only what cannot be in any image, a program in
//! memory, is reported.

use crate::AllowList;
use crate::detector::{Baseline, Detector, Moment, Seen, Verdict};
use crate::reason::Reason;
use crate::response::{Cause, Response};
use crate::shell::is_script;
use std::borrow::Cow::Borrowed;
use vocabulary::{Act, Always, Class, Event, Execution, Finding, Rule, Severity, Side};

/// A program that ran and that the image does not hold.
pub(crate) static RULE: Rule = Rule {
    id: Borrowed("program-not-in-image"),
    class: Class::Runtime,
    title: Borrowed("Program that is not in the image"),
    why: Borrowed(
        "The sealed image does not hold this program: it was dropped, changed, or put together in memory after the container began.",
    ),
    severity: Severity::Critical,
    remedy: Borrowed(
        "Take the container as compromised: keep its files and memory for study, stop it, and recreate it from the sealed image.",
    ),
    reference: Some(Borrowed("https://attack.mitre.org/techniques/T1105/")),
    always: Some(Always::all(
        "program ran that is not in the image",
        "programs ran that are not in the image",
    )),
};

pub(crate) const DETECTOR: Detector =
    Detector { name: "program-not-in-image", rules: &[&RULE], observe };

fn observe(seen: &Seen<'_>) -> Vec<Verdict> {
    let Act::Execution(execution) = &seen.event.act else { return Vec::new() };
    let Some(reason) = reason(seen.event, execution, seen.baseline) else { return Vec::new() };
    let cause = Cause::Program(reason);
    let response = cause.response(execution.side, seen.moment);
    vec![Verdict { finding: finding(seen, execution, reason), rule: &RULE, cause, response }]
}

/// What enforcing does about a program alone; leaves it where nothing is wrong with it.
#[must_use]
pub fn response(event: &Event, baseline: Baseline<'_>, moment: Moment) -> Response {
    let Act::Execution(execution) = &event.act else { return Response::Leave };
    match reason(event, execution, baseline) {
        Some(reason) => Cause::Program(reason).response(execution.side, moment),
        None => Response::Leave,
    }
}

/// Why the program is not one of the image; none where it is, or where that cannot be said.
pub(crate) fn reason(
    event: &Event,
    execution: &Execution,
    baseline: Baseline<'_>,
) -> Option<Reason> {
    if execution.side == Side::Memory {
        return Some(Reason::Memory);
    }
    let Baseline::Sealed { programs, .. } = baseline else { return None };
    if !programs.holds(&execution.path) {
        return Some(elsewhere(event, execution, programs));
    }
    match (programs.digest(&execution.path), &execution.digest) {
        (Some(expected), Some(found)) if expected == *found => None,
        (Some(_), Some(_)) => Some(Reason::Changed),
        (Some(_), None) => Some(Reason::NoDigest),
        // In its layer and untouched, it is what was sealed; the record just cannot prove it.
        (None, _) => Some(Reason::NotOnRecord),
    }
}

/// Why, for a program at a path where the image has none.
fn elsewhere(event: &Event, execution: &Execution, programs: &AllowList) -> Reason {
    let copied = execution.digest.as_ref().is_some_and(|digest| programs.path_of(digest).is_some());
    match execution.side {
        _ if copied => Reason::Copied,
        _ if is_script(event, execution) => Reason::Script,
        Side::Mounted => Reason::Mounted,
        Side::Image | Side::Written | Side::Unknown | Side::Memory => Reason::Dropped,
    }
}

fn finding(seen: &Seen<'_>, execution: &Execution, reason: Reason) -> Finding {
    let title = match reason {
        Reason::NoDigest => format!("`{}` ran and could not be hashed", execution.path),
        Reason::NotOnRecord => format!("`{}` ran without a sealed digest", execution.path),
        Reason::Dropped
        | Reason::Changed
        | Reason::Copied
        | Reason::Memory
        | Reason::Mounted
        | Reason::Script => {
            format!("`{}` ran and is not in the image: {}", execution.path, reason.text())
        }
    };
    let expected = match seen.baseline {
        Baseline::Sealed { programs, .. } => programs.digest(&execution.path),
        Baseline::NotSealed => None,
    };
    let reason_text = match (reason, seen.baseline, &execution.digest) {
        (Reason::Copied, Baseline::Sealed { programs, .. }, Some(digest)) => {
            let original = programs.path_of(digest).unwrap_or_default();
            format!("{}: `{original}`", reason.text())
        }
        _ => reason.text().to_owned(),
    };
    let evidence = (reason_text, expected);
    let finding = seen.finding(&RULE, reason.severity(), title, &execution.path, evidence);
    Finding { confidence: reason.confidence(), ..finding }
}
