//! The two text formats inside a jar that name packages: `MANIFEST.MF` and `pom.properties`.
//!
//! Of a manifest, only the main section is read: the sections behind it are about single classes.
//! Source: JAR File Specification, "JAR Manifest"; `java.util.Properties`.

use crate::language::{LICENCE_LIMIT, plain_text};
use std::collections::HashMap;

/// How many attributes are kept of a manifest; the OSGi ones have about thirty.
const ATTRIBUTE_LIMIT: usize = 500;
/// How long an attribute's value may be; `Import-Package` is long and of no interest.
const VALUE_LIMIT: usize = 1024;

/// The main attributes of a manifest, names in lower case.
#[derive(Debug, Default)]
pub(super) struct Manifest(HashMap<String, String>);

impl Manifest {
    /// Reads the main section. A line that begins with a space goes on with the one before.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut attributes: HashMap<String, String> = HashMap::new();
        let mut current: Option<String> = None;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            let line;
            (line, rest) = split_line(rest);
            if line.is_empty() || attributes.len() > ATTRIBUTE_LIMIT {
                break;
            }
            if let Some(more) = line.strip_prefix(b" ") {
                let value = current.as_ref().and_then(|name| attributes.get_mut(name));
                if let Some(value) = value.filter(|value| value.len() <= VALUE_LIMIT) {
                    value.push_str(&String::from_utf8_lossy(more));
                }
                continue;
            }
            let text = String::from_utf8_lossy(line);
            current = text.split_once(':').map(|(name, value)| {
                let name = name.trim().to_ascii_lowercase();
                attributes.insert(name.clone(), value.trim_start().to_owned());
                name
            });
        }
        Self(attributes)
    }

    /// An attribute by its name in lower case; none where it is empty, too long, or a placeholder
    /// that the build left unfilled.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        filled(self.0.get(name)?)
    }

    /// Licence names or addresses from `Bundle-License`.
    pub(super) fn licences(&self) -> Vec<String> {
        let Some(stated) = self.get("bundle-license") else { return Vec::new() };
        let names = stated.split(',').filter_map(|one| one.split(';').next());
        let names = names.map(|one| one.trim().trim_matches('"'));
        names.filter_map(plain_text).take(LICENCE_LIMIT).map(str::to_owned).collect()
    }
}

/// The first line and what follows it. Either sign ends a line, and both together do.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
    let (line, end) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let rest = end.strip_prefix(b"\r\n").or_else(|| end.get(1..));
    (line, rest.unwrap_or_default())
}

/// What `pom.properties` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pom {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
}

impl Pom {
    /// Reads a `pom.properties`; none where one of the three is missing or unfit.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let told = Properties::parse(bytes);
        Some(Self { group: told.group?, artifact: told.artifact?, version: told.version? })
    }
}

/// What can be read of a `pom.properties`, such as one whose version a build left unfilled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) group: Option<String>,
    pub(super) artifact: Option<String>,
    pub(super) version: Option<String>,
}

impl Properties {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let mut told = Self::default();
        for line in text.split(['\n', '\r']) {
            let line = line.trim_start();
            // A key ends at the first of these: `java.util.Properties`.
            let ends = |c: char| matches!(c, '=' | ':' | ' ' | '\t');
            let Some(at) = line.find(ends).filter(|_| !line.starts_with(['#', '!'])) else {
                continue;
            };
            let (key, value) = line.split_at(at);
            let value = value.trim_start();
            let value = value.strip_prefix(['=', ':']).unwrap_or(value).replace('\\', "");
            let coordinate =
                || filled(&value).filter(|text| is_coordinate(text)).map(str::to_owned);
            match key {
                "groupId" => told.group = coordinate(),
                "artifactId" => told.artifact = coordinate(),
                "version" => told.version = filled(&value).map(str::to_owned),
                _ => {}
            }
        }
        told
    }
}

/// A text that may be shown and that no build left unfilled.
pub(super) fn filled(text: &str) -> Option<&str> {
    plain_text(text).filter(|text| !text.contains("${"))
}

/// Whether a text can be a group or artifact id; Maven allows these letters and no others.
pub(super) fn is_coordinate(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}
