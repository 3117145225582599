//! Asks a distribution's own archive which installed packages have a newer security version.
//!
//! In go what an image says of itself (its distribution, its packages, its apt sources and keyrings)
//! and the means to ask; out come findings of rule `security-update-available` and one line of
//! coverage. An archive says what it has published before any advisory database does, and says it
//! signed. Everything in the image is under its builder's control, so it decides nothing: of its
//! sources only hosts that are known here are asked, and of its keyrings only keys count whose
//! fingerprints are built in, or that the user gives.
//!
//! [`openpgp`], [`release`], [`packages_index`] and [`apt_sources`] are pure; [`check`] connects.

pub mod apt_sources;
mod check;
mod compare;
mod deb822;
mod mirror;
pub mod openpgp;
pub mod packages_index;
mod place;
pub mod release;
mod trust;

pub use check::{Asked, Freshness, Means, check};
pub use compare::SECURITY_UPDATE_AVAILABLE;

/// The name of the check in coverage.
pub const CHECK: &str = "archive";
