//! The version that mends a finding.
//!
//! In go the entries that hold a version, out comes the least version that none of their records
//! holds any more: an upgrade to it makes the finding go away, which is what "fix" means.

use super::candidates::{Candidate, Hit, Look, Verdict};
use crate::format::FormatError;
use crate::intervals::End;
use std::cmp::Ordering;
use vocabulary::{Fix, Package, Safety};

/// How many intervals a version is carried over until one lies behind all of them.
const MAX_STEPS: usize = 64;

/// What mends the vulnerability that `hits` show in a package.
pub(super) fn find(
    look: &Look<'_>,
    package: &Package,
    verdict: &Verdict<'_>,
    hits: &[&Hit<'_>],
) -> Result<Option<Fix>, FormatError> {
    let candidate_of = |hit: &Hit<'_>| verdict.candidates.get(hit.candidate);
    let fixed_of = |hit: &Hit<'_>| match hit.interval?.end {
        End::Fixed(end) => Some(end.to_owned()),
        _ => None,
    };
    // Versions of a source and of its binaries are two orders; what is installed is the binary.
    let own_only = hits.iter().any(|hit| candidate_of(hit).is_some_and(|one| !one.of_source));
    let counts = |candidate: &Candidate<'_>| !own_only || !candidate.of_source;
    // Where only subscribers get an update, the open entry of everyone else does not contradict it.
    let paid = hits.iter().any(|hit| {
        fixed_of(hit).is_some() && candidate_of(hit).is_some_and(|one| one.for_subscribers)
    });
    let concerned: Vec<&Candidate<'_>> = verdict
        .candidates
        .iter()
        .filter(|candidate| {
            let same = |hit: &&&Hit<'_>| {
                candidate_of(hit).is_some_and(|other| other.block.record == candidate.block.record)
            };
            let open = candidate.block.ranges.as_slice().iter().any(|one| one.end == End::Open);
            hits.iter().any(|hit| same(&hit)) && !(paid && open && !candidate.for_subscribers)
        })
        .collect();

    let greater = |left: String, right: String| match look.scheme.compare(&left, &right) {
        Ok(Ordering::Less) => right,
        _ => left,
    };
    let ends = hits.iter().filter(|hit| candidate_of(hit).is_some_and(&counts));
    let Some(mut version) = ends.filter_map(|hit| fixed_of(hit)).reduce(greater) else {
        return Ok(None);
    };
    for step in 0.. {
        let mut next = None;
        for candidate in concerned.iter().filter(|candidate| counts(candidate)) {
            if let Some(interval) = look.holds(candidate, &version, &mut Vec::new())? {
                next = Some(interval);
                break;
            }
        }
        match next {
            None => break,
            Some(Some(interval)) if step < MAX_STEPS => match interval.end {
                End::Fixed(end) => end.clone_into(&mut version),
                _ => return Ok(None),
            },
            Some(_) => return Ok(None),
        }
    }
    // A source's open entry that no update of the binary closes.
    let unmended = concerned.iter().any(|candidate| {
        !counts(candidate)
            && candidate.block.ranges.as_slice().iter().any(|one| one.end == End::Open)
    });
    if unmended {
        return Ok(None);
    }
    let offers = concerned.iter().filter(|candidate| {
        let ranges = candidate.block.ranges.as_slice();
        ranges.iter().any(|one| one.end == End::Fixed(version.as_str()))
    });
    let mut offers = offers.peekable();
    let for_subscribers =
        offers.peek().is_some() && offers.all(|one| one.for_subscribers || one.block.subscription);
    Ok(Some(Fix {
        title: format!("upgrade {} to {version}", package.name),
        safety: if package.ecosystem.is_distribution() { Safety::Safe } else { Safety::Review },
        version: Some(version),
        subscription: for_subscribers.then(|| look.subscription.to_owned()),
    }))
}
