//! The content of an entry: found behind its local header, inflated, and held against the directory.

use crate::entry::Place;
use crate::error::ArchiveError;
use crate::number::u16_at;
use flate2::{Decompress, FlushDecompress, Status};

/// How many times larger than its packed bytes an entry may become: deflate itself ends at 1,032.
const RATIO_LIMIT: u64 = 1_100;
/// The first allocation for an inflated entry, whatever size it claims.
const FIRST_ALLOCATION: u64 = 1 << 20;

/// A local header without its names, section 4.3.7.
pub(crate) const LOCAL_HEADER: u64 = 30;
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// How many bytes of name and extra field follow a local header; the directory's may be others.
pub(crate) fn local_names(header: &[u8]) -> Option<u64> {
    if header.get(..4)? != LOCAL {
        return None;
    }
    Some(u64::from(u16_at(header, 26)?) + u64::from(u16_at(header, 28)?))
}

/// How an entry is packed.
pub(crate) enum Packing {
    Stored,
    Deflated,
}

/// How an entry is packed, where it can be read.
pub(crate) fn packing(place: &Place, shown: impl Fn() -> String) -> Result<Packing, ArchiveError> {
    match place.method {
        _ if place.flags & 1 != 0 => Err(ArchiveError::Encrypted(shown())),
        0 => Ok(Packing::Stored),
        8 => Ok(Packing::Deflated),
        other => Err(ArchiveError::Method(shown(), other)),
    }
}

/// Whether a content is what the directory says.
pub(crate) fn is_sound(content: &[u8], plain: u64, place: &Place) -> bool {
    let mut checksum = flate2::Crc::new();
    checksum.update(content);
    u64::try_from(content.len()).ok() == Some(plain) && checksum.sum() == place.checksum
}

/// Inflates an entry of `plain` bytes into an empty buffer; none where it becomes something else. The
/// buffer grows with what really comes.
pub(crate) fn inflate(
    packed: &[u8],
    plain: u64,
    inflater: &mut Decompress,
    into: &mut Vec<u8>,
) -> Option<()> {
    let most = u64::try_from(packed.len()).unwrap_or(u64::MAX).saturating_mul(RATIO_LIMIT);
    if plain > most {
        return None;
    }
    let first = usize::try_from(plain.min(FIRST_ALLOCATION)).ok()?;
    let limit = usize::try_from(plain).ok()?;
    into.reserve(first.max(1));
    inflater.reset(false);
    loop {
        let taken = usize::try_from(inflater.total_in()).ok()?;
        let rest = packed.get(taken..).unwrap_or_default();
        let before = into.len();
        let status = inflater.decompress_vec(rest, into, FlushDecompress::Finish).ok()?;
        if status == Status::StreamEnd {
            return Some(());
        }
        if into.len() < into.capacity() && into.len() == before || into.len() > limit {
            return None;
        }
        if into.len() == into.capacity() {
            // One byte over the limit shows an entry that is larger than it says.
            let more = into.len().min(limit.saturating_sub(into.len())).max(1);
            into.reserve_exact(more);
        }
    }
}
