//! .NET packages that a published program brings: `NAME.deps.json`, also that of the shared runtime, and
//! the one inside a program in a single file.
//!
//! In goes the file by which .NET finds a program's libraries, out come those that are packages of NuGet
//! and of which files are there. A program that was compiled to machine code (native AOT) holds none, and
//! cannot be told from others.
//! Source: .NET documentation, "Runtime configuration files", "Single-file deployment"; NuGet documentation,
//! "Package identifiers".

mod bundle;
pub(crate) mod deps;

use crate::language::{Installed, decode, encode, proof, unreadable};
use bundle::Scanner;
use image::{
    ContentDigests, Entry, Fact, Flow, Interest, ReadError, Reading, Resolution, Resolver, View,
    Want,
};
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Purl};

/// Largest `deps.json`; those of large programs have about 1 MB.
const DEPS_LIMIT: u64 = 16 << 20;

/// The `dotnet` cataloger.
#[derive(Debug)]
pub struct Dotnet;

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
struct DotnetFact {
    packages: Vec<deps::Package>,
    /// How many packages have a name or version that cannot be shown.
    unreadable: u32,
    proof: Option<ContentDigests>,
}

impl image::Reader for Dotnet {
    fn id(&self) -> &'static str {
        "dotnet"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        const { &[Interest::Extension("json"), Interest::Magic(*b"\x7fELF")] }
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        if head.starts_with(b"\x7fELF") {
            return match Scanner::new(head) {
                Some(scanner) => Want::Stream(Box::new(Reader(scanner))),
                None => Want::No,
            };
        }
        match entry.path.strip_suffix(".deps.json") {
            Some(program) if !program.is_empty() && !program.ends_with('/') => {
                Want::Whole { at_most: DEPS_LIMIT }
            }
            _ => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        fact_of(bytes, proof(entry.path, bytes))
    }
}

impl Resolver for Dotnet {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let fact: Option<DotnetFact> = decode(&at, &mut resolution.problems);
            let Some(DotnetFact { packages, unreadable: missing, proof }) = fact else { continue };
            resolution.problems.extend(unreadable(&at, missing));
            for package in packages {
                let installed = Installed {
                    purl: Purl::new("nuget", &package.name).with_version(&package.version),
                    ecosystem: Ecosystem::NUGET,
                    name: package.name,
                    version: package.version,
                    licences: Vec::new(),
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

/// A program in a single file. Its packages have no proof: to hash every program in order to have one of the
/// few that carry packages would cost more than all else.
struct Reader(Scanner);

impl Reading for Reader {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        match self.0.finish()? {
            Some(json) => fact_of(&json, None),
            None => Ok(None),
        }
    }
}

fn fact_of(json: &[u8], proof: Option<ContentDigests>) -> Result<Option<Fact>, ReadError> {
    let (packages, unreadable) = deps::parse(json)?;
    encode(&DotnetFact { packages, unreadable, proof })
}

#[cfg(test)]
mod tests;
