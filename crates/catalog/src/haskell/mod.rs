//! Haskell packages that are installed: the databases of GHC, `package.conf.d/*.conf`, and of Cabal's
//! store, `package.db/*.conf`.
//!
//! In goes the description of one registered package, out comes the package. Libraries inside a package
//! name that package, and are listed as it.
//!
//! Sources: GHC user guide, "Installed package descriptions"; Cabal, `InstalledPackageInfo`; purl-spec,
//! type `hackage`.

use crate::language::{Named, decode, encode, proof};
use crate::text::fields;
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use std::collections::HashSet;
use vocabulary::Ecosystem;

/// Largest description; those with thousands of modules have some hundred kilobytes.
const CONF_LIMIT: u64 = 8 << 20;

/// The `haskell` cataloger.
#[derive(Debug)]
pub struct Haskell;

fn is_registration(path: &str) -> bool {
    let mut parts = path.rsplit('/').skip(1);
    parts.next().is_some_and(|folder| matches!(folder, "package.conf.d" | "package.db"))
}

impl Reader for Haskell {
    fn id(&self) -> &'static str {
        "haskell"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("conf")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match is_registration(entry.path) {
            true => Want::Whole { at_most: CONF_LIMIT },
            false => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let named = parse(bytes)
            .ok_or_else(|| ReadError::new("it has no readable `name` and `version`"))?;
        encode(&Named { proof: proof(entry.path, bytes), ..named })
    }
}

impl Resolver for Haskell {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut seen = HashSet::new();
        for at in view.staying() {
            let Some(named) = decode::<Named>(&at, &mut resolution.problems) else { continue };
            let folder = at.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if seen.insert((folder, named.name.clone(), named.version.clone())) {
                resolution.packages.push(named.cataloged("hackage", Ecosystem::HACKAGE, &at));
            }
        }
        resolution
    }
}

fn parse(bytes: &[u8]) -> Option<Named> {
    let fields = fields(bytes);
    let field = |key: &[u8]| {
        let found = fields.iter().find(|(known, _)| *known == key);
        found.map(|(_, value)| value.trim())
    };
    let name = field(b"package-name").or_else(|| field(b"name"))?;
    Named::new(name, field(b"version")?, field(b"license"))
}

#[cfg(test)]
mod tests;
