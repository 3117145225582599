//! Sparse files: the map of where their data belongs, in each of its four forms, and their expansion.
//!
//! A package database that was written sparse is one all the same, and engines unpack it. What comes
//! out is the file as it is unpacked, holes as zeros; holes that nobody wants cost nothing. Sources:
//! GNU tar manual, "Storing Sparse Files" (old GNU format; PAX 0.0, 0.1 and 1.0); what counts as valid
//! follows Go's archive/tar (`validateSparseEntries`).

use super::header::Header;
use super::{BLOCK, Meta, Sink, State, TarError, TarReader, padding_of, to_usize};
use crate::limits;
use vocabulary::FileKind;

/// Where the pieces of stored data belong: offset and length, in bytes.
pub(super) type Map = Vec<(u64, u64)>;

/// What is written for a hole at once.
static ZEROS: [u8; 16 << 10] = [0; 16 << 10];

/// Takes the entries of an old GNU map: 24 bytes each, from byte `at` of a block. None where one is
/// no number.
pub(super) fn take_gnu(block: &[u8; BLOCK], at: usize, count: usize, map: &mut Map) -> Option<()> {
    let header = Header(block);
    for entry in (0..count).map(|index| at + 24 * index) {
        if header.byte(entry) == 0 {
            break;
        }
        map.push((header.number(entry, 12)?, header.number(entry + 12, 12)?));
    }
    Some(())
}

/// A map as PAX 0.1 writes it: `offset,length,offset,length`.
pub(super) fn of_commas(text: &[u8]) -> Option<Map> {
    let text = std::str::from_utf8(text).ok()?;
    let numbers: Option<Vec<u64>> = text.split(',').map(|number| number.parse().ok()).collect();
    pairs(&numbers?)
}

fn pairs(numbers: &[u64]) -> Option<Map> {
    let (pairs, rest) = numbers.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[offset, length]| (*offset, *length)).collect())
}

/// A map as PAX 1.0 writes it, before the data: a count and then offsets and lengths, one number a
/// line, padded to whole blocks.
#[derive(Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    ends: usize,
}

impl Lines {
    /// Takes a block; the map once it is whole.
    pub(super) fn push(&mut self, block: &[u8], offset: u64) -> Result<Option<Map>, TarError> {
        let damaged = TarError::Field(offset, "sparse map");
        self.text.extend_from_slice(block);
        self.ends += memchr::memchr_iter(b'\n', block).count();
        let mut lines = self.text.split(|byte| *byte == b'\n');
        let number =
            |line: Option<&[u8]>| -> Option<u64> { std::str::from_utf8(line?).ok()?.parse().ok() };
        if self.ends == 0 {
            return if self.text.len() > BLOCK { Err(damaged) } else { Ok(None) };
        }
        let count = number(lines.next()).ok_or_else(|| damaged.clone())?;
        let count = usize::try_from(count).ok().filter(|count| *count <= limits::SPARSE_PIECES);
        let count = count.ok_or(TarError::Limit(limits::SPARSE_PIECES as u64, "sparse pieces"))?;
        if self.ends <= 2 * count {
            // A line holds at most twenty digits.
            let most = 21 * (2 * count + 1) + BLOCK;
            return if self.text.len() > most { Err(damaged) } else { Ok(None) };
        }
        let numbers: Option<Vec<u64>> =
            lines.take(2 * count).map(|line| number(Some(line))).collect();
        Ok(Some(numbers.and_then(|numbers| pairs(&numbers)).ok_or(damaged)?))
    }
}

/// A sparse file whose stored data passes by.
pub(super) struct Sparse {
    map: Map,
    next: usize,
    /// Bytes that were written out so far, and how many there will be.
    at: u64,
    size: u64,
    head: Vec<u8>,
    started: bool,
    wanted: bool,
}

impl Sparse {
    /// None where the map is not one of a file of `size` bytes with `stored` bytes of data.
    pub(super) fn new(map: Map, size: u64, stored: u64) -> Option<Self> {
        let (mut end, mut data) = (0_u64, 0_u64);
        for (offset, length) in &map {
            if *offset < end {
                return None;
            }
            end = offset.checked_add(*length)?;
            data = data.checked_add(*length)?;
        }
        let valid = end <= size && data == stored && size <= limits::LAYER_BYTES;
        let head = Vec::new();
        valid.then_some(Self { map, next: 0, at: 0, size, head, started: false, wanted: true })
    }

