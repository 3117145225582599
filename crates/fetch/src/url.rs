//! URLs as far as fetching needs them: parse, resolve a redirect, show without secrets.
//!
//! Source: RFC 3986, "Reference Resolution" (5.2) and "User Information" (3.2.1). The HTTP library's
//! own type does the checking of hosts and characters; this adds what it leaves out.

use crate::FetchError;
use base64::Engine as _;
use std::borrow::Cow;
use ureq::http::Uri;

/// The longest URL that is fetched: servers take no longer ones either.
const URL_LIMIT: usize = 8192;

/// The most of a URL that an error text shows.
const SHOWN_LIMIT: usize = 300;

/// A URL that can be fetched, its credentials apart.
#[derive(Clone)]
pub(crate) struct Target {
    uri: Uri,
    /// The value of `Authorization` that the URL's user information amounts to.
    pub(crate) authorization: Option<String>,
}

impl Target {
    /// Checks and takes apart an absolute URL.
    pub(crate) fn parse(url: &str) -> Result<Self, FetchError> {
        let wrong = |reason| FetchError::Url { url: redact(url), reason };
        if url.len() > URL_LIMIT {
            return Err(wrong("it is too long"));
        }
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(wrong("only http:// and https:// URLs can be"));
        }
        let (plain, userinfo) = without_userinfo(url);
        let uri: Uri = plain.parse().map_err(|_| wrong("it is not a valid URL"))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        Ok(Self { uri, authorization: userinfo.map(basic) })
    }

    /// Where a `Location` header leads. User information in it is ignored: the server that redirects
    /// has no business choosing who we are elsewhere.
    pub(crate) fn join(&self, location: &str) -> Result<Self, FetchError> {
        let path = self.uri.path();
        let absolute = if has_scheme(location) {
            location.to_owned()
        } else if let Some(rest) = location.strip_prefix("//") {
            format!("{}://{rest}", self.scheme())
        } else {
            let (reference, query) = match location.split_once('?') {
                Some((reference, query)) => (reference, Some(query)),
                None => (location, None),
            };
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let joined = match reference {
                "" => path.to_owned(),
                absolute if absolute.starts_with('/') => without_dots(absolute),
                relative => without_dots(&format!("{folder}/{relative}")),
            };
            let mut text = format!("{}://{}{joined}", self.scheme(), self.authority());
            if let Some(query) = query {
                text.push('?');
                text.push_str(query);
            }
            text
        };
        Ok(Self { authorization: None, ..Self::parse(&absolute)? })
    }

    /// For the HTTP library.
    pub(crate) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether it is fetched over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme() == "https"
    }

    /// Whether it is fetched over TLS, or does not leave the machine.
    pub(crate) fn is_private(&self) -> bool {
        self.is_secure() || is_loopback(&self.host())
    }

    /// Host in lower case, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> String {
        let host = self.uri.host().unwrap_or_default().to_ascii_lowercase();
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// Port, given or implied.
    pub(crate) fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_secure() { 443 } else { 80 })
    }

    /// Whether both are the same place to a server: scheme, host and port.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (self.scheme(), self.host(), self.port()) == (other.scheme(), other.host(), other.port())
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        redact(&self.uri.to_string())
    }

    fn scheme(&self) -> &str {
        self.uri.scheme_str().unwrap_or_default()
    }

    fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }
}

/// Whether a host, without a port, is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Whether both URLs are the same place to a server: scheme, host and port. Of what is no URL it is
/// none.
#[must_use]
pub fn same_origin(left: &str, right: &str) -> bool {
    match (Target::parse(left), Target::parse(right)) {
        (Ok(left), Ok(right)) => left.same_origin(&right),
        _ => false,
    }
}

