//! .NET packages that a published program brings: `NAME.deps.json`, also that of the shared runtime.
//!
//! In goes the file by which .NET finds a program's libraries, out come those that are packages of NuGet
//! and of which files are there. A program in a single file carries it inside, where it is not read.
//! Source: .NET documentation, "Runtime configuration files"; NuGet documentation, "Package identifiers".

pub(crate) mod deps;

use crate::language::{Installed, decode, encode, proof};
use image::{Check, ContentDigests, Entry, Fact, Interest, ReadError, Resolution, View, Want};
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
    proof: Option<ContentDigests>,
}

impl Check for Dotnet {
    fn id(&self) -> &'static str {
        "dotnet"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("json")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match entry.path.strip_suffix(".deps.json") {
            Some(program) if !program.is_empty() && !program.ends_with('/') => {
                Want::Whole { at_most: DEPS_LIMIT }
            }
            _ => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        encode(&DotnetFact { packages: deps::parse(bytes)?, proof: proof(entry.path, bytes) })
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let fact: Option<DotnetFact> = decode(&at, &mut resolution.problems);
            let Some(DotnetFact { packages, proof }) = fact else { continue };
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

#[cfg(test)]
mod tests;
