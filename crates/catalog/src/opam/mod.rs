//! OCaml packages in switches of opam: `.opam-switch/packages/NAME.VERSION/opam`.
//!
//! In goes the definition that opam keeps of each package that it installed, out comes the package. Its
//! folder names it, at the first dot, which names do not have; of the text only the licence is read.
//! Packages that stand for what the system has (`conf-…`) are left out: opam installs nothing for them.
//!
//! Sources: opam manual, "Switches" and "Package definitions"; purl-spec, type `opam`.

use crate::language::{Named, decode, encode};
use crate::text::{lines, text};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use vocabulary::Ecosystem;

/// Largest definition; those with many checksums have about 100 kB.
const OPAM_LIMIT: u64 = 4 << 20;

/// The `opam` cataloger.
#[derive(Debug)]
pub struct Opam;

/// Name and version of a package of a switch.
fn package(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let (file, folder, packages, switch) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if (file, packages, switch) != ("opam", "packages", ".opam-switch") {
        return None;
    }
    folder.split_once('.').filter(|(name, _)| !name.starts_with("conf-"))
}

impl Reader for Opam {
    fn id(&self) -> &'static str {
        "opam"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("opam")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match package(entry.path) {
            Some(_) => Want::Whole { at_most: OPAM_LIMIT },
            None => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some((name, version)) = package(entry.path) else { return Ok(None) };
        let licence = licence(bytes);
        let named = Named::new(name, version, licence.as_deref())
            .ok_or_else(|| ReadError::new("its folder is not the name of an opam package"))?;
        encode(&named)
    }
}

impl Resolver for Opam {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            if let Some(named) = decode::<Named>(&at, &mut resolution.problems) {
                resolution.packages.push(named.cataloged("opam", Ecosystem::OPAM, &at));
            }
        }
        resolution
    }
}

/// `license: "MIT"`; lists of several are left out, since their meaning is not told.
fn licence(bytes: &[u8]) -> Option<String> {
    lines(bytes).find_map(|line| {
        let value = line.strip_prefix(b"license:")?.trim_ascii();
        let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(text(inner).into_owned())
    })
}

#[cfg(test)]
mod tests;
