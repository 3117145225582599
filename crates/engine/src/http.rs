//! One HTTP/1.1 request at a time to an engine, over a socket of this machine or TCP.
//!
//! Every answer is bounded in size and in silence; an answer that is no success becomes one line.

use crate::error::{EngineError, one_line};
use crate::limits;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use vocabulary::Engine;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// `unix:///PATH`, `tcp://HOST:PORT`, `http://HOST:PORT`.
    pub(crate) fn of_docker(text: &str) -> Result<Self, EngineError> {
        let wrong = || EngineError::Address(one_line(text));
        if let Some(path) = text.strip_prefix("unix://") {
            return (!path.is_empty()).then(|| Self::Unix(path.into())).ok_or_else(wrong);
        }
        let host = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://"));
        let host = host.map(|host| host.trim_end_matches('/')).ok_or_else(wrong)?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        if host.is_empty() || !host.bytes().all(good) {
            return Err(wrong());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        // 2375 is what Docker's own client takes.
        Ok(Self::Tcp(if has_port { host.to_owned() } else { format!("{host}:2375") }))
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp(host) => host.clone(),
        }
    }
}

/// A stream of either kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens a connection to an engine.
pub(crate) async fn dial(
    engine: Engine,
    address: &Address,
) -> Result<Box<dyn Stream>, EngineError> {
    let opened = async {
        let stream: io::Result<Box<dyn Stream>> = match address {
            Address::Unix(path) => UnixStream::connect(path)
                .await
                .map(|stream| -> Box<dyn Stream> { Box::new(stream) }),
            Address::Tcp(host) => {
                TcpStream::connect(host).await.map(|stream| -> Box<dyn Stream> { Box::new(stream) })
            }
        };
        stream
    };
    match tokio::time::timeout(limits::CONNECT, opened).await {
        Err(_) => Err(timeout(engine, address, limits::CONNECT)),
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(not_opened(engine, address, &error)),
    }
}

fn not_opened(engine: Engine, address: &Address, error: &io::Error) -> EngineError {
    let shown = address.shown();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            EngineError::NotThere { engine, address: shown }
        }
        io::ErrorKind::PermissionDenied => EngineError::Denied { engine, address: shown },
        _ => EngineError::Connection { engine, address: shown, reason: error.to_string() },
    }
}

pub(crate) fn timeout(engine: Engine, address: &Address, after: Duration) -> EngineError {
    EngineError::Timeout { engine, address: address.shown(), seconds: after.as_secs() }
}

/// The runtime that one client's requests run on.
pub(crate) fn runtime(
    engine: Engine,
    address: &Address,
) -> Result<tokio::runtime::Runtime, EngineError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        EngineError::Connection { engine, address: address.shown(), reason: error.to_string() }
    })
}

/// Asks Docker.
#[derive(Debug)]
pub(crate) struct Http {
    address: Address,
    /// How long less than [`limits::PACE_BYTES`] may take.
    pace: Duration,
    runtime: tokio::runtime::Runtime,
}

/// An answer that is no success.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

/// What came of a request.
pub(crate) type Answer<T> = Result<Result<T, Refusal>, EngineError>;

