//! Reads package databases, lock files and binaries; one directory an ecosystem; yields packages.
//!
//! Each cataloger is an [`image::Check`]: it reads one file at a time into small facts that the
//! cache keeps for each layer, and makes packages of them in the squashed view. It opens nothing
//! itself, so that the same cataloger serves images, archives, directories and fuzz targets alike.
//! [`all`] is the explicit list of them.

pub mod all;
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

pub use all::all;

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

#[cfg(test)]
mod fact_samples;
#[cfg(test)]
mod fact_tests;
#[cfg(test)]
mod view_tests;
