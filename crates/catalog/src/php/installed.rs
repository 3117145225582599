//! Composer's `installed.json`: version 1 is a list of packages, version 2 an object that holds it.
//!
//! A package that Composer linked from a folder (`dist` of type `path`) is listed like any other, since it
//! is there. A branch (`dev-main`) is listed as what it is.
//! Source: Composer, `FilesystemRepository.php`; Composer documentation, "The composer.json schema".

use crate::elsewhere::Elsewhere;
use crate::language::{LICENCE_LIMIT, null_as_nothing, plain_text};
use crate::lenient::Pairs;
use image::ReadError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Most packages that are taken of one file; large applications have some hundreds.
const PACKAGES: usize = 50_000;

/// One package.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Package {
    /// `vendor/name`, in lower case, as Packagist compares names.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) licences: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum File<'text> {
    Second {
        #[serde(borrow, deserialize_with = "null_as_nothing")]
        packages: Vec<Entry<'text>>,
    },
    First(#[serde(borrow)] Vec<Entry<'text>>),
}

/// A package as `installed.json` and `composer.lock` both write it.
#[derive(Deserialize)]
pub(crate) struct Entry<'text> {
    #[serde(borrow)]
    name: Option<Cow<'text, str>>,
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(borrow)]
    license: Option<Licences<'text>>,
    #[serde(borrow)]
    dist: Option<Dist<'text>>,
    #[serde(borrow)]
    source: Option<Dist<'text>>,
    /// Where a registry asks to be told of installations: packages of others have none.
    #[serde(rename = "notification-url")]
    notification: Option<serde::de::IgnoredAny>,
    #[serde(default, borrow)]
    require: Pairs<'text>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Licences<'text> {
    One(#[serde(borrow)] Cow<'text, str>),
    Several(#[serde(borrow)] Vec<Cow<'text, str>>),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Dist<'text> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'text, str>>,
    #[serde(borrow)]
    url: Option<Cow<'text, str>>,
    #[serde(borrow)]
    reference: Option<Cow<'text, str>>,
}

impl Entry<'_> {
    /// Name in lower case, and version; none for what has none.
    pub(crate) fn identity(&self) -> Option<(String, &str)> {
        let name = self.name.as_deref().filter(|name| is_name(name))?;
        Some((name.to_ascii_lowercase(), plain_text(self.version.as_deref()?)?))
    }

    /// Where it comes from, where that is no registry: a folder, or a repository of source code. A
    /// package of a registry names its repository too.
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere> {
        let address = |at: &Option<Dist<'_>>| Some(at.as_ref()?.url.as_deref()?.to_owned());
        if self.dist.as_ref().and_then(|dist| dist.kind.as_deref()) == Some("path") {
            return Some(Elsewhere::path(&address(&self.dist)?));
        }
        let source = self.source.as_ref().filter(|_| self.notification.is_none())?;
        let tool = source.kind.as_deref().filter(|kind| matches!(*kind, "git" | "hg" | "svn"))?;
        let (url, revision) = (source.url.as_deref()?, source.reference.as_deref());
        Some(Elsewhere::vcs(tool, url, revision))
    }

    /// What it needs, in lower case, with the constraints that it states.
    pub(crate) fn needs(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        self.require.iter().map(|(name, range)| (name.to_ascii_lowercase(), range))
    }

    /// The licences that it states.
    pub(crate) fn licences(&self) -> Vec<String> {
        let all: &[Cow<'_, str>] = match &self.license {
            Some(Licences::One(one)) => std::slice::from_ref(one),
            Some(Licences::Several(several)) => several,
            Some(Licences::Other(_)) | None => &[],
        };
        let plain = all.iter().filter_map(|text| plain_text(text));
        plain.take(LICENCE_LIMIT).map(str::to_owned).collect()
    }
}

/// `vendor/name`. Source: Composer, "The composer.json schema"; old names have capitals.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fits = |part: &str| !part.is_empty() && part.bytes().all(allowed);
    plain_text(name).is_some()
        && name.split_once('/').is_some_and(|(vendor, name)| fits(vendor) && fits(name))
}

/// Reads an `installed.json`: its packages, and how many more cannot be shown.
pub(super) fn parse(bytes: &[u8]) -> Result<(Vec<Package>, u32), ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: File<'_> = serde_json::from_slice(bytes)
        .map_err(|_| ReadError::new("it is not an installed.json of Composer 1 or 2"))?;
    let (File::First(entries) | File::Second { packages: entries }) = file;
    if entries.len() > PACKAGES {
        return Err(ReadError::new(format!("it names more than {PACKAGES} packages")));
    }
    let (mut packages, mut unreadable) = (Vec::new(), 0);
    for entry in &entries {
        let licences = entry.licences();
        match entry.identity() {
            Some((name, version)) => {
                packages.push(Package { name, version: version.to_owned(), licences });
            }
            None => unreadable += 1,
        }
    }
    Ok((packages, unreadable))
}
