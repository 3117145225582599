//! Archives that are made to hold up, fill up or fool whoever reads them.
//!
//! In goes how large they are to be, out comes a list by name: each is made when it is asked for, so
//! that no two are held at once. The kinds are those of public reports against readers of archives
//! and package databases: bombs, floods, lies about sizes, loops, depth, and texts that make parsers
//! quadratic. Nothing in them runs.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "what is written is made here, and its places are known"
)]

mod documents;
mod layers;
mod packages;
mod packing;
mod zips;

use crate::{Compression, ImageBuilder, Layer};

/// How large the archives are: a full one is meant for an optimised program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A twentieth: every kind is there, none takes long.
    Small,
    /// What an attacker would upload.
    Full,
}

impl Scale {
    /// So many of a full count, and never none.
    #[must_use]
    pub const fn of(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Small if full < 20 => 1,
            Self::Small => full / 20,
        }
    }
}

/// Makes what is tried.
type Make = fn(Scale) -> Vec<u8>;

/// One archive, by the name of what it tries.
pub struct Hostile {
    /// What it tries.
    pub name: String,
    make: Box<dyn Fn() -> Vec<u8>>,
}

impl Hostile {
    fn new(name: impl Into<String>, make: impl Fn() -> Vec<u8> + 'static) -> Self {
        Self { name: name.into(), make: Box::new(make) }
    }

    /// Its bytes: an archive of an image.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        (self.make)()
    }
}

/// All of them.
#[must_use]
pub fn all(scale: Scale) -> Vec<Hostile> {
    let mut all = Vec::new();
    all.extend(layers::all(scale));
    all.extend(packing::all(scale));
    all.extend(packages::all(scale));
    all.extend(zips::all(scale));
    all.extend(documents::all(scale));
    all
}

/// What is tried by the files of one layer, in three ways: stored plain, by gzip and by zstd.
fn in_each_packing(name: &str, layer: Make, scale: Scale) -> Vec<Hostile> {
    let packings =
        [("plain", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];
    let one = |(word, packing)| {
        Hostile::new(format!("{name} ({word})"), move || {
            image(vec![Layer::of_bytes(layer(scale)).compression(packing)])
        })
    };
    packings.into_iter().map(one).collect()
}

/// An image whose lowest layer says what it runs on, so that a scan has no reason to end early.
fn image(layers: Vec<Layer>) -> Vec<u8> {
    let base = Layer::new().file("etc/os-release", "ID=debian\nVERSION_ID=12\n").file(
        "var/lib/dpkg/status",
        "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n",
    );
    let image = layers.into_iter().fold(ImageBuilder::new().layer(base), ImageBuilder::layer);
    image.oci_archive()
}
