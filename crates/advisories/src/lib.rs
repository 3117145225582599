//! Builds the vulnerability database from public feeds and decides which package versions it affects.
//!
//! In go advisories in the layout of the public OSV bucket (by folder or by URL) and packages; out
//! come one compact file for each ecosystem, and findings with their evidence. The database is made
//! once, sorted, indexed and stripped of all that cannot match, and read whole: that is why matching
//! needs neither a server nor a warm cache, and takes milliseconds with the start of the process.

pub mod artefact;
pub mod build;
pub mod bundle;
pub mod cvss;
pub mod database;
mod download;
mod dropped;
mod entry;
mod exchange;
mod feed;
mod follow;
mod format;
mod held;
mod ids;
mod intervals;
mod kernel;
mod known;
pub mod lifetimes;
mod listing;
pub mod manifest;
pub mod matching;
#[cfg(test)]
mod mirror_tests;
mod modules;
mod moment;
mod names;
pub mod osv;
mod pages;
pub mod paths;
pub mod purls;
mod rating;
mod releases;
pub mod risk;
mod settle;
mod singles;
mod storage;
mod title;
pub mod update;

pub use bundle::{BundleError, export, import};
pub use database::{Database, DatabaseError};
pub use follow::{FollowError, changes};
pub use format::FormatError;
pub use known::{Known, KnownError, KnownPackage, KnownRange, KnownRecord, Searched, known_of};
pub use lifetimes::END_OF_LIFE;
pub use manifest::Manifest;
pub use matching::upgrade::{Advice, Paid, Target};
pub use matching::{
    Databases, KNOWN_VULNERABILITY, MALICIOUS_PACKAGE, Matched, ecosystems_of,
    is_of_unknown_distribution,
};
pub use releases::ecosystem_of;
pub use risk::{RiskFeed, Risks};
pub use update::risks::RiskUpdated;
pub use update::{Changed, Progress, Quiet, Source, UpdateError, Updated, status, update};

/// The rules that findings of advisories are of, and of what publishers say they mend no more.
pub static RULES: &[&vocabulary::Rule] = &[&MALICIOUS_PACKAGE, &KNOWN_VULNERABILITY, &END_OF_LIFE];
