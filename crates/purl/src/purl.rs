//! A package URL as a value: decoded, normalised, and shown in canonical form.

use crate::types;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A package URL in its parts, decoded.
///
/// An image can hold some hundred thousand packages, each with a package URL or two: the parts that
/// nearly all have are one text, the others are behind a pointer that most do without.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Purl {
    /// Type, namespace, name and version, one behind the other. No part is empty where it is there.
    text: Box<str>,
    /// Where the first three end in `text`.
    ends: [u32; 3],
    /// None where there are neither qualifiers nor a subpath.
    rest: Option<Box<Rest>>,
}

/// What not all package URLs have.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Rest {
    /// Keys and values, one behind the other, sorted by key.
    text: Box<str>,
    /// Where each key and each value ends in `text`.
    ends: Box<[u32]>,
    subpath: Option<Box<str>>,
}

impl Rest {
    fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        let place = |end: &u32| usize::try_from(*end).unwrap_or(usize::MAX);
        let (pairs, _) = self.ends.as_chunks::<2>();
        let mut start = 0;
        pairs.iter().map(move |[key, value]| {
            let (from, key, value) = (start, place(key), place(value));
            start = value;
            let text = |from, to| self.text.get(from..to).unwrap_or_default();
            (text(from, key), text(key, value))
        })
    }

    /// With a qualifier; one of this key is replaced.
    fn with(&self, key: &str, value: &str) -> Self {
        let mut pairs: BTreeMap<&str, &str> = self.qualifiers().collect();
        pairs.insert(key, value);
        let bytes = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        let (mut text, mut ends) = (String::with_capacity(bytes), Vec::with_capacity(pairs.len()));
        for part in pairs.into_iter().flat_map(|(key, value)| [key, value]) {
            text.push_str(part);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into(), subpath: self.subpath.clone() }
    }
}

/// Why a text is not a package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {reason}; expected pkg:type/namespace/name@version")]
pub struct PurlError {
    pub(crate) text: String,
    pub(crate) reason: &'static str,
}

