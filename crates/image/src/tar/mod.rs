//! A tar reader that is fed: bytes go in as they are inflated, entries come out to a [`Sink`].
//!
//! Fed rather than pulling, so that the thread which hashes can hand each piece on without a copy: a
//! file that lies in one piece reaches its check as a slice of it. What counts as an entry follows
//! Go's archive/tar, because that is what engines unpack by, and a difference would let a layer show
//! one tree to us and another to them. Sources: POSIX.1-2017 pax, "ustar Interchange Format" and
//! "pax Extended Header"; GNU tar manual, "Basic Tar Format".

mod extended;
mod header;
mod path;
mod sparse;

use crate::limits::{self, LayerBounds};
use extended::{Extended, MetaKind, SparseForm};
use header::Header;
pub(crate) use path::normalise;
use path::push_text;
use record::RecordEntry;
use sparse::{Lines, Sparse};
use vocabulary::FileKind;

/// A tar block.
const BLOCK: usize = 512;

/// What a header says of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'tar> {
    /// Path in the root, `.` and `..` resolved, without a leading slash; empty for the root itself.
    pub path: &'tar str,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u64,
    /// Numeric group.
    pub gid: u64,
    /// Size of the content, expanded if sparse.
    pub size: u64,
    /// Target of a link.
    pub link: &'tar str,
    /// Extended attributes.
    pub attributes: &'tar [(String, Vec<u8>)],
}

impl Meta<'_> {
    /// As it is recorded.
    pub(crate) fn recorded(&self, digest: Option<[u8; 32]>) -> RecordEntry<&str, &[u8]> {
        let attributes = self.attributes.iter();
        RecordEntry {
            path: self.path,
            kind: self.kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: self.size,
            link: Some(self.link).filter(|link| !link.is_empty()),
            attributes: attributes.map(|(name, value)| (name.as_str(), value.as_slice())).collect(),
            layer: None,
            digest,
        }
    }
}

