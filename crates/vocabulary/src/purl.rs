//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath`.
//!
//! In goes a text or its parts, out comes a value of decoded, normalised parts that shows itself in
//! canonical form; reading what is shown gives the same value. Parts are normalised as they are set,
//! so that two values are equal exactly where their canonical forms are.
//!
//! Source: package-url/purl-spec (ECMA-427), "Rules for each purl component", "Character encoding",
//! "How to parse", and the type definitions.

mod parse;
#[cfg(test)]
mod tests;
mod types;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A package URL in its parts, decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// Why a text is not a package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {reason}; expected pkg:type/namespace/name@version")]
pub struct PurlError {
    text: String,
    reason: &'static str,
}

impl Purl {
    /// How many bytes a text may have to be read as a package URL. Those that programs write stay
    /// under 1,000, a download address among the qualifiers included.
    pub const LONGEST: usize = 16 * 1024;

    /// A package URL of a type (such as `deb`) and a name, which is normalised as the type asks.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        let kind = kind.to_ascii_lowercase();
        Self {
            name: types::normalize_name(&kind, name),
            kind,
            namespace: None,
            version: None,
            qualifiers: BTreeMap::new(),
            subpath: None,
        }
    }

    /// With a namespace (parts divided by `/`), normalised as the type asks; an empty one is none.
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        let namespace = join(namespace.split('/'));
        self.namespace = namespace.map(|text| types::normalize_namespace(&self.kind, text));
        self
    }

    /// With a version; an empty one is none.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        self.version = Some(types::normalize_version(&self.kind, version))
            .filter(|version| !version.is_empty());
        self
    }

    /// With a qualifier; an empty value is left out, as the specification says, and so is a key that
    /// could not be written: one of other characters than letters, digits, `.`, `-` and `_`, or that
    /// does not begin with a letter.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() && parse::is_key(key) {
            self.qualifiers.insert(key.to_ascii_lowercase(), value.to_owned());
        }
        self
    }

    /// With a path inside the package (parts divided by `/`; empty ones, `.` and `..` are left out);
    /// an empty one is none.
    #[must_use]
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        self.subpath = join(subpath.split('/').filter(|part| !matches!(*part, "." | "..")));
        self
    }

    /// The type, such as `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// A qualifier's value.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// All qualifiers, sorted by key.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.qualifiers.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether it says that the package is of git, an address, a folder or another registry than its
    /// type's own. Source: purl-spec, "Known qualifiers".
    #[must_use]
    pub fn is_from_elsewhere(&self) -> bool {
        ["vcs_url", "download_url", "repository_url"]
            .iter()
            .any(|key| self.qualifiers.contains_key(*key))
    }

    /// The path inside the package.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }

    /// The same without qualifiers and subpath: what fingerprints are made of.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self {
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
            qualifiers: BTreeMap::new(),
            subpath: None,
        }
    }
}

/// Joins the parts that are not empty by `/`; none where there are none.
fn join<'text>(parts: impl Iterator<Item = &'text str>) -> Option<String> {
    let mut joined = String::new();
    for part in parts.filter(|part| !part.is_empty()) {
        if !joined.is_empty() {
            joined.push('/');
        }
        joined.push_str(part);
    }
    Some(joined).filter(|joined| !joined.is_empty())
}

/// Shows a purl without qualifiers and subpath.
pub(crate) struct Bare<'purl>(pub(crate) &'purl Purl);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}/", self.0.kind)?;
        if let Some(namespace) = &self.0.namespace {
            write!(formatter, "{}/", Encoded::path(namespace))?;
        }
        write!(formatter, "{}", Encoded::part(&self.0.name))?;
        match &self.0.version {
            Some(version) => write!(formatter, "@{}", Encoded::part(version)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Bare(self))?;
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            // The specification's own examples leave `/` as it is in qualifiers.
            write!(formatter, "{mark}{key}={}", Encoded::path(value))?;
        }
        match &self.subpath {
            Some(subpath) => write!(formatter, "#{}", Encoded::path(subpath)),
            None => Ok(()),
        }
    }
}

/// Shows text percent-encoded as purl-spec asks: all but letters, digits, `.`, `-`, `_`, `~` and `:`.
struct Encoded<'text> {
    text: &'text str,
    /// Whether `/` divides, and so stays as it is.
    is_path: bool,
}

impl<'text> Encoded<'text> {
    const fn part(text: &'text str) -> Self {
        Self { text, is_path: false }
    }

    const fn path(text: &'text str) -> Self {
        Self { text, is_path: true }
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.text.bytes().try_for_each(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                formatter.write_char(char::from(byte))
            }
            b'/' if self.is_path => formatter.write_char('/'),
            _ => write!(formatter, "%{byte:02X}"),
        })
    }
}

impl Serialize for Purl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Purl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
