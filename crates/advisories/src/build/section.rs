//! Puts items into pages, and sections into a file.

use crate::format::{FormatError, Header, PAGE, SECTIONS, Section, digest, put_number, put_text};
use crate::pages::Meta;

/// Largest item: what a page may have at most ([`crate::pages`]), and something to spare.
const MAX_ITEM: usize = 48 << 20;

/// A section in the making.
#[derive(Debug, Default)]
pub(super) struct Pages {
    bytes: Vec<u8>,
    /// Length, count of items and digest of each page.
    pages: Vec<(usize, usize, [u8; 32])>,
    keys: Vec<Vec<u8>>,
    slots: Vec<u16>,
    page: Vec<u8>,
    /// Room for an item with its key.
    item: Vec<u8>,
    items: u32,
}

impl Pages {
    /// Adds an item; gives its number.
    pub(super) fn push(&mut self, item: &[u8]) -> Result<u32, FormatError> {
        if !self.slots.is_empty() && self.page.len() + item.len() + self.slots.len() * 2 > PAGE {
            self.close();
        }
        if item.len() > MAX_ITEM {
            return Err(FormatError::TooLarge);
        }
        self.slots.push(u16::try_from(self.page.len()).map_err(|_| FormatError::TooLarge)?);
        self.page.extend_from_slice(item);
        let number = self.items;
        self.items = number.checked_add(1).ok_or(FormatError::TooLarge)?;
        Ok(number)
    }

    /// Adds an item that begins with a key.
    pub(super) fn push_keyed(&mut self, key: &[u8], rest: &[u8]) -> Result<u32, FormatError> {
        let mut item = std::mem::take(&mut self.item);
        item.clear();
        put_number(&mut item, key.len() as u64);
        item.extend_from_slice(key);
        item.extend_from_slice(rest);
        let number = self.push(&item);
        self.item = item;
        if self.slots.len() == 1 {
            self.keys.push(key.to_vec());
        }
        number
    }

    fn close(&mut self) {
        let start = self.bytes.len();
        for slot in &self.slots {
            self.bytes.extend_from_slice(&slot.to_le_bytes());
        }
        self.bytes.append(&mut self.page);
        let page = self.bytes.get(start..).unwrap_or_default();
        self.pages.push((page.len(), self.slots.len(), digest(page)));
        self.slots.clear();
    }

    fn finish(&mut self) {
        if !self.slots.is_empty() {
            self.close();
        }
    }
}

/// The sections of a file in the making.
#[derive(Debug, Default)]
pub(super) struct Sections([Pages; SECTIONS]);

impl Sections {
    pub(super) fn of(&mut self, section: Section) -> Result<&mut Pages, FormatError> {
        self.0.get_mut(section as usize).ok_or(FormatError::TooLarge)
    }

    /// The whole file, and the digest that its header states.
    pub(super) fn assemble(mut self, meta: &Meta) -> (Vec<u8>, [u8; 32]) {
        let mut index = Vec::new();
        put_text(&mut index, meta.ecosystem.as_str());
        put_number(&mut index, meta.records);
        put_number(&mut index, meta.releases.len() as u64);
        for release in &meta.releases {
            put_text(&mut index, &release.name);
            put_number(&mut index, release.blocks);
            put_number(&mut index, release.by_source);
        }
        for (section, pages) in Section::ALL.iter().zip(&mut self.0) {
            pages.finish();
            put_number(&mut index, pages.pages.len() as u64);
            for (length, items, digest) in &pages.pages {
                put_number(&mut index, *length as u64);
                put_number(&mut index, *items as u64);
                index.extend_from_slice(digest);
            }
            if section.has_keys() {
                for key in &pages.keys {
                    put_number(&mut index, key.len() as u64);
                    index.extend_from_slice(key);
                }
            }
        }
        let bytes = self.0.iter().map(|pages| pages.bytes.len()).sum::<usize>();
        let mut file = Header::write(&index, bytes as u64);
        file.reserve_exact(index.len() + bytes);
        file.extend_from_slice(&index);
        for pages in self.0 {
            file.extend_from_slice(&pages.bytes);
        }
        (file, digest(&index))
    }
}
