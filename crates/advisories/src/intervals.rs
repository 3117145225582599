//! Turns the events of a range, in whatever order they come, into intervals of versions.
//!
//! In go events and the ecosystem's order of versions, out come intervals that do not overlap, least
//! first. Doing this when the database is built keeps matching to two comparisons an interval.
//! Source: OSV schema, "Evaluation", which sorts the events and then reads them one by one, for versions
//! before any of the limits (`BeforeLimits`).

use crate::osv::Range;
use std::cmp::Ordering;
use version::{Scheme, VersionError};

/// How an interval ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum End<T> {
    /// It does not.
    Open,
    /// Before this version, which is mended.
    Fixed(T),
    /// With this version.
    Last(T),
    /// Before this version, of which nothing is known.
    Limit(T),
}

/// Versions from `start` (from the beginning, if none) to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Interval<T> {
    pub(crate) start: Option<T>,
    pub(crate) end: End<T>,
}

impl Interval<&str> {
    /// Whether it holds a version.
    pub(crate) fn holds(&self, scheme: Scheme, version: &str) -> Result<bool, VersionError> {
        if let Some(start) = self.start
            && scheme.compare(version, start)? == Ordering::Less
        {
            return Ok(false);
        }
        Ok(match self.end {
            End::Open => true,
            End::Fixed(end) | End::Limit(end) => scheme.compare(version, end)? == Ordering::Less,
            End::Last(end) => scheme.compare(version, end)? != Ordering::Greater,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Introduced,
    Last,
    Fixed,
}

/// The intervals of a range. Where the order of two events is not known (no scheme, or a text that
/// is no version), they stay as the record has them.
pub(crate) fn intervals<'doc>(
    range: &'doc Range<'_>,
    scheme: Option<Scheme>,
) -> Vec<Interval<&'doc str>> {
    let mut events: Vec<(Change, &str)> = Vec::with_capacity(range.events.len());
    let mut limits: Vec<&str> = Vec::new();
    for event in &range.events {
        for (change, text) in [
            (Change::Introduced, &event.introduced),
            (Change::Last, &event.last_affected),
            (Change::Fixed, &event.fixed),
        ] {
            if !text.as_str().is_empty() {
                events.push((change, text.as_str()));
            }
        }
        limits.extend(Some(event.limit.as_str()).filter(|limit| !limit.is_empty()));
    }
    if let ([(Change::Introduced, "0"), (Change::Fixed, end)], true) =
        (events.as_slice(), limits.is_empty())
    {
        return vec![Interval { start: None, end: End::Fixed(end) }];
    }
    let found = read(&sorted(events, scheme), scheme);
    match highest(&limits, scheme) {
        Some(limit) => found.into_iter().filter_map(|one| before(one, limit, scheme)).collect(),
        None => found,
    }
}

/// The limit before which a version has to be: any of them, so the highest. None where there is none, one
/// of them is `*`, or they have no order.
fn highest<'doc>(limits: &[&'doc str], scheme: Option<Scheme>) -> Option<&'doc str> {
    let (first, rest) = limits.split_first()?;
    if limits.contains(&"*") {
        return None;
    }
    rest.iter().try_fold(*first, |highest, other| {
        let order = scheme?.compare(highest, other).ok()?;
        Some(if order == Ordering::Less { *other } else { highest })
    })
}

/// What of an interval lies before a limit.
fn before<'doc>(
    interval: Interval<&'doc str>,
    limit: &'doc str,
    scheme: Option<Scheme>,
) -> Option<Interval<&'doc str>> {
    let compare = |bound: &str| scheme.and_then(|scheme| scheme.compare(bound, limit).ok());
    if interval.start.and_then(compare).is_some_and(|order| order != Ordering::Less) {
        return None;
    }
    let end = match interval.end {
        End::Open | End::Limit(_) => End::Limit(limit),
        End::Fixed(end) if compare(end) == Some(Ordering::Greater) => End::Limit(limit),
        End::Last(end) if compare(end).is_some_and(|order| order != Ordering::Less) => {
            End::Limit(limit)
        }
        end => end,
    };
    Some(Interval { start: interval.start, end })
}

/// `0` stands for the beginning of all versions.
fn beginning(text: &str) -> Option<&str> {
    (text != "0").then_some(text)
}

fn order(scheme: Option<Scheme>, left: &str, right: &str) -> Ordering {
    match (left, right) {
        ("0", "0") => Ordering::Equal,
        ("0", _) => Ordering::Less,
        (_, "0") => Ordering::Greater,
        _ => scheme.and_then(|scheme| scheme.compare(left, right).ok()).unwrap_or(Ordering::Equal),
    }
}

