//! Finds header blobs in a SQLite database, `rpmdb.sqlite`.
//!
//! Reads what that takes and no more: the table b-tree of the schema, then that of the table
//! `Packages`, whose second column is the blob. A row too large for its page goes on in a chain of
//! overflow pages. Source: sqlite.org, "Database File Format", sections 1.3, 1.5, 1.6 and 2.1.

use super::Damage;
use super::number::Order::Big;
use image::Flow;

const MAGIC: &[u8] = b"SQLite format 3\0";
const PAGE_SIZE_AT: usize = 16;
const RESERVED_AT: usize = 20;

/// Size of the database header, which stands at the front of the first page.
const FILE_HEADER: usize = 100;

/// Smallest usable part of a page that the format allows.
const USABLE_LEAST: usize = 480;

/// Types of table pages.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Whether a file is in this format.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Shows every blob.
pub(super) fn blobs(bytes: &[u8], visit: &mut dyn FnMut(&[u8]) -> Flow) -> Result<(), Damage> {
    let mut file = File::open(bytes)?;
    let mut root = None;
    file.rows(1, &mut |row| {
        let is = column(row, 0) == Some(b"table") && column(row, 1) == Some(b"Packages");
        root = root.or_else(|| is.then(|| column(row, 3).and_then(number)).flatten());
        if root.is_some() { Flow::Enough } else { Flow::More }
    })?;
    let root = root.ok_or(Damage("it has no table `Packages`"))?;
    let mut without_blob = false;
    file.rows(root, &mut |row| match column(row, 1) {
        Some(blob) => visit(blob),
        None => {
            without_blob = true;
            Flow::More
        }
    })?;
    if without_blob { Err(Damage("a row has no blob")) } else { Ok(()) }
}

struct File<'file> {
    bytes: &'file [u8],
    page: usize,
    usable: usize,
    /// A page belongs to one row only, so what rows keep in overflow pages cannot be longer than
    /// the file.
    left: usize,
}

impl<'file> File<'file> {
    fn open(bytes: &'file [u8]) -> Result<Self, Damage> {
        let page = match Big.u16(bytes, PAGE_SIZE_AT) {
            Some(1) => 65_536,
            Some(size) if size.is_power_of_two() && (512..=32_768).contains(&size) => size,
            _ => return Err(Damage("its page size is wrong")),
        };
        let reserved = bytes.get(RESERVED_AT).copied().map_or(0, usize::from);
        let usable = page - reserved;
        if usable < USABLE_LEAST {
            return Err(Damage("its reserved space is wrong"));
        }
        Ok(Self { bytes, page, usable, left: bytes.len() })
    }

    /// The usable part of a page; pages count from 1.
    fn page(&self, number: usize) -> Option<&'file [u8]> {
        let start = number.checked_sub(1)?.checked_mul(self.page)?;
        self.bytes.get(start..)?.get(..self.page)?.get(..self.usable)
    }

    /// Shows the payload of every row of a table, in its order.
    fn rows(&mut self, root: usize, visit: &mut dyn FnMut(&[u8]) -> Flow) -> Result<(), Damage> {
        // In a tree no page has two parents, so neither those seen nor those pending can be more.
        let pages = self.bytes.len() / self.page;
        let mut seen = 0_usize;
        let mut pending = vec![root];
        let mut payload = Vec::new();
        while let Some(number) = pending.pop() {
            seen += 1;
            if seen > pages || pending.len() > pages {
                return Err(Damage("its pages form a loop"));
            }
            let page = self.page(number).ok_or(Damage("a page lies outside the file"))?;
            let start = if number == 1 { FILE_HEADER } else { 0 };
            match page.get(start) {
                Some(&INTERIOR) => children(page, start, &mut pending)
                    .ok_or(Damage("an interior page is wrong"))?,
                Some(&LEAF) => {
                    if self.leaf(page, start, &mut payload, visit)? == Flow::Enough {
                        break;
                    }
                }
                _ => return Err(Damage("a page is not that of a table")),
            }
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        page: &'file [u8],
        start: usize,
        payload: &mut Vec<u8>,
        visit: &mut dyn FnMut(&[u8]) -> Flow,
    ) -> Result<Flow, Damage> {
        const WRONG: Damage = Damage("a row lies outside its page");
        let cells = Big.u16(page, start + 3).ok_or(WRONG)?;
        for cell in 0..cells {
            let at = Big.u16(page, start + 8 + 2 * cell).ok_or(WRONG)?;
            let cell = page.get(at..).ok_or(WRONG)?;
            let (length, rest) = varint(cell).ok_or(WRONG)?;
            let (_, rest) = varint(rest).ok_or(WRONG)?;
            let length = usize::try_from(length).map_err(|_| WRONG)?;
            let local = self.local(length);
            let here = rest.get(..local).ok_or(WRONG)?;
            let row = if local == length {
                here
            } else {
                let first = Big.size(rest, local).ok_or(WRONG)?;
                self.gather(here, length, first, payload)?;
                payload.as_slice()
            };
            if visit(row) == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }

    /// How much of a row lies in its own page: section 1.6.
    const fn local(&self, length: usize) -> usize {
        let most = self.usable - 35;
        if length <= most {
            return length;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let filled = least + (length - least) % (self.usable - 4);
        if filled <= most { filled } else { least }
    }

    fn gather(
        &mut self,
        here: &[u8],
        length: usize,
        first: usize,
        payload: &mut Vec<u8>,
    ) -> Result<(), Damage> {
        const WRONG: Damage = Damage("a chain of overflow pages is broken");
        self.left = self.left.checked_sub(length).ok_or(Damage("its rows overlap"))?;
        payload.clear();
        payload.extend_from_slice(here);
        let mut number = first;
        while payload.len() < length {
            let page = self.page(number).ok_or(WRONG)?;
            let data = page.get(4..).ok_or(WRONG)?;
            payload.extend_from_slice(data.get(..length - payload.len()).unwrap_or(data));
            number = Big.size(page, 0).ok_or(WRONG)?;
        }
        Ok(())
    }
}

/// Puts the children of an interior page on the stack, so that the leftmost comes first.
fn children(page: &[u8], start: usize, pending: &mut Vec<usize>) -> Option<()> {
    let cells = Big.u16(page, start + 3)?;
    pending.push(Big.size(page, start + 8)?);
    for cell in (0..cells).rev() {
        let at = Big.u16(page, start + 12 + 2 * cell)?;
        pending.push(Big.size(page, at)?);
    }
    Some(())
}

/// A number of one to nine bytes, seven bits each but the ninth.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            value = (value << 8) | u64::from(*byte);
        } else {
            value = (value << 7) | u64::from(byte & 0x7f);
        }
        if at == 8 || byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

/// The bytes of one column of a row: section 2.1.
fn column(row: &[u8], wanted: usize) -> Option<&[u8]> {
    let (header, rest) = varint(row)?;
    let header = usize::try_from(header).ok()?;
    let mut types = row.get(..header)?.get(row.len() - rest.len()..)?;
    let mut at = header;
    for index in 0..=wanted {
        let (kind, rest) = varint(types)?;
        types = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let end = at.checked_add(length)?;
        let value = row.get(at..end)?;
        at = end;
        if index == wanted {
            return Some(value);
        }
    }
    None
}

/// A big-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    let value = bytes
        .iter()
        .try_fold(0_u64, |value, byte| Some(value.checked_mul(256)? | u64::from(*byte)))?;
    usize::try_from(value).ok()
}
