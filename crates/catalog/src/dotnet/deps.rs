//! `NAME.deps.json`: what a published .NET program was built with.
//!
//! `libraries` names everything, `targets` which files of each are there. A package of which no file
//! is there (the runtime brings a newer one, or it was needed to compile alone) cannot be exploited, and
//! is not listed. A runtime that was published with the program is of type `runtimepack`; its name
//! without that word is the package that advisories name.
//! Source: .NET runtime, "corehost deps.json"; Microsoft.Extensions.DependencyModel, `DependencyContextJsonReader.cs`.

use crate::language::{null_as_nothing, plain_text};
use image::ReadError;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Most packages that are taken of one file; large programs have some hundreds.
const PACKAGES: usize = 50_000;

/// One package.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'text> {
    #[serde(borrow)]
    runtime_target: Option<RuntimeTarget<'text>>,
    #[serde(borrow, deserialize_with = "null_as_nothing")]
    targets: BTreeMap<Cow<'text, str>, Option<Target<'text>>>,
    #[serde(borrow, deserialize_with = "null_as_nothing")]
    libraries: BTreeMap<Cow<'text, str>, Option<Library<'text>>>,
}

type Target<'text> = BTreeMap<Cow<'text, str>, Option<Assets<'text>>>;

/// The target that the program runs on; old files hold its name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum RuntimeTarget<'text> {
    Named {
        #[serde(borrow)]
        name: Cow<'text, str>,
    },
    Name(#[serde(borrow)] Cow<'text, str>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assets<'text> {
    #[serde(default, borrow, deserialize_with = "null_as_nothing")]
    runtime: BTreeMap<Cow<'text, str>, IgnoredAny>,
    #[serde(default, borrow, deserialize_with = "null_as_nothing")]
    runtime_targets: BTreeMap<Cow<'text, str>, IgnoredAny>,
    #[serde(default, borrow, deserialize_with = "null_as_nothing")]
    native: BTreeMap<Cow<'text, str>, IgnoredAny>,
}

impl Assets<'_> {
    /// Whether a file is there; `_._` stands for "none, on purpose".
    fn any(&self) -> bool {
        let all = self.runtime.keys().chain(self.runtime_targets.keys()).chain(self.native.keys());
        all.into_iter().any(|path| path.rsplit('/').next() != Some("_._"))
    }
}

#[derive(Deserialize)]
struct Library<'text> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'text, str>>,
}

/// Reads a `deps.json`: its packages, and how many more cannot be shown.
pub(super) fn parse(bytes: &[u8]) -> Result<(Vec<Package>, u32), ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: File<'_> = serde_json::from_slice(bytes)
        .map_err(|error| ReadError::new(format!("it is not a deps.json of .NET: {error}")))?;
    if file.libraries.len() > PACKAGES {
        return Err(ReadError::new(format!("it names more than {PACKAGES} packages")));
    }
    let target = file.runtime_target.as_ref().and_then(|target| match target {
        RuntimeTarget::Named { name } | RuntimeTarget::Name(name) => {
            file.targets.get(name).and_then(Option::as_ref)
        }
    });
    let (mut packages, mut unreadable) = (Vec::new(), 0);
    for (key, library) in &file.libraries {
        let kind = library.as_ref().and_then(|library| library.kind.as_deref()).unwrap_or_default();
        let (name, version) = key.split_once('/').unwrap_or((key, ""));
        let name = match kind {
            _ if kind.eq_ignore_ascii_case("package") => Some(name),
            _ if kind.eq_ignore_ascii_case("runtimepack") => name.strip_prefix("runtimepack."),
            _ => None,
        };
        let assets = |target: &Target<'_>| target.get(key)?.as_ref().map(Assets::any);
        let is_there = target.is_none_or(|target| assets(target).unwrap_or(false));
        let Some(name) = name.filter(|_| is_there) else { continue };
        match plain_text(version).filter(|_| is_name(name)) {
            Some(version) => {
                packages.push(Package { name: name.to_owned(), version: version.to_owned() });
            }
            None => unreadable += 1,
        }
    }
    Ok((packages, unreadable))
}

/// Words divided by `.` or `-`, at most 100 letters. Source: NuGet.Client, `PackageIdValidator.cs`.
pub(crate) fn is_name(name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    name.chars().take(101).count() <= 100
        && name.split(['.', '-']).all(|word| !word.is_empty() && word.chars().all(is_word))
}
