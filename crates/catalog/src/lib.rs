//! Reads package databases, lock files and binaries; one directory an ecosystem; yields packages.
//!
//! Each cataloger is an [`image::Check`]: its reader makes small facts of one file at a time that the
//! cache keeps for each layer, and makes packages of them in the squashed view. It opens nothing
//! itself, so that the same cataloger serves images, archives, directories and fuzz targets alike.
//! [`catalogers`] is the explicit list of them; a cataloger is a module here, a line there, and nothing
//! else that names it.

pub mod apk;
pub mod apt;
pub mod bottlerocket;
pub mod chisel;
pub mod conda;
pub mod dotnet;
pub mod dpkg;
pub mod elf_notes;
pub mod elsewhere;
pub mod go;
pub mod haskell;
pub mod homebrew;
pub mod java;
pub mod javascript;
pub mod language;
pub mod licence;
pub mod lockfile;
pub mod luarocks;
pub mod manifests;
pub mod nix;
pub mod opam;
pub mod opkg;
pub mod os_release;
pub mod pacman;
pub mod php;
pub mod portage;
pub mod programs;
pub mod python;
pub mod r;
pub mod rpm;
pub mod ruby;
pub mod rust;
pub mod slackware;
pub mod snap;
pub mod unread;
pub mod wordpress;
pub mod xbps;

mod binary;
mod decoded;
mod history;
mod lenient;
mod line_counter;
mod needs;
mod owned;
mod package_database;
mod text;
mod xml;
mod yaml;
mod yaml_walk;

use image::Check;

/// A cataloger, and what is known of it beside what it reads.
pub struct Cataloger {
    /// The check.
    pub check: Box<dyn Check>,
    /// The ecosystems of what it yields; one that begins with `*` is that of the distribution. A lock
    /// file says its own: [`lockfile::Lockfile::ecosystem`].
    pub yields: &'static [&'static str],
    /// Paths and contents of files of which it makes facts; of those that have none here
    /// `fact_samples` knows some.
    #[cfg(test)]
    pub(crate) samples: &'static [(&'static str, &'static str)],
}

fn listed(check: Box<dyn Check>, yields: &'static [&'static str]) -> Cataloger {
    Cataloger {
        check,
        yields,
        #[cfg(test)]
        samples: &[],
    }
}

/// Every cataloger, sorted by id: a module of its own each, and the lock files of [`lockfile::ALL`].
#[must_use]
pub fn catalogers() -> Vec<Cataloger> {
    let mut catalogers = vec![
        listed(Box::new(apk::Apk), &["*apk"]),
        listed(Box::new(apt::Apt), &[]),
        listed(Box::new(bottlerocket::Bottlerocket), &[]),
        listed(Box::new(chisel::Chisel), &["Ubuntu"]),
        listed(Box::new(conda::Conda), &["conda"]),
        listed(Box::new(dotnet::Dotnet), &["NuGet"]),
        listed(Box::new(dpkg::Dpkg), &["*deb"]),
        listed(Box::new(elf_notes::ElfNotes), &["*note", "program"]),
        listed(Box::new(go::Go), &["Go"]),
        listed(Box::new(haskell::Haskell), &["Hackage"]),
        listed(Box::new(homebrew::Homebrew), &["Homebrew"]),
        listed(Box::new(java::Java), &["Maven"]),
        listed(Box::new(javascript::Javascript), &["npm"]),
        listed(Box::new(luarocks::Luarocks), &["LuaRocks"]),
        listed(Box::new(manifests::Manifests), &[]),
        listed(Box::new(nix::Nix), &["Nix"]),
        listed(Box::new(opam::Opam), &["opam"]),
        listed(Box::new(opkg::Opkg), &[]),
        listed(Box::new(os_release::OsRelease), &[]),
        listed(Box::new(pacman::Pacman), &["*alpm"]),
        listed(Box::new(php::Php), &["Packagist"]),
        listed(Box::new(portage::Portage), &["*ebuild"]),
        listed(Box::new(programs::Programs), &["Bitnami", "program"]),
        listed(Box::new(python::Python), &["PyPI"]),
        listed(Box::new(r::R), &["CRAN", "program"]),
        listed(Box::new(rpm::Rpm), &["*rpm"]),
        listed(Box::new(ruby::Ruby), &["RubyGems"]),
        listed(Box::new(rust::Rust), &["crates.io"]),
        listed(Box::new(slackware::Slackware), &[]),
        listed(Box::new(snap::Snap), &["snap"]),
        listed(Box::new(unread::Unread), &[]),
        listed(Box::new(wordpress::Wordpress), &["Bitnami", "WordPress"]),
        listed(Box::new(xbps::Xbps), &[]),
    ];
    catalogers.extend(lockfile::ALL.iter().map(|one| listed(Box::new(one.clone()), &[])));
    catalogers.sort_by_key(|cataloger| cataloger.check.id());
    catalogers
}

/// Their checks.
#[must_use]
pub fn all() -> Vec<Box<dyn Check>> {
    catalogers().into_iter().map(|cataloger| cataloger.check).collect()
}

#[cfg(test)]
mod fact_samples;
#[cfg(test)]
mod fact_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod view_tests;
