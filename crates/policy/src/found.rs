//! What files that were found, not named, took away from a decision.
//!
//! A policy that lies in a repository may be the work of whoever wrote what is scanned. It may say what
//! does not count, as people want it to; but then the verdict says so, by the name of the file.

use crate::policy::Policy;
use crate::tally::Tally;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{Finding, Fingerprint, Overridden, Severity, Suppressed, counted};

/// A line for each thing that a found file took away.
pub(crate) fn said(
    policy: &Policy,
    findings: &[Finding],
    suppressed: &[Suppressed],
    overridden: &[Overridden],
    tally: &Tally,
    tolerated: usize,
) -> Vec<String> {
    if policy.found.is_empty() {
        return Vec::new();
    }
    let rules = suppressed.iter().filter_map(|rule| policy.found_at(rule.by.as_deref()?));
    let mut lines = lines(rules, "silenced");
    lines.extend(self::lines(lowered(policy, findings, overridden), "rated lower"));
    let tolerated = u64::try_from(tolerated).unwrap_or(u64::MAX);
    let (finding, findings) = ("finding is not counted", "findings are not counted");
    let checks = ("check may be incomplete", "checks may be incomplete");
    for (key, number, (one, many)) in [
        ("only-fixed", tally.not_mended, (finding, findings)),
        ("only-linked", tally.not_linked, (finding, findings)),
        ("layers", tally.elsewhere, (finding, findings)),
        ("allow-partial", tolerated, checks),
    ] {
        let file = policy.places.get(key).and_then(|place| policy.found_at(place));
        if let Some(file) = file.filter(|_| number > 0) {
            let what = counted(number, one, many);
            lines.push(format!("{what} by `{key}` of {file}, which was found"));
        }
    }
    lines
}

fn lines<'policy>(files: impl Iterator<Item = &'policy str>, how: &str) -> Vec<String> {
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    files.for_each(|file| *numbers.entry(file).or_default() += 1);
    let line = |(file, number)| {
        let what = counted(number, "finding is", "findings are");
        format!("{what} {how} by {file}, which was found")
    };
    numbers.into_iter().map(line).collect()
}

/// The files of overrides that lowered a severity. Whoever says something of what nobody rated takes it
/// from under `fail-on-unknown`.
fn lowered<'policy>(
    policy: &'policy Policy,
    findings: &[Finding],
    overridden: &[Overridden],
) -> impl Iterator<Item = &'policy str> {
    let now: HashMap<&Fingerprint, Severity> =
        findings.iter().map(|finding| (&finding.fingerprint, finding.severity)).collect();
    overridden.iter().filter_map(move |change| {
        let now = now.get(&change.fingerprint)?;
        let lower = *now < change.severity || change.severity == Severity::Unknown;
        policy.found_at(&change.by).filter(|_| lower)
    })
}

impl Policy {
    /// The found file in which a place (`file`, or `file:line`) is.
    fn found_at(&self, place: &str) -> Option<&str> {
        let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
        self.found.get(place).or_else(|| self.found.get(file)).map(String::as_str)
    }
}
