//! Requirements of RubyGems: comparisons, all of which hold, and `~>`.

use super::{Partial, all, divided};
use crate::Scheme;
use std::cmp::Ordering;

const SIGNS: [&str; 7] = ["~>", ">=", "<=", "!=", ">", "<", "="];

pub(super) fn allows(range: &str, version: &str) -> Option<bool> {
    all(range.split(',').map(|one| {
        let (sign, text) = divided(one.trim(), &SIGNS);
        comparison(sign, text, version)
    }))
}

fn comparison(sign: &str, text: &str, version: &str) -> Option<bool> {
    let compare = |text: &str| Scheme::RubyGems.compare(version, text).ok();
    let order = compare(text)?;
    Some(match sign {
        "" | "=" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        ">=" => order != Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        "<" => order == Ordering::Less,
        // The last number may grow; of a number alone, that.
        "~>" => {
            let asked = Partial::read(text, 16)?;
            let kept = asked.numbers.len().saturating_sub(1).max(1);
            let end: Vec<String> = asked.beyond(kept)?.iter().map(u64::to_string).collect();
            order != Ordering::Less && compare(&end.join("."))? == Ordering::Less
        }
        _ => return None,
    })
}
