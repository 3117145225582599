//! Finds the build information in a program that passes by as a stream.
//!
//! The linker puts a blob that begins with [`MAGIC`] at a multiple of 16 into the writable data. Go's
//! own reader asks the section headers, or takes the first 64 KiB of the first writable segment; a
//! stream has not seen the section headers yet, so all writable segments are searched, which finds
//! the blob also where the linker put tables before it (position-independent programs).
//!
//! Since Go 1.18 the blob holds its two texts inline. Before, it held pointers to two string headers
//! that come later in the file, whose text lies in read-only data that has passed by already. For
//! these, what the pointers could mean is noted while it passes: the module text between its
//! sentinels, and every place that could begin a version. That is done only for programs that carry
//! Go's build id note at their head, as Go's linker writes it.
//! Source: Go `debug/buildinfo` (1.13 to 1.24), `cmd/go/internal/modload`, `cmd/link/internal/ld`.

use super::build_info::semantic;
use super::functions::Tables;
use super::texts::Texts;
use crate::binary::{EXECUTE, Elf, Fields, LOAD, NOTE, WRITE};
use crate::language::ProofHasher;
use image::{ContentDigests, Flow};
use memchr::memmem;
use std::collections::HashMap;
use std::ops::Range;
use vocabulary::Functions;

/// What the blob begins with.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The blob stands at a multiple of this, and its fixed part is twice as long.
const ALIGNMENT: u64 = 16;
const BLOB_HEAD: usize = 32;
/// What stands before and after the module text.
const SENTINEL_START: [u8; 16] = [
    0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6,
];
const SENTINEL_END: [u8; 16] = [
    0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2,
];
/// How many bytes from the start must hold the program headers and the build id note.
const HEAD_BYTES: usize = 8 << 10;
/// Longest module text; Kubernetes has 30 KB.
const TEXT_LIMIT: usize = 4 << 20;
/// Longest version text.
const VERSION_LIMIT: usize = 256;
/// How far behind the blob the string headers of old programs may lie: in the same data segment.
const DATA_LIMIT: usize = 8 << 20;
/// How many places of an old program that could begin a version are noted.
const PLACE_LIMIT: usize = 16_384;
/// How long a version in such a place may be.
const PLACE_BYTES: usize = 32;
/// Pieces are looked at in steps of this size, so that memory does not grow with them.
const STEP: usize = 64 << 10;

/// The two texts of a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawBuildInfo {
    /// As a semantic version; empty where it is no release.
    pub(super) version: String,
    pub(super) modules: String,
    /// The functions, where their table is understood.
    pub(super) functions: Option<Functions>,
    /// The only version in its read-only data that ends with a zero byte.
    pub(super) text: Option<String>,
}

/// What a program turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// None of Go's, as far as can be seen.
    Other,
    /// One of Go's whose build information is not there or not understood.
    Silent,
    Told(RawBuildInfo),
}

/// Reads one program.
pub(super) struct Scanner {
    head: Vec<u8>,
    search: Option<Search>,
    /// Whether to make a proof if it turns out to be Go.
    wants_proof: bool,
    proof: Option<ProofHasher>,
}