impl Http {
    pub(crate) fn new(address: Address) -> Result<Self, EngineError> {
        let runtime = runtime(Engine::Docker, &address)?;
        Ok(Self { address, pace: limits::PACE, runtime })
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// The whole body.
    pub(crate) fn get(&self, path: &str) -> Answer<Vec<u8>> {
        self.get_within(path, limits::WHOLE_ANSWER)
    }

    fn get_within(&self, path: &str, whole: Duration) -> Answer<Vec<u8>> {
        let mut body = Vec::new();
        let taken = self.bounded(
            path,
            (limits::ANSWER, whole),
            limits::ANSWER_BYTES as u64,
            &mut |piece| {
                body.extend_from_slice(piece);
                Ok(())
            },
        )?;
        Ok(taken.map(|()| body))
    }

    /// The body in pieces, whatever its size up to the limit.
    pub(crate) fn fetch(
        &self,
        path: &str,
        patience: Duration,
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>,
    ) -> Answer<()> {
        self.bounded(path, (patience, Duration::MAX), limit, take)
    }

    /// `patience` bounds each silence, and all of it together.
    fn bounded(
        &self,
        path: &str,
        (patience, whole): (Duration, Duration),
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>,
    ) -> Answer<()> {
        let exchange = async {
            let response = self.ask(path, patience).await?;
            let status = response.status();
            if status != StatusCode::OK {
                let mut text = Vec::new();
                let bound = limits::MANIFEST_BYTES;
                self.drain(path, response, patience, bound, &mut |piece| {
                    text.extend_from_slice(piece);
                    Ok(())
                })
                .await?;
                return Ok(Err(Refusal { status, message: message_of(&text, status) }));
            }
            self.drain(path, response, patience, limit, take).await.map(Ok)
        };
        self.runtime.block_on(async {
            let over = |_| Err(timeout(Engine::Docker, &self.address, whole));
            tokio::time::timeout(whole, exchange).await.unwrap_or_else(over)
        })
    }

    async fn ask(&self, path: &str, patience: Duration) -> Result<Response<Incoming>, EngineError> {
        let stream = dial(Engine::Docker, &self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|error| self.broken(&error))?;
        tokio::spawn(connection);
        let request = Request::get(path)
            .header("host", "docker")
            .header("user-agent", "lazaret")
            .body(Empty::new())
            .map_err(|error| self.broken(&error))?;
        match tokio::time::timeout(patience, sender.send_request(request)).await {
            Err(_) => Err(timeout(Engine::Docker, &self.address, patience)),
            Ok(response) => response.map_err(|error| self.broken(&error)),
        }
    }

    async fn drain(
        &self,
        path: &str,
        response: Response<Incoming>,
        patience: Duration,
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut body = response.into_body();
        let mut total = 0_u64;
        // The first piece may be waited for; what comes then keeps a pace.
        let (mut waited, mut came) = (Duration::ZERO, 0_u64);
        loop {
            let began = Instant::now();
            let frame = match tokio::time::timeout(patience, body.frame()).await {
                Err(_) => return Err(timeout(Engine::Docker, &self.address, patience)),
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => frame.map_err(|error| self.broken(&error))?,
            };
            let Some(piece) = frame.data_ref() else { continue };
            if total > 0 {
                waited += began.elapsed();
                came += piece.len() as u64;
            }
            if waited >= self.pace {
                if came < limits::PACE_BYTES {
                    return Err(timeout(Engine::Docker, &self.address, self.pace));
                }
                (waited, came) = (Duration::ZERO, 0);
            }
            total += piece.len() as u64;
            if total > limit {
                let what = one_line(path);
                return Err(EngineError::Limit { engine: Engine::Docker, what, limit });
            }
            take(piece)?;
        }
    }

    fn broken(&self, error: &dyn std::error::Error) -> EngineError {
        // hyper's own text says little; what it wraps says why.
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        EngineError::Connection {
            engine: Engine::Docker,
            address: self.address.shown(),
            reason: one_line(&format!("{error}{cause}")),
        }
    }
}

/// Docker's errors are `{"message": "…"}`.
fn message_of(body: &[u8], status: StatusCode) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Message>(body) {
        Ok(Message { message }) => one_line(&message),
        Err(_) if body.is_empty() => format!("status {status}"),
        Err(_) => one_line(&format!("status {status}: {}", String::from_utf8_lossy(body))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_docker_host() {
        let address = |text| Address::of_docker(text).ok();
        assert_eq!(address("unix:///run/d.sock"), Some(Address::Unix("/run/d.sock".into())));
        assert_eq!(address("tcp://127.0.0.1:99"), Some(Address::Tcp("127.0.0.1:99".to_owned())));
        assert_eq!(address("tcp://host/"), Some(Address::Tcp("host:2375".to_owned())));
        assert_eq!(address("tcp://[::1]:99"), Some(Address::Tcp("[::1]:99".to_owned())));
        for wrong in ["", "unix://", "tcp://", "ssh://host", "/run/docker.sock", "tcp://a b"] {
            let error = Address::of_docker(wrong).unwrap_err();
            assert!(matches!(error, EngineError::Address(_)), "{wrong}");
        }
    }

    #[test]
    fn a_socket_that_may_not_be_opened_says_who_may() {
        let address = Address::Unix("/run/d.sock".into());
        let denied = io::ErrorKind::PermissionDenied.into();
        let error = not_opened(Engine::Docker, &address, &denied);
        assert_eq!(
            error.to_string(),
            "permission denied on docker's socket `/run/d.sock`; run as root, or as a member of the socket's group"
        );
    }

    /// A socket that answers a byte every 20 ms.
    fn trickling(folder: &std::path::Path) -> Address {
        use std::io::{Read as _, Write as _};
        let path = folder.join("d.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // An answer before the question is another fault.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Address::Unix(path)
    }

    #[test]
    fn an_answer_that_trickles_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let http = Http::new(trickling(folder.path())).unwrap();
        let error = http.get_within("/", Duration::from_millis(300)).err().unwrap();
        assert!(matches!(error, EngineError::Timeout { .. }), "{error}");
    }

    #[test]
    fn an_export_that_trickles_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut http = Http::new(trickling(folder.path())).unwrap();
        http.pace = Duration::from_millis(300);
        let mut came = 0;
        let taken = http.fetch("/", Duration::from_secs(60), 1 << 30, &mut |piece| {
            came += piece.len();
            Ok(())
        });
        let error = taken.err().unwrap();
        assert!(matches!(error, EngineError::Timeout { .. }) && came > 1, "{error}");
    }

    #[test]
    fn an_error_of_the_engine_is_one_line() {
        let of = |body: &[u8]| message_of(body, StatusCode::CONFLICT);
        assert_eq!(of(br#"{"message":"a\nb"}"#), "a b");
        assert_eq!(of(b""), "status 409 Conflict");
        assert_eq!(of(b"<html>"), "status 409 Conflict: <html>");
        assert!(of(&[b'x'; 100_000]).len() < 400);
    }
}
