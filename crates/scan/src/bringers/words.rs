//! What a step is called, by what is known of those that bring its package.
//!
//! Who is said to hold a package back has a range that does not allow the version to go to; where that
//! one is held in its own version in turn, the step names the one above that may change, and says
//! "through which".

use super::{Brought, is_held};
use vocabulary::upgrade::{Bringer, Change, Replaced};

/// So many names stand in a title.
const IN_TITLE: usize = 2;

/// What is done, in one line; the remark says what else there is to say of the version to go to.
pub(crate) fn title(replaced: &Replaced, brought: &Brought, remark: &str) -> String {
    let Replaced { name, from, to, .. } = replaced;
    let upgrade = format!("upgrade {name} from {from} to {to}{remark}");
    let Brought { by, told, more, .. } = brought;
    if !told {
        return if brought.inside { inside(replaced, remark) } else { upgrade };
    }
    if brought.direct {
        return of_direct(upgrade, from, to, brought);
    }
    let Some(first) = by.first() else {
        return format!("{upgrade}, which other packages bring");
    };
    let all = |matches: fn(&Change) -> bool| by.iter().all(|one| matches(&one.change));
    if let Change::Upgrade { brings, .. } = &first.change
        && all(|change| matches!(change, Change::Upgrade { .. }))
    {
        // One way to each: all that brings it stands in a later version somewhere.
        let each = by.iter().map(|one| match &one.change {
            Change::Upgrade { to, .. } => format!("{} to {to}", one.name),
            _ => one.named(),
        });
        return format!("upgrade {}: brings {name} {brings}{remark}", Listed::of(each, *more));
    }
    match &first.change {
        Change::Refresh => {
            let named = Listed::of(by.iter().map(Bringer::named), *more);
            let allow = if named.is_one() { "allows" } else { "allow" };
            let itself = match brought.indirect {
                true => "",
                false => "; whether the project asks for it itself is not told",
            };
            format!(
                "refresh {name} from {from} to {to} in the lock file{remark}: {named} {allow} it{itself}"
            )
        }
        Change::Untold => {
            let named = Listed::of(by.iter().map(Bringer::named), *more);
            format!("{upgrade}, brought by {named}")
        }
        Change::Incompatible => {
            let asking = by.iter().filter(|one| one.change == Change::Incompatible);
            let asking = Listed::of(asking.map(asking_of), *more);
            let has = match asking.is_one() {
                true => "has to go to a version that asks for it",
                false => "have to go to versions that ask for it",
            };
            format!("{upgrade}: {asking} {has}")
        }
        Change::Upgrade { .. } | Change::Outgrow | Change::Renew { .. } => {
            format!("{} at {from}: {to} is needed{remark}", held(name, by, *more))
        }
    }
}

/// What lies nowhere but inside others: those are upgraded, where it is known what they are.
fn inside(replaced: &Replaced, remark: &str) -> String {
    let Replaced { name, from, to, inside, .. } = replaced;
    let owners: Option<Vec<String>> = inside.iter().map(|one| one.owner.clone()).collect();
    match owners {
        Some(owners) => {
            let owners = Listed::of(owners.into_iter(), 0);
            let have = if owners.is_one() { "has" } else { "have" };
            format!("upgrade {owners}, which {have} {name} {from} inside: {to} is needed{remark}")
        }
        None => {
            let files = Listed::of(inside.iter().map(|one| one.file.clone()), 0);
            format!("upgrade {name} from {from} to {to}{remark} inside {files}")
        }
    }
}

/// What the project asks for itself, and others may hold at the same version.
fn of_direct(upgrade: String, from: &str, to: &str, brought: &Brought) -> String {
    let upgrade = match brought.incompatible {
        true => format!("{upgrade}: Cargo.toml has to ask for {to}"),
        false => upgrade,
    };
    if brought.by.is_empty() {
        return upgrade;
    }
    let by = Listed::of(brought.by.iter().map(asking_of), brought.more);
    let hold = if by.is_one() { "holds" } else { "hold" };
    format!("{upgrade}; {by} {hold} it at {from} too")
}

/// The package whose range it is.
fn asking_of(bringer: &Bringer) -> String {
    bringer.through.last().cloned().unwrap_or_else(|| bringer.named())
}

/// What is changed, and that it holds the package.
fn held(name: &str, by: &[Bringer], more: u64) -> String {
    let (mut upgraded, mut refreshed) = (Vec::new(), Vec::new());
    let mut themselves = true;
    for one in by.iter().filter(|one| is_held(&one.change)) {
        let changed = match &one.change {
            Change::Renew { name, version, .. } => format!("{name} {version}"),
            Change::Incompatible => asking_of(one),
            _ => one.named(),
        };
        themselves &= changed == asking_of(one);
        let is_refreshed = matches!(one.change, Change::Renew { told: true, .. });
        if is_refreshed { &mut refreshed } else { &mut upgraded }.push(changed);
    }
    let several = !upgraded.is_empty() && !refreshed.is_empty();
    let (first, second) = if several { (0, more) } else { (more, more) };
    let upgraded = Listed::of(upgraded.into_iter(), first);
    let refreshed = Listed::of(refreshed.into_iter(), second);
    let is_one = !several && (upgraded.is_one() || refreshed.is_one());
    let what = match (upgraded.0.is_empty(), refreshed.0.is_empty()) {
        (false, false) => format!("upgrade {upgraded} and refresh {refreshed}"),
        (true, false) => format!("refresh {refreshed}"),
        _ => format!("upgrade {upgraded}"),
    };
    match (themselves, is_one) {
        (true, true) => format!("{what}, which holds {name}"),
        (true, false) => format!("{what}, which hold {name}"),
        (false, _) => format!("{what}, through which {name} is held"),
    }
}

/// Names, each once, and how many more there are.
struct Listed(Vec<String>, u64);

impl Listed {
    fn of(names: impl Iterator<Item = String>, more: u64) -> Self {
        let mut seen = std::collections::HashSet::new();
        Self(names.filter(|name| seen.insert(name.clone())).collect(), more)
    }

    const fn is_one(&self) -> bool {
        self.0.len() == 1 && self.1 == 0
    }
}

impl std::fmt::Display for Listed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named: Vec<&str> = self.0.iter().take(IN_TITLE).map(String::as_str).collect();
        let left = u64::try_from(self.0.len().saturating_sub(IN_TITLE)).unwrap_or(u64::MAX);
        match left.saturating_add(self.1) {
            0 => out.write_str(&named.join(" and ")),
            left => write!(out, "{} and {left} more", named.join(", ")),
        }
    }
}
