//! Ruby gems that are installed: `specifications/*.gemspec`, default gems too.
//!
//! In goes the specification that `RubyGems` writes when it installs a gem, out comes the gem. The place
//! decides: a `.gemspec` in the gem's own folder is what the gem was built from. Of a gem that Bundler took
//! from git there is no other; its author wrote it, often so that the version is computed, and then the gem
//! is listed without one, and so counted.
//! Source: RubyGems guides, "Specification reference"; RubyGems, `basic_specification.rb`.

mod gemspec;

use crate::language::{Installed, decode, encode, proof};
use gemspec::Gemspec;
pub(crate) use gemspec::is_name;
use image::{
    ContentDigests, Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
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

/// The file's stem, where it lies in what Bundler checked out of a repository, `bundler/gems/NAME-REVISION`,
/// or in a folder there, as gems of one repository do. Source: Bundler, `source/git.rb`, `source/path.rb`.
fn checked_out(path: &str) -> Option<&str> {
    let (_, below) = around_bundler(path)?;
    let mut parts = below.split('/');
    let (_, revision) = parts.next()?.rsplit_once('-')?;
    let is_revision = revision.len() == 12 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (file, others) = (parts.next_back()?, parts.count());
    file.strip_suffix(".gemspec").filter(|stem| is_revision && others <= 1 && is_name(stem))
}

/// What stands before and behind Bundler's folder of checked out repositories.
fn around_bundler(path: &str) -> Option<(&str, &str)> {
    const FOLDER: &str = "bundler/gems/";
    let (before, below) = path.split_once(FOLDER)?;
    (before.is_empty() || before.ends_with('/')).then_some((before, below))
}

/// Whether `RubyGems` keeps the specifications of installed gems in the folder of this path.
fn is_installed(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let folder = folder.strip_suffix("/default").unwrap_or(folder);
    name.ends_with(".gemspec")
        && (folder == "specifications" || folder.ends_with("/specifications"))
}

impl Reader for Ruby {
    fn id(&self) -> &'static str {
        "ruby"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("gemspec")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        let concerns = is_installed(entry.path) || checked_out(entry.path).is_some();
        if concerns { Want::Whole { at_most: GEMSPEC_LIMIT } } else { Want::No }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let gemspec = match (gemspec::parse(bytes), checked_out(entry.path)) {
            (Ok(gemspec), _) => gemspec,
            (Err(_), Some(name)) => Gemspec { name: name.into(), ..Gemspec::default() },
            (Err(error), None) => return Err(error),
        };
        encode(&RubyFact { gemspec, proof: proof(entry.path, bytes) })
    }
}

impl Resolver for Ruby {
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
