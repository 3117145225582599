//! Specifiers of Python, and what Poetry writes beside them: `^`, `~`, a version alone, and alternatives.

use super::{Partial, all, any, comparisons, divided};
use crate::Scheme;
use std::cmp::Ordering;

const SIGNS: [&str; 10] = ["===", "~=", "==", "!=", "<=", ">=", "<", ">", "^", "~"];

pub(super) fn allows(range: &str, version: &str) -> Option<bool> {
    // What is added to a release has rules of its own.
    if version.contains(['+', '!']) || version.to_ascii_lowercase().contains("post") {
        return None;
    }
    let range = range.trim();
    let inside = range.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    any(inside.unwrap_or(range).split("||").map(|part| {
        all(comparisons(part).iter().map(|one| {
            let (sign, text) = divided(one, &SIGNS);
            comparison(sign, text, version)
        }))
    }))
}

fn comparison(sign: &str, text: &str, version: &str) -> Option<bool> {
    if sign.is_empty() && text == "*" {
        return Some(true);
    }
    if text.contains(['+', '!']) {
        return None;
    }
    let compare = |text: &str| Scheme::Pep440.compare(version, text).ok();
    let starts = |text: &str, kept: usize| {
        let asked = Partial::read(text, 8)?;
        let release = Partial::read(version, 8)?;
        let number = |of: &Partial, at: usize| of.numbers.get(at).copied().unwrap_or(0);
        Some((0..kept).all(|at| number(&asked, at) == number(&release, at)))
    };
    if let Some(prefix) = text.strip_suffix(".*") {
        let kept = Partial::read(prefix, 8)?.numbers.len();
        return match sign {
            "" | "==" => starts(prefix, kept),
            "!=" => starts(prefix, kept).map(|starts| !starts),
            _ => None,
        };
    }
    let from = || Some(compare(text)? != Ordering::Less);
    let below = |asked: &Partial, kept: usize| {
        let end: Vec<String> = asked.beyond(kept)?.iter().map(u64::to_string).collect();
        Some(compare(&end.join("."))? == Ordering::Less)
    };
    match sign {
        "===" => Some(version == text),
        "" | "==" => Some(compare(text)? == Ordering::Equal),
        "!=" => Some(compare(text)? != Ordering::Equal),
        "<=" => Some(compare(text)? != Ordering::Greater),
        ">=" => from(),
        "<" => Some(compare(text)? == Ordering::Less),
        ">" => Some(compare(text)? == Ordering::Greater),
        "~=" => {
            let kept =
                Partial::read(text, 8)?.numbers.len().checked_sub(1).filter(|kept| *kept > 0)?;
            all([from(), starts(text, kept)])
        }
        "^" => {
            let asked = Partial::read(text, 8)?;
            all([from(), below(&asked, asked.caret())])
        }
        "~" => {
            let asked = Partial::read(text, 8)?;
            all([from(), below(&asked, 2)])
        }
        _ => None,
    }
}