impl Scanner {
    pub(super) fn new(wants_proof: bool) -> Self {
        Self { head: Vec::new(), search: None, wants_proof, proof: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Flow {
        if let Some(search) = &mut self.search {
            return feed(search, &mut self.proof, bytes);
        }
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(head);
        if self.head.len() < HEAD_BYTES {
            return Flow::More;
        }
        match self.begin() {
            Flow::More => self
                .search
                .as_mut()
                .map_or(Flow::Enough, |search| feed(search, &mut self.proof, rest)),
            Flow::Enough => Flow::Enough,
        }
    }

    /// The head is there (or the whole file, if it is shorter): where is the data?
    fn begin(&mut self) -> Flow {
        let head = std::mem::take(&mut self.head);
        let Some(elf) = Elf::parse(&head) else { return Flow::Enough };
        let noted = has_go_note(&elf, &head);
        // Hashing must begin before the blob is met; only the note tells in time.
        self.proof = (noted && self.wants_proof).then(ProofHasher::default);
        feed(self.search.insert(Search::new(elf, noted)), &mut self.proof, &head)
    }

    pub(super) fn finish(mut self) -> (Found, Option<ContentDigests>) {
        if self.search.is_none() {
            self.begin();
        }
        let found = self.search.map_or(Found::Other, Search::finish);
        let proof = self.proof.filter(|_| found != Found::Other).map(ProofHasher::finish);
        (found, proof)
    }
}

fn feed(search: &mut Search, proof: &mut Option<ProofHasher>, bytes: &[u8]) -> Flow {
    if let Some(proof) = proof {
        proof.update(bytes);
    }
    for step in bytes.chunks(STEP) {
        search.feed(step);
    }
    if search.is_over() && proof.is_none() { Flow::Enough } else { Flow::More }
}

/// Go's linker writes a note of this name at the head: cmd/link, `ELF_NOTE_GO_NAME`.
fn has_go_note(elf: &Elf, head: &[u8]) -> bool {
    elf.segments.iter().filter(|segment| segment.kind == NOTE).any(|segment| {
        let start = usize::try_from(segment.offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(segment.size).unwrap_or(usize::MAX));
        let note = head.get(start..end.min(head.len())).unwrap_or_default();
        memmem::find(note, b"Go\0\0").is_some()
    })
}

struct Search {
    elf: Elf,
    /// Offset in the file of the next byte.
    at: u64,
    /// The writable parts of the file, in order.
    writable: Vec<Range<u64>>,
    /// Where the last of them ends.
    end: u64,
    /// Bytes of a writable part that are not done with, and their offset.
    data: Vec<u8>,
    data_at: u64,
    old: Option<Passed>,
    outcome: Option<RawBuildInfo>,
    /// The tables of functions, looked for in programs with Go's note.
    tables: Option<Tables>,
    /// The parts of the file that are loaded and not written to, in order, and the texts in them, looked
    /// for in programs with Go's note.
    readable: Vec<Range<u64>>,
    texts: Option<Texts>,
    /// Where the last part that is loaded ends, and with it any table.
    loaded: u64,
}

/// What a candidate for the blob turns out to be.
enum Blob {
    Cut,
    Wrong,
    Inline(RawBuildInfo),
    Old { version_header: u64, big: bool, wide: bool },
}

impl Search {
    fn new(elf: Elf, noted: bool) -> Self {
        let parts = |wanted: &dyn Fn(u32) -> bool| {
            let parts = elf.segments.iter().filter(|one| one.kind == LOAD && wanted(one.flags));
            let mut parts: Vec<Range<u64>> =
                parts.map(|one| one.offset..one.offset.saturating_add(one.size)).collect();
            parts.sort_by_key(|range| range.start);
            parts
        };
        let writable = parts(&|flags| flags & (WRITE | EXECUTE) == WRITE);
        // Some linkers put read-only data beside the code.
        let readable = parts(&|flags| flags & WRITE == 0);
        let end = writable.iter().map(|range| range.end).max().unwrap_or(0);
        let old = noted.then(Passed::default);
        let (data, outcome) = (Vec::new(), None);
        let tables = noted.then(Tables::new);
        let parts = elf.segments.iter().filter(|one| one.kind == LOAD);
        let loaded = parts.map(|one| one.offset.saturating_add(one.size)).max().unwrap_or(0);
        let texts = noted.then(Texts::default);
        Self {
            elf,
            at: 0,
            writable,
            end,
            data,
            data_at: 0,
            old,
            outcome,
            tables,
            readable,
            texts,
            loaded,
        }
    }

    fn is_over(&self) -> bool {
        let named = self.tables.is_none() || self.at >= self.loaded;
        named && (self.outcome.is_some() || self.at >= self.end)
    }

    fn finish(self) -> Found {
        let noted = self.tables.is_some();
        let functions = self.tables.and_then(Tables::finish);
        let text = self.texts.and_then(|texts| texts.finish(&self.elf));
        match self.outcome {
            Some(outcome) => Found::Told(RawBuildInfo { functions, text, ..outcome }),
            None if noted => Found::Silent,
            None => Found::Other,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let start = self.at;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.at = start.saturating_add(length);
        if let Some(tables) = self.tables.as_mut().filter(|_| start < self.loaded) {
            tables.feed(bytes);
        }
        if let Some(texts) = &mut self.texts {
            for range in &self.readable {
                if let Some((from, part)) = overlap(range, start, bytes) {
                    texts.feed(from, part);
                }
            }
            for range in &self.writable {
                if let Some((_, part)) = overlap(range, start, bytes) {
                    texts.feed_writable(&self.elf, part);
                }
            }
        }
        if self.outcome.is_some() || start >= self.end {
            return;
        }
        if let Some(old) = &mut self.old {
            old.note(start, bytes);
        }
        for index in 0..self.writable.len() {
            let part = self.writable.get(index).and_then(|range| overlap(range, start, bytes));
            if let Some((from, part)) = part.filter(|_| self.outcome.is_none()) {
                self.take(from, part);
            }
        }
    }

    fn take(&mut self, offset: u64, bytes: &[u8]) {
        let held = u64::try_from(self.data.len()).unwrap_or(u64::MAX);
        if self.data_at.saturating_add(held) != offset {
            self.data.clear();
            self.data_at = offset;
        }
        self.data.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(found) = self.data.get(from..).and_then(|data| memmem::find(data, MAGIC)) {
            from += found;
            let aligned = self.offset_at(from).is_multiple_of(ALIGNMENT);
            if aligned && self.is_blob(from) {
                return self.forget(from);
            }
            from += 1;
        }
        let tail = self.data.len().saturating_sub(MAGIC.len());
        self.forget(from.max(tail));
    }

    fn offset_at(&self, index: usize) -> u64 {
        self.data_at.saturating_add(u64::try_from(index).unwrap_or(u64::MAX))
    }

    /// Whether the blob stands there, or could stand there once more has passed by.
    fn is_blob(&mut self, from: usize) -> bool {
        let may_grow = self.data.len() - from <= DATA_LIMIT;
        match self.look(from) {
            Blob::Wrong => false,
            Blob::Cut => may_grow,
            Blob::Inline(info) => {
                self.outcome = Some(info);
                true
            }
            Blob::Old { version_header, big, wide } => {
                let version = self.old_version(version_header, big, wide);
                if version.is_some() || !may_grow {
                    let modules = self.old.take().map(Passed::modules).unwrap_or_default();
                    let version = version.flatten().unwrap_or_default();
                    self.outcome =
                        Some(RawBuildInfo { version, modules, functions: None, text: None });
                }
                true
            }
        }
    }

    /// Drops bytes from the front of what is held.
    fn forget(&mut self, count: usize) {
        let count = count.min(self.data.len());
        self.data.drain(..count);
        self.data_at = self.offset_at(count);
    }

    /// Reads the blob that begins there.
    fn look(&self, from: usize) -> Blob {
        let data = self.data.get(from..).unwrap_or_default();
        let Some(rest) = data.get(BLOB_HEAD..) else { return Blob::Cut };
        let (Some(size), Some(flags)) = (data.get(14), data.get(15)) else { return Blob::Cut };
        if flags & 2 == 0 {
            let (big, wide) = (*flags != 0, *size == 8);
            if (*size != 4 && *size != 8) || *flags > 1 {
                return Blob::Wrong;
            }
            let pointer = Fields { bytes: data, big, wide }.address(16);
            let header = pointer.and_then(|pointer| self.elf.offset_of(pointer));
            // Without a note, nothing was noted while it passed.
            return match header.filter(|_| self.old.is_some()) {
                Some(version_header) => Blob::Old { version_header, big, wide },
                None => Blob::Wrong,
            };
        }
        let text = |bytes, limit| match sized(bytes, limit) {
            Sized::Text(text, rest) => Ok((text, rest)),
            Sized::Cut => Err(Blob::Cut),
            Sized::Wrong => Err(Blob::Wrong),
        };
        let version = match text(rest, VERSION_LIMIT) {
            Ok((version, rest)) if !version.is_empty() => {
                text(rest, TEXT_LIMIT).map(|(modules, _)| {
                    let version = semantic(&String::from_utf8_lossy(version)).unwrap_or_default();
                    RawBuildInfo { version, modules: unframe(modules), functions: None, text: None }
                })
            }
            Ok(_) => Err(Blob::Wrong),
            Err(blob) => Err(blob),
        };
        version.map_or_else(|blob| blob, Blob::Inline)
    }

    /// The version of an old program: none while its string header has not passed by; none inside
    /// where it is no release.
    fn old_version(&self, header: u64, big: bool, wide: bool) -> Option<Option<String>> {
        let Some(at) = header.checked_sub(self.data_at) else { return Some(None) };
        let at = usize::try_from(at).ok()?;
        let width = if wide { 8 } else { 4 };
        let fields = Fields { bytes: self.data.get(at..at.checked_add(2 * width)?)?, big, wide };
        let (pointer, length) = (fields.address(0)?, fields.address(width)?);
        let place = self.elf.offset_of(pointer);
        let text = place.and_then(|place| self.old.as_ref()?.places.get(&place));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let text = text.and_then(|text| text.get(..length));
        Some(text.and_then(|text| semantic(&String::from_utf8_lossy(text))))
    }
}

/// The bytes of a range, of those that begin at `start`, with their offset; none where there are none.
fn overlap<'bytes>(
    range: &Range<u64>,
    start: u64,
    bytes: &'bytes [u8],
) -> Option<(u64, &'bytes [u8])> {
    let end = start.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let (from, to) = (range.start.clamp(start, end), range.end.clamp(start, end));
    let inside = |offset: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
    let part = bytes.get(inside(from)..inside(to))?;
    (!part.is_empty()).then_some((from, part))
}

enum Sized<'bytes> {
    Text(&'bytes [u8], &'bytes [u8]),
    Cut,
    Wrong,
}

/// A text behind its length, in seven bits a byte, lowest first.
fn sized(bytes: &[u8], limit: usize) -> Sized<'_> {
    let mut length = 0_usize;
    for (index, shift) in (0..4).zip([0, 7, 14, 21]) {
        let Some(byte) = bytes.get(index) else { return Sized::Cut };
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 != 0 {
            continue;
        }
        if length > limit {
            return Sized::Wrong;
        }
        let rest = bytes.get(index + 1..).unwrap_or_default();
        return rest
            .split_at_checked(length)
            .map_or(Sized::Cut, |(text, rest)| Sized::Text(text, rest));
    }
    Sized::Wrong
}

