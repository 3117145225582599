//! Why something could not be fetched. No text here holds a password, token or query value: URLs
//! are put in only as [`crate::redact`] leaves them.

use std::path::PathBuf;

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Fetching is switched off.
    #[error(
        "`{url}` was not fetched: `--offline` is set; run without it, or provide the data by file"
    )]
    Offline {
        /// The URL.
        url: String,
    },
    /// Not a URL that can be fetched.
    #[error("`{url}` cannot be fetched: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header that HTTP does not allow.
    #[error("header `{name}` for `{url}` is not valid; use visible ASCII characters")]
    Header {
        /// The URL.
        url: String,
        /// Name of the header.
        name: String,
    },
    /// A proxy setting that cannot be used.
    #[error("proxy `{proxy}` cannot be used: write it as http://host:port, https:// or socks5://")]
    Proxy {
        /// The setting.
        proxy: String,
    },
    /// Certificates that cannot be read.
    #[error("`{}` holds no certificates that can be read ({reason}); give PEM certificates by `--ca-file` or `SSL_CERT_FILE`", path.display())]
    Certificates {
        /// File or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No connection.
    #[error(
        "`{url}` cannot be reached: {reason} (tried {attempts} times); check the network and the proxy, or provide the data by file"
    )]
    Connect {
        /// The URL.
        url: String,
        /// Why.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The server did not answer as HTTP demands, or not in time.
    #[error("`{url}` did not answer properly: {reason}")]
    Answer {
        /// The URL.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// A redirect that is not followed.
    #[error("`{url}` redirects to `{target}`, which is not followed: {reason}")]
    Redirect {
        /// The URL asked for.
        url: String,
        /// Where it points.
        target: String,
        /// Why not.
        reason: &'static str,
    },
    /// The server is not able to serve now.
    #[error(
        "`{url}` answers {status} (tried {attempts} times); try again {}",
        retry_after.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} seconds"))
    )]
    Unavailable {
        /// The URL.
        url: String,
        /// 429 or 5xx.
        status: u16,
        /// How often it was tried.
        attempts: u32,
        /// How many seconds the server asks to wait (`Retry-After`).
        retry_after: Option<u64>,
    },
    /// More than asked for.
    #[error("`{url}` has {bytes} bytes, more than the {limit} allowed here")]
    TooLarge {
        /// The URL.
        url: String,
        /// What the server announces.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}
