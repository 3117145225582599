//! The command of the tool that keeps a lock file, for a package that the project does not ask for.
//!
//! Only what the tool takes in that case is written, else nothing: a command that is refused teaches not
//! to read them. Sources: npm, "npm-update"; Poetry, "update"; Bundler, "bundle update"; Composer,
//! "update"; uv, "Locking and syncing"; The Cargo Book, "cargo update" and "Package ID Specifications".
//! Yarn 1 and PDM have none: they upgrade by name only what the project asks for.

use super::{Wanted, is_compatible};
use crate::asked::Node;
use vocabulary::upgrade::Change;

/// Packages that one command names; longer ones nobody types, and nobody reads before they are pasted.
const NAMES: usize = 8;

/// `way` is from the package that asks for the wanted one up to what the project asks for.
pub(super) fn command(
    path: &str,
    wanted: Wanted<'_>,
    way: &[&Node],
    change: &Change,
) -> Option<String> {
    let (name, from, to) = (wanted.name, wanted.from, wanted.to?);
    let all = match change {
        Change::Refresh => vec![name],
        // The old version may be allowed by a later one of what asks for it, and stay.
        Change::Renew { told: true, name: mover, version } => {
            let end =
                way.iter().position(|node| node.name == *mover && node.version == *version)?;
            let below = way.get(..=end)?.iter().rev().map(|node| node.name.as_str());
            below.chain([name]).collect()
        }
        _ => Vec::new(),
    };
    if all.len() > NAMES {
        return None;
    }
    let asking = way.first()?;
    let parts = [name, from, to, &asking.name, &asking.version];
    if !parts.into_iter().chain(all.iter().copied()).all(is_plain) {
        return None;
    }
    let names = all.join(" ");
    Some(match path.rsplit('/').next().unwrap_or(path) {
        "Cargo.lock" => match change {
            // Without ranges: what is compatible is allowed by all but those that pin a version.
            Change::Untold if is_compatible(wanted) => {
                format!("cargo update -p {name}@{from} --precise {to}")
            }
            Change::Incompatible => format!("cargo update -p {}@{}", asking.name, asking.version),
            _ => return None,
        },
        // A version behind it is refused where a range does not allow it, and ranges are not told.
        "uv.lock" if *change == Change::Untold => format!("uv lock --upgrade-package {name}"),
        _ if all.is_empty() => return None,
        "package-lock.json" | "npm-shrinkwrap.json" => format!("npm update {names}"),
        "poetry.lock" => format!("poetry update {names}"),
        "Gemfile.lock" | "gems.locked" => format!("bundle update --conservative {names}"),
        "composer.lock" => format!("composer update {names}"),
        _ => return None,
    })
}

/// What somebody wrote into a file is pasted into a shell by somebody else.
fn is_plain(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphanumeric() || matches!(first, '@' | '_'))
        && letters.all(|one| {
            one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_' | '/' | '+' | '@')
        })
}
