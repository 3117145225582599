//! The client: one request, its retries and its redirects.

use crate::options::{Method, Options, Pace, Request, Sent};
use crate::proxy::{Proxies, Route};
use crate::reach::{Guard, OutOfReach, Places, Reach};
use crate::response::Response;
use crate::url::Target;
use crate::{Body, FetchError, retry, roots};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use ureq::http::HeaderMap;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

/// How many redirects one request follows: real mirrors need two or three.
pub const REDIRECT_LIMIT: u32 = 5;

/// The largest response head that is read.
const HEAD_LIMIT: usize = 64 << 10;

/// How many connections to one host are kept: as many as ask for single records at once.
const IDLE: usize = 8;

/// Why a place is not asked that a server named.
const OUT_OF_REACH: &str = "it leads from elsewhere to this machine or to the link-local network";

type Answer = ureq::http::Response<ureq::Body>;

/// Fetches over HTTP. Cheap to make; connections are kept and reused.
pub struct Client {
    options: Options,
    proxies: Proxies,
    places: Places,
    roots: OnceLock<RootCerts>,
    /// Connections by where they may lead: one that was opened for the user is not used for others.
    agents: Mutex<BTreeMap<(Route, Reach), ureq::Agent>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Client {
    /// A client. Nothing is opened, and no certificate read, before the first request.
    ///
    /// # Errors
    /// Where a proxy setting cannot be used.
    pub fn new(options: Options) -> Result<Self, FetchError> {
        let proxies = match options.offline {
            true => Proxies::new(&crate::ProxySettings::default())?,
            false => Proxies::new(&options.proxy)?,
        };
        Ok(Self {
            options,
            proxies,
            places: Places::default(),
            roots: OnceLock::new(),
            agents: Mutex::default(),
        })
    }

    /// Fetches a URL with GET. A status that is not 2xx, such as 304 or 404, is an answer as well;
    /// redirects, 429 and 5xx are dealt with here.
    ///
    /// # Errors
    /// Where nothing may be fetched, the URL is not one, the server cannot be reached or cannot
    /// serve, or what it sends breaks a rule.
    pub fn get(&self, url: &str, request: &Request) -> Result<Response, FetchError> {
        self.ask(url, Sent::nothing(Method::Get), request)
    }

    /// Asks for a URL with HEAD: what GET would say of it, without the content.
    ///
    /// # Errors
    /// As [`Self::get`] does.
    pub fn head(&self, url: &str, request: &Request) -> Result<Response, FetchError> {
        self.ask(url, Sent::nothing(Method::Head), request)
    }

    fn ask(&self, url: &str, sent: Sent<'_>, request: &Request) -> Result<Response, FetchError> {
        let first = self.target(url, request)?;
        let mut target = first.clone();
        let mut reach = self.first_reach(&first, request)?;
        for _ in 0..=REDIRECT_LIMIT {
            let answer = self.get_one(&target, &first, reach, request, sent)?;
            match self.redirect(&target, &first, &answer, request)? {
                Some((next, its)) => (target, reach) = (next, its),
                None => return accept(&target, answer, request, sent.method, self.options.pace),
            }
        }
        Err(FetchError::Redirect {
            url: first.shown(),
            target: target.shown(),
            reason: "there were too many before it",
        })
    }

    /// Sends a form (`application/x-www-form-urlencoded`) with POST. Forms hold secrets: it goes to the
    /// host of the URL alone, and no redirect is followed.
    ///
    /// # Errors
    /// As [`Self::get`] does, and where the server redirects.
    pub fn post_form(
        &self,
        url: &str,
        form: &str,
        request: &Request,
    ) -> Result<Response, FetchError> {
        let media_type = Some("application/x-www-form-urlencoded");
        let sent = Sent { method: Method::Post, media_type, body: form.as_bytes() };
        self.give(url, sent, "a form is sent to no other place", request)
    }

    /// Sends bytes with POST or PUT to the host of the URL alone: no redirect is followed. A body that
    /// did not arrive, or that was answered with 429 or 5xx, is sent again.
    ///
    /// # Errors
    /// As [`Self::get`] does, and where the server redirects.
    pub fn send_bytes(
        &self,
        url: &str,
        sent: Sent<'_>,
        request: &Request,
    ) -> Result<Response, FetchError> {
        self.give(url, sent, "what is sent goes to no other place", request)
    }

    fn give(
        &self,
        url: &str,
        sent: Sent<'_>,
        reason: &'static str,
        request: &Request,
    ) -> Result<Response, FetchError> {
        let target = self.target(url, request)?;
        let reach = self.first_reach(&target, request)?;
        let answer = self.get_one(&target, &target, reach, request, sent)?;
        match self.redirect(&target, &target, &answer, request)? {
            Some((next, _)) => {
                let (url, target) = (target.shown(), next.shown());
                Err(FetchError::Redirect { url, target, reason })
            }
            None => accept(&target, answer, request, sent.method, self.options.pace),
        }
    }

    /// Whether a server of this machine, `HOST[:PORT]`, speaks TLS. Nothing secret is in the question.
    ///
    /// # Errors
    /// Where nothing may be asked, or the host is not this machine.
    pub fn speaks_tls(&self, authority: &str) -> Result<bool, FetchError> {
        let target = self.target(&format!("https://{authority}/"), &Request::default())?;
        if !crate::is_loopback(&target.host()) {
            let reason = "only of this machine it is asked whether it speaks TLS";
            return Err(FetchError::Url { url: target.shown(), reason });
        }
        Ok(crate::tls::is_spoken(&target.host(), target.port(), &self.options))
    }

    fn target(&self, url: &str, request: &Request) -> Result<Target, FetchError> {
        if self.options.offline {
            return Err(FetchError::Offline { url: crate::redact(url) });
        }
        let target = Target::parse(url)?;
        if request.https_only && !target.is_private() {
            return Err(FetchError::Url { url: target.shown(), reason: "it is not https" });
        }
        if !may_be_asked(&target, request) {
            let reason = "its host is not one that may be asked";
            return Err(FetchError::Url { url: target.shown(), reason });
        }
        Ok(target)
    }

    /// Where the URL itself may lead: anywhere, where the user named it.
    fn first_reach(&self, target: &Target, request: &Request) -> Result<Reach, FetchError> {
        let Some(by) = &request.named_by else { return Ok(Reach::ALL) };
        let reach = self.places.reach_of(by, by.eq_ignore_ascii_case(&target.host()));
        match reach.may_hold(&target.host()) {
            true => Ok(reach),
            false => Err(FetchError::Url { url: target.shown(), reason: OUT_OF_REACH }),
        }
    }

    /// One hop, with its retries.
    fn get_one(
        &self,
        to: &Target,
        first: &Target,
        reach: Reach,
        request: &Request,
        sent: Sent<'_>,
    ) -> Result<Answer, FetchError> {
        let agent = self.agent(self.proxies.route(to), reach)?;
        let mut attempts = 1;
        loop {
            let last = attempts > self.options.retries;
            let (failure, retry_after) = match self.send(&agent, to, first, request, sent)? {
                Ok(answer) if retry::is_unavailable(answer.status().as_u16()) => {
                    let status = answer.status().as_u16();
                    let retry_after = header(answer.headers(), "retry-after")
                        .and_then(|text| retry::seconds(&text));
                    let url = to.shown();
                    (FetchError::Unavailable { url, status, attempts, retry_after }, retry_after)
                }
                Ok(answer) => return Ok(answer),
                Err(ureq::Error::Other(error)) if error.is::<OutOfReach>() => {
                    let (url, target) = (first.shown(), to.shown());
                    return Err(FetchError::Redirect { url, target, reason: OUT_OF_REACH });
                }
                Err(error) if retry::is_worth_it(&error) => {
                    let reason = describe(&error);
                    (FetchError::Connect { url: to.shown(), reason, attempts }, None)
                }
                Err(error) => {
                    return Err(FetchError::Answer { url: to.shown(), reason: describe(&error) });
                }
            };
            let wait = retry::wait(&self.options, attempts, retry_after);
            match wait.filter(|_| !last) {
                Some(wait) => std::thread::sleep(wait),
                None => return Err(failure),
            }
            attempts += 1;
        }
    }

    /// One exchange. What the caller gave for the first host is not sent to another.
    fn send(
        &self,
        agent: &ureq::Agent,
        to: &Target,
        first: &Target,
        request: &Request,
        sent: Sent<'_>,
    ) -> Result<Result<Answer, ureq::Error>, FetchError> {
        let range = request.range_from.map(|start| format!("bytes={start}-"));
        let known = [
            ("if-none-match", request.if_none_match.as_deref()),
            ("if-modified-since", request.if_modified_since.as_deref()),
            ("range", range.as_deref()),
            ("if-range", range.as_ref().and(request.if_range.as_deref())),
            // Sizes, ranges and digests are those of the stored bytes.
            ("accept-encoding", Some("identity")),
            ("content-type", sent.media_type),
        ];
        let mut builder =
            ureq::http::Request::builder().method(sent.method.name()).uri(to.uri().clone());
        for (name, value) in known {
            if let Some(value) = value {
                builder = builder.header(name, value);
            }
        }
        if to.same_origin(first) {
            let own = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let chosen =
                request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            let from_url = first.authorization.as_deref().filter(|_| !chosen);
            for (name, value) in own.chain(from_url.map(|value| ("authorization", value))) {
                builder = builder.header(name, value);
            }
        }
        if builder.headers_ref().is_none() {
            return Err(self.wrong_header(to, request));
        }
        let wrong = |_| self.wrong_header(to, request);
        Ok(match sent.method {
            Method::Get | Method::Head => agent.run(builder.body(()).map_err(wrong)?),
            Method::Post | Method::Put => agent.run(builder.body(sent.body).map_err(wrong)?),
        })
    }

    /// Names the header that the HTTP library did not take.
    fn wrong_header(&self, to: &Target, request: &Request) -> FetchError {
        use ureq::http::{HeaderName, HeaderValue};
        let wrong = request.headers.iter().find(|(name, value)| {
            name.parse::<HeaderName>().is_err() || value.parse::<HeaderValue>().is_err()
        });
        let name = wrong.map_or("if-none-match", |(name, _)| name.as_str());
        FetchError::Header { url: to.shown(), name: name.escape_default().take(100).collect() }
    }

    /// The connections of a route, set up at first use.
    fn agent(&self, route: Route, reach: Reach) -> Result<ureq::Agent, FetchError> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&(route, reach)) {
            return Ok(agent.clone());
        }
        let options = &self.options;
        let roots = match self.roots.get() {
            Some(roots) => roots.clone(),
            None => {
                let roots = roots::load(&options.roots)?;
                self.roots.get_or_init(|| roots).clone()
            }
        };
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(self.proxies.of(route))
            .tls_config(tls)
            .user_agent(options.user_agent.as_str())
            .max_response_header_size(HEAD_LIMIT)
            .max_idle_connections_per_host(IDLE)
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.head_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .timeout_per_write(Some(options.read_timeout))
            .timeout_global(Some(options.total_timeout))
            .build();
        let guard = Guard { reach, places: self.places.clone() };
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), guard);
        agents.insert((route, reach), agent.clone());
        Ok(agent)
    }

    /// Where an answer leads, if it is a redirect that may be followed, and how far that may reach.
    fn redirect(
        &self,
        from: &Target,
        first: &Target,
        answer: &Answer,
        request: &Request,
    ) -> Result<Option<(Target, Reach)>, FetchError> {
        if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let refuse = |target: &str, reason| FetchError::Redirect {
            url: from.shown(),
            target: crate::redact(target),
            reason,
        };
        let location =
            header(answer.headers(), "location").ok_or_else(|| refuse("", "it names no target"))?;
        let next = from.join(&location).map_err(|error| match error {
            FetchError::Url { reason, .. } => refuse(&location, reason),
            other => other,
        })?;
        let origin = request.named_by.clone().unwrap_or_else(|| first.host());
        let host = next.host();
        let reach = self.places.reach_of(&origin, origin.eq_ignore_ascii_case(&host));
        let reason = match () {
            () if from.is_secure() && !next.is_secure() => "it leads from https to http",
            () if request.https_only && !next.is_private() => "it is not https",
            () if !may_be_asked(&next, request) => "its host is not one that may be asked",
            () if !reach.may_hold(&host) => OUT_OF_REACH,
            // On this machine nobody listens in between.
            () if !next.is_private() && host != from.host() => {
                "it leads to another host, and not by https"
            }
            () => return Ok(Some((next, reach))),
        };
        Err(refuse(&location, reason))
    }
}

