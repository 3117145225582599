//! Ranges of npm: comparisons, `^`, `~`, `x`, hyphens, and alternatives behind `||`.

use super::{Partial, all, any, comparisons, divided, release};

const SIGNS: [&str; 8] = [">=", "<=", "~>", ">", "<", "=", "^", "~"];

pub(super) fn allows(range: &str, version: &str) -> Option<bool> {
    let version = release(version, 3)?;
    any(range.split("||").map(|part| alternative(part.trim(), &version)))
}

fn alternative(part: &str, version: &[u64]) -> Option<bool> {
    if let Some((from, to)) = part.split_once(" - ") {
        return all([comparison(">=", from, version), comparison("<=", to, version)]);
    }
    all(comparisons(part).iter().map(|one| {
        let (sign, text) = divided(one, &SIGNS);
        comparison(sign, text, version)
    }))
}

fn comparison(sign: &str, text: &str, version: &[u64]) -> Option<bool> {
    let asked = Partial::read(text, 3)?;
    let low = asked.low();
    let full = asked.numbers.len() == 3;
    let any = asked.numbers.is_empty();
    let below = |kept| asked.beyond(kept).map(|end| version < end.as_slice());
    let from = version >= low.as_slice();
    match sign {
        // Nothing is beyond any version.
        "<" | ">" if any => Some(false),
        _ if any => Some(true),
        ">=" => Some(from),
        // A release is before or after a pre-release as it is before or from its release on.
        "<" => Some(version < low.as_slice()),
        "<=" if asked.pre_release => Some(version < low.as_slice()),
        "<=" if full => Some(version <= low.as_slice()),
        "<=" => below(3),
        ">" if asked.pre_release => Some(from),
        ">" if full => Some(version > low.as_slice()),
        ">" => below(3).map(|below| !below),
        "^" => below(asked.caret()).map(|below| from && below),
        "~" | "~>" => below(2).map(|below| from && below),
        _ if asked.pre_release => Some(false),
        _ if full => Some(version == low.as_slice()),
        _ => below(3).map(|below| from && below),
    }
}
