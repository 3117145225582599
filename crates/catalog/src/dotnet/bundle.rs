//! A .NET program in a single file: finds the `deps.json` that it carries.
//!
//! In goes a program as a stream, out comes the text of its `deps.json`. The host holds the offset of the
//! bundle's header before a fixed signature; the header stands at the end of the file and says where the
//! `deps.json` lies, which has passed by then. So each text on the way that begins as a `deps.json` does is
//! kept until the header tells which one it is. The bundler packs all but this file and the runtime's
//! configuration, so that it always stands there in plain words; what is otherwise is a problem.
//! Source: .NET runtime, `src/native/corehost/bundle` and `Microsoft.NET.HostModel/Bundle/Manifest.cs`,
//! versions 1 (.NET Core 3), 2 (.NET 5) and 6.

use crate::binary::Elf;
use image::{Flow, ReadError};

/// What stands behind the offset of the header: SHA-256 of `.net core bundle` and a line end.
const SIGNATURE: [u8; 32] = [
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
    0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
];
/// The offset before the signature.
const OFFSET_BYTES: usize = 8;
/// Bytes of texts that are kept at once; a `deps.json` of a large program has about 1 MB.
const TEXT_LIMIT: usize = 16 << 20;
/// How many texts are kept. Others that begin so are not expected at all.
const TEXTS: usize = 16;
/// Bytes of the header with its table of files; a thousand files make some 100 KB.
const HEADER_LIMIT: usize = 8 << 20;
/// How many files a bundle may hold.
const FILE_LIMIT: u32 = 200_000;
/// How far behind a brace the first key is looked for.
const LOOK: usize = 96;
/// Pieces are looked at in steps of this size, so that memory does not grow with them.
const STEP: usize = 64 << 10;
/// The keys that a `deps.json` may begin with.
const KEYS: [&[u8]; 4] =
    [b"\"runtimeTarget\"", b"\"compilationOptions\"", b"\"targets\"", b"\"libraries\""];
/// The kind of a file that is the `deps.json`.
const DEPS_JSON: u8 = 3;

/// Reads one program.
#[derive(Debug)]
pub(super) struct Scanner {
    /// Where the host has its data, in which the signature stands.
    data: (u64, u64),
    /// Offset in the file of the first byte that is carried.
    at: u64,
    /// Bytes that are not done with.
    carried: Vec<u8>,
    /// Offset of the header, once it is known.
    header: Option<u64>,
    head: Vec<u8>,
    texts: Texts,
    over: bool,
}

