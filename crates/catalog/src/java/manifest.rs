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
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
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
        let text = String::from_utf8_lossy(bytes);
        let (mut group, mut artifact, mut version) = (None, None, None);
        for line in text.lines() {
            let line = line.trim_start();
            let comment = line.starts_with(['#', '!']);
            let Some((key, value)) = line.split_once(['=', ':']).filter(|_| !comment) else {
                continue;
            };
            match key.trim_end() {
                "groupId" => group = filled(value).map(str::to_owned),
                "artifactId" => artifact = filled(value).map(str::to_owned),
                "version" => version = filled(value).map(str::to_owned),
                _ => {}
            }
        }
        let pom = Self { group: group?, artifact: artifact?, version: version? };
        (is_coordinate(&pom.group) && is_coordinate(&pom.artifact)).then_some(pom)
    }
}

fn filled(text: &str) -> Option<&str> {
    plain_text(text).filter(|text| !text.contains("${"))
}

/// Whether a text can be a group or artifact id; Maven allows these letters and no others.
pub(super) fn is_coordinate(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}
