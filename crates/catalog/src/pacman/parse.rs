//! Sections of pacman's database: a line `%KEY%`, a value a line, an empty line.

use crate::language::{LICENCE_LIMIT, plain_text};
use crate::owned::{Blob, Packer, digest_of_hex};
use crate::text::{lines, path};
use image::{OwnedDigest, ReadError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// What is kept of a `desc`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description<'text> {
    pub(super) name: &'text str,
    pub(super) version: &'text str,
    /// Empty where it is not stated.
    pub(super) base: &'text str,
    pub(super) architecture: &'text str,
    pub(super) licences: Vec<&'text str>,
}

/// Each value with the key of its section.
fn values(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut key: &[u8] = &[];
    lines(bytes).filter_map(move |line| {
        let inner = line.strip_prefix(b"%").and_then(|rest| rest.strip_suffix(b"%"));
        match inner {
            // A value may look like a key; a section's key follows an empty line.
            Some(inner) if key.is_empty() => {
                key = inner;
                None
            }
            _ if line.is_empty() => {
                key = &[];
                None
            }
            _ => Some((key, line)),
        }
    })
}

pub(super) fn description(bytes: &[u8]) -> Result<Description<'_>, ReadError> {
    let (mut name, mut version, mut base, mut architecture) = (None, None, None, None);
    let mut licences = Vec::new();
    for (key, value) in values(bytes) {
        let place = match key {
            b"NAME" => &mut name,
            b"VERSION" => &mut version,
            b"BASE" => &mut base,
            b"ARCH" => &mut architecture,
            b"LICENSE" if licences.len() < LICENCE_LIMIT => {
                licences.extend(std::str::from_utf8(value).ok().and_then(plain_text));
                continue;
            }
            _ => continue,
        };
        *place = place.or(std::str::from_utf8(value).ok().and_then(plain_text));
    }
    let missing = |what: &str| {
        ReadError::new(format!("it has no readable `%{what}%`; the database is damaged"))
    };
    let name = name.filter(|name| !name.contains('/')).ok_or_else(|| missing("NAME"))?;
    Ok(Description {
        name,
        version: version.ok_or_else(|| missing("VERSION"))?,
        base: base.unwrap_or_default(),
        architecture: architecture.unwrap_or_default(),
        licences,
    })
}

/// The files of a package but its folders, those of `%BACKUP%` with their MD5.
pub(super) fn files(bytes: &[u8]) -> Blob<'static> {
    let mut paths: Vec<Cow<'_, str>> = Vec::new();
    let mut digests: HashMap<Cow<'_, str>, OwnedDigest> = HashMap::new();
    for (key, value) in values(bytes) {
        match key {
            b"FILES" if !value.ends_with(b"/") => paths.push(path(value)),
            b"BACKUP" => {
                let tab = value.iter().rposition(|byte| *byte == b'\t');
                let parts = tab.and_then(|at| Some((value.get(..at)?, value.get(at + 1..)?)));
                let digest = parts.and_then(|(file, hex)| Some((path(file), digest_of_hex(hex)?)));
                digests.extend(digest);
            }
            _ => {}
        }
    }
    let mut packer = Packer::default();
    for path in &paths {
        packer.push(path, digests.get(path));
    }
    packer.finish()
}
