//! Finds the versions and signs of some rules in a file that passes by as a stream.
//!
//! In go pieces of any length, out comes at most one rule with its version. What is held is one step
//! and a tail long enough for a pattern on either side of a seam; a place is judged once enough
//! stands on both sides of it, so that a cut never makes `10.11.2` of `10.11.21`.

use super::rules::{LITERAL_LIMIT, Pattern, Rule, Suffix, VERSION_LIMIT};
use image::ReadError;
use memchr::memmem::Finder;

/// Pieces are looked at in steps of this size, so that memory does not grow with them.
const STEP: usize = 64 << 10;
/// How many NULs may stand between a version and what follows it: alignment of texts.
const NUL_LIMIT: usize = 64;
/// What must be known on each side of a place that is judged.
const MARGIN: usize = 2 * LITERAL_LIMIT + VERSION_LIMIT + NUL_LIMIT;
/// Shortest literal that is worth a search.
const ANCHOR_LIMIT: usize = 3;
/// Longest number of a version.
const DIGIT_LIMIT: usize = 8;

/// A rule that a file fulfils.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rule: &'static Rule,
    pub(super) version: String,
}

/// Reads one file.
pub(super) struct Scan {
    subjects: Vec<Subject>,
    held: Vec<u8>,
    /// Whether `held` begins where the file does.
    at_start: bool,
}

struct Subject {
    rule: &'static Rule,
    places: Vec<Place>,
    also: Vec<Sign>,
    never: Vec<Sign>,
}

/// One literal of one pattern.
struct Place {
    finder: Finder<'static>,
    pattern: &'static Pattern,
    /// The order of the pattern in its rule.
    order: usize,
    /// The literal behind the version, where that is what is searched.
    behind: Option<&'static [u8]>,
    /// The first version, and another one where there is one.
    versions: Vec<String>,
}

struct Sign {
    finder: Finder<'static>,
    seen: bool,
}

impl Sign {
    fn all(texts: &'static [&'static [u8]]) -> Vec<Self> {
        texts.iter().map(|text| Self { finder: Finder::new(text), seen: false }).collect()
    }

    fn look(&mut self, bytes: &[u8]) {
        self.seen = self.seen || self.finder.find(bytes).is_some();
    }
}

impl Place {
    fn all(rule: &'static Rule) -> Vec<Self> {
        let mut places = Vec::new();
        for (order, pattern) in rule.patterns.iter().enumerate() {
            let place = |text: &[u8], behind| Self {
                finder: Finder::new(text).into_owned(),
                pattern,
                order,
                behind,
                versions: Vec::new(),
            };
            let forward = [pattern.before, pattern.lead.as_bytes()].concat();
            if forward.len() >= ANCHOR_LIMIT {
                places.push(place(&forward, None));
            } else {
                places.extend(pattern.after.iter().map(|after| place(after, Some(*after))));
            }
        }
        places
    }

    fn look(&mut self, held: &[u8], from: usize, to: usize) {
        let mut at = from;
        while self.versions.len() < 2 {
            let Some(found) = held.get(at..).and_then(|rest| self.finder.find(rest)) else { break };
            let place = at + found;
            if place > to {
                break;
            }
            at = place + 1;
            let version = match self.behind {
                None => self.pattern.forward(held, place + self.pattern.before.len()),
                Some(after) => self.pattern.backward(held, place, after),
            };
            if let Some(version) = version.filter(|version| !self.versions.contains(version)) {
                self.versions.push(version);
            }
        }
    }
}

