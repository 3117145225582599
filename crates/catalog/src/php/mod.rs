//! PHP packages that are installed: Composer's `vendor/composer/installed.json`.
//!
//! In goes the file in which Composer writes down what it installed, out comes a package for each entry,
//! those for development too, since they are there. The folder above may have any name (`vendor-dir`).
//! Source: Composer documentation, "Config", "Runtime Composer utilities".

pub(crate) mod installed;

use crate::language::{Installed, decode, encode, proof, unreadable};
use image::{
    ContentDigests, Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Purl};

/// Largest `installed.json`; those of large applications have about 2 MB.
const INSTALLED_LIMIT: u64 = 32 << 20;

/// The `php` cataloger.
#[derive(Debug)]
pub struct Php;

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
struct PhpFact {
    packages: Vec<installed::Package>,
    /// How many packages have a name or version that cannot be shown.
    unreadable: u32,
    proof: Option<ContentDigests>,
}

impl Reader for Php {
    fn id(&self) -> &'static str {
        "php"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("installed.json")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        let folder = entry.path.strip_suffix("/installed.json").unwrap_or_default();
        if folder == "composer" || folder.ends_with("/composer") {
            Want::Whole { at_most: INSTALLED_LIMIT }
        } else {
            Want::No
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let (packages, unreadable) = installed::parse(bytes)?;
        encode(&PhpFact { packages, unreadable, proof: proof(entry.path, bytes) })
    }
}

impl Resolver for Php {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let fact: Option<PhpFact> = decode(&at, &mut resolution.problems);
            let Some(PhpFact { packages, unreadable: missing, proof }) = fact else { continue };
            resolution.problems.extend(unreadable(&at, missing));
            for package in packages {
                let (vendor, name) = package.name.split_once('/').unwrap_or(("", &package.name));
                let installed = Installed {
                    purl: Purl::new("composer", name)
                        .with_namespace(vendor)
                        .with_version(&package.version),
                    ecosystem: Ecosystem::PACKAGIST,
                    name: package.name,
                    version: package.version,
                    licences: package.licences,
                    path: at.path.to_owned(),
                    layer: at.layer,
                    files: Vec::new(),
                    proof,
                };
                resolution.packages.push(installed.cataloged());
            }
        }
        resolution
    }
}

#[cfg(test)]
mod tests;
