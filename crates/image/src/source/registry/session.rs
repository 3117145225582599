//! One repository of one registry: its URLs, its requests, and the authorization that they need.
//!
//! A request goes out with what the last one was let in by; where that is refused, the registry's
//! challenge is met once and the request sent again. Credentials are looked up at the first challenge
//! and not before, so that a public image asks no helper program.

use super::RegistryOptions;
use super::challenge::{self, Challenge};
use super::credentials::{Credential, Credentials, Secret};
use super::stream::Kind;
use super::token::{self, host_of};
use crate::error::RegistryError;
use engine::reference::Reference;
use fetch::{Client, FetchError, Method, Request, Response, Sent};
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Where Docker Hub serves what references call `docker.io`.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// What kinds of manifest are understood.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Bytes of what a registry says to an upload, which is not read.
const ANSWER_BYTES: u64 = 1 << 20;

/// What is done in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

impl Purpose {
    /// What a token is asked for.
    const fn actions(self) -> &'static str {
        match self {
            Self::Read => "pull",
            Self::Write => "pull,push",
        }
    }

    /// What may not be done, in words.
    const fn done(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written to",
        }
    }
}

/// A repository of a registry.
pub(crate) struct Registry {
    client: Client,
    /// The image, for error texts.
    image: String,
    /// The registry, as references name it.
    host: String,
    /// Scheme and host.
    base: String,
    path: String,
    credentials: Credentials,
    plain_http: bool,
    purpose: Purpose,
    /// The value of `Authorization` that was let in last.
    authorization: Mutex<Option<Secret>>,
}

