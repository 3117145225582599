//! The file that is passing by: who wants it, and what they make of it.

use super::{Collector, RecordLevel};
use crate::budget::Reservation;
use crate::check::{Entry, Flow, ReadError, Reader, Reading, Want};
use crate::dispatch::{Concerned, is_text};
use crate::documents::parsed;
use crate::limits;
use crate::tar::Meta;
use sha2::Digest as _;
use std::cell::OnceCell;
use std::sync::atomic::Ordering;
use vocabulary::FileKind;

/// The file that is passing by in pieces.
pub(super) struct Active<'walk> {
    path: String,
    mode: u32,
    size: u64,
    uid: u64,
    gid: u64,
    attributes: Vec<(String, Vec<u8>)>,
    /// Readers that want it whole.
    whole: Vec<Whole<'walk>>,
    buffer: Vec<u8>,
    _reservation: Option<Reservation<'walk>>,
    streams: Vec<Stream>,
    digest: Option<sha2::Sha256>,
}

/// A reader that wants a file whole, and under which path.
struct Whole<'walk> {
    number: u16,
    reader: &'walk dyn Reader,
    path: String,
    /// Whether it takes text alone.
    text: bool,
}

struct Stream {
    reader: u16,
    path: String,
    reading: Box<dyn Reading>,
    open: bool,
    /// What it was shown, where it takes text alone: that is known at the end.
    text: bool,
}

impl Active<'_> {
    /// Takes the next bytes: whether more are wanted, and how many of them readers were handed.
    pub(super) fn push(&mut self, bytes: &[u8]) -> (bool, u64) {
        let mut more = false;
        if !self.whole.is_empty() || self.streams.iter().any(|stream| stream.text) {
            self.buffer.extend_from_slice(bytes);
            more = true;
        }
        for stream in self.streams.iter_mut().filter(|stream| stream.open && !stream.text) {
            stream.open = stream.reading.push(bytes) == Flow::More;
            more |= stream.open;
        }
        let handed = if more { bytes.len() as u64 } else { 0 };
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
            more = true;
        }
        (more, handed)
    }
}

impl<'walk> Collector<'walk> {
    /// Calls `each` with every path that the file is to be taken for and the readers that it could
    /// concern.
    pub(super) fn candidates(
        &self,
        meta: &Meta<'_>,
        head: &[u8],
        mut each: impl FnMut(&Entry<'_>, u16, &'walk dyn Reader),
    ) {
        self.shown(meta, head, |entry, number, reader, _| each(entry, number, reader));
    }