/// A URL as error texts and logs may show it: without user information, query values and fragment,
/// without control characters, and cut to 300 characters.
#[must_use]
pub fn redact(url: &str) -> String {
    let (plain, _) = without_userinfo(url);
    let (path, query) = match plain.split_once(['?', '#']) {
        Some((path, _)) => (path, plain.contains('?')),
        None => (plain.as_ref(), false),
    };
    let visible = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    let mut shown: String = path.chars().take(SHOWN_LIMIT).map(visible).collect();
    if path.chars().nth(SHOWN_LIMIT).is_some() {
        shown.push('…');
    }
    if query {
        shown.push_str("?…");
    }
    shown
}

/// Takes `user:password@` out of a URL; works on text that is no URL, too.
fn without_userinfo(url: &str) -> (Cow<'_, str>, Option<&str>) {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, url),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match (authority.rsplit_once('@'), scheme) {
        (None, _) => (Cow::Borrowed(url), None),
        (Some((user, host)), None) => (Cow::Owned(format!("{host}{path}")), Some(user)),
        (Some((user, host)), Some(scheme)) => {
            (Cow::Owned(format!("{scheme}://{host}{path}")), Some(user))
        }
    }
}

/// The `Authorization` value of user information (RFC 7617).
fn basic(userinfo: &str) -> String {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decode(user), decode(password)].join(&b':');
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
}

/// Whether a reference is absolute: a scheme, then `://` or at least `:` before any `/`.
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    })
}

/// Removes `.` and `..` parts (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_urls_hold_no_secrets() {
        for (url, shown) in [
            ("https://user:hunter2@host/a?token=s3cret#x", "https://host/a?…"),
            ("http://h/p#fragment", "http://h/p"),
            ("user:pa@ss@host:3128", "host:3128"),
            ("https://token@h", "https://h"),
            ("https://h/a@b", "https://h/a@b"),
            ("http://h/\u{1b}[31m", "http://h/\u{fffd}[31m"),
        ] {
            assert_eq!(redact(url), shown, "{url}");
        }
        assert!(redact(&"x".repeat(9000)).chars().count() <= SHOWN_LIMIT + 1);
    }

    #[test]
    fn redirects_resolve_as_rfc_3986_says() {
        let base = Target::parse("http://h:8080/b/c/d?q").unwrap();
        for (location, expected) in [
            ("g", "http://h:8080/b/c/g"),
            ("./g", "http://h:8080/b/c/g"),
            ("/g", "http://h:8080/g"),
            ("//other/g", "http://other/g"),
            ("?y", "http://h:8080/b/c/d?y"),
            ("../g", "http://h:8080/b/g"),
            ("../../../g", "http://h:8080/g"),
            ("..", "http://h:8080/b/"),
            ("https://x/y?z", "https://x/y?z"),
            ("g?a=b:c", "http://h:8080/b/c/g?a=b:c"),
        ] {
            assert_eq!(base.join(location).unwrap().uri().to_string(), expected, "{location}");
        }
    }

    #[test]
    fn only_http_urls_with_a_host_are_taken() {
        for url in
            ["", "file:///etc/passwd", "ftp://h/", "h/x", "https://", "https:///x", "http://a b/"]
        {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        let base = Target::parse("http://h/").unwrap();
        assert!(base.join("file:///etc/passwd").is_err());
        assert!(base.join("javascript:alert(1)").is_err());
    }

    #[test]
    fn origins_are_compared_as_servers_are_told_apart() {
        for (left, right, same) in [
            ("https://h", "https://H:443/a?b", true),
            ("http://h:80/", "http://h", true),
            ("https://h", "http://h", false),
            ("https://h", "https://h.evil/", false),
            ("https://h:5000", "https://h:5001", false),
            ("https://h", "https://h@evil/", false),
            ("h", "h", false),
        ] {
            assert_eq!(same_origin(left, right), same, "{left} {right}");
        }
    }

    #[test]
    fn user_information_becomes_basic_credentials() {
        let target = Target::parse("https://Aladdin:open%20sesame@h/").unwrap();
        assert_eq!(target.authorization.as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(target.uri().to_string(), "https://h/");
        assert!(target.join("https://evil:x@h/").unwrap().authorization.is_none());
    }
}