/// Merge sort: stable, and unlike the standard library's safe with an order that is not total,
/// which it is not where some texts are no versions.
fn sorted(mut left: Vec<(Change, &str)>, scheme: Option<Scheme>) -> Vec<(Change, &str)> {
    if left.len() < 2 {
        return left;
    }
    let right = left.split_off(left.len() / 2);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut left = sorted(left, scheme).into_iter().peekable();
    let mut right = sorted(right, scheme).into_iter().peekable();
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let from_right = order(scheme, first.1, second.1) == Ordering::Greater;
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

fn read<'doc>(events: &[(Change, &'doc str)], scheme: Option<Scheme>) -> Vec<Interval<&'doc str>> {
    let mut found = Vec::new();
    let mut open: Option<Option<&str>> = None;
    let mut rest = events;
    while let Some((_, version)) = rest.first() {
        let same = rest
            .iter()
            .take_while(|(_, other)| {
                other == version
                    || scheme
                        .is_some_and(|scheme| scheme.compare(other, version) == Ok(Ordering::Equal))
            })
            .count()
            .max(1);
        let (group, after) = rest.split_at(same);
        rest = after;
        // At one version, an end closes what is open before a new interval begins there; where
        // nothing is open, the interval that begins there comes first.
        let begins_first = open.is_none();
        let begins = group.iter().filter(|(change, _)| *change == Change::Introduced);
        let ends = group.iter().filter(|(change, _)| *change != Change::Introduced);
        let ordered: Vec<_> =
            if begins_first { begins.chain(ends).collect() } else { ends.chain(begins).collect() };
        for (change, text) in ordered {
            let end = match change {
                Change::Introduced => {
                    open.get_or_insert(beginning(text));
                    continue;
                }
                Change::Fixed => End::Fixed(*text),
                Change::Last => End::Last(*text),
            };
            if let Some(start) = open.take() {
                found.push(Interval { start, end });
            }
        }
    }
    if let Some(start) = open {
        found.push(Interval { start, end: End::Open });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::osv::parse_record;

    fn shown(events: &str) -> Vec<String> {
        let json = format!(
            r#"{{"id":"X","affected":[{{"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]}}]}}"#
        );
        let record = parse_record(json.as_bytes()).unwrap();
        let range = record.affected[0].ranges[0].clone();
        intervals(&range, Some(Scheme::Debian))
            .iter()
            .map(|interval| format!("{:?} {:?}", interval.start.unwrap_or("-"), interval.end))
            .collect()
    }

    #[test]
    fn an_interval_holds_its_start_and_what_comes_before_its_end() {
        let holds =
            |start, end, version| Interval { start, end }.holds(Scheme::Debian, version).unwrap();
        for (version, before_two, to_two, open) in [
            ("0.9", false, false, false),
            ("1", true, true, true),
            ("1.9", true, true, true),
            ("2", false, true, true),
            ("2.1", false, false, true),
        ] {
            assert_eq!(holds(Some("1"), End::Fixed("2"), version), before_two, "{version}");
            assert_eq!(holds(Some("1"), End::Limit("2"), version), before_two, "{version}");
            assert_eq!(holds(Some("1"), End::Last("2"), version), to_two, "{version}");
            assert_eq!(holds(Some("1"), End::Open, version), open, "{version}");
        }
        assert!(holds(None, End::Last("2"), "0~"));
        assert!(Interval { start: None, end: End::Fixed("1") }.holds(Scheme::Rpm, "").is_err());
    }

    #[test]
    fn events_are_sorted_before_they_are_read() {
        assert_eq!(
            shown(r#"{"fixed":"4"},{"introduced":"3"},{"fixed":"2"},{"introduced":"0"}"#),
            [r#""-" Fixed("2")"#, r#""3" Fixed("4")"#]
        );
    }

    #[test]
    fn one_version_can_be_first_and_last() {
        assert_eq!(shown(r#"{"introduced":"5"},{"last_affected":"5"}"#), [r#""5" Last("5")"#]);
        assert_eq!(shown(r#"{"last_affected":"5"},{"introduced":"5"}"#), [r#""5" Last("5")"#]);
    }

    #[test]
    fn a_version_that_mends_and_breaks_again_stays_affected() {
        assert_eq!(
            shown(r#"{"introduced":"1"},{"fixed":"2"},{"introduced":"2"},{"fixed":"3"}"#),
            [r#""1" Fixed("2")"#, r#""2" Fixed("3")"#]
        );
    }

    #[test]
    fn a_range_without_an_end_is_open_and_one_without_a_start_is_nothing() {
        assert_eq!(shown(r#"{"introduced":"0"}"#), [r#""-" Open"#]);
        assert!(shown(r#"{"fixed":"1"}"#).is_empty());
        assert_eq!(shown(r#"{"introduced":"1"},{"limit":"*"}"#), [r#""1" Open"#]);
    }

    #[test]
    fn a_limit_bounds_the_whole_range_and_of_several_the_highest_counts() {
        for (events, expected) in [
            (r#"{"introduced":"0"},{"limit":"2"}"#, vec![r#""-" Limit("2")"#]),
            (r#"{"introduced":"0"},{"limit":"2"},{"limit":"3"}"#, vec![r#""-" Limit("3")"#]),
            (r#"{"introduced":"0"},{"limit":"2"},{"limit":"*"}"#, vec![r#""-" Open"#]),
            (
                r#"{"introduced":"0"},{"fixed":"1"},{"introduced":"4"},{"fixed":"5"},{"limit":"3"}"#,
                vec![r#""-" Fixed("1")"#],
            ),
            (r#"{"introduced":"0"},{"fixed":"5"},{"limit":"3"}"#, vec![r#""-" Limit("3")"#]),
            (r#"{"introduced":"0"},{"fixed":"3"},{"limit":"3"}"#, vec![r#""-" Fixed("3")"#]),
            (
                r#"{"introduced":"0"},{"last_affected":"3"},{"limit":"3"}"#,
                vec![r#""-" Limit("3")"#],
            ),
            (r#"{"introduced":"3"},{"limit":"3"}"#, vec![]),
        ] {
            assert_eq!(shown(events), expected, "{events}");
        }
    }
}
