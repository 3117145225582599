//! One unary gRPC call at a time, over HTTP/2 on containerd's socket.
//!
//! Source: "gRPC over HTTP2": a message is a zero byte, its length in four bytes, big-endian, and its
//! bytes; the outcome is in the trailer `grpc-status`, or in the headers where there is no answer.

use crate::error::{EngineError, one_line};
use crate::http::{Address, dial, runtime, timeout};
use crate::limits;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::path::Path;
use vocabulary::Engine;

/// `NOT_FOUND`
pub(super) const NOT_FOUND: u32 = 5;
/// `PERMISSION_DENIED`
const PERMISSION_DENIED: u32 = 7;
/// `UNIMPLEMENTED`
pub(super) const UNIMPLEMENTED: u32 = 12;

/// Calls containerd.
#[derive(Debug)]
pub(super) struct Grpc {
    address: Address,
    namespace: String,
    runtime: tokio::runtime::Runtime,
}

/// A call that did not succeed.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) code: u32,
    pub(super) message: String,
}

impl Grpc {
    pub(super) fn new(socket: &Path, namespace: &str) -> Result<Self, EngineError> {
        let address = Address::Unix(socket.to_owned());
        let runtime = runtime(Engine::Containerd, &address)?;
        Ok(Self { address, namespace: namespace.to_owned(), runtime })
    }

    /// Calls `method`, such as `/containerd.services.images.v1.Images/List`.
    pub(super) fn call(
        &self,
        method: &str,
        message: &[u8],
    ) -> Result<Result<Vec<u8>, Status>, EngineError> {
        self.runtime.block_on(async {
            let exchange = self.exchange(method, message);
            match tokio::time::timeout(limits::ANSWER, exchange).await {
                Err(_) => Err(timeout(Engine::Containerd, &self.address, limits::ANSWER)),
                Ok(outcome) => match outcome? {
                    Err(status) if status.code == PERMISSION_DENIED => Err(EngineError::Denied {
                        engine: Engine::Containerd,
                        address: self.address.shown(),
                    }),
                    outcome => Ok(outcome),
                },
            }
        })
    }

    async fn exchange(
        &self,
        method: &str,
        message: &[u8],
    ) -> Result<Result<Vec<u8>, Status>, EngineError> {
        let stream = dial(Engine::Containerd, &self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http2::Builder::new(TokioExecutor::new())
                .handshake(TokioIo::new(stream))
                .await
                .map_err(|error| self.broken(&error))?;
        tokio::spawn(connection);
        let mut framed = vec![0];
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        framed.extend_from_slice(&length.to_be_bytes());
        framed.extend_from_slice(message);
        let request = Request::post(format!("http://localhost{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", "lazaret")
            .header("containerd-namespace", &self.namespace)
            .body(Full::new(Bytes::from(framed)))
            .map_err(|error| self.broken(&error))?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(&error))?;
        self.answer(method, response).await
    }

    async fn answer(
        &self,
        method: &str,
        response: Response<Incoming>,
    ) -> Result<Result<Vec<u8>, Status>, EngineError> {
        let (head, mut body) = response.into_parts();
        if head.status != hyper::StatusCode::OK {
            return Err(wrong(method, &format!("status {}", head.status)));
        }
        let mut outcome = status(&head.headers);
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.broken(&error))?;
            if let Some(piece) = frame.data_ref() {
                if bytes.len() + piece.len() > limits::MESSAGE_BYTES {
                    return Err(EngineError::Limit {
                        engine: Engine::Containerd,
                        what: method.to_owned(),
                        limit: limits::MESSAGE_BYTES as u64,
                    });
                }
                bytes.extend_from_slice(piece);
            } else if let Some(trailers) = frame.trailers_ref() {
                outcome = status(trailers).or(outcome);
            }
        }
        match outcome {
            None => Err(wrong(method, "it ends without a status")),
            Some(Status { code: 0, .. }) => unframe(&bytes)
                .map(|message| Ok(message.to_vec()))
                .ok_or_else(|| wrong(method, "it is not one message")),
            Some(status) => Ok(Err(status)),
        }
    }

    fn broken(&self, error: &dyn std::error::Error) -> EngineError {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        EngineError::Connection {
            engine: Engine::Containerd,
            address: self.address.shown(),
            reason: one_line(&format!("{error}{cause}")),
        }
    }
}

pub(super) fn wrong(what: &str, reason: &str) -> EngineError {
    EngineError::Answer {
        engine: Engine::Containerd,
        what: one_line(what),
        reason: one_line(reason),
    }
}

fn status(headers: &HeaderMap) -> Option<Status> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let code = text("grpc-status")?.parse().unwrap_or(u32::MAX);
    let message = text("grpc-message").unwrap_or_default();
    let message = percent_encoding::percent_decode_str(message).decode_utf8_lossy();
    Some(Status { code, message: one_line(&message) })
}

/// The one message of an answer; compressed ones were not asked for.
fn unframe(bytes: &[u8]) -> Option<&[u8]> {
    let (head, message) = bytes.split_first_chunk::<5>()?;
    let [0, length @ ..] = head else { return None };
    (usize::try_from(u32::from_be_bytes(*length)).ok()? == message.len()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_message_is_an_answer() {
        assert_eq!(unframe(&[0, 0, 0, 0, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(unframe(&[0, 0, 0, 0, 0]), Some(&[][..]));
        for damaged in
            [&[][..], &[0, 0], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 3, 1], &[0, 0, 0, 0, 0, 1]]
        {
            assert_eq!(unframe(damaged), None, "{damaged:?}");
        }
    }
}
