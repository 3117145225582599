//! Packages in archives: those of Yarn's caches (zip), and applications of Electron (asar).
//!
//! Of a zip every `package.json` of a package is read, where the central directory says it lies. An
//! asar is a list of files in JSON, then the files in a row; it may be of any size, so it is read as it
//! comes, and of it only the list and these files are ever held. Sources: Yarn, "Cache"; Electron,
//! `asar`, README, "Format"; Chromium, `base/pickle.h`.

use super::{Found, MANIFEST_LIMIT, manifest, place};
use image::{Fact, Flow, ReadError, Reading};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use zip::Archive;

/// Most packages of one archive; the largest applications bundle some thousand.
const PACKAGES: usize = 20_000;
/// Most plain bytes that are read of one zip.
const WORK_LIMIT: u64 = 256 << 20;
/// Longest list of an asar; 100,000 files with their hashes make some 40 MB.
const LIST_LIMIT: usize = 64 << 20;
/// Problems that are kept of one archive.
const PROBLEMS: usize = 20;

/// Reads a zip of Yarn's cache.
pub(super) fn zip(path: &str, bytes: &[u8]) -> Found {
    let mut found = Found::default();
    if let Err(reason) = packages_of_zip(bytes, &mut found) {
        found.problems.push(reason);
    }
    if found.packages.is_empty() {
        let file = path.rsplit('/').next().unwrap_or(path);
        let named = place::named(file);
        found.packages.extend(named.map(|(name, version)| super::Named {
            inside: String::new(),
            name,
            version: version.to_owned(),
            licences: Vec::new(),
        }));
        if found.problems.is_empty() {
            found.problems.push("it holds no package.json of a package".to_owned());
        }
    }
    found
}

fn packages_of_zip(bytes: &[u8], found: &mut Found) -> Result<(), String> {
    let archive = Archive::open(bytes).map_err(|error| error.to_string())?;
    let mut left = WORK_LIMIT;
    for entry in archive.entries() {
        let entry = entry.map_err(|error| error.to_string())?;
        let Ok(name) = std::str::from_utf8(entry.name) else { continue };
        if !place::is_package(name) {
            continue;
        }
        if found.packages.len() >= PACKAGES {
            return Err(format!("it holds more than {PACKAGES} packages"));
        }
        left = left.checked_sub(entry.plain).ok_or("its packages are too large together")?;
        match archive.read(&entry, MANIFEST_LIMIT) {
            Ok(plain) => found.take(name, &plain),
            Err(error) => found.problem(error.to_string()),
        }
    }
    Ok(())
}

impl Found {
    /// Takes the `package.json` at a path inside.
    fn take(&mut self, inside: &str, bytes: &[u8]) {
        match manifest::parse(&manifest::utf8(bytes), place::found_as(inside)) {
            Ok(Some(manifest)) => self.packages.push(super::Named {
                inside: inside.to_owned(),
                name: manifest.name.into_owned(),
                version: manifest.version.into_owned(),
                licences: manifest.licences,
            }),
            Ok(None) => {}
            Err(error) => {
                let inside: String = inside.chars().filter(|letter| !letter.is_control()).collect();
                self.problem(format!("`{inside}`: {error}"));
            }
        }
    }

    fn problem(&mut self, reason: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(reason);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}

/// A `package.json` in an asar.
struct Wanted {
    offset: u64,
    size: u64,
    path: String,
}

/// Reads an asar as it comes.
#[derive(Default)]
pub(super) struct Asar {
    /// The list, until it is whole; then the file that is being read.
    held: Vec<u8>,
    /// Where the next byte lies, counted from the first file.
    at: u64,
    /// What comes, by offset; none until the list was read.
    wanted: Option<VecDeque<Wanted>>,
    found: Found,
    failed: Option<ReadError>,
}

impl Reading for Asar {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        let outcome = match self.wanted {
            Some(_) => Ok(self.files(bytes)),
            None => self.list(bytes),
        };
        outcome.unwrap_or_else(|error| {
            self.failed = Some(error);
            Flow::Enough
        })
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        let Self { wanted, mut found, failed, .. } = *self;
        if let Some(error) = failed {
            return Err(error);
        }
        match wanted {
            Some(wanted) if wanted.is_empty() => {}
            _ => return Err(ReadError::new("the asar archive is cut off; fetch it again")),
        }
        if found.packages.is_empty() && found.problems.is_empty() {
            return Ok(None);
        }
        found.packages.sort_by(|left, right| left.inside.cmp(&right.inside));
        crate::language::encode(&super::Kept::Archive(found))
    }
}

