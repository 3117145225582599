//! The outer tar of an image archive: which files it holds, and where.
//!
//! A plain archive is skimmed by seeking from header to header, so that a layer is read only when it
//! is walked, straight from its place. A packed archive (`docker save | gzip`, or xz, bzip2, zstd) must
//! be inflated to be skimmed, to the end of its last stream, so that what damages it or follows it is
//! noticed; its layers are then found again by their offset.

use crate::blob::{Blob, HEAD, PIECE, Packing, read_error, refused_packing, unpack};
use crate::error::ImageError;
use crate::limits;
use crate::tar::{Meta, Sink, TarReader};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use vocabulary::FileKind;

/// A file inside an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    At(u64, u64),
    LinkTo(String),
}

/// The table of contents of an image archive.
#[derive(Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    outer: Packing,
    files: HashMap<String, Place>,
}

impl Archive {
    /// How it is packed, where that makes it slow to read: no place in it can be sought, and it is
    /// unpacked from its beginning for each layer.
    pub(crate) const fn slow_packing(&self) -> Option<&'static str> {
        match self.outer {
            Packing::Plain => None,
            packing => Some(packing.name()),
        }
    }

    /// Whether a file begins like a tar, packed or not.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(crate) fn is_one(path: &Path) -> Result<bool, ImageError> {
        let fail = |source| read_error(path, source);
        let mut file = files::open_found(path).map_err(fail)?;
        let head = head_of(path, &mut file)?;
        let mut block = [0_u8; 512];
        let Ok(mut plain) = unpack(Packing::of(&head), BufReader::new(file)) else {
            return Ok(false);
        };
        let read = plain.read_exact(&mut block).is_ok();
        Ok(read && TarReader::default().push(&block, &mut Contents::default()).is_ok())
    }

    /// Reads the table of contents.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no tar.
    pub(crate) fn open(path: &Path) -> Result<Self, ImageError> {
        let fail = |source| read_error(path, source);
        let mut file = files::open_found(path).map_err(|error| match error.kind() {
            // A pipe would be waited for, and cannot be read twice.
            io::ErrorKind::InvalidInput => ImageError::Unrecognised(path.display().to_string()),
            _ => fail(error),
        })?;
        let head = head_of(path, &mut file)?;
        let packed_bytes = file.metadata().map_err(fail)?.len();
        let outer = Packing::of(&head);
        let shown = path.display().to_string();
        let mut contents = Contents::default();
        if outer == Packing::Plain {
            skim_seeking(&mut file, &shown, &mut contents)?;
        } else {
            let plain = unpack(outer, BufReader::with_capacity(PIECE, file)).map_err(fail)?;
            let mut plain = Bounded { plain, total: 0, packed_bytes };
            skim_streaming(&mut plain, &shown, &mut contents)?;
            to_the_end(&mut plain).map_err(|reason| damaged(&shown, &reason))?;
        }
        Ok(Self { path: path.to_owned(), outer, files: contents.files })
    }

    /// Whether it holds a file of this path.
    #[must_use]
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The blob at this path; links inside the archive (as old `docker save` wrote them) followed.
    #[must_use]
    pub(crate) fn blob(&self, path: &str) -> Option<Blob> {
        let mut at = path.to_owned();
        for _ in 0..8 {
            match self.files.get(&at)? {
                Place::At(offset, length) => {
                    return Some(Blob::range(self.path.clone(), *offset, *length, self.outer));
                }
                Place::LinkTo(target) => at.clone_from(target),
            }
        }
        None
    }
}

/// The first bytes of a file, which stands at its beginning again. Packings that are known and not read
/// are refused by name.
fn head_of(path: &Path, file: &mut File) -> Result<Vec<u8>, ImageError> {
    let fail = |source| read_error(path, source);
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).map_err(fail)?;
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    match refused_packing(&head) {
        Some(packing) => Err(ImageError::Packed { path: path.to_owned(), packing }),
        None => Ok(head),
    }
}

/// A stream that ends with an error where it yields more than a real archive would, by the bounds that
/// hold for layers.
struct Bounded<R> {
    plain: R,
    total: u64,
    packed_bytes: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.plain.read(buffer)?;
        self.total = self.total.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.total > limits::LAYER_BYTES {
            return Err(std::io::Error::other(format!(
                "over the limit of {} GiB; refusing to read on",
                limits::LAYER_BYTES >> 30
            )));
        }
        if self.total > limits::BOMB_GRACE
            && self.total / self.packed_bytes.max(1) > limits::BOMB_RATIO
        {
            return Err(std::io::Error::other(format!(
                "unpacks to more than {} times its size, as a decompression bomb does; refusing to read on",
                limits::BOMB_RATIO
            )));
        }
        Ok(count)
    }
}

