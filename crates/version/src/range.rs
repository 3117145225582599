//! Whether a range, as packages ask for one another with it, allows a version.
//!
//! In go a range in the words of its ecosystem and a released version, out comes whether it allows that;
//! none where the range, or the version, is not understood in full: nobody shall be told that a range
//! allows what it does not. Pre-releases have rules of their own in each ecosystem, and are not judged.
//!
//! Sources: node-semver, `README.md` "Ranges" and `classes/range.js`; Python, "Version specifiers";
//! Poetry, "Dependency specification"; RubyGems, `requirement.rb`; Composer, "Versions and
//! constraints".

mod composer;
mod npm;
mod python;
mod ruby;

use crate::{LONGEST, Scheme};

/// Whether a range allows a released version.
#[must_use]
pub fn allows(scheme: Scheme, range: &str, version: &str) -> Option<bool> {
    if range.len() > LONGEST || version.len() > LONGEST || scheme.is_pre_release(version) {
        return None;
    }
    match scheme {
        Scheme::Npm => npm::allows(range, version),
        Scheme::Pep440 => python::allows(range, version),
        Scheme::RubyGems => ruby::allows(range, version),
        Scheme::Packagist => composer::allows(range, version),
        _ => None,
    }
}

/// Whether a range allows any version after one that is there: so whether a tool may go to another
/// without that a manifest changes. Which versions exist is not known here: the next of each number, and
/// those that the range names itself, stand for all of them.
#[must_use]
pub fn leaves_room(scheme: Scheme, range: &str, version: &str) -> Option<bool> {
    let numbers = Partial::read(version, NUMBERS)?.numbers;
    let next = |at: usize| -> Vec<u64> {
        let kept = numbers.iter().take(at).copied();
        let one = numbers.get(at).copied().unwrap_or_default().saturating_add(1);
        kept.chain([one]).chain(std::iter::repeat_n(0, numbers.len().max(3) - at - 1)).collect()
    };
    let text = |numbers: &[u64]| {
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        numbers.join(".")
    };
    let nexts = (0..numbers.len().max(3)).map(|at| text(&next(at)));
    let words = range.split(|one: char| !(one.is_ascii_digit() || one == '.'));
    let named = words.map(|word| word.trim_matches('.').to_owned()).filter(|word| !word.is_empty());
    let later = |one: &String| scheme.compare(one, version) == Ok(std::cmp::Ordering::Greater);
    let mut room = None;
    for one in nexts.chain(named).filter(later) {
        match allows(scheme, range, &one) {
            Some(true) => return Some(true),
            Some(false) => room = Some(false),
            None => {}
        }
    }
    room
}

/// Numbers of a version that are looked at; ecosystems have up to four.
const NUMBERS: usize = 6;

/// All hold; one that does not is enough, one that is not understood spoils the rest.
fn all(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    parts.into_iter().try_fold(true, |all, part| part.map(|part| all && part))
}

/// One holds, and all are understood.
fn any(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    parts.into_iter().try_fold(false, |any, part| part.map(|part| any || part))
}

/// The sign of a comparison, and what it is held against.
fn divided<'text>(text: &'text str, signs: &[&'static str]) -> (&'static str, &'text str) {
    let found = signs.iter().find_map(|sign| Some((*sign, text.strip_prefix(sign)?.trim_start())));
    found.unwrap_or(("", text))
}

/// Comparisons that stand one behind the other; blanks may stand between a sign and its version.
fn comparisons(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        match found.last_mut() {
            Some(last) if last.ends_with(['<', '>', '=', '^', '~', '!']) => last.push_str(word),
            _ => found.push(word.to_owned()),
        }
    }
    found
}

/// A version that may end early: the numbers that it has, and whether a pre-release follows them.
struct Partial {
    numbers: Vec<u64>,
    pre_release: bool,
}

impl Partial {
    /// Up to so many numbers; `x` and `*` end them.
    fn read(text: &str, most: usize) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V']);
        let text = text.split('+').next().unwrap_or(text);
        let (plain, pre_release) =
            text.split_once('-').map_or((text, false), |(plain, rest)| (plain, !rest.is_empty()));
        let mut numbers = Vec::new();
        let mut open = false;
        let parts: Vec<&str> = plain.split('.').collect();
        if parts.len() > most {
            return None;
        }
        for part in parts {
            if matches!(part, "x" | "X" | "*") {
                open = true;
            } else if open || part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            } else {
                numbers.push(part.parse().ok()?);
            }
        }
        (!(open && pre_release)).then_some(Self { numbers, pre_release })
    }

    /// The first version of its kind.
    fn low(&self) -> Vec<u64> {
        filled(self.numbers.clone())
    }

    /// The first version that is beyond those with the first `kept` numbers; none of a number that is
    /// the last there is.
    fn beyond(&self, kept: usize) -> Option<Vec<u64>> {
        let mut numbers: Vec<u64> = self.numbers.iter().copied().take(kept).collect();
        let last = numbers.last_mut()?;
        *last = last.checked_add(1)?;
        Some(filled(numbers))
    }

    /// How many numbers `^` keeps: up to the first that is not zero.
    fn caret(&self) -> usize {
        let zeros = self.numbers.iter().take_while(|number| **number == 0).count();
        (zeros + 1).min(self.numbers.len())
    }
}

/// Four numbers, which is what any of these ecosystems has.
fn filled(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.resize(numbers.len().max(4), 0);
    numbers
}

/// A release as four numbers.
fn release(text: &str, most: usize) -> Option<Vec<u64>> {
    let read = Partial::read(text, most)?;
    (!read.pre_release && !read.numbers.is_empty()).then(|| read.low())
}

#[cfg(test)]
mod tests;