/// Sends a request, authorized or not.
type Ask<'a> = dyn Fn(&Request) -> Result<Response, FetchError> + 'a;

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registry")
            .field("base", &self.base)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Finds out how the registry is spoken to; one that is not on this machine is not asked for that.
    pub(super) fn connect(
        image: &str,
        reference: &Reference,
        options: &RegistryOptions,
        purpose: Purpose,
    ) -> Result<Self, RegistryError> {
        let image = image.to_owned();
        let client = Client::new(options.fetch.clone())
            .map_err(|source| RegistryError::Fetch { image: image.clone(), source })?;
        let host = reference.domain.clone();
        let server = if host == "docker.io" { DOCKER_HUB } else { host.as_str() };
        let scheme = if options.plain_http { "http" } else { "https" };
        let mut registry = Self {
            client,
            image,
            base: format!("{scheme}://{server}"),
            path: reference.path.clone(),
            credentials: options.credentials.clone(),
            plain_http: options.plain_http,
            purpose,
            authorization: Mutex::new(None),
            host,
        };
        let token = options.credentials.token_of(&registry.host)?;
        if registry.is_loopback() {
            match (registry.speaks_plain_http()?, options.plain_http) {
                (true, false) => registry.base = format!("http://{}", registry.host),
                (true, true) | (false, false) => {}
                (false, true) => {
                    let (image, host) = (registry.image, registry.host);
                    return Err(RegistryError::SpeaksTls { image, host });
                }
            }
        }
        if registry.is_private() {
            let value = token.map(|token| Secret::new(format!("Bearer {}", token.reveal())));
            registry.authorization = Mutex::new(value);
        }
        Ok(registry)
    }

    /// Registries on this machine are run with TLS and without: TLS goes first. One that answers by TLS
    /// is spoken to by nothing else, whatever its certificate.
    fn speaks_plain_http(&self) -> Result<bool, RegistryError> {
        let spoken = self.client.speaks_tls(&self.host).map_err(|error| self.failed(error))?;
        Ok(!spoken)
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// What a token is asked for.
    pub(super) fn scope(&self) -> String {
        format!("repository:{}:{}", self.path, self.purpose.actions())
    }

    /// The host that is spoken to, without a port.
    pub(super) fn server(&self) -> &str {
        host_of(self.base.split_once("://").map_or("", |(_, server)| server))
    }

    pub(super) fn is_loopback(&self) -> bool {
        fetch::is_loopback(host_of(&self.host))
    }

    /// Whether no one else listens.
    fn is_private(&self) -> bool {
        self.base.starts_with("https://") || self.is_loopback()
    }

    /// Fetches a manifest or blob, from a byte on where one is given. 200, 206 or 416, which says that
    /// there is nothing from that byte on.
    pub(super) fn fetch(
        &self,
        kind: Kind,
        name: &str,
        range_from: Option<u64>,
        max_bytes: u64,
    ) -> Result<Response, RegistryError> {
        let url = format!("{}/v2/{}/{}/{name}", self.base, self.path, kind.folder());
        let accept = if kind == Kind::Manifest { ACCEPT } else { "*/*" };
        let request = Request {
            range_from,
            max_bytes,
            https_only: !self.plain_http,
            headers: vec![("accept".to_owned(), accept.to_owned())],
            ..Request::default()
        };
        let response = self.authorized(&request, &|request| self.client.get(&url, request))?;
        let (image, host) = (self.image.clone(), self.host.clone());
        let what = format!("{} `{name}`", kind.name());
        match response.status {
            200 | 206 => Ok(response),
            416 if range_from.is_some() => Ok(response),
            401 => {
                Err(self.denied("refuses it (401), as for images that are private or not there"))
            }
            403 => Err(self.denied("does not let this user read it (403)")),
            404 => Err(RegistryError::NotFound { image, host, what }),
            status => Err(RegistryError::Status { image, host, what, status }),
        }
    }

    /// A document that need not be there, such as a list of referrers; not held against a digest.
    pub(in crate::source) fn document(&self, path: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let url = format!("{}/v2/{}/{path}", self.base, self.path);
        let request = Request {
            max_bytes: crate::limits::MANIFEST_BYTES,
            https_only: !self.plain_http,
            headers: vec![("accept".to_owned(), ACCEPT.to_owned())],
            ..Request::default()
        };
        let response = self.authorized(&request, &|request| self.client.get(&url, request))?;
        let (image, host) = (self.image.clone(), self.host.clone());
        match response.status {
            200 => response.body.into_vec().map(Some).map_err(|error| self.broken(&error)),
            404 => Ok(None),
            status => Err(RegistryError::Status { image, host, what: path.to_owned(), status }),
        }
    }

    /// Whether a blob is there already. A registry that does not say counts as one without it.
    pub(super) fn has_blob(&self, digest: &str) -> Result<bool, RegistryError> {
        let url = format!("{}/v2/{}/blobs/{digest}", self.base, self.path);
        let request = Request { https_only: !self.plain_http, ..Request::default() };
        match self.authorized(&request, &|request| self.client.head(&url, request)) {
            // Where blobs lie elsewhere, that place may not take the question: then they are sent.
            Ok(response) => Ok(response.status == 200),
            Err(RegistryError::Fetch { source: FetchError::Redirect { .. }, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Uploads a blob whole: POST for a place, PUT to it (OCI distribution specification 1.1, "Pushing a
    /// blob monolithically").
    pub(super) fn put_blob(&self, digest: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let url = format!("{}/v2/{}/blobs/uploads/", self.base, self.path);
        let begun = self.sent(&url, Sent::nothing(Method::Post), None)?;
        let begun = self.accepted(begun, &[202], digest)?;
        let no_place = || self.false_answer("names no place for the upload");
        let place = begun.location.ok_or_else(no_place)?;
        let divider = if place.contains('?') { '&' } else { '?' };
        let url = format!("{place}{divider}digest={digest}");
        let media_type = Some("application/octet-stream");
        let sent = Sent { method: Method::Put, media_type, body: bytes };
        let done = self.sent(&url, sent, Some(self.server()))?;
        self.accepted(done, &[201, 204], digest).map(|_| ())
    }

    /// Puts a manifest at a tag or its digest. Whether the registry lists it among what refers to its
    /// subject.
    pub(super) fn put_manifest(
        &self,
        name: &str,
        media_type: &'static str,
        digest: &str,
        bytes: &[u8],
    ) -> Result<bool, RegistryError> {
        let url = format!("{}/v2/{}/manifests/{name}", self.base, self.path);
        let sent = Sent { method: Method::Put, media_type: Some(media_type), body: bytes };
        let done = self.accepted(self.sent(&url, sent, None)?, &[200, 201, 202], digest)?;
        Ok(done.subject.is_some())
    }

    /// Sends bytes to a URL of the registry, or to one that it named, which gets what we are let in by
    /// only where it is the same place.
    fn sent(
        &self,
        url: &str,
        sent: Sent<'_>,
        named_by: Option<&str>,
    ) -> Result<Response, RegistryError> {
        let request = Request {
            max_bytes: ANSWER_BYTES,
            https_only: !self.plain_http,
            named_by: named_by.map(str::to_owned),
            ..Request::default()
        };
        let ask = |request: &Request| self.client.send_bytes(url, sent, request);
        if fetch::same_origin(url, &self.base) {
            self.authorized(&request, &ask)
        } else {
            ask(&request).map_err(|error| self.failed(error))
        }
    }

    /// The answer to an upload, if it is one of these and names no other digest than that of what was
    /// sent.
    fn accepted(
        &self,
        response: Response,
        wanted: &[u16],
        digest: &str,
    ) -> Result<Response, RegistryError> {
        let (image, host) = (self.image.clone(), self.host.clone());
        match response.status {
            status if wanted.contains(&status) => {
                match response.content_digest.as_deref().is_none_or(|said| said == digest) {
                    true => Ok(response),
                    false => Err(self.false_answer("has taken other bytes than were sent")),
                }
            }
            401 => Err(self.denied("refuses it (401)")),
            403 => Err(self.denied("does not let this user do it (403)")),
            404 => Err(self.denied("knows no such repository (404)")),
            413 => Err(self.false_answer("takes nothing of this size (413)")),
            status => {
                let what = format!("the upload of `{digest}`");
                Err(RegistryError::Status { image, host, what, status })
            }
        }
    }

    fn false_answer(&self, reason: &'static str) -> RegistryError {
        let reason = format!("{} {reason}; see the registry's own log", self.host);
        RegistryError::Broken { image: self.image.clone(), reason }
    }

    fn authorized(&self, request: &Request, ask: &Ask<'_>) -> Result<Response, RegistryError> {
        let used = self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let response = self.send(request, used.as_ref(), ask)?;
        if response.status != 401 {
            return Ok(response);
        }
        let fresh = self.authorize(response.authenticate.as_deref(), used.as_ref())?;
        self.send(request, Some(&fresh), ask)
    }

    fn send(
        &self,
        request: &Request,
        authorization: Option<&Secret>,
        ask: &Ask<'_>,
    ) -> Result<Response, RegistryError> {
        let mut request = request.clone();
        if let Some(value) = authorization {
            request.headers.push(("authorization".to_owned(), value.reveal().to_owned()));
        }
        ask(&request).map_err(|error| self.failed(error))
    }

    /// Meets a challenge. `used` is what was refused: where another thread has already got better, that
    /// is taken.
    fn authorize(
        &self,
        header: Option<&str>,
        used: Option<&Secret>,
    ) -> Result<Secret, RegistryError> {
        let mut known = self.authorization.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = known.as_ref().filter(|known| Some(*known) != used) {
            return Ok(other.clone());
        }
        let credential = match self.is_private() {
            true => self.credentials.of(&self.host)?,
            false => None,
        };
        let challenge = header.and_then(challenge::read);
        let fresh = match (challenge, credential) {
            (None, _) => return Err(self.login("it asks for a login of a kind that is not known")),
            (Some(_), Some(Credential::Bearer(token))) => {
                Secret::new(format!("Bearer {}", token.reveal()))
            }
            (Some(Challenge::Bearer { realm, service }), credential) => {
                token::ask(self, &realm, service.as_deref(), credential.as_ref())?
            }
            (Some(Challenge::Basic), Some(Credential::Password { username, password })) => {
                Credential::basic(&username, &password)
            }
            (Some(Challenge::Basic), Some(Credential::Refresh(_))) => {
                return Err(self.denied("wants a password, and there is only a token"));
            }
            (Some(Challenge::Basic), None) => return Err(self.denied("wants a login (401)")),
        };
        if Some(&fresh) == used {
            return Err(self.denied("does not take the credentials"));
        }
        *known = Some(fresh.clone());
        Ok(fresh)
    }

    pub(super) fn failed(&self, source: FetchError) -> RegistryError {
        let (image, host) = (self.image.clone(), self.host.clone());
        match source {
            FetchError::Unavailable { status: 429, retry_after, .. } => {
                RegistryError::TooMany { image, host, retry_after }
            }
            source => RegistryError::Fetch { image, source },
        }
    }

    pub(super) fn denied(&self, reason: &'static str) -> RegistryError {
        let (image, host) = (self.image.clone(), self.host.clone());
        match self.is_private() {
            true => RegistryError::Denied { image, host, reason, done: self.purpose.done() },
            // A login would not help: it is not sent.
            false => RegistryError::NotPrivate { image, host, done: self.purpose.done() },
        }
    }

    pub(super) fn login(&self, reason: &'static str) -> RegistryError {
        RegistryError::Login { image: self.image.clone(), host: self.host.clone(), reason }
    }

    pub(super) fn broken(&self, error: &io::Error) -> RegistryError {
        RegistryError::Broken { image: self.image.clone(), reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_to_the_urls_of_their_registry() {
        for (name, base, path) in [
            ("demo:1", "https://registry-1.docker.io", "library/demo"),
            ("me/demo", "https://registry-1.docker.io", "me/demo"),
            ("registry.test/a/b:1", "https://registry.test", "a/b"),
            ("registry.test:5000/a", "https://registry.test:5000", "a"),
            ("[2001:db8::1]:5000/a", "https://[2001:db8::1]:5000", "a"),
        ] {
            let connect = |plain_http| {
                let options = RegistryOptions { plain_http, ..RegistryOptions::default() };
                let reference = name.parse().unwrap();
                Registry::connect(name, &reference, &options, Purpose::Read).unwrap()
            };
            let registry = connect(false);
            assert_eq!((registry.base.as_str(), registry.path.as_str()), (base, path), "{name}");
            assert!(registry.is_private() && !registry.is_loopback());
            assert_eq!(connect(true).base, base.replace("https:", "http:"));
            assert!(!connect(true).is_private(), "{name}");
        }
    }
}