    /// The same, with whether the reader takes the file as text alone.
    fn shown(
        &self,
        meta: &Meta<'_>,
        head: &[u8],
        mut each: impl FnMut(&Entry<'_>, u16, &'walk dyn Reader, bool),
    ) {
        let entry =
            Entry { path: meta.path, kind: FileKind::File, mode: meta.mode, size: meta.size };
        let mut show = |entry: &Entry<'_>, concerned: &Concerned, text| {
            for (number, reader) in concerned.iter().zip(self.dispatch.of(concerned)) {
                each(entry, number, reader, text);
            }
        };
        let Some(aliases) = self.aliases else {
            let mut concerned = self.dispatch.by_path(meta.path);
            self.dispatch.add_by_head(head, &mut concerned);
            show(&entry, &concerned, false);
            return show(&entry, &self.dispatch.by_text(meta.size, head, &concerned), true);
        };
        aliases.of(meta.path, self.place.saturating_sub(1), |path, readers| {
            show(&Entry { path, ..entry }, readers, false);
        });
    }

    /// Shows readers a file that lies in memory.
    pub(super) fn show_whole(&mut self, meta: &Meta<'_>, content: &[u8]) {
        let head = content.get(..limits::HEAD_BYTES).unwrap_or(content);
        let is_text_once = OnceCell::new();
        let (mut made, mut declined) = (Vec::new(), Vec::new());
        let mut handed = false;
        self.shown(meta, head, |entry, number, reader, text| {
            let want = reader.wants(entry, head);
            if matches!(want, Want::No) || text && !*is_text_once.get_or_init(|| is_text(content)) {
                declined.push(number);
                return;
            }
            handed = true;
            let fact = match want {
                Want::No => Ok(None),
                Want::Whole { at_most } if entry.size > at_most => Err(too_large(at_most)),
                Want::Whole { .. } => parsed(reader, entry, content),
                Want::Stream(mut reading) => {
                    reading.push(content);
                    reading.finish()
                }
            };
            if matches!(fact, Ok(None)) {
                declined.push(number);
            }
            made.push((number, entry.path.to_owned(), fact));
        });
        if handed {
            self.handed.fetch_add(content.len() as u64, Ordering::Relaxed);
        }
        self.declined(meta.path, &declined);
        for (reader, path, fact) in made {
            self.keep(reader, &path, fact);
        }
        if self.level != RecordLevel::None {
            let digest =
                (self.level == RecordLevel::Digests).then(|| sha2::Sha256::digest(content).into());
            self.record.push(&meta.recorded(digest));
        }
    }

    /// Begins a file that comes in pieces: whether any are wanted.
    pub(super) fn begin(&mut self, meta: &Meta<'_>, head: &[u8]) -> bool {
        let (mut whole, mut streams) = (Vec::new(), Vec::new());
        let (mut refused, mut declined) = (Vec::new(), Vec::new());
        self.shown(meta, head, |entry, number, reader, text| {
            let path = entry.path.to_owned();
            match reader.wants(entry, head) {
                Want::No => declined.push(number),
                Want::Whole { at_most } => {
                    let at_most = at_most.min(limits::WHOLE_FILE_BYTES);
                    if entry.size > at_most {
                        refused.push((number, path, at_most));
                    } else {
                        whole.push(Whole { number, reader, path, text });
                    }
                }
                Want::Stream(reading) => {
                    streams.push(Stream { reader: number, path, reading, open: true, text });
                }
            }
        });
        self.declined(meta.path, &declined);
        for (reader, path, at_most) in refused {
            self.note_of(reader, &path, &too_large(at_most).to_string());
        }
        if whole.is_empty() && streams.is_empty() && self.level == RecordLevel::None {
            return false;
        }
        let buffered = !whole.is_empty() || streams.iter().any(|stream| stream.text);
        let reservation = buffered.then(|| self.budget.reserve(meta.size));
        self.active = Some(Active {
            path: meta.path.to_owned(),
            mode: meta.mode,
            size: meta.size,
            uid: meta.uid,
            gid: meta.gid,
            attributes: meta.attributes.to_vec(),
            whole,
            buffer: Vec::new(),
            _reservation: reservation,
            streams,
            digest: (self.level == RecordLevel::Digests).then(sha2::Sha256::default),
        });
        true
    }

    /// Ends a file that came in pieces.
    pub(super) fn conclude(&mut self, active: Active<'_>) {
        let is_text_once = OnceCell::new();
        let is_text = || *is_text_once.get_or_init(|| is_text(&active.buffer));
        for Whole { number, reader, path, text } in &active.whole {
            let entry = Entry { path, kind: FileKind::File, mode: active.mode, size: active.size };
            if !text || is_text() {
                let fact = parsed(*reader, &entry, &active.buffer);
                self.keep(*number, path, fact);
            }
        }
        for Stream { reader, path, mut reading, text, .. } in active.streams {
            if text && !is_text() {
                continue;
            }
            if text {
                reading.push(&active.buffer);
            }
            let fact = reading.finish();
            self.keep(reader, &path, fact);
        }
        if self.level != RecordLevel::None {
            let meta = Meta {
                path: &active.path,
                kind: FileKind::File,
                mode: active.mode,
                uid: active.uid,
                gid: active.gid,
                size: active.size,
                link: "",
                attributes: &active.attributes,
            };
            self.record.push(&meta.recorded(active.digest.map(|digest| digest.finalize().into())));
        }
    }
}

fn too_large(at_most: u64) -> ReadError {
    ReadError::new(format!("larger than the {} MiB that are read of one such file", at_most >> 20))
}
