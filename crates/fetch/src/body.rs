//! A response body that can neither grow beyond its limit nor end early unnoticed.

use crate::options::Pace;
use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// The content of a response, read as it comes.
pub struct Body {
    reader: ureq::BodyReader<'static>,
    /// For error texts; already without secrets.
    url: String,
    limit: u64,
    taken: u64,
    announced: Option<u64>,
    pace: Pace,
    /// How long was waited in the present stretch, and what came in it.
    waited: Duration,
    came: u64,
}

impl Body {
    pub(crate) const fn new(
        reader: ureq::BodyReader<'static>,
        url: String,
        limit: u64,
        announced: Option<u64>,
        pace: Pace,
    ) -> Self {
        let waited = Duration::ZERO;
        Self { reader, url, limit, taken: 0, announced, pace, waited, came: 0 }
    }

    /// Holds the server to its pace. What we take ourselves between two reads is not held against it.
    fn keep_pace(&mut self, waited: Duration, came: u64) -> io::Result<()> {
        self.waited = self.waited.saturating_add(waited);
        self.came = self.came.saturating_add(came);
        if self.waited < self.pace.over {
            return Ok(());
        }
        let Self { url, came, pace: Pace { bytes, over }, .. } = self;
        if *came < *bytes {
            let seconds = over.as_secs();
            let text = format!("`{url}` is too slow: {came} bytes in {seconds} seconds; try again");
            // Not what a silent network is, which may be better the next time.
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, text));
        }
        (self.waited, self.came) = (Duration::ZERO, 0);
        Ok(())
    }

    /// All of it. What it takes in memory is bounded by the request's `max_bytes`.
    ///
    /// # Errors
    /// Where the connection breaks, or the body is longer than allowed or shorter than announced.
    pub fn into_vec(mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.read_to_end(&mut content)?;
        Ok(content)
    }

    fn check_end(&self) -> io::Result<usize> {
        match self.announced {
            Some(announced) if announced != self.taken => Err(self.cut_off()),
            _ => Ok(0),
        }
    }

    fn cut_off(&self) -> io::Error {
        let Self { url, taken, announced, .. } = self;
        let of = announced.map(|bytes| format!(" of {bytes}")).unwrap_or_default();
        io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("`{url}` was cut off after {taken}{of} bytes; try again"),
        )
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let began = Instant::now();
        let count = self.reader.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => self.cut_off(),
            kind => io::Error::new(kind, format!("`{}` broke off: {error}", self.url)),
        })?;
        if count == 0 {
            return self.check_end();
        }
        let came = u64::try_from(count).unwrap_or(u64::MAX);
        self.taken = self.taken.saturating_add(came);
        self.keep_pace(began.elapsed(), came)?;
        if self.taken > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("`{}` has more than the {} bytes allowed here", self.url, self.limit),
            ));
        }
        Ok(count)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Body")
            .field("url", &self.url)
            .field("limit", &self.limit)
            .field("taken", &self.taken)
            .field("announced", &self.announced)
            .finish_non_exhaustive()
    }
}