fn may_be_asked(target: &Target, request: &Request) -> bool {
    request.hosts.is_empty() || request.hosts.contains(&target.host())
}

/// Makes the response of an answer, or says what is wrong with it.
fn accept(
    from: &Target,
    answer: Answer,
    request: &Request,
    method: Method,
    pace: Pace,
) -> Result<Response, FetchError> {
    let headers = answer.headers();
    let text = |name| header(headers, name);
    let status = answer.status().as_u16();
    let (etag, last_modified) = (text("etag"), text("last-modified"));
    let (content_type, authenticate) = (text("content-type"), all(headers, "www-authenticate"));
    let content_digest = text("docker-content-digest");
    let (location, subject) = (text("location"), text("oci-subject"));
    let location = location.and_then(|location| from.join(&location).ok());
    let location = location.map(|target| target.uri().to_string());
    let content_length = match status {
        204 | 304 => None,
        _ => text("content-length").and_then(|length| length.parse().ok()),
    };
    let wrong = |reason: &str| FetchError::Answer { url: from.shown(), reason: reason.to_owned() };
    let range = match status {
        206 => text("content-range").as_deref().and_then(content_range),
        _ => None,
    };
    if status == 206 && (range.is_none() || range.map(|range| range.0) != request.range_from) {
        return Err(wrong("it sent another part than was asked for"));
    }
    // HEAD tells the length of what does not follow.
    let announced = content_length.filter(|_| method != Method::Head);
    if let Some(bytes) = announced.filter(|bytes| *bytes > request.max_bytes) {
        return Err(FetchError::TooLarge { url: from.shown(), bytes, limit: request.max_bytes });
    }
    let reader = answer.into_body().into_reader();
    Ok(Response {
        status,
        etag,
        last_modified,
        content_length,
        content_range_start: range.map(|range| range.0),
        content_range_total: range.and_then(|range| range.1),
        content_type,
        authenticate,
        content_digest,
        location,
        subject,
        body: Body::new(reader, from.shown(), request.max_bytes, announced, pace),
    })
}

/// Start and total of `bytes 5-9/10` (RFC 9110, 14.4).
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (part, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Every header of a name, joined as RFC 9110 (5.3) allows.
fn all(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// What failed, in words that hold no URL: the library's own texts may.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => with_advice(error.to_string()),
        ureq::Error::Timeout(timeout) => format!("no answer in time ({timeout})"),
        ureq::Error::HostNotFound => "the host name is not known".to_owned(),
        ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
        ureq::Error::Tls(reason) => with_advice(format!("TLS failed: {reason}")),
        ureq::Error::Rustls(error) => with_advice(format!("TLS failed: {error}")),
        ureq::Error::ConnectProxyFailed(_) => "the proxy refused the connection".to_owned(),
        ureq::Error::LargeResponseHeader(..) => "its response head is too large".to_owned(),
        _ => "it does not speak proper HTTP".to_owned(),
    }
}

/// Says what helps against a certificate that is not trusted.
fn with_advice(reason: String) -> String {
    match reason.contains("invalid peer certificate") {
        true => format!("{reason}; name the authority that signed it with --ca-file"),
        false => reason,
    }
}
