//! Alpine, Wolfi and Chainguard versions: `digits{.digits}[letter]{_suffix[digits]}[~hash][-rN]`.
//!
//! In goes a text, out comes the order of its tokens. This is the comparison of apk-tools 3, which
//! goes on until one text ends or holds something that is no token; a text that ends so comes before
//! one that ends cleanly. Two liberties: digits after the letter (`6.6.2p1`), valid in apk-tools 2,
//! are compared as that does; numbers have any length. The text must begin with a digit.
//! apk refuses to install other versions than valid ones, but `secfixes` hold some, such as
//! `10.0.11-0`, and what apk's comparison makes of them is what they mean.
//!
//! Source: apk-tools, `src/version.c`; apk-package(5).

use crate::digits;
use crate::order::Version;
use std::cmp::Ordering;

/// An Alpine version.
pub(crate) struct Alpine<'text>(&'text [u8]);

/// Kinds of token, in the order in which they may follow one another. A version that has a token
/// where another has a later kind is newer, unless the token is a suffix of a pre-release.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    First,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
    End,
    Invalid,
}

struct Token<'text> {
    kind: Kind,
    value: &'text [u8],
    /// Place in [`SUFFIXES`].
    suffix: usize,
}

/// Suffixes in their order.
const SUFFIXES: [&[u8]; 9] =
    [b"alpha", b"beta", b"pre", b"rc", b"cvs", b"svn", b"git", b"hg", b"p"];
/// Those of [`SUFFIXES`] before this place mark a pre-release.
const FIRST_AFTER_RELEASE: usize = 4;

impl<'text> Version<'text> for Alpine<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        match text.as_bytes() {
            [] => Err("it is empty"),
            bytes @ [b'0'..=b'9', ..] => Ok(Self(bytes)),
            _ => Err("it does not begin with a digit"),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let (mut l, mut left) = first(self.0);
        let (mut r, mut right) = first(other.0);
        while l.kind == r.kind && l.kind < Kind::End {
            let order = l.compare(&r);
            if order.is_ne() {
                return order;
            }
            (l, left) = next(l.kind, left);
            (r, right) = next(r.kind, right);
        }
        if l.kind == r.kind {
            Ordering::Equal
        } else if l.is_pre_release() {
            Ordering::Less
        } else if r.is_pre_release() {
            Ordering::Greater
        } else {
            r.kind.cmp(&l.kind)
        }
    }
}

impl Token<'_> {
    fn is_pre_release(&self) -> bool {
        self.kind == Kind::Suffix && self.suffix < FIRST_AFTER_RELEASE
    }

    /// The order of two tokens of one kind.
    fn compare(&self, other: &Self) -> Ordering {
        match self.kind {
            // With a leading zero digits are a decimal fraction: compared as text.
            Kind::Number if self.value.starts_with(b"0") || other.value.starts_with(b"0") => {
                self.value.cmp(other.value)
            }
            Kind::First | Kind::Number | Kind::SuffixNumber | Kind::Revision => {
                digits::compare(self.value, other.value)
            }
            Kind::Suffix => self.suffix.cmp(&other.suffix),
            Kind::Letter | Kind::Hash | Kind::End | Kind::Invalid => self.value.cmp(other.value),
        }
    }
}

fn first(text: &[u8]) -> (Token<'_>, &[u8]) {
    number(Kind::First, text)
}

/// The token after one of the kind `last`, and the text behind it.
fn next(last: Kind, text: &[u8]) -> (Token<'_>, &[u8]) {
    match text {
        [] => (Token::bare(Kind::End), text),
        [b'a'..=b'z', rest @ ..] if last <= Kind::Number => {
            let value = text.get(..1).unwrap_or_default();
            (Token { kind: Kind::Letter, value, suffix: 0 }, rest)
        }
        [b'.', rest @ ..] if last <= Kind::Number => number(Kind::Number, rest),
        [b'0'..=b'9', ..] if last == Kind::Letter => number(Kind::Number, text),
        [b'0'..=b'9', ..] if last == Kind::Suffix => number(Kind::SuffixNumber, text),
        [b'_', rest @ ..] if last <= Kind::SuffixNumber => suffix(rest),
        [b'~', rest @ ..] if last < Kind::Hash => {
            let (value, rest) = digits::split_while(rest, |byte| byte.is_ascii_hexdigit());
            let kind = if value.is_empty() { Kind::Invalid } else { Kind::Hash };
            (Token { kind, value, suffix: 0 }, rest)
        }
        [b'-', b'r', rest @ ..] if last < Kind::Revision => number(Kind::Revision, rest),
        _ => (Token::bare(Kind::Invalid), text),
    }
}

impl Token<'_> {
    /// A token without a value.
    const fn bare(kind: Kind) -> Self {
        Token { kind, value: &[], suffix: 0 }
    }
}

fn number(kind: Kind, text: &[u8]) -> (Token<'_>, &[u8]) {
    let (value, rest) = digits::split(text);
    let kind = if value.is_empty() { Kind::Invalid } else { kind };
    (Token { kind, value: if kind == Kind::Invalid { &[] } else { value }, suffix: 0 }, rest)
}

fn suffix(text: &[u8]) -> (Token<'_>, &[u8]) {
    let (value, rest) = digits::split_while(text, |byte| byte.is_ascii_lowercase());
    match SUFFIXES.iter().position(|known| *known == value) {
        Some(suffix) => (Token { kind: Kind::Suffix, value, suffix }, rest),
        None => (Token::bare(Kind::Invalid), rest),
    }
}
