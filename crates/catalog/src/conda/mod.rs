//! Packages in conda environments, `conda-meta/*.json`, and in conda's cache, `pkgs/*/info/index.json`.
//!
//! In goes the record that conda, mamba and micromamba write of each package that they install; out come
//! the package and its files. A package of Python or R in such an environment carries its own metadata
//! and is listed by `python` or `r` as well, and matched there: nobody publishes advisories for conda,
//! so that to call it conda's alone would leave it unchecked. What lies in the cache is listed where no
//! environment has the same build of it.
//!
//! Sources: conda documentation, "conda-meta"; conda, `models/records.py` (`PrefixRecord`); purl-spec,
//! type `conda`.

use crate::language::{Installed, decode, encode, null_as_nothing, plain_text};
use crate::owned::{Blob, Budget, Packer};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use vocabulary::{Ecosystem, Problem, Purl};

/// Largest record: each file has about 300 bytes in it, and large packages have 50,000 files.
const RECORD_LIMIT: u64 = 64 << 20;

/// The `conda` cataloger.
#[derive(Debug)]
pub struct Conda;

/// What is kept of one record.
#[derive(Debug, Serialize, Deserialize)]
struct CondaFact<'fact> {
    name: String,
    version: String,
    licence: String,
    build: String,
    channel: String,
    subdir: String,
    archive: String,
    /// Paths relative to the root of the subject.
    #[serde(borrow)]
    files: Blob<'fact>,
}

#[derive(Deserialize)]
struct Record {
    name: String,
    version: String,
    #[serde(default)]
    license: Option<String>,
    #[serde(default)]
    build: Option<String>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    subdir: Option<String>,
    #[serde(default, rename = "fn")]
    archive: Option<String>,
    #[serde(default, deserialize_with = "null_as_nothing")]
    files: Vec<String>,
}

/// Whether a path is of the index of a package that was unpacked into the cache,
/// `pkgs/NAME-VERSION-BUILD/info/index.json`: conda, "Package naming conventions".
fn is_cached(path: &str) -> bool {
    let folder = path.strip_suffix("/info/index.json").and_then(|path| path.rsplit_once('/'));
    folder.is_some_and(|(above, name)| {
        (above == "pkgs" || above.ends_with("/pkgs")) && name.matches('-').count() >= 2
    })
}

/// The environment's folder, empty at the root; none for other files.
fn environment(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    let above = folder.strip_suffix("conda-meta")?;
    let fits = (above.is_empty() || above.ends_with('/')) && name.ends_with(".json");
    fits.then(|| above.trim_end_matches('/'))
}

impl Reader for Conda {
    fn id(&self) -> &'static str {
        "conda"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("json")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match environment(entry.path) {
            Some(_) => Want::Whole { at_most: RECORD_LIMIT },
            None if is_cached(entry.path) => Want::Whole { at_most: RECORD_LIMIT },
            None => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match environment(entry.path) {
            Some(folder) => encode(&fact(folder, bytes)?),
            None if is_cached(entry.path) => encode(&fact("", bytes)?),
            None => Ok(None),
        }
    }
}

impl Resolver for Conda {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        let mut budget = Budget::default();
        let mut known = HashSet::new();
        // Those of environments come first.
        let (cached, linked): (Vec<_>, Vec<_>) =
            view.staying().partition(|at| environment(at.path).is_none());
        for at in linked.into_iter().chain(cached) {
            let fact: Option<CondaFact<'_>> = decode(&at, &mut resolution.problems);
            let Some(fact) = fact else { continue };
            let key = (fact.name.clone(), fact.version.clone(), fact.build.clone());
            if !known.insert(key) && environment(at.path).is_none() {
                continue;
            }
            let purl = Purl::new("conda", &fact.name)
                .with_version(&fact.version)
                .with_qualifier("build", &fact.build)
                .with_qualifier("channel", &fact.channel)
                .with_qualifier("subdir", &fact.subdir)
                .with_qualifier("type", &fact.archive);
            let files = fact.files.unpack(&mut budget);
            let installed = Installed {
                purl,
                ecosystem: Ecosystem::CONDA,
                name: fact.name,
                version: fact.version,
                licences: Some(fact.licence).filter(|text| !text.is_empty()).into_iter().collect(),
                path: at.path.to_owned(),
                layer: at.layer,
                files: files.into_iter().map(|file| file.path).collect(),
                proof: None,
            };
            resolution.packages.push(installed.cataloged());
        }
        if let Some(reason) = budget.problem() {
            let path = "conda environments".to_owned();
            resolution.problems.push(Problem { path, layer: None, reason });
        }
        resolution
    }
}

fn fact(folder: &str, bytes: &[u8]) -> Result<CondaFact<'static>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let record: Record = serde_json::from_slice(bytes)
        .map_err(|_| ReadError::new("it is not a record of an installed conda package"))?;
    let owned =
        |text: &Option<String>| text.as_deref().and_then(plain_text).unwrap_or_default().to_owned();
    let name = plain_text(&record.name).filter(|name| !name.contains('/'));
    let (Some(name), Some(version)) = (name, plain_text(&record.version)) else {
        return Err(ReadError::new("its name or version is not one of a conda package"));
    };
    let mut packer = Packer::default();
    for file in record.files.iter().filter(|file| is_inside(file)) {
        match folder {
            "" => packer.push(file, None),
            _ => packer.push(&format!("{folder}/{file}"), None),
        }
    }
    let subdir = owned(&record.subdir);
    let archive = ["conda", "tar.bz2"].into_iter().find(|ending| {
        record.archive.as_deref().is_some_and(|name| name.ends_with(&format!(".{ending}")))
    });
    Ok(CondaFact {
        name: name.to_owned(),
        version: version.to_owned(),
        licence: owned(&record.license),
        build: owned(&record.build),
        channel: channel(&owned(&record.channel), &subdir).to_owned(),
        subdir,
        archive: archive.unwrap_or_default().to_owned(),
        files: packer.finish(),
    })
}

/// Whether a path stays below the folder that it is taken from.
fn is_inside(path: &str) -> bool {
    !path.starts_with('/')
        && !path.bytes().any(|byte| byte.is_ascii_control())
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// `conda-forge` of `https://conda.anaconda.org/conda-forge/linux-64`.
fn channel<'text>(address: &'text str, subdir: &str) -> &'text str {
    let address = address.trim_end_matches('/');
    let bare = address.strip_suffix(subdir).unwrap_or(address).trim_end_matches('/');
    bare.rsplit_once('/').map_or(bare, |(_, name)| name)
}

#[cfg(test)]
mod tests;