impl Asar {
    /// A pickle of 8 bytes with the size of the next, which holds the length of the text and the text.
    fn list(&mut self, bytes: &[u8]) -> Result<Flow, ReadError> {
        let number = |held: &[u8], at: usize| -> Option<usize> {
            usize::try_from(u32::from_le_bytes(*held.get(at..)?.first_chunk()?)).ok()
        };
        let damaged = || ReadError::new("it is no asar archive, or its list of files is damaged");
        self.held.extend_from_slice(bytes);
        let (Some(first), Some(size), Some(length)) =
            (number(&self.held, 0), number(&self.held, 4), number(&self.held, 12))
        else {
            return Ok(Flow::More);
        };
        if first != 4 || length.checked_add(8).is_none_or(|least| size < least) {
            return Err(damaged());
        }
        if size > LIST_LIMIT {
            return Err(ReadError::new("its list of files is larger than 64 MiB"));
        }
        let Some(rest) = self.held.get(8 + size..) else { return Ok(Flow::More) };
        let rest = rest.to_vec();
        let list = self.held.get(16..16 + length).ok_or_else(damaged)?;
        let mut wanted = wanted(list).ok_or_else(damaged)?;
        if wanted.len() > PACKAGES {
            return Err(ReadError::new(format!("it holds more than {PACKAGES} packages")));
        }
        wanted.sort_by_key(|one| (one.offset, one.size));
        self.held = Vec::new();
        self.wanted = Some(wanted.into());
        Ok(self.files(&rest))
    }

    /// Takes what is wanted of the bytes that come next.
    fn files(&mut self, bytes: &[u8]) -> Flow {
        let Some(wanted) = &mut self.wanted else { return Flow::Enough };
        let start = self.at;
        let end = start.saturating_add(bytes.len() as u64);
        self.at = end;
        while let Some(one) = wanted.front() {
            let (from, to) = (one.offset, one.offset.saturating_add(one.size));
            let next = from.saturating_add(self.held.len() as u64);
            if one.size > MANIFEST_LIMIT || next < start {
                // Two files in the same place are no archive of Electron's tool.
                let reason = format!("`{}` is too large or lies in another file", one.path);
                self.found.problem(reason.chars().filter(|letter| !letter.is_control()).collect());
                self.held.clear();
                wanted.pop_front();
                continue;
            }
            if next > end || (next == end && to > end) {
                return Flow::More;
            }
            let part = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            let piece = bytes.get(part(next)..part(to.min(end))).unwrap_or_default();
            self.held.extend_from_slice(piece);
            if to > end {
                return Flow::More;
            }
            if let Some(one) = wanted.pop_front() {
                self.found.take(&one.path, &self.held);
                // Files of the same content may share their place.
                while let Some(same) =
                    wanted.front().filter(|next| (next.offset, next.size) == (one.offset, one.size))
                {
                    self.found.take(&same.path, &self.held);
                    wanted.pop_front();
                }
            }
            self.held.clear();
        }
        Flow::Enough
    }
}

fn wanted(list: &[u8]) -> Option<Vec<Wanted>> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(list);
    Node { path: "", found: &mut found }.deserialize(&mut reader).ok()?;
    Some(found)
}

/// A file or folder of the list.
struct Node<'walk> {
    path: &'walk str,
    found: &'walk mut Vec<Wanted>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(u64),
    Text(String),
    Flag(bool),
    Other(IgnoredAny),
}

impl Value {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Flag(_) | Self::Other(_) => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a file or folder")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut size, mut offset, mut unpacked) = (None, None, false);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "files" => {
                    map.next_value_seed(Files { path: self.path, found: &mut *self.found })?;
                }
                "size" => size = map.next_value::<Value>()?.number(),
                "offset" => offset = map.next_value::<Value>()?.number(),
                "unpacked" => unpacked = matches!(map.next_value::<Value>()?, Value::Flag(true)),
                _ => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        // What is not packed lies in a folder beside, and is read there.
        if let (Some(size), Some(offset), false) = (size, offset, unpacked)
            && place::is_package(self.path)
        {
            self.found.push(Wanted { offset, size, path: self.path.to_owned() });
        }
        Ok(())
    }
}

/// What a folder holds, by name.
struct Files<'walk> {
    path: &'walk str,
    found: &'walk mut Vec<Wanted>,
}

impl<'de> DeserializeSeed<'de> for Files<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Files<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("files by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let path = match self.path {
                "" => name.into_owned(),
                folder => format!("{folder}/{name}"),
            };
            map.next_value_seed(Node { path: &path, found: &mut *self.found })?;
        }
        Ok(())
    }
}
