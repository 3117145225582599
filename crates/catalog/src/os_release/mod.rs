//! Tells which distribution and release a root file system is.
//!
//! In go `os-release` and, where it is missing, the files by which older releases told theirs; out
//! comes one [`Distribution`]. It is asked for by [`distribution`] before any other check resolves,
//! since names, purls and advisories of packages depend on it; the check itself yields no packages.
//! A file names a distribution only by its own words: no guess is made from the packages at hand.
//!
//! Sources: os-release(5); lsb_release(1); the release files of Debian, Alpine, Red Hat and SUSE.

mod ecosystems;
mod parse;

pub use ecosystems::{DATABASES, databases, distro_qualifier, ecosystem, namespace};

use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use serde::{Deserialize, Serialize};
use vocabulary::Distribution;

/// Largest file that is read; os-release files have a few hundred bytes.
const SIZE_LIMIT: u64 = 64 << 10;

/// Reads os-release and its variants.
#[derive(Debug)]
pub struct OsRelease;

/// What one release file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// Empty where the file does not name the distribution (`debian_version` is worth less).
    id: String,
    version: String,
    codename: Option<String>,
    pretty_name: Option<String>,
    like: Vec<String>,
}

/// How a file tells the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    OsRelease,
    LsbRelease,
    AlpineRelease,
    DebianVersion,
    Sentence,
}

/// The files in the order in which they are believed. A later one counts only where all before it
/// are missing or name no distribution.
const FILES: &[(&str, Form)] = &[
    ("etc/os-release", Form::OsRelease),
    ("usr/lib/os-release", Form::OsRelease),
    ("etc/lsb-release", Form::LsbRelease),
    ("etc/alpine-release", Form::AlpineRelease),
    ("etc/centos-release", Form::Sentence),
    ("etc/oracle-release", Form::Sentence),
    ("etc/redhat-release", Form::Sentence),
    ("etc/system-release", Form::Sentence),
    ("etc/SuSE-release", Form::Sentence),
    ("etc/debian_version", Form::DebianVersion),
];

const INTERESTS: &[Interest] = &[
    Interest::Path("etc/os-release"),
    Interest::Path("usr/lib/os-release"),
    Interest::Path("etc/lsb-release"),
    Interest::Path("etc/alpine-release"),
    Interest::Path("etc/centos-release"),
    Interest::Path("etc/oracle-release"),
    Interest::Path("etc/redhat-release"),
    Interest::Path("etc/system-release"),
    Interest::Path("etc/SuSE-release"),
    Interest::Path("etc/debian_version"),
    // Where links of the files above lead in images of some distributions.
    Interest::Under("usr/lib/os.release.d/"),
    Interest::Under("usr/lib/system-release.d/"),
    Interest::Path("usr/lib/fedora-release"),
    Interest::Path("usr/lib/system-release"),
    Interest::Path("etc/fedora-release"),
    Interest::Path("etc/almalinux-release"),
    Interest::Path("etc/rocky-release"),
];

/// The distribution of a root file system. `view` is that of the check [`OsRelease`].
#[must_use]
pub fn distribution(view: &View<'_>) -> Option<Distribution> {
    let release =
        |path: &str| -> Option<Release> { postcard::from_bytes(view.at(path)?.fact).ok() };
    let found =
        FILES.iter().filter_map(|(path, _)| release(path)).find(|found| !found.id.is_empty())?;
    let mut codename = found.codename;
    if codename.is_none() && found.id == "debian" && found.version.is_empty() {
        codename = release("etc/debian_version").and_then(|version| version.codename);
    }
    Some(Distribution {
        id: found.id,
        version: found.version,
        codename,
        pretty_name: found.pretty_name,
        like: found.like,
    })
}

impl Reader for OsRelease {
    fn id(&self) -> &'static str {
        "os-release"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        INTERESTS
    }

    fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
        Want::Whole { at_most: SIZE_LIMIT }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let form = FILES.iter().find(|(path, _)| *path == entry.path).map_or_else(
            || {
                if entry.name().starts_with("os-release") {
                    Form::OsRelease
                } else {
                    Form::Sentence
                }
            },
            |(_, form)| *form,
        );
        let release = match form {
            Form::OsRelease => parse::os_release(bytes),
            Form::LsbRelease => parse::lsb_release(bytes),
            Form::AlpineRelease => parse::alpine_release(bytes),
            Form::DebianVersion => parse::debian_version(bytes),
            Form::Sentence => parse::sentence(bytes),
        };
        release
            .map(|release| postcard::to_stdvec(&release))
            .transpose()
            .map_err(|_| ReadError::new("the release could not be kept; report this as a bug"))
    }
}

impl Resolver for OsRelease {
    fn resolve(&self, _: &View<'_>) -> Resolution {
        Resolution::default()
    }
}

#[cfg(test)]
mod tests;
