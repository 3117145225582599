//! Checks that did not run in full, and why, in words: what was not looked at has not passed.

use crate::policy::Policy;
use vocabulary::{Coverage, Status, counted};

/// Checks that one decision names before it only counts them: a reason is read by a person.
const NAMED_CHECKS: usize = 5;
/// Bytes of a reason of its own that one of them is named by: longer ones are in the coverage.
const PHRASE: usize = 100;

/// Checks that did not run in full.
pub(crate) struct Gaps<'coverage> {
    nothing: bool,
    counted: Vec<&'coverage Coverage>,
    /// Checks that somebody left out.
    left_out: Vec<&'coverage Coverage>,
    pub(crate) tolerated: usize,
    /// How many of those somebody left out.
    allowed_out: usize,
}

impl<'coverage> Gaps<'coverage> {
    pub(crate) fn of(policy: &Policy, coverage: &'coverage [Coverage]) -> Self {
        let open = coverage.iter().filter(|coverage| coverage.status != Status::Ran);
        let (tolerated, counted): (Vec<_>, Vec<_>) =
            open.partition(|coverage| policy.allow_partial && is_tolerable(coverage));
        let allowed_out = tolerated.iter().filter(|one| is_left_out(one)).count();
        let (left_out, counted) = counted.into_iter().partition(|one| is_left_out(one));
        let nothing = coverage.is_empty();
        Self { nothing, counted, left_out, tolerated: tolerated.len(), allowed_out }
    }

    pub(crate) fn none(&self) -> bool {
        !self.nothing && self.counted.is_empty() && self.left_out.is_empty()
    }

    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.nothing {
            reasons.push("nothing was checked".to_owned());
        }
        for coverage in self.counted.iter().take(NAMED_CHECKS) {
            reasons.push(why(coverage));
        }
        let left = self.counted.len().saturating_sub(NAMED_CHECKS);
        if left > 0 {
            reasons.push(format!("{left} more checks are not complete"));
        }
        reasons.extend(left_out(&self.left_out));
        for (number, how) in [
            (self.tolerated - self.allowed_out, "could not look at everything"),
            (self.allowed_out, "not selected"),
        ] {
            let number = u64::try_from(number).unwrap_or(u64::MAX);
            if number > 0 {
                let checks = counted(number, "check", "checks");
                reasons.push(format!("{checks} {how}, which was allowed"));
            }
        }
        reasons
    }
}

/// Files that could not be read, checks that somebody left out, and packages that nobody publishes
/// advisories for.
fn is_tolerable(coverage: &Coverage) -> bool {
    coverage.status == Status::Partial
        || is_left_out(coverage)
        || coverage.check.starts_with(Coverage::UNMATCHED)
}

/// Whether somebody left the check out.
fn is_left_out(coverage: &Coverage) -> bool {
    coverage.status == Status::Skipped && coverage.reason.as_deref() == Some(Coverage::NOT_SELECTED)
}

/// What is said of checks that somebody left out: one is named.
fn left_out(checks: &[&Coverage]) -> Option<String> {
    match checks {
        [] => None,
        [one] => Some(format!("{} was not selected", one.check)),
        several => Some(format!("{} checks were not selected", several.len())),
    }
}

/// What a reason begins with; the rest stands with the check.
fn start(reason: &str) -> Option<&str> {
    let end = reason.find(": ").into_iter().chain(reason.find(';')).min().unwrap_or(reason.len());
    reason.get(..end)
}

/// Why a check is not complete, in a phrase: its own, where it has one that says what was not checked,
/// because the names of checks are words for programs.
fn why(coverage: &Coverage) -> String {
    let check = &coverage.check;
    match coverage.status {
        Status::Ran | Status::Partial => match coverage.general_problem().and_then(start) {
            Some(reason) => format!("{check}: {reason}"),
            None => format!("{check} could not read all files"),
        },
        Status::Failed => format!("{check} broke off"),
        Status::Skipped => {
            let Some(phrase) = phrase(coverage) else { return format!("{check} did not run") };
            let side = ["(before)", "(after)"].iter().find(|side| check.ends_with(**side));
            let side = side.map_or(String::new(), |side| format!(" {side}"));
            match check.strip_prefix(Coverage::UNMATCHED) {
                Some(ecosystem) => format!("{ecosystem}: {phrase}"),
                None => format!("{phrase}{side}"),
            }
        }
    }
}

/// What a reason says before it says that something was therefore not checked, and what to do.
fn phrase(coverage: &Coverage) -> Option<&str> {
    let reason = coverage.reason.as_deref()?;
    let ends =
        [": not checked", ": nothing was checked"].iter().find_map(|end| reason.find(end))?;
    let phrase = reason.get(..ends)?;
    let fits = (1..=PHRASE).contains(&phrase.len()) && !phrase.contains(char::is_control);
    fits.then_some(phrase)
}
