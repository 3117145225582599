//! What steps are called.

use super::Move;
use super::aim::remark;
use crate::bringers::Brought;
use vocabulary::upgrade::{Bringer, Change, Replaced};

pub(super) fn of(one: &Move<'_>) -> String {
    let Replaced { name, from, to, major, doubt, .. } = &one.replaced;
    let remark = remark(*major, doubt.as_deref());
    let upgrade = format!("upgrade {name} from {from} to {to}{remark}");
    let Brought { by, direct, told, .. } = &one.brought;
    if *direct || !told {
        return upgrade;
    }
    let Some(first) = by.first() else {
        return format!("{upgrade}, which other packages bring");
    };
    let of = |matches: &dyn Fn(&Change) -> bool| -> Vec<&Bringer> {
        by.iter().filter(|one| matches(&one.change)).collect()
    };
    let more = one.brought.more;
    let held = of(&|change| *change == Change::Outgrow);
    let untold = of(&|change| *change == Change::Untold);
    let refreshed = of(&|change| *change == Change::Refresh);
    match &first.change {
        // One way to each: all that brings it stands in a later version somewhere.
        Change::Upgrade { brings, .. }
            if held.is_empty() && untold.is_empty() && refreshed.is_empty() =>
        {
            let each = by.iter().map(|one| match &one.change {
                Change::Upgrade { to, .. } => format!("{} to {to}", one.name),
                _ => one.named(),
            });
            format!("upgrade {}: brings {name} {brings}{remark}", listed(each, more))
        }
        _ if refreshed.len() == by.len() => {
            let allow = if refreshed.len() == 1 && more == 0 { "allows" } else { "allow" };
            let named = listed(refreshed.iter().map(|one| one.named()), more);
            format!(
                "refresh {name} from {from} to {to} in the lock file{remark}: {named} {allow} it"
            )
        }
        Change::Untold => {
            format!("{upgrade}, brought by {}", listed(untold.iter().map(|one| one.named()), more))
        }
        _ => {
            let holding: Vec<&Bringer> =
                of(&|change| matches!(change, Change::Outgrow | Change::Upgrade { .. }));
            let hold = if holding.len() == 1 && more == 0 { "holds" } else { "hold" };
            let named = listed(holding.iter().map(|one| one.named()), more);
            format!("upgrade {named}, which {hold} {name} at {from}: {to} is needed{remark}")
        }
    }
}

/// So many names stand in a title.
const IN_TITLE: usize = 2;

fn listed(names: impl Iterator<Item = String>, more: u64) -> String {
    let mut names: Vec<String> = names.collect();
    names.dedup();
    let left = names.len().saturating_sub(IN_TITLE);
    let left = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(more);
    names.truncate(IN_TITLE);
    match left {
        0 => names.join(" and "),
        left => format!("{} and {left} more", names.join(", ")),
    }
}