/// Takes the entries of a tar.
pub trait Sink {
    /// An entry without content: folder, link, device, pipe.
    fn entry(&mut self, meta: &Meta<'_>);

    /// A regular file whose whole content is at hand.
    fn whole(&mut self, meta: &Meta<'_>, content: &[u8]);

    /// A regular file whose content follows by [`Sink::data`]. `head` is its first bytes, and comes
    /// again as the first data. Returns whether the data is wanted.
    fn start(&mut self, meta: &Meta<'_>, head: &[u8]) -> bool;

    /// The next bytes of the file that was started. Returns whether more is wanted.
    fn data(&mut self, bytes: &[u8]) -> bool;

    /// The end of the file that was started.
    fn end(&mut self);

    /// A regular file whose content is not read.
    fn unread(&mut self, meta: &Meta<'_>, reason: &str);

    /// An entry that could not be taken as it is.
    fn problem(&mut self, path: &str, reason: &str);
}

/// Why a tar cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// A header whose checksum is wrong.
    #[error("damaged tar: wrong header checksum at byte {0}")]
    Checksum(u64),
    /// A number that is none.
    #[error("damaged tar: the header at byte {0} holds an invalid {1}")]
    Field(u64, &'static str),
    /// An extended header that is none.
    #[error("damaged tar: invalid extended header at byte {0}")]
    Extended(u64),
    /// A bound was passed.
    #[error("refusing to read on: over the limit of {0} {1}")]
    Limit(u64, &'static str),
    /// It ends within an entry.
    #[error("truncated: the tar ends in the middle of an entry, at byte {0}")]
    Truncated(u64),
}

enum State {
    Header,
    /// More of the map of a GNU sparse file follows its header.
    SparseMap {
        stored: u64,
    },
    /// The map of a sparse file stands before its data.
    SparseLines {
        stored: u64,
        lines: Lines,
    },
    Sparse {
        file: Box<Sparse>,
        remaining: u64,
        padding: u64,
    },
    Extended {
        kind: MetaKind,
        remaining: u64,
    },
    /// A file whose head is not yet at hand.
    Head {
        size: u64,
    },
    Body {
        remaining: u64,
        wanted: bool,
        padding: u64,
    },
    Skip {
        remaining: u64,
    },
    End,
}

/// The fed tar reader.
pub struct TarReader {
    state: State,
    /// Bytes of a block, extended header or head that is not whole yet.
    carry: Vec<u8>,
    extended: Option<Box<Extended>>,
    /// Scratch for the entry at hand.
    current: Current,
    /// Bytes taken so far.
    offset: u64,
    /// Where the block or header at hand begins.
    block_at: u64,
    entries: u64,
    zero_blocks: u8,
    /// Bytes of holes that were written out, and how many may be.
    holes: u64,
    hole_bytes: u64,
}

#[derive(Default)]
struct Current {
    path: String,
    link: String,
    attributes: Vec<(String, Vec<u8>)>,
    mode: u32,
    uid: u64,
    gid: u64,
    size: u64,
    map: sparse::Map,
}

impl Current {
    fn meta(&self, kind: FileKind) -> Meta<'_> {
        Meta {
            path: &self.path,
            kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: if kind == FileKind::File { self.size } else { 0 },
            link: &self.link,
            attributes: &self.attributes,
        }
    }
}

impl Default for TarReader {
    fn default() -> Self {
        Self {
            state: State::Header,
            carry: Vec::new(),
            extended: None,
            current: Current::default(),
            offset: 0,
            block_at: 0,
            entries: 0,
            zero_blocks: 0,
            holes: 0,
            hole_bytes: LayerBounds::default().hole_bytes,
        }
    }
}

const fn padding_of(size: u64) -> u64 {
    size.wrapping_neg() % 512
}

fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl TarReader {
    /// A reader that writes out at most so many bytes of holes.
    #[must_use]
    pub fn with_holes(hole_bytes: u64) -> Self {
        Self { hole_bytes, ..Self::default() }
    }

    /// Count of entries so far.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether the end marks have come.
    #[must_use]
    pub const fn ended(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Leaves out the rest of the file at hand, which the caller seeks over: its bytes, padding
    /// included. 0 where the next header, extended header or head is awaited.
    pub(crate) fn skip_ahead(&mut self) -> u64 {
        let (remaining, padding) = match self.state {
            State::Body { remaining, padding, .. } => (remaining, padding),
            State::Skip { remaining } => (remaining, 0),
            _ => return 0,
        };
        self.state = State::Header;
        self.offset += remaining + padding;
        remaining + padding
    }

    /// Takes the next bytes of the tar.
    ///
    /// # Errors
    /// Where the tar is damaged or over a limit. What follows is not to be fed.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), TarError> {
        let mut chunk = bytes;
        while !chunk.is_empty() {
            let before = chunk.len();
            match self.state {
                State::End => return Ok(()),
                State::Header => self.header_block(&mut chunk, sink)?,
                State::SparseMap { stored } => self.sparse_block(&mut chunk, stored, sink)?,
                State::SparseLines { .. } => self.sparse_lines(&mut chunk, sink)?,
                State::Sparse { .. } => self.sparse_bytes(&mut chunk, sink),
                State::Extended { kind, remaining } => {
                    self.extended_bytes(&mut chunk, kind, remaining)?;
                }
                State::Head { size } => self.head_bytes(&mut chunk, size, sink),
                State::Body { .. } => self.body_bytes(&mut chunk, sink),
                State::Skip { remaining } => {
                    let take = to_usize(remaining).min(chunk.len());
                    chunk = chunk.get(take..).unwrap_or_default();
                    let remaining = remaining - take as u64;
                    self.state =
                        if remaining == 0 { State::Header } else { State::Skip { remaining } };
                }
            }
            self.offset += (before - chunk.len()) as u64;
        }
        Ok(())
    }

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// Where that is in the middle of an entry.
    pub fn finish(&self) -> Result<(), TarError> {
        match self.state {
            // Engines take a tar without its end marks, and so do we.
            State::End => Ok(()),
            State::Header if self.carry.is_empty() => Ok(()),
            // The last file's padding is often left out.
            State::Skip { remaining } if remaining < BLOCK as u64 => Ok(()),
            _ => Err(TarError::Truncated(self.offset)),
        }
    }

    /// Hands `wanted` bytes from the front of `chunk` to `take`, through `carry` where they come in
    /// several pieces. None until they are all there.
    fn with_bytes<R>(
        &mut self,
        chunk: &mut &[u8],
        wanted: usize,
        take: impl FnOnce(&mut Self, &[u8]) -> R,
    ) -> Option<R> {
        if self.carry.is_empty() {
            self.block_at = self.offset;
            if let Some((front, rest)) = chunk.split_at_checked(wanted) {
                *chunk = rest;
                return Some(take(self, front));
            }
        }
        let missing = wanted.saturating_sub(self.carry.len());
        let (front, rest) = chunk.split_at_checked(missing).unwrap_or((*chunk, &[]));
        self.carry.extend_from_slice(front);
        *chunk = rest;
        if self.carry.len() < wanted {
            return None;
        }
        let mut carry = std::mem::take(&mut self.carry);
        let result = take(self, &carry);
        carry.clear();
        self.carry = carry;
        Some(result)
    }

    fn header_block(&mut self, chunk: &mut &[u8], sink: &mut impl Sink) -> Result<(), TarError> {
        let done =
            self.with_bytes(chunk, BLOCK, |reader, block| match block.first_chunk::<BLOCK>() {
                Some(block) => reader.header(block, sink),
                None => Ok(()),
            });
        done.unwrap_or(Ok(()))
    }

    fn header(&mut self, block: &[u8; BLOCK], sink: &mut impl Sink) -> Result<(), TarError> {
        let header = Header(block);
        if block.first() == Some(&0) && block.iter().all(|byte| *byte == 0) {
            self.zero_blocks += 1;
            if self.zero_blocks == 2 {
                self.state = State::End;
            }
            return Ok(());
        }
        if self.zero_blocks > 0 || !header.checksum_holds() {
            return Err(TarError::Checksum(self.block_at));
        }
        let size = header.number(124, 12).ok_or(TarError::Field(self.block_at, "size"))?;
        let meta = match header.type_flag() {
            b'x' | b'X' => Some(MetaKind::Pax),
            b'g' => Some(MetaKind::Global),
            b'L' => Some(MetaKind::LongPath),
            b'K' => Some(MetaKind::LongLink),
            _ => None,
        };
        if let Some(kind) = meta {
            if size > limits::TAR_META_BYTES {
                return Err(TarError::Limit(limits::TAR_META_BYTES, "bytes of an extended header"));
            }
            self.state = match size {
                0 => State::Header,
                remaining => State::Extended { kind, remaining },
            };
            return Ok(());
        }
        self.entries += 1;
        if self.entries > limits::LAYER_ENTRIES {
            return Err(TarError::Limit(limits::LAYER_ENTRIES, "entries"));
        }
        self.entry(&header, size, sink)
    }

    fn entry(
        &mut self,
        header: &Header<'_>,
        size: u64,
        sink: &mut impl Sink,
    ) -> Result<(), TarError> {
        // Few entries have one, and an empty one is much to move a million times.
        let extended = self.extended.take();
        let current = &mut self.current;
        current.attributes.clear();
        let extended = extended.as_deref();
        if let Some(extended) = extended {
            current.attributes.clone_from(&extended.attributes);
        }
        let said = |number: fn(&Extended) -> Option<u64>| extended.and_then(number);
        current.mode = u32::try_from(header.number(100, 8).unwrap_or(0) & 0o7777).unwrap_or(0);
        current.uid = said(|said| said.uid).or_else(|| header.number(108, 8)).unwrap_or(0);
        current.gid = said(|said| said.gid).or_else(|| header.number(116, 8)).unwrap_or(0);
        let stored = said(|said| said.size).unwrap_or(size);
        let mut escapes = false;
        let mut directory_name = false;
        current.path.clear();
        let said_path = extended.and_then(|said| said.sparse_name.as_ref().or(said.path.as_ref()));
        match said_path {
            Some(path) => {
                directory_name = path.last() == Some(&b'/');
                escapes |= normalise(path, &mut current.path);
            }
            None => header.with_path(|path| {
                directory_name = path.last() == Some(&b'/');
                escapes |= normalise(path, &mut current.path);
            }),
        }
        let kind = match header.type_flag() {
            b'0' | 0 | b'7' | b'S' if !directory_name => FileKind::File,
            b'5' | b'0' | 0 | b'7' | b'S' => FileKind::Directory,
            b'1' => FileKind::HardLink,
            b'2' => FileKind::Symlink,
            b'3' => FileKind::CharacterDevice,
            b'4' => FileKind::BlockDevice,
            b'6' => FileKind::Fifo,
            _ => {
                sink.problem(&current.path, "unknown type of tar entry");
                self.skip(stored);
                return Ok(());
            }
        };
        current.link.clear();
        match (extended.and_then(|extended| extended.link.as_deref()), kind) {
            (Some(link), FileKind::HardLink) => escapes |= normalise(link, &mut current.link),
            (None, FileKind::HardLink) => {
                escapes |= normalise(header.text(157, 100), &mut current.link)
            }
            (Some(link), FileKind::Symlink) => push_text(link, &mut current.link),
            (None, FileKind::Symlink) => push_text(header.text(157, 100), &mut current.link),
            _ => {}
        }
        if escapes {
            sink.problem(
                &current.path,
                "path leads out of the root; read as if the root were its own parent",
            );
        }
        if current.path.len() > limits::PATH_BYTES || current.link.len() > limits::PATH_BYTES {
            // With a slash, as no path of an entry begins: nothing of a later layer lies there.
            let shown: String =
                std::iter::once('/').chain(current.path.chars().take(200)).collect();
            sink.problem(&shown, "path longer than 4,096 bytes; entry left out");
            self.skip(if kind == FileKind::File { stored } else { 0 });
            return Ok(());
        }
        if kind != FileKind::File {
            // Like Go: an entry that can have no content has none, whatever its size says.
            sink.entry(&current.meta(kind));
            self.state = State::Header;
            return Ok(());
        }
        if stored > limits::LAYER_BYTES {
            return Err(TarError::Field(self.block_at, "size"));
        }
        current.size = stored;
        current.map.clear();
        if header.type_flag() == b'S' {
            return self.gnu_sparse(header, stored, sink);
        }
        let Some(extended) = extended.filter(|extended| extended.sparse) else {
            self.begin_file(stored, sink);
            return Ok(());
        };
        current.size = extended.real_size.unwrap_or(stored);
        match extended.sparse_form() {
            Ok(SparseForm::Here(map)) => {
                current.map = map;
                self.begin_sparse(stored, sink)
            }
            Ok(SparseForm::Before) if stored > 0 => {
                self.state = State::SparseLines { stored, lines: Lines::default() };
                Ok(())
            }
            Ok(SparseForm::Unknown) => {
                sink.unread(&current.meta(FileKind::File), "sparse file of an unknown form");
                self.skip(stored);
                Ok(())
            }
            Ok(SparseForm::Before) | Err(()) => Err(TarError::Field(self.block_at, "sparse map")),
        }
    }

    fn begin_file(&mut self, stored: u64, sink: &mut impl Sink) {
        if stored == 0 {
            sink.whole(&self.current.meta(FileKind::File), &[]);
            self.state = State::Header;
        } else {
            self.state = State::Head { size: stored };
        }
    }

    fn skip(&mut self, stored: u64) {
        let remaining = stored.saturating_add(padding_of(stored));
        self.state = if remaining == 0 { State::Header } else { State::Skip { remaining } };
    }

    fn head_bytes(&mut self, chunk: &mut &[u8], size: u64, sink: &mut impl Sink) {
        let whole = to_usize(size);
        if self.carry.is_empty()
            && let Some((content, rest)) = chunk.split_at_checked(whole)
        {
            sink.whole(&self.current.meta(FileKind::File), content);
            *chunk = rest;
            self.end_of_body(padding_of(size));
            return;
        }
        let wanted = whole.min(limits::HEAD_BYTES);
        let remaining = self.with_bytes(chunk, wanted, |reader, head| {
            let wanted = sink.start(&reader.current.meta(FileKind::File), head) && sink.data(head);
            let remaining = size - head.len() as u64;
            reader.state = State::Body { remaining, wanted, padding: padding_of(size) };
            remaining
        });
        if remaining == Some(0) {
            sink.end();
            self.end_of_body(padding_of(size));
        }
    }

    fn body_bytes(&mut self, chunk: &mut &[u8], sink: &mut impl Sink) {
        let State::Body { remaining, wanted, padding } = self.state else { return };
        let take = to_usize(remaining).min(chunk.len());
        let (body, rest) = chunk.split_at_checked(take).unwrap_or((*chunk, &[]));
        *chunk = rest;
        let wanted = wanted && sink.data(body);
        let remaining = remaining - body.len() as u64;
        if remaining == 0 {
            sink.end();
            self.end_of_body(padding);
        } else {
            self.state = State::Body { remaining, wanted, padding };
        }
    }

    fn end_of_body(&mut self, padding: u64) {
        self.state = if padding == 0 { State::Header } else { State::Skip { remaining: padding } };
    }

    fn extended_bytes(
        &mut self,
        chunk: &mut &[u8],
        kind: MetaKind,
        remaining: u64,
    ) -> Result<(), TarError> {
        let done = self.with_bytes(chunk, to_usize(remaining), |reader, bytes| {
            reader.extended.get_or_insert_default().apply(kind, bytes, reader.block_at)
        });
        if let Some(applied) = done {
            applied?;
            self.end_of_body(padding_of(remaining));
        }
        Ok(())
    }
}