impl Purl {
    /// How many bytes its texts take, without what their allocations cost.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        let rest =
            |rest: &Rest| rest.text.len() + rest.subpath.as_ref().map_or(0, |path| path.len());
        self.text.len() + self.rest.as_deref().map_or(0, rest)
    }

    /// How many bytes a text may have to be read as a package URL. Those that programs write stay
    /// under 1,000, a download address among the qualifiers included.
    pub const LONGEST: usize = 16 * 1024;

    /// A package URL of a type (such as `deb`) and a name, which is normalised as the type asks.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        let kind = kind.to_ascii_lowercase();
        let name = types::normalize_name(&kind, name);
        Self::of_parts([&kind, "", &name, ""])
    }

    /// Of type, namespace, name and version.
    fn of_parts(parts: [&str; 4]) -> Self {
        let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
        let ends = parts.map(|part| {
            text.push_str(part);
            u32::try_from(text.len()).unwrap_or(u32::MAX)
        });
        let [kind, namespace, name, _] = ends;
        Self { text: text.into_boxed_str(), ends: [kind, namespace, name], rest: None }
    }

    /// The text between two ends.
    fn part(&self, from: u32, to: Option<u32>) -> &str {
        let place = |end: u32| usize::try_from(end).unwrap_or(usize::MAX);
        let to = to.map_or(self.text.len(), place);
        self.text.get(place(from)..to).unwrap_or_default()
    }

    /// With a namespace (parts divided by `/`), normalised as the type asks; an empty one is none.
    #[must_use]
    pub fn with_namespace(self, namespace: &str) -> Self {
        let namespace = join(namespace.split('/'));
        let namespace = namespace.map(|text| types::normalize_namespace(self.kind(), text));
        if namespace.is_none() && self.namespace().is_none() {
            return self;
        }
        let parts = [
            self.kind(),
            namespace.as_deref().unwrap_or_default(),
            self.name(),
            self.version().unwrap_or_default(),
        ];
        Self::of_parts(parts).with_rest(self.rest)
    }

    /// With a version; an empty one is none.
    #[must_use]
    pub fn with_version(self, version: &str) -> Self {
        let version = types::normalize_version(self.kind(), version);
        let parts =
            [self.kind(), self.namespace().unwrap_or_default(), self.name(), version.as_str()];
        Self::of_parts(parts).with_rest(self.rest)
    }

    fn with_rest(self, rest: Option<Box<Rest>>) -> Self {
        Self { rest, ..self }
    }

    /// With a qualifier; an empty value is left out, as the specification says, and so is a key that
    /// could not be written: one of other characters than letters, digits, `.`, `-` and `_`, or that
    /// does not begin with a letter.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() && types::is_key(key) {
            let rest = self.rest.get_or_insert_default();
            **rest = rest.with(&key.to_ascii_lowercase(), value);
        }
        self
    }

    /// With a path inside the package (parts divided by `/`; empty ones, `.` and `..` are left out);
    /// an empty one is none.
    #[must_use]
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        let subpath = join(subpath.split('/').filter(|part| !matches!(*part, "." | "..")));
        if subpath.is_some() || self.rest.is_some() {
            let rest = self.rest.get_or_insert_default();
            rest.subpath = subpath.map(String::into_boxed_str);
        }
        self.rest = self.rest.filter(|rest| **rest != Rest::default());
        self
    }

    /// The type, such as `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        let [kind, ..] = self.ends;
        self.part(0, Some(kind))
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        let [kind, namespace, _] = self.ends;
        Some(self.part(kind, Some(namespace))).filter(|namespace| !namespace.is_empty())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        let [_, namespace, name] = self.ends;
        self.part(namespace, Some(name))
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let [.., name] = self.ends;
        Some(self.part(name, None)).filter(|version| !version.is_empty())
    }

    /// A qualifier's value.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers().find(|(own, _)| *own == key).map(|(_, value)| value)
    }

    /// All qualifiers, sorted by key.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rest.iter().flat_map(|rest| rest.qualifiers())
    }

    /// Whether it says that the package is of git, an address, a folder or another registry than its
    /// type's own. Source: purl-spec, "Known qualifiers".
    #[must_use]
    pub fn is_from_elsewhere(&self) -> bool {
        ["vcs_url", "download_url", "repository_url"]
            .iter()
            .any(|key| self.qualifier(key).is_some())
    }

    /// The path inside the package.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.rest.as_ref()?.subpath.as_deref()
    }

    /// The same without qualifiers and subpath: what fingerprints are made of.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { text: self.text.clone(), ends: self.ends, rest: None }
    }

    /// How [`Self::bare`] shows itself, without a copy.
    pub fn shown_bare(&self) -> impl fmt::Display + '_ {
        Bare(self)
    }

    /// The parts, in the order that package URLs have.
    fn parts(&self) -> (&str, Option<&str>, &str, Option<&str>) {
        (self.kind(), self.namespace(), self.name(), self.version())
    }
}

impl fmt::Debug for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Purl({self})")
    }
}

/// By type, namespace, name, version, qualifiers and subpath.
impl Ord for Purl {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts()
            .cmp(&other.parts())
            .then_with(|| self.qualifiers().cmp(other.qualifiers()))
            .then_with(|| self.subpath().cmp(&other.subpath()))
    }
}

impl PartialOrd for Purl {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Joins the parts that are not empty by `/`; none where there are none.
pub(crate) fn join<'text>(parts: impl Iterator<Item = &'text str>) -> Option<String> {
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
struct Bare<'purl>(&'purl Purl);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}/", self.0.kind())?;
        if let Some(namespace) = self.0.namespace() {
            write!(formatter, "{}/", Encoded::path(namespace))?;
        }
        write!(formatter, "{}", Encoded::part(self.0.name()))?;
        match self.0.version() {
            Some(version) => write!(formatter, "@{}", Encoded::part(version)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Bare(self))?;
        for (index, (key, value)) in self.qualifiers().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            // The specification's own examples leave `/` as it is in qualifiers.
            write!(formatter, "{mark}{key}={}", Encoded::path(value))?;
        }
        match self.subpath() {
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
