//! A loopback HTTP server that answers as a test says, or as a static file server does.
//!
//! In goes a function from request to reply, out comes a URL. Every connection serves one request,
//! on a thread of its own; what was received is kept, so that a test can say what was not sent.
//! Source: RFC 9110, "Conditional Requests" and "Range Requests".

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The largest request head that is read.
const HEAD_LIMIT: u64 = 1 << 20;

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `GET`, or `CONNECT` where the server plays a proxy.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What followed, by `content-length`.
    pub body: Vec<u8>,
}

impl Received {
    /// A header by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    sent: Option<usize>,
    chunked: bool,
    hang_up: bool,
    delay: Duration,
}

impl Reply {
    /// A status without a body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            sent: None,
            chunked: false,
            hang_up: false,
            delay: Duration::ZERO,
        }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Closes the connection without a word.
    #[must_use]
    pub fn hang_up() -> Self {
        Self { hang_up: true, ..Self::status(0) }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another status.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Breaks off after so many bytes of the body, having announced all of them.
    #[must_use]
    pub const fn cut_after(mut self, bytes: usize) -> Self {
        self.sent = Some(bytes);
        self
    }

    /// Sends the body in chunks, its length not announced.
    #[must_use]
    pub const fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Waits before it answers.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn write(&self, mut stream: &TcpStream) -> io::Result<()> {
        std::thread::sleep(self.delay);
        if self.hang_up {
            return Ok(());
        }
        let mut head = format!("HTTP/1.1 {} Test\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has_length = self.headers.iter().any(|(name, _)| name == "content-length");
        if self.chunked {
            head.push_str("transfer-encoding: chunked\r\n");
        } else if !has_length && !matches!(self.status, 204 | 304) {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        let body = self.body.get(..self.sent.unwrap_or(self.body.len())).unwrap_or(&self.body);
        if !self.chunked {
            return stream.write_all(body);
        }
        for chunk in body.chunks(1000) {
            stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        if self.sent.is_none() { stream.write_all(b"0\r\n\r\n") } else { Ok(()) }
    }
}

/// A server on a port of its own, until it is dropped.
pub struct Server {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server that answers by a function.
    ///
    /// # Errors
    /// Where no port can be had.
    pub fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let received = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (kept, stop, answer) = (Arc::clone(&received), Arc::clone(&stopping), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, &kept, answer.as_ref()));
            }
        });
        Ok(Self { url, received, stopping })
    }

    /// Starts a server that gives these answers one after the other, then the last one for ever.
    ///
    /// # Errors
    /// Where no port can be had.
    pub fn replies(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let left: Mutex<VecDeque<Reply>> = Mutex::new(replies.into_iter().collect());
        Self::start(move |_| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            match left.len() {
                0 => Reply::status(404),
                1 => left.front().cloned().unwrap_or(Reply::status(404)),
                _ => left.pop_front().unwrap_or(Reply::status(404)),
            }
        })
    }

    /// Starts a static file server over a folder, with ETags, dates and ranges.
    ///
    /// # Errors
    /// Where no port can be had.
    pub fn files(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        Self::start(move |request| file(&folder, request))
    }

    /// Its address, without a closing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What came in so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// What a static file server answers; for tests that want to change some answers.
#[must_use]
pub fn file(folder: &Path, request: &Received) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let path = path.replace("%20", " ");
    let path = Path::new(&path);
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Reply::status(404);
    }
    let Ok(content) = std::fs::read(folder.join(path)) else { return Reply::status(404) };
    let etag = format!("\"{}\"", vocabulary::Digest::of(&content).hex().get(..16).unwrap_or("x"));
    if request.header("if-none-match") == Some(etag.as_str()) {
        return Reply::status(304).header("etag", &etag);
    }
    let same = request.header("if-range").is_none_or(|known| known == etag);
    let reply = partial(content, request, same);
    reply.header("etag", &etag).header("accept-ranges", "bytes")
}

/// A content, or, where `ranges` says so and the request asks for it, the end of it.
#[must_use]
pub fn partial(content: Vec<u8>, request: &Received, ranges: bool) -> Reply {
    let from = request
        .header("range")
        .filter(|_| ranges)
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let whole = content.len();
    match from {
        Some(from) if from >= whole => {
            Reply::status(416).header("content-range", &format!("bytes */{whole}"))
        }
        Some(from) => Reply::ok(content.get(from..).unwrap_or_default())
            .with_status(206)
            .header("content-range", &format!("bytes {from}-{}/{whole}", whole - 1)),
        None => Reply::ok(content),
    }
}

fn serve(stream: &TcpStream, kept: &Mutex<Vec<Received>>, answer: &dyn Fn(&Received) -> Reply) {
    // A client that went away is its own affair.
    let Ok(Some(request)) = receive(stream) else { return };
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let _ = answer(&request).write(stream);
}

fn receive(stream: &TcpStream) -> io::Result<Option<Received>> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.take(HEAD_LIMIT));
    let mut lines = reader.by_ref().lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        match line.split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => break,
        }
    }
    let mut request = Received { method, path, headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|text| text.parse().ok());
    reader.take(length.unwrap_or(0)).read_to_end(&mut request.body)?;
    Ok(Some(request))
}
