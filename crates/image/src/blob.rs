//! A stored blob: a file, a range of one, perhaps inside a packed archive, a tar that is made again
//! from an unpacked layer, or what a registry has; and how it is unpacked.

use crate::error::ImageError;
use crate::tar_split::{self, Notes};
use flate2::bufread::MultiGzDecoder;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are read at once.
pub(crate) const PIECE: usize = 256 << 10;

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952), any count of members.
    Gzip,
    /// Zstandard (RFC 8878), any count of frames.
    Zstd,
    /// xz, any count of streams, with padding between them. `docker load` takes it, also of layers.
    Xz,
    /// bzip2, any count of streams. Likewise.
    Bzip2,
}

/// Memory that an xz stream may ask for, in KiB: the largest preset asks for 64 MiB of dictionary.
/// Source: xz(1), "Memory usage".
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// Bytes that tell how a stream is packed.
pub(crate) const HEAD: u64 = 8;

impl Packing {
    /// What the first bytes show. Media types are not believed: engines go by the bytes too.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A zstd stream may begin with a skippable frame, as zstd:chunked writes them.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // The level, and the mark of a block or of the end: a file of a tar may be named `BZh9`.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => Self::Bzip2,
            _ => Self::Plain,
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// The formats that are recognised only in order to refuse them by name. Sources: the formats' own
/// specifications; file(1), `magic/Magdir/compress` and `archive`.
pub(crate) fn refused_packing(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => "lz4",
        [b'L', b'Z', b'I', b'P', 1, ..] => "lzip",
        [0x89, b'L', b'Z', b'O', 0, ..] => "lzop",
        // A file of a tar may be named `]`: a dictionary has a size.
        [0x5d, 0, 0, low, high, ..] if (*low, *high) != (0, 0) => "lzma",
        [0x1f, 0x9d, ..] => "compress",
        [0xff, 0x06, 0, 0, b's', b'N', b'a', b'P', ..] => "snappy",
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "7z",
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => "zip",
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => "rar",
        _ => return None,
    })
}

/// Unpacks a stream.
///
/// # Errors
/// Where the unpacker cannot be set up.
pub fn unpack<'read>(
    packing: Packing,
    packed: impl BufRead + Send + 'read,
) -> io::Result<Box<dyn Read + Send + 'read>> {
    Ok(match packing {
        Packing::Plain => Box::new(packed),
        Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
        Packing::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, XZ_MEMORY_KIB)),
        Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
    })
}

/// A blob that is fetched as it is read.
pub(crate) trait Remote: std::fmt::Debug + Send + Sync {
    /// Size in bytes as stored; 0 where it is not known.
    fn size(&self) -> u64;

    /// Begins to fetch it.
    fn open(&self) -> Result<Box<dyn Read + Send>, ImageError>;

    /// Why it broke off.
    fn failed(&self, error: &io::Error) -> ImageError;
}

/// Where a blob lies.
#[derive(Clone, Debug)]
pub struct Blob(Place);

#[derive(Clone, Debug)]
enum Place {
    File {
        path: PathBuf,
        /// Offset and length inside the file; the whole file where there is none.
        range: Option<(u64, u64)>,
        /// How the file around the range is packed.
        outer: Packing,
    },
    /// A file below a folder, which no link leads out of.
    Beneath { folder: PathBuf, path: PathBuf },
    /// A layer that lies unpacked, and the record that makes its tar again.
    Assembled { tar_split: PathBuf, folder: PathBuf },
    /// A blob of a registry, which is fetched as it is read.
    Remote(Arc<dyn Remote>),
}

/// A blob that is being read, and what was found to be otherwise than recorded while it is: path and
/// reason.
pub(crate) struct OpenBlob {
    pub(crate) bytes: Box<dyn Read + Send>,
    pub(crate) notes: Notes,
}

impl Blob {
    /// A whole file.
    #[must_use]
    pub const fn file(path: PathBuf) -> Self {
        Self(Place::File { path, range: None, outer: Packing::Plain })
    }

    /// A file at a relative path below a folder, if it is there. Links on the way are followed as long
    /// as they stay in the folder: layouts share blobs by them.
    pub(crate) fn beneath(folder: &Path, path: &str) -> Option<Self> {
        let path = PathBuf::from(path);
        let folder = folder.to_owned();
        match open_beneath(&folder, &path) {
            Err(error) if Self::is_not_there(&error) => None,
            // What else is wrong with it, such as too many open files, is said where it is read.
            _ => Some(Self(Place::Beneath { folder, path })),
        }
    }

