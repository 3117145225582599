//! A page: a header, elements of a fixed size, and behind them the keys and values that they point to.

use super::{BoltError, Bucket, Root, Value};

/// Number (8 bytes), kind (2), count (2), overflow (4).
pub(super) const HEADER: usize = 16;
/// Of a branch: position (4), length of the key (4), page (8). Of a leaf: kind (4), position (4), length
/// of the key (4), length of the value (4). A position counts from the element's own beginning.
const ELEMENT: usize = 16;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// The kind of a leaf's element whose value is a bucket.
const BUCKET: u32 = 0x01;
/// Root page (8 bytes) and sequence (8); an inline page follows where the root is 0.
const BUCKET_HEADER: usize = 16;

/// A page whose kind is known; its elements are checked when they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Page {
    number: u64,
    is_leaf: bool,
    bytes: Vec<u8>,
}

/// What a page says of one key.
#[derive(Debug)]
pub(super) enum Element<'page> {
    Branch { key: &'page [u8], page: u64 },
    Leaf { key: &'page [u8], value: &'page [u8], is_bucket: bool },
}

impl Page {
    pub(super) fn new(number: u64, bytes: Vec<u8>) -> Result<Self, BoltError> {
        let is_leaf = match u16_at(&bytes, 8) {
            Some(BRANCH) => false,
            Some(LEAF) => true,
            _ => {
                let reason = "it is neither branch nor leaf";
                return Err(BoltError::Page { page: number, reason });
            }
        };
        Ok(Self { number, is_leaf, bytes })
    }

    /// 0 where it is inside a value.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// In the order of their keys.
    pub(super) fn elements(&self) -> Result<Vec<Element<'_>>, BoltError> {
        let damaged = |reason| BoltError::Page { page: self.number, reason };
        let count = usize::from(u16_at(&self.bytes, 10).unwrap_or(0));
        if !self.is_leaf && count == 0 {
            return Err(damaged("it leads nowhere"));
        }
        let mut elements: Vec<Element<'_>> = Vec::with_capacity(count);
        for index in 0..count {
            let element = self.element(index, count);
            let element = element.ok_or(damaged("an entry lies outside of it"))?;
            if elements.last().is_some_and(|last| last.key() >= element.key()) {
                return Err(damaged("its keys are not in order"));
            }
            elements.push(element);
        }
        Ok(elements)
    }

    /// Whether its keys are from `low` on and below `high`, as the page above it says: else a key that is
    /// listed would not be found.
    pub(super) fn keeps_within(
        &self,
        elements: &[Element<'_>],
        low: &[u8],
        high: Option<&[u8]>,
    ) -> Result<(), BoltError> {
        let above = |last: &Element<'_>| high.is_some_and(|high| last.key() >= high);
        if elements.first().is_some_and(|first| first.key() < low)
            || elements.last().is_some_and(above)
        {
            let reason = "its keys are not those that the page above it names";
            return Err(BoltError::Page { page: self.number, reason });
        }
        Ok(())
    }

    fn element(&self, index: usize, count: usize) -> Option<Element<'_>> {
        let at = HEADER + index * ELEMENT;
        let short = |field: usize| usize::try_from(u32_at(&self.bytes, at + field)?).ok();
        let behind = HEADER + count * ELEMENT;
        let part = |from: usize, length: usize| {
            (from >= behind).then(|| self.bytes.get(from..from.checked_add(length)?)).flatten()
        };
        if self.is_leaf {
            let (from, length) = (at.checked_add(short(4)?)?, short(8)?);
            let key = part(from, length)?;
            let value = part(from + length, short(12)?)?;
            Some(Element::Leaf { key, value, is_bucket: u32_at(&self.bytes, at)? & BUCKET != 0 })
        } else {
            let key = part(at.checked_add(short(0)?)?, short(4)?)?;
            Some(Element::Branch { key, page: u64_at(&self.bytes, at + 8)? })
        }
    }
}

impl<'page> Element<'page> {
    pub(super) const fn key(&self) -> &'page [u8] {
        match self {
            Self::Branch { key, .. } | Self::Leaf { key, .. } => key,
        }
    }

    /// The value, where this is the entry of that key.
    pub(super) fn value_of(&self, key: &[u8], number: u64) -> Result<Option<Value>, BoltError> {
        match self {
            Self::Leaf { key: own, value, is_bucket } if *own == key => match is_bucket {
                false => Ok(Some(Value::Bytes(value.to_vec()))),
                true => bucket(value, number).map(|bucket| Some(Value::Bucket(bucket))),
            },
            _ => Ok(None),
        }
    }
}

fn bucket(value: &[u8], number: u64) -> Result<Bucket, BoltError> {
    let damaged = |reason| BoltError::Page { page: number, reason };
    let root = u64_at(value, 0).ok_or(damaged("a bucket in it is cut off"))?;
    if root != 0 {
        return Ok(Bucket(Root::At(root)));
    }
    let inline = value.get(BUCKET_HEADER..).unwrap_or_default();
    let page = Page::new(0, inline.to_vec()).ok().filter(|page| page.is_leaf);
    page.map(|page| Bucket(Root::Inline(page))).ok_or(damaged("a small bucket in it is no leaf"))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
