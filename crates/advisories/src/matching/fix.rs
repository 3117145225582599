//! The version that mends a finding.
//!
//! In go the entries that hold a version, out comes the least version that none of their records
//! holds any more. Where records know only the last version that has it, or the one before which it is
//! looked for, the next one that any advisory of the package names, else whatever comes after that.
//!
//! That is a fact about one finding, and no advice: the version may be vulnerable in other ways, malicious,
//! or a pre-release. Where to go is [`super::upgrade`]'s.

use super::candidates::{Candidate, Hit, Look, Verdict};
use super::named;
use crate::format::FormatError;
use crate::intervals::End;
use std::cmp::Ordering;
use vocabulary::fix::Upgrade;
use vocabulary::{Fix, Package, Safety};

/// How many intervals a version is carried over until one lies behind all of them.
const MAX_STEPS: usize = 64;

/// What mends the vulnerability that `hits` show in a package.
pub(super) fn find<'look>(
    look: &Look<'look>,
    package: &Package,
    verdict: &Verdict<'look>,
    hits: &[&Hit<'_>],
) -> Result<Option<Fix>, FormatError> {
    let candidate_of = |hit: &Hit<'_>| verdict.candidates.get(hit.candidate);
    let fixed_of = |hit: &Hit<'_>| match hit.interval?.end {
        End::Fixed(end) => Some(Known::At(end.to_owned())),
        End::Last(end) => Some(Known::After(end.to_owned())),
        End::Limit(end) => Some(Known::Before(end.to_owned())),
        End::Open => None,
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
        known = match known {
            Known::At(version) => Known::At(version),
            Known::After(last) => match next(look, package, verdict, (&last, false))? {
                Some(version) => Known::At(version),
                // All that is known by name has been tried.
                None => {
                    known = Known::After(last);
                    break;
                }
            },
            // Of a limit it is not known that it exists; where nothing else is named, it has to do.
            Known::Before(limit) => {
                Known::At(next(look, package, verdict, (&limit, true))?.unwrap_or(limit))
            }
        };
        let mut holding = None;
        for candidate in concerned.iter().filter(|candidate| counts(candidate)) {
            if let Some(interval) = look.holds(candidate, known.text())? {
                holding = Some(interval);
                break;
            }
        }
        match holding {
            None => break,
            Some(Some(interval)) if step < MAX_STEPS => match interval.end {
                End::Fixed(end) => known = Known::At(end.to_owned()),
                End::Last(end) => known = Known::After(end.to_owned()),
                End::Limit(end) => known = Known::Before(end.to_owned()),
                End::Open => return Ok(None),
            },
            // It is listed by name: the next one may not be.
            Some(None) if step < MAX_STEPS => known = Known::After(known.text().to_owned()),
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
        Known::After(last) | Known::Before(last) => {
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
            return Ok(Some(Fix::Upgrade(Upgrade {
                title: format!("fixed after {last}"),
                safety,
                version: None,
                after: Some(last),
                to: None,
                subscription: None,
            })));
        }
    };
    let offers = concerned.iter().filter(|candidate| {
        let ranges = candidate.block.ranges.as_slice();
        ranges.iter().any(|one| one.end == End::Fixed(version.as_str()))
    });
    let mut offers = offers.peekable();
    let for_subscribers =
        offers.peek().is_some() && offers.all(|one| one.for_subscribers || one.block.subscription);
    Ok(Some(Fix::Upgrade(Upgrade {
        title: format!("fixed in {version}"),
        safety,
        version: Some(version),
        after: None,
        to: None,
        subscription: for_subscribers.then(|| look.subscription.to_owned()),
    })))
}

/// What is known of where it is mended.
enum Known {
    /// At this version.
    At(String),
    /// After this one.
    After(String),
    /// From this one on, if it exists.
    Before(String),
}

impl Known {
    fn text(&self) -> &str {
        let (Self::At(text) | Self::After(text) | Self::Before(text)) = self;
        text
    }
}

/// The least version after another, or that itself, that an advisory of the package says is there. Of a
/// distribution, whose sources and binaries have two orders, none is looked for.
fn next<'look>(
    look: &Look<'look>,
    package: &Package,
    verdict: &Verdict<'look>,
    (last, itself): (&str, bool),
) -> Result<Option<String>, FormatError> {
    if package.ecosystem.is_distribution() {
        return Ok(None);
    }
    let named = match verdict.versions.get() {
        Some(named) => named,
        None => {
            let entries: Vec<&Candidate<'_>> = verdict.candidates.iter().collect();
            let mut named: Vec<&str> = named::versions(look, &package.name, &entries)?
                .into_iter()
                .filter(|one| named::is_target(look.scheme, package, &package.version, one))
                .collect();
            named
                .sort_by(|left, right| look.scheme.compare(left, right).unwrap_or(Ordering::Equal));
            verdict.versions.get_or_init(|| named)
        }
    };
    let before = named.partition_point(|version| match look.scheme.compare(version, last) {
        Ok(Ordering::Less) => true,
        Ok(Ordering::Equal) => !itself,
        _ => false,
    });
    Ok(named.get(before).map(|&version| version.to_owned()))
}
