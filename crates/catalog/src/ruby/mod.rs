//! Ruby gems that are installed: `specifications/*.gemspec`, default gems too.
//!
//! In goes the specification that `RubyGems` writes when it installs a gem, out comes the gem. The place
//! decides: a `.gemspec` in the gem's own folder is what the gem was built from, and stands there for
//! gems that were taken from git as well, of which no advisory speaks.
//! Source: RubyGems guides, "Specification reference"; RubyGems, `basic_specification.rb`.

mod gemspec;

use crate::language::{Installed, decode, encode, proof};
use gemspec::Gemspec;
pub(crate) use gemspec::is_name;
use image::{Check, ContentDigests, Entry, Fact, Interest, ReadError, Resolution, View, Want};
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Purl};

/// Largest specification; those of gems with thousands of files have some 200 KB.
const GEMSPEC_LIMIT: u64 = 4 << 20;

/// The `ruby` cataloger.
#[derive(Debug)]
pub struct Ruby;

/// What is kept of one gem.
#[derive(Debug, Serialize, Deserialize)]
struct RubyFact<'fact> {
    #[serde(borrow)]
    gemspec: Gemspec<'fact>,
    proof: Option<ContentDigests>,
}

/// Whether `RubyGems` keeps the specifications of installed gems in the folder of this path.
fn is_installed(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let folder = folder.strip_suffix("/default").unwrap_or(folder);
    name.ends_with(".gemspec")
        && (folder == "specifications" || folder.ends_with("/specifications"))
}

impl Check for Ruby {
    fn id(&self) -> &'static str {
        "ruby"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("gemspec")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if is_installed(entry.path) { Want::Whole { at_most: GEMSPEC_LIMIT } } else { Want::No }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        encode(&RubyFact { gemspec: gemspec::parse(bytes)?, proof: proof(entry.path, bytes) })
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let fact: Option<RubyFact<'_>> = decode(&at, &mut resolution.problems);
            let Some(RubyFact { gemspec, proof }) = fact else { continue };
            let mut purl = Purl::new("gem", &gemspec.name).with_version(&gemspec.version);
            if !gemspec.platform.is_empty() {
                purl = purl.with_qualifier("platform", &gemspec.platform);
            }
            let installed = Installed {
                purl,
                ecosystem: Ecosystem::RUBY_GEMS,
                name: gemspec.name.into_owned(),
                version: gemspec.version.into_owned(),
                licences: gemspec.licences,
                path: at.path.to_owned(),
                layer: at.layer,
                files: Vec::new(),
                proof,
            };
            resolution.packages.push(installed.cataloged());
        }
        resolution
    }
}

#[cfg(test)]
mod tests;
