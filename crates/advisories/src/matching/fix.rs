//! The version that mends a finding.
//!
//! In go the entries that hold a version, out comes the least version that none of their records
//! holds any more: an upgrade to it makes the finding go away, which is what "fix" means. Where records
//! know only the last version that has it, the next one that any advisory of the package names, else
//! whatever comes after that version.

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
        End::Fixed(end) => Some(Known::At(end.to_owned())),
        End::Last(end) => Some(Known::After(end.to_owned())),
        End::Open | End::Limit(_) => None,
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

    let greater = |left: Known, right: Known| match look.scheme.compare(left.text(), right.text()) {
        Ok(Ordering::Less) => right,
        Ok(Ordering::Equal) if matches!(right, Known::After(_)) => right,
        _ => left,
    };
    let ends = hits.iter().filter(|hit| candidate_of(hit).is_some_and(&counts));
    let Some(mut known) = ends.filter_map(|hit| fixed_of(hit)).reduce(greater) else {
        return Ok(None);
    };
    for step in 0.. {
        if let Known::After(last) = &known {
            match next(look, package, verdict, last) {
                Some(version) => known = Known::At(version),
                // All that is known by name has been tried.
                None => break,
            }
        }
        let mut holding = None;
        for candidate in concerned.iter().filter(|candidate| counts(candidate)) {
            if let Some(interval) = look.holds(candidate, known.text(), &mut Vec::new())? {
                holding = Some(interval);
                break;
            }
        }
        match holding {
            None => break,
            Some(Some(interval)) if step < MAX_STEPS => match interval.end {
                End::Fixed(end) => known = Known::At(end.to_owned()),
                End::Last(end) => known = Known::After(end.to_owned()),
                End::Open | End::Limit(_) => return Ok(None),
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
    let safety = if package.ecosystem.is_distribution() { Safety::Safe } else { Safety::Review };
    let version = match known {
        Known::At(version) => version,
        Known::After(last) => {
            let goes_on = concerned.iter().filter(|candidate| counts(candidate)).any(|candidate| {
                candidate.block.ranges.as_slice().iter().any(|one| {
                    let begun = one.start.is_none_or(|start| {
                        look.scheme.compare(start, &last) != Ok(Ordering::Greater)
                    });
                    one.end == End::Open && begun
                })
            });
            if goes_on {
                return Ok(None);
            }
            return Ok(Some(Fix {
                title: format!("upgrade {} to a version after {last}", package.name),
                safety,
                version: None,
                after: Some(last),
                subscription: None,
            }));
        }
    };
    let offers = concerned.iter().filter(|candidate| {
        let ranges = candidate.block.ranges.as_slice();
        ranges.iter().any(|one| one.end == End::Fixed(version.as_str()))
    });
    let mut offers = offers.peekable();
    let for_subscribers =
        offers.peek().is_some() && offers.all(|one| one.for_subscribers || one.block.subscription);
    Ok(Some(Fix {
        title: format!("upgrade {} to {version}", package.name),
        safety,
        version: Some(version),
        after: None,
        subscription: for_subscribers.then(|| look.subscription.to_owned()),
    }))
}

/// What is known of where it is mended.
enum Known {
    /// At this version.
    At(String),
    /// After this one.
    After(String),
}

impl Known {
    fn text(&self) -> &str {
        let (Self::At(text) | Self::After(text)) = self;
        text
    }
}

/// The least version after another that an advisory of the package says is there: because it mends
/// something, or something begins with it. Of a distribution, whose sources and binaries have two orders,
/// none is looked for.
fn next(look: &Look<'_>, package: &Package, verdict: &Verdict<'_>, last: &str) -> Option<String> {
    if package.ecosystem.is_distribution() {
        return None;
    }
    let from_release = !look.scheme.is_pre_release(&package.version);
    let named = verdict.candidates.iter().flat_map(|candidate| candidate.block.ranges.as_slice());
    let versions = named.flat_map(|interval| {
        let end = match interval.end {
            End::Fixed(end) => Some(end),
            End::Open | End::Last(_) | End::Limit(_) => None,
        };
        end.into_iter().chain(interval.start)
    });
    let above = versions
        .filter(|version| look.scheme.compare(version, last) == Ok(Ordering::Greater))
        .filter(|version| !(from_release && look.scheme.is_pre_release(version)));
    above
        .reduce(|least, other| match look.scheme.compare(other, least) {
            Ok(Ordering::Less) => other,
            _ => least,
        })
        .map(str::to_owned)
}
