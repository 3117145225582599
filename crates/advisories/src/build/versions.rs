//! Which of the versions that a record names are kept: those that it lists beside its ranges, by which
//! it is matched, and all others, to which an upgrade can go.

use super::strings::StringId;
use super::{Builder, MAX_TEXT};
use crate::entry;
use crate::intervals::{End, Interval};
use crate::osv::{Affected, Text};
use std::collections::BTreeSet;

impl Builder {
    /// The listed versions that no range holds.
    pub(super) fn versions(
        &mut self,
        affected: &Affected<'_>,
        ranges: &[Interval<&str>],
    ) -> Vec<StringId> {
        let mut kept: Vec<&str> = affected
            .versions
            .iter()
            .map(Text::as_str)
            .filter(|version| !version.is_empty() && version.len() <= MAX_TEXT)
            .filter(|version| {
                !self.scheme.is_some_and(|scheme| {
                    ranges.iter().any(|range| range.holds(scheme, version) == Ok(true))
                })
            })
            .collect();
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|version| self.strings.intern(version)).collect()
    }

    /// The versions that a record names and that stand neither among its bounds nor its listed ones: see
    /// [`entry::Block::named`]. Releases of a distribution have no others.
    pub(super) fn named(
        &mut self,
        affected: &Affected<'_>,
        ranges: &[Interval<&str>],
        versions: &[StringId],
    ) -> Vec<StringId> {
        if self.ecosystem.is_distribution() {
            return Vec::new();
        }
        let events = affected.ranges.iter().filter(|range| range.kind.as_str() != "GIT");
        let events = events.flat_map(|range| &range.events).flat_map(|event| {
            [&event.introduced, &event.fixed, &event.last_affected].map(Text::as_str)
        });
        let bounds = ranges.iter().flat_map(|range| {
            let end = match range.end {
                End::Open => None,
                End::Fixed(end) | End::Last(end) | End::Limit(end) => Some(end),
            };
            range.start.into_iter().chain(end)
        });
        let bounds: BTreeSet<&str> = bounds.collect();
        let versions: BTreeSet<StringId> = versions.iter().copied().collect();
        let named: BTreeSet<&str> = events
            .chain(affected.versions.iter().map(Text::as_str))
            .filter(|text| !text.is_empty() && text.len() <= MAX_TEXT && *text != "0")
            .filter(|text| self.scheme.is_some_and(|scheme| scheme.check(text).is_ok()))
            .filter(|text| !bounds.contains(text))
            .collect();
        let named = named.into_iter().map(|text| self.strings.intern(text));
        named.filter(|id| !versions.contains(id)).take(entry::NAMED).collect()
    }
}
