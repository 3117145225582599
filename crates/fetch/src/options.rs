//! What a caller may ask for, and what it gets back.
//!
//! The environment is never read here: [`Options::from_environment`] takes a look-up function, so
//! that wiring decides and tests can say what they like.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Refuse every request.
    pub offline: bool,
    /// The `User-Agent` that servers see.
    pub user_agent: String,
    /// How long resolving a name, and then connecting with TLS, may take.
    pub connect_timeout: Duration,
    /// How long a server may send nothing.
    pub read_timeout: Duration,
    /// How long a server may take for the head of its answer, however steadily it comes.
    pub head_timeout: Duration,
    /// The least that must come of a body, on average over each [`Pace::over`].
    pub pace: Pace,
    /// How long one request may take in all, its body included.
    pub total_timeout: Duration,
    /// How often a request is sent again where the connection fails, or on 429 or 5xx.
    pub retries: u32,
    /// The wait before the first retry; it doubles each time.
    pub backoff: Duration,
    /// The longest wait before a retry. A server that asks for more (`Retry-After`) is left alone.
    pub backoff_limit: Duration,
    /// Which proxy is used for which URL.
    pub proxy: ProxySettings,
    /// Which certificate authorities are trusted.
    pub roots: Roots,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            offline: false,
            user_agent: concat!("lazaret/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(60),
            pace: Pace::default(),
            total_timeout: Duration::from_secs(60 * 60),
            retries: 3,
            backoff: Duration::from_millis(500),
            backoff_limit: Duration::from_secs(60),
            proxy: ProxySettings::default(),
            roots: Roots::default(),
        }
    }
}

/// How slow a server may be. Silence is bounded apart; this is for one that sends a byte a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So many bytes,
    pub bytes: u64,
    /// in so long a time of waiting for them.
    pub over: Duration,
}

impl Default for Pace {
    /// A kilobyte a second: less than the slowest mobile networks carry.
    fn default() -> Self {
        Self { bytes: 60 << 10, over: Duration::from_secs(60) }
    }
}

impl Options {
    /// The defaults, with the proxies and certificates that the environment names: `HTTPS_PROXY`,
    /// `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` (also in lower case, which goes first), `SSL_CERT_FILE`
    /// and `SSL_CERT_DIR`. `variable` looks one up.
    #[must_use]
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let either = |name: &str| set(&name.to_lowercase()).or_else(|| set(name));
        // Under CGI, `HTTP_PROXY` is the `Proxy:` header of whoever calls ("httpoxy").
        let http = set("http_proxy").or_else(|| match set("REQUEST_METHOD") {
            Some(_) => None,
            None => set("HTTP_PROXY"),
        });
        Self {
            proxy: ProxySettings {
                http,
                https: either("HTTPS_PROXY"),
                all: either("ALL_PROXY"),
                none_for: either("NO_PROXY"),
            },
            roots: Roots {
                file: set("SSL_CERT_FILE").map(PathBuf::from),
                directory: set("SSL_CERT_DIR").map(PathBuf::from),
                added: None,
            },
            ..Self::default()
        }
    }
}

/// Proxies by scheme, `http://`, `https://` or `socks5://`, with credentials where needed.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// For `http://` URLs.
    pub http: Option<String>,
    /// For `https://` URLs.
    pub https: Option<String>,
    /// For both, where the more specific one is not set.
    pub all: Option<String>,
    /// Hosts that are reached directly, in the form of `NO_PROXY`.
    pub none_for: Option<String>,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |proxy: &Option<String>| proxy.as_deref().map(crate::redact);
        formatter
            .debug_struct("ProxySettings")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("all", &shown(&self.all))
            .field("none_for", &self.none_for)
            .finish()
    }
}

/// Where trusted certificates come from. Without either: the system's bundle, else the one that is
/// built in.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// A file of PEM certificates.
    pub file: Option<PathBuf>,
    /// A folder of such files; with a file given, both count.
    pub directory: Option<PathBuf>,
    /// A file of PEM certificates that are trusted besides the others. Where a machine has no bundle
    /// at all, they are the only ones.
    pub added: Option<PathBuf>,
}

/// How a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// For the content.
    Get,
    /// For what GET would say of it.
    Head,
    /// To take something.
    Post,
    /// To keep something at the URL.
    Put,
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// What is sent to a server.
#[derive(Clone, Copy)]
pub struct Sent<'bytes> {
    /// How.
    pub method: Method,
    /// `Content-Type`.
    pub media_type: Option<&'static str>,
    /// The content, which is sent again where it did not arrive.
    pub body: &'bytes [u8],
}

impl Sent<'_> {
    /// Without content.
    #[must_use]
    pub const fn nothing(method: Method) -> Self {
        Self { method, media_type: None, body: &[] }
    }
}

impl fmt::Debug for Sent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sent({}, {} bytes)", self.method.name(), self.body.len())
    }
}

/// What is asked of a server besides the URL.
#[derive(Clone)]
pub struct Request {
    /// Send only if the entity tag is another one; 304 otherwise.
    pub if_none_match: Option<String>,
    /// Send only if changed since; 304 otherwise.
    pub if_modified_since: Option<String>,
    /// Send from this byte on; 206 where the server can.
    pub range_from: Option<u64>,
    /// With `range_from`: only if the entity tag or date is still this one, else all of it.
    pub if_range: Option<String>,
    /// The most bytes that the body may have.
    pub max_bytes: u64,
    /// Refuse plain HTTP, also where a redirect leads to it. Loopback hosts are spared.
    pub https_only: bool,
    /// The only hosts that may be asked, also where a redirect leads to another; empty for any. What an
    /// image chooses must not reach into the network that the program runs in.
    pub hosts: Vec<String>,
    /// The host that named this URL, where not the user did: it may not lead where a redirect of that
    /// host may not.
    pub named_by: Option<String>,
    /// Further headers. They go to the host of the URL, never to one that it redirects to.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The default for `max_bytes`: enough for any manifest or list, too little to hurt.
    pub const MAX_BYTES: u64 = 64 << 20;
}

impl Default for Request {
    fn default() -> Self {
        Self {
            if_none_match: None,
            if_modified_since: None,
            range_from: None,
            if_range: None,
            max_bytes: Self::MAX_BYTES,
            https_only: false,
            hosts: Vec::new(),
            named_by: None,
            headers: Vec::new(),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Request")
            .field("if_none_match", &self.if_none_match)
            .field("if_modified_since", &self.if_modified_since)
            .field("range_from", &self.range_from)
            .field("if_range", &self.if_range)
            .field("max_bytes", &self.max_bytes)
            .field("https_only", &self.https_only)
            .field("hosts", &self.hosts)
            .field("named_by", &self.named_by)
            .field("headers", &names)
            .finish()
    }
}