    /// Bytes that are no data.
    pub(super) fn holes(&self) -> u64 {
        self.size.saturating_sub(self.map.iter().map(|(_, length)| length).sum())
    }

    /// Takes stored data. What was written out of holes is counted into `holes`.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        meta: &Meta<'_>,
        sink: &mut impl Sink,
        holes: &mut u64,
    ) {
        while let (Some((offset, length)), false) =
            (self.map.get(self.next).copied(), bytes.is_empty())
        {
            self.hole(offset, meta, sink, holes);
            let left = (offset + length).saturating_sub(self.at);
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let (piece, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
            self.emit(piece, meta, sink);
            bytes = rest;
            if self.at >= offset + length {
                self.next += 1;
            }
        }
    }

    /// Writes out what is behind the last data, and ends the file.
    pub(super) fn finish(&mut self, meta: &Meta<'_>, sink: &mut impl Sink, holes: &mut u64) {
        self.hole(self.size, meta, sink, holes);
        if self.started {
            sink.end();
        } else {
            sink.whole(meta, &self.head);
        }
    }

    fn hole(&mut self, until: u64, meta: &Meta<'_>, sink: &mut impl Sink, holes: &mut u64) {
        while self.at < until {
            let left = until - self.at;
            if self.started && !self.wanted {
                self.at = until;
                return;
            }
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
            *holes = holes.saturating_add(take as u64);
            self.emit(ZEROS.get(..take).unwrap_or_default(), meta, sink);
        }
    }

    fn emit(&mut self, bytes: &[u8], meta: &Meta<'_>, sink: &mut impl Sink) {
        self.at += bytes.len() as u64;
        let mut rest = bytes;
        if !self.started {
            let room = limits::HEAD_BYTES.saturating_sub(self.head.len());
            let (front, behind) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.head.extend_from_slice(front);
            rest = behind;
            // A file that is no longer than its head comes whole in the end.
            if self.head.len() < limits::HEAD_BYTES || self.size <= limits::HEAD_BYTES as u64 {
                return;
            }
            self.started = true;
            self.wanted = sink.start(meta, &self.head) && sink.data(&self.head);
        }
        if self.wanted && !rest.is_empty() {
            self.wanted = sink.data(rest);
        }
    }
}

/// How the reader meets a sparse file.
impl TarReader {
    pub(super) fn gnu_sparse(
        &mut self,
        header: &Header<'_>,
        stored: u64,
        sink: &mut impl Sink,
    ) -> Result<(), TarError> {
        let damaged = TarError::Field(self.block_at, "sparse map");
        self.current.size = header.number(483, 12).ok_or_else(|| damaged.clone())?;
        take_gnu(header.0, 386, 4, &mut self.current.map).ok_or(damaged)?;
        if header.byte(482) == 0 {
            return self.begin_sparse(stored, sink);
        }
        self.state = State::SparseMap { stored };
        Ok(())
    }

    pub(super) fn sparse_block(
        &mut self,
        chunk: &mut &[u8],
        stored: u64,
        sink: &mut impl Sink,
    ) -> Result<(), TarError> {
        let more = self.with_bytes(chunk, BLOCK, |reader, block| {
            let damaged = TarError::Field(reader.block_at, "sparse map");
            let block = block.first_chunk::<BLOCK>().ok_or_else(|| damaged.clone())?;
            take_gnu(block, 0, 21, &mut reader.current.map).ok_or(damaged)?;
            if reader.current.map.len() > limits::SPARSE_PIECES {
                return Err(TarError::Limit(limits::SPARSE_PIECES as u64, "sparse pieces"));
            }
            Ok(block.get(504).is_some_and(|more| *more != 0))
        });
        if more.transpose()? == Some(false) { self.begin_sparse(stored, sink) } else { Ok(()) }
    }

    pub(super) fn sparse_lines(
        &mut self,
        chunk: &mut &[u8],
        sink: &mut impl Sink,
    ) -> Result<(), TarError> {
        let State::SparseLines { stored, mut lines } =
            std::mem::replace(&mut self.state, State::Header)
        else {
            return Ok(());
        };
        let found =
            self.with_bytes(chunk, BLOCK, |reader, block| lines.push(block, reader.block_at));
        let Some(found) = found else {
            self.state = State::SparseLines { stored, lines };
            return Ok(());
        };
        let left = stored.checked_sub(BLOCK as u64);
        let left = left.ok_or(TarError::Field(self.block_at, "sparse map"))?;
        match found? {
            None => self.state = State::SparseLines { stored: left, lines },
            Some(map) => {
                self.current.map = map;
                return self.begin_sparse(left, sink);
            }
        }
        Ok(())
    }

