//! Finds the crate list in a program that passes by in pieces.
//!
//! A zlib stream begins with one of four pairs of bytes. Where such a pair stands, the next bytes are
//! inflated on trial; in code, that breaks off after a few of them. What begins as a crate list is
//! then inflated to its end. Trials are bounded, so that a file made of such pairs costs no more than
//! a large program does.
//! Source: RFC 1950, section 2.2; RFC 1951, section 3.2.

use flate2::{Decompress, FlushDecompress, Status};
use image::{Flow, ReadError};

/// The first byte: deflate with a window of 32 KiB, the only form that `cargo auditable` writes.
const FIRST: u8 = 0x78;
/// The second byte: the four levels without a preset dictionary whose check bits fit the first.
const SECOND: [u8; 4] = [0x01, 0x5e, 0x9c, 0xda];
/// What a crate list begins with.
const START: &[u8] = b"{\"packages\":";
/// How many bytes a trial sees: code tables and the first twelve letters take at most about 300.
const TRIAL: usize = 512;
/// How many trials one file gets; a program of 200 MB needs about 6,000.
const TRIAL_LIMIT: u32 = 200_000;
/// Largest plain list: cargo-auditable's own advice to readers.
const PLAIN_LIMIT: usize = 8 << 20;
/// Pieces are looked at in steps of this size, which bounds what is copied between two of them.
const STEP: usize = 256 << 10;

/// Reads one program.
#[derive(Default)]
pub(super) struct Scanner {
    /// The end of the piece before, where a stream may begin that ends in the next one.
    carry: Vec<u8>,
    trials: u32,
    inflater: Option<Decompress>,
    list: Option<List>,
    failure: Option<&'static str>,
}

/// A list that is being inflated.
struct List {
    inflater: Decompress,
    plain: Vec<u8>,
    whole: bool,
}

impl Scanner {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Flow {
        for step in bytes.chunks(STEP) {
            if self.step(step) == Flow::Enough {
                return Flow::Enough;
            }
        }
        Flow::More
    }

    /// The plain list, if there is one.
    ///
    /// # Errors
    /// Where it begins as one and is damaged, cut off or too large.
    pub(super) fn finish(mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let carry = std::mem::take(&mut self.carry);
        if let Some(begin) = self.search(&carry, carry.len()) {
            self.inflate(carry.get(begin..).unwrap_or_default());
        }
        match (self.failure, self.list) {
            (Some(failure), _) => Err(ReadError::new(failure)),
            (None, Some(list)) if !list.whole => {
                Err(ReadError::new("its list of crates is cut off; fetch the program again"))
            }
            (None, list) => Ok(list.map(|list| list.plain)),
        }
    }

    fn step(&mut self, bytes: &[u8]) -> Flow {
        if self.list.is_some() {
            return self.inflate(bytes);
        }
        if !self.carry.is_empty() {
            // Streams that begin in the piece before, with as much of this one as a trial sees.
            let held = self.carry.len();
            let mut joined = std::mem::take(&mut self.carry);
            joined.extend_from_slice(bytes.get(..TRIAL).unwrap_or(bytes));
            if bytes.len() < TRIAL {
                return self.decide(&joined);
            }
            if let Some(begin) = self.search(&joined, held) {
                return match self.inflate(joined.get(begin..held).unwrap_or_default()) {
                    Flow::More => self.inflate(bytes),
                    Flow::Enough => Flow::Enough,
                };
            }
        }
        self.decide(bytes)
    }

    /// Tries all that begin far enough before the end, and carries the rest over.
    fn decide(&mut self, bytes: &[u8]) -> Flow {
        let sure = bytes.len().saturating_sub(TRIAL);
        if let Some(begin) = self.search(bytes, sure) {
            return self.inflate(bytes.get(begin..).unwrap_or_default());
        }
        self.carry.extend_from_slice(bytes.get(sure..).unwrap_or_default());
        if self.failure.is_some() { Flow::Enough } else { Flow::More }
    }

    /// Where before `end` a crate list begins, if one does.
    fn search(&mut self, bytes: &[u8], end: usize) -> Option<usize> {
        if self.failure.is_some() || self.list.is_some() {
            return None;
        }
        let starts = bytes.get(..end).unwrap_or(bytes);
        for at in memchr::memchr_iter(FIRST, starts) {
            let level = bytes.get(at + 1);
            if !level.is_some_and(|level| SECOND.contains(level)) {
                continue;
            }
            // The first block's type: stored blocks and the reserved type begin no list.
            let kind = bytes.get(at + 2).map_or(0, |byte| (byte >> 1) & 3);
            if kind != 1 && kind != 2 {
                continue;
            }
            self.trials += 1;
            if self.trials > TRIAL_LIMIT {
                self.failure = Some("it holds too many beginnings of packed data to try them all");
                return None;
            }
            if self.is_list(bytes.get(at..).unwrap_or_default()) {
                self.list =
                    Some(List { inflater: Decompress::new(true), plain: Vec::new(), whole: false });
                return Some(at);
            }
        }
        None
    }

    fn is_list(&mut self, bytes: &[u8]) -> bool {
        let inflater = self.inflater.get_or_insert_with(|| Decompress::new(true));
        inflater.reset(true);
        let mut plain = [0_u8; START.len()];
        let trial = bytes.get(..TRIAL).unwrap_or(bytes);
        let outcome = inflater.decompress(trial, &mut plain, FlushDecompress::None);
        outcome.is_ok() && plain == START
    }

    fn inflate(&mut self, bytes: &[u8]) -> Flow {
        let Some(list) = &mut self.list else { return Flow::More };
        if list.whole || self.failure.is_some() {
            return Flow::Enough;
        }
        let mut rest = bytes;
        loop {
            if list.plain.len() == list.plain.capacity() {
                list.plain.reserve(64 << 10);
            }
            let (read, written) = (list.inflater.total_in(), list.plain.len());
            let outcome =
                list.inflater.decompress_vec(rest, &mut list.plain, FlushDecompress::None);
            let taken = usize::try_from(list.inflater.total_in() - read).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            match outcome {
                Ok(Status::StreamEnd) => list.whole = true,
                Err(_) => self.failure = Some("its list of crates is damaged; build it again"),
                Ok(_) if list.plain.len() > PLAIN_LIMIT => {
                    self.failure = Some("its list of crates is larger than 8 MiB");
                }
                Ok(_) if taken == 0 && list.plain.len() == written => return Flow::More,
                Ok(_) => continue,
            }
            return Flow::Enough;
        }
    }
}
