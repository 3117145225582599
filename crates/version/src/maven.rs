//! Maven versions, as Maven 3.9's `ComparableVersion` orders them.
//!
//! In goes a text, out come its items, with sub-lists flattened: in Maven a hyphen, or a change
//! between digits and letters, opens a list that runs to the end of the version, so a marker where a
//! list opens says as much as nesting does, and no text can nest deep. This is one of the two schemes
//! that allocate, because items are dropped from the end before they are compared. Every text is
//! accepted but the empty one. The order is Maven's own to the letter, which runs in circles for odd
//! texts (`1a` < `1.0ga0alpha` < `1` < `1a`); Maven 4 orders a few otherwise (`1.0-1` is not `1-1`).
//!
//! Source: Maven 3.9, `ComparableVersion.java`; pom reference, "Version Order Specification".

use crate::digits;
use crate::dotted::compare_ignoring_case;
use crate::order::Version;
use std::cmp::Ordering;

/// A Maven version.
pub(crate) struct Maven<'text>(Vec<Item<'text>>);

/// One item, or the mark that all further ones are in a sub-list.
#[derive(Clone, Copy)]
enum Item<'text> {
    /// Digits without leading zeros.
    Number(&'text [u8]),
    Text(Qualifier<'text>),
    List,
}

/// A qualifier: its rank, and its text, which counts where the rank is that of unknown ones.
#[derive(Clone, Copy)]
struct Qualifier<'text> {
    rank: u8,
    text: &'text [u8],
}

const RELEASE: u8 = 5;
const UNKNOWN: u8 = 7;

/// Known qualifiers and their rank.
const QUALIFIERS: [(&[u8], u8); 10] = [
    (b"alpha", 0),
    (b"beta", 1),
    (b"milestone", 2),
    (b"rc", 3),
    (b"cr", 3),
    (b"snapshot", 4),
    (b"ga", RELEASE),
    (b"final", RELEASE),
    (b"release", RELEASE),
    (b"sp", 6),
];

/// Short qualifiers, known only where a digit follows.
const SHORT_QUALIFIERS: [(&[u8], u8); 3] = [(b"a", 0), (b"b", 1), (b"m", 2)];

impl<'text> Version<'text> for Maven<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        Ok(Self(normalize(&Reader::new(text.as_bytes()).items())))
    }

    fn order(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.0.iter(), other.0.iter());
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (Some(l), Some(r)) => l.order(r),
                (Some(l), None) => l.order_to_nothing(),
                (None, Some(r)) => r.order_to_nothing().reverse(),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl<'text> Qualifier<'text> {
    fn new(text: &'text [u8], digit_follows: bool) -> Self {
        let short: &[_] = if digit_follows { &SHORT_QUALIFIERS } else { &[] };
        let known =
            QUALIFIERS.iter().chain(short).find(|(name, _)| name.eq_ignore_ascii_case(text));
        Self { rank: known.map_or(UNKNOWN, |(_, rank)| *rank), text }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| match self.rank {
            UNKNOWN => compare_ignoring_case(self.text, other.text),
            _ => Ordering::Equal,
        })
    }
}

impl Item<'_> {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::List, Self::List) => Ordering::Equal,
            (Self::Number(left), Self::Number(right)) => digits::compare(left, right),
            (Self::Text(left), Self::Text(right)) => left.order(right),
            _ => self.class().cmp(&other.class()),
        }
    }

    /// Qualifiers before lists before numbers.
    const fn class(&self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::List => 1,
            Self::Number(_) => 2,
        }
    }

    /// The order of an item to a version that has ended.
    fn order_to_nothing(&self) -> Ordering {
        match self {
            Self::List => Ordering::Equal,
            Self::Number(digits) => digits::compare(digits, b"0"),
            Self::Text(qualifier) => qualifier.rank.cmp(&RELEASE),
        }
    }
}

/// Drops what is as good as nothing (zeros, `ga`, empty lists) from the end of every list.
fn normalize<'text>(items: &[Item<'text>]) -> Vec<Item<'text>> {
    let mut kept: Vec<Item<'text>> = Vec::with_capacity(items.len());
    // Whether the current list has an item that stays behind the one at hand.
    let mut settled = false;
    for item in items.iter().rev() {
        let is_null = match item {
            Item::Number(digits) => digits.is_empty(),
            Item::Text(qualifier) => qualifier.rank == RELEASE,
            Item::List => kept.is_empty(),
        };
        if !is_null || settled && !matches!(item, Item::List) {
            settled = !matches!(item, Item::List);
            kept.push(*item);
        } else if matches!(item, Item::List) {
            settled = false;
        }
    }
    kept.reverse();
    kept
}

/// Cuts a version into items; the loop of `ComparableVersion.parseVersion`.
struct Reader<'text> {
    text: &'text [u8],
    items: Vec<Item<'text>>,
    /// Where the current item begins.
    start: usize,
    /// Whether the last letter or digit was a digit.
    in_digits: bool,
}

impl<'text> Reader<'text> {
    fn new(text: &'text [u8]) -> Self {
        Self { text, items: Vec::with_capacity(16), start: 0, in_digits: false }
    }

    fn items(mut self) -> Vec<Item<'text>> {
        for (at, byte) in self.text.iter().enumerate() {
            let is_digit = byte.is_ascii_digit();
            match byte {
                b'.' => self.end_item(at, false),
                b'-' => {
                    self.end_item(at, false);
                    self.items.push(Item::List);
                }
                _ if is_digit != self.in_digits && at > self.start => {
                    self.change(at);
                    self.in_digits = is_digit;
                }
                _ => self.in_digits = is_digit,
            }
            if matches!(byte, b'.' | b'-') {
                self.start = at + 1;
            }
        }
        if self.text.len() > self.start {
            self.open_list_before_text();
            self.end_item(self.text.len(), false);
        }
        self.items
    }

    /// Digits turn to letters here, or letters to digits.
    fn change(&mut self, at: usize) {
        self.open_list_before_text();
        self.end_item(at, true);
        self.items.push(Item::List);
        self.start = at;
    }

    /// `1.rc` is `1-rc`.
    fn open_list_before_text(&mut self) {
        if !self.in_digits && !matches!(self.items.last(), None | Some(Item::List)) {
            self.items.push(Item::List);
        }
    }

    /// Adds the item from `start` to `end`; an empty one is 0.
    fn end_item(&mut self, end: usize, change_follows: bool) {
        let text = self.text.get(self.start..end).unwrap_or_default();
        self.items.push(if text.is_empty() {
            Item::Number(&[])
        } else if self.in_digits {
            Item::Number(digits::significant(text))
        } else {
            Item::Text(Qualifier::new(text, change_follows))
        });
    }
}
