//! The one room that opens outgoing connections: HTTP with limits, proxies, retries, credentials;
//! offline means it refuses.
//!
//! In go a URL, a [`Request`] and the [`Options`] that wiring made of flags and environment; out
//! comes a [`Response`] whose body cannot grow beyond what was asked for, and cannot end early
//! unnoticed. Redirects are followed here, one by one, rather than by the HTTP library: each hop
//! gets its own proxy, its own check against a downgrade, and loses the credentials of the hop
//! before. Certificates and TLS are set up at the first request, so that a program that never
//! fetches pays nothing for them.

mod body;
mod client;
mod error;
mod options;
mod proxy;
mod reach;
mod response;
mod retry;
mod roots;
mod tls;
mod url;

pub use body::Body;
pub use client::{Client, REDIRECT_LIMIT};
pub use error::FetchError;
pub use options::{Method, Options, Pace, ProxySettings, Request, Roots, Sent};
pub use response::Response;
pub use url::{is_loopback, redact, same_origin};