    fn is_not_there(error: &io::Error) -> bool {
        use io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
        let number = error.raw_os_error();
        let leads_out = [Errno::XDEV, Errno::LOOP].map(|one| Some(one.raw_os_error()));
        let leads_out = leads_out.contains(&number);
        leads_out || matches!(error.kind(), InvalidInput | NotADirectory | NotFound)
    }

    /// A range of the plain form of a file.
    #[must_use]
    pub const fn range(path: PathBuf, offset: u64, length: u64, outer: Packing) -> Self {
        Self(Place::File { path, range: Some((offset, length)), outer })
    }

    /// The plain tar of a layer that lies unpacked in `folder`.
    #[must_use]
    pub const fn assembled(tar_split: PathBuf, folder: PathBuf) -> Self {
        Self(Place::Assembled { tar_split, folder })
    }

    /// A blob of a registry.
    pub(crate) const fn remote(remote: Arc<dyn Remote>) -> Self {
        Self(Place::Remote(remote))
    }

    /// Size in bytes as stored; 0 where it is known only after reading.
    ///
    /// # Errors
    /// Where the file cannot be looked at.
    pub fn size(&self) -> Result<u64, ImageError> {
        match &self.0 {
            Place::File { range: Some((_, length)), .. } => Ok(*length),
            Place::File { path, range: None, .. } => std::fs::metadata(path)
                .map(|meta| meta.len())
                .map_err(|source| read_error(path, source)),
            Place::Beneath { folder, path } => open_beneath(folder, path)
                .and_then(|file| Ok(file.metadata()?.len()))
                .map_err(|source| read_error(&folder.join(path), source)),
            Place::Assembled { .. } => Ok(0),
            Place::Remote(remote) => Ok(remote.size()),
        }
    }

    /// Opens it for reading from its beginning.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, ImageError> {
        Ok(self.open_noting()?.bytes)
    }

    pub(crate) fn open_noting(&self) -> Result<OpenBlob, ImageError> {
        match &self.0 {
            Place::File { path, range, outer } => {
                let bytes = open_file(path, *range, *outer)?;
                Ok(OpenBlob { bytes, notes: Notes::default() })
            }
            Place::Beneath { folder, path } => {
                let opened = open_beneath(folder, path);
                let file = opened.map_err(|source| read_error(&folder.join(path), source))?;
                Ok(OpenBlob { bytes: Box::new(file), notes: Notes::default() })
            }
            Place::Assembled { tar_split, folder } => {
                let opened = tar_split::open(tar_split, folder);
                let (tar, notes) = opened.map_err(|source| read_error(folder, source))?;
                Ok(OpenBlob { bytes: Box::new(tar), notes })
            }
            Place::Remote(remote) => {
                Ok(OpenBlob { bytes: remote.open()?, notes: Notes::default() })
            }
        }
    }

    /// Reads all of it, up to a limit. None where it is larger.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(&self, limit: u64) -> Result<Option<Vec<u8>>, ImageError> {
        let mut bytes = Vec::new();
        self.open()?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|source| {
            match &self.0 {
                Place::File { path, .. } => read_error(path, source),
                Place::Beneath { folder, path } => read_error(&folder.join(path), source),
                Place::Assembled { folder, .. } => read_error(folder, source),
                Place::Remote(remote) => remote.failed(&source),
            }
        })?;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }
}

fn open_beneath(folder: &Path, path: &Path) -> io::Result<File> {
    files::Folder::open(folder)?.file_within(path)
}

fn open_file(
    path: &Path,
    range: Option<(u64, u64)>,
    outer: Packing,
) -> Result<Box<dyn Read + Send>, ImageError> {
    let fail = |source| read_error(path, source);
    let mut file = files::open_found(path).map_err(fail)?;
    let Some((offset, length)) = range else { return Ok(Box::new(file)) };
    if outer == Packing::Plain {
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        return Ok(Box::new(file.take(length)));
    }
    let mut plain = unpack(outer, BufReader::with_capacity(PIECE, file)).map_err(fail)?;
    let skipped = io::copy(&mut plain.by_ref().take(offset), &mut io::sink()).map_err(fail)?;
    if skipped < offset {
        return Err(fail(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Box::new(plain.take(length)))
}

pub(crate) fn read_error(path: &Path, source: io::Error) -> ImageError {
    ImageError::Read { path: path.to_owned(), source }
}
