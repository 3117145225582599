//! Reads what Homebrew installed: `Cellar/NAME/VERSION/INSTALL_RECEIPT.json`.
//!
//! In go the receipts, out come the formulae. The folders name the package, as `brew` itself reads
//! them; a receipt proves that it was installed whole. A version carries the revision of its formula
//! behind an underscore.
//!
//! Sources: Homebrew documentation, "Formula cookbook", "Terminology"; `Library/Homebrew/keg.rb`,
//! `tab.rb`. Package URLs are of the type `brew`, which purl-spec names as a candidate.

use crate::language::{Named, decode, encode};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use vocabulary::Ecosystem;

const RECEIPT: &str = "INSTALL_RECEIPT.json";

/// Largest receipt; those with a hundred dependencies have about 30 kB.
const SIZE_LIMIT: u64 = 4 << 20;

/// Reads receipts of Homebrew.
#[derive(Debug)]
pub struct Homebrew;

/// Name and version of the formula whose receipt this is.
fn formula(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let (file, version, name, cellar) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    ((file, cellar) == (RECEIPT, "Cellar")).then_some((name, version))
}

impl Reader for Homebrew {
    fn id(&self) -> &'static str {
        "homebrew"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name(RECEIPT)]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match formula(entry.path) {
            Some(_) => Want::Whole { at_most: SIZE_LIMIT },
            None => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, _: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some((name, version)) = formula(entry.path) else { return Ok(None) };
        let named = Named::new(name, version, None)
            .ok_or_else(|| ReadError::new("its folders are not name and version of a formula"))?;
        encode(&named)
    }
}

impl Resolver for Homebrew {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            if let Some(named) = decode::<Named>(&at, &mut resolution.problems) {
                resolution.packages.push(named.cataloged("brew", Ecosystem::HOMEBREW, &at));
            }
        }
        resolution
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::testing::{purls, resolve};
    use crate::view_tests::read_file;

    #[test]
    fn a_receipt_in_the_cellar_is_a_formula() {
        let found = resolve(
            &Homebrew,
            &[
                ("home/linuxbrew/.linuxbrew/Cellar/openssl@3/3.3.2_1/INSTALL_RECEIPT.json", b"{}"),
                ("home/linuxbrew/.linuxbrew/Cellar/jq/1.7.1/INSTALL_RECEIPT.json", b""),
                ("srv/jq/1.7.1/INSTALL_RECEIPT.json", b"{}"),
            ],
        );
        assert_eq!(purls(&found), ["pkg:brew/jq@1.7.1", "pkg:brew/openssl%403@3.3.2_1"]);
        let odd = "opt/Cellar/a\x1b[2J/1/INSTALL_RECEIPT.json";
        assert!(read_file(&Homebrew, odd, b"{}").is_err());
    }
}
