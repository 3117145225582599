//! Rust programs built by `cargo auditable`: the crates that it writes into them.
//!
//! In goes an ELF program, out come the crates of its `.dep-v0` section that run with it; build
//! dependencies do not. The section is found by its content, a zlib stream that inflates to
//! `{"packages":…`, in one pass: section headers stand at the end of a file, and to wait for them
//! would mean to hold every program in memory.
//! Source: cargo-auditable, PARSING.md and cargo-auditable.schema.json.

mod crates;
mod scanner;

use crate::binary::is_searched;
use crate::language::{Installed, decode, encode, may_be_of_a_distribution, proof, unreadable};
use crates::Crate;
use image::{
    ContentDigests, Entry, Fact, Flow, Interest, ReadError, Reading, Resolution, Resolver, View,
    Want,
};
use scanner::Scanner;
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Purl};

/// Programs that a distribution could own are held whole up to this size, so that the few among them
/// that carry a crate list can be proved; the others pass by as a stream.
const PROOF_LIMIT: u64 = 16 << 20;

/// The `rust` cataloger.
#[derive(Debug)]
pub struct Rust;

/// What is kept of one program.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RustFact<'fact> {
    #[serde(borrow)]
    crates: Vec<Crate<'fact>>,
    /// How many crates have a name or version that cannot be shown.
    unreadable: u32,
    proof: Option<ContentDigests>,
}

impl image::Reader for Rust {
    fn id(&self) -> &'static str {
        "rust"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        const { &[Interest::Magic(*b"\x7fELF")] }
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        if !is_searched(entry, head) {
            Want::No
        } else if entry.size <= PROOF_LIMIT && may_be_of_a_distribution(entry.path) {
            Want::Whole { at_most: PROOF_LIMIT }
        } else {
            Want::Stream(Box::new(Reader(Scanner::default())))
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let mut scanner = Scanner::default();
        scanner.push(bytes);
        fact_of(scanner, || proof(entry.path, bytes))
    }
}

impl Resolver for Rust {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let Some(fact) = decode::<RustFact<'_>>(&at, &mut resolution.problems) else {
                continue;
            };
            resolution.problems.extend(unreadable(&at, fact.unreadable));
            for one in fact.crates {
                let installed = Installed {
                    purl: Purl::new("cargo", one.name).with_version(one.version),
                    ecosystem: Ecosystem::new(one.ecosystem()),
                    name: one.name.to_owned(),
                    version: one.version.to_owned(),
                    licences: Vec::new(),
                    path: at.path.to_owned(),
                    layer: at.layer,
                    files: Vec::new(),
                    proof: fact.proof,
                };
                resolution.packages.push(installed.cataloged());
            }
        }
        resolution
    }
}

struct Reader(Scanner);

impl Reading for Reader {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        fact_of(self.0, || None)
    }
}

fn fact_of(
    scanner: Scanner,
    proof: impl FnOnce() -> Option<ContentDigests>,
) -> Result<Option<Fact>, ReadError> {
    let Some(json) = scanner.finish()? else { return Ok(None) };
    let list = crates::parse(&json)?;
    let (crates, unreadable) = list.running();
    encode(&RustFact { crates, unreadable, proof: proof() })
}

#[cfg(test)]
mod tests;