/// Reads what follows the end of the tar: zeros, which writers pad with, and nothing else. A stream
/// that is damaged at its end, or followed by what is none, is noticed only so.
fn to_the_end(plain: &mut impl Read) -> Result<(), String> {
    let mut buffer = vec![0_u8; PIECE];
    loop {
        match plain.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                if buffer.iter().take(count).any(|byte| *byte != 0) {
                    return Err("something follows the end of the tar".to_owned());
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("it cannot be unpacked to its end: {error}")),
        }
    }
}

/// Gathers places. The offset of a file's content is told by whoever feeds the reader.
#[derive(Default)]
struct Contents {
    files: HashMap<String, Place>,
    last: Option<(String, u64)>,
    full: bool,
}

impl Contents {
    fn insert(&mut self, path: &str, place: Place) {
        if self.files.len() >= limits::ARCHIVE_ENTRIES {
            self.full = true;
        } else {
            self.files.insert(path.to_owned(), place);
        }
    }
}

impl Sink for Contents {
    fn entry(&mut self, meta: &Meta<'_>) {
        let target = match meta.kind {
            FileKind::HardLink => meta.link.to_owned(),
            FileKind::Symlink => {
                let folder = meta.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let mut target = folder.to_owned();
                if crate::tar::normalise(meta.link.as_bytes(), &mut target) {
                    return;
                }
                target
            }
            _ => return,
        };
        self.insert(meta.path, Place::LinkTo(target));
    }

    fn whole(&mut self, meta: &Meta<'_>, _content: &[u8]) {
        self.last = Some((meta.path.to_owned(), meta.size));
    }

    fn start(&mut self, meta: &Meta<'_>, _head: &[u8]) -> bool {
        self.last = Some((meta.path.to_owned(), meta.size));
        false
    }

    fn data(&mut self, _bytes: &[u8]) -> bool {
        false
    }

    fn end(&mut self) {}

    fn unread(&mut self, _meta: &Meta<'_>, _reason: &str) {}

    fn problem(&mut self, _path: &str, _reason: &str) {}
}

fn damaged(shown: &str, reason: &dyn std::fmt::Display) -> ImageError {
    ImageError::Document {
        image: shown.to_owned(),
        name: "the archive itself".to_owned(),
        what: "tar",
        reason: format!("{reason}; save the image again"),
    }
}

/// Reads headers and seeks over what lies between.
fn skim_seeking(file: &mut File, shown: &str, contents: &mut Contents) -> Result<(), ImageError> {
    let fail = |source| read_error(Path::new(shown), source);
    let length = file.metadata().map_err(fail)?.len();
    let mut tar = TarReader::default();
    let mut offset = 0_u64;
    let mut block = [0_u8; 512];
    while offset + 512 <= length && !tar.ended() {
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        file.read_exact(&mut block).map_err(fail)?;
        let content_at = offset;
        tar.push(&block, contents).map_err(|error| damaged(shown, &error))?;
        offset += 512;
        if let Some((path, size)) = contents.last.take() {
            // The block was the first of the content.
            let content_at = if size == 0 { offset } else { content_at };
            contents.insert(&path, Place::At(content_at, size));
        }
        offset = offset.saturating_add(tar.skip_ahead());
        check_full(shown, contents)?;
    }
    if offset > length {
        return Err(damaged(shown, &"truncated: the last file in it breaks off"));
    }
    Ok(())
}

fn skim_streaming(
    mut plain: impl Read,
    shown: &str,
    contents: &mut Contents,
) -> Result<(), ImageError> {
    let mut tar = TarReader::default();
    let mut offset = 0_u64;
    let mut block = vec![0_u8; 512];
    loop {
        match plain.read_exact(&mut block) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && offset > 0 => break,
            Err(error) => return Err(damaged(shown, &error)),
        }
        let content_at = offset;
        tar.push(&block, contents).map_err(|error| damaged(shown, &error))?;
        offset += 512;
        if let Some((path, size)) = contents.last.take() {
            let content_at = if size == 0 { offset } else { content_at };
            contents.insert(&path, Place::At(content_at, size));
        }
        let skip = tar.skip_ahead();
        let skipped = std::io::copy(&mut plain.by_ref().take(skip), &mut std::io::sink())
            .map_err(|error| damaged(shown, &error))?;
        if skipped < skip {
            return Err(damaged(shown, &"truncated: the last file in it breaks off"));
        }
        offset += skip;
        check_full(shown, contents)?;
        if tar.ended() {
            break;
        }
    }
    Ok(())
}

fn check_full(shown: &str, contents: &Contents) -> Result<(), ImageError> {
    if contents.full {
        return Err(ImageError::Limit {
            image: shown.to_owned(),
            name: "the archive itself".to_owned(),
            limit: limits::ARCHIVE_ENTRIES as u64,
            unit: "entries",
        });
    }
    Ok(())
}
