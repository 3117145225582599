//! Looks things up in a database that is carried over, and in lists of new numbers.

use crate::database::Database;
use crate::entry::{Block, Read};
use crate::format::{FormatError, Section};
use std::cmp::Ordering;
use std::ops::Range;

/// What has no number (yet).
pub(super) const NONE: u32 = u32::MAX;

/// References as they are: the number of a text.
pub(super) fn text(number: u64) -> Result<u32, FormatError> {
    u32::try_from(number).map_err(|_| FormatError::Content)
}

pub(super) fn old_block(old: &Database, number: u32) -> Result<Block<u32>, FormatError> {
    Read { reader: old.book().item(Section::Blocks, number)?, text }.block()
}

pub(super) fn release_name(old: &Database, number: u32) -> Result<&str, FormatError> {
    let at = usize::try_from(number).map_err(|_| FormatError::Content)?;
    old.releases().get(at).map(String::as_str).ok_or(FormatError::Content)
}

pub(super) fn place_of(releases: &[String], name: &str) -> Option<u32> {
    let at = releases.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
    u32::try_from(at).ok()
}

/// The number of the record with an id: they are sorted by it.
pub(super) fn find_record(old: &Database, id: &str) -> Result<Option<u32>, FormatError> {
    let (mut low, mut high) = (0, old.book().count(Section::Records));
    while low < high {
        let middle = low + (high - low) / 2;
        let known = old.string(old.book().item(Section::Records, middle)?.number()?)?;
        match known.cmp(id) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(Some(middle)),
        }
    }
    Ok(None)
}

/// The numbers of a record's blocks: they stand in the order of records.
pub(super) fn blocks_of(old: &Database, record: u32) -> Result<Range<u32>, FormatError> {
    let first = |record: u32| {
        let (mut low, mut high) = (0, old.book().count(Section::Blocks));
        while low < high {
            let middle = low + (high - low) / 2;
            match old.book().item(Section::Blocks, middle)?.small()? < record {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    };
    Ok(first(record)?..first(record.saturating_add(1))?)
}

pub(super) fn any(list: &[u32], at: u32) -> Result<u32, FormatError> {
    let at = usize::try_from(at).map_err(|_| FormatError::Content)?;
    list.get(at).copied().ok_or(FormatError::Content)
}

/// A number that must have been given.
pub(super) fn get(list: &[u32], at: u32) -> Result<u32, FormatError> {
    any(list, at)
        .and_then(|number| if number == NONE { Err(FormatError::Content) } else { Ok(number) })
}

pub(super) fn set(list: &mut [u32], at: u32, number: u32) -> Result<(), FormatError> {
    let at = usize::try_from(at).map_err(|_| FormatError::Content)?;
    *list.get_mut(at).ok_or(FormatError::Content)? = number;
    Ok(())
}
