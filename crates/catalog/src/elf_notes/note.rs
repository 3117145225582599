//! Finds the package note in an ELF file that passes by in pieces.
//!
//! The program headers, near the beginning, say where the notes lie. Only their bytes are kept.

use crate::binary::{Elf, Fields, NOTE};
use crate::language::plain_text;
use image::Flow;
use serde::{Deserialize, Serialize};

/// How much of the beginning is held until the program headers are read: 64 of them and the header.
const HEAD: usize = 4 << 10;
/// How many bytes of notes one file may have; usual ones have some hundred.
const NOTES_LIMIT: usize = 64 << 10;
/// `n_type` of a package note. Source: systemd, `ELF_PACKAGE_METADATA`.
const PACKAGE: u32 = 0xcafe_1a7e;
/// `n_name` of it, with the byte that ends it.
const OWNER: &[u8] = b"FDO\0";

/// What a note says.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Note {
    /// Type of the package URL.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    /// `ID` of os-release; empty where the note does not tell it.
    pub(super) os: String,
    pub(super) os_version: String,
}

#[derive(Deserialize)]
struct Json {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    version: String,
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default)]
    os: Option<String>,
    #[serde(default, rename = "osVersion")]
    os_version: Option<String>,
    #[serde(default, rename = "osCpe")]
    os_cpe: Option<String>,
}

/// Collects the notes of one file.
#[derive(Default)]
pub(super) struct Notes {
    head: Vec<u8>,
    /// Where the notes lie, and what of them was seen; none before the headers are read.
    segments: Option<Vec<Segment>>,
    position: u64,
}

struct Segment {
    begin: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Notes {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Flow {
        if self.segments.is_some() {
            return self.collect(bytes);
        }
        let taken = bytes.len().min(HEAD - self.head.len());
        let (begin, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(begin);
        if self.head.len() < HEAD {
            return Flow::More;
        }
        self.locate();
        self.collect(rest)
    }

    /// Reads the headers, and what of the notes lies in the head.
    fn locate(&mut self) {
        let head = std::mem::take(&mut self.head);
        let mut total = 0_usize;
        let segments = Elf::parse(&head).map(|elf| elf.segments).unwrap_or_default();
        let notes = segments.iter().filter(|segment| segment.kind == NOTE).filter_map(|segment| {
            total = total.saturating_add(usize::try_from(segment.size).ok()?);
            let end = segment.offset.checked_add(segment.size)?;
            (total <= NOTES_LIMIT).then(|| Segment {
                begin: segment.offset,
                end,
                bytes: Vec::new(),
            })
        });
        self.segments = Some(notes.collect());
        self.collect(&head);
        self.head = head;
    }

    fn collect(&mut self, bytes: &[u8]) -> Flow {
        let start = self.position;
        let stop = start.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.position = stop;
        let segments = self.segments.as_mut().map_or(&mut [][..], Vec::as_mut_slice);
        for segment in segments.iter_mut() {
            let (from, to) = (segment.begin.max(start), segment.end.min(stop));
            let range = from.checked_sub(start).zip(to.checked_sub(start));
            let range = range.and_then(|(from, to)| {
                Some(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
            });
            segment.bytes.extend(range.and_then(|range| bytes.get(range)).unwrap_or_default());
        }
        let more = segments.iter().any(|segment| segment.end > stop);
        if more { Flow::More } else { Flow::Enough }
    }

    /// The package note, if there is one that can be read.
    pub(super) fn finish(mut self) -> Option<Note> {
        if self.segments.is_none() {
            self.locate();
        }
        let (wide, big) = (*self.head.get(4)? == 2, *self.head.get(5)? == 2);
        let segments = self.segments.take()?;
        segments
            .iter()
            .find_map(|segment| package_note(Fields { bytes: &segment.bytes, big, wide }))
            .and_then(parse)
    }
}

/// The description of the package note among some notes: lengths of owner and description, type, owner,
/// description, both filled up to four bytes.
fn package_note<'bytes>(notes: Fields<'bytes>) -> Option<&'bytes [u8]> {
    let mut at = 0_usize;
    loop {
        let owner_length = usize::try_from(notes.word(at)?).ok()?;
        let length = usize::try_from(notes.word(at.checked_add(4)?)?).ok()?;
        let kind = notes.word(at.checked_add(8)?)?;
        let owner_at = at.checked_add(12)?;
        let text_at = owner_at.checked_add(owner_length.checked_next_multiple_of(4)?)?;
        let end = text_at.checked_add(length)?;
        let owner = notes.bytes.get(owner_at..owner_at.checked_add(owner_length)?)?;
        if kind == PACKAGE && owner == OWNER {
            return notes.bytes.get(text_at..end);
        }
        at = end.checked_next_multiple_of(4)?;
    }
}

fn parse(text: &[u8]) -> Option<Note> {
    let end = text.iter().rposition(|byte| *byte != 0)?;
    let json: Json = serde_json::from_slice(text.get(..=end)?).ok()?;
    let owned = |text: Option<&str>| text.and_then(plain_text).unwrap_or_default().to_owned();
    let (cpe_os, cpe_version) = json.os_cpe.as_deref().and_then(of_cpe).unwrap_or_default();
    let name = plain_text(&json.name).filter(|name| !name.contains('/'))?;
    Some(Note {
        kind: kind_of(&json.kind)?.to_owned(),
        name: name.to_owned(),
        version: plain_text(&json.version)?.to_owned(),
        architecture: owned(json.architecture.as_deref()),
        os: owned(json.os.as_deref().or(Some(cpe_os)).filter(|os| !os.contains('/'))),
        os_version: owned(json.os_version.as_deref().or(Some(cpe_version))),
    })
}

/// Type of the package URL.
fn kind_of(kind: &str) -> Option<&'static str> {
    Some(match kind.to_ascii_lowercase().as_str() {
        "rpm" => "rpm",
        "deb" => "deb",
        "apk" => "apk",
        "alpm" | "arch" | "pacman" => "alpm",
        "ebuild" | "portage" => "ebuild",
        _ => return None,
    })
}

/// Product and version of `cpe:/o:fedoraproject:fedora:33` or `cpe:2.3:o:debian:debian_linux:12`.
fn of_cpe(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("cpe:/o:").or_else(|| text.strip_prefix("cpe:2.3:o:"))?;
    let mut parts = rest.split(':').skip(1);
    let product = parts.next()?;
    let product = product.strip_suffix("_linux").unwrap_or(product);
    Some((product, parts.next().filter(|version| *version != "*").unwrap_or_default()))
}