impl Scanner {
    /// For a program whose first bytes these are; none for what is no host.
    pub(super) fn new(head: &[u8]) -> Option<Self> {
        let data = Elf::parse(head)?.data_of_program()?;
        Some(Self {
            data,
            at: 0,
            carried: Vec::new(),
            header: None,
            head: Vec::new(),
            texts: Texts::default(),
            over: false,
        })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Flow {
        for step in bytes.chunks(STEP) {
            if self.over {
                return Flow::Enough;
            }
            match self.header {
                Some(header) => {
                    let at = self.at;
                    self.take(header, at, step);
                }
                // Nothing but the host's data is looked through: programs are large, and few are hosts.
                None if self.carried.is_empty() && self.at + step.len() as u64 <= self.data.0 => {
                    self.at += step.len() as u64;
                }
                None => self.look_for_signature(step),
            }
        }
        if self.over { Flow::Enough } else { Flow::More }
    }

    /// The `deps.json`; none where it is no program in a single file.
    ///
    /// # Errors
    /// Where it is one, and its `deps.json` cannot be read.
    pub(super) fn finish(self) -> Result<Option<Vec<u8>>, ReadError> {
        if self.header.is_none() {
            return Ok(None);
        }
        let damaged =
            || ReadError::new("its bundle of .NET is damaged or cut off; publish it again");
        if self.head.len() > HEADER_LIMIT {
            return Err(ReadError::new("its bundle of .NET lists more files than can be read"));
        }
        let (offset, size) = match Header::parse(&self.head) {
            Ok(place) => place,
            Err(Wrong::Damaged) => return Err(damaged()),
            Err(Wrong::Version(version)) => {
                return Err(ReadError::new(format!(
                    "its bundle of .NET is of version {version}, which is not known: its packages cannot be told"
                )));
            }
            Err(Wrong::Nothing) => {
                return Err(ReadError::new(
                    "its bundle of .NET holds no deps.json: its packages cannot be told",
                ));
            }
        };
        self.texts.at(offset, size).map(Some).ok_or_else(|| {
            ReadError::new("the deps.json in its bundle of .NET is not plain text, or too large")
        })
    }

    fn look_for_signature(&mut self, step: &[u8]) {
        self.carried.extend_from_slice(step);
        let carried = std::mem::take(&mut self.carried);
        let mut from = 0;
        while let Some(found) =
            carried.get(from..).and_then(|rest| memchr::memmem::find(rest, &SIGNATURE))
        {
            let found = from + found;
            from = found + SIGNATURE.len();
            // What counts is in the host's data, however the pieces fall.
            let place = self.at.saturating_add(u64::try_from(found).unwrap_or(u64::MAX));
            let (least, end) = (OFFSET_BYTES as u64, SIGNATURE.len() as u64);
            if place < self.data.0.saturating_add(least) || place.saturating_add(end) > self.data.1
            {
                continue;
            }
            let before = found.checked_sub(OFFSET_BYTES).and_then(|at| carried.get(at..));
            let Some(offset) = before.and_then(|bytes| number(bytes, 0)) else { continue };
            // Programs that are not bundled have the place for it, empty.
            self.over = offset == 0;
            if offset != 0 {
                self.header = Some(offset);
                let at = self.at.saturating_add(u64::try_from(from).unwrap_or(u64::MAX));
                return self.take(offset, at, carried.get(from..).unwrap_or_default());
            }
        }
        let done = carried.len().saturating_sub(SIGNATURE.len() + OFFSET_BYTES);
        self.at = self.at.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
        self.carried.extend_from_slice(carried.get(done..).unwrap_or_default());
        self.over |= self.at > self.data.1;
    }

    /// Takes bytes behind the signature, at an offset of the file.
    fn take(&mut self, header: u64, at: u64, bytes: &[u8]) {
        self.at = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let skipped = usize::try_from(header.saturating_sub(at)).unwrap_or(usize::MAX);
        let room = (HEADER_LIMIT + 1).saturating_sub(self.head.len());
        let head = bytes.get(skipped..).unwrap_or_default();
        self.head.extend_from_slice(head.get(..room).unwrap_or(head));
        self.texts.feed(at, bytes);
    }
}

/// Texts that begin as a `deps.json`.
#[derive(Debug, Default)]
struct Texts {
    kept: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    open: Option<Open>,
    /// The end of the bytes before, in which a text may begin, and the offset behind it.
    carried: Vec<u8>,
    next: u64,
}

/// A text that is being collected.
#[derive(Debug, Default)]
struct Open {
    at: u64,
    text: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Texts {
    fn feed(&mut self, at: u64, bytes: &[u8]) {
        self.next = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut bytes = bytes;
        if let Some(rest) = self.collect(bytes) {
            bytes = rest;
        } else {
            return;
        }
        let mut joined = std::mem::take(&mut self.carried);
        joined.extend_from_slice(bytes);
        let mut rest: &[u8] = &joined;
        loop {
            let Some(start) = memchr::memchr(b'{', rest) else { return };
            rest = rest.get(start..).unwrap_or_default();
            if rest.len() < LOOK {
                self.carried.extend_from_slice(rest);
                return;
            }
            if self.kept.len() >= TEXTS || !begins(rest) {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let left = u64::try_from(rest.len()).unwrap_or(u64::MAX);
            self.open = Some(Open { at: self.next.saturating_sub(left), ..Open::default() });
            match self.collect(rest) {
                Some(behind) => rest = behind,
                None => return,
            }
        }
    }

    /// Adds to the text that is open; what is behind its end, or none where it goes on.
    fn collect<'bytes>(&mut self, bytes: &'bytes [u8]) -> Option<&'bytes [u8]> {
        let Some(open) = &mut self.open else { return Some(bytes) };
        let end = open.end_in(bytes);
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        if self.bytes.saturating_add(text.len()) > TEXT_LIMIT {
            self.bytes = self.bytes.saturating_sub(open.text.len());
            self.open = None;
            return bytes.get(text.len()..);
        }
        self.bytes = self.bytes.saturating_add(text.len());
        open.text.extend_from_slice(text);
        let rest = bytes.get(end?..);
        self.kept.extend(self.open.take().map(|open| (open.at, open.text)));
        rest
    }

