//! Where a request may lead that the user did not choose: that of a redirect, or of a URL that a server
//! named.
//!
//! Who redirects chooses an address that we can reach and perhaps they cannot: this machine's own
//! services, or those of a cloud's link-local network. Names lie: so what counts is the address that is
//! connected to, asked for where it is resolved. Sources: RFC 6890 (special-purpose addresses), RFC
//! 4291 (2.5.5, addresses of IPv4 within IPv6), RFC 6052 (NAT64), RFC 3056 (6to4).
//!
//! Networks of an organisation (RFC 1918) are not among what is refused: registries lead to stores
//! within them, by TLS, which is what keeps others away there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Most hosts of which it is remembered where they are: a scan asks a few dozen.
const HOSTS: usize = 4096;

/// Which special addresses a request may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reach {
    /// This machine.
    pub(crate) loopback: bool,
    /// The link, where clouds tell machines their secrets.
    pub(crate) link: bool,
}

impl Reach {
    /// Of what the user named.
    pub(crate) const ALL: Self = Self { loopback: true, link: true };
    /// Of what somebody elsewhere named.
    #[cfg(test)]
    pub(crate) const ELSEWHERE: Self = Self { loopback: false, link: false };

    fn of(address: IpAddr) -> Self {
        let address = plain(address);
        Self { loopback: is_this_machine(address), link: is_link(address) }
    }

    /// Whether an address lies within.
    fn holds(self, address: IpAddr) -> bool {
        let of = Self::of(address);
        (self.loopback || !of.loopback) && (self.link || !of.link)
    }

    /// Whether a host that is an address, or is this machine by its name, lies within. Other names are
    /// asked when they are resolved.
    pub(crate) fn may_hold(self, host: &str) -> bool {
        match address_of(host) {
            Some(Ok(address)) => self.holds(address),
            // A number in another form is taken for an address by some, and for a name by others.
            Some(Err(())) => self == Self::ALL,
            None => self.loopback || !is_local_name(host),
        }
    }
}

/// An address, as it is meant: within IPv6, that of IPv4.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(address) = address else { return address };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let within =
        |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match [a, b, c, d, e, f] {
        // Mapped, translated, and compatible ones but `::` and `::1`.
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            within(g, h)
        }
        [0, 0, 0, 0, 0, 0] if g != 0 => within(g, h),
        [0x2002, high, low, ..] => within(high, low),
        _ => IpAddr::V6(address),
    }
}

fn is_this_machine(address: IpAddr) -> bool {
    match address {
        // 0.0.0.0/8 is "this host on this network", which connects to this machine.
        IpAddr::V4(address) => address.is_loopback() || address.octets().first() == Some(&0),
        IpAddr::V6(address) => address.is_loopback() || address.is_unspecified(),
    }
}

fn is_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_link_local() || address.is_multicast() || address.is_broadcast()
        }
        // fe80::/10; and the address of a cloud's metadata that is not on the link.
        IpAddr::V6(address) => {
            let first = address.segments().first().copied().unwrap_or_default();
            first & 0xffc0 == 0xfe80 || address.is_multicast() || address == METADATA
        }
    }
}

const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// The address that a host is; an error where its last part is a number in no usual form (`0x7f.1`,
/// `2130706433`, `127.1`), which resolvers take for one.
fn address_of(host: &str) -> Option<Result<IpAddr, ()>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    // A zone (`fe80::1%eth0`) is no part of the address.
    let address = bare.split('%').next().unwrap_or_default();
    if let Ok(address) = address.parse() {
        return Some(Ok(address));
    }
    let last = bare.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let number = last.starts_with(|letter: char| letter.is_ascii_digit())
        && last.chars().all(|letter| letter.is_ascii_hexdigit() || matches!(letter, 'x' | 'X'));
    number.then_some(Err(()))
}

/// RFC 6761, 6.3: `localhost` and all below it.
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Where hosts were found to be, so that what they lead to can be held against that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Arc<Mutex<BTreeMap<String, Reach>>>);

impl Places {
    /// What a host may lead to: whoever is on this machine already may lead to it, and to the link who
    /// is there; the latter only for the host itself, which `same` says.
    pub(crate) fn reach_of(&self, host: &str, same: bool) -> Reach {
        let by_name = match address_of(host) {
            Some(Ok(address)) => Reach::of(address),
            _ => Reach { loopback: is_local_name(host), link: false },
        };
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = places.get(&host.to_ascii_lowercase()).copied().unwrap_or(by_name);
        Reach { loopback: known.loopback, link: known.link && same }
    }

    /// A host is where all of its addresses are.
    fn note(&self, host: &str, addresses: &ResolvedSocketAddrs) {
        let mut all = Reach::ALL;
        for address in addresses.iter() {
            let of = Reach::of(address.ip());
            all = Reach { loopback: all.loopback && of.loopback, link: all.link && of.link };
        }
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() < HOSTS {
            places.insert(host.to_ascii_lowercase(), all);
        }
    }
}

/// Resolves names, and lets through only addresses within reach.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) reach: Reach,
    pub(crate) places: Places,
}

/// That a name leads to an address out of reach.
#[derive(Debug, thiserror::Error)]
#[error("its host leads to this machine or to the link-local network")]
pub(crate) struct OutOfReach;

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        // The address of a proxy is resolved here, too; the user chose it.
        if self.reach == Reach::ALL || config.proxy().is_some_and(|proxy| proxy.uri() == uri) {
            self.places.note(uri.host().unwrap_or_default(), &found);
            return Ok(found);
        }
        // One address out of reach is enough: names with several are how others get around this.
        match found.iter().all(|address| self.reach.holds(address.ip())) {
            true => Ok(found),
            false => Err(ureq::Error::Other(Box::new(OutOfReach))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_link_are_known_in_every_form() {
        for host in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "::1",
            "::",
            "[::1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::ffff:0:127.0.0.1",
            "::ffff:0.0.0.0",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "febf::1",
            "fe80::1%eth0",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "fd00:ec2::254",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "017700000001",
            "a.0x7f",
        ] {
            assert!(!Reach::ELSEWHERE.may_hold(host), "{host}");
            assert!(Reach::ALL.may_hold(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "192.0.2.1",
            "2001:db8::1",
            "a.test",
            "localhost.test",
            "0x.test",
            "fec0::1",
        ] {
            assert!(Reach::ELSEWHERE.may_hold(host), "{host}");
        }
    }

    #[test]
    fn who_is_on_this_machine_may_lead_to_it_and_nobody_to_the_link() {
        let places = Places::default();
        let here = places.reach_of("127.0.0.1", false);
        assert!(here.may_hold("localhost") && !here.may_hold("169.254.169.254"));
        assert_eq!(places.reach_of("a.test", false), Reach::ELSEWHERE);
        let link = places.reach_of("169.254.1.1", true);
        assert!(link.may_hold("169.254.1.1") && !link.may_hold("127.0.0.1"));
        assert_eq!(places.reach_of("169.254.1.1", false), Reach::ELSEWHERE);
    }
}
