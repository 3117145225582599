//! Orders version texts exactly as each ecosystem defines it.
//!
//! In go two texts and a [`Scheme`], out comes their order, or an error that names the text which
//! the scheme does not allow. Pure functions over borrowed text: nothing is allocated on the paths
//! that matching takes (Maven, and Python's legacy versions, are the exceptions), and every scheme
//! takes time linear in the length of the texts.
//!
//! A scheme follows its reference tool, also where that tool compares a text that its own rules
//! call invalid: advisories hold such texts, and an order that the tool itself would give is worth
//! more than an error. Where a module is more lenient than its tool, it says so and why.

mod alpine;
mod alpm;
mod conan;
mod debian;
mod digits;
mod dotted;
mod evr;
mod go;
mod maven;
mod npm;
mod nuget;
mod numbers;
mod opam;
mod order;
mod packagist;
mod pep440;
mod portage;
mod pre_release;
mod pub_semver;
pub mod range;
mod rpm;
mod rubygems;
mod scheme;
mod semver;

pub use scheme::{LONGEST, Scheme, VersionError};
