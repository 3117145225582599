//! Finds header blobs in a Berkeley DB hash table, `Packages`.
//!
//! The first page tells byte order and page size. Buckets are pages with pairs of items, key and
//! value; a value too large for its page lies in a chain of overflow pages. The pages are read one
//! after another, without hashing: all buckets are wanted. Source: Berkeley DB 5.3,
//! `src/dbinc/db_page.h` and `hash.h`.

use super::Damage;
use super::number::Order::{self, Big, Little};
use image::Flow;

const MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;
const PAGE_SIZE_AT: usize = 20;
const ENCRYPTION_AT: usize = 24;
const LAST_PAGE_AT: usize = 32;

/// Size of the header of a page.
const PAGE_HEADER: usize = 26;
const NEXT_PAGE_AT: usize = 16;
const ENTRIES_AT: usize = 20;
const LENGTH_AT: usize = 22;
const TYPE_AT: usize = 25;

/// Types of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// Types of items.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Whether a file is in this format, in either byte order.
pub(super) fn is(bytes: &[u8]) -> bool {
    order(bytes).is_some()
}

fn order(bytes: &[u8]) -> Option<Order> {
    [Little, Big].into_iter().find(|order| order.u32(bytes, MAGIC_AT) == Some(MAGIC))
}

struct Table<'file> {
    bytes: &'file [u8],
    order: Order,
    page: usize,
    /// A page belongs to one value only, so all values together cannot be longer than the file.
    left: usize,
}

/// Shows every blob.
pub(super) fn blobs(bytes: &[u8], visit: &mut dyn FnMut(&[u8]) -> Flow) -> Result<(), Damage> {
    let order = order(bytes).ok_or(Damage("it is no hash table"))?;
    let page = order.size(bytes, PAGE_SIZE_AT).unwrap_or(0);
    if !page.is_power_of_two() || !(512..=65_536).contains(&page) {
        return Err(Damage("its page size is wrong"));
    }
    if bytes.get(ENCRYPTION_AT) != Some(&0) {
        return Err(Damage("it is encrypted"));
    }
    let mut table = Table { bytes, order, page, left: bytes.len() };
    let mut value = Vec::new();
    for page in bytes.chunks(page).skip(1) {
        if !matches!(page.get(TYPE_AT), Some(&HASH | &HASH_UNSORTED)) {
            continue;
        }
        if table.bucket(page, &mut value, visit)? == Flow::Enough {
            break;
        }
    }
    let last = order.size(bytes, LAST_PAGE_AT).unwrap_or(0);
    let is_whole = bytes.len().is_multiple_of(table.page) && bytes.len() / table.page > last;
    if is_whole { Ok(()) } else { Err(Damage("it is cut short")) }
}

impl Table<'_> {
    /// The values of one page. Items grow down from the end of the page, so each ends where the one
    /// before it begins.
    fn bucket(
        &mut self,
        page: &[u8],
        value: &mut Vec<u8>,
        visit: &mut dyn FnMut(&[u8]) -> Flow,
    ) -> Result<Flow, Damage> {
        const WRONG: Damage = Damage("an item lies outside its page");
        let order = self.order;
        let entries = order.u16(page, ENTRIES_AT).ok_or(WRONG)?;
        let mut end = page.len();
        let mut key: &[u8] = &[];
        for at in 0..entries {
            let start = order.u16(page, PAGE_HEADER + 2 * at).ok_or(WRONG)?;
            let item = page.get(start..end).filter(|item| !item.is_empty()).ok_or(WRONG)?;
            end = start;
            if at % 2 == 0 {
                key = item;
                continue;
            }
            let blob = match item.split_first() {
                // The value of key 0 is the number of the next package.
                Some((&ON_PAGE, _)) if key.iter().skip(1).all(|byte| *byte == 0) => continue,
                Some((&ON_PAGE, blob)) => {
                    self.take(blob.len())?;
                    blob
                }
                Some((&OFF_PAGE, _)) => {
                    self.gather(item, value)?;
                    value.as_slice()
                }
                _ => return Err(Damage("an item is of an unknown type")),
            };
            if visit(blob) == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }

    fn take(&mut self, length: usize) -> Result<(), Damage> {
        self.left = self.left.checked_sub(length).ok_or(Damage("its values overlap"))?;
        Ok(())
    }

    /// Gathers a value out of its overflow pages.
    fn gather(&mut self, item: &[u8], value: &mut Vec<u8>) -> Result<(), Damage> {
        const WRONG: Damage = Damage("a chain of overflow pages is broken");
        let mut number = self.order.size(item, 4).ok_or(WRONG)?;
        let length = self.order.size(item, 8).ok_or(WRONG)?;
        self.take(length)?;
        value.clear();
        while value.len() < length {
            let start = number.checked_mul(self.page).filter(|start| *start > 0).ok_or(WRONG)?;
            let page =
                self.bytes.get(start..).and_then(|rest| rest.get(..self.page)).ok_or(WRONG)?;
            let part = self.order.u16(page, LENGTH_AT).filter(|part| *part > 0).ok_or(WRONG)?;
            if page.get(TYPE_AT) != Some(&OVERFLOW) {
                return Err(WRONG);
            }
            let data = page.get(PAGE_HEADER..).and_then(|rest| rest.get(..part)).ok_or(WRONG)?;
            value.extend_from_slice(data.get(..length - value.len()).unwrap_or(data));
            number = self.order.size(page, NEXT_PAGE_AT).ok_or(WRONG)?;
        }
        Ok(())
    }
}