/// The module text without its sentinels; empty where it has none.
fn unframe(framed: &[u8]) -> String {
    let inner =
        framed.strip_prefix(&SENTINEL_START).and_then(|text| text.strip_suffix(&SENTINEL_END));
    String::from_utf8_lossy(inner.unwrap_or_default()).into_owned()
}

/// What an old program's pointers could mean, noted while it passed by.
#[derive(Default)]
struct Passed {
    /// What may begin something that the next bytes end, and its offset.
    window: Vec<u8>,
    places: HashMap<u64, [u8; PLACE_BYTES]>,
    framed: Vec<u8>,
    whole: bool,
}

impl Passed {
    fn note(&mut self, offset: u64, bytes: &[u8]) {
        let before = u64::try_from(self.window.len()).unwrap_or_default();
        let window_at = offset.saturating_sub(before);
        self.window.extend_from_slice(bytes);
        for found in memmem::find_iter(&self.window, b"go1.") {
            let text = self.window.get(found..).and_then(|text| text.first_chunk());
            let Some(text) = text.filter(|_| self.places.len() < PLACE_LIMIT) else { break };
            let place = window_at.saturating_add(u64::try_from(found).unwrap_or_default());
            self.places.insert(place, *text);
        }
        self.frame(bytes);
        let done = self.window.len().saturating_sub(PLACE_BYTES - 1);
        self.window.drain(..done);
    }

    /// Collects the module text; begun in the window, gone on with in the bytes behind it.
    fn frame(&mut self, bytes: &[u8]) {
        if self.whole {
            return;
        }
        if self.framed.is_empty() {
            let Some(start) = memmem::find(&self.window, &SENTINEL_START) else { return };
            self.framed.extend_from_slice(self.window.get(start..).unwrap_or_default());
        } else {
            self.framed.extend_from_slice(bytes);
        }
        let looked_at = self.framed.len().saturating_sub(bytes.len().saturating_add(PLACE_BYTES));
        let fresh = self.framed.get(looked_at..).unwrap_or_default();
        if let Some(end) = memmem::find(fresh, &SENTINEL_END) {
            self.framed.truncate(looked_at + end + SENTINEL_END.len());
            self.whole = true;
        } else if self.framed.len() > TEXT_LIMIT {
            self.framed = Vec::new();
            self.whole = true;
        }
    }

    fn modules(self) -> String {
        if self.whole { unframe(&self.framed) } else { String::new() }
    }
}