    /// The text that lies within these bytes of the file.
    fn at(self, offset: u64, size: u64) -> Option<Vec<u8>> {
        let end = offset.checked_add(size)?;
        let inside = |(at, text): &(u64, Vec<u8>)| {
            let behind = u64::try_from(text.len()).ok().and_then(|length| at.checked_add(length));
            *at >= offset && behind.is_some_and(|behind| behind <= end)
        };
        self.kept.into_iter().find(inside).map(|(_, text)| text)
    }
}

impl Open {
    /// Where the text ends in its next bytes.
    fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' if !self.in_string => self.depth = self.depth.saturating_add(1),
                b'}' if !self.in_string => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether a `deps.json` may begin at this brace.
fn begins(bytes: &[u8]) -> bool {
    let inside = bytes.get(1..).unwrap_or_default().trim_ascii_start();
    KEYS.iter().any(|key| inside.starts_with(key))
}

enum Wrong {
    Damaged,
    Version(u32),
    Nothing,
}

/// The header of a bundle.
struct Header<'bytes> {
    rest: &'bytes [u8],
}

impl Header<'_> {
    /// Offset and size of the `deps.json`.
    fn parse(bytes: &[u8]) -> Result<(u64, u64), Wrong> {
        let mut header = Header { rest: bytes };
        let major = header.word().ok_or(Wrong::Damaged)?;
        if !matches!(major, 1..=6) {
            return Err(Wrong::Version(major));
        }
        header.place(major).ok_or(Wrong::Damaged)?.ok_or(Wrong::Nothing)
    }

    fn place(&mut self, major: u32) -> Option<Option<(u64, u64)>> {
        let (_minor, files) = (self.word()?, self.word()?);
        self.text()?;
        if major >= 2 {
            let (offset, size) = (self.double()?, self.double()?);
            let _configuration_and_flags = (self.double()?, self.double()?, self.double()?);
            if size > 0 {
                return Some(Some((offset, size)));
            }
        }
        if files > FILE_LIMIT {
            return None;
        }
        for _ in 0..files {
            let (offset, size) = (self.double()?, self.double()?);
            let packed = if major >= 6 { self.double()? } else { 0 };
            let kind = self.byte()?;
            self.text()?;
            if kind == DEPS_JSON && size > 0 {
                return Some(Some((offset, if packed > 0 { packed } else { size })));
            }
        }
        Some(None)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn word(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*bytes))
    }

    fn double(&mut self) -> Option<u64> {
        let value = number(self.rest, 0)?;
        self.rest = self.rest.get(8..)?;
        Some(value)
    }

    /// Skips a text behind its length, in seven bits a byte, lowest first.
    fn text(&mut self) -> Option<()> {
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(length..)?;
                return Some(());
            }
        }
        None
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
pub(super) mod fixture {
    //! Writes programs in a single file.

    use super::SIGNATURE;
    use crate::binary::fixture::elf;

    /// A program of a version of the bundle with these files: kind, content, and whether it is packed.
    pub(in super::super) fn program(major: u32, files: &[(u8, &[u8], bool)]) -> Vec<u8> {
        let data = [&b"data"[..], &[0; 8], &SIGNATURE].concat();
        let (mut bytes, start) = elf(b"", b"host", &data);
        let place = start + 4;
        bytes.extend([b'{'; 300]);
        let mut table = Vec::new();
        let mut deps = (0, 0);
        for (index, (kind, content, packed)) in files.iter().enumerate() {
            let (offset, size) = (bytes.len() as u64, content.len() as u64);
            bytes.extend(*content);
            table.extend(offset.to_le_bytes());
            table.extend((if *packed { size * 2 } else { size }).to_le_bytes());
            if major >= 6 {
                table.extend((if *packed { size } else { 0 }).to_le_bytes());
            }
            table.push(*kind);
            let name = format!("file{index}");
            table.push(u8::try_from(name.len()).unwrap());
            table.extend(name.as_bytes());
            if *kind == 3 {
                deps = (offset, size);
            }
        }
        let header = bytes.len() as u64;
        bytes[place..place + 8].copy_from_slice(&header.to_le_bytes());
        bytes.extend(major.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(u32::try_from(files.len()).unwrap().to_le_bytes());
        bytes.extend(b"\x04abcd");
        if major >= 2 {
            for value in [deps.0, deps.1, 0, 0, 0] {
                bytes.extend(value.to_le_bytes());
            }
        }
        bytes.extend(table);
        bytes
    }
}
