//! Constraints of Composer: comparisons, `^`, `~`, `*`, hyphens, and alternatives behind `|`.

use super::{Partial, all, any, comparisons, divided, release};

const SIGNS: [&str; 10] = [">=", "<=", "!=", "<>", "==", ">", "<", "=", "^", "~"];

pub(super) fn allows(range: &str, version: &str) -> Option<bool> {
    let version = release(version, 4)?;
    if range.trim().is_empty() {
        return None;
    }
    let alternatives = range.split('|').map(str::trim).filter(|part| !part.is_empty());
    any(alternatives.map(|part| alternative(part, &version)))
}

fn alternative(part: &str, version: &[u64]) -> Option<bool> {
    if let Some((from, to)) = part.split_once(" - ") {
        return all([comparison(">=", from, version), comparison("up to", to, version)]);
    }
    all(comparisons(part).iter().map(|one| {
        let (sign, text) = divided(one, &SIGNS);
        comparison(sign, text, version)
    }))
}

fn comparison(sign: &str, text: &str, version: &[u64]) -> Option<bool> {
    let wild = text.ends_with('*');
    let asked = Partial::read(text, 4)?;
    // What is less stable than a release is ordered by its own words.
    if asked.pre_release || (wild && !matches!(sign, "" | "=" | "==")) {
        return None;
    }
    if asked.numbers.is_empty() {
        return wild.then_some(true);
    }
    let low = asked.low();
    let low = low.as_slice();
    let below = |kept: usize| asked.beyond(kept).map(|end| version < end.as_slice());
    let count = asked.numbers.len();
    match sign {
        ">=" => Some(version >= low),
        "<=" => Some(version <= low),
        ">" => Some(version > low),
        "<" => Some(version < low),
        "!=" | "<>" => Some(version != low),
        "^" => below(asked.caret()).map(|below| version >= low && below),
        "~" => below(count.saturating_sub(1).max(1)).map(|below| version >= low && below),
        // The end of a hyphen that is not written in full is a wildcard.
        "up to" if count < 3 => below(count),
        "up to" => Some(version <= low),
        _ if wild => below(count).map(|below| version >= low && below),
        _ => Some(version == low),
    }
}