impl Scan {
    pub(super) fn new(rules: &[&'static Rule]) -> Self {
        let subjects = rules
            .iter()
            .map(|rule| Subject {
                rule,
                places: Place::all(rule),
                also: Sign::all(rule.also),
                never: Sign::all(rule.never),
            })
            .collect();
        Self { subjects, held: Vec::new(), at_start: true }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        for step in bytes.chunks(STEP) {
            self.held.extend_from_slice(step);
            // Small pieces gather to a step: each search looks at the tail again.
            if self.held.len() >= STEP {
                self.look(false);
            }
        }
    }

    fn look(&mut self, is_last: bool) {
        let from = if self.at_start { 0 } else { MARGIN };
        let to = if is_last { self.held.len() } else { self.held.len().saturating_sub(MARGIN) };
        for subject in &mut self.subjects {
            for place in &mut subject.places {
                place.look(&self.held, from, to);
            }
            for sign in subject.also.iter_mut().chain(&mut subject.never) {
                sign.look(&self.held);
            }
        }
        let drop = self.held.len().saturating_sub(2 * MARGIN);
        self.held.drain(..drop);
        self.at_start = self.at_start && drop == 0;
    }

    /// `named` is the version that the file's name states.
    pub(super) fn finish(mut self, named: Option<&str>) -> Result<Option<Found>, ReadError> {
        self.look(true);
        for subject in &self.subjects {
            if let Some(version) = subject.outcome(named)? {
                return Ok(Some(Found { rule: subject.rule, version }));
            }
        }
        Ok(None)
    }
}

impl Subject {
    fn outcome(&self, named: Option<&str>) -> Result<Option<String>, ReadError> {
        let fulfilled = self.also.iter().all(|sign| sign.seen);
        if !fulfilled || self.never.iter().any(|sign| sign.seen) {
            return Ok(None);
        }
        for order in 0..self.rule.patterns.len() {
            let mut versions: Vec<&String> = self
                .places
                .iter()
                .filter(|place| place.order == order)
                .flat_map(|place| &place.versions)
                .filter(|version| !self.rule.agrees_with_name || agrees(version, named))
                .collect();
            versions.sort_unstable();
            versions.dedup();
            match versions.as_slice() {
                [] => {}
                [version] => return Ok(Some((*version).clone())),
                // Which of them is the program's cannot be told: it has none, and is not matched.
                [_, _, ..] => return Ok(Some(String::new())),
            }
        }
        Ok(None)
    }
}

/// Whether a version is one of the line that a file's name states.
fn agrees(version: &str, named: Option<&str>) -> bool {
    named.is_none_or(|named| {
        version.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

impl Pattern {
    /// The version that begins at `from`.
    fn forward(&self, held: &[u8], from: usize) -> Option<String> {
        let text = held.get(from..)?;
        let (version, length) = self.read(text)?;
        let rest = text.get(length..)?;
        self.after.iter().any(|after| follows(rest, after)).then_some(version)
    }

    /// The version that ends where `after` begins, or before the NULs there.
    fn backward(&self, held: &[u8], at: usize, after: &[u8]) -> Option<String> {
        let passed = held.get(..at)?;
        let mut passed = passed.get(passed.len().saturating_sub(MARGIN)..)?;
        if after.first() == Some(&0) {
            let nuls = passed.iter().rev().take_while(|byte| **byte == 0).count();
            passed = passed.get(..passed.len().checked_sub(nuls.min(NUL_LIMIT))?)?;
        }
        let part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'.';
        let length = passed.iter().rev().take_while(part).count();
        let (before, text) = passed.split_at_checked(passed.len().checked_sub(length)?)?;
        let (version, read) = self.read(text)?;
        (read == length && before.ends_with(self.before)).then_some(version)
    }

    /// A version at the beginning of a text, as it is reported, and how long it is there.
    fn read(&self, text: &[u8]) -> Option<(String, usize)> {
        let text = text.get(..text.len().min(VERSION_LIMIT))?;
        if !text.starts_with(self.lead.as_bytes()) {
            return None;
        }
        let mut length = digits(text)?;
        let mut count = 1;
        while let Some(more) = text.get(length..).and_then(|rest| rest.strip_prefix(b".")) {
            let Some(number) = digits(more) else { break };
            length += 1 + number;
            count += 1;
        }
        if count < self.numbers.0 || count > self.numbers.1 {
            return None;
        }
        let rest = text.get(length..)?;
        let suffix = self.suffix.length(rest)?;
        let kept = match self.suffix {
            Suffix::DroppedPatch | Suffix::Dropped => length,
            _ => length + suffix,
        };
        let version = std::str::from_utf8(text.get(..kept)?).ok()?;
        Some((version.to_owned(), length + suffix))
    }
}

impl Suffix {
    /// How much of a text it takes; none where it must be there and is not.
    fn length(self, text: &[u8]) -> Option<usize> {
        let marked = |mark: u8| match text.strip_prefix(&[mark]) {
            Some(rest) => digits(rest).map(|count| count + 1),
            None => None,
        };
        match self {
            Self::None => Some(0),
            Self::Letters => {
                let letters = text.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
                (letters <= 2).then_some(letters)
            }
            Self::Patch => marked(b'p'),
            Self::MayBePatch | Self::DroppedPatch => Some(marked(b'p').unwrap_or(0)),
            Self::Release => marked(b'-'),
            Self::Update => marked(b'_'),
            Self::Dropped => {
                let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-+~.".contains(byte);
                let starts = text.first().is_some_and(|byte| b"-+~".contains(byte));
                Some(if starts { text.iter().take_while(part).count() } else { 0 })
            }
        }
    }
}

/// How many digits begin a text, if it is a number.
fn digits(text: &[u8]) -> Option<usize> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=DIGIT_LIMIT).contains(&count).then_some(count)
}

/// Whether a text begins with `after`; a NUL at its beginning stands for any count of them.
fn follows(text: &[u8], after: &[u8]) -> bool {
    let Some(behind) = after.strip_prefix(&[0]) else { return text.starts_with(after) };
    let nuls = text.iter().take(NUL_LIMIT).take_while(|byte| **byte == 0).count();
    nuls > 0 && text.get(nuls..).is_some_and(|rest| rest.starts_with(behind))
}
