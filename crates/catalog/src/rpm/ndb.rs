//! Finds header blobs in rpm's own database format, `Packages.db`.
//!
//! A file header, pages of slots, then blobs in blocks of 16 bytes; all little-endian. Each slot in
//! use names the first block of one blob, which carries its number again. Source: rpm,
//! `lib/backend/ndb/rpmpkg.c`.

use super::Damage;
use super::number::Order::Little;
use image::Flow;

const FILE_MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";

/// Size of a slot, of a block, and of a blob's head.
const UNIT: usize = 16;

/// Size of a blob's tail: checksum, length and mark.
const TAIL: usize = 12;

/// The file header takes the place of two slots.
const FIRST_SLOT: usize = 2 * UNIT;

const SLOT_PAGE: usize = 4096;

/// Whether a file is in this format.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(FILE_MAGIC)
}

/// Shows every blob.
pub(super) fn blobs(bytes: &[u8], visit: &mut dyn FnMut(&[u8]) -> Flow) -> Result<(), Damage> {
    if Little.u32(bytes, 4) != Some(0) {
        return Err(Damage("its version is not 0"));
    }
    let pages = Little.size(bytes, 12).ok_or(Damage("its header is cut short"))?;
    let end = pages.checked_mul(SLOT_PAGE).ok_or(Damage("its count of slots is absurd"))?;
    let slots = bytes.get(FIRST_SLOT..end).ok_or(Damage("its slots are cut short"))?;
    // Blobs do not overlap, so all of them together cannot be longer than the file.
    let mut left = bytes.len();
    for slot in slots.chunks_exact(UNIT) {
        if !slot.starts_with(SLOT_MAGIC) {
            return Err(Damage("a slot is not marked as one"));
        }
        if Little.u32(slot, 8) == Some(0) {
            continue;
        }
        let blob = blob(bytes, slot).ok_or(Damage("a slot leads to no blob"))?;
        left = left.checked_sub(blob.len()).ok_or(Damage("its blobs overlap"))?;
        if visit(blob) == Flow::Enough {
            break;
        }
    }
    Ok(())
}

fn blob<'file>(bytes: &'file [u8], slot: &[u8]) -> Option<&'file [u8]> {
    let (number, start, blocks) =
        (Little.u32(slot, 4)?, Little.size(slot, 8)?, Little.size(slot, 12)?);
    let all = bytes.get(start.checked_mul(UNIT)?..)?.get(..blocks.checked_mul(UNIT)?)?;
    if !all.starts_with(BLOB_MAGIC) || Little.u32(all, 4)? != number {
        return None;
    }
    let length = Little.size(all, 12)?;
    all.get(UNIT..all.len().checked_sub(TAIL)?)?.get(..length)
}
