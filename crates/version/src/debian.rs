//! Debian and Ubuntu versions: `[epoch:]upstream[-revision]`.
//!
//! In goes a text, out come its three parts, ordered as dpkg orders them. Errors are those that
//! `dpkg --compare-versions` refuses (dpkg's `parseversion`). What dpkg only warns of, a version that
//! does not begin with a digit or has other characters than policy allows, is compared as dpkg
//! compares it: old notices hold such versions.
//!
//! Source: deb-version(7); Debian policy 5.6.12; `lib/dpkg/version.c` and `parsehelp.c`.

use crate::digits;
use crate::order::Version;
use std::cmp::Ordering;

/// dpkg keeps the epoch in an `int`.
const LARGEST_EPOCH: u32 = 2_147_483_647;

/// A Debian version.
pub(crate) struct Debian<'text> {
    epoch: u32,
    upstream: &'text [u8],
    revision: &'text [u8],
}

impl<'text> Version<'text> for Debian<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let text = text.as_bytes().trim_ascii();
        let (mut colon, mut hyphen) = (None, None);
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b':' if colon.is_none() => colon = Some(at),
                b'-' => hyphen = Some(at),
                b' ' | b'\t'..=b'\r' => return Err("it has spaces in it"),
                _ => {}
            }
        }
        let hyphen = hyphen.filter(|hyphen| colon.is_none_or(|colon| colon < *hyphen));
        let start = colon.map_or(0, |colon| colon + 1);
        let end = hyphen.unwrap_or(text.len());
        let epoch =
            colon.map_or(Ok(0), |colon| read_epoch(text.get(..colon).unwrap_or_default()))?;
        let upstream = text.get(start..end).unwrap_or_default();
        let revision = hyphen.and_then(|at| text.get(at + 1..)).unwrap_or_default();
        match (upstream, hyphen, revision) {
            ([], None, _) if colon.is_some() => Err("nothing follows the colon of the epoch"),
            ([], None, _) => Err("it is empty"),
            ([], Some(_), _) => Err("nothing stands before the hyphen of the revision"),
            (_, Some(_), []) => Err("nothing follows the hyphen of the revision"),
            _ => Ok(Self { epoch, upstream, revision }),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

fn read_epoch(text: &[u8]) -> Result<u32, &'static str> {
    if text.is_empty() {
        return Err("the epoch is empty");
    }
    let mut epoch = 0_u32;
    for byte in text {
        if !byte.is_ascii_digit() {
            return Err("the epoch is not a number");
        }
        epoch = epoch.saturating_mul(10).saturating_add(u32::from(byte - b'0'));
    }
    if epoch > LARGEST_EPOCH {
        return Err("the epoch is larger than 2147483647");
    }
    Ok(epoch)
}

/// dpkg's `verrevcmp`: runs of other characters and runs of digits in turn.
pub(crate) fn compare_part(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = digits::skip_common(left, right, |byte| byte.is_ascii_digit());
    loop {
        match (left.split_first(), right.split_first()) {
            (None, None) => return Ordering::Equal,
            (l, r) if is_other(l) || is_other(r) => {
                let order = weight(l).cmp(&weight(r));
                if order.is_ne() {
                    return order;
                }
                left = l.map_or(&[], |(_, rest)| rest);
                right = r.map_or(&[], |(_, rest)| rest);
            }
            _ => {
                let ((l, after_left), (r, after_right)) =
                    (digits::split(left), digits::split(right));
                let order = digits::compare(l, r);
                if order.is_ne() {
                    return order;
                }
                (left, right) = (after_left, after_right);
            }
        }
    }
}

fn is_other(first: Option<(&u8, &[u8])>) -> bool {
    first.is_some_and(|(byte, _)| !byte.is_ascii_digit())
}

/// dpkg's `order`: `~` before the end, the end and digits before letters, letters before all else.
fn weight(first: Option<(&u8, &[u8])>) -> i32 {
    match first {
        None => 0,
        Some((byte, _)) if byte.is_ascii_digit() => 0,
        Some((b'~', _)) => -1,
        Some((byte, _)) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some((byte, _)) => i32::from(*byte) + 256,
    }
}
