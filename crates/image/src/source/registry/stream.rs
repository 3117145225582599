//! A blob of a registry, read as it arrives. Where the connection breaks, the rest is asked for by
//! `Range`, and whoever reads, and hashes, notices nothing.

use super::session::Registry;
use crate::blob::Remote;
use crate::error::{ImageError, RegistryError};
use crate::limits;
use fetch::Body;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use vocabulary::Digest;

/// How often the rest of one blob is asked for. Each is tried several times again where no connection
/// comes about.
const RESUMES: u32 = 10;

/// The wait before the first of them; it grows by as much each time.
const PAUSE: Duration = Duration::from_millis(100);

/// What a registry keeps under a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A manifest or an index; also found by tag.
    Manifest,
    /// A configuration or a layer.
    Blob,
}

impl Kind {
    /// Its part of the URL.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Manifest => "manifests",
            Self::Blob => "blobs",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Blob => "blob",
        }
    }
}

/// A blob that lies in a registry.
#[derive(Clone)]
pub(crate) struct RemoteBlob {
    registry: Arc<Registry>,
    kind: Kind,
    digest: Digest,
    /// As the manifest says.
    size: Option<u64>,
}

impl fmt::Debug for RemoteBlob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RemoteBlob({:?}, {})", self.registry, self.digest)
    }
}

impl RemoteBlob {
    pub(crate) fn new(
        registry: Arc<Registry>,
        kind: Kind,
        digest: Digest,
        size: Option<u64>,
    ) -> Self {
        Self { registry, kind, digest, size: size.filter(|size| *size > 0) }
    }

    pub(crate) fn stream(&self) -> Result<Stream, ImageError> {
        let limit = self.size.unwrap_or(limits::LAYER_BYTES).min(limits::LAYER_BYTES);
        let mut stream = Stream {
            blob: self.clone(),
            limit,
            offset: 0,
            resumes: RESUMES,
            part: Part::Ended,
            failure: None,
        };
        stream.part = stream.fetch()?;
        Ok(stream)
    }
}

impl Remote for RemoteBlob {
    /// As the manifest says; 0 where it does not.
    fn size(&self) -> u64 {
        self.size.unwrap_or(0)
    }

    fn open(&self) -> Result<Box<dyn Read + Send>, ImageError> {
        Ok(Box::new(self.stream()?))
    }

    fn failed(&self, error: &io::Error) -> ImageError {
        self.registry.broken(error).into()
    }
}

/// The bytes of a blob.
pub(crate) struct Stream {
    blob: RemoteBlob,
    limit: u64,
    offset: u64,
    resumes: u32,
    part: Part,
    /// What ended it, and is said again to whoever goes on reading.
    failure: Option<String>,
}

enum Part {
    Running {
        body: Box<Body>,
        /// Whether the server said how long it is: where it did not, its end may be a break.
        announced: bool,
        /// Bytes to leave out: of a server that does not know `Range`.
        skip: u64,
    },
    Ended,
}

impl Stream {
    /// Asks for what is still to come.
    fn fetch(&self) -> Result<Part, RegistryError> {
        let from = (self.offset > 0).then_some(self.offset);
        let blob = &self.blob;
        let name = blob.digest.to_string();
        // A server that ignores `Range` sends all of it: what comes is counted below.
        let response = blob.registry.fetch(blob.kind, &name, from, self.limit)?;
        Ok(match response.status {
            416 => Part::Ended,
            status => Part::Running {
                announced: response.content_length.is_some(),
                skip: if status == 206 { 0 } else { self.offset },
                body: Box::new(response.body),
            },
        })
    }

    /// One step: bytes, or the end, or a break.
    fn step(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Part::Running { body, announced, skip } = &mut self.part else { return Ok(0) };
        while *skip > 0 {
            let room = usize::try_from(*skip).unwrap_or(usize::MAX).min(buffer.len());
            let count = body.read(buffer.get_mut(..room).unwrap_or_default())?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *skip -= count as u64;
        }
        let count = body.read(buffer)?;
        let short = !*announced && self.blob.size.is_some_and(|size| self.offset < size);
        if count == 0 && short {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += count as u64;
        if self.offset > self.limit {
            let reason =
                format!("it has more than the {} bytes that the manifest says", self.limit);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(count)
    }

    fn resume(&mut self, reason: &io::Error) -> io::Result<()> {
        let Some(left) = self.resumes.checked_sub(1) else {
            return Err(self.fail(format!("{reason}; gave up after {RESUMES} more attempts")));
        };
        self.resumes = left;
        std::thread::sleep(PAUSE.saturating_mul(RESUMES - left));
        match self.fetch() {
            Ok(part) => {
                self.part = part;
                Ok(())
            }
            Err(error) => Err(self.fail(error.to_string())),
        }
    }

    fn fail(&mut self, reason: String) -> io::Error {
        self.part = Part::Ended;
        self.failure = Some(reason.clone());
        io::Error::new(io::ErrorKind::ConnectionAborted, reason)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failure {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, failure.clone()));
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.step(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(self.fail(error.to_string()));
                }
                Err(error) => self.resume(&error)?,
            }
        }
    }
}
