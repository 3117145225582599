//! What is known of the exploitation of vulnerabilities: CISA's KEV and FIRST's EPSS.
//!
//! In go the two feeds as they are published, out come two compact files beside the databases, and
//! look-ups by CVE. They add rank to findings and find nothing themselves, so that a scan without them
//! is complete; the report says which of them were there. Each file is sorted, of fixed width and
//! checked against its digest when it is opened.

mod epss;
mod kev;
mod store;

pub use store::{Lookup, RiskError, Risks};
pub(crate) use store::{Table, load, manifest, path};

use crate::names;
use vocabulary::{Digest, Ecosystem};

/// The public address of the KEV catalogue. Source: CISA, "Known Exploited Vulnerabilities Catalog".
pub const KEV_URL: &str =
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
/// The public address of the EPSS scores. Source: FIRST, "EPSS Data".
pub const EPSS_URL: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

/// Largest feed, packed or plain. The largest, EPSS, has some 10 MB plain.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// One of the feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskFeed {
    /// Known exploited vulnerabilities.
    Kev,
    /// Probabilities of exploitation.
    Epss,
}

impl RiskFeed {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Kev, Self::Epss];

    /// The name under which its file and manifest stand beside those of the ecosystems.
    #[must_use]
    pub fn name(self) -> Ecosystem {
        Ecosystem::new(match self {
            Self::Kev => names::KEV,
            Self::Epss => names::EPSS,
        })
    }

    /// The feed of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feed| feed.name().as_str().eq_ignore_ascii_case(name))
    }

    pub(crate) const fn public(self) -> &'static str {
        match self {
            Self::Kev => KEV_URL,
            Self::Epss => EPSS_URL,
        }
    }

    /// Where it lies in a mirror.
    pub(crate) const fn in_mirror(self) -> &'static [&'static str] {
        match self {
            Self::Kev => &["cisa-kev/known_exploited_vulnerabilities.json"],
            Self::Epss => &["epss/epss_scores-current.csv.gz", "epss/epss_scores-current.csv"],
        }
    }

    pub(crate) fn build(self, bytes: &[u8]) -> Result<Vec<u8>, RiskError> {
        match self {
            Self::Kev => kev::build(bytes),
            Self::Epss => epss::build(bytes),
        }
    }
}

/// The digest of the content of a feed's file, if it is whole.
pub(crate) fn content_of(feed: RiskFeed, bytes: &[u8]) -> Result<Digest, RiskError> {
    store::Table::parse(feed, bytes).map(|table| table.content())
}

/// Reads a feed from its published form; gives the count of its entries. For fuzzing.
#[doc(hidden)]
#[must_use]
pub fn check(feed: RiskFeed, bytes: &[u8]) -> Option<u64> {
    let built = feed.build(bytes).ok()?;
    Some(store::Table::parse(feed, &built).ok()?.records())
}

#[cfg(test)]
mod tests;
