//! R packages that are installed: `DESCRIPTION` in the library's folder of each.
//!
//! In goes the description, to which R adds `Built` when it installs a package: sources, which lack it,
//! are left out. Out come packages of CRAN, those of other repositories (Bioconductor, GitHub, folders),
//! for which nobody publishes advisories, and R itself for its own package `base`.
//!
//! Sources: R, "Writing R Extensions", "The DESCRIPTION file"; R, `read.dcf`; purl-spec, type `cran`.

use crate::language::{Named, decode, encode, proof};
use crate::text::fields;
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use serde::{Deserialize, Serialize};
use vocabulary::Ecosystem;

/// Largest description; the longest lists of authors have some kilobytes.
const DESCRIPTION_LIMIT: u64 = 1 << 20;

/// The `r` cataloger.
#[derive(Debug)]
pub struct R;

/// What is kept of a description.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum RFact {
    Cran(Named),
    Elsewhere(Named),
}

impl Reader for R {
    fn id(&self) -> &'static str {
        "r"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("DESCRIPTION")]
    }

    fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
        Want::Whole { at_most: DESCRIPTION_LIMIT }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some(mut fact) = parse(bytes)? else { return Ok(None) };
        let (RFact::Cran(named) | RFact::Elsewhere(named)) = &mut fact;
        named.proof = proof(entry.path, bytes);
        encode(&fact)
    }
}

impl Resolver for R {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let package = match decode(&at, &mut resolution.problems) {
                Some(RFact::Cran(named)) => named.cataloged("cran", Ecosystem::CRAN, &at),
                Some(RFact::Elsewhere(named)) => {
                    named.cataloged("generic", Ecosystem::PROGRAM, &at)
                }
                None => continue,
            };
            resolution.packages.push(package);
        }
        resolution
    }
}

fn parse(bytes: &[u8]) -> Result<Option<RFact>, ReadError> {
    let fields = fields(bytes);
    let field = |key: &[u8]| {
        let found = fields.iter().find(|(known, _)| *known == key);
        found.map(|(_, value)| value.as_ref())
    };
    let (Some(name), Some(built)) = (field(b"Package"), field(b"Built")) else { return Ok(None) };
    if !built.starts_with("R ") {
        return Ok(None);
    }
    let own = field(b"Priority") == Some("base");
    if own && name != "base" {
        return Ok(None);
    }
    let name = if own { "R" } else { name };
    let named = Named::new(name, field(b"Version").unwrap_or_default(), field(b"License"))
        .ok_or_else(|| ReadError::new("its name or version is not one of an R package"))?;
    let repository = field(b"Repository").unwrap_or_default();
    // Posit's mirror names itself RSPM; packages of CRAN come with R as `recommended`.
    let of_cran = ["CRAN", "RSPM"].contains(&repository)
        || (repository.is_empty() && field(b"Priority") == Some("recommended"));
    let remote = field(b"RemoteType").is_some_and(|kind| kind != "standard");
    Ok(Some(if of_cran && !own && !remote { RFact::Cran(named) } else { RFact::Elsewhere(named) }))
}

#[cfg(test)]
mod tests;