    /// Begins a sparse file whose map is known: `stored` bytes of data follow.
    pub(super) fn begin_sparse(
        &mut self,
        stored: u64,
        sink: &mut impl Sink,
    ) -> Result<(), TarError> {
        let map = std::mem::take(&mut self.current.map);
        let file = Sparse::new(map, self.current.size, stored);
        let mut file = file.ok_or(TarError::Field(self.block_at, "sparse map"))?;
        let meta = self.current.meta(FileKind::File);
        if self.holes.saturating_add(file.holes()) > self.hole_bytes {
            sink.unread(
                &meta,
                "sparse file: its holes are larger than is written out of one layer",
            );
            self.skip(stored);
        } else if stored == 0 {
            file.finish(&meta, sink, &mut self.holes);
            self.state = State::Header;
        } else {
            let padding = padding_of(stored);
            self.state = State::Sparse { file: Box::new(file), remaining: stored, padding };
        }
        Ok(())
    }

    pub(super) fn sparse_bytes(&mut self, chunk: &mut &[u8], sink: &mut impl Sink) {
        let State::Sparse { file, remaining, padding } = &mut self.state else { return };
        let take = to_usize(*remaining).min(chunk.len());
        let (body, rest) = chunk.split_at_checked(take).unwrap_or((*chunk, &[]));
        *chunk = rest;
        *remaining -= body.len() as u64;
        let meta = self.current.meta(FileKind::File);
        file.feed(body, &meta, sink, &mut self.holes);
        if *remaining == 0 {
            let padding = *padding;
            file.finish(&meta, sink, &mut self.holes);
            self.end_of_body(padding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn maps_that_engines_refuse_are_refused() {
        let new =
            |map: &[(u64, u64)], size, stored| Sparse::new(map.to_vec(), size, stored).is_some();
        assert!(new(&[(0, 5), (10, 5)], 20, 10) && new(&[], 20, 0) && new(&[(20, 0)], 20, 0));
        assert!(!new(&[(0, 5), (4, 5)], 20, 10), "pieces overlap");
        assert!(!new(&[(10, 5), (0, 5)], 20, 10), "pieces go backwards");
        assert!(!new(&[(16, 5)], 20, 5), "a piece is behind the end");
        assert!(!new(&[(0, 5)], 20, 6), "data that belongs nowhere");
        assert!(!new(&[(u64::MAX, 2)], u64::MAX, 2));
        assert!(!new(&[], u64::MAX, 0), "larger than any layer");
    }

    #[test]
    fn numbers_are_read_in_each_form() {
        assert_eq!(of_commas(b"0,5,10,5"), Some(vec![(0, 5), (10, 5)]));
        assert_eq!(of_commas(b"0,5,10"), None);
        assert_eq!(of_commas(b"0,x"), None);
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"2\n0\n5\n1", 0), Ok(None));
        assert_eq!(lines.push(b"0\n5\n\0\0\0", 0), Ok(Some(vec![(0, 5), (10, 5)])));
        assert!(Lines::default().push(b"x\n", 0).is_err());
        assert!(Lines::default().push(b"99999999999\n", 0).is_err());
        assert_eq!(Lines::default().push(b"0\n", 0), Ok(Some(Vec::new())));
    }

    proptest! {
        /// Whatever comes in pieces of any length, the map that is read is the one that was written.
        #[test]
        fn lines_may_be_divided_anywhere(
            map in prop::collection::vec((any::<u64>(), any::<u64>()), 0..60),
            piece in 1_usize..700,
        ) {
            let mut text = format!("{}\n", map.len());
            map.iter().for_each(|(offset, length)| text.push_str(&format!("{offset}\n{length}\n")));
            let mut lines = Lines::default();
            let mut found = None;
            for block in text.as_bytes().chunks(piece) {
                found = lines.push(block, 0).unwrap();
            }
            prop_assert_eq!(found, Some(map));
        }
    }
}
