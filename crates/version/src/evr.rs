//! `[epoch:]version[-release]`, the three parts that rpm and pacman tell apart in the same way.
//!
//! In goes a text, out come its parts; how two versions or two releases compare is for each to say. A
//! missing epoch is 0, a missing release comes before any release, and every text but the empty one is
//! accepted.

use crate::digits;
use std::cmp::Ordering;

/// A version in its parts.
pub(crate) struct Evr<'text> {
    epoch: &'text [u8],
    version: &'text [u8],
    release: Option<&'text [u8]>,
}

impl<'text> Evr<'text> {
    pub(crate) fn read(text: &'text str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        let (epoch, rest) = match digits::split(text.as_bytes()) {
            (epoch, [b':', rest @ ..]) => (epoch, rest),
            _ => (&b""[..], text.as_bytes()),
        };
        let (version, release) = match rest.iter().rposition(|byte| *byte == b'-') {
            Some(at) => (rest.get(..at).unwrap_or(rest), rest.get(at + 1..)),
            None => (rest, None),
        };
        Ok(Self { epoch, version, release })
    }

    pub(crate) fn order(&self, other: &Self, part: impl Fn(&[u8], &[u8]) -> Ordering) -> Ordering {
        digits::compare(self.epoch, other.epoch)
            .then_with(|| part(self.version, other.version))
            .then_with(|| match (self.release, other.release) {
                (Some(left), Some(right)) => part(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            })
    }
}
