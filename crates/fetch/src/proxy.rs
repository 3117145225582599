//! Which proxy a URL goes through.
//!
//! The rules are those of Go's `httpproxy` package, which users of container tools know: the more
//! specific setting goes before `ALL_PROXY`; loopback hosts are never sent to a proxy; in `NO_PROXY`
//! a name stands for itself and all below it, a leading dot for those below only, and `*`,
//! addresses, CIDR blocks and ports work.

use crate::url::Target;
use crate::{FetchError, ProxySettings};
use std::net::IpAddr;

/// Which of a client's connections a URL uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    /// Straight to the host.
    Direct,
    /// By the proxy for plain HTTP.
    Http,
    /// By the proxy for HTTPS.
    Https,
}

/// The proxies, parsed.
pub(crate) struct Proxies {
    http: Option<ureq::Proxy>,
    https: Option<ureq::Proxy>,
    none_for: Vec<Exception>,
}

/// One part of `NO_PROXY`.
#[derive(Debug, PartialEq, Eq)]
enum Exception {
    All,
    Name { suffix: String, itself: bool, port: Option<u16> },
    Address { address: IpAddr, port: Option<u16> },
    Block { address: IpAddr, prefix: u8 },
}

impl Proxies {
    /// Parses settings.
    pub(crate) fn new(settings: &ProxySettings) -> Result<Self, FetchError> {
        let proxy = |specific: &Option<String>| {
            let Some(text) = specific.as_ref().or(settings.all.as_ref()) else { return Ok(None) };
            ureq::Proxy::new(text.trim())
                .map(Some)
                .map_err(|_| FetchError::Proxy { proxy: crate::redact(text.trim()) })
        };
        let none_for = settings.none_for.as_deref().unwrap_or_default();
        Ok(Self {
            http: proxy(&settings.http)?,
            https: proxy(&settings.https)?,
            none_for: none_for.split([',', ' ']).filter_map(Exception::parse).collect(),
        })
    }

    /// How to reach a URL.
    pub(crate) fn route(&self, target: &Target) -> Route {
        let (proxy, route) = match target.is_secure() {
            true => (&self.https, Route::Https),
            false => (&self.http, Route::Http),
        };
        let (host, port) = (target.host(), target.port());
        let address: Option<IpAddr> = host.parse().ok();
        let loopback = crate::is_loopback(&host);
        let excepted = self.none_for.iter().any(|exception| exception.covers(&host, address, port));
        if proxy.is_none() || loopback || excepted { Route::Direct } else { route }
    }

    /// The proxy of a route.
    pub(crate) fn of(&self, route: Route) -> Option<ureq::Proxy> {
        match route {
            Route::Direct => None,
            Route::Http => self.http.clone(),
            Route::Https => self.https.clone(),
        }
    }
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let (address, prefix) = (address.parse::<IpAddr>().ok()?, prefix.parse().ok()?);
            return Some(Self::Block { address, prefix });
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse() {
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Some(Self::Address { address, port });
        }
        let host = host.strip_prefix('*').unwrap_or(host);
        Some(match host.strip_prefix('.') {
            Some(suffix) => Self::Name { suffix: suffix.to_owned(), itself: false, port },
            None => Self::Name { suffix: host.to_owned(), itself: true, port },
        })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Name { suffix, itself, port: only } => {
                let below = host
                    .strip_suffix(suffix.as_str())
                    .is_some_and(|rest| rest.ends_with('.') || (rest.is_empty() && *itself));
                below && only.is_none_or(|only| only == port)
            }
            Self::Address { address: wanted, port: only } => {
                address == Some(*wanted) && only.is_none_or(|only| only == port)
            }
            Self::Block { address: block, prefix } => {
                address.is_some_and(|address| in_block(address, *block, *prefix))
            }
        }
    }
}

/// Whether an address lies in a CIDR block.
fn in_block(address: IpAddr, block: IpAddr, prefix: u8) -> bool {
    match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) => {
            let shift = 32_u32.saturating_sub(u32::from(prefix));
            (u32::from(address) ^ u32::from(block)).checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(block)) => {
            let shift = 128_u32.saturating_sub(u32::from(prefix));
            (u128::from(address) ^ u128::from(block)).checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(settings: &ProxySettings, url: &str) -> Route {
        Proxies::new(settings).unwrap().route(&Target::parse(url).unwrap())
    }

    fn settings(none_for: &str) -> ProxySettings {
        ProxySettings {
            all: Some("http://proxy.test:3128".to_owned()),
            none_for: Some(none_for.to_owned()),
            ..ProxySettings::default()
        }
    }

    #[test]
    fn no_proxy_excepts_names_addresses_blocks_and_ports() {
        let direct = [
            ("corp.test", "https://corp.test/"),
            ("corp.test", "https://a.corp.test/"),
            (".corp.test", "https://a.corp.test/"),
            ("*.corp.test", "https://a.b.corp.test/"),
            ("x, CORP.test ,y", "https://Corp.Test/"),
            ("corp.test:8443", "https://corp.test:8443/"),
            ("10.0.0.0/8", "http://10.200.3.4/"),
            ("fd00::/8", "http://[fd12::1]/"),
            ("10.1.2.3", "http://10.1.2.3/"),
            ("*", "http://any.test/"),
            ("", "http://localhost:99/"),
            ("", "http://127.8.8.8/"),
            ("", "http://[::1]/"),
        ];
        for (none_for, url) in direct {
            assert_eq!(route(&settings(none_for), url), Route::Direct, "{none_for} {url}");
        }
        let proxied = [
            ("corp.test", "https://notcorp.test/"),
            (".corp.test", "https://corp.test/"),
            ("corp.test:8443", "https://corp.test/"),
            ("10.0.0.0/8", "http://11.0.0.1/"),
            ("10.1.2.3", "http://10.1.2.30/"),
            ("", "http://corp.test/"),
        ];
        for (none_for, url) in proxied {
            assert_ne!(route(&settings(none_for), url), Route::Direct, "{none_for} {url}");
        }
    }

    #[test]
    fn a_proxy_for_one_scheme_leaves_the_other_direct() {
        let only = ProxySettings { https: Some("proxy:1".to_owned()), ..ProxySettings::default() };
        assert_eq!(route(&only, "https://a.test/"), Route::Https);
        assert_eq!(route(&only, "http://a.test/"), Route::Direct);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
        let settings =
            ProxySettings { all: Some("gopher://me:hunter2@p".to_owned()), ..Default::default() };
        let text = Proxies::new(&settings).err().unwrap().to_string();
        assert!(text.contains("gopher://p") && !text.contains("hunter2"), "{text}");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
